package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/logtest"
)

// zeroRoot is the root of no tree.
const zeroRoot = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// What a client has seen at one server is true at another that has not come so far yet, also in one
// batch of what this one takes in; what nobody can have seen stops it.
func TestSeenAtAnotherServer(t *testing.T) {
	k, mem := newLedgerKeys(t), logtest.NewMemory(0)
	a, j := newLedger(t, filepath.Join(t.TempDir(), "a.db"), mem.View())
	for _, s := range k.beginning(t) {
		if _, err := a.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	offer := func(tree events.Seen) events.Signed {
		st := k.offer(t, 1).Statement.(*events.PledgeOffered)
		st.ID, st.Seen = events.NewID(), &tree
		return sign(t, st, k.paris)
	}
	now := func() events.Seen {
		tree := j.Tree()
		return events.Seen{Size: tree.N, Root: tree.Hash.String()}
	}
	for range 3 {
		if _, err := a.Submit(t.Context(), offer(now())); err != nil {
			t.Fatal(err)
		}
	}
	v := mem.View()
	b, jb := newLedger(t, filepath.Join(t.TempDir(), "b.db"), v)
	if jb.Tree() != j.Tree() {
		t.Fatalf("b has %d records, and a %d", jb.Last(), j.Last())
	}
	if _, err := a.Submit(t.Context(), offer(now())); err != nil {
		t.Fatal(err)
	}
	r, err := b.Submit(t.Context(), offer(now())) // b has to catch up first
	if err != nil {
		t.Fatal(err)
	}
	forged, err := events.NewRecord(r.Sequence+1, r.Recorded, "x",
		offer(events.Seen{Size: 3, Root: zeroRoot}))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Append([]ledger.Message{{Sequence: forged.Sequence,
		Subject: events.Subject(forged.Statement), Data: forged.Stored}}, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	_, err = b.Submit(t.Context(), offer(now()))
	if !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(),
			"the stream holds what is no record: the signer has seen 3 records with the root "+
				zeroRoot) {
		t.Errorf("a record that says to have seen another history: %v", err)
	}
}
