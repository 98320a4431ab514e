package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

const (
	oneAsBefore = "0 new, 0 changed, 1 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"
	oneAsked    = "0 new, 1 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 1 asked"
	oneChanged  = "0 new, 1 changed, 0 unchanged, 0 gone, 0 refused, 0 alike, 0 asked"
)

// strength is how much the one pledge of the world is of, as it holds last.
func (w *world) strength(want int64) {
	w.t.Helper()
	live := 0
	for _, p := range w.All() {
		if !p.IsLive() {
			continue
		}
		live++
		if got, _ := p.Terms().Quantity.Number(); got != want {
			w.t.Errorf("the pledge is of %d, want %d", got, want)
		}
	}
	if live != 1 {
		w.t.Errorf("there are %d pledges", live)
	}
}

// restatings are the ways in which one row may be known again, whatever it says.
func restatings() map[string]struct {
	row func(cents int64) []reconcile.Row
	opt reconcile.Options
} {
	france := func(change ...func(*events.PledgeOffered)) func(cents int64) []reconcile.Row {
		return func(cents int64) []reconcile.Row {
			return keyless([]*events.PledgeOffered{offer("FRA", 2025_05_01, cents, change...)})
		}
	}
	numbered := func(o *events.PledgeOffered) { o.Reference = "NV-1" }
	unsourced := func(o *events.PledgeOffered) { o.Source = "" }
	named := reconcile.Options{Name: tracker}
	type way = struct {
		row func(cents int64) []reconcile.Row
		opt reconcile.Options
	}
	return map[string]way{
		"by a key": {func(cents int64) []reconcile.Row {
			return keyed([]*events.PledgeOffered{offer("FRA", 2025_05_01, cents)})
		}, named},
		"by reference":                   {france(numbered), named},
		"by reference, without a name":   {france(numbered), reconcile.Options{}},
		"by reference, without a source": {france(numbered, unsourced), reconcile.Options{}},
	}
}

// A row is compared with what the import has amended it to last, and that is what is corrected.
func TestRestatedAfterAnAmendment(t *testing.T) {
	for name, way := range restatings() {
		t.Run(name, func(t *testing.T) {
			w, as := newWorld(t), way.opt
			w.run(way.row(500), way.opt)
			as.Changed = reconcile.Amended
			w.equal("amended", w.run(way.row(563), as), oneChanged)
			w.equal("and again", w.run(way.row(563), way.opt), oneAsBefore)
			w.equal("back", w.run(way.row(500), way.opt), oneAsked)
			w.equal("back, amended", w.run(way.row(500), as), oneChanged)
			w.strength(500)
			w.equal("back again", w.run(way.row(500), way.opt), oneAsBefore)
			as.Changed = reconcile.Corrected
			w.equal("corrected", w.run(way.row(570), as), oneChanged)
			w.strength(570)
			w.equal("corrected again", w.run(way.row(570), way.opt), oneAsBefore)
			w.equal("corrected back", w.run(way.row(500), as), oneChanged)
			w.strength(500)
		})
	}
}

// What somebody has amended by hand, and left the source as it is, no file turns back that has not
// changed.
func TestAmendedByHand(t *testing.T) {
	for name, way := range restatings() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.run(way.row(500), way.opt)
			p := w.All()[0]
			st := &events.PledgeAmended{Header: events.Header{Type: "pledge.amended",
				ID: events.NewID(), Ledger: origin}, Dated: events.Dated{Effective: today},
				Place: p.Place, Pledge: p.ID, PledgeTerms: p.Terms()}
			st.Quantity = events.Unit("EUR").Of(600)
			w.say(st)
			w.equal("unchanged", w.run(way.row(500), way.opt), oneAsBefore)
			w.equal("as amended", w.run(way.row(600), way.opt), oneAsBefore)
			w.strength(600)
		})
	}
}

