package projections

import (
	"testing"

	"muster/events"
)

func TestNotCounted(t *testing.T) {
	for _, test := range []struct {
		name    string
		arrange func(l *testLedger)
		rung    Rung
		want    string
		says    string
	}{
		{"reserve", func(l *testLedger) {
			l.offer("POL", 400, func(t *events.PledgeTerms) { t.Presence = events.Reserve })
		}, 0, "POL 400 personnel reserve west",
			"Poland holds 400 personnel for ground in reserve, and a reserve is no supply."},
		{"failed condition", func(l *testLedger) {
			p := l.offer("DEU", 100)
			p.condition("condition.added", 1, "bundestag")
			p.condition("condition.failed", 5, "bundestag")
		}, 0, "DEU 100 personnel condition-failed west",
			"Germany's 100 personnel for ground hang on bundestag, which will not happen."},
		{"below the rung", func(l *testLedger) {
			l.offer("FRA", 1200).move("pledge.accepted", 2)
		}, Confirmed, "FRA 1200 personnel below-rung west",
			"France's 1,200 personnel for ground are accepted, and not yet confirmed."},
		{"indicated only", func(l *testLedger) {
			l.indicate("FRA", 1, 5)
		}, 0, "FRA 5 personnel below-rung west",
			"France's 5 personnel for ground are indicated, and not yet offered."},
		{"unknown quantity", func(l *testLedger) {
			l.offer("GBR", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
		}, 0, "GBR unknown personnel unknown-quantity west",
			"The United Kingdom pledges an unknown number of personnel for ground: how much is " +
				"not known, and unknown is not 0."},
		{"several lines", func(l *testLedger) {
			l.need("east", 10, func(t *events.RequirementTerms) { t.Area = "east"; t.Priority = 2 })
			l.offer("ITA", 7)
		}, 0, "ITA 7 personnel several-lines west and east",
			"Italy's 7 personnel for ground fit the lines west and east: the line that it is " +
				"meant for, an area or an allocation would say which of them."},
		{"other unit", func(l *testLedger) {
			l.offer("HRV", 2, func(t *events.PledgeTerms) { t.Unit = "team" })
		}, 0, "HRV 2 team other-unit west",
			"Croatia pledges 2 teams for ground, and west counts personnel."},
		{"no line for the role", func(l *testLedger) {
			l.offer("ESP", 4, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
		}, 0, "ESP 4 aircraft no-line",
			"Spain pledges 4 aircraft for air, and no requirement in force asks for that."},
		{"no line for the area", func(l *testLedger) {
			l.offer("ESP", 4, func(t *events.PledgeTerms) { t.Area = "south" })
		}, 0, "ESP 4 personnel no-line",
			"Spain pledges 4 personnel for ground in south, and no requirement in force asks " +
				"for that."},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newTestLedger(t)
			l.need("west", 1000, func(t *events.RequirementTerms) { t.Area = "west" })
			test.arrange(l)
			c := coverage(t, l.picture(), Moment{Rung: test.rung})
			equal(t, "reasons", reasons(c), test.want)
			if len(c.NotCounted) == 1 {
				equal(t, "sentence", c.NotCounted[0].Sentence, test.says)
			}
			equal(t, "supply", c.Lines[0].Supply.String(), "0")
		})
	}
}

func TestUnknownIsToldBesideTheLine(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	l.offer("GBR", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
	l.offer("FRA", 10)
	line := coverage(t, l.picture(), Moment{}).Lines[0]
	equal(t, "supply", line.Supply.String(), "10")
	equal(t, "unknown", line.Unknown, 1)
}
