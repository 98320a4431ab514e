package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/mirror"
	"muster/ledger/proof"
)

// How often a mirror asks for the checkpoint, how long it waits at most while the server is away,
// and how long an answer of the server may take to begin.
const (
	followEvery = time.Second
	awayMost    = 30 * time.Second
	beginTime   = 20 * time.Second
)

// witnessWait is how long a witness that holds all records waits for those of a checkpoint that it
// is to sign: a server waits longer for its answer.
const witnessWait = 8 * time.Second

// A follower has a mirror follow its server. All but following and holds is for one goroutine.
type follower struct {
	mirroring
	app  *app
	held *mirror.Mirror
	key  string // of the witness that the mirror is; "" for none

	named events.View   // the view that a name after --view means; "" before it is known
	shown []byte        // the checkpoint that the server has shown last, as it came
	wake  chan struct{} // capacity 1: somebody waits for a record
	// waiting is how many wait for what is not held yet.
	waiting atomic.Int32

	mu      sync.Mutex
	met     *time.Time
	since   *time.Time       // it cannot be followed
	why     *problem.Problem // why not
	stopped bool
}

func newFollower(a *app, held *mirror.Mirror, o mirroring) *follower {
	a.isBeginning = held.IsBeginning
	return &follower{mirroring: o, app: a, held: held, wake: make(chan struct{}, 1)}
}

// follow follows the server until ctx ends, or it has signed what cannot be true. A mirror that
// follows no more waits for the end.
func (f *follower) follow(ctx context.Context) error {
	if f.following().Stopped {
		<-ctx.Done()
		return nil
	}
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-f.wake:
		case <-time.After(wait):
		}
		err := f.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			wait = followEvery
			continue
		case mirror.IsNotSigned(err): // which proves nothing against the server
		case problem.Is(err, problem.Unverified):
			return f.stop(err)
		case isMisled(err):
			return err
		}
		f.away(err)
		wait = min(max(2*wait, followEvery), awayMost)
	}
}

// isMisled reports whether an error is of how the mirror was set up: to ask again does not help.
func isMisled(err error) bool {
	for _, k := range []problem.Kind{problem.Usage, problem.Conflict, problem.Invalid} {
		if problem.Is(err, k) {
			return true
		}
	}
	return false
}

// round asks for the server's checkpoint, and takes in what is new.
func (f *follower) round(ctx context.Context) error {
	if isNew, err := f.meet(ctx); err != nil || !isNew {
		if err == nil {
			f.isThere()
		}
		return err
	}
	c := f.app.contact
	if err := f.begins(ctx, c); err != nil {
		return err
	}
	var older *proof.OlderState
	if err := f.held.IsBeginning(c.seen); errors.As(err, &older) {
		return f.app.olderState(older)
	} else if err != nil {
		return f.isOther(err)
	}
	if last := f.held.Covered(); c.seen.N < last {
		return problem.New(problem.Unavailable, "the server shows %s, and this mirror has seen %d",
			english.Several(c.seen.N, "record"), last).
			WithHint("the server lags behind, or is cut off from others of its ledger")
	}
	if err := f.isOther(f.held.Grow(ctx, c.seen, c.fetch)); err != nil {
		return err
	}
	if err := f.witnessed(ctx, c); err != nil {
		return err
	}
	f.shown = c.seen.Signed
	f.isThere()
	return nil
}

// meet asks for the checkpoint, and holds it against all that was seen where it is a new one.
func (f *follower) meet(ctx context.Context) (isNew bool, err error) {
	fetch, err := f.app.fetcher()
	if err != nil {
		return false, err
	}
	if f.shown != nil {
		signed, err := fetch(ctx, "checkpoint")
		if err != nil || bytes.Equal(signed, f.shown) {
			return false, err
		}
	}
	f.app.contact = nil
	_, err = f.app.meet(ctx)
	return err == nil, err
}

// begins says of the mirror what it is of.
func (f *follower) begins(ctx context.Context, c *contact) error {
	view, err := f.holding(ctx)
	if err != nil {
		return err
	}
	return f.held.Begin(mirror.About{Origin: c.origin, View: view,
		Key: signerAmong(c.keys, c.seen.Signed), URL: f.url})
}

// holding is the view that the mirror is to hold: the one that is asked for, or that it holds, or
// all that who signs in may read.
func (f *follower) holding(ctx context.Context) (events.View, error) {
	asked, known, err := f.asked(ctx)
	if err != nil {
		return "", err
	}
	if about := f.held.About(); about.Origin != "" {
		return cmp.Or(asked, about.View), nil
	}
	own, err := viewOf(ctx, f.app.visitors[f.url])
	switch {
	case errors.Is(err, errNoDoor) && known:
		return asked, nil // who may not read that is refused
	case errors.Is(err, errNoDoor):
		return "", problem.From(err).WithHint("say what the mirror is to hold, with --view: " +
			"coordinators for all records, or public, coalition, or a nation's code such as FRA")
	}
	if err != nil {
		return "", err
	}
	own = cmp.Or(own, events.CoordinatorsView)
	if asked != "" && !asked.Within(own) {
		return "", problem.New(problem.NotReadable, "who asks may read the view %s of this "+
			"server, and --view asks for %s", own, asked).
			WithHint("leave --view out; or sign in with a key that may read it, with --key FILE")
	}
	return cmp.Or(asked, own), nil
}

