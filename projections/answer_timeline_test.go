package projections

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
)

// Every day of a time line, at each rung and in any world, is what coverage says of that day.
func TestTimelineEqualsCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := s.picture()
		m := s.moment()
		m.WhatIf = rapid.SampledFrom([]*WhatIf{nil, {Without: []events.Nation{"FRA"}},
			{WithoutConditional: true}, {Discharge: []string{"parliament"}}}).Draw(t, "what if")
		days := events.Window{From: day(rapid.IntRange(1, 10).Draw(t, "from")),
			Until: day(rapid.IntRange(10, 31).Draw(t, "until"))}
		for _, step := range Steps() {
			line := must[Timeline](t)(p.Timeline(t.Context(), m,
				TimelineFilter{Days: days, Step: step}))
			for m.On = days.From; m.On <= days.Until; m.On = m.On.AddDays(1) {
				want := coverageByLine(t, p, m)
				for _, l := range line.Lines {
					compareDay(t, p, m, l, step, want)
				}
			}
		}
	})
}

func coverageByLine(t *rapid.T, p *Picture, m Moment) map[events.Line]LineCoverage {
	all := map[events.Line]LineCoverage{}
	for _, l := range must[Coverage](t)(p.Coverage(context.Background(), m,
		CoverageFilter{Brief: true})).Lines {
		all[l.Line] = l
	}
	return all
}

func compareDay(t *rapid.T, p *Picture, m Moment, l LineTimeline, step Step,
	want map[events.Line]LineCoverage) {
	for _, pt := range l.Points {
		if m.On < pt.From || m.On > pt.Until {
			continue
		}
		c, inForce := want[l.Line]
		if gap, _ := c.Gap.Number(); gap > number(pt.Gap) || inForce && !pt.InForce {
			t.Fatalf("%s on %s lacks %d, and by %s at most %s on %s", l.Line, m.On, gap, step,
				pt.Gap, pt.Day)
		}
		if gap, _ := c.Gap.Number(); inForce && gap == number(pt.Gap) &&
			number(c.Supply) < number(pt.Supply) {
			t.Fatalf("%s has less on %s than on %s", l.Line, m.On, pt.Day)
		}
		if steady := step == ByChange || step == ByDay; steady && inForce != pt.InForce ||
			pt.Day != m.On && (!steady || !inForce) {
			continue
		}
		told := fmt.Sprint(pt.Required, " ", pt.Supply, " ", pt.Gap, " ", pt.Unknown, " waiting ",
			pt.Waiting, "+", pt.WaitingUnknown)
		if says := fmt.Sprint(c.Required, " ", c.Supply, " ", c.Gap, " ", c.Unknown, " waiting ",
			c.Waiting, "+", c.WaitingUnknown); told != says {
			t.Fatalf("%s as of %d on %s at %s by %s: %s, and coverage says %s", l.Line, m.AsOf,
				m.On, m.Rung, step, told, says)
		}
		for i, r := range c.Rungs {
			if r.Supply != pt.Rungs[i] {
				t.Fatalf("%s on %s at %s: %s, and coverage says %s", l.Line, m.On, r.Rung,
					pt.Rungs[i], r.Supply)
			}
		}
	}
}

func number(q events.Quantity) int64 { n, _ := q.Number(); return n }

// A pledge of which some is allocated, and has not said since how much it is, is unknown beyond
// that on each of its days, as coverage says.
func TestTimelineOfAnUnknownRest(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.offer("FRA", 60)
	p.allocate(1, "west", 40, events.Window{From: day(1)})
	unknown := pledgeTerms(60)
	unknown.Quantity = events.Unknown
	p.amend(2, unknown)
	picture := l.picture()
	line := must[Timeline](t)(picture.Timeline(t.Context(), Moment{},
		TimelineFilter{Days: events.Window{From: day(1), Until: day(3)}, Step: ByDay})).Lines[0]
	for i, pt := range line.Points {
		c := must[Coverage](t)(picture.Coverage(t.Context(), Moment{On: day(i + 1)},
			CoverageFilter{})).Lines[0]
		equal(t, fmt.Sprint("day ", i+1), fmt.Sprint(pt.Supply, " ", pt.Unknown),
			fmt.Sprint(c.Supply, " ", c.Unknown))
	}
	equal(t, "on the third day", line.Points[2].Unknown, 1)
}

