package projections

import (
	"testing"

	"muster/events"
)

// What is named and is nowhere is told, with what there is and what is nearest.
func TestWarnings(t *testing.T) {
	l := newTestLedger(t)
	l.open("op-b")
	l.need("ground-n", 1, func(r *events.RequirementTerms) { r.Area = "north" })
	l.need("ground-s", 1, func(r *events.RequirementTerms) { r.Area = "south" })
	l.need("reserve", 1)
	l.need("teams", 1, func(r *events.RequirementTerms) { r.Unit = "team" })
	l.need("gone", 1, func(r *events.RequirementTerms) { r.Area = "east" })
	l.cancel(2, "gone")
	const areas = "no requirement of op-a is in this area: there are north and south"
	const lines = "op-a has no such requirement yet: there are ground-n, ground-s, reserve and " +
		"teams"
	p := l.picture()
	for _, test := range []struct {
		area events.Area
		line events.Line
		want string
	}{
		{"", "", ""},
		{"north", "", ""},
		{"north", "ground-n", ""},
		{"nort", "", `area "nort": ` + areas + "; did you mean north?"},
		{"wset", "", `area "wset": ` + areas},
		{"east", "", `area "east": ` + areas},
		{"", "ground-m", `line "ground-m": ` + lines + "; did you mean ground-n?"},
		{"", "fleet", `line "fleet": ` + lines},
		{"", "gone", `line "gone": the requirement was cancelled: it decides nothing`},
		{"north", "ground-s",
			`line "ground-s": the requirement is in south, and this is for north: it decides nothing`},
		{"", "teams", `line "teams": the requirement asks for ground in team, and this is for ground in personnel: it decides nothing`},
	} {
		terms := pledgeTerms(5, inArea(test.area), inLine(test.line))
		offer := &events.PledgeOffered{Header: l.head("pledge.offered"), Place: place("FRA"),
			PledgeTerms: terms}
		correct := &events.PledgeCorrected{Header: l.head("pledge.corrected"), Place: place("FRA"),
			Terms: &terms}
		said := func(st events.Statement) (text string) {
			for _, w := range must[[]Warning](t)(p.Warnings(t.Context(), st)) {
				text += w.Field.String()
				equal(t, "of", w.Statement, st.Head().ID)
			}
			return text
		}
		equal(t, "offered", said(offer), test.want)
		if test.want != "" {
			equal(t, "corrected", said(correct), "terms."+test.want)
		}
		offer.Operation = "op-b"
		equal(t, "before there is any requirement", said(offer), "")
	}
}

// Who amends a pledge from a day on before that of which other terms are recorded is told until
// when that holds.
func TestWarningsOfLaterTerms(t *testing.T) {
	l := newTestLedger(t)
	fra := l.offer("FRA", 5)
	fra.amend(9, pledgeTerms(7))
	fra.amend(6, pledgeTerms(6))
	p := l.picture()
	for on, want := range map[int]string{
		5: `effective "2026-01-05": from 2026-01-06 on, what is recorded of that day holds`,
		6: `effective "2026-01-06": from 2026-01-09 on, what is recorded of that day holds`,
		9: "",
	} {
		text := ""
		for _, w := range must[[]Warning](t)(p.Warnings(t.Context(), &events.PledgeAmended{
			Header: l.head("pledge.amended"), Dated: dated(on), Place: place("FRA"),
			Pledge: fra.id, PledgeTerms: pledgeTerms(8)})) {
			text += w.Field.String()
		}
		equal(t, "warning", text, want)
	}
}
