package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
)

// A world is a log, servers on it and people who write, all in one bubble of simulated time. Its
// faults and what its people do follow from its seed.
type world struct {
	t    testing.TB
	seed uint64
	kind worldKind
	dir  string // in memory, where the machine has such a disk
	keys *simKeys
	log  *simLog

	servers []*simServer
	began   time.Time
	calm    atomic.Bool // no more faults
	over    atomic.Bool // nobody waits any more for what should have come
	people  sync.WaitGroup

	mu       sync.Mutex // for what follows
	trace    []string
	receipts map[events.ID]*acknowledged
	at       map[uint64]events.ID // whose statement has a sequence
	pledges  []events.ID
	parted   bool   // a server has found two histories
	known    uint64 // the highest sequence that anybody was told
	history  []*deed
	recorded map[events.ID]uint64 // in the end
}

// A worldKind says which faults a world has.
type worldKind struct {
	servers  int
	logFails bool // the log's power is cut
}

// acknowledged is a statement that somebody has a receipt for.
type acknowledged struct {
	statement events.Signed
	sequence  uint64
	by        map[string]bool // the servers that have given a receipt
}

// now is the simulated time since the world began.
func (w *world) now() time.Duration { return time.Since(w.began) }

// note writes a line into the trace, which a failing test tells and a replay must have again.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%14s  %s", w.now(), fmt.Sprintf(format, args...)))
}

// told returns the trace, in an order that does not depend on which goroutine ran first.
func (w *world) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.trace)
	slices.SortStableFunc(all, func(a, b string) int {
		at := func(s string) time.Duration {
			d, _ := time.ParseDuration(strings.Fields(s)[0])
			return d
		}
		if d := at(a) - at(b); d != 0 {
			return int(d)
		}
		return strings.Compare(a, b)
	})
	return strings.Join(all, "\n")
}

// random returns random numbers of their own for somebody in the world.
func (w *world) random(who int) *rand.Rand { return rand.New(rand.NewPCG(w.seed, uint64(who))) }

const (
	simPeople  = 6
	simDeeds   = 14               // of each of them
	simTrouble = 60 * time.Second // for which there are faults
	simMending = 3 * time.Minute  // within which all is well again
)

// simulate lets a world run, and checks it in the end. It returns the trace.
func simulate(t *testing.T, seed uint64, kind worldKind) (trace string) {
	t.Helper()
	var w *world
	dir := t.TempDir()
	if fast, err := os.MkdirTemp("/dev/shm", "muster-faults-"); err == nil {
		dir = fast
		defer os.RemoveAll(fast)
	}
	defer func() { // also when the test ends there
		if t.Failed() && w != nil {
			t.Logf("seed %d:\n%s", seed, w.told())
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		w = &world{t: t, seed: seed, kind: kind, dir: dir, keys: newSimKeys(t),
			began: time.Now(), receipts: map[events.ID]*acknowledged{}, at: map[uint64]events.ID{}}
		w.log = &simLog{w: w}
		w.run()
		trace = w.told()
	})
	isLinear(t, w.history, w.recorded)
	return trace
}

func (w *world) run() {
	w.calm.Store(true)
	for n := range w.kind.servers {
		w.servers = append(w.servers, newSimServer(w, n))
	}
	for _, s := range w.servers {
		s.start()
	}
	w.begin()
	for n := range simPeople {
		w.people.Go(func() { w.person(n) })
	}
	w.trouble()
	w.calm.Store(true)
	w.note("calm")
	for _, s := range w.servers {
		s.start()
	}
	done := make(chan struct{})
	go func() { w.people.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(simMending):
		w.t.Errorf("people still wait %s after the last fault", simMending)
		w.over.Store(true)
		<-done
	}
	w.settle()
	w.check()
	for _, s := range w.servers {
		s.end()
	}
	w.checkFolders()
}

