package projections

import (
	"strings"
	"testing"
	"unicode/utf8"

	"muster/events"
)

// What is told of an amount goes with how much there is of it, and whose it is.
func TestAmounts(t *testing.T) {
	for _, test := range []struct {
		quantity events.Quantity
		unit     events.Unit
		nation   events.Nation
		says     string
	}{
		{events.Count(1), "ship", "FRA", "1 ship; France's 1 ship was, hangs"},
		{events.Count(2), "team", "NLD", "2 teams; The Netherlands' 2 teams were, hang"},
		{events.Count(0), "battery", "DEU", "0 batteries; Germany's 0 batteries were, hang"},
		{events.Count(1200), "personnel", "ALA",
			"1,200 personnel; The Åland Islands' 1,200 personnel were, hang"},
		{events.Count(1), "personnel", "USA",
			"1 personnel; The United States' 1 personnel was, hangs"},
		{events.Unknown, "aircraft", "FIN",
			"an unknown number of aircraft; Finland's unknown number of aircraft was, hangs"},
		{events.Unknown, "cell", "FIN",
			"an unknown number of cells; Finland's unknown number of cells was, hangs"},
		{events.Unknown, "EUR", "PHL",
			"an unknown amount of EUR; The Philippines' unknown amount of EUR was, hangs"},
		{events.Unit("EUR").Of(250), "EUR", "SWE", "2.50 EUR; Sweden's 2.50 EUR were, hang"},
	} {
		a := amount{quantity: test.quantity, unit: test.unit}
		owner := events.Called{Nation: test.nation, English: test.nation.Named()}
		equal(t, "an amount", a.String()+"; "+a.of(owner).String()+" "+a.does("were")+", "+
			a.does("hang"), test.says)
	}
}

// Every sentence about one ship of a nation whose name begins with two bytes and ends with an s.
func TestSentences(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	one := l.offer("ALA", 1, func(t *events.PledgeTerms) {
		t.Unit, t.Until, t.NoticeToMove = "team", day(20), new(int)
		*t.NoticeToMove = 1
	})
	one.condition("condition.added", 2, "vote")
	accepted := l.offer("FIN", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
	accepted.move("pledge.accepted", 2)
	p := l.picture()
	var all []string
	for _, d := range must[Dues](t)(p.Due(t.Context(), Moment{On: day(9)}, Filter{}, 30)).Due {
		all = append(all, d.Sentence)
	}
	for _, e := range must[[]LifeEvent](t)(p.Life(t.Context(), Moment{On: day(9)}, one.id)) {
		all = append(all, e.Sentence)
	}
	c := must[Coverage](t)(p.Coverage(t.Context(), Moment{On: day(9)},
		CoverageFilter{Beside: true}))
	for _, n := range c.NotCounted {
		all = append(all, n.Sentence)
	}
	said := strings.Join(all, "\n")
	for _, want := range []string{
		"Åland Islands' 1 team for ground was offered on 2026-01-01 and waits for the coordinators",
		"Åland Islands' 1 team for ground hangs on vote",
		"Finland's unknown number of personnel for ground was accepted on 2026-01-02, no " +
			"condition is open, and Finland has not confirmed it: muster pledge confirm",
		"Åland Islands' 1 team for ground ends on 2026-01-20, and no pledge is there to relieve " +
			"it.",
		"Åland Islands offers 1 team for ground, 2026-01-01 to 2026-01-20, at 1 day's notice",
		"Åland Islands pledges 1 team for ground, and west counts personnel.",
	} {
		if !strings.Contains(said, want) || !utf8.ValidString(said) {
			t.Errorf("nobody says %q in\n%q", want, said)
		}
	}
}

// A sentence of a review writes all numbers alike, and speaks of a part of a pledge as of one
// thing.
func TestReviewSentences(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	l.need("east", 1000, func(t *events.RequirementTerms) { t.Area = "east" })
	l.offer("NLD", 3200, func(t *events.PledgeTerms) { t.Line = "west" })
	set := l.offer("PHL", 1500, func(t *events.PledgeTerms) { t.Area = "east" })
	set.allocate(1, "east", 1500, events.Window{From: day(1)})
	set.amend(3, events.PledgeTerms{Role: "ground", Quantity: events.Unknown, Unit: "personnel",
		Window: events.Window{From: day(1)}})
	l.offer("DEU", 2, func(t *events.PledgeTerms) { t.Unit = "team" })
	said := ""
	for _, f := range must[Review](t)(l.picture().Review(t.Context(), Moment{On: day(9)},
		Filter{})).Findings {
		said += f.Sentence + "\n"
	}
	for _, want := range []string{
		"west has 2,200 personnel more than the 1,000 that it needs: ",
		"Philippines' pledge does not say of how much it is any more, and 1,500 personnel of it " +
			"is set against east: release that, or ask the nation.",
		"Germany pledges 2 teams for ground, and east and west count personnel.",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody says %q in\n%s", want, said)
		}
	}
}
