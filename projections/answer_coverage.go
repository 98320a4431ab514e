package projections

import (
	"context"
	"math"
	"slices"

	"muster/events"
)

// A CoverageFilter narrows coverage to an operation, a role, or both. Neither changes a line's
// numbers.
type CoverageFilter struct {
	Operation events.Operation
	Role      events.Role
	// Brief leaves out the pledges: those counted and those not counted. A table of lines is much
	// shorter than that list.
	Brief bool
	// Beside sets the Baseline of each line, where the question supposes something or asks from
	// another rung than Offered.
	Beside bool
	// Differences leaves out the lines that are as in their Baseline.
	Differences bool
}

// A Coverage says how far the requirements are met at a moment.
type Coverage struct {
	Basis
	// Lines are the requirements in force, by operation, priority and name.
	Lines []LineCoverage `json:"lines"`
	// InForce is how many requirements are in force, and Met how many of them are met, also where
	// Lines are only those that differ. Next is the first later day on which one is in force, where
	// none is.
	InForce int         `json:"in_force"`
	Met     int         `json:"met"`
	Next    events.Date `json:"next,omitzero"`
	// NotCounted are the pledges, and parts of pledges, that are there on the date and are supply
	// of no line, by operation and ID; left out of a brief answer. Of a range, they are those of
	// any of its days, each once for each reason.
	NotCounted []NotCounted `json:"not_counted,omitzero"`
}

// A LineCoverage is how far one line is met. Its numbers are in the line's unit, and are sums of
// known quantities only.
type LineCoverage struct {
	Requirement
	Supply events.Quantity `json:"supply"`
	// Gap is what is missing, 0 when nothing is.
	Gap events.Quantity `json:"gap"`
	// Fill is the supply in percent of what is required, rounded down; it may be over 100.
	Fill int `json:"fill"`
	// Rungs is the same from each rung up, from the lowest rung.
	Rungs []RungCoverage `json:"rungs"`
	// Conditional is the part of the supply that hangs on an open condition, and Caveated the part
	// whose use is restricted.
	Conditional events.Quantity `json:"conditional"`
	Caveated    events.Quantity `json:"caveated"`
	// Unknown is how many pledges would be supply of this line, and have not said of how much.
	Unknown int `json:"unknown,omitzero"`
	// UnknownBy are the nations whose pledges these are, by code.
	UnknownBy []events.Nation `json:"unknown_by,omitempty"`
	// Waiting is how much fits this line and counts for none until it is allocated: pledges that
	// may be meant for several lines, which wait at each of them, and what is not allocated of a
	// pledge of which some is. WaitingUnknown is how many of such pledges have not said of how
	// much.
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
	// OnTop is how much may come on top of the supply, of pledges that say "10 to 14"; absent where
	// nothing may. OnTopOpen is how many say "at least 10", and not how much more it may be.
	OnTop     events.Quantity `json:"on_top,omitzero"`
	OnTopOpen int             `json:"on_top_open,omitzero"`
	// Who are the nations that make the supply, the largest first.
	Who []Share `json:"who"`
	// Dependence is set when one nation holds at least half.
	Dependence *Dependence `json:"dependence,omitzero"`
	// Baseline is the line in the world as it is, from the rung offered up; absent where nothing
	// else was asked.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Counted are the pledges that make the supply, by ID; left out of a brief answer.
	Counted []Counted `json:"counted,omitzero"`
}

// A RungCoverage is how far a line is met by the pledges that are on a rung or above.
type RungCoverage struct {
	Rung   Rung            `json:"rung"`
	Day    events.Date     `json:"day,omitzero"` // of a Baseline of a range
	Supply events.Quantity `json:"supply"`
	Gap    events.Quantity `json:"gap"`
	Fill   int             `json:"fill"`
}

// A Baseline is what a line is in the world as it is, from the rung offered up: see [LineCoverage]
// for its numbers.
type Baseline struct {
	RungCoverage
	Conditional    events.Quantity `json:"conditional"`
	Caveated       events.Quantity `json:"caveated"`
	Unknown        int             `json:"unknown,omitzero"`
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
}

// baseline returns the line as what it is compared with.
func (l *LineCoverage) baseline() *Baseline {
	return &Baseline{RungCoverage{Offered, l.Day, l.Supply, l.Gap, l.Fill}, l.Conditional,
		l.Caveated, l.Unknown, l.Waiting,
		l.WaitingUnknown}
}