// begin founds the ledger, before anything goes wrong.
func (w *world) begin() {
	defer w.calm.Store(false)
	for _, s := range w.keys.beginning(w.t) {
		if _, err := w.insist(s, w.random(1000)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// trouble lets faults happen, one after the other.
func (w *world) trouble() {
	r := w.random(0)
	for w.now() < simTrouble {
		time.Sleep(time.Duration(r.Int64N(int64(4 * time.Second))))
		w.fault(r)
	}
}

// fault lets one thing go wrong.
func (w *world) fault(r *rand.Rand) {
	s := w.servers[r.IntN(len(w.servers))]
	long := time.Duration(1 + r.Int64N(int64(2*time.Second)))
	if r.IntN(6) == 0 { // longer than anybody waits for an answer
		long *= 8
	}
	switch r.IntN(9) {
	case 0, 1:
		w.note("server %d is cut off for %s", s.number, long)
		s.cut(long, true, true)
	case 2:
		w.note("what server %d sends is lost for %s", s.number, long)
		s.cut(long, true, false)
	case 3:
		w.note("what is sent to server %d is lost for %s", s.number, long)
		s.cut(long, false, true)
	case 4:
		w.note("the log is silent for %s", long)
		w.log.stopTaking(long, false)
	case 5:
		w.note("the log is full for %s", long)
		w.log.stopTaking(long, true)
	case 6, 7:
		s.kill(r)
		time.Sleep(long / 2)
		s.start()
	case 8:
		if w.kind.logFails {
			w.siteLosesPower(r, long)
		} else {
			w.log.sync()
		}
	}
	if r.IntN(3) == 0 {
		w.log.sync()
	}
}

// siteLosesPower cuts the power of the log, and of all servers, which come back one after the
// other. A server that is the only one may keep its power, and has its line broken. See
// deploy/RELIABILITY.md for what cannot be had where it is one of several.
func (w *world) siteLosesPower(r *rand.Rand, long time.Duration) {
	alone := len(w.servers) == 1 && r.IntN(2) == 0
	w.log.powerCut(r, long/4)
	if alone {
		w.servers[0].broke()
		return
	}
	for _, s := range w.servers {
		s.kill(r)
	}
	for _, n := range r.Perm(len(w.servers)) {
		time.Sleep(time.Duration(r.Int64N(int64(3 * time.Second))))
		w.servers[n].start()
	}
}

// settle waits until every server is well and has all that the log has.
func (w *world) settle() {
	late := time.Now().Add(simMending)
	for {
		var why error
		w.log.mu.Lock()
		last := uint64(len(w.log.messages))
		w.log.mu.Unlock()
		for _, s := range w.servers {
			why = errors.Join(why, s.isAt(last))
		}
		if why == nil {
			return
		}
		if time.Now().After(late) {
			w.t.Errorf("%s after the last fault: %v", simMending, why)
			return
		}
		time.Sleep(time.Second)
	}
}

// acknowledge writes down a receipt, and holds it against all others.
func (w *world) acknowledge(by string, s events.Signed, r ledger.Receipt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := s.Statement.Head().ID
	if r.ID != id {
		w.t.Errorf("the receipt for %s is for %s", id, r.ID)
	}
	if other, ok := w.at[r.Sequence]; ok && other != id {
		w.t.Errorf("the sequence %d was given to %s and to %s", r.Sequence, other, id)
	}
	a := w.receipts[id]
	if a == nil {
		a = &acknowledged{s, r.Sequence, map[string]bool{}}
		w.receipts[id] = a
	}
	if a.sequence != r.Sequence {
		w.t.Errorf("%s was told to be record %d, and then %d", id, a.sequence, r.Sequence)
	}
	w.at[r.Sequence], a.by[by] = id, true
	w.known = max(w.known, r.Sequence)
}

// receiptsBy returns what a server has acknowledged.
func (w *world) receiptsBy(server string) (all []*acknowledged) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.receipts {
		if server == "" || a.by[server] {
			all = append(all, a)
		}
	}
	return all
}

// insist submits a statement until it is known what became of it: it is recorded, or refused.
func (w *world) insist(s events.Signed, r *rand.Rand) (ledger.Receipt, error) {
	for {
		receipt, err := w.submit(w.servers[r.IntN(len(w.servers))], s, r)
		if err == nil || !problem.Is(err, problem.Unavailable) || w.over.Load() {
			return receipt, err
		}
		time.Sleep(time.Duration(1 + r.Int64N(int64(time.Second))))
	}
}

// submit submits a statement once, with the patience of a person.
func (w *world) submit(to *simServer, s events.Signed, r *rand.Rand) (ledger.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.Background(),
		5*time.Second+time.Duration(r.Int64N(int64(20*time.Second))))
	defer cancel()
	// Nobody is as fast as another.
	receipt, err := to.submit(ctx, s, time.Duration(1+r.Int64N(int64(time.Millisecond))))
	if err == nil {
		w.acknowledge(to.name(), s, receipt)
	}
	return receipt, err
}

func (s *simServer) name() string { return fmt.Sprintf("server-%d", s.number) }

// checkFolders looks at what is left when all has ended.
func (w *world) checkFolders() {
	for _, s := range w.servers {
		s.checkFolder()
	}
}
