package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
)

// ledger opens a ledger with a journal of its own on the cluster's stream, and closes it with the
// test.
func (c *cluster) ledger(t *testing.T, name string) (*ledger.Ledger, *journal.Journal) {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: c.open(t), Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, j
}

// A founder signs a ledger's founding, and then opens operations.
type founder struct{ *events.Signer }

func newFounder(t *testing.T) founder {
	t.Helper()
	secret, _, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	s, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return founder{s}
}

func (f founder) header(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: "muster.example/test"}
}

func (f founder) founding() events.Statement {
	return &events.LedgerFounded{Header: f.header("ledger.founded"), Title: "test",
		Founder: f.Key()}
}

func (f founder) opening(operation string) events.Statement {
	return &events.OperationOpened{Header: f.header("operation.opened"),
		Dated: events.Dated{Effective: 2026_11_23}, OperationTerms: events.OperationTerms{
			Operation: events.Operation(operation), Title: "test",
			Roles: []events.RoleDefinition{{Role: "ground", Title: "ground",
				Units: []events.Unit{"personnel"}}}}}
}

// submit returns where the ledger has put a statement; 0 when it has not taken it, or had it
// already. Told that nothing can be recorded now, it sends the same again for so long.
func (f founder) submit(t *testing.T, l *ledger.Ledger, st events.Statement,
	patience time.Duration) (signed events.Signed, sequence uint64) {
	t.Helper()
	signed, err := events.Sign(st, f.Signer)
	if err != nil {
		t.Error(err)
		return signed, 0
	}
	again := false
	for end := time.Now().Add(patience); ; again = true {
		r, err := l.Submit(t.Context(), signed)
		switch {
		case problem.Is(err, problem.Unavailable) && time.Now().Before(end):
			<-time.After(50 * time.Millisecond)
		case err != nil || r.Again && !again:
			t.Errorf("%+v, %v", r, err)
			return signed, 0
		default:
			return signed, r.Sequence
		}
	}
}

// Two ledgers with many submitters each share a stream of three replicas. Nobody is told to come
// again; all that was acknowledged is recorded once, where it was said to be, in the same order in
// both journals, and all replicas have all of it.
func TestTwoLedgersOnACluster(t *testing.T) {
	const each = 40
	d := newDuo(t, newCluster(t))
	d.submit(t, 0, func(done int) bool { return done < each })
	d.check(t)
}

// An administrator takes two replicas away and gives them back meanwhile. Who is told to come again
// then comes again, and all else is the same: a stream of one replica on a cluster can have three
// before anybody notices.
func TestReplicasComeAndGo(t *testing.T) {
	c := newCluster(t)
	d := newDuo(t, c)
	nc := c.connect()
	var over atomic.Bool
	var load sync.WaitGroup
	load.Go(func() { d.submit(t, clusterPatience, func(int) bool { return !over.Load() }) })
	end := func() { over.Store(true); load.Wait() }
	defer end() // also where the test ends before its time
	for _, replicas := range []int{1, 3} {
		d.waitForMore(t)
		js, s := found(t, nc)
		config := s.CachedInfo().Config
		config.Replicas = replicas
		if _, err := js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	d.waitForMore(t)
	end()
	d.check(t)
}

// A duo is two ledgers on one stream.
type duo struct {
	*cluster
	founder
	ledgers  [2]*ledger.Ledger
	journals [2]*journal.Journal

	mu           sync.Mutex
	acknowledged map[uint64]events.Signed
}

func newDuo(t *testing.T, c *cluster) *duo {
	t.Helper()
	d := &duo{cluster: c, founder: newFounder(t), acknowledged: map[uint64]events.Signed{}}
	d.ledgers[0], d.journals[0] = c.ledger(t, "a")
	d.founder.submit(t, d.ledgers[0], d.founding(), 0)
	d.ledgers[1], d.journals[1] = c.ledger(t, "b")
	return d
}

// submit has many submit to each ledger, each for as long as more says so of how many of its
// statements are recorded.
func (d *duo) submit(t *testing.T, patience time.Duration, more func(done int) bool) {
	const submitters = 24
	var all sync.WaitGroup
	for at, l := range d.ledgers {
		for i := range submitters {
			all.Go(func() {
				for n := 0; more(n); n++ {
					signed, sequence := d.founder.submit(t, l,
						d.opening(fmt.Sprintf("%c-%d-%d", 'a'+at, i, n)), patience)
					if sequence == 0 {
						return
					}
					d.mu.Lock()
					if _, ok := d.acknowledged[sequence]; ok {
						t.Errorf("two statements were given the sequence %d", sequence)
					}
					d.acknowledged[sequence] = signed
					d.mu.Unlock()
				}
			})
		}
	}
	all.Wait()
}

// waitForMore returns when some hundred records more are in both journals.
func (d *duo) waitForMore(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clusterPatience)
	defer cancel()
	for _, j := range d.journals {
		if err := j.Wait(ctx, j.Last()+500); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *duo) check(t *testing.T) {
	t.Helper()
	if t.Failed() {
		return
	}
	last := uint64(len(d.acknowledged)) + 1
	d.have(last)
	for _, j := range d.journals {
		ctx, cancel := context.WithTimeout(t.Context(), clusterPatience)
		defer cancel()
		if err := j.Wait(ctx, last-1); err != nil || j.Last() != last {
			t.Fatalf("a journal has %d records, and not %d: %v", j.Last(), last, err)
		}
	}
	for n := uint64(1); n <= last; n++ {
		ra, errA := d.journals[0].Record(n)
		rb, errB := d.journals[1].Record(n)
		if errA != nil || errB != nil || !bytes.Equal(ra.Stored, rb.Stored) {
			t.Fatalf("the journals differ at %d: %v, %v", n, errA, errB)
		}
		if n > 1 && !bytes.Equal(d.acknowledged[n].Note, ra.Note) {
			t.Fatalf("record %d is not what was acknowledged", n)
		}
	}
}
