package projections

import (
	"slices"
	"unsafe"

	"muster/events"
)

// Requirements decide together for which of them a pledge counts. So a record about one may have
// caused a number of another to differ, also through a pledge whose own part does not differ: where
// `south` is issued after a pledge without an area was offered, that pledge waits at both moments,
// or at none, and it would count for `north` without `south`. Such records are few, and so each is
// left out by itself, and the lines are summed again; not over pledges, but over what they add up
// to.

// A gathered is what the pledges that are there at a side add up to, and those of them that have
// allocations.
type gathered struct {
	rollup    *rollup
	allocated []version
}

// gather adds up what is there at a side.
func (s *side) gather() *gathered {
	all := &gathered{rollup: rollUp(nil)}
	s.p.each(&s.basis, func(v *version) {
		if v.allocated == nil {
			all.rollup.add(v)
		} else {
			all.allocated = append(all.allocated, *v)
		}
	})
	s.p.meter.keep(len(all.rollup.all)*int(unsafe.Sizeof(rollupRow{})) +
		len(all.allocated)*int(unsafe.Sizeof(version{})))
	return all
}

// each calls do for each sum, with how many pledges it is of.
func (all *gathered) each(m *meter, do func(v *version, pledges int)) {
	all.rollup.each(nil, func(v *version, pledges int) {
		if m.spend(1) {
			do(v, pledges)
		}
	})
	for i := range all.allocated {
		if !m.spend(1) {
			break
		}
		do(&all.allocated[i], 1)
	}
}

// covered returns how far the lines of an operation are met at a side.
func (s *side) covered(o events.Operation, all *gathered) map[events.Line]*LineCoverage {
	found := map[events.Line]*LineCoverage{}
	op, ok := s.p.operations[o]
	if !ok {
		return found
	}
	t := s.p.newTally([]*operation{op}, s.basis, CoverageFilter{Operation: o, Brief: true})
	all.each(s.p.meter, t.place)
	lines := t.answer()
	for i := range lines {
		found[lines[i].Line] = &lines[i]
	}
	return found
}

// A coverages is how far the lines of an operation are met at both moments.
type coverages [2]map[events.Line]*LineCoverage

// coveredWithout returns how far the lines of an operation are met without a record about one of
// them.
func (c *causer) coveredWithout(o events.Operation, t Told) coverages {
	if known, ok := c.coveredBut[t.Sequence]; ok {
		return known
	}
	if c.gathered[0] == nil {
		c.gathered = [2]*gathered{c.from.gather(), c.to.gather()}
	}
	sides := c.leavingLine(o, t.Line, t.Sequence)
	one := coverages{sides[0].covered(o, c.gathered[0]), sides[1].covered(o, c.gathered[1])}
	c.coveredBut[t.Sequence] = one
	return one
}

// decides reports whether a record about a requirement decides at either moment which pledges fit
// it.
func (c *causer) decides(o events.Operation, t Told) bool {
	sides := c.leavingLine(o, t.Line, t.Sequence)
	return c.from.asks(o, t.Line) != sides[0].asks(o, t.Line) ||
		c.to.asks(o, t.Line) != sides[1].asks(o, t.Line)
}

// deciding tells the records about requirements for the role of the line that decide for which of
// them pledges count.
func (b *blame) deciding() (all []Told) {
	what := sought{operation: b.of.Operation}
	for _, s := range []*LineStand{b.of.From, b.of.To} {
		if s == nil || what.role == s.Role {
			continue
		}
		what.role = s.Role
		for _, t := range b.askings(what) {
			if !slices.ContainsFunc(all, t.Is) && b.decides(b.of.Operation, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

// requirements finds the records about requirements without which numbers of the line would differ
// otherwise. What has brought the line itself into force, or out of it, is told already.
func (b *blame) requirements() {
	l := b.of
	delta := l.To.numbers().less(l.From.numbers())
	for _, t := range b.deciding() {
		all := b.coveredWithout(l.Operation, t)
		from, to := standOf(all[0][l.Line]), standOf(all[1][l.Line])
		if (from == nil) != (l.From == nil) || (to == nil) != (l.To == nil) {
			continue
		}
		changed := to.numbers().less(from.numbers())
		for r := range b.records {
			if (b.once || delta[r] != 0) && changed[r] != delta[r] {
				b.add(r, []Told{t})
			}
		}
		if from != nil && from.Gap != l.From.Gap || to != nil && to.Gap != l.To.Gap {
			b.gap = append(b.gap, t)
		}
		b.requirementOfNations(t, all)
	}
}

// requirementOfNations adds a record about a requirement to the causes of the parts that differ
// otherwise without it.
func (b *blame) requirementOfNations(t Told, all coverages) {
	for _, n := range b.of.Nations {
		from, to := all[0][b.of.Line].partOf(n.Nation), all[1][b.of.Line].partOf(n.Nation)
		if !sameStep(from, to, n.From, n.To) {
			of := b.nation(n.Nation)
			of.Records = append(of.Records, t)
		}
	}
}

// sameStep reports whether two quantities differ as two others do.
func sameStep(from, to, otherFrom, otherTo events.Quantity) bool {
	a, _ := from.Number()
	b, _ := to.Number()
	c, _ := otherFrom.Number()
	d, _ := otherTo.Number()
	return b-a == d-c && from.IsUnknown() == otherFrom.IsUnknown() &&
		to.IsUnknown() == otherTo.IsUnknown()
}

// partOf returns a nation's part of a supply, as [LineCoverage.part] has it; absent where it has
// none.
func (l *LineCoverage) partOf(n events.Nation) (q events.Quantity) {
	if l == nil {
		return q
	}
	if at := slices.IndexFunc(l.Who, func(s Share) bool { return s.Nation == n }); at >= 0 {
		q = l.Who[at].Quantity
	}
	return l.part(n, q)
}

// numbers returns the numbers for which causes are found; none where the line is not in force.
func (s *LineStand) numbers() (one contribution) {
	if s == nil {
		return one
	}
	for i, q := range s.Rungs {
		one.supply[Indicated+Rung(i)], _ = q.Number()
	}
	one.conditional, _ = s.Conditional.Number()
	one.caveated, _ = s.Caveated.Number()
	one.waiting.number, _ = s.Waiting.Number()
	one.unknown, one.waiting.unknown = int64(s.Unknown), s.WaitingUnknown
	return one
}
