package projections

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"

	"muster/events"
	"muster/events/compact"
)

// What is in the parts of a snapshot. As with rows, what writes a thing also reads it, so that the
// two cannot be different. Numbers of pledges, nations and kinds are those of the picture. Of a
// pledge, what follows from its facts alone is not written.

// How many of each a part has.
const (
	pledgesInPart  = 1 << 9
	versionsInPart = 1 << 14
	recordsInPart  = 1 << 16
)

// snapshotOf returns the snapshot of a picture, to be written.
func snapshotOf(p *Picture, leaf [sha256.Size]byte) *Snapshot {
	s := &Snapshot{cursor: p.Sequence(), leaf: leaf, pledges: uint64(len(p.pledges)),
		versions: uint64(len(p.versions.what)), plan: p.plan}
	for _, pl := range p.rotating {
		s.rotating = append(s.rotating, pl.no)
	}
	return s
}

// A partCoder writes things of a picture into a part, or reads them out of it.
type partCoder struct{ *compact.Codec }

// of returns what writes each part of the snapshot from the picture, or reads it into it. The head
// is read before it is called, then the lists, and then all others, which may be beside each other.
func (s *Snapshot) of(p *Picture) []func(*compact.Codec) {
	parts := []func(*compact.Codec){s.head, func(c *compact.Codec) { s.lists(partCoder{c}, p) }}
	cut := func(n uint64, each int, do func(c partCoder, from, until int)) {
		for from := 0; from < int(n); from += each {
			parts = append(parts, func(c *compact.Codec) {
				do(partCoder{c}, from, min(from+each, int(n)))
			})
		}
	}
	cut(s.pledges, pledgesInPart, func(c partCoder, from, until int) {
		known := newShared(c)
		for no := from; no < until && !c.Failed(); no++ {
			if c.Reading() {
				p.pledges[no] = &pledge{no: uint32(no)}
				p.pledges[no].publish(&p.pledges[no].begun)
			}
			c.pledge(p, p.pledges[no], known)
		}
	})
	cut(s.versions, versionsInPart, func(c partCoder, from, until int) {
		if c.Reading() {
			touch(p.versions.extents[from:until])
			touch(p.versions.what[from:until])
		}
		for i := from; i < until && !c.Failed(); i++ {
			c.extent(&p.versions.extents[i])
			c.version(p, &p.versions.what[i])
		}
	})
	cut(s.cursor, recordsInPart, func(c partCoder, from, until int) {
		if c.Reading() {
			touch(p.times[from:until])
			touch(p.touched[from:until])
			touch(p.labelled[from:until])
		}
		recorded := int64(0)
		for i := from; i < until && !c.Failed(); i++ {
			recorded += c.Varint(p.times[i] - recorded)
			if c.Reading() {
				p.times[i] = recorded
			}
			compact.Wide32(c.Codec, &p.touched[i])
			compact.Wide16(c.Codec, &p.labelled[i])
		}
	})
	return parts
}

// touch writes to memory that is new, before anybody reads it: see [compact.Codec.Has].
func touch[T any](fresh []T) { clear(fresh) }

func (s *Snapshot) head(in *compact.Codec) {
	c := partCoder{in}
	compact.Natural(c.Codec, &s.cursor)
	c.Fixed(s.leaf[:])
	compact.Natural(c.Codec, &s.pledges)
	compact.Natural(c.Codec, &s.versions)
	c.kinds()
	compact.Each(c.Codec, &s.rotating, func(no *uint32) { compact.Natural(c.Codec, no) })
	c.planned(&s.plan)
}

func (c partCoder) planned(pl *planned) {
	compact.Natural(c.Codec, &pl.rows)
	if c.Reading() {
		pl.coder = compact.NewReader(slices.Clone(c.Take(c.Uvarint(0))))
		return
	}
	data := pl.coder.Bytes()
	c.Uvarint(uint64(len(data)))
	c.Fixed(data)
}

