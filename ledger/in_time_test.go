package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/logtest"
)

// What another server has recorded after the moment that its signer had set is no record, and stops
// this one.
func TestLateRecordOfAnotherServer(t *testing.T) {
	k, mem := newLedgerKeys(t), logtest.NewMemory(0)
	a, j := newLedger(t, filepath.Join(t.TempDir(), "a.db"), mem.View())
	for _, s := range k.beginning(t) {
		if _, err := a.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	st := k.offer(t, 1).Statement.(*events.PledgeOffered)
	st.ID, st.NotAfter = events.NewID(), events.InstantOf(time.Now().Add(-time.Second))
	late, err := events.NewRecord(j.Last()+1, time.Now(), "x", sign(t, st, k.paris))
	if err != nil {
		t.Fatal(err)
	}
	if err := mem.View().Append([]ledger.Message{{Sequence: late.Sequence,
		Subject: events.Subject(late.Statement), Data: late.Stored}}, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	_, err = a.Submit(t.Context(), k.offer(t, 2))
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(),
		"the stream holds what is no record: not_after") {
		t.Errorf("a late record: %v", err)
	}
}
