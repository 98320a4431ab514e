package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

func TestProposer(t *testing.T) {
	id := func(n byte) events.ID {
		one, err := events.IDAt(1, [10]byte{9: n})
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	line := func(name events.Line, area events.Area, essential bool, required, gap int64,
		w events.Window) LineCoverage {
		return LineCoverage{Requirement: Requirement{Operation: "op", Line: name, Role: "ground",
			Area: area, Required: events.Count(required), Unit: "personnel", Priority: 1,
			Essential: essential, Window: w}, Gap: events.Count(gap)}
	}
	pledge := func(n byte, quantity int64, area events.Area, w events.Window) Pledge {
		return Pledge{ID: id(n), Operation: "op", Nation: "FRA", Role: "ground", Unit: "personnel",
			Quantity: events.Count(quantity), Rung: Offered, Area: area, Window: w, State: Live}
	}
	waits := func(p Pledge, why Reason, lines ...events.Line) NotCounted {
		return NotCounted{Pledge: p.ID, Operation: "op", Nation: p.Nation, Role: p.Role,
			Area: p.Area, Quantity: p.Quantity, Unit: p.Unit, Rung: p.Rung, Reason: why,
			Lines: lines}
	}
	open := events.Window{From: 2027_01_01}
	west := line("west", "west", true, 5000, 3000, events.Window{From: 2027_01_01,
		Until: 2027_12_31})
	pool := line("pool", "", false, 2000, 2000, open)
	anywhere := pledge(1, 2500, "", events.Window{From: 2026_01_01, Until: 2028_06_30})
	forWest := pledge(2, 1000, "west", open)
	partly := pledge(3, 900, "west", open)
	partly.Allocations = []Allocation{{ID: id(9), Line: "west", Quantity: events.Count(600),
		Window: events.Window{From: 2027_06_01}}}
	unknown := pledge(4, 1, "west", open)
	unknown.Quantity = events.Unknown

	propose := func(by Matching, c Coverage) *Proposer {
		p := &Proposer{By: by, From: 2026_12_01, Pledges: map[events.ID]Pledge{}}
		for _, one := range []Pledge{anywhere, forWest, partly, unknown} {
			p.Pledges[one.ID] = one
		}
		p.Day(&c)
		return p
	}
	short := func(p *Proposer) string {
		var all []string
		for _, one := range p.All {
			all = append(all, fmt.Sprintf("%s %s %s..%s lacks %s then %s", one.Line, one.Quantity,
				one.From, one.Until, one.Before, one.After))
		}
		return strings.Join(all, "; ")
	}
	c := Coverage{Basis: Basis{On: 2027_07_01}, Lines: []LineCoverage{pool, west},
		NotCounted: []NotCounted{waits(anywhere, SeveralLines, "pool", "west"),
			waits(forWest, SeveralLines, "west", "west-2"), waits(partly, NotAllocated, "west"),
			waits(unknown, SeveralLines, "west", "west-2")}}
	p := propose(MatchArea, c)
	equal(t, "the essential line first, what names its area, then what is left", short(p),
		"west 300 2027-01-01..2027-12-31 lacks 3000 then 2700; "+
			"west 1000 2027-01-01..2027-12-31 lacks 2700 then 1700; "+
			"west 1700 2027-01-01..2027-12-31 lacks 1700 then 0; "+
			"pool 800 2027-01-01..2028-06-30 lacks 2000 then 1200")
	equal(t, "why", p.All[2].Why, "west lacks 1,700 of 5,000 on 2027-07-01 (essential, "+
		"priority 1): it fits 2 lines, of which this one is the most urgent")

	slices.Reverse(c.Lines)
	slices.Reverse(c.NotCounted)
	equal(t, "in whatever order it is told", short(propose(MatchArea, c)), short(p))
	before := len(p.All)
	p.Day(&c)
	equal(t, "what was proposed is taken into account", len(p.All), before)

	forWest.Line, anywhere.Line = "west", "west"
	west.Gap = events.Count(0)
	west.Counted = []Counted{{Pledge: forWest.ID, Quantity: events.Count(1000), By: ByName},
		{Pledge: id(8), Quantity: events.Count(4300), By: ByAllocation}}
	c = Coverage{Basis: Basis{On: 2027_07_01}, Lines: []LineCoverage{pool, west}}
	equal(t, "by name, what counts already", short(propose(MatchLine, c)),
		"west 700 2027-01-01..2027-12-31 lacks 700 then 0")
}
