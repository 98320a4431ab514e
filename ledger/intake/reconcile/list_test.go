package reconcile_test

import (
	"testing"

	"muster/events"
	"muster/ledger/intake/reconcile"
)

// A listing is a ledger with one pledge, which a list that Muster wrote has as it holds today.
type listing struct {
	*world
	id   events.ID
	seen uint64 // the last record about the pledge that the list has, 0 where it does not say
}

func (l *listing) step(typ events.Type, on events.Date) events.PledgeStep {
	return events.PledgeStep{Header: events.Header{Type: typ, ID: events.NewID(), Ledger: origin},
		Dated: events.Dated{Effective: on}, Place: events.Place{Operation: "op1", Nation: "FRA"},
		Step: events.Step{Pledge: l.id}}
}

func (l *listing) amend(on events.Date, t events.PledgeTerms) {
	s := l.step("pledge.amended", on)
	l.say(&events.PledgeAmended{Header: s.Header, Dated: s.Dated, Place: s.Place, Pledge: l.id,
		PledgeTerms: t})
}

func (l *listing) renew(on, expires events.Date) {
	l.say(&events.PledgeRenewed{PledgeStep: l.step("pledge.renewed", on), Expires: expires})
}

// list gives the list back, with the date from which the pledge holds and some terms.
func (l *listing) list(changed reconcile.Choice, began events.Date, t events.PledgeTerms) string {
	l.t.Helper()
	o := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered", Ledger: origin},
		Dated: events.Dated{Effective: began}, PledgeTerms: t,
		Place: events.Place{Operation: "op1", Nation: "FRA"}}
	row := asSheet(l.Pledge(l.id), t)
	row.Offer, row.Fields = o, append(row.Fields, "effective")
	row.Seen = l.seen
	return l.run([]reconcile.Row{row}, reconcile.Options{Changed: changed})
}

const oneRefused = "0 new, 0 changed, 0 unchanged, 0 gone, 1 refused, 0 alike, 0 asked"

func newListing(t *testing.T, first events.Statement) *listing {
	l := &listing{newWorld(t), events.Thing(first), 0}
	l.say(first)
	return l
}

// expiring is an offer of 500 that expires at the end of 2026.
func expiring() *events.PledgeOffered {
	return offer("FRA", 2026_01_01, 50000, func(o *events.PledgeOffered) {
		o.Expires = 2026_12_31
	})
}

