package projections

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
)

// Opening returns m for a question that names no date, about an operation or, without one, about
// all: m itself or, where none of them has begun on its date, m on the first day of the one that
// begins first, which m.Beginning then names. The answer would be empty otherwise, as if nothing
// were required and nobody gave anything. An operation begins on the first day on which a
// requirement of it is in force; one that has no requirements, with its first pledge. Those that
// begin later are named in m.NotBegun. All of it is as known as of m.AsOf. It looks at the
// requirements alone, unless an operation has none.
func (p *Picture) Opening(m Moment, o events.Operation) (Moment, error) {
	b, err := p.Basis(m)
	if err != nil {
		return m, err
	}
	chosen, err := p.chosen(b.AsOf, o)
	if err != nil {
		return m, nil // the question tells that there is no such operation
	}
	begun, later := false, []string{}
	for _, one := range chosen {
		switch first, required := one.opens(&b); {
		case first != 0 && first <= b.On, !required && p.hasBegun(one, &b):
			begun = true
		case first != 0:
			later = append(later, fmt.Sprintf("%s %s", one.name, first))
			if m.Beginning == "" || first < m.On {
				m.On, m.Beginning = first, one.name
			}
		}
	}
	if begun || m.Beginning == "" {
		m.On, m.Beginning = b.On, ""
	}
	m.NotBegun = strings.Join(slices.DeleteFunc(later, func(s string) bool {
		return m.Beginning != "" && strings.HasSuffix(s, " "+m.On.String())
	}), ", ")
	return m, nil
}

// OperationOf returns the only operation that has a requirement of a name, as known as of m; ""
// where none has, or several.
func (p *Picture) OperationOf(m Moment, name events.Line) (found events.Operation) {
	b, err := p.Basis(m)
	if err != nil || name == "" {
		return ""
	}
	for _, o := range p.names {
		l := p.operations[o].now().lines[name]
		switch {
		case l == nil || len(l.now().terms.known(b.AsOf)) == 0:
		case found != "":
			return ""
		default:
			found = o
		}
	}
	return found
}

// opens returns the first day on which a requirement of the operation is in force, or one on or
// before the date asked; 0 for never. It also reports whether there are any requirements.
func (o *operation) opens(b *Basis) (first events.Date, required bool) {
	for _, name := range o.now().lineNames {
		day, ok := o.now().lines[name].opens(b)
		required = required || ok
		if day != 0 && (first == 0 || day < first) {
			first = day
		}
		if first != 0 && first <= b.On {
			break
		}
	}
	return first, required
}

// opens returns the first day on which the line is in force, 0 for never; false when it is not
// known yet.
func (l *line) opens(b *Basis) (events.Date, bool) {
	var days []events.Date
	l.edges(b.AsOf, func(d events.Date) { days = append(days, d) })
	slices.Sort(days)
	for _, day := range days {
		if q, ok := l.at(b.onDay(day)); ok && q.State == InForce {
			return day, true
		}
	}
	return 0, len(days) > 0
}

// hasBegun reports whether a pledge of an operation is there on the date asked, or was before.
func (p *Picture) hasBegun(o *operation, b *Basis) bool {
	t, asOf := &p.versions, uint32(b.AsOf)
	extents := t.extents[:t.before(asOf)]
	for i := range extents {
		if e := &extents[i]; e.isKnown(asOf) && e.from <= b.On &&
			p.kinds.names[t.what[i].promisedKind].operation == o {
			return true
		}
	}
	return false
}

// nextThere returns the first day after those asked on which a pledge that passes a filter is
// there, 0 for none. It scans the table, and is for answers in which nothing is.
func (p *Picture) nextThere(b *Basis, chosen []*operation, f Filter) (next events.Date) {
	t, asOf := &p.versions, uint32(b.AsOf)
	extents := t.extents[:t.before(asOf)]
	for i := range extents {
		if !p.meter.spend(1) {
			return 0
		}
		e, v := &extents[i], &t.what[i]
		k := &p.kinds.names[v.promisedKind]
		if e.isKnown(asOf) && e.from > b.last() && (next == 0 || e.from < next) &&
			isChosen(chosen, k.operation) &&
			f.nation(p.nations.names[v.nation]) && (f.Role == "" || f.Role == k.role) &&
			b.WhatIf.lets(p, v) {
			next = e.from
		}
	}
	return next
}

// nextInForce returns the first day after those asked on which a requirement of some operations is
// in force, 0 for none.
func nextInForce(b *Basis, chosen []*operation, role events.Role) (next events.Date) {
	for _, o := range chosen {
		for _, name := range o.now().lineNames {
			o.now().lines[name].edges(b.AsOf, func(d events.Date) {
				if d <= b.last() || next != 0 && d >= next {
					return
				}
				if q, ok := o.now().lines[name].at(b.onDay(d)); ok && q.State == InForce &&
					(role == "" || q.Role == role) {
					next = d
				}
			})
		}
	}
	return next
}
