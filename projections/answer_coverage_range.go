package projections

import (
	"cmp"
	"slices"

	"muster/events"
)

// coverRange answers coverage for a range: see [Picture.Coverage].
func (p *Picture) coverRange(answer *Coverage, chosen []*operation, f CoverageFilter) {
	b := &answer.Basis
	c := p.newCourse(b, stretch{b.On, b.Until}, chosen, f.Role)
	p.eachStretch(b, c.place)
	c.match()
	answer.Lines = p.coverOn(b, c, chosen, f)
	if !f.Brief {
		answer.NotCounted = p.notCountedIn(b, chosen, f)
	}
}

// coverOn answers for each line on its day, in one pass for all days.
func (p *Picture) coverOn(b *Basis, c *course, chosen []*operation,
	f CoverageFilter) []LineCoverage {
	linesOf := map[events.Date][]*line{}
	for l, at := range c.of {
		_, day := c.lines[at].worst(b.Rung, c.days, 0)
		linesOf[day] = append(linesOf[day], l)
	}
	var tallies []*tally // by day
	for day, lines := range linesOf {
		tallies = append(tallies, p.tallyOf(b.onDay(day), chosen, lines, f))
	}
	slices.SortFunc(tallies, func(a, b *tally) int { return cmp.Compare(a.basis.On, b.basis.On) })
	p.eachOf(b, func(days stretch, v *version) {
		first, _ := slices.BinarySearchFunc(tallies, days.from,
			func(t *tally, from events.Date) int { return cmp.Compare(t.basis.On, from) })
		for _, t := range tallies[first:] {
			if t.basis.On > days.until {
				break
			}
			t.place(v, 1)
		}
	})
	all := []LineCoverage{}
	for _, t := range tallies {
		t.spread()
		for _, l := range linesOf[t.basis.On] {
			one := t.lines[t.of[l]].answer(t)
			one.Day = t.basis.On
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b LineCoverage) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Priority, b.Priority),
			cmp.Compare(a.Line, b.Line))
	})
	return all
}

// tallyOf returns a tally of one day that keeps no more than some lines need.
func (p *Picture) tallyOf(b Basis, chosen []*operation, lines []*line, f CoverageFilter) *tally {
	t := p.newTally(chosen, b, CoverageFilter{Operation: f.Operation, Role: f.Role, Brief: true})
	for _, l := range lines {
		t.lines[t.of[l]].brief = f.Brief
	}
	return t
}

// notCountedIn tells what does not count on any day of a range, once for each reason, as it is on
// the first of these days.
func (p *Picture) notCountedIn(b *Basis, chosen []*operation, f CoverageFilter) []NotCounted {
	phases := phasesOf(b, chosen)
	tallies := make([]*tally, len(phases))
	for i, from := range phases {
		tallies[i] = p.tallyOf(b.onDay(from), chosen, nil, f)
		tallies[i].brief = false
	}
	p.eachOf(b, func(days stretch, v *version) {
		for i, from := range phases {
			if from <= days.until && (i+1 == len(phases) || days.from < phases[i+1]) {
				tallies[i].day = max(days.from, from)
				tallies[i].place(v, 1)
			}
		}
	})
	keepFirst(tallies)
	all := []NotCounted{}
	for _, t := range tallies {
		all = append(all, t.notCounted()...)
	}
	slices.SortStableFunc(all, func(a, b NotCounted) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), compareIDs(a.Pledge, b.Pledge),
			cmp.Compare(a.Day, b.Day))
	})
	return all
}

// phasesOf returns the first day of each run of the days asked in which the same lines are in
// force.
func phasesOf(b *Basis, chosen []*operation) []events.Date {
	first := []events.Date{b.On}
	for _, o := range chosen {
		all := o.now()
		for _, name := range all.lineNames {
			all.lines[name].edges(b.AsOf, func(d events.Date) {
				if d > b.On && d <= b.Until {
					first = append(first, d)
				}
			})
		}
	}
	slices.Sort(first)
	return slices.Compact(first)
}

// keepFirst leaves out what did not count for the same reason on an earlier day.
func keepFirst(tallies []*tally) {
	type key struct {
		pledge     uint32
		reason     Reason
		allocation events.ID
	}
	keyOf := func(l *uncounted) (k key) {
		k.pledge, k.reason = l.pledge, l.reason
		if l.share != nil {
			k.allocation = l.share.id
		}
		return k
	}
	first := map[key]events.Date{}
	for _, t := range tallies {
		for i := range t.uncounted {
			l := &t.uncounted[i]
			if day, ok := first[keyOf(l)]; !ok || l.day < day {
				first[keyOf(l)] = l.day
			}
		}
	}
	for _, t := range tallies {
		t.uncounted = slices.DeleteFunc(t.uncounted, func(l uncounted) bool {
			return first[keyOf(&l)] != l.day
		})
	}
}
