package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/rules"
)

// A Config says what a Ledger is made of.
type Config struct {
	// Journal is this server's second copy. The Ledger is its only writer.
	Journal *journal.Journal
	// Log is the shared first copy.
	Log Log
	// Peers are the other servers on the Log; nil where there can be none, as with a NATS server
	// inside this process.
	Peers Peers
	// Name is this server's, written into every record that it makes.
	Name string
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Past is the record that new ones may follow although its time and the clock are far apart:
	// see MaxSkew and MaxPause. 0 for none.
	Past uint64
	// Saved is a file in which the state is kept, so that a start need not read all of the journal;
	// "" for none. It can be thrown away at any time. It is saved after so many records each;
	// 20,000 when SaveAfter is 0. A ledger of fewer is read whole at each start.
	Saved     string
	SaveAfter uint64
	// ScrubEvery is how often all of journal and log is read and compared; scrubEvery when 0.
	ScrubEvery time.Duration
	// Mend makes a damaged log anew, when the scrub has found it damaged and the journal has, at
	// that place, what its tree has. It returns when the log is there again, and has nothing, or
	// only what is whole. It is nil for a log that cannot be mended: then nothing more is taken.
	Mend func(ctx context.Context, found error) error
	// Faults hears of what whoever runs the server should know: when it begins to take no
	// statements and when it takes them again, and statements at which the program has a fault; nil
	// for the program's usual log.
	Faults *slog.Logger
	// Observe is told how long things take; nil for nobody.
	Observe Observer

	decide func(*rules.State, events.Key, events.Statement) error // rules.DecideNew when nil
}

// A Ledger takes signed statements and makes records of them: it is the write side of one server.
// Its methods may be called concurrently.
type Ledger struct {
	cfg      Config
	commands chan *command
	queue    chan *group   // in flight, in order: from the appender to the committer
	faults   chan struct{} // capacity 1: the committer has met an answer that is not good
	nudges   chan struct{} // capacity 1: somebody waits for what other servers have appended
	saved    atomic.Uint64 // the record through which the state was last saved
	saving   atomic.Bool
	stop     context.CancelFunc
	stopped  chan struct{} // closed when the appender has ended
	workers  sync.WaitGroup

	// events.KeyID → *events.ReadyKey: every key that was ever admitted, to verify before the
	// appender's turn
	keys sync.Map

	// What follows belongs to the appender's goroutine alone.
	state    *rules.State
	inFlight map[events.ID]*entry // records in flight, by id
	group    []*entry             // decided, and not yet on their way
	// Of the group before; nil when the record before is known to be in the log.
	before   Ack
	behind   bool      // the journal may lack what the log has: catch up before deciding
	retryAt  time.Time // not before, after it failed
	silentAt time.Time // when the log was last silent
	doubt    *doubt    // nil when the log is known to hold all that any journal holds
	told     uint64    // the last sequence that the log is known to have had
	breaks   uint64    // how often the line to the peers was broken, when that was looked at last
	waiting  bool      // for peers: what is missing comes by itself, or never

	leading events.Record // the first of those with the time that firstAt was asked for last

	underWay  atomic.Uint64 // the last record that is or was on its way into the journal
	health    health
	compared  atomic.Pointer[Comparison]
	scrubbing atomic.Pointer[Scrubbing]
	origin    atomic.Pointer[events.Origin]
}

// A Receipt says that a statement is in the ledger for good: in the log, and fsynced in this
// server's journal.
type Receipt struct {
	// Sequence is the record's place, from 1 on.
	Sequence uint64
	// Recorded is when the server recorded it.
	Recorded time.Time
	ID       events.ID
	Type     events.Type
	// By names the server that recorded it.
	By string
	// Again says that the same statement was here already, and that this is its first receipt.
	Again bool
}

func receiptOf(rec events.Record) Receipt {
	head := rec.Statement.Head()
	return Receipt{Sequence: rec.Sequence, Recorded: rec.Recorded, ID: head.ID,
		Type: head.Type, By: rec.By}
}

