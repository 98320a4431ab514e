package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
)

// ledger opens a ledger with a journal of its own on the cluster's stream, and closes it with the test.
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
	return &events.LedgerFounded{Header: f.header("ledger.founded"), Title: "test", Founder: f.Key()}
}

func (f founder) opening(operation string) events.Statement {
	return &events.OperationOpened{Header: f.header("operation.opened"), Dated: events.Dated{Effective: 2026_11_23}, OperationTerms: events.OperationTerms{
		Operation: events.Operation(operation), Title: "test", Roles: []events.RoleDefinition{{Role: "ground", Title: "ground", Units: []events.Unit{"personnel"}}}}}
}

// submit returns where the ledger has put a statement; 0 when it has not taken it, or had it already.
func (f founder) submit(t *testing.T, l *ledger.Ledger, st events.Statement) (signed events.Signed, sequence uint64) {
	t.Helper()
	signed, err := events.Sign(st, f.Signer)
	if err != nil {
		t.Error(err)
		return signed, 0
	}
	r, err := l.Submit(t.Context(), signed)
	if err != nil || r.Again {
		t.Errorf("%+v, %v", r, err)
		return signed, 0
	}
	return signed, r.Sequence
}

// Two ledgers with many submitters each share a stream of three replicas. Nobody is told to come again; all that was acknowledged is recorded once, where
// it was said to be, in the same order in both journals, and all replicas have all of it.
func TestTwoLedgersOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a cluster")
	}
	const submitters, each = 24, 40
	const last = 1 + 2*submitters*each
	c, f := newCluster(t), newFounder(t)
	a, ja := c.ledger(t, "a")
	f.submit(t, a, f.founding())
	b, jb := c.ledger(t, "b")
	var mu sync.Mutex
	acknowledged := map[uint64]events.Signed{}
	var all sync.WaitGroup
	for at, l := range map[string]*ledger.Ledger{"a": a, "b": b} {
		for i := range submitters {
			all.Go(func() {
				for n := range each {
					signed, sequence := f.submit(t, l, f.opening(fmt.Sprintf("%s-%d-%d", at, i, n)))
					if sequence == 0 {
						return
					}
					mu.Lock()
					if _, ok := acknowledged[sequence]; ok {
						t.Errorf("two statements were given the sequence %d", sequence)
					}
					acknowledged[sequence] = signed
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	if t.Failed() {
		return
	}
	c.have(last)
	for _, j := range []*journal.Journal{ja, jb} {
		ctx, cancel := context.WithTimeout(t.Context(), clusterPatience)
		defer cancel()
		if err := j.Wait(ctx, last-1); err != nil || j.Last() != last {
			t.Fatalf("a journal has %d records, and not %d: %v", j.Last(), last, err)
		}
	}
	for n := uint64(1); n <= last; n++ {
		ra, errA := ja.Record(n)
		rb, errB := jb.Record(n)
		if errA != nil || errB != nil || !bytes.Equal(ra.Stored, rb.Stored) {
			t.Fatalf("the journals differ at %d: %v, %v", n, errA, errB)
		}
		if n > 1 && !bytes.Equal(acknowledged[n].Note, ra.Note) {
			t.Fatalf("record %d is not what was acknowledged", n)
		}
	}
}
