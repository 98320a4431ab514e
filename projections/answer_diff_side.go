package projections

import (
	"slices"

	"muster/events"
)

// A side is one of the two moments.
type side struct {
	p      *Picture
	basis  Basis
	chosen []*operation
	view   viewer
	lines  Coverage
	rows   []version // by the number of the pledge, where they are scanned
}

// aim readies a side for its pledges. An operation that it does not know yet has no lines there.
func (s *side) aim(b Basis, f Filter) {
	s.basis = b
	s.chosen, _ = s.p.chosen(b.AsOf, f.Operation)
	s.view = viewer{tally: s.p.newTally(s.chosen, b, CoverageFilter{Operation: f.Operation})}
}

// open readies a side for its pledges and its lines.
func (s *side) open(b Basis, f Filter) {
	s.aim(b, f)
	t := s.p.newTally(s.chosen, b,
		CoverageFilter{Operation: f.Operation, Role: f.Role, Brief: true})
	s.p.each(&b, func(v *version) { t.place(v, 1) })
	s.lines.Lines = t.answer()
}

// find returns the side's own pledge, nil when it is not known there.
func (s *side) find(id events.ID) *pledge {
	if pl := s.met(id); pl != nil && pl.isKnown(s.basis.AsOf) {
		return pl
	}
	return nil
}

// met returns the side's own pledge, also where it was struck.
func (s *side) met(id events.ID) *pledge {
	if pl, ok := s.p.find(id); ok && uint64(pl.first) <= s.basis.AsOf {
		return pl
	}
	return nil
}

// scan notes the version of every pledge that is there.
func (s *side) scan() {
	s.rows = make([]version, len(s.p.pledges))
	s.p.each(&s.basis, func(v *version) { s.rows[v.pledge] = *v })
}

// A compared is what is compared of a pledge.
type compared struct {
	known             bool
	state             State
	rung              Rung
	role              events.Role
	area              events.Area
	line              events.Line
	pledged, strength amount
	flags             flags
	places            []comparedPlace
	fits              []events.Line // from any rung up
	waits             []events.Line // at which it waits for an allocation
}

func (s *side) compared(pl *pledge) (g compared) {
	if pl == nil {
		return g
	}
	g.places = s.view.comparedPlaces(pl)
	now := s.view.now
	g.known, g.state = true, now.state()
	if g.there() {
		g.fits, g.waits = s.view.wouldFit(), s.view.waitsFor()
	}
	if now.begun {
		g.rung, g.role, g.area, g.line, g.pledged, g.strength, g.flags = now.rung, now.terms.role,
			now.terms.area, now.terms.line, now.pledged, now.strength, now.flags()
	} else {
		g.role = pl.beginning(s.basis.AsOf).terms.role
	}
	return g
}

// there reports whether the pledge is there, counted or not.
func (g compared) there() bool {
	switch {
	case !g.known || g.state != Live:
		return false
	case len(g.places) != 1:
		return true
	}
	return g.places[0].reason != WindowAhead && g.places[0].reason != WindowOver &&
		g.places[0].reason != SupposedAway
}

// away reports whether the pledge is left out by what is supposed.
func (g compared) away() bool { return len(g.places) == 1 && g.places[0].reason == SupposedAway }

// equal reports whether a pledge counts the same. What one that has left was before makes no
// difference.
func (g compared) equal(other compared) bool {
	if g.away() && other.away() {
		return true
	}
	if gone := g.state != Live; gone && g.known && other.known && g.state == other.state {
		return true
	}
	return g.known == other.known && g.state == other.state && g.rung == other.rung &&
		g.role == other.role && g.area == other.area && g.line == other.line &&
		g.pledged == other.pledged && g.strength == other.strength && g.flags == other.flags &&
		slices.Equal(g.places, other.places) &&
		slices.Equal(g.fits, other.fits) && slices.Equal(g.waits, other.waits)
}

// stand tells where a pledge stands.
func (s *side) stand(pl *pledge) *PledgeStand {
	if pl == nil {
		return nil
	}
	one := &PledgeStand{Places: s.view.places(pl)}
	now := s.view.now
	one.State = now.state()
	if !now.begun {
		now = pl.beginning(s.basis.AsOf)
	}
	one.Rung, one.Role, one.Area, one.Line, one.Quantity, one.Strength = now.rung, now.terms.role,
		now.terms.area, now.terms.line, now.pledged.quantity, now.strength.quantity
	said := now.pledged.said()
	one.Least, one.Most = said.Least, said.Most
	one.Conditions, one.Caveats = now.conditionsIn(Hanging), now.caveatsHeld()
	one.Unit = now.pledged.unit
	if one.Quantity.IsZero() {
		one.Unit = now.strength.unit
	}
	return one
}
