package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
)

// The log loses its end, or all of it, while the server runs: the next statement puts it back, byte for byte.
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

// The log loses its end while the server runs, and another server that had not seen it writes another end, which is longer.
// The first server has acknowledged what is gone, so it stops and says where the histories part.
func TestHistoriesPartMeanwhile(t *testing.T) {
	for _, others := range []int{1, 3, 5} { // shorter than, as long as, and longer than what was lost
		path, mem, k := someLedger(t, 10)
		l, j := newLedger(t, path, mem.View())
		mem.Truncate(7)
		other, _ := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
		for range others {
			submitAll(t, other, []events.Signed{k.offer(t, 2)})
		}
		_, err := l.Submit(t.Context(), k.offer(t, 1))
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "at sequence 8 the journal and the stream hold different records") {
			t.Fatalf("%d records of another history: %v", others, err)
		}
		if l.Healthy() == nil || j.Last() != 10 {
			t.Errorf("the ledger says that it is well, or has taken something: %v, %d records", l.Healthy(), j.Last())
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
		if err != nil || string(rec.Stored) != string(m.Data) || m.Subject != events.Subject(rec.Statement) {
			t.Errorf("message %d is not the journal's record: %v", m.Sequence, err)
		}
		return nil
	})
	if err != nil || n != j.Last() {
		t.Errorf("the log has %d messages, and the journal %d records: %v", n, j.Last(), err)
	}
}