// asked reads the view that is asked for, and false where there is none. Whose an organisation's
// name is, the records tell: those that are held, or else those of the server, which are verified
// before anything is held.
func (f *follower) asked(ctx context.Context) (v events.View, known bool, err error) {
	v, known = events.ParseView(f.view)
	switch {
	case f.view == "" || known && !isOrganisations(v):
		return v, known, nil
	case known:
		v, err = f.app.viewAt(ctx, f.url, f.view)
		return v, true, err
	case f.named != "":
		return f.named, true, nil
	case f.held.Last() > 0:
		v, err = viewIn(ctx, f.held.Records(1), f.view)
	default:
		v, err = f.app.viewVerifiedAt(ctx, f.url, f.view, f.app.contact.keys)
	}
	if err == nil {
		f.named = v
	}
	return v, true, err
}

// isOther keeps the two checkpoints of another history.
func (f *follower) isOther(err error) error {
	var other *proof.OtherHistory
	if errors.As(err, &other) {
		return f.app.otherHistory(serverShows, other)
	}
	return err
}

// witnessed takes in what witnesses have signed of what is held.
func (f *follower) witnessed(ctx context.Context, c *contact) error {
	signed, err := c.fetch(ctx, intake.WitnessedPath)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	older, err := proof.OpenCheckpoint(signed, c.keys...)
	if err != nil || older.Origin != string(c.origin) {
		return problem.New(problem.Unavailable, // which nobody has signed, and says nothing
			"what the server shows as signed by witnesses is not signed with its key").
			WithHint("do not rely on this server, or on what stands before it")
	}
	held := f.held.Held()
	switch root, err := f.held.RootAt(older.N); {
	case older.N > held.N || older.N == 0: // it has grown since: the next round has it
		return nil
	case err != nil || root != older.Hash:
		return f.isOther(&proof.OtherHistory{Seen: held, Shown: older, What: fmt.Sprintf(
			"what it shows as signed by witnesses has the root %s of %d records, which have the "+
				"root %s", older.Hash, older.N, root)})
	}
	return f.held.Witness(older)
}

// stop keeps it that the server has shown what cannot be true.
func (f *follower) stop(err error) error {
	if f.held.About().Origin == "" { // nothing is held
		return err
	}
	p := *problem.From(err)
	mark := filepath.Join(f.dir, mirror.StoppedFile)
	p.Hint = fmt.Sprintf("%s. Nothing of it was stored: the mirror holds %s as before, and "+
		"answers from them when it is started again, but follows no more. When it is known what "+
		"was wrong, have it follow again by removing the file %s", p.Hint,
		english.Several(f.held.Last(), "record"), mark)
	return errors.Join(&p, f.held.Stop(&p, time.Now()))
}

func (f *follower) isThere() {
	now := time.Now().UTC().Truncate(time.Second)
	f.mu.Lock()
	was := f.since
	f.met, f.since, f.why = &now, nil, nil
	f.mu.Unlock()
	if was != nil {
		f.log.say("following %s again: %s", f.url, english.Several(f.held.Last(), "record"))
	}
}

// away notes that the server cannot be followed, and says so once.
func (f *follower) away(err error) {
	p := problem.From(err)
	f.mu.Lock()
	first := f.since == nil
	another := f.why != nil && f.why.Code != p.Code // such as an older state, of one that was gone
	if first {
		now := time.Now().UTC().Truncate(time.Second)
		f.since = &now
	}
	f.why = p
	f.mu.Unlock()
	if first || another {
		f.log.say("cannot follow %s: %s", f.url, p.Detail)
	}
}

// cannot notes that the mirror follows no more.
func (f *follower) cannot(p *problem.Problem, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since, f.why, f.stopped = &since, p, true
}

// following says how it goes.
func (f *follower) following() server.Following {
	f.mu.Lock()
	defer f.mu.Unlock()
	return server.Following{Of: f.url, View: f.held.About().View, Withheld: f.held.Withheld(),
		Met: f.met, Away: f.since, Problem: f.why, Stopped: f.stopped, Witness: f.key}
}

// maxWaiting is how many may wait at a time until the mirror holds what they want signed: a server
// and some others of its ledger.
const maxWaiting = 16

// mayWait returns why nobody waits now until more is held, or nil.
func (f *follower) mayWait() error {
	switch now := f.following(); {
	case now.Stopped:
		return problem.New(problem.Unavailable, "this witness follows its server no more")
	case now.Away != nil:
		return problem.New(problem.Unavailable, "this witness cannot follow its server now")
	case f.waiting.Load() > maxWaiting:
		return problem.New(problem.Busy, "%d wait for this witness already", maxWaiting)
	}
	return nil
}

// holds makes sure for a witness that all records of a checkpoint are held, and waits for them.
func (f *follower) holds(ctx context.Context, next proof.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, witnessWait)
	defer cancel()
	f.waiting.Add(1)
	defer f.waiting.Add(-1)
	for {
		held := f.held.Held()
		if held.N >= next.N {
			root, err := f.held.RootAt(next.N)
			if next.N > 0 && (err != nil || root != next.Hash) {
				return &proof.OtherHistory{Seen: held, Shown: next, What: fmt.Sprintf(
					"the first %d records have the root %s, and not %s", next.N, root, next.Hash)}
			}
			return nil
		}
		if err := f.mayWait(); err != nil {
			return err
		}
		select {
		case f.wake <- struct{}{}:
		default:
		}
		if err := f.held.Wait(ctx, uint64(held.N)); err != nil {
			return problem.New(problem.Unavailable,
				"this witness holds every record that it signs for, and has verified %d of the %d",
				held.N, next.N)
		}
	}
}