// Open reads the journal, brings journal and log to the same end, and begins to take statements. It
// fails when the two tell different histories, or two journals do: then somebody must look, and
// nothing is written. Where a peer has not been heard that must be, the Ledger takes in what the
// log has, and no statements: Healthy says so.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	p, err := Prepare(cfg)
	if err != nil {
		return nil, err
	}
	return p.Open(ctx, cfg.Log, cfg.Peers)
}

// A Prepared ledger has read its journal, and no log yet: that can be opened meanwhile, or be
// mended. Its methods are for one goroutine.
type Prepared struct{ ledger *Ledger }

// Prepare does what [Open] does with the journal. The configuration need not name the log
// and the peers.
func Prepare(cfg Config) (*Prepared, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.SaveAfter == 0 {
		cfg.SaveAfter = saveAfter
	}
	if cfg.ScrubEvery == 0 {
		cfg.ScrubEvery = scrubEvery
	}
	if cfg.Faults == nil {
		cfg.Faults = slog.Default()
	}
	if cfg.Observe == nil {
		cfg.Observe = unobserved{}
	}
	if cfg.decide == nil {
		cfg.decide = rules.DecideNew
	}
	l := &Ledger{
		cfg:      cfg,
		commands: make(chan *command, 1024),
		queue:    make(chan *group, maxInFlight/groupMost),
		faults:   make(chan struct{}, 1),
		nudges:   make(chan struct{}, 1),
		stopped:  make(chan struct{}),
		state:    rules.NewState(),
		inFlight: map[events.ID]*entry{},
		health:   health{last: cfg.Journal.Last, log: cfg.Faults, turned: cfg.Observe.Turned},
	}
	if err := l.read(); err != nil {
		return nil, err
	}
	return &Prepared{l}, nil
}

// Open does what [Open] does with the log and the peers on it, nil where there can be none. After
// an error it may be called again.
func (p *Prepared) Open(ctx context.Context, log Log, peers Peers) (*Ledger, error) {
	l := p.ledger
	l.cfg.Log, l.cfg.Peers = log, peers
	if peers != nil {
		peers.Answer(l.Reach)
		l.breaks = peers.Breaks()
		l.suspect().unknown = !peers.Trust()
	}
	if err := l.reconcile(ctx); err != nil {
		return nil, err
	}
	l.start()
	return l, nil
}

func (l *Ledger) start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.workers.Go(func() { l.runCommitter() })
	l.workers.Go(func() { l.run(ctx) })
	l.workers.Go(func() { l.scrub(ctx) })
	if unread := l.saved.Load(); unread > 0 {
		l.workers.Go(func() { l.checkBehind(ctx, unread) })
	}
}

// read makes the state of what was saved and of the journal's records after it.
func (l *Ledger) read() error {
	if err := l.load(); err != nil {
		return err
	}
	for rec, err := range l.cfg.Journal.Records(l.state.Last() + 1) {
		if err == nil {
			err = l.cfg.Journal.CheckIndex(rec)
		}
		if err == nil {
			err = l.apply(rec)
		}
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
	}
	return nil
}

// checkBehind checks the records that the start has not read, since what was saved stood for them:
// against the tree, and whether their ids lead to them. What is wrong stops the ledger from taking
// statements, as it would have at the start.
func (l *Ledger) checkBehind(ctx context.Context, to uint64) {
	for rec, err := range l.cfg.Journal.Records(1) {
		if ctx.Err() != nil || err == nil && rec.Sequence > to {
			return
		}
		if err == nil {
			err = l.cfg.Journal.CheckIndex(rec)
		}
		if err != nil {
			l.health.set(damaged, problem.From(fmt.Errorf("reading the journal: %w", err)))
			return
		}
	}
}

// Close stops taking statements, waits for those in flight, saves the state where it is told to,
// and returns. The journal and the log stay open. The error is of the saving, and means that the
// next start takes longer.
func (l *Ledger) Close() error {
	l.stop()
	l.workers.Wait()
	if !l.worthSaving() {
		return nil
	}
	return l.store(l.state)
}

