package projections

import (
	"math"
	"slices"

	"muster/events"
)

// This file finds what made a difference: a record that only one of two moments knows, or that has
// become effective between them; or a day between them on which something began, ended or lapsed by
// itself.

// A factKey tells the facts of a pledge from each other.
type factKey struct{ order, seq uint32 }

// effectiveFacts returns the facts that play a part at a side's moment.
func (s *side) effectiveFacts(pl *pledge) map[factKey]bool {
	all := map[factKey]bool{}
	if pl == nil {
		return all
	}
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.known(uint32(s.basis.AsOf)) && d.effective <= s.basis.On {
			all[factKey{d.order, d.knownFrom}] = true
		}
	}
	return all
}

// records tells the records of which only one moment has what they say. What was corrected between
// the moments is told by its correction.
func (d *differ) records(was, is *pledge) []Told {
	old, now := d.from.effectiveFacts(was), d.to.effectiveFacts(is)
	pl, p := is, d.to.p
	if is == nil {
		pl, p = was, d.from.p
	}
	var sequences []uint64
	if was == nil || is == nil {
		sequences = append(sequences, d.made(pl)) // even where it begins only later
	}
	for at := range now {
		if !old[at] {
			sequences = append(sequences, uint64(at.seq))
			if uint64(at.order) > d.from.basis.AsOf { // what was corrected was not known either
				sequences = append(sequences, uint64(at.order))
			}
		}
	}
	facts := pl.now().facts
	for i := range facts {
		one := &facts[i]
		at := factKey{one.order, one.knownFrom}
		switch {
		case !old[at] || now[at]:
		case uint64(one.knownTo) <= d.to.basis.AsOf:
			sequences = append(sequences, uint64(one.knownTo))
		default:
			sequences = append(sequences, uint64(one.knownFrom))
		}
	}
	return p.tellAll(pl, sequences)
}

// made returns the record for which a pledge is known at one moment alone: the one that began it,
// or the one that struck it.
func (d *differ) made(pl *pledge) uint64 {
	if by := pl.struckBy(max(d.from.basis.AsOf, d.to.basis.AsOf)); by != 0 &&
		uint64(pl.first) <= min(d.from.basis.AsOf, d.to.basis.AsOf) {
		return by
	}
	return uint64(pl.first)
}

// passings tells the days between the moments on which something of a pledge began or ended by
// itself, as the later of the two dates has it.
func (d *differ) passings(is, was *pledge) []Passing {
	all := []Passing{}
	lo, hi := d.span()
	at, pl := &d.to, is
	if d.from.basis.On == hi {
		at, pl = &d.from, was
	}
	if pl == nil {
		return all
	}
	between := func(on events.Date) bool { return lo < on && on <= hi }
	var room standing
	s := at.basis.WhatIf.suppose(pl.at(&at.basis, &room))
	if !s.begun || s.exit != "" && s.exit != Lapsed {
		return all
	}
	if between(s.terms.From) && s.terms.From > s.since {
		all = append(all, passing(s.terms.From, "its window begins"))
	}
	if u := s.terms.Until; u != 0 && between(u.AddDays(1)) && s.exit == "" {
		all = append(all, passing(u.AddDays(1), "its window has ended, on %s", u))
	}
	if s.exit == Lapsed && between(s.exitOn) {
		all = append(all, passing(s.exitOn, "it lapses: it stood through %s, and was not renewed",
			s.exitOn.AddDays(-1)))
	}
	for _, a := range s.allocations {
		if between(a.From) {
			all = append(all, passing(a.From, "its allocation to %s begins", a.line.name))
		}
		if a.Until != 0 && between(a.Until.AddDays(1)) {
			all = append(all, passing(a.Until.AddDays(1), "its allocation to %s has ended, on %s",
				a.line.name, a.Until))
		}
	}
	slices.SortStableFunc(all, func(a, b Passing) int { return int(a.On - b.On) })
	return all
}

