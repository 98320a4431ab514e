// Package feed has the witnesses of a policy sign what a server has committed.
//
// A [Feeder] shows them all the same checkpoint, the newest, and at most one a second: so that, of
// a ledger that grows all the time, their signatures meet on one tree. Each witness is asked by a
// goroutine of its own. One that is slow or away is shown the newest checkpoint when it can be
// asked again, and holds up neither the others nor a commit.
//
//	commit ─▶ newest checkpoint, once a second ─┬▶ witness ─▶ its line ─┐
//	                                            ├▶ witness ─▶ its line ─┼▶ cosigned checkpoint
//	                                            └▶ witness (away: again after 1, 2, 4 … seconds)
//
// A witness that has signed what this server does not have is the proof that the server was begun
// from an old copy, or that another one signs with its key. [Config.Standing] hears of it.
package feed

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/witness"
)

// A Tree is what a server has committed: a [muster/ledger/journal.Journal]. Its methods may be
// called concurrently.
type Tree interface {
	// Signed returns the newest checkpoint, as the server alone has signed it; nil before there is
	// one.
	Signed() []byte
	// Wait returns when there are more records than it is told, or with an error when ctx ends.
	Wait(ctx context.Context, after uint64) error
	// Tiles are those of the tree, which nobody need have checked.
	Tiles() tlog.TileReader
}

// Config says who is shown what.
type Config struct {
	Policy *policy.Policy
	// Key is the checkpoint key of this server. Those of others on the ledger are in the policy.
	Key  string
	Tree Tree
	// HTTP makes the client for a witness's address.
	HTTP func(url string) (*http.Client, error)
	// Lag is how long this server may be behind another one of the ledger that feeds the same
	// witnesses; 0 where there is no other.
	Lag time.Duration
	// Standing is told, by one goroutine at a time, how it stands after each answer of a witness.
	Standing func(Standing)
	// Log hears of each witness when it signs no more, and when it signs again.
	Log *slog.Logger
	// Every is the pause between two checkpoints, and the first one after a failure; a second
	// when 0.
	Every time.Duration
}

// What a witness may take, and how long the pauses grow when it fails.
const (
	every     = time.Second
	askTime   = 20 * time.Second
	maxPause  = 5 * time.Minute
	recently  = 64 // checkpoints whose signatures are still collected
	firstTime = 10 * time.Second
)

// A Standing is what the witnesses say of this server.
type Standing struct {
	// Parted are the witnesses that have signed what this server does not have.
	Parted []*Parted
	// Enough says that so many witnesses have signed this server's tree since the start as the
	// policy asks for. Heard counts them.
	Enough bool
	Heard  int
}

// A Parted is a witness that has signed what this server does not have. It is an error.
type Parted struct {
	Witness policy.Witness
	// Ours is what the server has shown.
	Ours proof.Checkpoint
	// Theirs is what the witness has signed, nil where it does not show it, or no key of the ledger
	// has signed it: then there is its word alone.
	Theirs []byte
	// Size is how many records the witness says that it has signed.
	Size  int64
	cause error
}

// Error implements error.
func (p *Parted) Error() string { return p.cause.Error() }

// Unwrap returns an [*witness.AheadError] or an [*witness.OtherHistoryError].
func (p *Parted) Unwrap() error { return p.cause }

// A State is how it goes with a witness.
type State struct {
	Witness string           `json:"witness" doc:"Its name in the policy"`
	URL     string           `json:"url" doc:"Where it is asked"`
	Signed  int64            `json:"signed" doc:"How many records it has signed since this server started; 0 for none"`
	At      *time.Time       `json:"at,omitempty" doc:"When that was, by its own clock"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"Why it signs nothing now"`
}

// A Cosigned is a checkpoint with the signatures of witnesses below the server's own.
type Cosigned struct {
	tlog.Tree
	Signed []byte
	By     policy.Witnessed
}

// A Feeder feeds the witnesses until it is closed. Its methods may be called concurrently.
type Feeder struct {
	cfg     Config
	running sync.WaitGroup
	stop    context.CancelFunc
	telling sync.Mutex // for Standing

	mu      sync.Mutex
	changed chan struct{} // closed when what follows has changed
	workers []*worker
	shown   proof.Checkpoint
	recent  []*collection // oldest first, the last is of what is shown
	enough  *Cosigned     // the largest that as many have signed as the policy asks for
	some    *Cosigned     // the largest that any has signed
}

// A collection is what was signed of a checkpoint.
type collection struct {
	of    proof.Checkpoint
	lines map[string][]byte // by the witness's name
}

