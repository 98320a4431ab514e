package projections

import (
	"slices"

	"muster/events"
)

var strengthDiffBy = []string{"operation", "nation", "role"}

// strength adds the sums that differ.
func (d *differ) strength() {
	rows := map[groupKey]*StrengthDiff{}
	of := func(s *side, set func(*StrengthDiff, events.Quantity)) {
		for k, sum := range s.p.sum(&s.basis, s.chosen, d.filter, strengthDiffBy) {
			row := k.row(sum)
			if sum.pledges+sum.unknown == 0 {
				continue // there is only what stands in reserve, or has failed
			}
			if rows[k] == nil {
				rows[k] = &StrengthDiff{Operation: k.operation, Nation: k.nation, Role: k.role,
					Unit: k.unit, Pledges: []events.ID{}}
			}
			set(rows[k], row.Quantity)
		}
	}
	of(&d.from, func(r *StrengthDiff, q events.Quantity) { r.From = q })
	of(&d.to, func(r *StrengthDiff, q events.Quantity) { r.To = q })
	for i := range d.answer.Pledges {
		pd := &d.answer.Pledges[i]
		for _, s := range []*PledgeStand{pd.From, pd.To} {
			if s == nil {
				continue
			}
			r := rows[groupKey{pd.Operation, pd.Nation, s.Role, s.Unit}]
			if r == nil {
				continue
			}
			if n := len(r.Pledges); n == 0 || r.Pledges[n-1] != pd.Pledge {
				r.Pledges = append(r.Pledges, pd.Pledge)
			}
		}
	}
	for k, r := range rows {
		r.PledgesMore = d.moreSums[k]
		if r.From != r.To {
			d.answer.Strength = append(d.answer.Strength, *r)
		}
	}
	slices.SortFunc(d.answer.Strength, func(a, b StrengthDiff) int {
		return groupKey{a.Operation, a.Nation, a.Role,
			a.Unit}.compare(groupKey{b.Operation, b.Nation, b.Role, b.Unit}, strengthDiffBy)
	})
}

// sum finds the causes of a sum that differs.
func (c *causer) sum(r *StrengthDiff) {
	r.Records, r.Calendar = []Told{}, []Passing{}
	key := groupKey{r.Operation, r.Nation, r.Role, r.Unit}
	for _, id := range r.Pledges {
		pd := &c.answer.Pledges[c.byID[id]]
		both := c.pair(id)
		was, is := c.from.summed(both[0], key), c.to.summed(both[1], key)
		if was == is {
			continue
		}
		for _, t := range pd.Records {
			if t.Pledge != pd.Pledge || !c.to.p.meter.spend(2*foldCost) {
				continue
			}
			a, b := c.from.summed(c.from.known(both[0].leave(t.Sequence)), key),
				c.to.summed(c.to.known(both[1].leave(t.Sequence)), key)
			if a != was || b != is {
				r.Records = append(r.Records, t)
			}
		}
		r.Calendar = append(r.Calendar, c.ownPassings(both)...)
	}
	slices.SortFunc(r.Records, bySequence)
}

// ownPassings are the days on which something of a pledge itself begins or ends.
func (c *causer) ownPassings(both [2]*pledge) []Passing {
	if c.from.basis.On == c.to.basis.On {
		return nil
	}
	return c.passings(both[1], both[0])
}

// summed returns what a pledge adds to a sum at a side.
func (s *side) summed(pl *pledge, key groupKey) (one partial) {
	if pl == nil || s.place(pl) != "" {
		return one
	}
	v := &s.view.what
	n, number, known := v.amount(s.basis.Rung)
	k := s.p.kinds.names[number]
	if v.rung < s.basis.Rung || v.flags&(isReserve|isFailed) != 0 || k.role != key.role ||
		k.unit != key.unit {
		return one
	}
	one.add(n, known, 1)
	return one
}
