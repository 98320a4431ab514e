package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/ledger/stream"
)

// The log loses its end, or all of it, while the server runs: the next statement puts it back, byte
// for byte.
func TestLogLosesItsEndMeanwhile(t *testing.T) {
	for _, left := range []int{9, 4, 0} {
		path, mem, k := someLedger(t, 10)
		l, j := newLedger(t, path, mem.View())
		mem.Truncate(left)
		if r, err := l.Submit(t.Context(), k.offer(t, 1)); err != nil || r.Sequence != 11 {
			t.Fatalf("the log had %d records left: %+v, %v", left, r, err)
		}
		sameAsLog(t, j, mem.View())
	}
}

// The log loses its end while the server runs, and another server that had not seen it writes
// another end, which is longer. The first server has acknowledged what is gone, so it stops and
// says where the histories part.
func TestHistoriesPartMeanwhile(t *testing.T) {
	// shorter than, as long as, and longer than what was lost
	for _, others := range []int{1, 3, 5} {
		path, mem, k := someLedger(t, 10)
		l, j := newLedger(t, path, mem.View())
		mem.Truncate(7)
		other, _ := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
		for range others {
			submitAll(t, other, []events.Signed{k.offer(t, 2)})
		}
		_, err := l.Submit(t.Context(), k.offer(t, 1))
		if !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(),
				"at sequence 8 the journal and the stream hold different records") {
			t.Fatalf("%d records of another history: %v", others, err)
		}
		if l.Healthy() == nil || j.Last() != 10 {
			t.Errorf("the ledger says that it is well, or has taken something: %v, %d records",
				l.Healthy(), j.Last())
		}
	}
}

// sameAsLog compares a journal with the log beside it.
func sameAsLog(t *testing.T, j *journal.Journal, log ledger.Log) {
	t.Helper()
	n := uint64(0)
	err := log.Read(t.Context(), 1, func(m ledger.Message) error {
		n++
		rec, err := j.Record(m.Sequence)
		if err != nil || string(rec.Stored) != string(m.Data) ||
			m.Subject != events.Subject(rec.Statement) {
			t.Errorf("message %d is not the journal's record: %v", m.Sequence, err)
		}
		return nil
	})
	if err != nil || n != j.Last() {
		t.Errorf("the log has %d messages, and the journal %d records: %v", n, j.Last(), err)
	}
}

// A slowLog carries out appends at once, and answers none of them before the gate is open.
type slowLog struct {
	ledger.Log
	gate     chan struct{}
	appended atomic.Int64 // groups
	asked    atomic.Int64 // messages
}

func (s *slowLog) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	defer s.appended.Add(1)
	defer s.asked.Add(int64(len(group)))
	if a, ok := after.(slowAck); ok {
		after = a.Ack
	}
	return slowAck{s.Log.Append(group, after), s.gate}
}

type slowAck struct {
	ledger.Ack
	gate <-chan struct{}
}

func (a slowAck) Wait() error { <-a.gate; return a.Ack.Wait() }

// A forgetfulLog carries out appends, and loses the answers to those that it gives while it
// forgets: until the gate is open.
type forgetfulLog struct {
	*slowLog
	forgets atomic.Bool
}

func (f *forgetfulLog) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	if a, ok := after.(lostAck); ok {
		after = a.slowAck
	}
	ack := f.slowLog.Append(group, after).(slowAck)
	if f.forgets.Load() {
		return lostAck{ack}
	}
	return ack
}

type lostAck struct{ slowAck }

func (a lostAck) Wait() error { <-a.gate; return errors.New("no answer in time") }

// The answer to a statement is lost while others wait who submit the same: one of all is told to be
// the first.
func TestSameStatementAndNoAnswer(t *testing.T) {
	path, mem, k := someLedger(t, 4)
	log := &forgetfulLog{slowLog: &slowLog{Log: mem.View(), gate: make(chan struct{})}}
	log.forgets.Store(true)
	l, _ := newLedger(t, path, log)
	offer := k.offer(t, 1)
	const many = 16
	receipts, errs := make([]ledger.Receipt, many), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { receipts[i], errs[i] = l.Submit(t.Context(), offer) })
	}
	for l.Waiting() == 0 { // then the committer has the record, and another waits behind it
		runtime.Gosched()
	}
	log.forgets.Store(false)
	close(log.gate)
	all.Wait()
	first := 0
	for i, r := range receipts {
		if errs[i] != nil || r.Sequence != 5 {
			t.Errorf("%+v, %v", r, errs[i])
		}
		if !r.Again {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d were told that they were first", first)
	}
}

// A plannedLog does with the next groups what is planned, and carries out those after them.
type plannedLog struct {
	*logtest.View
	plan []planned
	gate chan struct{} // before it is open, there is no answer to what is lost
}

type planned struct {
	meanwhile func() // what happens while the appender asks
	lost      bool   // the group is neither carried out nor answered
}