// lists are those that others name the entries of by their numbers, and what the plan does not say
// of operations.
func (s *Snapshot) lists(c partCoder, p *Picture) {
	operations := p.names
	compact.Each(c.Codec, &operations, func(name *events.Operation) {
		c.Plain((*string)(name))
		first := uint64(0)
		if !c.Reading() {
			first = p.operations[*name].first
		}
		compact.Natural(c.Codec, &first)
		o := p.operation(first, *name)
		if c.Reading() {
			o.first = first
		}
		said := o.now()
		predecessors := slices.SortedFunc(maps.Keys(said.predecessors), func(a, b events.ID) int {
			return compareIDs(a, b)
		})
		compact.Each(c.Codec, &predecessors, func(id *events.ID) {
			c.Fixed(id[:])
			named := said.predecessors[*id]
			compact.Each(c.Codec, &named, func(seq *uint32) { compact.Natural(c.Codec, seq) })
			if c.Reading() {
				said.predecessors[*id] = named
			}
		})
	})
	compact.Each(c.Codec, &p.nations.names, func(n *events.Nation) { c.Plain((*string)(n)) })
	compact.Each(c.Codec, &p.kinds.names, func(k *kind) {
		c.operation(p, &k.operation)
		c.Plain((*string)(&k.role))
		c.Plain((*string)(&k.area))
		c.Plain((*string)(&k.line))
		c.Plain((*string)(&k.unit))
	})
	c.labels(p)
	conditions := slices.Sorted(maps.Keys(p.conditions.words))
	compact.Each(c.Codec, &conditions, func(name *string) { c.Plain(name) })
	if !c.Reading() || c.Failed() {
		return
	}
	for i, n := range p.nations.names {
		p.nations.number[n] = i
	}
	for i, k := range p.kinds.names {
		p.kinds.number[k] = i
	}
	for _, name := range conditions {
		p.conditions.words[name] = true
	}
	p.pledges = make([]*pledge, s.pledges)
	p.versions = versions{make([]extent, s.versions), make([]version, s.versions)}
	p.times, p.touched, p.labelled = make([]int64, s.cursor), make([]uint32, s.cursor),
		make([]uint16, s.cursor)
}

// labels are those that were met.
func (c partCoder) labels(p *Picture) {
	all := p.labels.all
	compact.Each(c.Codec, &all, func(l *events.Label) {
		c.Plain((*string)(&l.Release))
		c.Plain((*string)(&l.Owner))
		compact.Each(c.Codec, &l.To, func(n *events.Nation) { c.Plain((*string)(n)) })
	})
	if !c.Reading() || c.Failed() {
		return
	}
	planned := p.labels // those of the plan, which is taken in already
	p.labels = newLabels()
	for _, l := range all {
		_, err := p.labels.of(l)
		c.FailIf(err != nil)
	}
	again := func(label *uint16) {
		n, err := p.labels.of(planned.all[*label])
		c.FailIf(err != nil)
		*label = n
	}
	for _, o := range p.operations {
		again(&o.label)
		for _, l := range o.now().lines {
			again(&l.label)
		}
	}
}

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

func (c partCoder) version(p *Picture, v *version) {
	compact.Wide64(c.Codec, &v.promised)
	compact.Wide64(c.Codec, &v.present)
	compact.Integer(c.Codec, &v.onTop)
	compact.Wide32(c.Codec, &v.pledge)
	compact.Wide32(c.Codec, &v.promisedKind)
	compact.Wide32(c.Codec, &v.presentKind)
	compact.Wide16(c.Codec, &v.nation)
	compact.Wide16(c.Codec, &v.flags)
	compact.Natural(c.Codec, &v.rung)
	some := uint64(0)
	if v.allocated != nil {
		some = 1
	}
	if c.Uvarint(some) != 0 {
		if c.Reading() {
			v.allocated = new([]share)
		}
		compact.Each(c.Codec, v.allocated, func(s *share) {
			c.line(p, &s.line)
			c.Fixed(s.id[:])
			compact.Integer(c.Codec, &s.promised)
			compact.Integer(c.Codec, &s.present)
			compact.Integer(c.Codec, &s.set)
		})
	}
	kinds := uint32(len(p.kinds.names))
	c.FailIf(int(v.pledge) >= len(p.pledges) || int(v.nation) >= len(p.nations.names) ||
		v.promisedKind >= kinds || v.presentKind >= kinds)
}

// operation names one.
func (c partCoder) operation(p *Picture, o **operation) {
	var name string
	if *o != nil {
		name = string((*o).name)
	}
	if c.Plain(&name); c.Reading() {
		*o = p.operations[events.Operation(name)]
		c.FailIf(*o == nil)
	}
}

// line names a requirement, or none.
func (c partCoder) line(p *Picture, l **line) {
	var operation, name string
	if *l != nil {
		operation, name = string((*l).operation), string((*l).name)
	}
	c.Plain(&operation)
	if c.Plain(&name); !c.Reading() || operation == "" {
		return
	}
	if o := p.operations[events.Operation(operation)]; o != nil {
		*l = o.now().lines[events.Line(name)]
	}
	c.FailIf(*l == nil)
}
