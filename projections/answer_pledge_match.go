package projections

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// Reasons for which a pledge is not there at all on a date, and so is supply of nothing. They stand
// beside those of [NotCounted], which are of pledges that are there; the states of pledges that
// have ended are reasons too.
const (
	NotBegun     Reason = "ahead"         // begins only later
	WindowAhead  Reason = "window-ahead"  // the first day of its window is still to come
	WindowOver   Reason = "window-over"   // the last day of its window has passed
	SupposedAway Reason = "supposed-away" // left out by what the question supposes
)

// A Place says of a pledge, or of a part of one, for which requirement it counts at a moment, or
// why it counts for none.
type Place struct {
	// Line is the requirement that it is supply of; absent when it is of none, and then Reason says
	// why.
	Line   events.Line `json:"line,omitzero"`
	Reason Reason      `json:"reason,omitzero"`
	// By says why it counts for the line.
	By CountedBy `json:"by,omitzero"`
	// Quantity is how much it is about, in the unit. It may be unknown where it does not count.
	Quantity events.Quantity `json:"quantity,omitzero"`
	Unit     events.Unit     `json:"unit"`
	// What sets it against the line, where something does.
	Allocation events.ID `json:"allocation,omitzero"`
	// Lines are those that it fits or is allocated to, where it does not count.
	Lines    []events.Line `json:"lines,omitempty"`
	Sentence string        `json:"sentence"`
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
	// Sequences are the records that make it so.
	Sequences []uint64 `json:"sequences"`
}

// A comparedPlace is a Place as it is compared.
type comparedPlace struct {
	line       events.Line
	reason     Reason
	number     int64
	unknown    bool
	allocation events.ID
	unit       events.Unit
}

// A viewer places pledges one by one, and sums their lines as [Picture.Coverage] does.
type viewer struct {
	*tally
	room standing
	now  *standing // the pledge that was placed last
	what version   // its version, when it is there
}

// view returns a viewer of some operations.
func (p *Picture) view(b Basis, f CoverageFilter) (*viewer, error) {
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return nil, err
	}
	return &viewer{tally: p.newTally(chosen, b, f)}, nil
}

// absent says why a pledge is not there, "" when it is.
func (v *viewer) absent(pl *pledge) Reason {
	s := v.now
	switch on, w := v.basis.On, v.basis.WhatIf; {
	case w != nil && slices.Contains(w.Without, pl.nation):
		return SupposedAway
	case s.exit != "":
		return Reason(s.exit)
	case pl.struckBy(v.basis.AsOf) != 0:
		return Reason(Struck)
	case !s.begun:
		return NotBegun
	case on < s.terms.From:
		return WindowAhead
	case !s.terms.Includes(on):
		return WindowOver
	}
	one := v.p.versionOf(pl, s, v.basis.On)
	if !v.basis.WhatIf.lets(v.p, &one) {
		return SupposedAway
	}
	return ""
}

// place puts one pledge where it belongs. What it is counted for, and what is left of it, is in the
// tally until the next.
func (v *viewer) place(pl *pledge) (why Reason) {
	v.uncounted = v.uncounted[:0]
	for i := range v.lines {
		v.lines[i].counted = v.lines[i].counted[:0]
	}
	v.now = v.standing(pl, &v.room)
	if why = v.absent(pl); why == "" {
		v.what = v.p.versionOf(pl, v.now, v.basis.On)
		v.tally.place(&v.what, 1)
	}
	return why
}

// wouldFit names the requirements that the pledge placed last, which is there, counts for from any
// rung up.
func (v *viewer) wouldFit() (all []events.Line) {
	if v.what.flags&(isReserve|isFailed) != 0 {
		return nil
	}
	for _, s := range v.what.shares() {
		if at, inForce := v.of[s.line.same()]; inForce {
			all = append(all, v.lines[at].Line)
		}
	}
	if v.what.allocated != nil {
		return all
	}
	for _, kind := range []uint32{v.what.promisedKind, v.what.presentKind} {
		if only := v.tally.matches[kind].only; only >= 0 {
			all = append(all, v.lines[only].Line)
		}
	}
	return slices.Compact(all)
}

// waitsFor names the requirements at which the pledge placed last waits for an allocation.
func (v *viewer) waitsFor() (all []events.Line) {
	v.waitsAt(func(_ waiting, lines []int) {
		for _, at := range lines {
			all = append(all, v.lines[at].Line)
		}
	})
	return all
}

