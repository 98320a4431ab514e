package projections

import (
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