func (p *plannedLog) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	if len(p.plan) == 0 {
		return p.View.Append(group, after)
	}
	next := p.plan[0]
	p.plan = p.plan[1:]
	if next.meanwhile != nil {
		next.meanwhile()
	}
	if next.lost {
		return lostAck{slowAck{gate: p.gate}}
	}
	return p.View.Append(group, after)
}

// A refusal or a check is in a group that the log does not answer, and then in another one, with
// another record. The log was not asked about it, so that nothing is counted for it, and everybody
// is told in the end what a log that answers would have led to.
func TestSilenceIsCountedForRecordsOnly(t *testing.T) {
	for name, other := range map[string]func(*ledger.Ledger, ledgerTestKeys) error{
		"a refusal": func(l *ledger.Ledger, k ledgerTestKeys) error {
			elsewhere := *k.offer(t, 1).Statement.(*events.PledgeOffered)
			elsewhere.Operation = "elsewhere"
			if _, err := l.Submit(t.Context(), sign(t, &elsewhere, k.paris)); err == nil ||
				problem.From(err).Code != "operation-unknown" {
				return fmt.Errorf("an operation that is not there: %w", err)
			}
			return nil
		},
		"a check": func(l *ledger.Ledger, k ledgerTestKeys) error {
			return l.Check(t.Context(), k.offer(t, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, mem, k := someLedger(t, 4)
			log := &plannedLog{View: mem.View(), gate: make(chan struct{})}
			l, j := newLedger(t, path, log)
			var all sync.WaitGroup
			// And wait until it is the last of those that wait for the appender.
			say := func(what func() error) {
				waiting := l.Queued()
				all.Go(func() {
					if err := what(); err != nil {
						t.Error(err)
					}
				})
				for l.Queued() == waiting {
					runtime.Gosched()
				}
			}
			offer := func() error { _, err := l.Submit(t.Context(), k.offer(t, 1)); return err }
			log.plan = []planned{
				// The first offer. Meanwhile come the second and what is no record, and will be one
				// group.
				{meanwhile: func() { say(offer); say(func() error { return other(l, k) }) }},
				// The second and what is no record. Meanwhile comes the third.
				{meanwhile: func() { say(offer) }, lost: true},
				// The third, too far ahead.
				{meanwhile: func() { close(log.gate) }},
				// The second again, alone.
				{},
				// What is no record, and the third.
				{lost: true},
			}
			all.Go(func() {
				if err := offer(); err != nil {
					t.Error(err)
				}
			})
			all.Wait()
			if len(log.plan) > 0 || j.Last() != 7 {
				t.Errorf("there are %d records, and of the plan are left %d", j.Last(),
					len(log.plan))
			}
		})
	}
}

// JetStream has no room for what many submit at once. What there was room for is recorded, and all
// others are told why theirs is not: the first record that is tried again goes alone, or nobody
// would learn it, since JetStream answers a group with what becomes of its last message, which lost
// a race.
func TestFullLog(t *testing.T) {
	for _, room := range []int{0, 5} {
		t.Run(fmt.Sprint(room), func(t *testing.T) { fullLog(t, room) })
	}
}

func fullLog(t *testing.T, room int) {
	const many, full = 16, "resource limits exceeded for account"
	account, nc := limitedJetStream(t)
	k, log := newLedgerKeys(t), &slowLog{Log: openStream(t, nc), gate: make(chan struct{})}
	l, j := newLedger(t, filepath.Join(t.TempDir(), "journal.db"), log)
	close(log.gate)
	submitAll(t, l, k.beginning(t))
	before := stored(t, nc)
	submitAll(t, l, []events.Signed{k.offer(t, 1)})
	one := stored(t, nc) - before
	limit(t, account, before+one+one*int64(room)+one/2)
	log.gate = make(chan struct{})
	var mu sync.Mutex
	var refused []events.Signed
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			offer := k.offer(t, 1)
			_, err := l.Submit(t.Context(), offer)
			if err == nil {
				return
			}
			if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), full) {
				t.Errorf("a full log is told as %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			refused = append(refused, offer)
		})
	}
	for log.asked.Load() < 4+many { // then all are in flight
		runtime.Gosched()
	}
	close(log.gate)
	all.Wait()
	if len(refused) != many-room || int(j.Last()) != 4+room {
		t.Errorf("there was room for %d of %d, %d were refused, and there are %d records", room,
			many, len(refused), j.Last())
	}
	if err := l.Healthy(); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("the ledger says of itself: %v", err)
	}
	limit(t, account, -1)
	submitAll(t, l, refused)
	if err := l.Healthy(); err != nil || j.Last() != 4+many {
		t.Errorf("there is room again, and %d records: %v", j.Last(), err)
	}
}

// limitedJetStream is a NATS server with an account that can be given less room.
func limitedJetStream(t *testing.T) (*server.Account, *nats.Conn) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true,
		StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	nc, err := nats.Connect(srv.ClientURL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return srv.GlobalAccount(), nc
}

