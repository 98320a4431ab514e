package ledger_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/rules"
)

// faulty are rules that panic at an offer of thirteen.
func faulty(s *rules.State, key events.Key, st events.Statement) error {
	if offer, ok := st.(*events.PledgeOffered); ok && offer.Quantity == events.Count(13) {
		panic("thirteen")
	}
	return rules.Decide(s, key, st)
}

// A statement at which the program has a fault is refused, and none before, beside or behind it is.
func TestFaultOfOneStatement(t *testing.T) {
	path, mem, k := someLedger(t, 10)
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cfg := ledger.Config{Journal: j, Log: mem.View(), Name: "a",
		Faults: slog.New(slog.NewTextHandler(&said, nil))}
	l, err := ledger.Open(t.Context(), cfg.Deciding(faulty))
	if err != nil {
		t.Fatal(err)
	}
	thirteen := k.offer(t, 13)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := l.Submit(t.Context(), thirteen)
			if p := problem.From(err); err == nil || p.Kind != problem.Internal || p.Hint == "" ||
				strings.Contains(p.Error(), "thirteen") {
				t.Errorf("submitted: %v", err)
			}
			if err := l.Check(t.Context(), thirteen); !problem.Is(err, problem.Internal) {
				t.Errorf("checked: %v", err)
			}
			if _, err := l.Submit(t.Context(), k.offer(t, 1)); err != nil {
				t.Errorf("beside: %v", err)
			}
		})
	}
	all.Wait()
	if err := l.Healthy(); err != nil || j.Last() != 18 {
		t.Errorf("%d records, %v", j.Last(), err)
	}
	log := said.String()
	if strings.Count(log, "fault of this program") != 16 ||
		!strings.Contains(log, "fault_test.go") ||
		!strings.Contains(log, thirteen.Statement.Head().ID.String()) {
		t.Errorf("the log says %s", log)
	}

	// What another server has recorded, this one cannot pass over: it takes nothing more, and says
	// why.
	other, _ := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
	submitAll(t, other, []events.Signed{thirteen})
	_, err = l.Submit(t.Context(), k.offer(t, 2))
	if !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "record 19: the statement has met a fault") {
		t.Errorf("behind it: %v", err)
	}
	if l.Healthy() == nil || j.Last() != 18 {
		t.Errorf("%d records, and the ledger says that it is well", j.Last())
	}
	if err := errors.Join(l.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	mended, j := newLedger(t, path, mem.View())
	submitAll(t, mended, []events.Signed{k.offer(t, 2)})
	if j.Last() != 20 {
		t.Errorf("without the fault, there are %d records", j.Last())
	}
}