// blameLines adds to a pledge what made requirements ask for other things, or ask for them at one
// moment only: a pledge counts otherwise when its requirement is gone, or another asks for the
// same.
func (d *differ) blameLines(one *PledgeDiff) {
	var names []events.Line
	for _, name := range slices.Concat(one.From.lines(), one.To.lines()) {
		if !slices.Contains(names, name) && d.from.asks(one.Operation,
			name) != d.to.asks(one.Operation, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		records, calendar := d.ofLine(one.Operation, name)
		one.Records = append(one.Records, records...)
		for _, c := range calendar {
			one.Calendar = append(one.Calendar,
				passing(c.On, "for the requirement %s: %s", name, c.Told))
		}
	}
	slices.SortStableFunc(one.Records, bySequence)
}

// An asked is what decides which pledges fit a requirement.
type asked struct {
	inForce bool
	role    events.Role
	area    events.Area
	unit    events.Unit
}

func (s *side) asks(o events.Operation, name events.Line) asked {
	if l := s.line(o, name); l != nil {
		if q, ok := l.at(s.basis); ok && q.State == InForce {
			return asked{true, q.Role, q.Area, q.Unit}
		}
	}
	return asked{}
}

// lines are those that the pledge counts for, or fits.
func (s *PledgeStand) lines() (all []events.Line) {
	if s == nil {
		return nil
	}
	for _, at := range s.Places {
		if at.Line != "" {
			all = append(all, at.Line)
		}
		all = append(all, at.Lines...)
	}
	return all
}

// ofLine tells what changed a requirement between the moments. What it returns is not written to.
func (d *differ) ofLine(o events.Operation, name events.Line) ([]Told, []Passing) {
	is := lineOf{o, name}
	all, ok := d.told[is]
	if !ok {
		all.records, all.calendar = d.findOfLine(o, name)
		d.told[is] = all
	}
	return all.records, all.calendar
}

func (d *differ) findOfLine(o events.Operation, name events.Line) ([]Told, []Passing) {
	old, now := d.from.said(o, name), d.to.said(o, name)
	l, p := d.to.line(o, name), d.to.p
	if l == nil {
		l, p = d.from.line(o, name), d.from.p
	}
	told := []Told{}
	for seq := range merge(old, now) {
		if old[seq] != now[seq] {
			told = append(told, p.tellLine(l, seq))
		}
	}
	issued := l.issued()
	// What one moment alone knows was issued between them, even where that holds only later.
	isThere := issued <= d.to.basis.AsOf
	if wasThere := issued <= d.from.basis.AsOf; wasThere != isThere && old[issued] == now[issued] {
		told = append(told, p.tellLine(l, issued))
	}
	slices.SortFunc(told, bySequence)
	return told, d.linePassings(o, name)
}

// issued returns the record that issued the line.
func (l *line) issued() uint64 {
	first := uint64(math.MaxUint64)
	for _, t := range l.now().terms {
		first = min(first, t.seq)
	}
	return first
}

func merge(a, b map[uint64]bool) map[uint64]bool {
	all := map[uint64]bool{}
	for _, m := range []map[uint64]bool{a, b} {
		for seq := range m {
			all[seq] = true
		}
	}
	return all
}

// line returns a requirement, nil when the side's picture has none of that name.
func (s *side) line(o events.Operation, name events.Line) *line {
	if op, ok := s.p.operations[o]; ok {
		return op.now().lines[name]
	}
	return nil
}

// said returns the records about a requirement that play a part at the side's moment.
func (s *side) said(o events.Operation, name events.Line) map[uint64]bool {
	all := map[uint64]bool{}
	l := s.line(o, name)
	if l == nil {
		return all
	}
	for _, t := range l.now().terms {
		if t.seq <= s.basis.AsOf && t.effective <= s.basis.On {
			all[t.seq] = true
		}
	}
	for _, t := range l.now().cancelled {
		if t.seq <= s.basis.AsOf && t.effective <= s.basis.On {
			all[t.seq] = true
		}
	}
	return all
}

// linePassings tells the days between the moments on which a requirement's window began or ended.
func (d *differ) linePassings(o events.Operation, name events.Line) []Passing {
	all := []Passing{}
	lo, hi := d.span()
	at := &d.to
	if d.from.basis.On == hi {
		at = &d.from
	}
	l := at.line(o, name)
	if lo == hi || l == nil {
		return all
	}
	q, ok := l.at(at.basis)
	if !ok || q.State == Cancelled {
		return all
	}
	if lo < q.From && q.From <= hi {
		all = append(all, passing(q.From, "its window begins"))
	}
	if q.Until != 0 && lo < q.Until.AddDays(1) && q.Until.AddDays(1) <= hi {
		all = append(all, passing(q.Until.AddDays(1), "its window has ended, on %s", q.Until))
	}
	return all
}
