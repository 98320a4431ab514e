package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// A HangingSupply is supply of one line that hangs on one condition, or is restricted by one
// caveat.
type HangingSupply struct {
	// Kind is that of the condition, or "caveat"; Name is the condition's or the caveat's.
	Kind      string           `json:"kind"`
	Name      events.Line      `json:"name"`
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	Day       events.Date      `json:"day,omitzero"` // of a range, on which the line is met least
	// Quantity is what hangs on it. What hangs on two things is in both: the rows must not be added
	// up. It is unknown where nothing of it is known, and Unknown is how many pledges have not said
	// of how much they are.
	Quantity events.Quantity `json:"quantity"`
	Unknown  int             `json:"unknown,omitzero"`
	// Gap is what would be missing of the line without it.
	Gap     events.Quantity `json:"gap"`
	Nations []events.Nation `json:"nations"`
	Pledges []events.ID     `json:"pledges"`
	// Sequences are the records that say what hangs over the pledges.
	Sequences []uint64 `json:"sequences"`
}

// HangingSupplies is what hangs on something at a moment, by kind, name and line.
type HangingSupplies struct {
	Basis
	Hanging []HangingSupply `json:"hanging"`
}

// Hanging answers which supply hangs on an open condition or a caveat, grouped by it.
func (p *Picture) Hanging(ctx context.Context, m Moment, f Filter) (HangingSupplies, error) {
	p = p.metered(ctx)
	c, err := p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role})
	if err != nil {
		return HangingSupplies{}, err
	}
	answer := HangingSupplies{Basis: c.Basis, Hanging: []HangingSupply{}}
	for i := range c.Lines {
		l := &c.Lines[i]
		b := c.Basis.onDay(max(l.Day, c.On))
		for _, counted := range l.Counted {
			if f.nation(counted.Nation) {
				answer.Hanging = p.hangingOf(answer.Hanging, &b, l, counted)
			}
		}
	}
	if err := p.hangingUnknown(ctx, &answer, &c, m, f); err != nil {
		return HangingSupplies{}, err
	}
	for i := range answer.Hanging {
		answer.Hanging[i].close(c.Lines)
	}
	slices.SortStableFunc(answer.Hanging, func(a, b HangingSupply) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return answer, p.meter.err()
}

// hangingUnknown adds what hangs over the pledges that would be supply of one line, and have not
// said of how much they are. In a range each line is asked on its own day: on another, a pledge may
// fit more lines.
func (p *Picture) hangingUnknown(ctx context.Context, answer *HangingSupplies, c *Coverage,
	m Moment, f Filter) error {
	if c.Until == 0 {
		p.hangingUnknownOf(answer, c.NotCounted, c.Lines, f)
		return nil
	}
	days := map[events.Date]Coverage{}
	for i := range c.Lines {
		day := max(c.Lines[i].Day, c.On)
		one, asked := days[day]
		if !asked {
			var err error
			m.On, m.Until = day, 0
			one, err = p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role})
			if err != nil {
				return err
			}
			days[day] = one
		}
		p.hangingUnknownOf(answer, one.NotCounted, c.Lines[i:i+1], f)
	}
	return nil
}

func (p *Picture) hangingUnknownOf(answer *HangingSupplies, not []NotCounted, lines []LineCoverage,
	f Filter) {
	for i := range not {
		n := &not[i]
		if n.Reason != UnknownQuantity || len(n.Lines) != 1 || !f.nation(n.Nation) {
			continue
		}
		at := slices.IndexFunc(lines, func(l LineCoverage) bool {
			return l.Operation == n.Operation && l.Line == n.Lines[0]
		})
		if at >= 0 {
			b := answer.onDay(max(lines[at].Day, answer.On))
			answer.Hanging = p.hangingOf(answer.Hanging, &b, &lines[at],
				Counted{Pledge: n.Pledge, Nation: n.Nation, Quantity: events.Unknown})
		}
	}
}

// hangingOf adds what hangs over one pledge of a line.
func (p *Picture) hangingOf(all []HangingSupply, b *Basis, l *LineCoverage,
	c Counted) []HangingSupply {
	var room standing
	pl, _ := p.find(c.Pledge)
	s := b.WhatIf.suppose(pl.at(b, &room))
	add := func(kind string, h hold) {
		at := slices.IndexFunc(all, func(o HangingSupply) bool {
			return o.Kind == kind && o.Name == h.name && o.Line == l.Line &&
				o.Operation == l.Operation
		})
		if at < 0 {
			at = len(all)
			all = append(all, HangingSupply{Kind: kind, Name: h.name, Operation: l.Operation,
				Line: l.Line, Role: l.Role, Unit: l.Unit, Day: l.Day, Quantity: l.Unit.Of(0)})
		}
		all[at].add(c, h)
	}
	for _, h := range s.conditions {
		if h.state == Hanging {
			add(string(h.kind), h)
		}
	}
	for _, h := range s.caveats {
		if h.state == Hanging {
			add("caveat", h)
		}
	}
	return all
}

func (h *HangingSupply) add(c Counted, by hold) {
	n, known := c.Quantity.Number()
	if !known {
		h.Unknown++
	}
	sum, _ := h.Quantity.Number()
	h.Quantity = h.Unit.Of(add(sum, n))
	if !slices.Contains(h.Nations, c.Nation) {
		h.Nations = append(h.Nations, c.Nation)
		slices.Sort(h.Nations)
	}
	h.Pledges = append(h.Pledges, c.Pledge)
	h.Sequences = by.by.appendTo(h.Sequences)
}

// close says what would be missing, once all of it is known.
func (h *HangingSupply) close(lines []LineCoverage) {
	for _, l := range lines {
		if l.Operation == h.Operation && l.Line == h.Line {
			required, _ := l.Required.Number()
			supply, _ := l.Supply.Number()
			n, _ := h.Quantity.Number()
			h.Gap = h.Unit.Of(max(0, required-supply+n))
			if h.Unknown == len(h.Pledges) {
				h.Quantity = events.Unknown
			}
		}
	}
	slices.Sort(h.Sequences)
}
