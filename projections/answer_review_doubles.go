package projections

import (
	"fmt"

	"muster/events"
	"muster/events/english"
)

// doubles are the pledges that a review has met, by all that they say.
type doubles map[doubleKey][]met

// A doubleKey is what two pledges say that may be one: whose they are, for what, how much and when.
// The source, a note and the rung may be others, as where one came in by a file and one by hand.
type doubleKey struct {
	nation   events.Nation
	role     events.Role
	area     events.Area
	line     events.Line
	presence events.Presence
	events.Window
	amount
	reference string
}

// A met is a pledge that says so on a run of days.
type met struct {
	pledge *pledge
	stretch
}

// review adds to a review that a pledge, which stands so in a run of days, says the same as another
// one that was met before.
func (all doubles) review(r *Review, b *Basis, last events.Date, pl *pledge, role events.Role) {
	var room standing
	s := b.WhatIf.suppose(pl.at(b, &room))
	if !s.counts(b.On) || s.pledged.quantity.IsZero() || role != "" && s.terms.role != role {
		return
	}
	t := s.terms
	key := doubleKey{pl.nation, t.role, t.area, t.line, t.presence, t.Window, s.pledged, ""}
	if t.further != nil {
		key.reference = t.further.reference
	}
	days := stretch{b.On, max(last, b.On)}
	for _, other := range all[key] {
		if other.pledge == pl || other.until < days.from || days.until < other.from {
			continue
		}
		day := r.day(b)
		if r.IsRange() {
			day = max(day, other.from)
		}
		r.Findings = append(r.Findings, Finding{Kind: LikelyDouble, Operation: pl.operation.name,
			Pledge: pl.id, Nation: pl.nation, Quantity: s.pledged.quantity, Unit: s.pledged.unit,
			Day: day, Sequences: s.termsBy.appendTo(nil),
			Sentence: fmt.Sprintf("%s pledges %s and %s say the same, %s for %s: if they are one, "+
				"strike the later one: muster pledge correct %d --strike --reason WHY",
				english.Capital(english.Possessive(pl.nation.Named())), other.pledge.id, pl.id,
				s.pledged, t.role, pl.first)})
		break
	}
	all[key] = append(all[key], met{pl, days})
}