func TestTimelineDays(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.offer("FRA", 40, func(t *events.PledgeTerms) { t.From, t.Until = day(3), day(9) })
	p := l.picture()
	told := func(step Step) (text string) {
		for _, pt := range must[Timeline](t)(p.Timeline(t.Context(), Moment{},
			TimelineFilter{Days: events.Window{From: day(1), Until: 2026_02_15},
				Step: step})).Lines[0].Points {
			text += fmt.Sprint(pt.From, "-", pt.Until, " ", pt.Supply, "/", pt.Required, " lacks ",
				pt.Gap, " on ", pt.Day, "; ")
		}
		return text
	}
	equal(t, "changes", told(ByChange),
		"2026-01-01-2026-01-02 0/100 lacks 100 on 2026-01-01; 2026-01-03-2026-01-09 40/100 "+
			"lacks 60 on 2026-01-03; 2026-01-10-2026-02-15 0/100 lacks 100 on 2026-01-10; ")
	equal(t, "months", told(ByMonth),
		"2026-01-01-2026-01-31 0/100 lacks 100 on 2026-01-01; 2026-02-01-2026-02-15 0/100 lacks "+
			"100 on 2026-02-01; ")
	// 2026-01-01 is a Thursday, 2026-02-15 a Sunday
	equal(t, "weeks", strings.Count(told(ByWeek), ";"), 7)
	for _, w := range []events.Window{{From: day(9), Until: day(8)},
		{From: 2000_01_01, Until: 2021_01_01}} {
		if _, err := p.Timeline(t.Context(), Moment{},
			TimelineFilter{Days: w, Step: ByDay}); !problem.Is(err, problem.Invalid) {
			t.Errorf("%v: %v", w, err)
		}
	}
}

// A rotation has a gap, none, or days on which both are there, whichever of the two names the
// other.
func TestHandOvers(t *testing.T) {
	l := newTestLedger(t)
	window := func(from, until int, change ...func(*events.PledgeTerms)) func(*events.PledgeTerms) {
		return func(t *events.PledgeTerms) {
			t.From, t.Until = day(from), day(until)
			for _, c := range change {
				c(t)
			}
		}
	}
	first := l.offer("FRA", 10, window(1, 5))
	second := l.offer("DEU", 10, window(8, 12, func(t *events.PledgeTerms) {
		t.Predecessor = first.id
	}))
	third := l.offer("ITA", 10, window(12, 20))
	terms := pledgeTerms(10, window(8, 12, func(t *events.PledgeTerms) {
		t.Predecessor, t.Successor = first.id, third.id
	}))
	second.amend(1, terms)
	l.offer("ESP", 10, window(21, 28, func(t *events.PledgeTerms) { t.Predecessor = third.id }))
	gone := l.offer("PRT", 10, window(21, 28, func(t *events.PledgeTerms) {
		t.Predecessor = third.id
	}))
	gone.move("pledge.withdrawn", 1)
	text := ""
	for _, h := range must[Timeline](t)(l.picture().Timeline(t.Context(), Moment{},
		TimelineFilter{Days: events.Window{From: day(1), Until: day(28)},
			Step: ByChange})).HandOvers {
		text += fmt.Sprint(h.FromBy, " ", h.Ends, " ", h.ToBy, " ", h.Begins, " ", h.Days, "; ")
	}
	equal(t, "hand-overs", text,
		"FRA 2026-01-05 DEU 2026-01-08 2; DEU 2026-01-12 ITA 2026-01-12 -1; ITA 2026-01-20 ESP "+
			"2026-01-21 0; ")
}