// Start begins to feed the witnesses that have an address, of which there may be none.
func Start(cfg Config) (*Feeder, error) {
	if cfg.Every == 0 {
		cfg.Every = every
	}
	f := &Feeder{cfg: cfg, changed: make(chan struct{})}
	for _, w := range cfg.Policy.Witnesses {
		if w.URL == "" {
			continue
		}
		client, err := cfg.HTTP(w.URL)
		if err != nil {
			return nil, err
		}
		client.Timeout = askTime
		f.workers = append(f.workers, &worker{feeder: f, of: w,
			client: witness.Client{URL: w.URL, Key: w.Key, HTTP: client}})
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.running.Go(func() { f.run(ctx) })
	for _, w := range f.workers {
		f.running.Go(func() { w.run(ctx) })
	}
	return f, nil
}

// Close stops, and breaks off what is asked.
func (f *Feeder) Close() error {
	f.stop()
	f.running.Wait()
	return nil
}

// Heard returns when every witness has answered once or has failed to, or after some seconds, or
// when ctx ends.
func (f *Feeder) Heard(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstTime)
	defer cancel()
	for {
		f.mu.Lock()
		changed := f.changed
		all := !slices.ContainsFunc(f.workers, func(w *worker) bool { return !w.answered })
		f.mu.Unlock()
		if all {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Standing returns what the witnesses say of this server now.
func (f *Feeder) Standing() Standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s Standing
	var heard []string
	for _, w := range f.workers {
		if w.parted != nil {
			s.Parted = append(s.Parted, w.parted)
		} else if w.signed > 0 {
			heard = append(heard, w.of.Name)
		}
	}
	s.Heard, s.Enough = len(heard), f.cfg.Policy.Enough(heard...)
	return s
}

// States returns how it goes with each witness, in the policy's order.
func (f *Feeder) States() (all []State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.workers {
		all = append(all, State{w.of.Name, w.of.URL, w.signed, w.at, w.failed})
	}
	return all
}

// Best returns the largest checkpoint of at least so many records that as many witnesses have
// signed as the policy asks for; where there is none, the largest that any has signed; and false
// where nobody has.
func (f *Feeder) Best(least int64) (Cosigned, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range []*Cosigned{f.enough, f.some} {
		if c != nil && c.N >= least {
			return *c, true
		}
	}
	return Cosigned{}, false
}

// Checkpoint is [Feeder.Best] for a [muster/ledger/journal.Journal].
func (f *Feeder) Checkpoint(least int64) (tree tlog.Tree, signed []byte, ok bool) {
	c, ok := f.Best(least)
	return c.Tree, c.Signed, ok
}

// run shows the newest checkpoint, and no more than one in each pause.
func (f *Feeder) run(ctx context.Context) {
	for ctx.Err() == nil {
		if signed := f.cfg.Tree.Signed(); signed != nil {
			c, err := proof.OpenCheckpoint(signed, f.cfg.Key)
			if err != nil { // which its own server has just signed
				f.cfg.Log.Error("the server's own checkpoint cannot be read", "error", err)
				return
			}
			f.show(c)
		}
		if !pause(ctx, f.cfg.Every) || f.cfg.Tree.Wait(ctx, uint64(f.now().N)) != nil {
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *Feeder) now() proof.Checkpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shown
}

func (f *Feeder) show(c proof.Checkpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if string(c.Signed) == string(f.shown.Signed) {
		return
	}
	f.shown = c
	f.recent = append(f.recent, &collection{of: c, lines: map[string][]byte{}})
	f.recent = f.recent[max(0, len(f.recent)-recently):]
	f.tell()
}

// tell wakes who waits for a change. The lock is held.
func (f *Feeder) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// next waits for a checkpoint other than the one that was signed last.
func (f *Feeder) next(ctx context.Context, last []byte) (c proof.Checkpoint, err error) {
	for {
		f.mu.Lock()
		c, changed := f.shown, f.changed
		f.mu.Unlock()
		if c.Signed != nil && string(c.Signed) != string(last) {
			return c, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
}

// collect adds a witness's lines to those of the others of the same checkpoint, if that is not too
// long ago.
func (f *Feeder) collect(of proof.Checkpoint, by string, lines []byte) {
	i := slices.IndexFunc(f.recent, func(c *collection) bool {
		return string(c.of.Signed) == string(of.Signed)
	})
	if i < 0 {
		return
	}
	f.recent[i].lines[by] = lines
	c := Cosigned{Tree: of.Tree, Signed: slices.Clone(of.Signed)}
	for _, w := range f.cfg.Policy.Witnesses {
		c.Signed = append(c.Signed, f.recent[i].lines[w.Name]...)
	}
	if err := f.take(c); err != nil {
		f.cfg.Log.Error("a checkpoint with the signatures of witnesses cannot be read", "error",
			err)
	}
}

func (f *Feeder) take(c Cosigned) (err error) {
	if c.By, err = f.cfg.Policy.Witnessed(c.Signed); err != nil {
		return err
	}
	better := func(than *Cosigned) bool {
		return than == nil || c.N > than.N || c.N == than.N && len(c.By.By) >= len(than.By.By)
	}
	if c.By.Enough && len(c.By.By) > 0 && better(f.enough) {
		f.enough = &c
	}
	if len(c.By.By) > 0 && better(f.some) {
		f.some = &c
	}
	return nil
}

// Restore takes in a checkpoint that was cosigned before the start, and is one of the tree's, as
// the caller has made sure.
func (f *Feeder) Restore(signed []byte) error {
	c, err := proof.OpenCheckpoint(signed, f.cfg.Key)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.take(Cosigned{Tree: c.Tree, Signed: signed})
}