// Origin returns the ledger's origin, or "" when it was not founded yet.
func (l *Ledger) Origin() events.Origin {
	if o := l.origin.Load(); o != nil {
		return *o
	}
	return ""
}

// Prove returns a record as it is stored, and the proof that it is in the tree of this server's
// last checkpoint, with that checkpoint in it (C2SP tlog-proof). Its errors are those of
// [journal.Journal.Prove].
func (l *Ledger) Prove(sequence uint64) (stored, proof []byte, err error) {
	return l.cfg.Journal.Prove(sequence)
}

// Reach returns the last sequence that the journal has or may come to have, when all that is on its
// way is committed.
func (l *Ledger) Reach() uint64 { return max(l.underWay.Load(), l.cfg.Journal.Last()) }

// Healthy returns nil, or the problem because of which no statement can be taken now.
func (l *Ledger) Healthy() error { return l.health.err() }

// Hold has the ledger take no statements, for a reason that Healthy and whoever submits are told,
// until Release. What has its place in the log already is recorded still, and what was recorded
// before is answered with its receipt.
func (l *Ledger) Hold(why *problem.Problem) { l.health.set(held, why) }

// Release ends what Hold has begun, if it has.
func (l *Ledger) Release() { l.health.clear(held) }

// Submit gives a signed statement its place in the ledger. It returns when the record is safe, or
// with a refusal or failure, always a [problem.Problem]. After a problem of kind Unavailable, and
// after ctx's end, the statement may or may not be recorded: to submit the same statement again,
// signed with the same key, is safe, and tells.
//
// An acceptance is safe against what other servers append, since the log takes it only in its
// place. A refusal is not: so before it is told, this server makes sure that it has seen all that
// the log held when the statement was refused.
func (l *Ledger) Submit(ctx context.Context, s events.Signed) (Receipt, error) {
	if s.IsDraft() {
		return Receipt{}, problem.New(problem.Syntax, "a draft is checked, and never recorded").
			WithHint("sign the statement itself to have it recorded")
	}
	return l.sure(ctx, func() (Receipt, error) { return l.submit(ctx, s, false) })
}

// sure asks again after a refusal, when this server has seen all that the log held when it was
// asked first.
func (l *Ledger) sure(ctx context.Context, submit func() (Receipt, error)) (Receipt, error) {
	if err := l.health.of(damaged); err != nil {
		return Receipt{}, err
	}
	receipt, err := submit()
	if err == nil || problem.Is(err, problem.Unavailable) || problem.Is(err, problem.Internal) {
		return receipt, err
	}
	if seen := l.refresh(ctx); seen != nil {
		return Receipt{}, seen
	}
	return submit()
}

// Check says what Submit would say of a statement now, or of that of a draft, nil for a record, and
// records nothing. Only that its id is taken by what the signer may not read, it does not say.
func (l *Ledger) Check(ctx context.Context, s events.Signed) error {
	_, err := l.sure(ctx, func() (Receipt, error) { return l.submit(ctx, s, true) })
	return err
}

// CheckUnsigned says what Submit would say of a statement if somebody signed it now who may make
// it, nil for a record: see [rules.DecideUnsigned]. It is for those who look at what they are about
// to sign, and who read the ledger in a view.
func (l *Ledger) CheckUnsigned(ctx context.Context, view events.View, st events.Statement) error {
	_, err := l.sure(ctx, func() (Receipt, error) {
		return l.ask(ctx, &command{signed: events.Signed{Statement: st}, unsigned: true,
			view: view, check: true, refused: l.checkSeen(st)})
	})
	return err
}