// comparedPlaces places a pledge and returns where.
func (v *viewer) comparedPlaces(pl *pledge) (all []comparedPlace) {
	if why := v.place(pl); why != "" {
		return []comparedPlace{{reason: why}}
	}
	for i := range v.lines {
		for _, c := range v.lines[i].counted {
			all = append(all, comparedPlace{line: v.lines[i].Line, number: c.number,
				allocation: c.allocation, unit: v.lines[i].Unit})
		}
	}
	for i := range v.uncounted {
		l := &v.uncounted[i]
		s := comparedPlace{reason: l.reason, number: l.number, unknown: !l.known,
			unit: v.p.kinds.names[l.kind].unit}
		if l.share != nil {
			s.allocation = l.share.id
		}
		all = append(all, s)
	}
	return all
}

// places places a pledge and tells where, to people and to programs.
func (v *viewer) places(pl *pledge) []Place {
	all := []Place{}
	why := v.place(pl)
	_, reported := v.now.amount(v.basis.Rung)
	if why != "" {
		return append(all, v.away(pl, why))
	}
	for i := range v.lines {
		l := &v.lines[i]
		for _, c := range l.counted {
			all = append(all, Place{Line: l.Line, By: c.by, Quantity: l.Unit.Of(c.number),
				Unit: l.Unit, Allocation: c.allocation,
				Sequences: v.now.sequencesWith(c.allocation, reported)}.
				saying(v.countedSentence(l, c.by)))
		}
	}
	for i := range v.uncounted {
		n := v.show(&v.uncounted[i], v.now)
		at := Place{Reason: n.Reason, Quantity: n.Quantity, Unit: n.Unit, Lines: n.Lines,
			Sentence: n.Sentence, Told: n.Told, Sequences: n.Sequences}
		if n.Reason == BelowRung && v.what.allocated != nil {
			at.Lines = v.wouldFit()
		}
		if s := v.uncounted[i].share; s != nil {
			at.Allocation = s.id
		}
		all = append(all, at)
	}
	slices.SortStableFunc(all, func(a, b Place) int {
		if counted := a.Line != ""; counted != (b.Line != "") {
			return map[bool]int{true: -1, false: 1}[counted]
		}
		return cmp.Compare(a.Line, b.Line)
	})
	return all
}

// saying returns the place with the sentence that says it.
func (at Place) saying(told phrase.Phrase) Place {
	at.Told, at.Sentence = told, told.String()
	return at
}

// countedSentence says why the pledge placed last counts for a line.
func (v *viewer) countedSentence(l *lineTally, by CountedBy) phrase.Phrase {
	switch by {
	case ByAllocation:
		return phrase.Of("So much of it is allocated to %s.", l.Line)
	case ByName:
		return phrase.Of("It counts for %s: it is meant for that requirement.", l.Line)
	case ByArea:
		return phrase.Of("It counts for %s: of the requirements that it fits, no other is in %s.",
			l.Line, l.Area)
	}
	if named := v.now.terms.line; named != "" {
		return phrase.Of("It counts for %s: it does not fit %s, which it names, and fits no "+
			"other requirement in force.", l.Line, named)
	}
	return phrase.Of("It counts for %s: it fits no other requirement in force.", l.Line)
}

// away tells of a pledge that is not there.
func (v *viewer) away(pl *pledge, why Reason) Place {
	s := v.now
	if !s.begun {
		s = pl.beginning(v.basis.AsOf)
	}
	a, reported := s.amount(v.basis.Rung)
	at := Place{Reason: why, Quantity: a.quantity, Unit: a.unit,
		Sequences: s.appendSequences(nil, reported)}
	switch why {
	case Reason(Struck):
		by := pl.struckBy(v.basis.AsOf)
		at = at.saying(phrase.Of("Record %d has struck it: it was never to be said.", by))
		at.Sequences = append(at.Sequences, by)
	case NotBegun:
		at = at.saying(phrase.Of("It begins only on %s.", s.since))
	case WindowAhead:
		at = at.saying(phrase.Of("It is for the days from %s on.", s.terms.From))
	case WindowOver:
		at = at.saying(phrase.Of("It was for the days up to %s.", s.terms.Until))
	case SupposedAway:
		at = at.saying(phrase.Of("It is left out, since the question supposes the world %s.",
			v.basis.WhatIf))
	case Reason(Lapsed):
		at = at.saying(phrase.Of("It has lapsed: it stood through %s and was not renewed.",
			s.exitOn.AddDays(-1)))
	default:
		at = at.saying(phrase.Of("It has ended: it was %s with effect from %s.",
			phrase.As(string(why), "pledge-state."+string(why)), s.exitOn))
		at.Sequences = s.exitBy.appendTo(at.Sequences)
	}
	return at
}
