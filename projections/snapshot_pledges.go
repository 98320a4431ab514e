package projections

import (
	"cmp"
	"maps"
	"muster/events"
	"muster/events/compact"
	"slices"
)

// How a pledge and what was said of it stand in the parts of a snapshot: see snapshot_parts.go.

// A shared is what facts of several pledges have in common, and is written once in a part.
type shared struct {
	terms   dictionary[terms]
	remarks dictionary[remark]
}

func newShared(c partCoder) *shared {
	return &shared{dictionary[terms]{do: c.terms}, dictionary[remark]{do: c.remark}}
}

// A dictionary numbers what is met for the first time, and knows it again.
type dictionary[T any] struct {
	do     func(*T)      // writes or reads what is new
	number map[*T]uint64 // in writing
	all    []*T          // in reading
	room   []T           // likewise, for what is new
}

// one writes a number, or reads the thing that it stands for. What is new follows its number, with
// a mask of its own.
func (d *dictionary[T]) one(c *compact.Codec, thing **T) {
	n := uint64(0)
	if !c.Reading() {
		known := false
		if n, known = d.number[*thing]; !known {
			n = uint64(len(d.number))
		}
	}
	n = c.Uvarint(n)
	switch {
	case c.Reading() && n < uint64(len(d.all)):
		*thing = d.all[n]
	case c.Reading():
		if len(d.room) == 0 {
			d.room = make([]T, 32)
			touch(d.room)
		}
		*thing, d.room = &d.room[0], d.room[1:]
		d.all = append(d.all, *thing)
		c.Within(func() { d.do(*thing) })
	case n == uint64(len(d.number)):
		if d.number == nil {
			d.number = map[*T]uint64{}
		}
		d.number[*thing] = n
		c.Within(func() { d.do(*thing) })
	}
}

func (c partCoder) pledge(p *Picture, pl *pledge, known *shared) {
	c.Fixed(pl.id[:])
	c.operation(p, &pl.operation)
	compact.Natural(c.Codec, &pl.nationNo)
	compact.Natural(c.Codec, &pl.first)
	said := pl.now()
	compact.Natural(c.Codec, &said.last)
	c.Day(&said.latest)
	compact.Natural(c.Codec, &said.struck)
	compact.Each(c.Codec, &said.open, func(at *uint32) { compact.Natural(c.Codec, at) })
	compact.Each(c.Codec, &said.facts, func(d *fact) { c.fact(p, d, known) })
	c.FailIf(int(pl.nationNo) >= len(p.nations.names))
	if c.Reading() && !c.Failed() {
		pl.nation = p.nations.names[pl.nationNo]
		said.refold()
	}
}

func (c partCoder) fact(p *Picture, d *fact, known *shared) {
	c.Begin()
	compact.Wide32(c.Codec, &d.order)
	if c.Has(!c.Reading() && d.knownFrom != d.order) {
		compact.Natural(c.Codec, &d.knownFrom)
	} else if c.Reading() {
		d.knownFrom = d.order
	}
	if c.Has(!c.Reading() && d.knownTo != forever) {
		compact.Natural(c.Codec, &d.knownTo)
	} else if c.Reading() {
		d.knownTo = forever
	}
	compact.Wide32(c.Codec, &d.effective)
	c.ID(&d.id)
	c.move(&d.move)
	c.Word((*string)(&d.unit))
	c.quantity(&d.quantity, d.unit)
	if c.Has(!c.Reading() && d.terms != nil) {
		known.terms.one(c.Codec, &d.terms)
	}
	if c.Has(!c.Reading() && d.extra != noExtra) {
		if c.Reading() {
			d.extra = new(extra)
		}
		c.Within(func() { c.extra(p, d.extra) })
	} else if c.Reading() {
		d.extra = noExtra
	}
	if c.Has(!c.Reading() && d.remark != nil) {
		known.remarks.one(c.Codec, &d.remark)
	}
	c.End()
}

// move is a kind of statement, by its number in the head.
func (c partCoder) move(m **move) {
	if !c.Reading() {
		c.Uvarint(uint64(slices.Index(allMoves, *m)))
	} else if n := c.Uvarint(0); n < uint64(len(allMoves)) {
		*m = allMoves[n]
	} else {
		c.FailIf(true)
	}
}

// allMoves are those that the head lists, in its order.
var allMoves = slices.SortedFunc(maps.Values(moves), func(a, b *move) int {
	return cmp.Compare(a.typ, b.typ)
})

