package projections

import (
	"slices"
	"testing"

	"muster/events"
)

var alliance = events.Organisation{Code: "x-nato", Name: "NATO", Also: []string{"OTAN"}}

// newOrganised returns a ledger in which an organisation was declared, has a liaison, and has
// pledged 300 for the line west, beside France, and 20 that are releasable to it.
func newOrganised(t tb) (*testLedger, testPledge) {
	l := newTestLedger(t)
	l.declare(2, alliance, events.Organisation{Code: "x-osce", Name: "OSCE"})
	l.say("HQ/founder", &events.MemberAdmitted{Header: l.head("member.admitted"),
		Key: l.key("x-nato/liaison").Key(), Role: events.Liaison})
	l.need("west", 1000)
	p := l.offer("x-nato", 300)
	l.offer("FRA", 20, func(t *events.PledgeTerms) {
		t.Release, t.ReleasableTo = events.CoordinatorsOnly, []events.Nation{"x-nato"}
	})
	p.move("pledge.accepted", 3)
	return l, p
}

// declare revises the operation op-a, so that these organisations may pledge in it.
func (l *testLedger) declare(on int, all ...events.Organisation) uint64 {
	l.t.Helper()
	return l.say("HQ/founder", &events.OperationRevised{Header: l.head("operation.revised"),
		Dated: dated(on), OperationTerms: events.OperationTerms{
			Operation: "op-a", Title: "Renamed", Organisations: all,
			Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
				Units: []events.Unit{"personnel", "team"}}}}})
}

// An organisation is counted, listed and told as a nation is, under its code and by its name, and
// an answer that was given keeps the name that it had then.
func TestOrganisationsPledge(t *testing.T) {
	l, pledge := newOrganised(t)
	before := l.Last()
	renamed := alliance
	renamed.Name = "Atlantic Alliance"
	l.declare(2, renamed)
	unknown := l.offer("x-nato", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
	p := l.picture()
	for asOf, name := range map[uint64]string{before: "NATO", 0: "Atlantic Alliance"} {
		m := Moment{AsOf: asOf, On: day(5)}
		c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
		who := c.Lines[0].Who
		at := slices.IndexFunc(who, func(s Share) bool { return s.Nation == "x-nato" })
		if at < 0 || who[at].Quantity != events.Count(300) {
			t.Fatalf("who covers it: %+v", who)
		}
		row := must[Nations](t)(p.Nations(t.Context(), m, "", "")).Nations
		at = slices.IndexFunc(row, func(r NationRow) bool { return r.Nation == "x-nato" })
		equal(t, "its row", row[at].Name, name)
		page := must[NationPage](t)(p.Nation(t.Context(), m, "x-nato", "op-a"))
		equal(t, "its page", page.Name, name)
		equal(t, "its members", len(page.Members), 1)
		equal(t, "its pledge", page.Pledges[0].Organisation, name)
		equal(t, "whose that is", page.Pledges[0].Whose(), name)
		due := must[Dues](t)(p.Due(t.Context(), m, Filter{Operation: "op-a"}, 30)).Due
		at = slices.IndexFunc(due, func(d Due) bool {
			return d.Pledge == pledge.id && d.Kind == NotConfirmed
		})
		equal(t, "what waits for it", due[at].Sentence, name+"'s 300 personnel for ground were "+
			"accepted on 2026-01-03, no condition is open, and "+name+" has not confirmed them: "+
			"muster pledge confirm "+pledge.id.String())
	}
	c := must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(5)}, CoverageFilter{}))
	at := slices.IndexFunc(c.NotCounted, func(n NotCounted) bool { return n.Pledge == unknown.id })
	equal(t, "what does not count", c.NotCounted[at].Sentence, "Atlantic Alliance pledges an "+
		"unknown number of personnel for ground: how much is not known, and unknown is not 0.")
	catalogue := must[Catalogue](t)(p.Catalogue(t.Context(), Moment{}, "op-a"))
	equal(t, "the organisations", len(catalogue.Terms().Organisations), 1)
	life := must[[]LifeEvent](t)(p.Life(t.Context(), Moment{AsOf: before}, pledge.id))
	equal(t, "its life", life[0].Sentence, "NATO offers 300 personnel for ground, from 2026-01-01")
}

// What an organisation is called is part of what a picture is.
func TestFingerprintShowsOrganisations(t *testing.T) {
	print := func(all ...events.Organisation) string {
		l := newTestLedger(t)
		l.declare(2, all...)
		return whole(t, l.picture())
	}
	other := alliance
	other.Also = nil
	if print() == print(alliance) || print(alliance) == print(other) {
		t.Error("two catalogues have one fingerprint")
	}
}

// Whose view it is, is the organisation's as it would be a nation's.
func TestOrganisationsRead(t *testing.T) {
	l, _ := newOrganised(t)
	list := must[PledgeList](t)(l.picture().Pledges(t.Context(), Moment{}, PledgeFilter{}))
	equal(t, "all", len(list.Pledges), 2)
	for view, want := range map[events.View]bool{"x-nato": true, "x-osce": false, "FRA": true,
		events.CoalitionView: false} {
		label := events.NewLabel(events.CoordinatorsOnly, "FRA", []events.Nation{"x-nato"})
		equal(t, string(view), label.OpenTo(view), want)
	}
}

// What is told of each record to other programs has the name of that record's time.
func TestOrganisationsAreTold(t *testing.T) {
	l, pledge := newOrganised(t)
	seq := l.say("x-nato/liaison", &events.ScopeDeclared{Header: l.head("scope.declared"),
		Dated: dated(3), Place: events.Place{Operation: "op-a", Nation: "x-nato"},
		Unlimited: true})
	renamed := alliance
	renamed.Name = "Atlantic Alliance"
	l.declare(2, renamed)
	p := l.picture()
	for at, want := range map[uint64]string{
		seq:        "NATO is ready to give whatever the catalogue has",
		pledge.seq: "NATO offers 300 personnel for ground, from 2026-01-01",
	} {
		equal(t, "a record", p.Tell(&l.All[at-1]).Sentence, want)
	}
}
