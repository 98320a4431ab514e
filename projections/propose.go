package projections

import (
	"cmp"
	"fmt"
	"slices"

	"muster/events"
)

// A Proposed is one allocation that would close a gap, or a part of one. Nothing is allocated until
// somebody signs it.
type Proposed struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Pledge    events.ID        `json:"pledge"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Quantity  events.Quantity  `json:"quantity"`
	Unit      events.Unit      `json:"unit"`
	events.Window
	// On is the day whose gap it closes; Before is what the line lacks on it before, and After what
	// it lacks then.
	On     events.Date     `json:"gap_on"`
	Before events.Quantity `json:"before"`
	After  events.Quantity `json:"after"`
	// Why says to people why this pledge, for this line.
	Why string `json:"why"`
}

// A Matching says which pledges a [Proposer] sets against a line.
type Matching string

// The ways to match.
const (
	// MatchArea takes what fits a line and counts nowhere until it is allocated.
	MatchArea Matching = "area"
	// MatchLine takes what names the line as the one that it is meant for, also where it counts
	// for it already: then the allocation makes it a decision.
	MatchLine Matching = "line"
)

// A Proposer proposes allocations, day by day: greedily, the most urgent line first, and for each
// line the pledges that have the best claim to it. It decides by what it is given alone, so that
// the same answers give the same plan. What it has proposed for one day is taken into account on
// the next. It is not the best plan that there could be: that a pledge which fits two lines goes to
// the more urgent one may leave the other open. Its cost is lines × pledges a day.
type Proposer struct {
	By Matching
	// From is the first day that an allocation may have.
	From events.Date
	// Pledges are those that can be allocated, as they stand.
	Pledges map[events.ID]Pledge

	All []Proposed
}

// A claim is a pledge, or what is left of one, that could fill a line.
type claim struct {
	pledge *Pledge
	named  bool // it names the line
	area   bool // it names the line's area
	hangs  bool // on an open condition
	fits   int  // how many lines
	free   int64
}

// Day proposes for one day, of which c tells in full.
func (p *Proposer) Day(c *Coverage) {
	lines := slices.Clone(c.Lines)
	slices.SortStableFunc(lines, func(a, b LineCoverage) int {
		x := Gap{Essential: a.Essential, Priority: a.Priority, Fill: a.Fill}
		y := Gap{Essential: b.Essential, Priority: b.Priority, Fill: b.Fill}
		return cmp.Or(moreUrgent(x, y), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Line, b.Line))
	})
	for i := range lines {
		l := &lines[i]
		lacks := p.lacks(l, c.On)
		for _, one := range p.claims(c, l) {
			if lacks <= 0 {
				break
			}
			lacks -= p.propose(&one, l, c.On, lacks)
		}
	}
}

// lacks returns how much a line lacks on a day, with what was proposed before; where it is matched
// by name, how much more of what names it may be set against it.
func (p *Proposer) lacks(l *LineCoverage, on events.Date) int64 {
	lacks, _ := l.Gap.Number()
	if p.By == MatchLine {
		lacks, _ = l.Required.Number()
		for _, one := range l.Counted {
			if one.By != ByName {
				lacks -= numberOf(one.Quantity)
			}
		}
	}
	for i := range p.All {
		one := &p.All[i]
		if one.Operation == l.Operation && one.Line == l.Line && one.Includes(on) {
			lacks -= numberOf(one.Quantity)
		}
	}
	return lacks
}

// claims returns what could fill a line, the best first: what names the line, then what names its
// area, what hangs on nothing, what fits the fewest lines, what has come furthest, and most.
func (p *Proposer) claims(c *Coverage, l *LineCoverage) (all []claim) {
	add := func(id events.ID, named bool, fits int) {
		pl, ok := p.Pledges[id]
		if !ok || slices.ContainsFunc(all, func(o claim) bool { return o.pledge.ID == id }) {
			return
		}
		one := claim{pledge: &pl, named: named, area: pl.Area == l.Area, fits: fits}
		one.hangs = slices.ContainsFunc(pl.Conditions, func(c Condition) bool {
			return c.State == Hanging
		})
		if one.free = p.free(&pl, p.window(&pl, l)); one.free > 0 {
			all = append(all, one)
		}
	}
	for i := range c.NotCounted {
		n := &c.NotCounted[i]
		named := n.MeantFor == l.Line
		if n.Operation != l.Operation || n.Role != l.Role || n.Unit != l.Unit ||
			p.By == MatchLine && !named {
			continue
		}
		switch {
		case n.Reason == SeveralLines && slices.Contains(n.Lines, l.Line):
			add(n.Pledge, named, len(n.Lines))
		case n.Reason == NotAllocated && compatible(l.Area, n.Area):
			add(n.Pledge, named, 1)
		}
	}
	for _, one := range l.Counted {
		if p.By == MatchLine && one.By == ByName {
			add(one.Pledge, true, 1)
		}
	}
	first := func(a, b bool) int { return cmp.Compare(zeroOr1(b), zeroOr1(a)) }
	slices.SortFunc(all, func(a, b claim) int {
		return cmp.Or(first(a.named, b.named), first(a.area, b.area), first(b.hangs, a.hangs),
			cmp.Compare(a.fits, b.fits), cmp.Compare(b.pledge.Rung, a.pledge.Rung),
			cmp.Compare(b.free, a.free),
			cmp.Compare(a.pledge.ID.String(), b.pledge.ID.String()))
	})
	return all
}

// numberOf is how much of a quantity is sure.
func numberOf(q events.Quantity) int64 {
	n, _ := q.Number()
	return n
}

func zeroOr1(is bool) int {
	if is {
		return 1
	}
	return 0
}

// window returns the days that a pledge and a line have in common, from the first that is allowed.
func (p *Proposer) window(pl *Pledge, l *LineCoverage) events.Window {
	w := events.Window{From: max(pl.From, l.From, p.From), Until: pl.Until}
	if w.Until == 0 || l.Until != 0 && l.Until < w.Until {
		w.Until = l.Until
	}
	return w
}

// free returns how much of a pledge nothing is set against on any day of a window: 0 where it has
// not said how much it is.
func (p *Proposer) free(pl *Pledge, w events.Window) int64 {
	terms := pl.Terms()
	pledged, known := terms.Amount().Sure()
	if !known || w.Until != 0 && w.Until < w.From {
		return 0
	}
	taken := map[events.Window]int64{}
	for _, a := range pl.Allocations {
		taken[a.Window] += numberOf(a.Quantity)
	}
	for i := range p.All {
		if p.All[i].Pledge == pl.ID {
			taken[p.All[i].Window] += numberOf(p.All[i].Quantity)
		}
	}
	least := pledged
	on := func(day events.Date) {
		if !w.Includes(day) {
			return
		}
		free := pledged
		for other, n := range taken {
			if other.Includes(day) {
				free -= n
			}
		}
		least = min(least, free)
	}
	on(w.From)
	for other := range taken { // what is free changes only where an allocation begins
		on(other.From)
	}
	return least
}

// propose sets as much of a pledge against a line as there is and as it lacks, and returns that.
func (p *Proposer) propose(one *claim, l *LineCoverage, on events.Date, lacks int64) int64 {
	w, n := p.window(one.pledge, l), min(one.free, lacks)
	if !w.Includes(on) {
		return 0
	}
	pl := one.pledge
	said := Proposed{Operation: l.Operation, Line: l.Line, Pledge: pl.ID, Nation: pl.Nation,
		Role: l.Role, Quantity: l.Unit.Of(n), Unit: l.Unit, Window: w, On: on,
		Before: l.Unit.Of(lacks), After: l.Unit.Of(lacks - n)}
	said.Why = one.why(&said, l)
	p.All = append(p.All, said)
	return n
}

// why says why a pledge is proposed.
func (one *claim) why(said *Proposed, l *LineCoverage) string {
	rank := fmt.Sprintf("priority %d", l.Priority)
	if l.Essential {
		rank = "essential, " + rank
	}
	claim := "it fits"
	switch {
	case one.named:
		claim = "it names the line"
	case one.area && l.Area != "":
		claim = "it is for the area " + string(l.Area)
	case one.fits > 1:
		claim = fmt.Sprintf("it fits %d lines, of which this one is the most urgent", one.fits)
	}
	if one.hangs {
		claim += ", and hangs on a condition"
	}
	return fmt.Sprintf("%s lacks %s of %s on %s (%s): %s", l.Line, Grouped(said.Before),
		Grouped(l.Required), said.On, rank, claim)
}
