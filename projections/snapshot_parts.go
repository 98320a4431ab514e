package projections

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"muster/events"
)

// What is in the parts of a snapshot. As with rows, what writes a thing also reads it, so that the two cannot be different. Numbers of
// pledges, nations and kinds are those of the picture. Of a pledge, what follows from its deeds alone is not written.

// How many of each a part has.
const (
	pledgesInPart  = 1 << 9
	versionsInPart = 1 << 14
	recordsInPart  = 1 << 16
)

// snapshotOf returns the snapshot of a picture, to be written.
func snapshotOf(p *Picture, cursor uint64, leaf [sha256.Size]byte) *snapshot {
	s := &snapshot{cursor: cursor, leaf: leaf, pledges: uint64(len(p.pledges)), versions: uint64(len(p.versions.what)), plan: p.plan}
	for _, pl := range p.rotating {
		s.rotating = append(s.rotating, pl.no)
	}
	return s
}

// of returns what writes each part of the snapshot from the picture, or reads it into it. The head is read before it is called, then the
// lists, and then all others, which may be beside each other.
func (s *snapshot) of(p *Picture) []func(*coder) {
	parts := []func(*coder){s.head, func(c *coder) { s.lists(c, p) }}
	cut := func(n uint64, each int, do func(c *coder, from, until int)) {
		for from := 0; from < int(n); from += each {
			parts = append(parts, func(c *coder) { do(c, from, min(from+each, int(n))) })
		}
	}
	cut(s.pledges, pledgesInPart, func(c *coder, from, until int) {
		known := newShared(c)
		for no := from; no < until && !c.failed; no++ {
			if c.reading {
				p.pledges[no] = &pledge{no: uint32(no)}
				p.pledges[no].publish(&p.pledges[no].begun)
			}
			c.pledge(p, p.pledges[no], known)
		}
	})
	cut(s.versions, versionsInPart, func(c *coder, from, until int) {
		if c.reading {
			touch(p.versions.extents[from:until])
			touch(p.versions.what[from:until])
		}
		for i := from; i < until && !c.failed; i++ {
			c.extent(&p.versions.extents[i])
			c.version(p, &p.versions.what[i])
		}
	})
	cut(s.cursor, recordsInPart, func(c *coder, from, until int) {
		if c.reading {
			touch(p.times[from:until])
			touch(p.touched[from:until])
		}
		recorded := int64(0)
		for i := from; i < until && !c.failed; i++ {
			if recorded += c.varint(p.times[i] - recorded); c.reading {
				p.times[i] = recorded
			}
			wide32(c, &p.touched[i])
		}
	})
	return parts
}

// touch writes to memory that is new, before anybody reads it: see [coder.has].
func touch[T any](fresh []T) { clear(fresh) }

func (s *snapshot) head(c *coder) {
	natural(c, &s.cursor)
	c.fixed(s.leaf[:])
	natural(c, &s.pledges)
	natural(c, &s.versions)
	c.kinds()
	each(c, &s.rotating, func(no *uint32) { natural(c, no) })
	c.planned(&s.plan)
}

func (c *coder) planned(pl *planned) {
	natural(c, &pl.rows)
	size := c.uvarint(uint64(len(pl.data)))
	if c.reading {
		pl.data = slices.Clone(c.take(size))
	} else {
		c.data = append(c.data, pl.data...)
	}
}

