package projections

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// What has not begun is answered on its first day: the first on which a requirement is in force.
// Where one of all has begun, or a pledge of one that has no requirements is there, the date stays.
// As of an old record it is as it was.
func TestOpening(t *testing.T) {
	l := newTestLedger(t)
	on := func(asOf uint64, o events.Operation) string {
		t.Helper()
		m := must[Moment](t)(l.picture().Opening(Moment{AsOf: asOf, On: day(1)}, o))
		return fmt.Sprint(m.On, " ", m.Beginning)
	}
	equal(t, "no requirement, no pledge", on(0, ""), "2026-01-01 ")
	l.need("west", 10, func(t *events.RequirementTerms) { t.From = day(20) })
	before := l.need("gone", 10, func(t *events.RequirementTerms) { t.From = day(5) })
	equal(t, "two requirements", on(0, "op-a"), "2026-01-05 op-a")
	l.cancel(3, "gone")
	equal(t, "one was cancelled before it began", on(0, "op-a"), "2026-01-20 op-a")
	equal(t, "as it was known before", on(before, "op-a"), "2026-01-05 op-a")
	l.open("op-b")
	equal(t, "an operation of which there is nothing does not count", on(0, ""), "2026-01-20 op-a")
	l.say("HQ/importer", &events.PledgeObserved{Header: l.head("pledge.observed"), Dated: dated(1),
		Role: "ground", Source: "a report",
		Place:    events.Place{Operation: "op-b", Nation: "ETH"},
		Strength: events.Strength{Quantity: events.Count(9), Unit: "personnel"}})
	equal(t, "one without requirements is there", on(0, ""), "2026-01-01 ")
	equal(t, "asked by itself", on(0, "op-b"), "2026-01-01 ")
	equal(t, "the one that is still to come", on(0, "op-a"), "2026-01-20 op-a")
	equal(t, "one that is not known", on(0, "op-c"), "2026-01-01 ")
}

// Whatever is made up: it is the date asked or, where the first day with a requirement in force is
// a later one, that day.
func TestOpeningEqualsCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.moment()
		got := must[Moment](t)(p.Opening(m, ""))
		first, asked := events.Date(0), m.On
		for m.On = day(1); m.On <= day(31) && first == 0; m.On = m.On.AddDays(1) {
			if len(must[Coverage](t)(p.Coverage(t.Context(), m,
				CoverageFilter{Brief: true})).Lines) > 0 {
				first = m.On
			}
		}
		want := fmt.Sprint(asked, " ")
		if first > asked {
			want = fmt.Sprint(first, " op-a")
		}
		equal(t, "day", fmt.Sprint(got.On, " ", got.Beginning), want)
	})
}
