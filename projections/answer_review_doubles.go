package projections

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
)

// doubles are the pledges that a review meets, with all that they say.
type doubles []met

// A met is a pledge that says so on a run of days.
type met struct {
	pledge *pledge
	doubleKey
	by   []uint64 // the records that say so
	days stretch
}

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

// meet notes what a pledge says in a run of days.
func (all *doubles) meet(b *Basis, last events.Date, pl *pledge, role events.Role) {
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
	*all = append(*all, met{pl, key, s.termsBy.appendTo(nil), stretch{b.On, max(last, b.On)}})
}

// tell adds to a review each pledge that says the same as one that was recorded before it. It goes
// by their records: an ID tells when its pledge was offered only where a program made it then, and
// not where it follows from the row of a file.
func (all doubles) tell(r *Review) {
	slices.SortStableFunc(all, func(a, b met) int {
		return cmp.Compare(a.pledge.first, b.pledge.first)
	})
	earlier, told := map[doubleKey][]met{}, map[[2]*pledge]bool{}
	for _, one := range all {
		for _, other := range earlier[one.doubleKey] {
			if other.pledge == one.pledge || other.days.until < one.days.from ||
				one.days.until < other.days.from {
				continue
			}
			if pair := [2]*pledge{other.pledge, one.pledge}; !told[pair] {
				told[pair] = true
				r.Findings = append(r.Findings, r.double(&other, &one))
			}
			break
		}
		earlier[one.doubleKey] = append(earlier[one.doubleKey], one)
	}
}

// double is the finding that a pledge says the same as one from before it.
func (r *Review) double(other, later *met) Finding {
	owner := later.pledge.called(r.AsOf)
	f := Finding{Kind: LikelyDouble, Operation: later.pledge.operation.name,
		Pledge: later.pledge.id, Nation: later.nation, Quantity: later.quantity, Unit: later.unit,
		Sequences: later.by}.saying(phrase.Of("%s pledges %s and %s say the same, %s for %s: "+
		"if they are one, strike the later one: muster pledge correct %d --strike --reason WHY",
		phrase.As(english.Possessive(owner.English), "whose pledge", owner).Capital(),
		other.pledge.id, later.pledge.id, later.amount.measure(), later.role, later.pledge.first))
	if r.IsRange() {
		f.Day = max(later.days.from, other.days.from)
	}
	return f
}