// refresh returns when this server has all that the log holds now.
func (l *Ledger) refresh(ctx context.Context) error {
	last, err := l.cfg.Log.Last(ctx)
	if err != nil {
		return l.failure(err)
	}
	if last <= l.cfg.Journal.Last() {
		return nil
	}
	if err := l.Healthy(); err != nil { // what is missing cannot come
		return err
	}
	l.nudge()
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	if err := l.cfg.Journal.Wait(ctx, last-1); err != nil {
		return l.failure(fmt.Errorf("catching up with record %d: %w", last, err))
	}
	return nil
}

const refreshTimeout = 10 * time.Second

func (l *Ledger) submit(ctx context.Context, s events.Signed, check bool) (Receipt, error) {
	begun := time.Now()
	key, err := l.verify(s)
	l.took(StepVerify, begun)
	if err == nil {
		err = l.checkSeen(s.Statement)
	}
	return l.ask(ctx, &command{signed: s, key: key, check: check, refused: err})
}

// Turn returns nil when a statement that was given in at the same time would have had its turn,
// also where none can be taken now: who waits for longer than the log may be silent has found that
// this program hangs. Nothing is recorded.
func (l *Ledger) Turn(ctx context.Context) error {
	_, err := l.ask(ctx, &command{turn: true})
	return err
}

// ask gives a command to the appender, and returns with its answer.
func (l *Ledger) ask(ctx context.Context, c *command) (Receipt, error) {
	c.done, c.begun = make(chan result, 1), time.Now()
	select {
	case l.commands <- c:
	case <-l.stopped:
		return Receipt{}, errStopping
	case <-ctx.Done():
		return Receipt{}, unknownOutcome(ctx.Err())
	}
	select {
	case r := <-c.done:
		return r.receipt, r.err
	case <-ctx.Done():
		return Receipt{}, unknownOutcome(ctx.Err())
	case <-l.stopped:
		select { // the answer may have come with the end
		case r := <-c.done:
			return r.receipt, r.err
		default:
			return Receipt{}, errStopping
		}
	}
}

var errStopping = problem.New(problem.Unavailable, "the server is stopping").
	WithHint("send the same statement again in a moment: it counts once, however often it is sent")

func unknownOutcome(cause error) error {
	return problem.New(problem.Unavailable,
		"it is not known yet whether the statement was recorded: %w", cause).
		WithHint("send the same statement again: it counts once, however often it is sent")
}

// verify checks the signature with the key that it claims. It runs in the caller's goroutine,
// beside the appender, which decides later whether the key may sign at that moment.
func (l *Ledger) verify(s events.Signed) (events.Key, error) {
	key, err := l.keyFor(s)
	if err != nil {
		return "", err
	}
	if err := s.VerifiedWith(key); err != nil {
		return "", rules.BadSignature(s.SignedBy())
	}
	return key.Key(), nil
}

// keyFor returns the key that a statement claims: the founder's, which is in the statement, or one
// that was admitted.
func (l *Ledger) keyFor(s events.Signed) (*events.ReadyKey, error) {
	if founded, ok := s.Statement.(*events.LedgerFounded); ok {
		key, err := founded.Founder.Ready()
		if err != nil {
			return nil, problem.From(err)
		}
		return key, nil
	}
	if known, ok := l.keys.Load(s.SignedBy()); ok {
		return known.(*events.ReadyKey), nil
	}
	if l.Origin() == "" {
		return nil, rules.NotFounded()
	}
	return nil, rules.NotAdmitted(s.SignedBy())
}

// learn keeps what other goroutines need of a record: the keys that may have signed, and the
// origin.
func (l *Ledger) learn(st events.Statement) {
	var key events.Key
	switch st := st.(type) {
	case *events.LedgerFounded:
		key = st.Founder
		l.origin.Store(&st.Ledger)
	case *events.MemberAdmitted:
		key = st.Key
	case *events.MemberSeconded:
		key = st.Key
	default:
		return
	}
	l.learnKey(key)
}

func (l *Ledger) learnKey(key events.Key) {
	if ready, err := key.Ready(); err == nil {
		l.keys.Store(events.KeyID{Name: ready.Name(), Hash: ready.KeyHash()}, ready)
	}
}
