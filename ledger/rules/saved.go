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
	"unique"

	"muster/events"
	"muster/events/compact"
	"muster/events/seconds"
)

// The form in which a state is saved. What was saved is used only when it is whole, of this form,
// and of the caller's journal, which the root of the tree at its sequence tells.

// savedForm begins the file. Whoever changes State, or how it is written, raises its number, and
// what was saved is thrown away.
const savedForm = "muster ledger state 11\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNotSaved = errors.New("nothing usable was saved")

// Snapshot returns a copy that does not change with s, so that another goroutine can save it: its
// tables are copied, and what they hold is never changed.
func (s *State) Snapshot() *State {
	c := *s
	c.proposals, c.meetings = maps.Clone(s.proposals), maps.Clone(s.meetings)
	c.spoke = maps.Clone(s.spoke)
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
	body, head := newCoder(compact.NewWriterApart()), compact.NewWriter(0)
	body.state(s)
	known, words := typeNames(), body.Words()
	head.Texts(&known)
	head.Texts(&words)
	data := slices.Concat([]byte(savedForm), root[:], head.Bytes(), body.Bytes())
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
	head := compact.NewReader(data[len(savedForm)+len(root) : end])
	head.Texts(&known)
	head.Texts(&words)
	if head.Failed() || slices.ContainsFunc(known, func(name string) bool {
		_, ok := kinds[events.Type(name)]
		return !ok
	}) {
		return nil, root, errNotSaved
	}
	s, t := NewState(), newCoder(compact.NewReaderApart(head.Bytes(), words))
	if t.state(s); t.Failed() || len(t.Bytes()) > 0 {
		return nil, root, errNotSaved
	}
	return s, root, nil
}

// A coder writes a state, or reads it: the same calls do both.
type coder struct {
	*compact.Codec
	quantities map[string]events.Quantity // in reading: those that were read before
}

func newCoder(c *compact.Codec) coder { return coder{c, map[string]events.Quantity{}} }

func word[S ~string](t coder, s *S) { compact.Plain(t.Codec, s) }

func words[S ~string](t coder, all *[]S) {
	compact.Each(t.Codec, all, func(s *S) { word(t, s) })
}

func (t coder) state(s *State) {
	word(t, &s.origin)
	compact.Natural(t.Codec, &s.last)
	recorded := uint64(s.recorded.UnixMicro())
	compact.Natural(t.Codec, &recorded)
	s.recorded = time.UnixMicro(int64(recorded)).UTC()
	compact.Natural(t.Codec, &s.seconds)
	compact.Table(t.Codec, s.proposals, t.proposal)
	compact.Table(t.Codec, s.members, func(id *events.KeyID, m *member) {
		t.keyID(id)
		word(t, &m.key)
		word(t, &m.role)
		word(t, &m.clearance)
		compact.Natural(t.Codec, &m.revoked)
	})
	compact.Table(t.Codec, s.voiced, func(n *events.Nation, seq *uint64) {
		word(t, n)
		compact.Natural(t.Codec, seq)
	})
	compact.Table(t.Codec, s.operations, func(name *events.Operation, o *operation) {
		word(t, name)
		t.operation(o)
	})
	compact.Table(t.Codec, s.uses, func(u *use, is *bool) {
		word(t, &u.operation)
		word(t, &u.role)
		word(t, &u.unit)
		t.Flag(is)
	})
	compact.Table(t.Codec, s.lines, func(k *lineKey, l *line) {
		word(t, &k.operation)
		word(t, &k.line)
		t.line(l)
	})
	compact.Table(t.Codec, s.scopes, func(k *scopeKey, all *scope) {
		word(t, &k.operation)
		word(t, &k.nation)
		compact.Each(t.Codec, (*[]declared)(all), func(d *declared) {
			words(t, &d.roles)
			t.Day(&d.effective)
			compact.Natural(t.Codec, &d.sequence)
		})
	})
	compact.Table(t.Codec, s.meetings, func(name *string, seq *uint64) {
		word(t, name)
		compact.Natural(t.Codec, seq)
	})
	compact.Table(t.Codec, s.spoke, func(k *scopeKey, is *bool) {
		word(t, &k.operation)
		word(t, &k.nation)
		t.Flag(is)
	})
	t.pledges(s)
}

func (t coder) keyID(id *events.KeyID) {
	word(t, &id.Name)
	compact.Natural(t.Codec, &id.Hash)
}

func (t coder) proposal(id *events.ID, p *seconds.Proposal) {
	t.Fixed(id[:])
	p.Statement = *id
	compact.Natural(t.Codec, &p.Sequence)
	t.Fixed(p.Leaf[:])
	t.keyID(&p.By)
	word(t, &p.Key)
	t.Flag(&p.Revokes)
	word(t, &p.Role)
	word(t, &p.Clearance)
	compact.Each(t.Codec, &p.Seconded, t.keyID)
}

