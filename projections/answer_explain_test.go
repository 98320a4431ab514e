package projections

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
)

// tellParts writes parts in few words.
func tellParts(parts []Part) (text string) {
	for _, part := range parts {
		text += fmt.Sprint(part.Nation, " ", part.Quantity, " ", part.Line, part.Reason,
			part.Sequences, "; ")
	}
	return text
}

func TestExplainCoverage(t *testing.T) {
	l := newTestLedger(t)
	issued := l.need("west", 100, func(t *events.RequirementTerms) { t.Area = "west" })
	l.need("east", 50, func(t *events.RequirementTerms) { t.Area = "east" })
	in := func(area events.Area) func(*events.PledgeTerms) {
		return func(t *events.PledgeTerms) { t.Area = area }
	}
	fra := l.offer("FRA", 60, in("west"))
	lowered := fra.amend(2, pledgeTerms(40, in("west")))
	deu := l.offer("DEU", 30, in("east"))
	pol := l.offer("POL", 15)
	esp := l.offer("ESP", 9, in("west"))
	gone := esp.move("pledge.withdrawn", 3)
	air := l.offer("NOR", 2, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
	p := l.picture()
	e := must[Explanation](t)(p.ExplainCoverage(t.Context(), Moment{On: day(9)}, "", "west"))
	equal(t, "supply", fmt.Sprint(e.Sums), "[{40 personnel }]")
	equal(t, "parts", tellParts(e.Parts), fmt.Sprintf("FRA 40 west[%d %d]; ", fra.seq, lowered))
	equal(t, "not counted", tellParts(e.NotCounted),
		fmt.Sprintf("DEU 30 other-line[%d]; ESP 9 withdrawn[%d %d]; POL 15 several-lines[%d]; ",
			deu.seq, esp.seq, gone, pol.seq))
	text := ""
	for _, r := range e.Records {
		text += fmt.Sprint(r.Sequence, " ", r.Signer, ": ", r.Sentence, "; ")
	}
	equal(t, "records", text,
		fmt.Sprintf("%d HQ/founder: The coordinators ask for 100 personnel for ground in west, "+
			"from 2026-01-01, priority 1, as west; %d FRA/liaison: France offers 60 personnel "+
			"for ground in west, from 2026-01-01; %d FRA/liaison: France changes it to 40 "+
			"personnel for ground in west, from 2026-01-01; ", issued, fra.seq, lowered))
	if _, err := p.ExplainCoverage(t.Context(), Moment{}, "", "north"); err == nil ||
		err.Error() != "there is no requirement north" {
		t.Error(err)
	}
	_ = air
}

func TestExplainStrength(t *testing.T) {
	l, p := newForce(t)
	p["POL"].move("pledge.accepted", 3)
	picture := l.picture()
	e := must[Explanation](t)(picture.ExplainStrength(t.Context(),
		Moment{On: day(9), Rung: Accepted}, Filter{Role: "ground"}))
	equal(t, "sums", fmt.Sprint(e.Sums), "[{85 personnel }]")
	equal(t, "parts", len(e.Parts), 2)
	equal(t, "who", e.Parts[1].Nation, "POL")
	for _, n := range e.NotCounted {
		if n.Sentence == "" || n.Reason == "" || len(n.Sequences) == 0 {
			t.Errorf("says too little: %+v", n)
		}
	}
}

// Whatever is made up, the parts add up to the number, and every pledge that is there for the role
// is told of.
func TestExplainEqualsCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.moment()
		c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
		for _, l := range c.Lines {
			e := must[Explanation](t)(p.ExplainCoverage(t.Context(), m, "", l.Line))
			sum, told := int64(0), map[events.ID]bool{}
			for _, part := range e.Parts {
				n, _ := part.Quantity.Number()
				sum += n
				told[part.Pledge] = true
			}
			for _, part := range e.NotCounted {
				told[part.Pledge] = true
			}
			equal(t, "supply", l.Unit.Of(sum), l.Supply)
			equal(t, "parts", len(e.Parts), len(l.Counted))
			for _, n := range c.NotCounted {
				if n.Role == l.Role && !told[n.Pledge] {
					t.Errorf("%s is not told of: %s", n.Pledge, n.Sentence)
				}
			}
		}
		if st := must[Strength](t)(p.Strength(t.Context(), m, Filter{}, nil)); len(st.Totals) > 0 {
			e := must[Explanation](t)(p.ExplainStrength(t.Context(), m, Filter{}))
			total := map[events.Unit]int64{}
			for _, part := range e.Parts {
				n, _ := part.Quantity.Number()
				total[part.Unit] += n
			}
			for _, row := range st.Totals {
				if n, known := row.Quantity.Number(); known && n != total[row.Unit] {
					t.Errorf("the parts make %d %s, and the sum is %d",
						total[row.Unit], row.Unit, n)
				}
			}
		}
	})
}

// The names of the requirements that there are do not end without a sign.
func TestExplainTellsHowManyLinesMoreThereAre(t *testing.T) {
	l := newTestLedger(t)
	for i := range 41 {
		l.need(events.Line(fmt.Sprintf("line-%02d", i)), 10)
	}
	_, err := l.picture().ExplainCoverage(t.Context(), Moment{}, "op-a", "none")
	if hint := problem.From(err).Hint; !strings.HasSuffix(hint, "line-28, line-29 and 11 more") {
		t.Error(hint)
	}
}
