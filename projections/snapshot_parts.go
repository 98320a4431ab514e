package projections

import (
	"cmp"
	"crypto/sha256"
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

// A partCoder writes things of a picture into a part, or reads them out of it.
type partCoder struct{ *coder }

// of returns what writes each part of the snapshot from the picture, or reads it into it. The head is read before it is called, then the
// lists, and then all others, which may be beside each other.
func (s *snapshot) of(p *Picture) []func(*coder) {
	parts := []func(*coder){s.head, func(c *coder) { s.lists(partCoder{c}, p) }}
	cut := func(n uint64, each int, do func(c partCoder, from, until int)) {
		for from := 0; from < int(n); from += each {
			parts = append(parts, func(c *coder) { do(partCoder{c}, from, min(from+each, int(n))) })
		}
	}
	cut(s.pledges, pledgesInPart, func(c partCoder, from, until int) {
		known := newShared(c)
		for no := from; no < until && !c.hasFailed(); no++ {
			if c.isReading() {
				p.pledges[no] = &pledge{no: uint32(no)}
				p.pledges[no].publish(&p.pledges[no].begun)
			}
			c.pledge(p, p.pledges[no], known)
		}
	})
	cut(s.versions, versionsInPart, func(c partCoder, from, until int) {
		if c.isReading() {
			touch(p.versions.extents[from:until])
			touch(p.versions.what[from:until])
		}
		for i := from; i < until && !c.hasFailed(); i++ {
			c.extent(&p.versions.extents[i])
			c.version(p, &p.versions.what[i])
		}
	})
	cut(s.cursor, recordsInPart, func(c partCoder, from, until int) {
		if c.isReading() {
			touch(p.times[from:until])
			touch(p.touched[from:until])
		}
		recorded := int64(0)
		for i := from; i < until && !c.hasFailed(); i++ {
			if recorded += c.varint(p.times[i] - recorded); c.isReading() {
				p.times[i] = recorded
			}
			wide32(c.coder, &p.touched[i])
		}
	})
	return parts
}

// touch writes to memory that is new, before anybody reads it: see [coder.has].
func touch[T any](fresh []T) { clear(fresh) }

func (s *snapshot) head(in *coder) {
	c := partCoder{in}
	natural(c.coder, &s.cursor)
	c.fixed(s.leaf[:])
	natural(c.coder, &s.pledges)
	natural(c.coder, &s.versions)
	c.kinds()
	each(c.coder, &s.rotating, func(no *uint32) { natural(c.coder, no) })
	c.planned(&s.plan)
}

func (c partCoder) planned(pl *planned) {
	natural(c.coder, &pl.rows)
	if c.isReading() {
		pl.coder = newReader(slices.Clone(c.take(c.uvarint(0))))
		return
	}
	data := pl.coder.bytes()
	c.uvarint(uint64(len(data)))
	c.fixed(data)
}

// lists are those that others name the entries of by their numbers, and what the plan does not say of operations.
func (s *snapshot) lists(c partCoder, p *Picture) {
	operations := p.names
	each(c.coder, &operations, func(name *events.Operation) {
		c.plain((*string)(name))
		first := uint64(0)
		if !c.isReading() {
			first = p.operations[*name].first
		}
		natural(c.coder, &first)
		o := p.operation(first, *name)
		if c.isReading() {
			o.first = first
		}
		said := o.now()
		predecessors := slices.SortedFunc(maps.Keys(said.predecessors), func(a, b events.ID) int { return compareIDs(a, b) })
		each(c.coder, &predecessors, func(id *events.ID) {
			c.fixed(id[:])
			records := said.predecessors[*id]
			each(c.coder, &records, func(seq *uint32) { natural(c.coder, seq) })
			if c.isReading() {
				said.predecessors[*id] = records
			}
		})
	})
	each(c.coder, &p.nations.names, func(n *events.Nation) { c.plain((*string)(n)) })
	each(c.coder, &p.kinds.names, func(k *kind) {
		c.operation(p, &k.operation)
		c.plain((*string)(&k.role))
		c.plain((*string)(&k.area))
		c.plain((*string)(&k.line))
		c.plain((*string)(&k.unit))
	})
	conditions := slices.Sorted(maps.Keys(p.conditions.words))
	each(c.coder, &conditions, func(name *string) { c.plain(name) })
	if !c.isReading() || c.hasFailed() {
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

// one writes a number, or reads the thing that it stands for. What is new follows its number, with a mask of its own.
func (d *dictionary[T]) one(c *coder, thing **T) {
	n := uint64(0)
	if !c.isReading() {
		known := false
		if n, known = d.number[*thing]; !known {
			n = uint64(len(d.number))
		}
	}
	n = c.uvarint(n)
	switch {
	case c.isReading() && n < uint64(len(d.all)):
		*thing = d.all[n]
	case c.isReading():
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

func (c partCoder) pledge(p *Picture, pl *pledge, known *shared) {
	c.fixed(pl.id[:])
	c.operation(p, &pl.operation)
	natural(c.coder, &pl.nationNo)
	natural(c.coder, &pl.first)
	said := pl.now()
	natural(c.coder, &said.last)
	c.day(&said.latest)
	each(c.coder, &said.open, func(at *uint32) { natural(c.coder, at) })
	each(c.coder, &said.deeds, func(d *deed) { c.deed(p, d, known) })
	c.failIf(int(pl.nationNo) >= len(p.nations.names))
	if c.isReading() && !c.hasFailed() {
		pl.nation = p.nations.names[pl.nationNo]
		said.refold()
	}
}

func (c partCoder) deed(p *Picture, d *deed, known *shared) {
	c.begin()
	wide32(c.coder, &d.order)
	if c.has(!c.isReading() && d.seq != d.order) {
		natural(c.coder, &d.seq)
	} else if c.isReading() {
		d.seq = d.order
	}
	if c.has(!c.isReading() && d.until != forever) {
		natural(c.coder, &d.until)
	} else if c.isReading() {
		d.until = forever
	}
	wide32(c.coder, &d.effective)
	c.id(&d.id)
	c.move(&d.move)
	c.word((*string)(&d.unit))
	c.quantity(&d.quantity, d.unit)
	if c.has(!c.isReading() && d.terms != nil) {
		known.terms.one(c.coder, &d.terms)
	}
	if c.has(!c.isReading() && d.extra != noExtra) {
		if c.isReading() {
			d.extra = new(extra)
		}
		c.within(func() { c.extra(p, d.extra) })
	} else if c.isReading() {
		d.extra = noExtra
	}
	if c.has(!c.isReading() && d.remark != nil) {
		known.remarks.one(c.coder, &d.remark)
	}
	c.end()
}

// move is a kind of statement, by its number in the head.
func (c partCoder) move(m **move) {
	if !c.isReading() {
		c.uvarint(uint64(slices.Index(allMoves, *m)))
	} else if n := c.uvarint(0); n < uint64(len(allMoves)) {
		*m = allMoves[n]
	} else {
		c.failIf(true)
	}
}

// allMoves are those that the head lists, in its order.
var allMoves = slices.SortedFunc(maps.Values(moves), func(a, b *move) int { return cmp.Compare(a.typ, b.typ) })

// kinds is the list of moves. A snapshot with another one was written by another program.
func (c partCoder) kinds() {
	for _, m := range allMoves {
		name := string(m.typ)
		if c.plain(&name); name != string(m.typ) {
			c.failIf(true)
		}
	}
}

func (c partCoder) quantity(q *events.Quantity, unit events.Unit) {
	if c.has(q.IsUnknown()) {
		if c.isReading() {
			*q = events.Unknown
		}
		return
	}
	n, _ := q.Number()
	if c.count(&n); c.isReading() && n != 0 {
		*q = unit.Of(n)
	}
}

func (c partCoder) terms(t *terms) {
	c.word((*string)(&t.role))
	c.word((*string)(&t.area))
	c.word((*string)(&t.line))
	c.date((*int32)(&t.From))
	c.date((*int32)(&t.Until))
	if c.has(!c.isReading() && t.notice != nil) {
		if c.isReading() {
			t.notice = new(int)
		}
		integer(c.coder, t.notice)
	}
	c.word((*string)(&t.presence))
	c.word((*string)(&t.release))
	c.date((*int32)(&t.expires))
	natural(c.coder, &t.kind)
	if c.has(!c.isReading() && t.rotation != nil) {
		if c.isReading() {
			t.rotation = new(rotation)
		}
		c.id(&t.rotation.predecessor)
		c.id(&t.rotation.successor)
		each(c.coder, &t.rotation.elsewhere, c.plain)
	}
}

func (c partCoder) remark(r *remark) {
	c.word(&r.signer)
	c.word(&r.source)
	c.word(&r.text)
}

func (c partCoder) extra(p *Picture, x *extra) {
	if c.has(!c.isReading() && x.hold != nil) {
		if c.isReading() {
			x.hold = new(hold)
		}
		c.word((*string)(&x.hold.name))
		c.word((*string)(&x.hold.kind))
		c.word(&x.hold.text)
		c.word((*string)(&x.hold.state))
	}
	if c.has(!c.isReading() && x.share != nil) {
		if c.isReading() {
			x.share = new(allotment)
		}
		c.id(&x.share.id)
		c.line(p, &x.share.line)
		c.count(&x.share.number)
		c.date((*int32)(&x.share.From))
		c.date((*int32)(&x.share.Until))
	}
	c.date((*int32)(&x.expires))
	natural(c.coder, &x.corrects)
}

func (c partCoder) extent(e *extent) {
	wide32(c.coder, &e.knownFrom)
	wide32(c.coder, &e.knownTo)
	wide32(c.coder, &e.from)
	wide32(c.coder, &e.until)
}

func (c partCoder) version(p *Picture, v *version) {
	wide64(c.coder, &v.promised)
	wide64(c.coder, &v.present)
	wide32(c.coder, &v.pledge)
	wide32(c.coder, &v.promisedKind)
	wide32(c.coder, &v.presentKind)
	wide16(c.coder, &v.nation)
	wide16(c.coder, &v.flags)
	natural(c.coder, &v.rung)
	some := uint64(0)
	if v.allocated != nil {
		some = 1
	}
	if c.uvarint(some) != 0 {
		if c.isReading() {
			v.allocated = new([]share)
		}
		each(c.coder, v.allocated, func(s *share) {
			c.line(p, &s.line)
			c.fixed(s.id[:])
			integer(c.coder, &s.promised)
			integer(c.coder, &s.present)
			integer(c.coder, &s.set)
		})
	}
	kinds := uint32(len(p.kinds.names))
	c.failIf(int(v.pledge) >= len(p.pledges) || int(v.nation) >= len(p.nations.names) ||
		v.promisedKind >= kinds || v.presentKind >= kinds)
}

// operation names one.
func (c partCoder) operation(p *Picture, o **operation) {
	var name string
	if *o != nil {
		name = string((*o).name)
	}
	if c.plain(&name); c.isReading() {
		*o = p.operations[events.Operation(name)]
		c.failIf(*o == nil)
	}
}

// line names a requirement, or none.
func (c partCoder) line(p *Picture, l **line) {
	var operation, name string
	if *l != nil {
		operation, name = string((*l).operation), string((*l).name)
	}
	c.plain(&operation)
	if c.plain(&name); !c.isReading() || operation == "" {
		return
	}
	if o := p.operations[events.Operation(operation)]; o != nil {
		*l = o.now().lines[events.Line(name)]
	}
	c.failIf(*l == nil)
}
