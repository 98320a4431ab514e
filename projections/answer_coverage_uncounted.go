package projections

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
)

// A Reason says why a pledge is supply of no line. Codes are added, never renamed.
type Reason string

// The reasons, in the order in which they are looked for: the first that applies is told.
const (
	InReserve       Reason = "reserve"          // stands by at home
	ConditionFailed Reason = "condition-failed" // hangs on what will not happen
	BelowRung       Reason = "below-rung"       // has not climbed to the rung asked
	// allocated to a requirement that is not in force on the date
	LineNotInForce Reason = "line-not-in-force"
	NotAllocated   Reason = "not-allocated" // the rest of a pledge of which some is allocated
	// Nobody has said of how much, and unknown is never 0.
	UnknownQuantity Reason = "unknown-quantity"
	SeveralLines    Reason = "several-lines" // fits more than one line
	// fits but for the unit, and units are never added to each other
	OtherUnit Reason = "other-unit"
	NoLine    Reason = "no-line" // nothing in force asks for it
)

// A NotCounted is a pledge that is there, or a part of one, and is supply of no line.
type NotCounted struct {
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Quantity  events.Quantity  `json:"quantity"`
	Unit      events.Unit      `json:"unit"`
	Rung      Rung             `json:"rung"`
	Reason    Reason           `json:"reason"`
	// Day is the first day of a range on which it is so.
	Day events.Date `json:"day,omitzero"`
	// MeantFor is the requirement that it names as the one that it is meant for.
	MeantFor events.Line `json:"meant_for,omitzero"`
	// Lines are those that it is allocated to, or may be meant for, or, when the unit is the
	// reason, would fit in another unit.
	Lines []events.Line `json:"lines,omitzero"`
	// Sentence says the reason to people.
	Sentence string `json:"sentence"`
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
	// Sequences are the records that make the pledge what it is.
	Sequences []uint64 `json:"sequences"`
}

// uncounted is what does not count of a version.
type uncounted struct {
	pledge uint32
	day    events.Date // of a range
	kind   uint32
	number int64
	known  bool
	share  *share // what it was allocated as, nil for what was not
	reason Reason
}

// waitsAt calls do with what waits for an allocation of the pledge placed last, and the lines at
// which it does.
func (t *tally) waitsAt(do func(w waiting, lines []int)) {
	for i := range t.uncounted {
		l := &t.uncounted[i]
		at := &t.matches[l.kind]
		if w := at.waits(l.reason, l.number, 1); w != (waiting{}) {
			do(w, at.fits)
		}
	}
}

// notCounted tells what does not count, by operation and ID.
func (t *tally) notCounted() []NotCounted {
	if !t.p.meter.hold(len(t.uncounted), answerRow) {
		return nil
	}
	all := make([]NotCounted, len(t.uncounted))
	var room standing
	for i := range t.uncounted {
		l := &t.uncounted[i]
		all[i] = t.show(l, t.standingOn(l.day, t.p.pledges[l.pledge], &room))
	}
	slices.SortStableFunc(all, func(a, b NotCounted) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), compareIDs(a.Pledge, b.Pledge))
	})
	return all
}

// show tells what does not count of a pledge.
func (t *tally) show(l *uncounted, s *standing) NotCounted {
	pl := t.p.pledges[l.pledge]
	_, reported := s.amount(t.basis.Rung)
	unit := t.p.kinds.names[l.kind].unit
	n := NotCounted{Pledge: pl.id, Operation: pl.operation.name, Nation: pl.nation,
		Role: s.terms.role, Area: s.terms.area, MeantFor: s.terms.line,
		Quantity: unit.Of(l.number), Unit: unit, Rung: s.rung, Reason: l.reason, Day: l.day,
		Lines:     t.linesOf(l),
		Sequences: s.appendSequences(nil, reported)}
	if !l.known {
		n.Quantity = events.Unknown
	}
	if l.share != nil {
		n.Sequences = s.sequencesWith(l.share.id, reported)
	}
	n.Told = t.sentence(&n, s)
	n.Sentence = n.Told.String()
	return n
}

// standingOn is standing, on the day of a range, or, for none, on the date asked.
func (t *tally) standingOn(day events.Date, pl *pledge, room *standing) *standing {
	if day == 0 {
		return t.standing(pl, room)
	}
	b := t.basis.onDay(day)
	return b.WhatIf.suppose(pl.at(&b, room))
}