// differs reports whether a number of the line is another one than in its Baseline.
func (l *LineCoverage) differs() bool {
	own := *l.baseline()
	// Of a range, the same is met least on another day.
	own.Day, own.Fill = l.Baseline.Day, l.Baseline.Fill
	return own != *l.Baseline
}

// A Counted is one pledge in a line's supply.
type Counted struct {
	Pledge   events.ID       `json:"pledge"`
	Nation   events.Nation   `json:"nation"`
	Quantity events.Quantity `json:"quantity"`
	Rung     Rung            `json:"rung"`
	// By says why it counts for this line, and Allocation what sets it against it, where something
	// does.
	By         CountedBy `json:"by"`
	Allocation events.ID `json:"allocation,omitzero"`
	// Conditions are those it still hangs on, and Caveats those that restrict it.
	Conditions []events.Line `json:"conditions,omitzero"`
	Caveats    []events.Line `json:"caveats,omitzero"`
	// Sequences are the records that make the number.
	Sequences []uint64 `json:"sequences"`
}

// Coverage answers which requirements are met on a date, and how far. Supply of a line is what is
// allocated to it, and the pledges without any allocation that count for it, by the rule of the
// package comment. A pledge is there when it has begun and not ended and its window includes the
// date; it counts from the rung asked. What is there and does not count is told beside, each with
// its reason, and never mixed in. Of a range, it answers for the lines that are in force on any of
// its days, each on the day on which it is met least.
func (p *Picture) Coverage(ctx context.Context, m Moment, f CoverageFilter) (Coverage, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Coverage{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Coverage{}, err
	}
	answer, ready := p.coverages.get(b, f)
	if !ready {
		answer = p.cover(b, chosen, f)
	}
	if err := p.meter.err(); err != nil { // an answer that was ready is none for who has gone
		return Coverage{}, err
	}
	if !ready {
		p.coverages.put(f, answer)
	}
	if (f.Beside || f.Differences) && (b.WhatIf != nil || b.Rung != Offered) {
		err = p.setBaselines(ctx, &answer, f)
	}
	return answer, err
}

// cover places every version that is there beside the lines in force, and tells what each line has
// then.
func (p *Picture) cover(b Basis, chosen []*operation, f CoverageFilter) Coverage {
	answer := Coverage{Basis: b}
	switch {
	case b.IsRange():
		p.coverRange(&answer, chosen, f)
	case f.Brief:
		t := p.newTally(chosen, b, f)
		p.eachSum(&b, t.place)
		answer.Lines = t.answer()
	default:
		t := p.newTally(chosen, b, f)
		p.each(&b, func(v *version) { t.place(v, 1) })
		answer.Lines, answer.NotCounted = t.answer(), t.notCounted()
	}
	answer.InForce = len(answer.Lines)
	for i := range answer.Lines {
		if missing, _ := answer.Lines[i].Gap.Number(); missing == 0 {
			answer.Met++
		}
	}
	if answer.InForce == 0 {
		answer.Next = nextInForce(&b, chosen, f.Role)
	}
	return answer
}

// setBaselines puts beside each line what it is in the world as it is.
func (p *Picture) setBaselines(ctx context.Context, c *Coverage, f CoverageFilter) error {
	m := c.Moment()
	m.Rung, m.WhatIf = Offered, nil
	base, err := p.Coverage(ctx, m,
		CoverageFilter{Operation: f.Operation, Role: f.Role, Brief: true})
	if err != nil {
		return err
	}
	kept := c.Lines[:0]
	for i, l := range c.Lines { // the lines in force are the same in any world
		b := base.Lines[i]
		// But of a range, each may be of another day, and have another priority there.
		if b.Line != l.Line || b.Operation != l.Operation {
			b = base.Lines[slices.IndexFunc(base.Lines, func(o LineCoverage) bool {
				return o.Line == l.Line && o.Operation == l.Operation
			})]
		}
		l.Baseline = b.baseline()
		if !f.Differences || l.differs() {
			kept = append(kept, l)
		}
	}
	c.Lines = kept
	return nil
}

// add adds numbers of one unit. It stops at the largest number instead of turning negative: no real
// sum comes near it.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
