package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// asSheet says of a pledge what a sheet with the given terms says.
func asSheet(p *reconcile.Pledge, t events.PledgeTerms) reconcile.Row {
	o := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered", Ledger: origin},
		Dated: events.Dated{Effective: today}, Place: p.Place, PledgeTerms: t}
	o.Source = ""
	return reconcile.Row{Offer: o, ID: p.ID, Fields: []string{"nation", "operation", "role", "unit",
		"quantity", "area", "from", "until", "expires", "release", "note"}}
}

// amend amends a pledge by hand.
func (w *world) amend(p *reconcile.Pledge, change func(*events.PledgeTerms)) {
	w.t.Helper()
	t := p.Terms()
	change(&t)
	w.say(&events.PledgeAmended{Header: events.Header{Type: "pledge.amended", ID: events.NewID(),
		Ledger: origin}, Dated: events.Dated{Effective: today}, Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, PledgeTerms: t})
}

func euros(n int64) func(*events.PledgeTerms) {
	return func(t *events.PledgeTerms) { t.Quantity = t.Unit.Of(100 * n) }
}

// A merging is a ledger with a pledge of 500, and a sheet that was filled in with it.
type merging struct {
	*world
	id   events.ID
	base *reconcile.Base
}

func newMerging(t *testing.T) *merging {
	m := &merging{world: newWorld(t)}
	before := newWorld(t)
	o := offer("FRA", 2026_01_01, 50000)
	m.id = o.ID
	m.say(o)
	before.say(o)
	m.base = &reconcile.Base{Known: before.Known, Filled: map[events.ID]bool{o.ID: true}}
	return m
}

// sheet imports the sheet with some changes of what it was filled in with, and records what is to
// be said.
func (m *merging) sheet(changed reconcile.Choice, change ...func(*events.PledgeTerms)) string {
	m.t.Helper()
	return m.sheetOn(events.LastDate, today, changed, change...)
}

// sheetOn is sheet on a day, of one that has what holds on another.
func (m *merging) sheetOn(then, on events.Date, changed reconcile.Choice,
	change ...func(*events.PledgeTerms)) string {
	m.t.Helper()
	t := m.base.Known.Pledge(m.id).TermsOn(then)
	for _, c := range change {
		c(&t)
	}
	r := m.Reconcile([]reconcile.Row{asSheet(m.Pledge(m.id), t)}, reconcile.Options{Ledger: origin,
		Name: "form-1", Changed: changed, Today: on, Reason: "as the sheet says", Base: m.base})
	o := r.Outcomes[0]
	m.say(o.Statements...)
	said := []string{string(o.Kind)}
	for _, c := range o.Changes {
		said = append(said, c.String())
	}
	for _, st := range o.Statements {
		said = append(said, string(st.Head().Type))
	}
	if o.Asked {
		said = append(said, "asked")
	}
	return strings.Join(append(said, o.Problem.String()), "; ")
}

