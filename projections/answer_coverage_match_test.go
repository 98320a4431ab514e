package projections

import (
	"fmt"
	"testing"

	"muster/events"
)

// inLine makes a pledge name the requirement that it is meant for.
func inLine(line events.Line) func(*events.PledgeTerms) {
	return func(t *events.PledgeTerms) { t.Line = line }
}

func inArea(area events.Area) func(*events.PledgeTerms) {
	return func(t *events.PledgeTerms) { t.Area = area }
}

// A line without an area, that comes later, takes nothing from those that name one.
func TestALineWithoutAreaEmptiesNoOther(t *testing.T) {
	l := newTestLedger(t)
	l.need("north", 1000, func(r *events.RequirementTerms) { r.Area = "north" })
	l.need("reserve", 100, func(r *events.RequirementTerms) { r.From = day(10) })
	l.offer("POL", 900, inArea("north"))
	p := l.picture()
	const north = "north: 900/1000 gap 100 (POL 900)"
	equal(t, "the day before", summary(coverage(t, p, Moment{On: day(9)})), north)
	equal(t, "the day", summary(coverage(t, p, Moment{On: day(10)})),
		north+"; reserve: 0/100 gap 100 ()")
}

// place tells where a pledge of 5 from France counts: the line and what decided, or the reason and
// the lines at which it waits.
func placeOf(t *testing.T, p *Picture) string {
	t.Helper()
	c := coverage(t, p, Moment{})
	for _, line := range c.Lines {
		for _, one := range line.Counted {
			return fmt.Sprint(line.Line, " by ", one.By)
		}
	}
	waits := fmt.Sprint(c.NotCounted[0].Reason)
	for _, line := range c.Lines {
		if n, _ := line.Waiting.Number(); n > 0 {
			waits += fmt.Sprint(" ", line.Line, " ", n)
		}
	}
	return waits
}

func TestWhichLineAPledgeCountsFor(t *testing.T) {
	type line struct {
		name events.Line
		area events.Area
	}
	north, reserve := line{"north", "north"}, line{"reserve", ""}
	for _, test := range []struct {
		lines []line
		area  events.Area
		named events.Line
		want  string
	}{
		{[]line{north, reserve}, "north", "", "north by area"},
		{[]line{north, reserve}, "north", "reserve", "reserve by named"},
		{[]line{north, reserve}, "north", "north", "north by named"},
		{[]line{north}, "north", "reserve", "north by only-line"},
		{[]line{north, reserve}, "south", "", "reserve by only-line"},
		{[]line{north, reserve}, "south", "north", "reserve by only-line"},
		{[]line{north, reserve}, "nort", "", "reserve by only-line"},
		{[]line{north}, "nort", "", "no-line"},
		{[]line{north}, "nort", "north", "no-line"},
		{[]line{north}, "", "", "north by only-line"},
		{[]line{north, reserve}, "", "", "several-lines north 5 reserve 5"},
		{[]line{north, reserve}, "", "north", "north by named"},
		{[]line{north, reserve}, "", "nort", "several-lines north 5 reserve 5"},
		{[]line{north, {"north-2", "north"}, reserve}, "north", "",
			"several-lines north 5 north-2 5"},
		{[]line{north, {"north-2", "north"}, reserve}, "north", "north-2", "north-2 by named"},
		{[]line{reserve, {"pool", ""}}, "north", "", "several-lines pool 5 reserve 5"},
		{[]line{reserve, {"pool", ""}}, "north", "pool", "pool by named"},
		{[]line{reserve, {"pool", ""}, north}, "north", "", "north by area"},
	} {
		l := newTestLedger(t)
		for _, one := range test.lines {
			l.need(one.name, 10, func(r *events.RequirementTerms) { r.Area = one.area })
		}
		l.offer("FRA", 5, inArea(test.area), inLine(test.named))
		what := fmt.Sprintf("in %q for %q beside %v", test.area, test.named, test.lines)
		equal(t, what, placeOf(t, l.picture()), test.want)
	}
}

// A line of another operation, role or unit is not the one that is meant.
func TestANamedLineThatDoesNotFit(t *testing.T) {
	l := newTestLedger(t)
	l.open("op-b")
	l.need("ground", 10)
	l.need("teams", 10, func(r *events.RequirementTerms) { r.Unit = "team" })
	l.need("wings", 10, func(r *events.RequirementTerms) { r.Role, r.Unit = "air", "aircraft" })
	l.need("abroad", 10, func(r *events.RequirementTerms) { r.Operation = "op-b" })
	for _, named := range []events.Line{"teams", "wings", "abroad", "nowhere"} {
		one := l.upTo(l.Last())
		one.offer("FRA", 5, inLine(named))
		equal(t, "meant for "+string(named), placeOf(t, one.picture()), "ground by only-line")
	}
}

// What waits is told at each line that it fits, from the rung asked up, in its unit; and an unknown
// number is told beside.
func TestWhatWaitsForAnAllocation(t *testing.T) {
	l := newTestLedger(t)
	l.need("north", 1000, func(r *events.RequirementTerms) { r.Area = "north" })
	l.need("south", 1000, func(r *events.RequirementTerms) { r.Area = "south" })
	l.offer("FRA", 500).move("pledge.accepted", 2)
	l.offer("DEU", 70)
	l.offer("ITA", 0, func(t *events.PledgeTerms) { t.Quantity = events.Unknown })
	l.offer("ESP", 5, inArea("north"))
	l.offer("GBR", 900, func(t *events.PledgeTerms) { t.Presence = events.Reserve })
	l.offer("POL", 60, inArea("south")).allocate(2, "south", 40, events.Window{From: day(1)})
	p := l.picture()
	tell := func(m Moment) (told string) {
		for _, brief := range []bool{false, true} {
			m.On = day(20)
			c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{Brief: brief}))
			for _, line := range c.Lines {
				told += fmt.Sprintf("%s %s+%d; ", line.Line, line.Waiting, line.WaitingUnknown)
			}
		}
		return told
	}
	const offered, accepted = "north 570+1; south 590+1; ", "north 500+0; south 500+0; "
	equal(t, "offered", tell(Moment{}), offered+offered)
	equal(t, "accepted", tell(Moment{Rung: Accepted}), accepted+accepted)
}

// What could fill a gap is what would count for the line, or waits at it.
func TestWhatCouldFillAGap(t *testing.T) {
	l := newTestLedger(t)
	l.need("north", 1000, func(r *events.RequirementTerms) { r.Area = "north" })
	l.need("reserve", 100)
	l.indicate("POL", 1, 30)
	l.indicate("DEU", 1, 40)
	l.offer("FRA", 7, inArea("north"), func(t *events.PledgeTerms) { t.Presence = events.Reserve })
	l.offer("GBR", 8)
	l.offer("ESP", 9, inLine("reserve"), func(t *events.PledgeTerms) {
		t.Quantity = events.Unknown
	})
	told := ""
	for _, g := range must[Gaps](t)(l.picture().Gaps(t.Context(), Moment{On: day(20)},
		CoverageFilter{})).Gaps {
		told += fmt.Sprintf("%s waits %s, could", g.Line, g.Waiting)
		for _, n := range g.Could {
			told += fmt.Sprintf(" %s %s", n.Nation, n.Reason)
		}
		told += "; "
	}
	equal(t, "gaps", told,
		"north waits 8, could POL below-rung DEU below-rung FRA reserve GBR several-lines; "+
			"reserve waits 8, could POL below-rung DEU below-rung GBR several-lines ESP "+
			"unknown-quantity; ")
}