func (t *tally) linesOf(l *uncounted) []events.Line {
	if l.share != nil {
		return []events.Line{l.share.line.name}
	}
	at := t.matches[l.kind].fits
	if l.reason == OtherUnit {
		at = t.matches[l.kind].near
	}
	var lines []events.Line
	for _, i := range at {
		lines = append(lines, t.lines[i].Line)
	}
	return lines
}

// sentence says the reason, and the remedy where there is one.
func (t *tally) sentence(n *NotCounted, s *standing) phrase.Phrase {
	called := events.Called{Nation: n.Nation,
		English: t.p.operations[n.Operation].named(t.basis.AsOf, n.Nation)}
	nation := phrase.Of("%s", called).Capital()
	what := amount{quantity: n.Quantity, unit: n.Unit}
	if n.Quantity.IsUnknown() && n.Unit == s.pledged.unit {
		what.bounds = s.pledged.bounds
	}
	where := phrase.Of("%s", n.Role)
	if n.Area != "" {
		where = phrase.Of("%s in %s", n.Role, n.Area)
	}
	much := what.measure()
	switch n.Reason {
	case InReserve:
		return phrase.Of("%s holds %s for %s in reserve, and a reserve is no supply.",
			nation, much, where)
	case ConditionFailed:
		return phrase.Of("%s for %s %s on %s, which will not happen.", what.of(called), where,
			what.does("hang"), phrase.List(phrase.And, s.conditionsIn(Failed)...))
	case BelowRung:
		return phrase.Of("%s for %s %s %s, and not yet %s.", what.of(called), where,
			what.does("are"), n.Rung.Phrase(), t.basis.Rung.Phrase())
	case LineNotInForce:
		return phrase.Of("%s for %s %s allocated to %s, which is not in force on this date.",
			what.of(called), where, what.does("are"), phrase.List(phrase.And, n.Lines...))
	case NotAllocated:
		return phrase.Of("%s for %s %s what is not allocated of a pledge of which the rest is.",
			what.of(called), where, what.does("are"))
	case UnknownQuantity:
		return phrase.Of("%s pledges %s for %s: how much is not known, and unknown is not 0.",
			nation, much, where)
	case SeveralLines:
		return phrase.Of("%s for %s %s: %s would say which of them.",
			what.of(called), where, severalLines(n, what), remedyOf(n))
	case OtherUnit:
		return phrase.Of("%s pledges %s for %s, and %s %s %s.", nation, much, where,
			phrase.List(phrase.And, n.Lines...),
			english.Verb(len(n.Lines) == 1, "count"),
			phrase.List(phrase.And, plurals(t.unitsOf(n))...))
	}
	return phrase.Of("%s pledges %s for %s, and no requirement in force asks for that.",
		nation, much, where)
}

// severalLines tells where a pledge waits, and what it names without fitting it.
func severalLines(n *NotCounted, a amount) phrase.Phrase {
	fit := phrase.Of("%s the lines %s", a.does("fit"), phrase.List(phrase.And, n.Lines...))
	if n.MeantFor != "" {
		return phrase.Of("%s not fit %s, which %s %s meant for, and %s", a.does("do"), n.MeantFor,
			a.does("they"), a.does("are"), fit)
	}
	return fit
}

// remedyOf names what decides among several lines.
func remedyOf(n *NotCounted) phrase.Text {
	if n.Area == "" {
		return "the line that it is meant for, an area or an allocation"
	}
	return "the line that it is meant for or an allocation"
}

// plurals returns the words for many of some units.
func plurals(units []events.Unit) []phrase.Phrase {
	words := make([]phrase.Phrase, len(units))
	for i, u := range units {
		words[i] = phrase.As(english.Plural(string(u)), "%s", u)
	}
	return words
}

// unitsOf returns the units that the lines of a pledge count, each once.
func (t *tally) unitsOf(n *NotCounted) []events.Unit {
	var units []events.Unit
	for i := range t.lines {
		l := &t.lines[i]
		if l.Operation == n.Operation && slices.Contains(n.Lines, l.Line) &&
			!slices.Contains(units, l.Unit) {
			units = append(units, l.Unit)
		}
	}
	return units
}
