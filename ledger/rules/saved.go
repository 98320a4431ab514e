package rules

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"muster/events"
)

// The form in which a state is saved. What was saved is used only when it is whole, of this form,
// and of the caller's journal, which the root of the tree at its sequence tells.

// savedForm begins the file. Whoever changes State, or how it is written, raises its number, and
// what was saved is thrown away.
const savedForm = "muster ledger state 3\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNotSaved = errors.New("nothing usable was saved")

// Snapshot returns a copy that does not change with s, so that another goroutine can save it: its
// tables are copied, and what they hold is never changed.
func (s *State) Snapshot() *State {
	c := *s
	c.members, c.voiced, c.operations, c.uses = maps.Clone(s.members), maps.Clone(s.voiced),
		maps.Clone(s.operations), maps.Clone(s.uses)
	c.lines, c.scopes, c.pledges, c.observed, c.undo = maps.Clone(s.lines), maps.Clone(s.scopes),
		maps.Clone(s.pledges), maps.Clone(s.observed), nil
	return &c
}

// A Root is the root hash of the Merkle tree of the records that a state follows from.
type Root = [sha256.Size]byte

// Save returns the saved form of the state: after the form and the root of the tree of as many
// records, the kinds of statement that there are, all words, and the state in which they are
// numbers; and the CRC-32C of that, which tells damage. The caller says what the root is: the state
// does not know it.
func (s *State) Save(root Root) []byte {
	body, head := newCodec(), newCodec()
	body.state(s)
	head.data = append(append(head.data, savedForm...), root[:]...)
	all := typeNames()
	head.texts(&all)
	head.texts(&body.words)
	data := append(head.data, body.data...)
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

func typeNames() (names []string) {
	for _, t := range types {
		names = append(names, string(t))
	}
	return names
}

// LoadState reads a saved state, and the root of the tree that it follows from, which the caller
// compares with that of its own first [State.Last] records. It fails where what was saved is
// damaged, or of another form: then the state is made of the records again. What was said of each
// pledge is read when it is needed, so data must not change afterwards.
func LoadState(data []byte) (*State, Root, error) {
	var root Root
	end := len(data) - crc32.Size
	if end < len(savedForm)+len(root) || !bytes.HasPrefix(data, []byte(savedForm)) {
		return nil, root, errNotSaved
	}
	if crc32.Checksum(data[:end], castagnoli) != binary.BigEndian.Uint32(data[end:]) {
		return nil, root, errNotSaved
	}
	copy(root[:], data[len(savedForm):])
	var known, words []string
	head := codecOf(data[len(savedForm)+len(root):end], nil)
	head.texts(&known)
	head.texts(&words)
	if head.failed || slices.ContainsFunc(known, func(name string) bool {
		_, ok := kinds[events.Type(name)]
		return !ok
	}) {
		return nil, root, errNotSaved
	}
	s, t := NewState(), codecOf(head.data, words)
	if t.state(s); t.failed || len(t.data) > 0 {
		return nil, root, errNotSaved
	}
	return s, root, nil
}

func (t *codec) state(s *State) {
	word(t, &s.origin)
	t.uint(&s.last)
	recorded := uint64(s.recorded.UnixMicro())
	t.uint(&recorded)
	s.recorded = time.UnixMicro(int64(recorded)).UTC()
	table(t, s.members, func(id *events.KeyID, m *member) {
		word(t, &id.Name)
		hash := uint64(id.Hash)
		t.uint(&hash)
		id.Hash = uint32(hash)
		word(t, &m.key)
		word(t, &m.role)
		word(t, &m.clearance)
		t.uint(&m.revoked)
	})
	table(t, s.voiced, func(n *events.Nation, seq *uint64) { word(t, n); t.uint(seq) })
	table(t, s.operations, func(name *events.Operation, o *operation) {
		word(t, name)
		t.operation(o)
	})
	table(t, s.uses, func(u *use, is *bool) {
		word(t, &u.operation)
		word(t, &u.role)
		word(t, &u.unit)
		t.bool(is)
	})
	table(t, s.lines, func(k *lineKey, l *line) {
		word(t, &k.operation)
		word(t, &k.line)
		t.line(l)
	})
	table(t, s.scopes, func(k *scopeKey, all *scope) {
		word(t, &k.operation)
		word(t, &k.nation)
		series(t, (*[]declared)(all), func(d *declared) {
			words(t, &d.roles)
			number(t, &d.effective)
			t.uint(&d.sequence)
		})
	})
	t.pledges(s)
}

func (t *codec) operation(o *operation) {
	word(t, &o.terms.Operation)
	word(t, &o.terms.Title)
	word(t, &o.terms.Note)
	series(t, &o.terms.Roles, func(r *events.RoleDefinition) {
		word(t, &r.Role)
		word(t, &r.Title)
		words(t, &r.Units)
	})
	number(t, &o.began)
	t.label(&o.label)
}

func (t *codec) label(l *events.Label) {
	word(t, &l.Release)
	word(t, &l.Owner)
	words(t, &l.To)
}

func (t *codec) line(l *line) {
	word(t, &l.role)
	word(t, &l.unit)
	word(t, &l.area)
	number(t, &l.began)
	t.uint(&l.cancelled)
	t.label(&l.label)
}

// pledges is what was said of each pledge. What follows from that is folded anew.
func (t *codec) pledges(s *State) {
	seen := map[observedKey][]observedAt{}
	table(t, s.pledges, func(id *events.ID, p **pledge) {
		if t.reading {
			*p = &pledge{subject: new(subject)}
		} else {
			*p = (*p).read()
		}
		t.id(id)
		sub := (*p).subject
		word(t, &sub.operation)
		word(t, &sub.nation)
		word(t, &sub.role)
		word(t, &sub.unit)
		t.bool(&sub.observed)
		began := uint64(0)
		if !t.reading {
			began = (*p).said[0].sequence
		}
		t.uint(&began)
		unread := t.apart(func(t *codec) { series(t, &(*p).said, t.saying) })
		if t.reading {
			(*p).unread = &unreadSayings{unread, t.words}
		}
		if sub.observed {
			key := observedKey{sub.operation, sub.nation, sub.role}
			seen[key] = append(seen[key], observedAt{began, *id})
		}
	})
	if !t.reading || t.failed {
		return
	}
	for key, all := range seen {
		slices.SortFunc(all, func(a, b observedAt) int { return cmp.Compare(a.began, b.began) })
		for _, at := range all {
			s.observed[key] = append(s.observed[key], at.id)
		}
	}
}

// observedAt is a pledge that was observed, and the record that began it.
type observedAt struct {
	began uint64
	id    events.ID
}

// unreadSayings is what was said of a pledge, as it was saved. Of most pledges nothing more is ever
// said, so that it need not be read.
type unreadSayings struct {
	data  []byte
	words []string
}

// read returns the pledge with all that was said of it. It changes nothing, so that who has a copy
// of the state may read beside.
func (p *pledge) read() *pledge {
	if p.unread == nil {
		return p
	}
	t := codecOf(p.unread.data, p.unread.words)
	all := &pledge{subject: p.subject, standing: standing{attached: nothingAttached}}
	series(t, &all.said, t.saying)
	if t.failed || len(t.data) > 0 || len(all.said) == 0 {
		// This program, or another of the same form, has written it wrong.
		panic("rules: a saved state whose sum is right cannot be read")
	}
	all.fold()
	return all
}

// fold makes the standing of what was said.
func (p *pledge) fold() {
	said := p.said
	for i := range said {
		p.said = said[:i+1]
		p.step(&said[i])
	}
}

func (t *codec) saying(x *saying) {
	t.id(&x.id)
	t.uint(&x.sequence)
	number(t, &x.effective)
	typ := x.typ() // by its name: its number is this program's
	word(t, &typ)
	kind, known := kinds[typ]
	if !known {
		t.fail()
		return
	}
	t.bool(&x.struck)
	party := x.party()
	word(t, &party)
	more := x.particulars != nil && x.particulars != nothingMore
	t.bool(&more)
	if t.reading {
		x.kind, x.particulars = kind, nothingMore
		copy(x.signed[:], party)
		if more {
			x.particulars = new(particulars)
		}
	}
	if more {
		t.particulars(x.particulars)
	}
}

func (t *codec) particulars(p *particulars) {
	optional(t, &p.terms, t.terms)
	optional(t, &p.allocated, func(a *allocation) {
		t.id(&a.id)
		word(t, &a.line)
		number(t, &a.number)
		t.window(&a.window)
	})
	word(t, &p.name)
	word(t, &p.condition)
	number(t, &p.renewed)
	t.id(&p.other)
	optional(t, &p.label, t.label)
}

func optional[V any](t *codec, p **V, each func(*V)) {
	is := *p != nil
	if t.bool(&is); !is {
		return
	}
	if t.reading {
		*p = new(V)
	}
	each(*p)
}

func (t *codec) terms(m *terms) {
	t.quantity(&m.quantity)
	t.window(&m.window)
	word(t, &m.area)
	t.bool(&m.reserve)
	number(t, &m.expires)
}

func (t *codec) quantity(q *events.Quantity) {
	text := q.String()
	if word(t, &text); !t.reading || text == "" {
		return
	}
	known, ok := t.quantities[text]
	if !ok {
		var err error
		if known, err = events.ParseQuantity(text); err != nil {
			t.fail()
		}
		t.quantities[text] = known
	}
	*q = known
}

func (t *codec) window(w *events.Window) {
	number(t, &w.From)
	number(t, &w.Until)
}
