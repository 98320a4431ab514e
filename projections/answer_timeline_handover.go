package projections

import (
	"cmp"
	"slices"

	"muster/events"
)

// A HandOver is one rotation: forces that relieve others.
type HandOver struct {
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	From      events.ID        `json:"from"`
	FromBy    events.Nation    `json:"from_nation"`
	To        events.ID        `json:"to"`
	ToBy      events.Nation    `json:"to_nation"`
	Quantity  events.Quantity  `json:"quantity"` // of those who are relieved
	Unit      events.Unit      `json:"unit"`
	Ends      events.Date      `json:"ends"`   // the last day of those who are relieved
	Begins    events.Date      `json:"begins"` // the first day of those who relieve them
	// Days are how many days lie between, with nobody there: 0 for none, and less than 0 for days
	// on which both are.
	Days int `json:"days"`
}

// handOvers finds the rotations that begin or end in the days asked, by date; where one line is
// asked for, those alone that may be of its supply.
func (p *Picture) handOvers(b *Basis, chosen []*operation, f TimelineFilter, c *course) []HandOver {
	all := []HandOver{}
	for _, pair := range p.rotationsOf(b) {
		from, to := pair[0], pair[1]
		out, in := from.daysThere(b), to.daysThere(b)
		var room standing
		at := *b
		at.On = min(out.until, b.On.AddDays(MaxTimeline))
		s := from.at(&at, &room)
		if !slices.Contains(chosen, from.operation) || out.until == 0 || in.until == 0 ||
			out.until == lastDay || s.terms == nil || f.Role != "" && s.terms.role != f.Role {
			continue
		}
		if in.from < f.Days.From && out.until < f.Days.From || out.until > f.Days.Until &&
			in.from > f.Days.Until {
			continue
		}
		if f.Line != "" && !s.mayFill(c, from, f.Line) &&
			!to.onFirstDay(b, in.from).mayFill(c, to, f.Line) {
			continue
		}
		all = append(all, HandOver{Operation: from.operation.name, Role: s.terms.role,
			From: from.id, FromBy: from.nation, To: to.id, ToBy: to.nation,
			Quantity: s.pledged.quantity, Unit: s.pledged.unit, Ends: out.until, Begins: in.from,
			Days: daysBetween(out.until, in.from) - 1})
	}
	slices.SortFunc(all, func(a, b HandOver) int {
		return cmp.Or(cmp.Compare(a.Ends, b.Ends), compareIDs(a.From, b.From),
			compareIDs(a.To, b.To))
	})
	return all
}

// onFirstDay returns where a pledge stands on its first day.
func (pl *pledge) onFirstDay(b *Basis, first events.Date) *standing {
	on := b.onDay(first)
	return pl.at(&on, new(standing))
}

// mayFill reports whether a pledge may be supply of a line in the days of a course: it is allocated
// to it or, where nothing of it is allocated, it counts for it or waits at it while it is in force.
func (s *standing) mayFill(c *course, pl *pledge, name events.Line) bool {
	if len(s.allocations) > 0 {
		return slices.ContainsFunc(s.allocations, func(a allotment) bool {
			return a.line.name == name
		})
	}
	unit := cmp.Or(s.pledged.unit, s.strength.unit)
	k := kind{pl.operation, s.terms.role, s.terms.area, s.terms.line, unit}
	role := slices.IndexFunc(c.roles, func(r roleCourse) bool {
		return r.sought == sought{pl.operation.name, s.terms.role}
	})
	return role >= 0 && slices.ContainsFunc(c.roles[role].phases, func(ph phase) bool {
		at, inForce := ph.matcher.named[namedLine{pl.operation.name, name}]
		return inForce && slices.Contains(ph.matcher.match(&k).fits, at)
	})
}

// rotationsOf returns the pairs of pledges, relieved and relieving, that either of them names, each
// once.
func (p *Picture) rotationsOf(b *Basis) [][2]*pledge {
	var pairs [][2]*pledge
	there := map[[2]*pledge]bool{}
	add := func(from, to *pledge) {
		pair := [2]*pledge{from, to}
		if from != nil && to != nil && from.isKnown(b.AsOf) && to.isKnown(b.AsOf) && !there[pair] {
			there[pair] = true
			pairs = append(pairs, pair)
		}
	}
	for _, pl := range p.rotating {
		if last := pl.lastTerms(b.AsOf); last != nil && last.further != nil {
			before, _ := p.find(last.further.predecessor)
			after, _ := p.find(last.further.successor)
			add(before, pl)
			add(pl, after)
		}
	}
	return pairs
}

// lastTerms returns what a pledge restates last, by date, as known as of a record; nil for nothing.
func (pl *pledge) lastTerms(asOf uint64) (last *terms) {
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.terms != nil && d.known(uint32(asOf)) {
			last = d.terms
		}
	}
	return last
}

// daysThere returns the first and the last day on which a pledge is there, as known as of the
// basis; zero when there is none.
func (pl *pledge) daysThere(b *Basis) (whole stretch) {
	pl.now().stretches(new(standing), uint32(b.AsOf), 0, func(days stretch, _ *standing) {
		if whole.until == 0 {
			whole.from = days.from
		}
		whole.until = days.until
	})
	return whole
}

// daysBetween returns how many days b is after a.
func daysBetween(a, b events.Date) int { return int(b.Time().Sub(a.Time()).Hours() / 24) }