// lists are those that others name the entries of by their numbers, and what the plan does not say of operations.
func (s *snapshot) lists(c *coder, p *Picture) {
	operations := p.names
	each(c, &operations, func(name *events.Operation) {
		c.plain((*string)(name))
		first := uint64(0)
		if !c.reading {
			first = p.operations[*name].first
		}
		natural(c, &first)
		o := p.operation(first, *name)
		if c.reading {
			o.first = first
		}
		said := o.now()
		predecessors := slices.SortedFunc(maps.Keys(said.predecessors), func(a, b events.ID) int { return compareIDs(a, b) })
		each(c, &predecessors, func(id *events.ID) {
			c.fixed(id[:])
			records := said.predecessors[*id]
			each(c, &records, func(seq *uint32) { natural(c, seq) })
			if c.reading {
				said.predecessors[*id] = records
			}
		})
	})
	each(c, &p.nations.names, func(n *events.Nation) { c.plain((*string)(n)) })
	each(c, &p.kinds.names, func(k *kind) {
		c.operation(p, &k.operation)
		c.plain((*string)(&k.role))
		c.plain((*string)(&k.area))
		c.plain((*string)(&k.line))
		c.plain((*string)(&k.unit))
	})
	conditions := slices.Sorted(maps.Keys(p.conditions.words))
	each(c, &conditions, func(name *string) { c.plain(name) })
	if !c.reading || c.failed {
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
	p.times, p.touched = make([]int64, s.cursor), make([]uint32, s.cursor)
}

// A shared is what deeds of several pledges have in common, and is written once in a part.
type shared struct {
	terms   dictionary[terms]
	remarks dictionary[remark]
}

func newShared(c *coder) *shared {
	return &shared{dictionary[terms]{do: c.terms}, dictionary[remark]{do: c.remark}}
}

// A dictionary numbers what is met for the first time, and knows it again.
type dictionary[T any] struct {
	do     func(*T)      // writes or reads what is new
	number map[*T]uint64 // in writing
	all    []*T          // in reading
	room   []T           // likewise, for what is new
}

// one writes a number, or reads the thing that it stands for. What is new follows its number, with a mask of its own.
func (d *dictionary[T]) one(c *coder, thing **T) {
	n := uint64(0)
	if !c.reading {
		known := false
		if n, known = d.number[*thing]; !known {
			n = uint64(len(d.number))
		}
	}
	n = c.uvarint(n)
	switch {
	case c.reading && n < uint64(len(d.all)):
		*thing = d.all[n]
	case c.reading:
		if len(d.room) == 0 {
			d.room = make([]T, 32)
			touch(d.room)
		}
		*thing, d.room = &d.room[0], d.room[1:]
		d.all = append(d.all, *thing)
		c.within(func() { d.do(*thing) })
	case n == uint64(len(d.number)):
		if d.number == nil {
			d.number = map[*T]uint64{}
		}
		d.number[*thing] = n
		c.within(func() { d.do(*thing) })
	}
}

func (c *coder) pledge(p *Picture, pl *pledge, known *shared) {
	c.fixed(pl.id[:])
	c.operation(p, &pl.operation)
	natural(c, &pl.nationNo)
	natural(c, &pl.first)
	said := pl.now()
	natural(c, &said.last)
	c.day(&said.latest)
	each(c, &said.open, func(at *uint32) { natural(c, at) })
	each(c, &said.deeds, func(d *deed) { c.deed(p, d, known) })
	if c.failed = c.failed || int(pl.nationNo) >= len(p.nations.names); c.reading && !c.failed {
		pl.nation = p.nations.names[pl.nationNo]
		said.refold()
	}
}

func (c *coder) deed(p *Picture, d *deed, known *shared) {
	c.begin()
	wide32(c, &d.order)
	if c.has(!c.reading && d.seq != d.order) {
		natural(c, &d.seq)
	} else if c.reading {
		d.seq = d.order
	}
	if c.has(!c.reading && d.until != forever) {
		natural(c, &d.until)
	} else if c.reading {
		d.until = forever
	}
	wide32(c, &d.effective)
	c.id(&d.id)
	c.move(&d.move)
	c.word((*string)(&d.unit))
	c.quantity(&d.quantity, d.unit)
	if c.has(!c.reading && d.terms != nil) {
		known.terms.one(c, &d.terms)
	}
	if c.has(!c.reading && d.extra != noExtra) {
		if c.reading {
			d.extra = new(extra)
		}
		c.within(func() { c.extra(p, d.extra) })
	} else if c.reading {
		d.extra = noExtra
	}
	if c.has(!c.reading && d.remark != nil) {
		known.remarks.one(c, &d.remark)
	}
	c.end()
}

// move is a kind of statement, by its number in the head.
func (c *coder) move(m **move) {
	if !c.reading {
		c.uvarint(uint64(slices.Index(allMoves, *m)))
	} else if n := c.uvarint(0); n < uint64(len(allMoves)) {
		*m = allMoves[n]
	} else {
		c.failed = true
	}
}

// allMoves are those that the head lists, in its order.
var allMoves = slices.SortedFunc(maps.Values(moves), func(a, b *move) int { return cmp.Compare(a.typ, b.typ) })

// kinds is the list of moves. A snapshot with another one was written by another program.
func (c *coder) kinds() {
	for _, m := range allMoves {
		name := string(m.typ)
		if c.plain(&name); name != string(m.typ) {
			c.failed = true
		}
	}
}

func (c *coder) quantity(q *events.Quantity, unit events.Unit) {
	if c.has(q.IsUnknown()) {
		if c.reading {
			*q = events.Unknown
		}
		return
	}
	n, _ := q.Number()
	if c.count(&n); c.reading && n != 0 {
		*q = unit.Of(n)
	}
}

func (c *coder) terms(t *terms) {
	c.word((*string)(&t.role))
	c.word((*string)(&t.area))
	c.word((*string)(&t.line))
	c.date((*int32)(&t.From))
	c.date((*int32)(&t.Until))
	if c.has(!c.reading && t.notice != nil) {
		if c.reading {
			t.notice = new(int)
		}
		integer(c, t.notice)
	}
	c.word((*string)(&t.presence))
	c.word((*string)(&t.release))
	c.date((*int32)(&t.expires))
	natural(c, &t.kind)
	if c.has(!c.reading && t.rotation != nil) {
		if c.reading {
			t.rotation = new(rotation)
		}
		c.id(&t.rotation.predecessor)
		c.id(&t.rotation.successor)
		each(c, &t.rotation.elsewhere, c.plain)
	}
}

func (c *coder) remark(r *remark) {
	c.word(&r.signer)
	c.word(&r.source)
	c.word(&r.text)
}

func (c *coder) extra(p *Picture, x *extra) {
	if c.has(!c.reading && x.hold != nil) {
		if c.reading {
			x.hold = new(hold)
		}
		c.word((*string)(&x.hold.name))
		c.word((*string)(&x.hold.kind))
		c.word(&x.hold.text)
		c.word((*string)(&x.hold.state))
	}
	if c.has(!c.reading && x.share != nil) {
		if c.reading {
			x.share = new(allotment)
		}
		c.id(&x.share.id)
		c.line(p, &x.share.line)
		c.count(&x.share.number)
		c.date((*int32)(&x.share.From))
		c.date((*int32)(&x.share.Until))
	}
	c.date((*int32)(&x.expires))
	natural(c, &x.corrects)
}

func (c *coder) extent(e *extent) {
	wide32(c, &e.knownFrom)
	wide32(c, &e.knownTo)
	wide32(c, &e.from)
	wide32(c, &e.until)
}

func (c *coder) version(p *Picture, v *version) {
	wide64(c, &v.promised)
	wide64(c, &v.present)
	wide32(c, &v.pledge)
	wide32(c, &v.promisedKind)
	wide32(c, &v.presentKind)
	wide16(c, &v.nation)
	wide16(c, &v.flags)
	natural(c, &v.rung)
	some := uint64(0)
	if v.allocated != nil {
		some = 1
	}
	if c.uvarint(some) != 0 {
		if c.reading {
			v.allocated = new([]share)
		}
		each(c, v.allocated, func(s *share) {
			c.line(p, &s.line)
			c.fixed(s.id[:])
			integer(c, &s.promised)
			integer(c, &s.present)
			integer(c, &s.set)
		})
	}
	kinds := uint32(len(p.kinds.names))
	c.failed = c.failed || int(v.pledge) >= len(p.pledges) || v.promisedKind >= kinds || v.presentKind >= kinds || int(v.nation) >= len(p.nations.names)
}

// operation names one.
func (c *coder) operation(p *Picture, o **operation) {
	var name string
	if *o != nil {
		name = string((*o).name)
	}
	if c.plain(&name); c.reading {
		*o = p.operations[events.Operation(name)]
		c.failed = c.failed || *o == nil
	}
}

// line names a requirement, or none.
func (c *coder) line(p *Picture, l **line) {
	var operation, name string
	if *l != nil {
		operation, name = string((*l).operation), string((*l).name)
	}
	c.plain(&operation)
	if c.plain(&name); !c.reading || operation == "" {
		return
	}
	if o := p.operations[events.Operation(operation)]; o != nil {
		*l = o.now().lines[events.Line(name)]
	}
	c.failed = c.failed || *l == nil
}

// natural is a number that is never negative.
func natural[N ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, n *N) {
	if c.reading {
		*n = N(c.uvarint(0))
	} else {
		c.uvarint(uint64(*n))
	}
}

// wide16, wide32 and wide64 are numbers in so many bits, little endian. They are for what there is most of: twice as many bytes as the shortest
// form, and a third of the time to read.
func wide16[N ~uint16](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(*n))
	} else if data := c.take(2); data != nil {
		*n = N(binary.LittleEndian.Uint16(data))
	}
}

func wide32[N ~int32 | ~uint32](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(*n))
	} else if data := c.take(4); data != nil {
		*n = N(binary.LittleEndian.Uint32(data))
	}
}

func wide64[N ~int64](c *coder, n *N) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint64(c.data, uint64(*n))
	} else if data := c.take(8); data != nil {
		*n = N(binary.LittleEndian.Uint64(data))
	}
}

func (c *coder) day(d *events.Date) {
	if n := c.uvarint(uint64(*d)); c.reading {
		*d = events.Date(n)
	}
}

// fixed is so many bytes as there is room for.
func (c *coder) fixed(room []byte) {
	if c.reading {
		copy(room, c.take(uint64(len(room))))
	} else {
		c.data = append(c.data, room...)
	}
}

// within does something that has a mask of its own, in the middle of a thing that has another.
func (c *coder) within(do func()) {
	mask, bit, at := c.mask, c.bit, c.at
	c.begin()
	do()
	c.end()
	c.mask, c.bit, c.at = mask, bit, at
}
