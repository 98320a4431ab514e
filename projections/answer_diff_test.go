package projections

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// tellDiff writes a diff in few words.
func tellDiff(d Diff) string {
	var all []string
	for _, l := range d.Lines {
		s := fmt.Sprint(l.Line, ":")
		if l.From != nil {
			s += fmt.Sprint(" ", l.From.Supply, "/", l.From.Required)
		}
		s += " ->"
		if l.To != nil {
			s += fmt.Sprint(" ", l.To.Supply, "/", l.To.Required)
		}
		for _, n := range l.Nations {
			s += fmt.Sprint(" ", n.Nation, " ", n.From, "->", n.To)
		}
		for _, r := range l.Records {
			s += fmt.Sprint(" by ", r.Sequence)
		}
		all = append(all, s)
	}
	for _, p := range d.Pledges {
		s := string(p.Nation) + ":"
		if p.From != nil {
			s += " " + p.From.tell()
		}
		s += " ->"
		if p.To != nil {
			s += " " + p.To.tell()
		}
		for _, r := range p.Records {
			s += fmt.Sprint(" by ", r.Sequence)
		}
		for _, c := range p.Calendar {
			s += fmt.Sprint(" on ", c.On)
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

func (s *PledgeStand) tell() string {
	text := fmt.Sprint(s.State, " ", s.Rung)
	for _, at := range s.Places {
		text += fmt.Sprint(" ", at.Quantity, " ", at.Line, at.Reason)
	}
	return text
}

func TestDiff(t *testing.T) {
	l := newTestLedger(t)
	west := l.need("west", 100)
	fra := l.offer("FRA", 60)
	deu := l.offer("DEU", 30)
	before := l.Last()
	accepted := fra.move("pledge.accepted", 2)
	lowered := fra.amend(3, pledgeTerms(50))
	gone := deu.move("pledge.withdrawn", 3)
	pol := l.offer("POL", 15)
	raised := l.revise(4, events.RequirementTerms{Operation: "op-a", Line: "west", Role: "ground",
		Quantity: events.Count(120), Unit: "personnel",
		Window: events.Window{From: day(1)}, Priority: 1})
	mended := pol.correct(pol.seq, 1, func(c *events.PledgeCorrected) {
		terms := pledgeTerms(12)
		c.Terms = &terms
	})
	p := l.picture()
	ask := func(from, to Moment) string {
		return tellDiff(must[Diff](t)(p.Diff(t.Context(), from, to, Filter{})))
	}

	equal(t, "two records", ask(Moment{AsOf: before, On: day(9)}, Moment{On: day(9)}), fmt.Sprintf(
		"west: 90/100 -> 62/120 DEU 30-> FRA 60->50 POL ->12 by %d; "+
			"DEU: live offered 30 west -> withdrawn offered 30 withdrawn by %d; "+
			"FRA: live offered 60 west -> live accepted 50 west by %d by %d; "+
			"POL: -> live offered 12 west by %d by %d", raised, gone, accepted, lowered,
		pol.seq, mended))
	equal(t, "the correction alone", ask(Moment{AsOf: mended - 1, On: day(9)}, Moment{On: day(9)}),
		fmt.Sprintf(
			"west: 65/120 -> 62/120 POL 15->12; POL: live offered 15 west -> live offered 12 "+
				"west by %d", mended))
	equal(t, "two dates", ask(Moment{On: day(2)}, Moment{On: day(3)}), fmt.Sprintf(
		"west: 102/100 -> 62/100 DEU 30-> FRA 60->50; DEU: live offered 30 west -> withdrawn "+
			"offered 30 withdrawn by %d; FRA: live accepted 60 west -> live accepted 50 west by %d",
		gone, lowered))
	equal(t, "the requirement alone", ask(Moment{On: day(3)}, Moment{On: day(4)}),
		fmt.Sprintf("west: 62/100 -> 62/120 by %d", raised))
	equal(t, "backwards", ask(Moment{On: day(4)}, Moment{On: day(3)}),
		fmt.Sprintf("west: 62/120 -> 62/100 by %d", raised))
	equal(t, "nothing", ask(Moment{On: day(9)}, Moment{On: day(10)}), "")
	_ = west

	one := must[Diff](t)(p.Diff(t.Context(), Moment{AsOf: before, On: day(9)}, Moment{On: day(9)},
		Filter{Nation: "DEU"}))
	equal(t, "one nation's", tellDiff(one),
		fmt.Sprintf("west: 90/100 -> 62/120 DEU 30-> by %d; DEU: live offered 30 west -> "+
			"withdrawn offered 30 withdrawn by %d", raised, gone))
	r := one.Pledges[0].Records[0]
	equal(t, "who", r.Signer, "DEU/liaison")
	equal(t, "when", fmt.Sprint(r.Effective), fmt.Sprint(day(3)))
	equal(t, "what", r.Sentence, "Germany withdraws it")
	equal(t, "who asked for more",
		must[Diff](t)(p.Diff(t.Context(), Moment{On: day(3)}, Moment{On: day(4)},
			Filter{})).Lines[0].Records[0].Signer, "HQ/founder")
}

func TestDiffByTheCalendar(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100, func(t *events.RequirementTerms) { t.Until = day(20) })
	l.offer("FRA", 60, func(t *events.PledgeTerms) { t.From, t.Until = day(5), day(10) })
	l.offer("DEU", 30, func(t *events.PledgeTerms) { t.Expires = day(7) })
	p := l.picture()
	ask := func(from, to int) string {
		d := must[Diff](t)(p.Diff(t.Context(), Moment{On: day(from)},
			Moment{On: day(to)}, Filter{}))
		text := tellDiff(d)
		for _, l := range d.Lines {
			for _, c := range l.Calendar {
				text += fmt.Sprintf("[{%s %s}]", c.On, c.Sentence)
			}
		}
		return text
	}
	equal(t, "begins", ask(4, 5),
		"west: 30/100 -> 90/100 FRA ->60; FRA: live offered 60 window-ahead -> live offered 60 "+
			"west on 2026-01-05")
	equal(t, "lapses", ask(7, 8),
		"west: 90/100 -> 60/100 DEU 30->; DEU: live offered 30 west -> lapsed offered 30 lapsed "+
			"on 2026-01-08")
	equal(t, "ends", ask(10, 11),
		"west: 60/100 -> 0/100 FRA 60->; FRA: live offered 60 west -> live offered 60 "+
			"window-over on 2026-01-11")
	equal(t, "the requirement's", ask(20, 21),
		"west: 0/100 ->[{2026-01-21 its window has ended, on 2026-01-20}]")
}

// Another line makes a pledge count otherwise, though nothing was said of the pledge.
func TestDiffByAnotherLine(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.offer("FRA", 60)
	before := l.Last()
	second := l.need("east", 50)
	equal(t, "several lines",
		tellDiff(must[Diff](t)(l.picture().Diff(t.Context(), Moment{AsOf: before, On: day(9)},
			Moment{On: day(9)}, Filter{}))), fmt.Sprintf(
			"east: -> 0/50 by %d; west: 60/100 -> 0/100 FRA 60->; FRA: live offered 60 west -> "+
				"live offered 60 several-lines by %d", second, second))
}

// What differs from another rung up only is told too, with what has made it so.
func TestDiffAtAnotherRung(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.need("east", 50)
	l.indicate("FRA", 1, 60)
	before := l.Last()
	gone := l.cancel(1, "east")
	d := must[Diff](t)(l.picture().Diff(t.Context(), Moment{AsOf: before, On: day(9)},
		Moment{On: day(9)}, Filter{}))
	equal(t, "another rung", tellDiff(d),
		fmt.Sprintf("west: 0/100 -> 0/100; east: 0/50 -> by %d; FRA: live indicated 60 "+
			"below-rung -> live indicated 60 below-rung by %d", gone, gone))
	equal(t, "supply", fmt.Sprint(d.Lines[0].From.Rungs, d.Lines[0].To.Rungs),
		"[0 0 0 0 0] [60 0 0 0 0]")
	equal(t, "pledges", len(d.Lines[0].Pledges), 1)
}

// Whatever is made up: what was there and what differs make what is there, and whatever differs has
// a record or a day behind it.
func TestDiffEqualsCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, from, to := s.picture(), s.moment(), s.moment()
		to.Rung = from.Rung
		d := must[Diff](t)(p.Diff(t.Context(), from, to, Filter{}))
		a, b := must[Coverage](t)(p.Coverage(t.Context(), from, CoverageFilter{})),
			must[Coverage](t)(p.Coverage(t.Context(), to, CoverageFilter{}))
		lines := map[events.Line]string{}
		for _, l := range a.Lines {
			lines[l.Line] = fmt.Sprint(*standOf(&l), l.Who)
		}
		for _, l := range b.Lines {
			same := lines[l.Line] == fmt.Sprint(*standOf(&l), l.Who)
			delete(lines, l.Line)
			found := false
			for _, one := range d.Lines {
				if one.Line == l.Line {
					found = true
					if one.To == nil || *one.To != *standOf(&l) {
						t.Errorf("%s becomes %+v, and is %+v", l.Line, one.To, l)
					}
				}
			}
			if found == same {
				t.Errorf("%s is told to differ: %v", l.Line, found)
			}
		}
		for _, one := range d.Lines {
			if one.To == nil {
				delete(lines, one.Line)
			}
		}
		if len(lines) > 0 {
			t.Errorf("not told: %v", lines)
		}
		for _, one := range d.Pledges {
			if len(one.Records) == 0 && len(one.Calendar) == 0 {
				t.Errorf("nothing has made %s", tellDiff(Diff{Pledges: []PledgeDiff{one}}))
			}
		}
		for _, one := range d.Lines {
			if len(one.Records)+len(one.Calendar)+len(one.Pledges) == 0 {
				t.Errorf("nothing has made %s: %s %+v %+v", one.Line, tellDiff(d), one.From, one.To)
			}
		}
		if same := must[Diff](t)(p.Diff(t.Context(), from, from, Filter{})); !same.IsZero() {
			t.Errorf("a moment differs from itself: %s", tellDiff(same))
		}
	})
}