func (t coder) operation(o *operation) {
	word(t, &o.terms.Operation)
	word(t, &o.terms.Title)
	word(t, &o.terms.Note)
	compact.Each(t.Codec, &o.terms.Roles, func(r *events.RoleDefinition) {
		word(t, &r.Role)
		word(t, &r.Title)
		compact.Each(t.Codec, &r.Titles, func(o *events.Translation) {
			word(t, &o.Language)
			word(t, &o.Title)
		})
		words(t, &r.Units)
	})
	compact.Each(t.Codec, (*[]events.Organisation)(&o.terms.Organisations),
		func(o *events.Organisation) {
			word(t, &o.Code)
			word(t, &o.Name)
			words(t, &o.Also)
		})
	t.Day(&o.began)
	t.label(&o.label)
	compact.Natural(t.Codec, &o.said)
}

func (t coder) label(l *events.Label) {
	word(t, &l.Release)
	word(t, &l.Owner)
	words(t, &l.To)
}

func (t coder) line(l *line) {
	word(t, &l.role)
	word(t, &l.unit)
	word(t, &l.area)
	t.Day(&l.began)
	compact.Natural(t.Codec, &l.cancelled)
	t.label(&l.label)
}

// pledges is what was said of each pledge. What follows from that is folded anew.
func (t coder) pledges(s *State) {
	seen := map[observedKey][]observedAt{}
	compact.Table(t.Codec, s.pledges, func(id *events.ID, p **pledge) {
		if t.Reading() {
			*p = &pledge{subject: new(subject)}
		} else {
			*p = (*p).read()
		}
		t.Fixed(id[:])
		sub := (*p).subject
		word(t, &sub.operation)
		word(t, &sub.nation)
		word(t, &sub.role)
		word(t, &sub.unit)
		t.Flag(&sub.observed)
		began := uint64(0)
		if !t.Reading() {
			began = (*p).said[0].sequence
		}
		compact.Natural(t.Codec, &began)
		unread := t.Later(func(c *compact.Codec) {
			compact.Each(c, &(*p).said, newCoder(c).saying)
		})
		if t.Reading() {
			(*p).unread = &unreadSayings{unread, t.Words()}
		}
		if sub.observed {
			key := observedKey{sub.operation, sub.nation, sub.role}
			seen[key] = append(seen[key], observedAt{began, *id})
		}
	})
	if !t.Reading() || t.Failed() {
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
	t := newCoder(compact.NewReaderApart(p.unread.data, p.unread.words))
	all := &pledge{subject: p.subject, standing: standing{attached: nothingAttached}}
	compact.Each(t.Codec, &all.said, t.saying)
	if t.Failed() || len(t.Bytes()) > 0 || len(all.said) == 0 {
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

func (t coder) saying(x *saying) {
	t.Fixed(x.id[:])
	compact.Natural(t.Codec, &x.sequence)
	t.Day(&x.effective)
	typ := x.typ() // by its name: its number is this program's
	word(t, &typ)
	kind, known := kinds[typ]
	if !known {
		t.FailIf(true)
		return
	}
	t.Flag(&x.struck)
	var party events.Nation
	if !t.Reading() {
		party = x.party()
	}
	word(t, &party)
	more := x.particulars != nil && x.particulars != nothingMore
	t.Flag(&more)
	if t.Reading() {
		x.kind, x.particulars, x.signed = kind, nothingMore, unique.Make(party)
		if more {
			x.particulars = new(particulars)
		}
	}
	if more {
		t.particulars(x.particulars)
	}
}

func (t coder) particulars(p *particulars) {
	compact.Optional(t.Codec, &p.terms, t.terms)
	compact.Optional(t.Codec, &p.allocated, func(a *allocation) {
		t.Fixed(a.id[:])
		word(t, &a.line)
		compact.Integer(t.Codec, &a.number)
		t.window(&a.window)
	})
	word(t, &p.name)
	word(t, &p.condition)
	t.Day(&p.renewed)
	t.Fixed(p.other[:])
	compact.Optional(t.Codec, &p.label, t.label)
	word(t, &p.to)
}

func (t coder) terms(m *terms) {
	t.quantity(&m.amount.Quantity)
	t.quantity(&m.amount.Least)
	t.quantity(&m.amount.Most)
	t.window(&m.window)
	word(t, &m.area)
	t.Flag(&m.reserve)
	t.Day(&m.expires)
	names := m.rotation != nil && m.rotation != noRotation
	t.Flag(&names)
	if t.Reading() {
		m.rotation = noRotation
		if names {
			m.rotation = new(rotation)
		}
	}
	if names {
		t.Fixed(m.predecessor[:])
		t.Fixed(m.successor[:])
	}
}

func (t coder) quantity(q *events.Quantity) {
	text := q.String()
	if word(t, &text); !t.Reading() || text == "" {
		return
	}
	known, ok := t.quantities[text]
	if !ok {
		var err error
		if known, err = events.ParseQuantity(text); err != nil {
			t.FailIf(true)
		}
		t.quantities[text] = known
	}
	*q = known
}

func (t coder) window(w *events.Window) {
	t.Day(&w.From)
	t.Day(&w.Until)
}
