package projections

import (
	"fmt"
	"math"
	"slices"

	"muster/events"
)

// A fact is what one record says of a pledge, with its place on both clocks. A record that is
// corrected makes another fact in the same place: the first is known until the correction, the
// second from then on.
type fact struct {
	// The record from which it is known: its own, or the one that corrected it.
	knownFrom uint32
	// The record from which it is not known any more, forever when there is none.
	knownTo   uint32
	order     uint32      // its own record, which orders it among those of one date
	effective events.Date // the date from which it holds

	id       events.ID // of its own statement
	move     *move
	quantity events.Quantity
	unit     events.Unit
	terms    *terms // where the move restates them
	*extra          // never nil
	remark   *remark
}

// An extra is what few facts say.
type extra struct {
	hold     *hold      // where the move is about a condition or a caveat
	share    *allotment // where the move is about an allocation
	query    *query     // where it asks, or answers
	expires  events.Date
	corrects uint32 // the record that a correction mends
	stands   *standsAt
}

// A standsAt is where a pledge stands that is disclosed, for those who do not know what was said of
// it before.
type standsAt struct {
	rung                Rung
	strength            amount // absent where nothing is in place
	conditions, caveats []hold
	allocations         []allotment
}

var noExtra = new(extra)

const forever = math.MaxUint32

const noKind = math.MaxUint32 // it was not numbered yet

// known reports whether the fact is known as of a record.
func (f *fact) known(asOf uint32) bool { return f.knownFrom <= asOf && asOf < f.knownTo }

// own reports whether the fact is what its record said itself, and not what a correction has made
// of it.
func (f *fact) own() bool { return f.knownFrom == f.order }

func (f *fact) cause() cause { return cause{f.knownFrom, f.order} }

// A cause is the record that said something, and the one that has last corrected it, which is the
// same where none has.
type cause struct{ seq, order uint32 }

func (c cause) appendTo(sequences []uint64) []uint64 {
	if c.order == 0 {
		return sequences
	}
	sequences = append(sequences, uint64(c.order))
	if c.seq != c.order {
		sequences = append(sequences, uint64(c.seq))
	}
	return sequences
}

// terms are what is pledged, besides the quantity. They are never changed, so they may be shared.
type terms struct {
	role events.Role
	area events.Area
	line events.Line // that it is meant for
	events.Window
	notice   *int
	presence events.Presence
	release  events.Release
	expires  events.Date
	// In Picture.kinds, with the unit of the quantity that was said with the terms; or noKind.
	kind    uint32
	further *further // nil when nothing of the kind was said
}

// releasableTo returns the nations that may read it where its release alone would not let them.
func (t *terms) releasableTo() []events.Nation {
	if t.further == nil {
		return nil
	}
	return t.further.to
}

// A further is what few pledges say.
type further struct {
	predecessor, successor events.ID
	elsewhere              []string
	to                     []events.Nation // that it is releasable to
	reference              string          // the nation's own number
	bounds
}

// bounds are what is known of a quantity that is unknown, in whole units or hundredths; 0 where
// nothing is.
type bounds struct{ least, most int64 }

// amount returns how much the fact tells of.
func (d *fact) amount() amount {
	a := amount{quantity: d.quantity, unit: d.unit}
	if d.terms != nil && d.terms.further != nil && d.quantity.IsUnknown() {
		a.bounds = d.terms.further.bounds
	}
	return a
}

// A hold is what hangs over a pledge: a condition, or a caveat.
type hold struct {
	name  events.Line
	kind  events.ConditionKind // of a condition, given when it was added
	text  string               // of a caveat: the restriction
	state ConditionState       // a caveat is Hanging until it is lifted
	by    cause
	since events.Date
}

// An allotment is so much of a pledge, set against a line.
type allotment struct {
	id     events.ID
	line   *line
	number int64
	events.Window
	by cause
}

// A query is a question about a pledge; of an answer, the id is that of its question.
type query struct {
	id    events.ID
	to    events.Nation
	text  string
	due   events.Date
	by    cause
	since events.Date
}

// A remark is what a record adds for people.
type remark struct{ signer, source, text string }

// add puts a fact in its place: by effective date, then by its own record.
func (c *chronicle) add(f fact) {
	at := len(c.facts)
	for at > 0 && f.before(&c.facts[at-1]) {
		at--
	}
	// Many pledges have few facts: leave little room. What moves others along goes into another
	// list.
	if at < len(c.facts) || len(c.facts) == cap(c.facts) {
		c.facts = append(make([]fact, 0, len(c.facts)+1+len(c.facts)/4), c.facts...)
	}
	c.facts = slices.Insert(c.facts, at, f)
	c.last, c.latest = f.knownFrom, max(c.latest, f.effective)
}

func (f *fact) before(other *fact) bool {
	return f.effective < other.effective || f.effective == other.effective && f.order < other.order
}

// correct takes in a correction: the fact that it mends is known until now, and what it should have
// been from now on. It returns the date from which what follows from the pledge's facts may be
// another.
func (c *chronicle) correct(by fact, m *mending) (from events.Date, err error) {
	at := c.lastSaid(m.statement)
	if at < 0 {
		return 0, fmt.Errorf("the statement %s, which is corrected, says nothing of the pledge",
			m.statement)
	}
	c.facts = slices.Clone(c.facts)
	old := &c.facts[at]
	old.knownTo = min(old.knownTo, by.knownFrom) // what was struck may yet have been so
	from = min(old.effective, by.effective)
	mended := *old
	mended.knownFrom, mended.knownTo, mended.effective = by.knownFrom, forever, by.effective
	by.extra = &extra{corrects: old.order}
	switch {
	case m.struck:
	case m.terms != nil:
		mended.quantity, mended.unit, mended.terms, mended.remark = m.amount.quantity,
			m.amount.unit, m.terms, m.remark
	case m.amount.unit != "":
		mended.quantity, mended.unit = m.amount.quantity, m.amount.unit
		if mended.terms != nil {
			same := *mended.terms
			same.kind, mended.terms = noKind, &same
		}
	}
	// What was observed is there from the day on which it was seen.
	if mended.move.terms && mended.move.strength {
		seen := *mended.terms
		seen.From = by.effective
		mended.terms = &seen
	}
	c.add(by)
	if !m.struck {
		c.add(mended)
	}
	return from, nil
}

// strike takes in the correction that strikes the beginning of the pledge: nothing that was said of
// it is known any more. It returns the first date on which anything was.
func (c *chronicle) strike(by fact) (from events.Date) {
	c.facts = slices.Clone(c.facts)
	from = by.effective
	for i := range c.facts {
		d := &c.facts[i]
		from = min(from, d.effective)
		if d.corrects == 0 {
			d.knownTo = min(d.knownTo, by.knownFrom)
		}
	}
	if len(c.facts) > 0 {
		by.extra = &extra{corrects: c.first()}
	}
	c.struck = by.knownFrom
	c.add(by)
	return from
}

// first returns the first record about the pledge.
func (c *chronicle) first() uint32 {
	first := c.facts[0].order
	for i := range c.facts {
		first = min(first, c.facts[i].order)
	}
	return first
}

// lastSaid finds what a statement says by its last correction, or by itself where there is none;
// -1 where it says nothing.
func (c *chronicle) lastSaid(statement events.ID) (last int) {
	last = -1
	for i := range c.facts {
		if f := &c.facts[i]; f.id == statement &&
			(last < 0 || f.knownFrom > c.facts[last].knownFrom) {
			last = i
		}
	}
	return last
}
