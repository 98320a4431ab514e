package projections

import (
	"cmp"
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
	// From and Until are the first and the last day on end on which it is short; each is left out when it lies more than a year
	// before, or two years after, the day asked.
	From  events.Date `json:"from,omitzero"`
	Until events.Date `json:"until,omitzero"`
	Who   []Share     `json:"who"`
	// Could are pledges that are there, fit the line, and are not counted for it, with the reason: what could fill it.
	Could []NotCounted `json:"could"`
}

// Gaps is the requirements that are not met, the most urgent first.
type Gaps struct {
	Basis
	Gaps []Gap `json:"gaps"`
}

// Gaps answers which requirements are not met on a date, ranked: essential ones first, then by priority, by the date from which they
// are short, and by how much of them is missing. What could fill a gap stands beside it: pledges that have not climbed to the rung,
// that fit several lines, of which a part is not allocated, or that are in reserve.
func (p *Picture) Gaps(m Moment, f CoverageFilter) (Gaps, error) {
	c, err := p.Coverage(m, CoverageFilter{Operation: f.Operation, Role: f.Role})
	if err != nil {
		return Gaps{}, err
	}
	g := Gaps{Basis: c.Basis, Gaps: []Gap{}}
	if c.On == 0 {
		return g, nil
	}
	t, err := p.Timeline(c.Moment(), TimelineFilter{Operation: f.Operation, Role: f.Role, Step: ByChange,
		Days: events.Window{From: max(c.On.AddDays(-365), firstDay), Until: c.On.AddDays(730)}})
	if err != nil {
		return g, err
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if n, _ := l.Gap.Number(); n == 0 {
			continue
		}
		g.Gaps = append(g.Gaps, Gap{Operation: l.Operation, Line: l.Line, Role: l.Role, Area: l.Area, Priority: l.Priority, Essential: l.Essential,
			Required: l.Required, Supply: l.Supply, Missing: l.Gap, Unit: l.Unit, Fill: l.Fill, Who: l.Who, Could: could(l, c.NotCounted)})
		g.Gaps[len(g.Gaps)-1].setDays(&t, c.On)
	}
	slices.SortStableFunc(g.Gaps, moreUrgent)
	for i := range g.Gaps {
		g.Gaps[i].Rank = i + 1
	}
	return g, nil
}

// firstDay is before all that is planned.
const firstDay events.Date = 1900_01_01

// setDays finds the days on end on which a line is short.
func (g *Gap) setDays(t *Timeline, on events.Date) {
	at := slices.IndexFunc(t.Lines, func(l LineTimeline) bool { return l.Operation == g.Operation && l.Line == g.Line })
	points := t.Lines[at].Points
	isShort := func(i int) bool { n, _ := points[i].Gap.Number(); return n > 0 }
	now := slices.IndexFunc(points, func(pt TimelinePoint) bool { return pt.From <= on && on <= pt.Until })
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
}

func moreUrgent(a, b Gap) int {
	if a.Essential != b.Essential {
		if a.Essential {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.From, b.From), cmp.Compare(a.Fill, b.Fill))
}

// could finds what could fill a line.
func could(l *LineCoverage, notCounted []NotCounted) []NotCounted {
	fitting := []NotCounted{}
	for _, n := range notCounted {
		if n.Operation != l.Operation || n.Role != l.Role || n.Unit != l.Unit || !compatible(n.Area, l.Area) {
			continue
		}
		if slices.Contains([]Reason{BelowRung, SeveralLines, NotAllocated, LineNotInForce, InReserve, UnknownQuantity}, n.Reason) {
			fitting = append(fitting, n)
		}
	}
	return fitting
}