// A stretch is shown by its worst day, and says which; days on which the line is not in force play
// no part.
func TestTimelineShowsTheWorstDay(t *testing.T) {
	l := newTestLedger(t)
	l.need("south", 100, func(t *events.RequirementTerms) {
		t.From, t.Until, t.Essential = 2026_02_10, 2026_04_15, true
	})
	l.offer("FRA", 60)
	l.offer("DEU", 50, func(t *events.PledgeTerms) { t.Until = 2026_03_15 })
	told := ""
	of := TimelineFilter{Days: events.Window{From: day(1), Until: 2026_05_31}, Step: ByMonth}
	for _, pt := range must[Timeline](t)(l.picture().Timeline(t.Context(), Moment{},
		of)).Lines[0].Points {
		told += pt.From.String()[:7] + ": not in force; "
		if pt.InForce {
			told = strings.TrimSuffix(told, "not in force; ") + fmt.Sprint(pt.Supply, "/",
				pt.Required, " ", *pt.Fill, "% lacks ", pt.Gap, " on ", pt.Day, "; ")
		}
	}
	equal(t, "months", told, "2026-01: not in force; 2026-02: 110/100 110% lacks 0 on 2026-02-10; "+
		"2026-03: 60/100 60% lacks 40 on 2026-03-16; 2026-04: 60/100 60% lacks 40 on "+
		"2026-04-01; 2026-05: not in force; ")
}

// Where one line is asked for, the rotations are those that may be of its supply.
func TestHandOversOfALine(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 10, func(t *events.RequirementTerms) { t.Area = "west" })
	l.need("east", 10, func(t *events.RequirementTerms) { t.Area = "east" })
	rotate := func(area events.Area, from, to events.Nation) (first testPledge) {
		first = l.offer(from, 10, func(t *events.PledgeTerms) { t.Area, t.Until = area, day(9) })
		l.offer(to, 10, func(t *events.PledgeTerms) {
			t.Area, t.From, t.Predecessor = area, day(12), first.id
		})
		return first
	}
	rotate("west", "FRA", "DEU")
	rotate("east", "ITA", "ESP")
	either := rotate("", "POL", "NOR")
	told := func(line events.Line) (text string) {
		f := TimelineFilter{Line: line, Days: events.Window{From: day(1), Until: day(28)},
			Step: ByChange}
		for _, h := range must[Timeline](t)(l.picture().Timeline(t.Context(), Moment{},
			f)).HandOvers {
			text += string(h.FromBy) + " "
		}
		return text
	}
	equal(t, "all", told(""), "FRA ITA POL ")
	equal(t, "west", told("west"), "FRA POL ")
	either.allocate(1, "east", 10, events.Window{From: day(1)})
	equal(t, "west without what is allocated elsewhere", told("west"), "FRA POL ")
	equal(t, "east", told("east"), "ITA POL ")
}

// A sum beyond the largest number is the largest number, on a date, over time and in a range, as in
// every sum.
func TestSumsBeyondTheLargestNumber(t *testing.T) {
	l := newTestLedger(t)
	asOf := l.need("west", events.MaxCount)
	l.open("op-b") // what is asked as of an earlier record is taken from the table
	p := l.picture()
	full := version{amounts: amounts{promised: events.MaxCount, rung: Offered}}
	full.promisedKind = p.kindOf(kind{p.operations["op-a"], "ground", "", "", "personnel"})
	full.presentKind, full.nation = full.promisedKind, uint16(p.nations.of("FRA"))
	const pledges = 1100 // 1,024 of them are more than there are numbers
	for range pledges {
		p.versions.add(1, stretch{day(2), day(5)}, full)
	}
	most := events.Unit("personnel").Of(math.MaxInt64)
	w := events.Window{From: day(1), Until: day(9)}
	points := must[Timeline](t)(p.Timeline(t.Context(), Moment{},
		TimelineFilter{Days: w, Step: ByChange})).Lines[0].Points
	told := ""
	for _, pt := range points {
		told += fmt.Sprint(pt.Supply, " ", pt.Rungs[0] == pt.Supply, "; ")
	}
	equal(t, "over time", told, fmt.Sprint("0 true; ", most, " true; 0 true; "))
	for _, m := range []Moment{{On: day(3), AsOf: asOf}, {On: day(3), Until: day(4), AsOf: asOf}} {
		equal(t, "coverage", must[Coverage](t)(p.Coverage(t.Context(), m,
			CoverageFilter{Brief: true})).Lines[0].Supply, most)
		equal(t, "strength", must[Strength](t)(p.Strength(t.Context(), m, Filter{},
			nil)).Totals[0].Quantity, most)
	}
}
