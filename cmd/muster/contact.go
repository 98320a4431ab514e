package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
)

// A contact is what a command knows of the ledger at the other end: its last checkpoint, which has
// been held against all that this user has seen of the ledger before.
type contact struct {
	origin events.Origin
	keys   []string // the checkpoint keys that are trusted
	fetch  proof.Fetcher

	mu   sync.Mutex
	seen proof.Checkpoint // verified, and consistent with all before
	// With a policy: the largest that enough witnesses have signed, which seen goes on from.
	witnessed witnessed
	// What is remembered, which seen is consistent with.
	known proof.Known
	// What is seen is a mirror's, and some of what is known is larger.
	older bool
	// Those that receipts were under, by their text; their consistency is not verified yet.
	told map[string]proof.Checkpoint

	opened *lru.Cache[string, proof.Checkpoint] // by their text
	shown  *proof.Shown                         // nil before the first records are shown
}

// meet is done once by every command that reads or writes, before anything else: it asks for the
// server's checkpoint, and makes sure that it is signed with a trusted key and goes on from what
// was seen before. At the first contact the key that the server tells is trusted, and said to be.
func (a *app) meet(ctx context.Context) (*contact, error) {
	if a.contact != nil {
		return a.contact, nil
	}
	fetch, err := a.fetcher()
	if err != nil {
		return nil, err
	}
	shown, err := fetchCheckpoint(ctx, fetch)
	if err != nil {
		return nil, err
	}
	c := &contact{origin: events.Origin(shown.Origin), fetch: fetch}
	a.policyOf(c.origin)
	if c.opened, err = lru.New[string, proof.Checkpoint](maxOpened); err != nil {
		return nil, err
	}
	known, err := a.known(c.origin)
	if err == nil {
		c.keys, err = a.trustedKeys(ctx, c.origin, known)
	}
	if err == nil { // among what waits there may be what a key has signed that is trusted since
		known, err = a.known(c.origin, c.keys...)
	}
	if err == nil {
		c.seen, err = a.held(ctx, c, known, shown)
	}
	if err == nil {
		if a.checkpointKey != "" || a.policy != nil {
			a.trust(signerAmong(c.keys, c.seen.Signed))
		}
		err = a.remember(c, c.seen, c.comparedWith(known))
	}
	if err == nil {
		err = a.meetWitnesses(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if known.First == "" && c.seen.N > 0 {
		a.rememberFirst(ctx, c)
	}
	a.contact = c
	return c, nil
}

// meetNamed meets the ledger where --checkpoint-key or --policy says which one is meant. It is for
// commands whose answers no record proves: those are then at least of a server of that ledger.
func (a *app) meetNamed(ctx context.Context) error {
	if a.checkpointKey == "" && a.policyFile == "" {
		return nil
	}
	_, err := a.meet(ctx)
	return err
}

// meetAgain makes sure that the ledger at the other end is still the one that was met, and goes on
// from what it was then: behind an address, another server may have taken the place of the first.
func (a *app) meetAgain(ctx context.Context) error {
	before := a.contact
	was := before.origin
	a.contact = nil
	c, err := a.meet(ctx)
	if err != nil {
		return err
	}
	if c.origin != was {
		return problem.New(problem.Unverified,
			"another ledger is at this address now: it is %s, and was %s",
			c.origin, was).WithHint(
			"do not mix what came of the two: begin anew with the one that is meant")
	}
	c.shown = before.shown // the keys in the records of the same tree
	return nil
}

// fetcher reads the ledger's tree: over NATS when --nats names servers, else over HTTP.
func (a *app) fetcher() (proof.Fetcher, error) {
	if a.nats.Given() {
		nc, err := a.natsAsking()
		return intake.NATSClient{Conn: nc}.Fetch, err
	}
	url, err := a.serverURL()
	if err != nil {
		return nil, err
	}
	client, err := a.telling(url)
	return client.Fetch, err
}

func fetchCheckpoint(ctx context.Context, fetch proof.Fetcher) (proof.Checkpoint, error) {
	signed, err := fetch(ctx, "checkpoint")
	if err != nil {
		return proof.Checkpoint{}, err
	}
	c, err := proof.ReadCheckpoint(signed)
	if err != nil || !events.Origin(c.Origin).Valid() {
		return c, problem.New(problem.Unavailable,
			"what the server gives as its checkpoint is none").
			WithHint("is there a Muster server at this address, and nothing else in between?")
	}
	return c, nil
}

// memory is where it is kept what was seen: MUSTER_CONFIG, or the folder muster in the user's
// configuration.
func (a *app) memory() (proof.Memory, error) {
	dir, err := a.configFolder()
	return proof.Memory{Dir: filepath.Join(dir, "ledgers")}, err
}

// configFolder is MUSTER_CONFIG, or the folder muster in the user's configuration.
func (a *app) configFolder() (string, error) {
	if a.config != "" {
		return a.config, nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "muster"), err
}

// known is what was seen of a ledger before, signed with a key that is trusted or is given. Where
// nothing can be kept, nothing is known, and that is said.
func (a *app) known(origin events.Origin, keys ...string) (proof.Known, error) {
	m, err := a.memory()
	if err != nil {
		a.cannotRemember(err)
		return proof.Known{}, nil
	}
	known, err := m.Of(origin, keys...)
	if err != nil && !problem.Is(err, problem.Invalid) {
		a.cannotRemember(err)
		return proof.Known{}, nil
	}
	return known, err
}

// remember keeps a checkpoint that goes on from all that was known.
func (a *app) remember(c *contact, next proof.Checkpoint, known proof.Known) error {
	m, err := a.memory()
	if err == nil {
		err = m.Saw(next, known)
	}
	var other *proof.OtherHistory
	if errors.As(err, &other) {
		return a.otherHistory(serverShows, other)
	}
	if err != nil {
		a.cannotRemember(err)
	}
	by := map[string]proof.Checkpoint{next.By: next}
	for key, seen := range known.By {
		if seen.N > by[key].N {
			by[key] = seen
		}
	}
	c.known = proof.Known{Keys: known.Keys, By: by, First: known.First}
	return nil
}

// rememberFirst remembers the first record, by which another ledger of the same name is told.
func (a *app) rememberFirst(ctx context.Context, c *contact) {
	first, err := proof.First(ctx, c.seen, c.fetch)
	if err != nil {
		return // it is looked for again at the next contact
	}
	m, err := a.memory()
	if err == nil {
		err = m.Began(c.origin, first)
	}
	if err != nil {
		a.cannotRemember(err)
	}
}

// How long a server may lag behind what another one of the ledger has shown before.
const (
	lagTimeout = 5 * time.Second
	lagPause   = 200 * time.Millisecond
)

// held verifies a checkpoint, and holds it against all that was seen. A server whose first record
// is another tells another history. One that shows less than it has itself signed before shows an
// older state, or what stands before it does. One that shows less than another server of the ledger
// has may only lag: it is given time.
func (a *app) held(ctx context.Context, c *contact, known proof.Known,
	shown proof.Checkpoint) (proof.Checkpoint, error) {
	last, _ := known.Last()
	for until := time.Now().Add(lagTimeout); ; {
		next, err := a.opened(ctx, c, known, shown)
		if err != nil {
			return next, err
		}
		// Beside this run another may have seen more, of which this one has read after it
		// had asked the server: then what the server shows now tells.
		own, _ := known.LastBy(next.By)
		if next.N >= last.N {
			return next, a.extends(ctx, c, known, next)
		}
		if err := a.begins(ctx, c, known.First, last, next); err != nil {
			return next, err
		}
		late := time.Now().After(until)
		if f := a.mirrorThere(ctx); f != nil && (late || f.Problem != nil) {
			return next, a.isOlder(ctx, c, known, next)
		} else if f != nil {
			own.N = 0 // it may lag as long as any other
		}
		if late {
			return next, a.isBehind(ctx, c, known, next)
		}
		if own.N > next.N { // once more is enough, for a server never goes back
			until = time.Now()
		}
		select {
		case <-time.After(lagPause):
		case <-ctx.Done():
			return next, ctx.Err()
		}
		if shown, err = fetchCheckpoint(ctx, c.fetch); err != nil {
			return shown, err
		}
	}
}

// opened verifies a checkpoint's signature.
func (a *app) opened(ctx context.Context, c *contact, known proof.Known,
	shown proof.Checkpoint) (proof.Checkpoint, error) {
	next, err := proof.OpenCheckpoint(shown.Signed, c.keys...)
	if err == nil && next.Origin == string(c.origin) {
		return next, nil
	}
	if last, _ := known.Last(); last.N > 0 {
		return next, a.otherKey(ctx, c, known, last, shown)
	}
	return next, problem.New(problem.Unverified,
		"the checkpoint of the ledger %s is not signed with the key that is trusted: %w",
		c.origin, err).
		WithHint("ask somebody you trust for the ledger's checkpoint key, and give it with " +
			"--checkpoint-key")
}

// otherKey is the error of a checkpoint that no trusted key has signed, of a ledger of which some
// records were seen. It tells whether those that are shown go on from them: then the key may have
// been changed, or this may be another server of the ledger. They are evidence where they do not.
func (a *app) otherKey(ctx context.Context, c *contact, known proof.Known, last,
	shown proof.Checkpoint) error {
	err := known.CheckExtended(ctx, shown, c.fetch)
	if other := (*proof.OtherHistory)(nil); errors.As(err, &other) {
		return a.otherHistory(serverShows, other)
	}
	if begins := a.begins(ctx, c, known.First, last, shown); problem.Is(begins,
		problem.Unverified) {
		return begins
	}
	how := "and were not compared with"
	if err == nil && shown.N >= last.N {
		how = "which go on from"
	}
	return problem.New(problem.Unverified, "the checkpoint of the ledger %s is signed with no key "+
		"that is trusted: it is of %s, %s the %d that were verified before", c.origin,
		english.Several(shown.N, "record"), how, last.N).WithCode("other-key").
		WithHint("if its key was changed, or this is another server of the ledger, ask its " +
			"administrator for the key, in person or over a line that you trust, and give it " +
			"once with --checkpoint-key; do not rely on this server before")
}

// begins makes sure that a checkpoint which shows less than was seen is of a ledger with the same
// first record. Where the first record is not known, it may be.
func (a *app) begins(ctx context.Context, c *contact, first string, last,
	next proof.Checkpoint) error {
	if first == "" || next.N == 0 {
		return nil
	}
	shown, err := proof.First(ctx, next, c.fetch)
	if err != nil || shown == first {
		return err
	}
	return a.otherHistory(serverShows, &proof.OtherHistory{Seen: last, Shown: next,
		What: fmt.Sprintf("it is another ledger of the same name: its first record is %s, and "+
			"was %s", shown, first)})
}

// extends makes sure that next goes on from all that is known and not larger.
func (a *app) extends(ctx context.Context, c *contact, known proof.Known,
	next proof.Checkpoint) error {
	err := known.CheckExtended(ctx, next, c.fetch)
	var older *proof.OlderState
	if errors.As(err, &older) && older.NotCompared != nil && a.isBeginning != nil {
		err = cmp.Or(a.isBeginning(next), err)
	}
	compared := errors.As(err, &older) && older.NotCompared == nil
	if err != nil && !compared && !errors.As(err, new(*proof.OtherHistory)) {
		err = a.holdUncompared(c, next, err)
	}
	var other *proof.OtherHistory
	switch {
	case errors.As(err, &other):
		return a.otherHistory(serverShows, other)
	case errors.As(err, &older):
		return a.olderState(older)
	}
	return err
}

// holdUncompared keeps a checkpoint that was signed and could not be compared, since the tiles that
// came are not its own or none came: whoever has signed another history cannot hide it by that from
// the next contact. The error is why, or that another tree of its size was signed.
func (a *app) holdUncompared(c *contact, next proof.Checkpoint, why error) error {
	m, err := a.memory()
	if err != nil {
		return why
	}
	_, err = m.Hold(next, signerAmong(c.keys, next.Signed))
	if errors.As(err, new(*proof.OtherHistory)) {
		return err
	}
	return why // also where no more can be kept
}

// What shows another history than was seen before, to begin a sentence with.
const (
	serverShows    = "THE SERVER SHOWS"
	receiptIsOf    = "THE RECEIPT IS OF"
	sourceIsOf     = "WHAT WAS VERIFIED IS OF"
	checkpointIsOf = "THE CHECKPOINT IS OF"
)

// otherHistory keeps the evidence, and says so.
func (a *app) otherHistory(who string, e *proof.OtherHistory) *problem.Problem {
	p := problem.New(problem.Unverified,
		"%s ANOTHER HISTORY of the ledger %s than was seen before: %s", who, e.Seen.Origin,
		e.What).WithCode("other-history")
	return p.WithHint("do not rely on whoever has signed both; %s", a.evidence(e))
}

// evidence keeps both checkpoints, and says where.
func (a *app) evidence(e *proof.OtherHistory) string {
	m, err := a.memory()
	var seen, shown string
	if err == nil {
		seen, shown, err = m.Evidence(e, time.Now())
	}
	if err != nil {
		return fmt.Sprintf("the two checkpoints could not be kept (%v), so here they are: seen "+
			"before\n%sshown now\n%s", err, e.Seen.Signed, e.Shown.Signed)
	}
	return fmt.Sprintf("both signed checkpoints are kept, for the other members to see: "+
		"%s was seen before, and %s is shown now", seen, shown)
}

// checkReceipts holds what receipts were under against what was seen: to be done before anybody is
// told that all is well.
func (a *app) checkReceipts(ctx context.Context) error {
	c := a.contact
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.told) == 0 {
		return nil
	}
	known := c.known
	known.Waiting = slices.Concat(known.Waiting, slices.Collect(maps.Values(c.told)))
	next := c.seen
	for _, told := range c.told {
		if told.N > next.N || told.N == next.N && told.By == next.By {
			next = told
		}
	}
	if err := a.extends(ctx, c, known, next); err != nil {
		return err
	}
	if err := a.remember(c, next, known); err != nil {
		return err
	}
	c.seen, c.told = next, nil
	return nil
}
