package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// A Gap is a requirement that is not met.
type Gap struct {
	Rank      int              `json:"rank"` // from 1 on
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Priority  int              `json:"priority"`
	Essential bool             `json:"essential,omitzero"`
	Required  events.Quantity  `json:"required"`
	Supply    events.Quantity  `json:"supply"`
	Missing   events.Quantity  `json:"missing"`
	Unit      events.Unit      `json:"unit"`
	Fill      int              `json:"fill"` // percent
	// Day is the day of a range of which this tells: the first of those on which most is missing.
	// Days is on how many days of the range it is short, of which First is the first.
	Day   events.Date `json:"day,omitzero"`
	Days  int         `json:"days,omitzero"`
	First events.Date `json:"first,omitzero"`
	// From and Until are the first and the last day on end on which it is short; each is left out
	// when it lies more than a year before, or two years after, the days asked.
	From  events.Date `json:"from,omitzero"`
	Until events.Date `json:"until,omitzero"`
	Who   []Share     `json:"who"`
	// UnknownBy are the nations of which pledges would be supply of the line, and have not said of
	// how much.
	UnknownBy []events.Nation `json:"unknown_by,omitempty"`
	// OnTop is how much of Missing, or more, may come of pledges that are counted with what is sure
	// of them, and OnTopOpen how many of them have not said how much: see [LineCoverage].
	OnTop     events.Quantity `json:"on_top,omitzero"`
	OnTopOpen int             `json:"on_top_open,omitzero"`
	// Waiting is how much of what could fill it waits for an allocation: see [LineCoverage].
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
	// Could are pledges that are there, would count for the line or wait at it, and are not counted
	// for it, with the reason: what could fill it.
	Could []NotCounted `json:"could"`
}

// Gaps is the requirements that are not met, the most urgent first.
type Gaps struct {
	Basis
	// InForce is how many requirements are in force, met or not. Next is the first later day on
	// which one is, where none is.
	InForce int         `json:"in_force"`
	Next    events.Date `json:"next,omitzero"`
	Gaps    []Gap       `json:"gaps"`
}

// Gaps answers which requirements are not met on a date, ranked: essential ones first, then by
// priority, by the date from which they are short, and by how much of them is missing. What could
// fill a gap stands beside it: pledges that have not climbed to the rung, that fit several lines,
// of which a part is not allocated, or that are in reserve. Of a range, it answers for the
// requirements that are not met on any of its days.
func (p *Picture) Gaps(ctx context.Context, m Moment, f CoverageFilter) (Gaps, error) {
	p = p.metered(ctx)
	c, err := p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role})
	if err != nil {
		return Gaps{}, err
	}
	g := Gaps{Basis: c.Basis, InForce: c.InForce, Next: c.Next, Gaps: []Gap{}}
	if c.On == 0 {
		return g, nil
	}
	chosen, err := p.chosen(c.AsOf, f.Operation)
	if err != nil {
		return g, err
	}
	around := c.Basis
	around.On, around.Until = max(c.On.AddDays(-365), events.FirstDate),
		min(c.last().AddDays(730), events.LastDate)
	course := p.newCourse(&around, stretch{around.On, around.Until}, chosen, f.Role)
	p.eachStretch(&around, course.place)
	course.match()
	fillers := newFillers(course, c.NotCounted)
	for i := range c.Lines {
		l := &c.Lines[i]
		if n, _ := l.Gap.Number(); n == 0 {
			continue
		}
		g.Gaps = append(g.Gaps,
			Gap{Operation: l.Operation, Line: l.Line, Role: l.Role, Area: l.Area,
				Priority: l.Priority, Essential: l.Essential,
				Required: l.Required, Supply: l.Supply, Missing: l.Gap, Unit: l.Unit, Fill: l.Fill,
				Day: l.Day, Who: l.Who, UnknownBy: l.UnknownBy,
				OnTop: l.OnTop, OnTopOpen: l.OnTopOpen,
				Waiting: l.Waiting, WaitingUnknown: l.WaitingUnknown,
				Could: fillers.of(l, max(l.Day, c.On))})
		g.Gaps[len(g.Gaps)-1].setDays(course, p.operations[l.Operation].now().lines[l.Line],
			&c.Basis)
	}
	slices.SortStableFunc(g.Gaps, moreUrgent)
	for i := range g.Gaps {
		g.Gaps[i].Rank = i + 1
	}
	return g, p.meter.err()
}

// setDays finds the days on end on which a line is short, and, of a range, all such days.
func (g *Gap) setDays(c *course, of *line, b *Basis) {
	points := c.lines[c.of[of]].points(c, ByChange)
	isShort := func(i int) bool { n, _ := points[i].Gap.Number(); return n > 0 }
	on := max(g.Day, b.On)
	now := slices.IndexFunc(points, func(pt TimelinePoint) bool {
		return pt.From <= on && on <= pt.Until
	})
	first, last := now, now
	for first > 0 && isShort(first-1) {
		first--
	}
	for last < len(points)-1 && isShort(last+1) {
		last++
	}
	if first > 0 {
		g.From = points[first].From
	}
	if last < len(points)-1 {
		g.Until = points[last].Until
	}
	for i, pt := range points {
		if from, until := max(pt.From, b.On), min(pt.Until, b.Until); from <= until && isShort(i) {
			g.Days += daysBetween(from, until) + 1
			g.First = cmp.Or(g.First, from)
		}
	}
}

func moreUrgent(a, b Gap) int {
	if a.Essential != b.Essential {
		if a.Essential {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.From, b.From),
		cmp.Compare(a.Fill, b.Fill))
}

// fillers are pledges that are not counted, and could fill a line.
type fillers struct {
	course  *course
	all     []NotCounted
	matches map[phaseKind]match
}

type phaseKind struct {
	phase *phase
	kind  kind
}

func newFillers(c *course, notCounted []NotCounted) *fillers {
	fill := []Reason{BelowRung, SeveralLines, NotAllocated, LineNotInForce, InReserve,
		UnknownQuantity}
	f := &fillers{course: c, matches: map[phaseKind]match{}}
	for i := range notCounted {
		if slices.Contains(fill, notCounted[i].Reason) {
			f.all = append(f.all, notCounted[i])
		}
	}
	return f
}

// of finds what could fill a line on a day: what would count for it, or waits at it.
func (f *fillers) of(l *LineCoverage, on events.Date) []NotCounted {
	found := []NotCounted{}
	ph := f.course.phaseOn(sought{l.Operation, l.Role}, on)
	at := ph.matcher.named[namedLine{l.Operation, l.Line}]
	for i := range f.all {
		n := &f.all[i]
		if n.Operation != l.Operation || n.Role != l.Role || n.Unit != l.Unit {
			continue
		}
		if slices.Contains(f.match(ph, n).fits, at) {
			found = append(found, *n)
		}
	}
	return found
}

// match finds where a pledge belongs in a phase, once for each kind.
func (f *fillers) match(ph *phase, n *NotCounted) match {
	key := phaseKind{ph, kind{f.course.p.operations[n.Operation], n.Role, n.Area,
		n.MeantFor, n.Unit}}
	m, ok := f.matches[key]
	if !ok {
		m = ph.matcher.match(&key.kind)
		f.matches[key] = m
	}
	return m
}