// kinds is the list of moves. A snapshot with another one was written by another program.
func (c partCoder) kinds() {
	for _, m := range allMoves {
		name := string(m.typ)
		if c.Plain(&name); name != string(m.typ) {
			c.FailIf(true)
		}
	}
}

func (c partCoder) quantity(q *events.Quantity, unit events.Unit) {
	if c.Has(q.IsUnknown()) {
		if c.Reading() {
			*q = events.Unknown
		}
		return
	}
	n, _ := q.Number()
	if c.Count(&n); c.Reading() && n != 0 {
		*q = unit.Of(n)
	}
}

func (c partCoder) terms(t *terms) {
	c.Word((*string)(&t.role))
	c.Word((*string)(&t.area))
	c.Word((*string)(&t.line))
	c.Date((*int32)(&t.From))
	c.Date((*int32)(&t.Until))
	if c.Has(!c.Reading() && t.notice != nil) {
		if c.Reading() {
			t.notice = new(int)
		}
		compact.Integer(c.Codec, t.notice)
	}
	c.Word((*string)(&t.presence))
	c.Word((*string)(&t.release))
	c.Date((*int32)(&t.expires))
	compact.Natural(c.Codec, &t.kind)
	if c.Has(!c.Reading() && t.further != nil) {
		if c.Reading() {
			t.further = new(further)
		}
		c.ID(&t.further.predecessor)
		c.ID(&t.further.successor)
		compact.Each(c.Codec, &t.further.elsewhere, c.Plain)
		compact.Each(c.Codec, &t.further.to, func(n *events.Nation) { c.Plain((*string)(n)) })
		c.Plain(&t.further.reference)
		compact.Integer(c.Codec, &t.further.least)
		compact.Integer(c.Codec, &t.further.most)
	}
}

func (c partCoder) remark(r *remark) {
	c.Word(&r.signer)
	c.Word(&r.source)
	c.Word(&r.text)
}

func (c partCoder) extra(p *Picture, x *extra) {
	if c.Has(!c.Reading() && x.hold != nil) {
		if c.Reading() {
			x.hold = new(hold)
		}
		c.Word((*string)(&x.hold.name))
		c.Word((*string)(&x.hold.kind))
		c.Word(&x.hold.text)
		c.Word((*string)(&x.hold.state))
	}
	if c.Has(!c.Reading() && x.share != nil) {
		if c.Reading() {
			x.share = new(allotment)
		}
		c.ID(&x.share.id)
		c.line(p, &x.share.line)
		c.Count(&x.share.number)
		c.Date((*int32)(&x.share.From))
		c.Date((*int32)(&x.share.Until))
	}
	if c.Has(!c.Reading() && x.query != nil) {
		if c.Reading() {
			x.query = new(query)
		}
		c.ID(&x.query.id)
		c.Word((*string)(&x.query.to))
		c.Word(&x.query.text)
		c.Date((*int32)(&x.query.due))
	}
	c.Date((*int32)(&x.expires))
	compact.Natural(c.Codec, &x.corrects)
	if c.Has(!c.Reading() && x.stands != nil) {
		if c.Reading() {
			x.stands = new(standsAt)
		}
		c.stands(p, x.stands)
	}
}

func (c partCoder) stands(p *Picture, s *standsAt) {
	compact.Natural(c.Codec, &s.rung)
	n, _ := s.strength.quantity.Number()
	c.Plain((*string)(&s.strength.unit))
	if compact.Integer(c.Codec, &n); c.Reading() && n != 0 {
		s.strength.quantity = s.strength.unit.Of(n)
	}
	holds := func(all *[]hold) {
		compact.Each(c.Codec, all, func(h *hold) {
			c.Plain((*string)(&h.name))
			c.Plain((*string)(&h.kind))
			c.Plain(&h.text)
			c.Plain((*string)(&h.state))
		})
	}
	holds(&s.conditions)
	holds(&s.caveats)
	compact.Each(c.Codec, &s.allocations, func(a *allotment) {
		c.Fixed(a.id[:])
		c.line(p, &a.line)
		compact.Integer(c.Codec, &a.number)
		c.Day(&a.From)
		c.Day(&a.Until)
	})
}

func (c partCoder) extent(e *extent) {
	compact.Wide32(c.Codec, &e.knownFrom)
	compact.Wide32(c.Codec, &e.knownTo)
	compact.Wide32(c.Codec, &e.from)
	compact.Wide32(c.Codec, &e.until)
}
