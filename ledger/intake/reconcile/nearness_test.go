package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// Of several rows and pledges that are alike, each row is the pledge from which it differs least,
// where that is one alone; else nobody can tell which is which.
func TestRowsNearestToOnePledge(t *testing.T) {
	noted := func(note string, cents int64) *events.PledgeOffered {
		return offer("DNK", 2025_05_01, cents, func(o *events.PledgeOffered) { o.Note = note })
	}
	w := newWorld(t)
	first := []*events.PledgeOffered{noted("armour", 100), noted("air", 200), noted("sea", 300)}
	if got := w.run(keyless(first), reconcile.Options{}); got != "3 new, 0 changed, 0 unchanged, "+
		"0 gone, 0 refused, 0 alike, 0 asked" {
		t.Fatal(got)
	}
	then := []*events.PledgeOffered{noted("sea", 310), noted("air", 200), noted("armour", 120)}
	r := w.Reconcile(keyless(then), reconcile.Options{Ledger: origin, Today: today})
	w.equal("is asked about", r.Outcomes[0].Pledge.String(), first[2].ID.String())
	opt := reconcile.Options{Changed: reconcile.Corrected}
	w.equal("each is one", w.run(keyless(then), opt),
		"0 new, 2 changed, 1 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	w.equal("again", w.run(keyless(then), opt),
		"0 new, 0 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
	both := []*events.PledgeOffered{noted("air", 210), noted("air", 220)}
	w.equal("which of both", w.run(keyless(both), opt),
		"0 new, 0 changed, 0 unchanged, 0 gone, 2 refused, 0 alike, 0 asked")
}