// limit says how many bytes the account's streams may have; -1 for any number.
func limit(t *testing.T, account *server.Account, most int64) {
	t.Helper()
	all := server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: most, MaxStreams: -1,
		MaxConsumers: -1, MaxAckPending: -1, MemoryMaxStreamBytes: -1, StoreMaxStreamBytes: -1}
	if err := account.UpdateJetStreamLimits(
		map[string]server.JetStreamAccountLimits{"": all}); err != nil {
		t.Fatal(err)
	}
}

// stored is how many bytes the stream has.
func stored(t *testing.T, nc *nats.Conn) int64 {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), stream.DefaultName)
	if err != nil {
		t.Fatal(err)
	}
	return int64(s.CachedInfo().State.Bytes)
}

// More statements wait for a slow log than there are places in any queue. Whoever has no time left
// is let go, the ledger can be closed, and everybody is told what became of their statement;
// afterwards nothing is taken any more.
func TestMoreThanFitWaitForASlowLog(t *testing.T) {
	// groups: in the committer, in the queue, and in the appender
	const fit, many = 1 + 64 + 1, 5300
	path, mem, k := someLedger(t, 4)
	log := &slowLog{Log: mem.View(), gate: make(chan struct{})}
	l, j := newLedger(t, path, log)
	hurried, hurry := context.WithCancel(t.Context())
	var mu sync.Mutex
	receipts, refused := map[uint64]events.ID{}, 0
	submit := func(ctx context.Context, s events.Signed) {
		r, err := l.Submit(ctx, s)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			receipts[r.Sequence] = s.Statement.Head().ID
		case problem.Is(err, problem.Unavailable):
			refused++
		default:
			t.Error(err)
		}
	}
	var impatient, patient sync.WaitGroup
	for i := range many {
		s := k.offer(t, 1)
		if i%2 == 0 {
			impatient.Go(func() { submit(hurried, s) })
		} else {
			patient.Go(func() { submit(t.Context(), s) })
		}
	}
	for log.appended.Load() < fit { // then the appender can do no more
		runtime.Gosched()
	}
	hurry()
	impatient.Wait()
	closed := make(chan struct{})
	go func() { l.Close(); close(closed) }()
	close(log.gate)
	patient.Wait()
	<-closed
	for sequence, id := range receipts {
		if rec, err := j.Record(sequence); err != nil || rec.Statement.Head().ID != id {
			t.Fatalf("record %d is not what was acknowledged: %v", sequence, err)
		}
	}
	if len(receipts)+refused != many || len(receipts) == 0 || refused < many/2 {
		t.Errorf("of %d, %d were recorded and %d were told that it is not known", many,
			len(receipts), refused)
	}
	if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "stopping") {
		t.Errorf("after the end: %v", err)
	}
}

// A farLog cannot be reached while it is away.
type farLog struct {
	*logtest.View
	away atomic.Bool
}

func (f *farLog) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	if f.away.Load() {
		return farAck{}
	}
	return f.View.Append(group, after)
}

func (f *farLog) Read(ctx context.Context, from uint64, yield func(ledger.Message) error) error {
	if f.away.Load() {
		return errFar
	}
	return f.View.Read(ctx, from, yield)
}

var errFar = errors.New("it cannot be reached")

type farAck struct{}

func (farAck) Wait() error { return errFar }

// A ledger whose log was away is well again soon after the log is, though nobody submits.
func TestHealsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		log := &farLog{View: mem.View()}
		l, _ := newLedger(t, path, log)
		log.away.Store(true)
		if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), errFar.Error()) {
			t.Fatalf("the log is away: %v", err)
		}
		heals := func(want bool) {
			t.Helper()
			time.Sleep(time.Minute)
			if err := l.Healthy(); (err == nil) != want {
				t.Errorf("%v", err)
			}
		}
		heals(false)
		log.away.Store(false)
		heals(true)
	})
}

// A ledger whose log has taken nothing counts as well again after a while: else nobody would find
// out whether it does now.
func TestSilenceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		gate := make(chan struct{})
		close(gate)
		log := &plannedLog{View: mem.View(), plan: []planned{{lost: true}, {lost: true}},
			gate: gate}
		l, _ := newLedger(t, path, log)
		time.Sleep(9 * time.Second) // it looks every ten
		if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err, problem.Unavailable) {
			t.Fatalf("the log does not answer: %v", err)
		}
		time.Sleep(9 * time.Second)
		if err := l.Healthy(); !problem.Is(err, problem.Unavailable) {
			t.Errorf("and a moment later it is %v", err)
		}
		time.Sleep(time.Minute)
		if err := l.Healthy(); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		if _, err := l.Submit(t.Context(), k.offer(t, 1)); err != nil {
			t.Errorf("and when it answers: %v", err)
		}
	})
}
