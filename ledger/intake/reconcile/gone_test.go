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

// What the import has withdrawn and comes back was offered again: it is another pledge.
func TestWhatWasWithdrawnComesBack(t *testing.T) {
	for name, rows := range map[string]func([]*events.PledgeOffered) []reconcile.Row{
		"with a key": keyed, "without": keyless} {
		t.Run(name, func(t *testing.T) {
			w, opt := newWorld(t), reconcile.Options{Name: tracker, Gone: reconcile.Withdraw}
			w.run(rows(v1()), opt)
			for range 2 {
				w.equal("withdrawn", w.run(rows(v1()[:3]), opt),
					"0 new, 0 changed, 3 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
				w.equal("it comes back", w.run(rows(v1()), opt),
					"1 new, 0 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
				w.equal("and once", w.run(rows(v1()), opt), fourAsBefore)
			}
			live := 0
			for _, p := range w.All() {
				if p.IsLive() {
					live++
				}
			}
			if live != 4 {
				t.Errorf("%d pledges are live", live)
			}
		})
	}
}

// What somebody has struck by hand stays struck as long as the file says the same; what it says
// otherwise is another pledge.
func TestStruckByHand(t *testing.T) {
	for name, rows := range map[string]func([]*events.PledgeOffered) []reconcile.Row{
		"with a key": keyed, "without": keyless} {
		t.Run(name, func(t *testing.T) {
			w, opt := newWorld(t), reconcile.Options{Name: tracker, Ledger: origin}
			w.run(rows(v1()), opt)
			w.say(reconcile.Struck(w.All()[3], reconcile.Options{Ledger: origin, Reason: "twice"}))
			w.equal("again", w.run(rows(v1()), opt), fourAsBefore)
			if o := w.Reconcile(rows(v1()), opt).Outcomes[3]; !o.Ended {
				t.Error("it is not told to be struck")
			}
			restated := append(v1()[:3:3], offer("ITA", 2025_05_01, 7))
			w.equal("otherwise", w.run(rows(restated), opt),
				"1 new, 0 changed, 3 unchanged, 0 gone, 0 refused, 0 alike, 0 asked")
			w.equal("and again", w.run(rows(restated), opt), fourAsBefore)
			opt.Gone = reconcile.Strike
			w.equal("gone", w.run(rows(v1()[:3]), opt),
				"0 new, 0 changed, 3 unchanged, 1 gone, 0 refused, 0 alike, 0 asked")
		})
	}
}

// What others have ended is not offered anew by a file that still has it, and is said to have
// ended; what has gone home is as the file has it.
func TestRowsOfPledgesThatHaveEnded(t *testing.T) {
	step := func(p *reconcile.Pledge, typ events.Type, source string,
		after int64) events.PledgeStep {
		return events.PledgeStep{Header: events.Header{Type: typ, ID: events.NewID(),
			Ledger: origin}, Dated: events.Dated{Effective: today}, Place: p.Place,
			Step: events.Step{Pledge: p.ID, Source: source, Upon: events.Upon{After: after}}}
	}
	for name, one := range map[string]struct {
		end  func(p *reconcile.Pledge) events.Statement
		told bool
	}{
		"withdrawn by its nation": {func(p *reconcile.Pledge) events.Statement {
			return &events.PledgeWithdrawn{PledgeStep: step(p, "pledge.withdrawn", "", 1)}
		}, true},
		"declined": {func(p *reconcile.Pledge) events.Statement {
			return &events.PledgeDeclined{PledgeStep: step(p, "pledge.declined", "", 0)}
		}, true},
		"returned": {func(p *reconcile.Pledge) events.Statement {
			return &events.PledgeReturned{PledgeStep: step(p, "pledge.returned", "", 1)}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, opt := newWorld(t), reconcile.Options{Name: tracker}
			w.run(keyed(v1()), opt)
			w.say(one.end(w.All()[0]))
			w.equal("again", w.run(keyed(v1()), opt), fourAsBefore)
			opt.Ledger = origin
			if got := w.Reconcile(keyed(v1()), opt).Outcomes[0].Ended; got != one.told {
				t.Errorf("told to have ended: %v", got)
			}
			rows := keyless(v1())
			for i := range rows {
				rows[i].ID = w.All()[i].ID
			}
			w.equal("in a list that Muster wrote", w.run(rows, reconcile.Options{}), fourAsBefore)
		})
	}
}
