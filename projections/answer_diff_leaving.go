package projections

import (
	"maps"
	"math"
	"slices"

	"muster/events"
)

// A contribution is what one pledge adds to the numbers of one requirement.
type contribution struct {
	supply                         [Deployed + 1]int64 // from each rung up
	conditional, caveated, unknown int64
	waiting
}

// numbers are what the causes of a line are found for: how many pledges have not said of how much
// they are, the supplies by rung, and behind them what hangs, what is under a caveat and what waits
// for an allocation.
const (
	unknownNumber     = 0
	conditionalNumber = int(Deployed) + 1
	caveatedNumber    = int(Deployed) + 2
	waitingNumber     = int(Deployed) + 3
	waitingUnknown    = int(Deployed) + 4 // pledges
	numbers           = int(Deployed) + 5
)

// less returns by how much the numbers of a contribution are more than those of another.
func (a contribution) less(b contribution) (delta [numbers]int64) {
	for r := Indicated; r <= Deployed; r++ {
		delta[r] = a.supply[r] - b.supply[r]
	}
	delta[unknownNumber] = a.unknown - b.unknown
	delta[conditionalNumber], delta[caveatedNumber] = a.conditional-b.conditional,
		a.caveated-b.caveated
	delta[waitingNumber], delta[waitingUnknown] = a.number-b.number,
		int64(a.waiting.unknown-b.waiting.unknown)
	return delta
}

// place places a pledge at a side, with places for kinds that are new there.
func (s *side) place(pl *pledge) (why Reason) {
	s.view.now = s.view.standing(pl, &s.view.room)
	if s.view.absent(pl) == "" { // which has numbered its kinds
		for len(s.view.tally.matches) < len(s.p.kinds.names) {
			s.view.tally = s.p.newTally(s.chosen, s.basis, CoverageFilter{})
		}
	}
	return s.view.place(pl)
}

// part returns what a pledge adds to a requirement at a side; nil adds nothing.
func (s *side) contribution(pl *pledge, o events.Operation, name events.Line) (one contribution) {
	if pl == nil {
		return one
	}
	s.place(pl)
	at := slices.IndexFunc(s.view.lines,
		func(l lineTally) bool { return l.Line == name && l.Operation == o })
	if at < 0 {
		return one
	}
	l := &s.view.lines[at]
	nations := slices.Grow(l.nations[:0], len(s.p.nations.names))[:len(s.p.nations.names)]
	clear(nations)
	*l = lineTally{Requirement: l.Requirement, nations: nations, brief: true}
	s.place(pl)
	one = contribution{supplies(l.exact), l.conditional, l.caveated, int64(l.unknown), waiting{}}
	s.view.waitsAt(func(w waiting, lines []int) {
		if slices.Contains(lines, at) {
			one.waiting.add(w)
		}
	})
	return one
}

// leave returns the pledge as if a record about it had not been made: what it has corrected is as
// it was said. It is nil when nothing has begun it then.
func (pl *pledge) leave(seq uint64) *pledge {
	// without the record that has named it, none could follow
	if pl == nil || uint64(pl.first) == seq {
		return nil
	}
	other := &pledge{id: pl.id, no: pl.no, nationNo: pl.nationNo, operation: pl.operation,
		nation: pl.nation, first: math.MaxUint32}
	gone := uint32(seq)
	all := chronicle{last: math.MaxUint32, struck: pl.now().struck}
	if all.struck == gone {
		all.struck = 0
	}
	facts := pl.now().facts
	// Of what the record has corrected: from which it is corrected again, if it is.
	until := func(d fact) uint32 {
		for i := range facts {
			if facts[i].knownFrom == gone && facts[i].order == d.order {
				return facts[i].knownTo
			}
		}
		return forever
	}
	for _, d := range facts {
		if d.order == gone || d.knownFrom == gone {
			continue
		}
		if d.knownTo == gone {
			d.knownTo = until(d)
		}
		if d.move.begins || d.order == pl.first {
			other.first = min(other.first, d.order)
		}
		all.facts = append(all.facts, d)
	}
	if other.first == math.MaxUint32 {
		return nil
	}
	other.publish(&all)
	return other
}

// leave returns the line as if a record about it had not been made, without any terms when it is
// the one that issued it.
func (l *line) leave(seq uint64) *line {
	other, said := &line{operation: l.operation, name: l.name, copyOf: l.same()}, l.now()
	all := lineSaid{by: said.by}
	if issued := slices.IndexFunc(said.terms,
		func(t termsSaid) bool { return t.seq < seq }); issued >= 0 ||
		!slices.ContainsFunc(said.terms, func(t termsSaid) bool { return t.seq == seq }) {
		all.terms = slices.DeleteFunc(slices.Clone(said.terms),
			func(t termsSaid) bool { return t.seq == seq })
		all.cancelled = slices.DeleteFunc(slices.Clone(said.cancelled),
			func(t endSaid) bool { return t.seq == seq })
	}
	other.publish(&all)
	return other
}

type (
	termsSaid = said[Requirement]
	endSaid   = said[struct{}]
)

// leaving returns a side as if a record about one of its requirements had not been made.
func (s *side) leaving(o events.Operation, name events.Line, seq uint64) *side {
	other := *s
	op, ok := s.p.operations[o]
	if !ok || op.now().lines[name] == nil {
		return &other
	}
	said := *op.now()
	said.lines = maps.Clone(said.lines)
	said.lines[name] = said.lines[name].leave(seq)
	instead := &operation{name: op.name, first: op.first}
	instead.publish(&said)
	p := *s.p
	p.operations = maps.Clone(p.operations)
	p.operations[o] = instead
	other.p, other.chosen = &p, slices.Clone(s.chosen)
	for i := range other.chosen {
		if other.chosen[i].name == o {
			other.chosen[i] = instead
		}
	}
	other.view = viewer{tally: p.newTally(other.chosen, s.basis, CoverageFilter{})}
	return &other
}

// leavingLine returns both sides without a record about a requirement.
func (c *causer) leavingLine(o events.Operation, name events.Line, seq uint64) [2]*side {
	sides, ok := c.without[seq]
	if !ok {
		sides = [2]*side{c.from.leaving(o, name, seq), c.to.leaving(o, name, seq)}
		c.without[seq] = sides
	}
	return sides
}

// pair returns a pledge at both sides, also where it was struck: it may be that record which is
// left out.
func (c *causer) pair(id events.ID) [2]*pledge {
	both, ok := c.pairs[id]
	if !ok {
		both = [2]*pledge{c.differ.from.met(id), c.differ.to.met(id)}
		c.pairs[id] = both
	}
	return both
}

// known returns the pledge where it is known at the side, and so what has begun it.
func (s *side) known(pl *pledge) *pledge {
	if pl == nil || !pl.isKnown(s.basis.AsOf) || !pl.beginning(s.basis.AsOf).begun {
		return nil
	}
	return pl
}
