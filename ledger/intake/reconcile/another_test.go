package reconcile_test

import (
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// A form whose row is of another role makes another pledge of it, with all that the form says
// nothing of as it was recorded: who may read it above all. The same form again says nothing.
func TestAnotherPledgeKeepsWhatIsNotSaid(t *testing.T) {
	m := &merging{world: newWorld(t)}
	before := newWorld(t)
	o := offer("FRA", 2026_01_01, 50000)
	o.Release, o.Note, o.Until = events.CoordinatorsOnly, "by ship", 2026_12_31
	o.ReleasableTo, o.Reference = []events.Nation{"DEU"}, "NV 12"
	m.id = o.ID
	m.say(o)
	before.say(o)
	m.base = &reconcile.Base{Known: before.Known, Filled: map[events.ID]bool{o.ID: true}}
	other := func(t *events.PledgeTerms) { t.Role = "other" }
	row := func() reconcile.Row {
		terms := m.base.Known.Pledge(m.id).Terms()
		terms.Release, terms.ReleasableTo, terms.Note, terms.Until = "", nil, "", 0
		terms.Reference = ""
		other(&terms)
		r := asSheet(m.Pledge(m.id), terms)
		r.Fields = []string{"nation", "operation", "role", "unit", "quantity", "area", "from"}
		return r
	}
	opt := reconcile.Options{Ledger: origin, Name: "form-1", Changed: reconcile.Corrected,
		Today: today, Reason: "it was another role", Base: m.base}
	r := m.Reconcile([]reconcile.Row{row()}, opt)
	m.say(r.Outcomes[0].Statements...)
	if len(r.Outcomes[0].Statements) != 2 || !m.Pledge(m.id).Struck {
		t.Fatalf("%+v", r.Outcomes[0])
	}
	offered := r.Outcomes[0].Statements[1].(*events.PledgeOffered)
	if is := m.Pledge(offered.ID).Terms(); is.Role != "other" ||
		is.Release != events.CoordinatorsOnly || len(is.ReleasableTo) != 1 ||
		is.Note != "by ship" || is.Until != 2026_12_31 || is.Reference != "NV 12" {
		t.Errorf("%+v", is)
	}
	for _, changed := range []reconcile.Choice{reconcile.Ask, reconcile.Corrected} {
		opt.Changed = changed
		r = m.Reconcile([]reconcile.Row{row()}, opt)
		if r.Counts != (reconcile.Counts{Unchanged: 1}) || len(r.Outcomes[0].Statements) > 0 {
			t.Errorf("again, %s: %+v", changed, r.Outcomes[0])
		}
	}
}

// What was said of a pledge besides its terms would be lost with it: the form is refused.
func TestAnotherPledgeLosesNothing(t *testing.T) {
	m := newMerging(t)
	p := m.Pledge(m.id)
	m.say(&events.ConditionAdded{ConditionStep: events.ConditionStep{
		PledgeStep: events.PledgeStep{Header: events.Header{Type: "condition.added",
			ID: events.NewID(), Ledger: origin}, Dated: events.Dated{Effective: today},
			Place: p.Place, Step: events.Step{Pledge: p.ID}}, Condition: "vote"},
		Kind: "parliament"})
	got := m.sheet(reconcile.Corrected, func(t *events.PledgeTerms) { t.Role = "other" })
	if !strings.Contains(got, "refused") || !strings.Contains(got, "(vote)") {
		t.Error(got)
	}
}

// So it is with a row of a key, of what others than the import have said of its pledge, and what
// they have mended; what the row says itself is said again of the other pledge.
func TestAnotherPledgeOfAKeyLosesNothing(t *testing.T) {
	step := func(p *reconcile.Pledge, typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: events.Header{Type: typ, ID: events.NewID(),
			Ledger: origin}, Dated: events.Dated{Effective: today}, Place: p.Place,
			Step: events.Step{Pledge: p.ID}}
	}
	vote := func(p *reconcile.Pledge) events.Statement {
		return &events.ConditionAdded{ConditionStep: events.ConditionStep{
			PledgeStep: step(p, "condition.added"), Condition: "vote"}, Kind: "parliament"}
	}
	met := func(p *reconcile.Pledge) events.Statement {
		return &events.ConditionDischarged{ConditionStep: events.ConditionStep{
			PledgeStep: step(p, "condition.discharged"), Condition: "vote"}}
	}
	for name, c := range map[string]struct {
		by   []func(p *reconcile.Pledge) events.Statement
		lost string
	}{
		"a condition":                {[]func(*reconcile.Pledge) events.Statement{vote}, "(vote)"},
		"a condition, which was met": {[]func(*reconcile.Pledge) events.Statement{vote, met}, ""},
		"that it was accepted": {[]func(*reconcile.Pledge) events.Statement{
			func(p *reconcile.Pledge) events.Statement {
				return &events.PledgeAccepted{PledgeStep: step(p, "pledge.accepted")}
			}}, "accept"},
		"an amendment": {[]func(*reconcile.Pledge) events.Statement{
			func(p *reconcile.Pledge) events.Statement {
				terms := p.Terms()
				terms.Quantity = events.Unit("EUR").Of(7)
				return &events.PledgeAmended{Header: step(p, "pledge.amended").Header,
					Dated: events.Dated{Effective: today}, Place: p.Place, Pledge: p.ID,
					PledgeTerms: terms}
			}}, "amend"},
		"a correction": {[]func(*reconcile.Pledge) events.Statement{
			func(p *reconcile.Pledge) events.Statement {
				terms := p.Terms()
				terms.Quantity, terms.Source = events.Unit("EUR").Of(7), "by telephone"
				return &events.PledgeCorrected{Header: step(p, "pledge.corrected").Header,
					Dated: events.Dated{Effective: p.Began()}, Place: p.Place, Pledge: p.ID,
					Corrects: p.ID, Terms: &terms, Reason: "a digit"}
			}}, "correct"},
		"nothing": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, opt := newWorld(t), reconcile.Options{Name: tracker, Changed: reconcile.Corrected}
			opt.Ledger, opt.Today, opt.Reason = origin, today, "restated"
			is := func(role events.Role, cents int64) []reconcile.Row {
				o := offer("FRA", 2026_01_01, cents,
					func(o *events.PledgeOffered) { o.Role = role })
				o.Source = "tracker [import tracker]"
				return []reconcile.Row{row(o, "indicated", "FRA")}
			}
			w.run(is("money", 500), opt)
			w.run(is("money", 510), opt)
			p := w.All()[0]
			for _, say := range c.by {
				w.say(say(p))
			}
			o := w.Reconcile(is("other", 510), opt).Outcomes[0]
			lost := o.Kind == reconcile.Refused && strings.Contains(o.Problem.String(), c.lost)
			if c.lost == "" && len(o.Statements) != 2 || c.lost != "" && !lost {
				t.Errorf("%+v", o)
			}
		})
	}
}