// What is changed in the file, and was changed in the ledger meanwhile, is told with what the
// ledger has: an amendment replaces that, and a correction of what the file has said before leaves
// it.
func TestChangedMeanwhile(t *testing.T) {
	for name, way := range restatings() {
		t.Run(name, func(t *testing.T) {
			for choice, want := range map[reconcile.Choice]struct {
				told  string
				cents int64
			}{
				reconcile.Ask: {"quantity 6.00 -> 5.63 (the file had 5.00 before, and the ledger " +
					"was changed meanwhile)", 600},
				reconcile.Amended: {"quantity 6.00 -> 5.63 (the file had 5.00 before, and the " +
					"ledger was changed meanwhile)", 563},
				reconcile.Corrected: {"quantity 5.00 -> 5.63 (the ledger was changed meanwhile, " +
					"and has 6.00, which stays)", 600},
			} {
				w := newWorld(t)
				w.run(way.row(500), way.opt)
				p := w.All()[0]
				st := &events.PledgeAmended{Header: events.Header{Type: "pledge.amended",
					ID: events.NewID(), Ledger: origin}, Dated: events.Dated{Effective: today},
					Place: p.Place, Pledge: p.ID, PledgeTerms: p.Terms()}
				st.Quantity, st.Note = events.Unit("EUR").Of(600), "by hand"
				w.say(st)
				opt := way.opt
				opt.Ledger, opt.Today, opt.Reason, opt.Changed = origin, today, "restated", choice
				r := w.Reconcile(way.row(563), opt)
				var told []string
				for _, c := range r.Outcomes[0].Changes {
					told = append(told, c.String())
				}
				w.equal(string(choice), told[0], want.told)
				w.say(r.Outcomes[0].Statements...)
				w.strength(want.cents)
				w.equal("again", w.run(way.row(563), way.opt), map[bool]string{true: oneAsked,
					false: oneAsBefore}[choice == reconcile.Ask])
			}
		})
	}
}

// What a file has corrected, and restates to what it was, is a change again, whether or not the
// import has a name.
func TestRestatedAfterACorrection(t *testing.T) {
	for name, way := range restatings() {
		t.Run(name, func(t *testing.T) {
			w, as := newWorld(t), way.opt
			w.run(way.row(500), way.opt)
			as.Changed = reconcile.Corrected
			w.equal("corrected", w.run(way.row(563), as), oneChanged)
			w.equal("and again", w.run(way.row(563), way.opt), oneAsBefore)
			w.equal("back", w.run(way.row(500), way.opt), oneAsked)
			w.equal("back, corrected", w.run(way.row(500), as), oneChanged)
			w.strength(500)

			p := w.All()[0]
			mended := p.Terms()
			mended.Quantity = events.Unit("EUR").Of(600)
			w.say(&events.PledgeCorrected{Header: events.Header{Type: "pledge.corrected",
				ID: events.NewID(), Ledger: origin}, Dated: events.Dated{Effective: 2025_05_01},
				Place: p.Place, Pledge: p.ID, Corrects: p.ID, Terms: &mended, Reason: "a digit"})
			w.equal("mended by hand", w.run(way.row(500), way.opt), oneAsBefore)
			w.strength(600)
		})
	}
}

// So is what is delivered of it.
func TestRestatedStrengthWithoutAName(t *testing.T) {
	w := newWorld(t)
	id := events.NewID()
	row := func(there int64) []reconcile.Row {
		o := offer("FRA", 2025_05_01, 500, func(o *events.PledgeOffered) { o.Reference = "NV-1" })
		pledge := reconcile.IDOf(origin, "reference", []string{"op1", "FRA", "NV-1"}, 0)
		return []reconcile.Row{{Offer: o, Then: []events.Statement{&events.PledgeDeployed{
			PledgeStep: events.PledgeStep{Header: events.Header{Type: "pledge.deployed", ID: id,
				Ledger: origin}, Dated: o.Dated, Place: o.Place,
				Step: events.Step{Pledge: pledge, Source: o.Source}},
			Strength: events.Strength{Quantity: events.Unit("EUR").Of(there), Unit: "EUR"}}}}}
	}
	w.run(row(10), reconcile.Options{})
	opt := reconcile.Options{Changed: reconcile.Corrected}
	w.equal("corrected", w.run(row(12), opt), oneChanged)
	w.equal("and again", w.run(row(12), reconcile.Options{}), oneAsBefore)
	w.equal("back", w.run(row(10), reconcile.Options{}), oneAsked)
	w.equal("back, corrected", w.run(row(10), opt), oneChanged)
	if told := w.All()[0].Strengths(); len(told) != 1 || told[0].Strength != 10 {
		t.Errorf("told is %+v", told)
	}
}