func (m *merging) equal(what, got, want string) {
	m.t.Helper()
	if strings.TrimSuffix(got, "; ") != want {
		m.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// now is what is recorded.
func (m *merging) now() string {
	t := m.Pledge(m.id).Terms()
	return fmt.Sprint(t.Quantity, " ", t.Note, " ", t.Until, " ", t.Expires)
}

// Of each cell, what only the sheet has changed is said, what only the ledger has changed stays,
// and what both have is asked about.
func TestMergeCellByCell(t *testing.T) {
	m := newMerging(t)
	m.equal("as it was", m.sheet(reconcile.Ask), "unchanged")
	until := func(t *events.PledgeTerms) { t.Until = 2026_12_31 }
	m.amend(m.Pledge(m.id), func(t *events.PledgeTerms) { t.Note, t.Until = "by ship", 2027_01_31 })
	m.equal("only the ledger", m.sheet(reconcile.Ask), "unchanged")
	m.equal("other cells", m.sheet(reconcile.Ask, euros(563)),
		"changed; quantity 500.00 -> 563.00; pledge.amended")
	m.equal("now", m.now(), "563.00 by ship 2027-01-31 ")
	m.equal("the same file again", m.sheet(reconcile.Ask, euros(563)), "unchanged")
	m.equal("both", m.sheet(reconcile.Ask, euros(563), until), "changed; until 2027-01-31 -> "+
		"2026-12-31 (the sheet had none before); asked")
	m.equal("chosen", m.sheet(reconcile.Amended, euros(563), until), "changed; until 2027-01-31 "+
		"-> 2026-12-31 (the sheet had none before); pledge.amended")
	m.equal("now", m.now(), "563.00 by ship 2026-12-31 ")

	// The sheet is edited further, and imported again; what somebody else has changed is asked
	// about once it says otherwise.
	m.equal("further, or by another copy", m.sheet(reconcile.Ask, euros(600), until),
		"changed; quantity 563.00 -> 600.00 (the sheet had 500.00 before); asked")
	m.equal("further, chosen", m.sheet(reconcile.Amended, euros(600), until),
		"changed; quantity 563.00 -> 600.00 (the sheet had 500.00 before); pledge.amended")
	m.amend(m.Pledge(m.id), euros(610))
	m.equal("said before", m.sheet(reconcile.Ask, euros(600), until), "unchanged")
	m.equal("both again", m.sheet(reconcile.Ask, euros(620), until), "changed; quantity "+
		"610.00 -> 620.00 (the sheet had 600.00 before); asked")
	m.equal("an older copy", m.sheet(reconcile.Ask), "changed; quantity 610.00 -> 500.00 (the "+
		"sheet had 600.00 before); until 2026-12-31 -> none (the sheet had 2026-12-31 before); "+
		"asked")
	m.equal("both the same", m.sheet(reconcile.Ask, euros(610), until), "unchanged")
}

// What the sheet was filled in with may be what the pledge began with, and be changed to it again.
func TestMergeBackToTheBeginning(t *testing.T) {
	m := newMerging(t)
	m.amend(m.Pledge(m.id), euros(600))
	before := newWorld(t)
	before.Known, m.base.Known = m.Known, m.Known
	m.equal("back", m.sheet(reconcile.Ask, euros(500)),
		"changed; quantity 600.00 -> 500.00; pledge.amended")
}

// A correction mends what was said, an amendment leaves what was renewed, and neither changes who
// may read the pledge, nor what has ended.
func TestMergeSays(t *testing.T) {
	m := newMerging(t)
	m.equal("corrected", m.sheet(reconcile.Corrected, euros(563)),
		"changed; quantity 500.00 -> 563.00; pledge.corrected")
	p := m.Pledge(m.id)
	step := func(typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: events.Header{Type: typ, ID: events.NewID(),
			Ledger: origin}, Dated: events.Dated{Effective: today}, Place: p.Place,
			Step: events.Step{Pledge: p.ID}}
	}
	m.say(&events.PledgeRenewed{PledgeStep: step("pledge.renewed"), Expires: 2027_06_30})
	note := func(t *events.PledgeTerms) { t.Note = "by air" }
	m.equal("renewed", m.sheet(reconcile.Ask, euros(563), note),
		"changed; note none -> by air; pledge.amended")
	m.equal("now", m.now(), "563.00 by air  2027-06-30")
	m.equal("who may read", m.sheet(reconcile.Ask, func(t *events.PledgeTerms) {
		t.Release = events.Public
	}), "refused; release: who may read a pledge is widened by disclosing it, and never "+
		"narrowed: put back what the sheet had, none")
	m.say(&events.PledgeWithdrawn{PledgeStep: step("pledge.withdrawn")})
	m.equal("ended, as it was", m.sheet(reconcile.Ask, euros(563), note), "unchanged")
	if got := m.sheet(reconcile.Ask, euros(1)); !strings.Contains(got, "has ended (withdrawn)") {
		t.Error(got)
	}
}

// A row that was copied, with its id, is told as what it is.
func TestMergeCopiedRow(t *testing.T) {
	m := newMerging(t)
	row := asSheet(m.Pledge(m.id), m.Pledge(m.id).Terms())
	r := m.Reconcile([]reconcile.Row{row, row}, reconcile.Options{Ledger: origin, Name: "form-1",
		Changed: reconcile.Ask, Today: today, Base: m.base})
	m.equal("the first", string(r.Outcomes[0].Kind), "unchanged")
	m.equal("the copy", r.Outcomes[1].Problem.String(),
		"row 1 of the file names the pledge "+m.id.String()+
			", too: a copy of a row is another pledge when its id is cleared; else leave one out")
}

// What the sheet was filled in with and does not have any more is gone; other pledges are not.
func TestMergeGone(t *testing.T) {
	m := newMerging(t)
	other := offer("FRA", 2026_02_01, 700)
	m.say(other)
	opt := reconcile.Options{Ledger: origin, Name: "form-1", Changed: reconcile.Ask, Today: today,
		Gone: reconcile.Withdraw, Reason: "as the sheet says", Base: m.base}
	added := offer("FRA", 2026_03_01, 800)
	r := m.Reconcile([]reconcile.Row{{Offer: added, Fields: []string{"quantity"}}}, opt)
	if r.Counts != (reconcile.Counts{New: 1, Gone: 1}) {
		t.Fatalf("%+v", r.Counts)
	}
	if gone := r.Outcomes[1]; gone.Pledge != m.id || len(gone.Statements) != 1 ||
		gone.Statements[0].Head().Type != "pledge.withdrawn" {
		t.Errorf("%+v", gone)
	}
}

// What a copy of the sheet does not have is not taken off where another copy may have added it, nor
// where something was recorded of it since: somebody is asked.
func TestMergeGoneOfAnotherCopy(t *testing.T) {
	m := newMerging(t)
	opt := reconcile.Options{Ledger: origin, Name: "form-1", Changed: reconcile.Ask, Today: today,
		Reason: "as the sheet says", Base: m.base}
	row := asSheet(m.Pledge(m.id), m.Pledge(m.id).Terms())
	added := offer("FRA", 2026_03_01, 800)
	m.say(m.Reconcile([]reconcile.Row{row, {Offer: added, Fields: []string{"quantity"}}},
		opt).Outcomes[1].Statements...)
	for _, gone := range []reconcile.Choice{reconcile.Withdraw, reconcile.Strike} {
		opt.Gone = gone
		r := m.Reconcile([]reconcile.Row{row}, opt)
		if o := r.Outcomes[1]; !o.Asked || o.Pledge != added.ID || o.Statements != nil ||
			!strings.Contains(o.Problem.String(), "added to a copy") {
			t.Errorf("%s what another copy has added: %+v", opt.Gone, o)
		}
	}
	m.amend(m.Pledge(m.id), euros(610))
	r := m.Reconcile([]reconcile.Row{{Offer: added, Fields: []string{"quantity"}}}, opt)
	if o := r.Outcomes[1]; !o.Asked || o.Pledge != m.id || o.Statements != nil ||
		!strings.Contains(o.Problem.String(), "since the form was written") {
		t.Errorf("%s what was changed since: %+v", opt.Gone, o)
	}
	opt.Gone = reconcile.Leave
	if r := m.Reconcile([]reconcile.Row{row}, opt); len(r.Asked()) > 0 {
		t.Errorf("left: %+v", r.Outcomes)
	}
}

// A sheet has what holds on its day. What was said of a later day is no change of it, and stays; by
// the time that it holds, somebody is asked what it changes, too.
func TestMergeOfWhatHoldsLater(t *testing.T) {
	m := newMerging(t)
	m.base.On = today
	before := newWorld(t)
	before.Known = m.base.Known
	later := m.Pledge(m.id).Terms()
	later.Quantity, later.Note = later.Unit.Of(80000), "by ship"
	for _, w := range []*world{m.world, before} {
		l := listing{world: w, id: m.id}
		l.renew(2027_02_01, 2028_06_30)
		l.amend(2027_03_01, later)
	}
	const row = "500.00   "
	is := func(on events.Date) string {
		t := m.Pledge(m.id).TermsOn(on)
		return fmt.Sprint(t.Quantity, " ", t.Note, " ", t.Until, " ", t.Expires)
	}
	m.equal("filled in", is(today), row)
	m.equal("as it was", m.sheetOn(today, today, reconcile.Ask), "unchanged")
	m.equal("later, as it was", m.sheetOn(today, 2027_03_02, reconcile.Ask), "unchanged")
	m.equal("changed", m.sheetOn(today, today, reconcile.Ask, euros(563)),
		"changed; quantity 500.00 -> 563.00; pledge.amended")
	m.equal("now", is(today), "563.00   ")
	m.equal("later", is(2027_03_01), "800.00 by ship  ")
	m.equal("again", m.sheetOn(today, today, reconcile.Ask, euros(563)), "unchanged")
	m.equal("corrected", m.sheetOn(today, today, reconcile.Corrected, euros(570)),
		"changed; quantity 563.00 -> 570.00 (the sheet had 500.00 before); pledge.corrected")
	m.equal("later, still", is(2027_03_01), "800.00 by ship  ")
	m.equal("given back later", m.sheetOn(today, 2027_03_02, reconcile.Ask, euros(600)),
		"changed; quantity 800.00 -> 600.00 (the sheet had 570.00 before); asked")
}

// A pledge that is recorded to end later holds on the day of the sheet, which has it: as it was it
// changes nothing; it is not amended any more, and corrected; and without its row it ends as is
// recorded.
func TestMergeOfWhatEndsLater(t *testing.T) {
	const end events.Date = 2027_03_01
	m := newMerging(t)
	m.base.On = today
	l := listing{world: m.world, id: m.id}
	m.say(&events.PledgeWithdrawn{PledgeStep: l.step("pledge.withdrawn", end)})
	m.base.Known = m.Known
	p := m.Pledge(m.id)
	if !p.HoldsOn(today) || !p.HoldsOn(end.AddDays(-1)) || p.HoldsOn(end) {
		t.Errorf("it holds today: %v, and on its end: %v", p.HoldsOn(today), p.HoldsOn(end))
	}
	m.equal("as it was", m.sheetOn(today, today, reconcile.Ask), "unchanged")
	m.equal("as it was, later", m.sheetOn(today, end, reconcile.Ask), "unchanged")
	const no = "refused; quantity 500.00 -> 563.00; the pledge %s is withdrawn from 2027-03-01 " +
		"on, as is recorded, and so amended no more (quantity 500.00 -> 563.00): put back what " +
		"the sheet had, or have it corrected where that was wrong"
	for _, changed := range []reconcile.Choice{reconcile.Ask, reconcile.Amended} {
		m.equal("changed", m.sheetOn(today, today, changed, euros(563)), fmt.Sprintf(no, m.id))
	}
	m.equal("corrected", m.sheetOn(today, today, reconcile.Corrected, euros(563)),
		"changed; quantity 500.00 -> 563.00; pledge.corrected")
	if p.Ended != "pledge.withdrawn" || p.EndedOn != end {
		t.Errorf("%s on %s", p.Ended, p.EndedOn)
	}
	for _, gone := range []reconcile.Choice{reconcile.Leave, reconcile.Withdraw} {
		r := m.Reconcile(nil, reconcile.Options{Ledger: origin, Name: "form-1", Today: today,
			Gone: gone, Base: m.base})
		if o := r.Outcomes; len(o) != 1 || o[0].Statements != nil || o[0].Asked {
			t.Errorf("gone, %s: %+v", gone, o)
		}
	}
	if got := m.sheetOn(today, end, reconcile.Ask, euros(1)); !strings.Contains(got,
		"has ended (withdrawn)") {
		t.Error(got)
	}
}

// A pledge lapses after the day to which it was renewed by then, unless it was deployed.
func TestHoldsOn(t *testing.T) {
	l := newListing(t, expiring())
	l.renew(2026_03_01, 2027_06_30)
	p := l.Pledge(l.id)
	if !p.HoldsOn(2027_06_30) || p.HoldsOn(2027_07_01) {
		t.Error("it lapses after the day to which it was renewed")
	}
	l.say(&events.PledgeDeployed{PledgeStep: l.step("pledge.deployed", 2027_06_01),
		Strength: events.Strength{Unit: "EUR", Quantity: events.Unit("EUR").Of(50000)}})
	if !p.HoldsOn(2027_07_01) {
		t.Error("what is deployed does not lapse")
	}
}
