package projections

import (
	"slices"

	"muster/events"
)

// maxLater is how many later days are told of a pledge.
const maxLater = 12

// later tells the days after one on which a pledge counts otherwise than on the day before, as
// known as of b, since a requirement comes into force or ends, or the pledge itself changes: the
// first few, and whether there are more. It places the pledge once for each day on which a
// requirement for its role changes. The sides are those of the days looked at so far.
func (p *Picture) later(b Basis, pl *pledge, from events.Date, sides sidesOn) (
	all []FirstDay, more bool,
) {
	at := sides.on(p, b, from)
	was, waits := at.view.comparedPlaces(pl), at.view.waitsFor()
	for _, day := range p.daysOf(&b, pl, from) {
		if !p.meter.spend(foldCost) {
			return all, false
		}
		at := sides.on(p, b, day)
		is, now := at.view.comparedPlaces(pl), at.view.waitsFor()
		if slices.Equal(was, is) && slices.Equal(waits, now) {
			continue
		}
		was, waits = is, now
		if !at.compared(pl).there() {
			continue
		}
		if len(all) == maxLater {
			return all, true
		}
		all = append(all, at.firstDay(pl))
	}
	return all, false
}

// sidesOn are sides of one picture by their date.
type sidesOn map[events.Date]*side

// on returns the side of a date.
func (all sidesOn) on(p *Picture, b Basis, day events.Date) *side {
	at := all[day]
	if at == nil {
		at = &side{p: p}
		at.aim(b.onDay(day), Filter{})
		all[day] = at
	}
	return at
}

// firstDay tells where a pledge counts from the day of a side on.
func (s *side) firstDay(pl *pledge) FirstDay {
	one := FirstDay{Pledge: pl.id, Nation: pl.nation, On: s.basis.On, Places: s.view.places(pl),
		Organisation: pl.operation.organisation(s.basis.AsOf, pl.nation)}
	one.Counts = slices.ContainsFunc(one.Places, func(at Place) bool { return at.Line != "" })
	return one
}

// daysOf returns the days after one, while a pledge is there, on which it changes, or a requirement
// for its role does.
func (p *Picture) daysOf(b *Basis, pl *pledge, from events.Date) (days []events.Date) {
	last, roles := from, map[events.Role]bool{}
	pl.now().stretches(new(standing), uint32(b.AsOf), from, func(run stretch, s *standing) {
		last, roles[s.terms.role] = run.until, true
		days = append(days, run.from)
	})
	if o, ok := p.operations[pl.operation.name]; ok {
		o.edgesOf(roles, b.AsOf, func(d events.Date) { days = append(days, d) })
	}
	days = slices.DeleteFunc(days, func(d events.Date) bool { return d <= from || d > last })
	slices.Sort(days)
	return slices.Compact(days)
}

// edgesOf calls do for the days on which a requirement for one of the roles may change.
func (o *operation) edgesOf(roles map[events.Role]bool, asOf uint64, do func(events.Date)) {
	ofRole := func(t termsSaid) bool { return roles[t.what.Role] }
	for _, name := range o.now().lineNames {
		l := o.now().lines[name]
		if slices.ContainsFunc(l.now().terms.known(asOf), ofRole) {
			l.edges(asOf, do)
		}
	}
}
