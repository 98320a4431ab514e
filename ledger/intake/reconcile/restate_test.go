package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// A row that was added to a form, and whose first day or area was restated since, may be the pledge
// that is gone: it is asked about, and not counted twice.
func TestRestatedRowIsAskedAbout(t *testing.T) {
	for field, restate := range map[string]func(*events.PledgeOffered){
		"day":  func(o *events.PledgeOffered) { o.From += 100 },
		"area": func(o *events.PledgeOffered) { o.Area = "west" },
	} {
		t.Run(field, func(t *testing.T) {
			w := newWorld(t)
			opt := reconcile.Options{Ledger: origin, Name: "form-1", Today: today,
				Changed: reconcile.Ask, Reason: "as it says",
				Base: &reconcile.Base{Known: reconcile.NewKnown(), Filled: map[events.ID]bool{}}}
			run := func(change ...func(*events.PledgeOffered)) reconcile.Result {
				o := offer("FRA", 2026_03_01, 12000, change...)
				r := w.Reconcile(keyless([]*events.PledgeOffered{o}), opt)
				for _, one := range r.Outcomes {
					w.say(one.Statements...)
				}
				return r
			}
			if r := run(); r.Counts != (reconcile.Counts{New: 1}) {
				t.Fatalf("%+v", r.Counts)
			}
			r := run(restate)
			if r.Counts != (reconcile.Counts{Alike: 1}) || len(r.Asked()) != 1 ||
				len(r.Outcomes[0].Changes) == 0 {
				t.Fatalf("asked: %+v", r)
			}
			opt.Changed = reconcile.Corrected
			run(restate)
			opt.Changed = reconcile.Ask
			if r := run(restate); r.Counts != (reconcile.Counts{Unchanged: 1}) {
				t.Errorf("again: %+v", r)
			}
			if all := w.All(); len(all) != 1 {
				t.Errorf("%d pledges", len(all))
			}
		})
	}
}

// So is a row of a CSV file without a key: of a file with a name whatever else is restated, and of
// one without where nothing is but the days. What is gone is not taken for it where somebody has
// offered it by hand, or the file has come back from an import and lacks the others.
func TestRestatedDayIsAskedAbout(t *testing.T) {
	said := func(cents int64, from, until events.Date) []reconcile.Row {
		o := offer("FRA", from, cents, func(o *events.PledgeOffered) { o.Until = until })
		o.ID = must(t)(events.IDAt(uint64(from.Time().UnixMilli()), [10]byte(o.ID[6:])))
		return keyless([]*events.PledgeOffered{o})
	}
	const (
		alike = "0 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 1 alike, 1 asked"
		isNew = "1 new, 0 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"
		other = "1 new, 0 changed, 0 unchanged, 1 gone, 0 refused, 0 alike, 0 asked"
	)
	for name, want := range map[string]struct{ restated, other string }{"": {isNew, isNew},
		tracker: {alike, other}} {
		t.Run("named "+name, func(t *testing.T) {
			w, opt := newWorld(t), reconcile.Options{Name: name}
			w.equal("first", w.run(said(500, 2025_05_01, 0), opt), isNew)
			w.equal("the first day", w.run(said(500, 2025_06_01, 0), opt), alike)
			w.equal("the last day", w.run(said(500, 2025_05_01, 2026_05_01), opt), alike)
			w.equal("how much, too", w.run(said(600, 2025_06_01, 0), opt), want.restated)
			if name == "" {
				return
			}
			returned := opt
			returned.Returned, returned.Partial = true, true
			before := w.last
			w.equal("come back", w.run(said(700, 2025_07_01, 0), returned), other)
			if w.last != before+1 {
				t.Errorf("%d statements", w.last-before)
			}
			taken := opt
			taken.Gone = reconcile.Strike
			w.equal("what is gone is taken off", w.run(said(800, 2025_08_01, 0), taken),
				"1 new, 0 changed, 0 unchanged, 2 gone, 0 refused, 0 alike, 0 asked")
			w.strength(800)
			opt.Changed = reconcile.Corrected
			w = newWorld(t)
			w.run(said(500, 2025_05_01, 0), opt)
			w.equal("corrected", w.run(said(500, 2025_06_01, 0), opt), oneChanged)
			w.equal("and again", w.run(said(500, 2025_06_01, 0), opt), oneAsBefore)
			if all := w.All(); len(all) != 1 || all[0].Terms().From != 2025_06_01 {
				t.Errorf("%+v", all)
			}
		})
	}
	w := newWorld(t)
	w.run(said(500, 2025_05_01, 0), reconcile.Options{Name: tracker})
	earlier := said(500, 2025_04_01, 0)
	earlier[0].Then = row(earlier[0].Offer, "deployed").Then
	w.equal("amended to an earlier day", w.run(earlier, reconcile.Options{Name: tracker,
		Changed: reconcile.Amended}),
		"0 new, 0 changed, 0 unchanged, 0 gone, 1 refused, 0 alike, 0 asked")
	w = newWorld(t)
	byHand := said(500, 2025_05_01, 0)[0].Offer
	byHand.ID = events.NewID()
	w.say(byHand)
	w.equal("by hand", w.run(said(500, 2025_06_01, 0), reconcile.Options{}), isNew)
}

func must(t *testing.T) func(id events.ID, err error) events.ID {
	return func(id events.ID, err error) events.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}
