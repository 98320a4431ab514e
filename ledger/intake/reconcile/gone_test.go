package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// Rows of which nobody can tell which pledges they are may be those that seem to be gone.
func TestNothingIsGoneBesideRefusedRows(t *testing.T) {
	w := newWorld(t)
	opt := reconcile.Options{Name: tracker}
	w.run(keyless([]*events.PledgeOffered{offer("FRA", 2025_05_01, 500),
		offer("FRA", 2025_05_01, 600), offer("DEU", 2025_05_01, 300)}), opt)
	before := w.last
	opt.Changed = reconcile.Corrected
	for _, gone := range []reconcile.Choice{reconcile.Strike, reconcile.Withdraw} {
		opt.Gone = gone
		w.equal(string(gone), w.run(keyless([]*events.PledgeOffered{
			offer("FRA", 2025_05_01, 510), offer("FRA", 2025_05_01, 610),
			offer("DEU", 2025_05_01, 300)}), opt),
			"0 new, 0 changed, 1 unchanged, 2 gone, 2 refused, 0 alike, 0 asked")
	}
	if w.last != before {
		t.Errorf("%d statements were made", w.last-before)
	}
}