// A list has the day to which a pledge was renewed by then, in whatever order that was recorded. To
// correct something else leaves the day that was said, and the renewal cannot be corrected by it.
func TestListOfWhatWasRenewed(t *testing.T) {
	o := expiring()
	l := newListing(t, o)
	l.renew(2026_03_01, 2027_06_30)
	l.renew(2027_01_01, 2028_06_30) // which holds later
	now := o.PledgeTerms
	now.Expires = 2027_06_30
	l.equal("as it is", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	now.Note = "by air"
	l.equal("another note", l.list(reconcile.Corrected, 2026_01_01, now), oneChanged)
	l.equal("again", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	now.Expires = 2027_07_31
	l.equal("another day", l.list(reconcile.Corrected, 2026_01_01, now), oneRefused)
	l.equal("amended", l.list(reconcile.Amended, 2026_01_01, now), oneChanged)
	l.equal("amended, again", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)

	late := newListing(t, o)
	late.renew(2026_03_01, 2027_06_30)
	restated := o.PledgeTerms
	restated.Note = "by sea"
	late.amend(2026_02_01, restated) // recorded after what renews it from a later date
	restated.Expires = 2027_06_30
	late.equal("recorded late", late.list(reconcile.Ask, 2026_01_01, restated), oneAsBefore)

	ended := newListing(t, o)
	ended.renew(2026_03_01, 2027_06_30)
	ended.say(&events.PledgeWithdrawn{PledgeStep: ended.step("pledge.withdrawn", 2026_10_01)})
	now = o.PledgeTerms
	now.Expires = 2027_06_30
	ended.equal("withdrawn", ended.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
}

// A list has the date from which a pledge holds, also where it was indicated before it was offered.
// To correct something else leaves both dates; the first is that of what was said first.
func TestListOfWhatWasIndicated(t *testing.T) {
	o := expiring()
	indicated := &events.PledgeIndicated{Header: o.Header, Dated: o.Dated, Place: o.Place,
		PledgeTerms: o.PledgeTerms}
	indicated.Type = "pledge.indicated"
	l := newListing(t, indicated)
	s := l.step("pledge.offered", 2026_06_15)
	l.say(&events.PledgeOffered{Header: s.Header, Dated: s.Dated, Place: s.Place, Pledge: l.id,
		PledgeTerms: o.PledgeTerms})
	now := o.PledgeTerms
	l.equal("as it is", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	now.Note = "by air"
	l.equal("another note", l.list(reconcile.Corrected, 2026_01_01, now), oneChanged)
	if on := l.Pledge(l.id).Began(); on != 2026_01_01 {
		l.t.Errorf("it holds from %s on", on)
	}
	l.equal("as it was offered", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	l.equal("another beginning", l.list(reconcile.Corrected, 2026_01_15, now), oneChanged)
	l.equal("again", l.list(reconcile.Ask, 2026_01_15, now), oneAsBefore)
}

// What a list changes is said from its day on, and leaves what was said of a later day: its other
// cells are what held on the day.
func TestListBesideWhatHoldsLater(t *testing.T) {
	o := expiring()
	l := newListing(t, o)
	later := o.PledgeTerms
	later.Quantity, later.Area = later.Unit.Of(90000), "capital"
	l.amend(2027_01_01, later)
	now := o.PledgeTerms
	l.equal("as it is", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	now.Note = "by air"
	l.equal("another note", l.list(reconcile.Amended, 2026_01_01, now), oneChanged)
	l.equal("again", l.list(reconcile.Ask, 2026_01_01, now), oneAsBefore)
	if last := l.Pledge(l.id).Terms(); last.Quantity != later.Quantity || last.Area != "capital" {
		t.Errorf("from 2027 on it is %v in %q", last.Quantity, last.Area)
	}
}

// What a list has no cell for stays: of an unknown quantity, how much it is at least.
func TestListOfAnUnknownQuantity(t *testing.T) {
	o := expiring()
	o.Quantity, o.Least = events.Unknown, o.Unit.Of(1000)
	l := newListing(t, o)
	now := o.PledgeTerms
	now.Least, now.Note = events.Quantity{}, "by air"
	for _, how := range []reconcile.Choice{reconcile.Amended, reconcile.Corrected} {
		now.Note += "!"
		l.equal("another note", l.list(how, 2026_01_01, now), oneChanged)
		if is := l.Pledge(l.id).Terms(); is.Least != o.Least || is.Note != now.Note {
			t.Errorf("%v: it is at least %v: %q", how, is.Least, is.Note)
		}
	}
}

// What somebody else has recorded since the list was written is not undone by it.
func TestListThatIsOlderThanWhatIsRecorded(t *testing.T) {
	o := expiring()
	l := newListing(t, o)
	l.seen = l.last
	listed, other := o.PledgeTerms, o.PledgeTerms
	other.Quantity = other.Unit.Of(90000)
	l.amend(2026_03_01, other)
	for _, how := range []reconcile.Choice{reconcile.Ask, reconcile.Amended, reconcile.Corrected} {
		l.equal("an older list", l.list(how, 2026_01_01, listed), oneRefused)
	}
	l.equal("that says the same", l.list(reconcile.Amended, 2026_01_01, other), oneAsBefore)
	l.seen = l.last
	l.equal("a new list", l.list(reconcile.Amended, 2026_01_01, listed), oneChanged)
}
