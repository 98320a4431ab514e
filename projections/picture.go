package projections

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections/records"
)

// A Picture is what follows from the records so far: the roster, the operations with their scopes
// and requirements, and the pledges, each with its whole history, so that it answers for every
// [Moment]. Coverage and strength are folds over it.
//
// It depends on the records alone: no clock, no settings, no order of arrival besides their
// sequence. The zero value is not useful: use NewPicture. Its methods besides Apply may be called
// concurrently with each other, not with Apply. The pictures that a projector shows do not change
// any more, so that their readers wait for nobody, and nobody waits for them.
//
// What a picture has is of three sorts. Lists that only grow at their end are shared with later
// pictures, and each picture has its own length of them. What changes is [published]. And some of
// it has a lock of its own, which is held for moments.
type Picture struct {
	// When each record was recorded, in Unix microseconds; the sequence is the index + 1.
	times      []int64
	roster     roster
	meetings   []Meeting // that were closed, in the order of their records
	operations map[events.Operation]*operation
	names      []events.Operation // of operations, sorted
	pledges    []*pledge          // all of them, in the order in which they began
	sorted     roll               // the same, by ID
	byID       *index
	rotating   []*pledge // those that have ever named another as before or after them
	// By sequence - 1: the number of the pledge that the record is about, plus one, or 0.
	touched    []uint32
	labelled   []uint16 // by sequence - 1: the number of the record's label, or noLabel
	labels     labels
	versions   versions
	dates      *dateIndexes
	coverages  *coverageCache
	nations    numbering[events.Nation]
	kinds      numbering[kind]
	conditions *vocabulary // by which any was ever named, for [WhatIf.Check]
	// Where it is only supposed, on top of another, and has no table of versions: see
	// [Picture.Preview].
	supposed *supposed
	meter    *meter // of the question that is answered from it

	*desk
	watched bool // there are readers of what it shares
}

// A desk is what only the writer of a picture needs.
type desk struct {
	words   words
	remarks map[remark]*remark // those without a text, which many changes share
	plan    planned            // the rows that are about no pledge
	folder  folder
}

// NewPicture returns the picture before the first record.
func NewPicture() *Picture {
	return &Picture{
		operations: map[events.Operation]*operation{},
		byID:       newIndex(0),
		dates:      newDateIndexes(),
		coverages:  newCoverageCache(),
		nations:    newNumbering[events.Nation](),
		kinds:      newNumbering[kind](),
		conditions: &vocabulary{words: map[string]bool{}},
		labels:     newLabels(),
		desk:       &desk{words: words{}, remarks: map[remark]*remark{}, plan: newPlanned()},
	}
}

// Apply takes the next record in. A record that does not follow the last one, or says what cannot
// be true, is an error and changes nothing: such a record was never decided by a ledger, so its
// source is damaged or not the one it was.
func (p *Picture) Apply(rec events.Record) error {
	r, err := records.RowOf(rec)
	if err != nil {
		return err
	}
	return p.ApplyRow(rec.Sequence, &r)
}

// ApplyRow takes the row of the next record in, as Apply does the record.
func (p *Picture) ApplyRow(seq uint64, r *records.Row) error {
	var a admitted
	err := p.next(seq, r, &a)
	if err == nil && a.pledge != nil {
		p.folder.p, p.folder.table = p, &p.versions
		err = p.folder.fold(&a)
	}
	if err != nil {
		return err
	}
	p.took(&a, r)
	return nil
}

// next takes in all that a row says but what is to be folded into a pledge, which it leaves in a.
func (p *Picture) next(seq uint64, r *records.Row, a *admitted) error {
	last := p.Sequence()
	switch {
	case seq != last+1:
		return fmt.Errorf("record %d does not follow record %d", seq, last)
	case r.Type == records.Withheld && last > 0:
		r.Recorded = p.times[last-1] // nobody is told when
	case last > 0 && r.Recorded < p.times[last-1]:
		return fmt.Errorf("record %d was recorded before record %d", seq, last)
	}
	if err := p.dispatch(seq, r, a); err != nil {
		return fmt.Errorf("record %d: %w", seq, err)
	}
	return nil
}

func (p *Picture) dispatch(seq uint64, r *records.Row, a *admitted) error {
	if m, ok := moves[r.Type]; ok {
		return p.admit(seq, m, r, a)
	}
	if r.Type == records.Withheld {
		return nil
	}
	switch r.Type.Subject() {
	case "ledger", "member":
		return p.roster.take(seq, r)
	case "meeting":
		p.closeMeeting(seq, r)
		return nil
	case "operation", "scope", "requirement":
		return p.takePlan(seq, r)
	}
	return fmt.Errorf("no projection knows a %s", r.Type)
}

// took notes that a record was taken in.
func (p *Picture) took(a *admitted, r *records.Row) {
	about := uint32(0)
	switch {
	case a.pledge != nil:
		about = a.pledge.no + 1
	case p.supposed == nil && r.Type != records.Withheld:
		p.plan.add(p.Sequence()+1, r)
	}
	p.times, p.touched = append(p.times, r.Recorded), append(p.touched, about)
	p.labelled = append(p.labelled, p.labelOf(a, r))
}

// Share returns the picture as it is now, for readers: it does not change any more while p goes on.
// They share what they have in common, so that to share costs a few words.
func (p *Picture) Share() *Picture {
	p.watched = true
	shared := *p
	return &shared
}

// Sequence returns the sequence of the last record in the picture, 0 before the first.
func (p *Picture) Sequence() uint64 { return uint64(len(p.times)) }

// Recorded returns when a record was recorded, and false when it is not in the picture.
func (p *Picture) Recorded(seq uint64) (time.Time, bool) {
	if seq == 0 || seq > p.Sequence() {
		return time.Time{}, false
	}
	return time.UnixMicro(p.times[seq-1]).UTC(), true
}

// SequenceAt returns the last record that was recorded at t or before, 0 when there was none. It
// turns a time into the AsOf of a [Moment]. As long as t lies ahead of the last record, its answer
// may still grow.
func (p *Picture) SequenceAt(t time.Time) uint64 {
	at := t.UnixMicro()
	return uint64(sort.Search(len(p.times), func(i int) bool { return p.times[i] > at }))
}

// operation returns the operation of a name, new if need be.
func (p *Picture) operation(seq uint64, name events.Operation) *operation {
	o, ok := p.operations[name]
	if !ok {
		name = intern(p.words, name)
		o = newOperation(name, seq)
		if p.watched {
			p.operations, p.names = maps.Clone(p.operations), slices.Clip(p.names)
		}
		p.operations[name] = o
		at, _ := slices.BinarySearch(p.names, name)
		p.names = slices.Insert(p.names, at, name)
	}
	return o
}

// find returns the pledge of an ID, false when no record up to the picture's last began it.
func (p *Picture) find(id events.ID) (*pledge, bool) {
	pl, ok := p.byID.find(id)
	if !ok || uint64(pl.first) > p.Sequence() {
		return nil, false
	}
	return pl, true
}

// chosen returns the operations that a question is about, by name: the one that it names, or all
// that are known.
func (p *Picture) chosen(asOf uint64, name events.Operation) ([]*operation, error) {
	var known []*operation
	for _, n := range p.names {
		if o := p.operations[n]; o.first <= asOf && (name == "" || n == name) {
			known = append(known, o)
		}
	}
	if name != "" && len(known) == 0 {
		return nil, p.noOperation(asOf, name)
	}
	return known, nil
}

func (p *Picture) noOperation(asOf uint64, name events.Operation) error {
	var known []events.Operation
	for _, n := range p.names {
		if p.operations[n].first <= asOf {
			known = append(known, n)
		}
	}
	refusal := problem.New(problem.NotFound, "there is no operation %q", name)
	if len(known) == 0 {
		return refusal.WithHint("no operation was opened yet")
	}
	return refusal.WithHint("%s", ThereIs(known))
}

// A numbering numbers things in the order in which they are met, so that what is summed by them is
// summed in a slice. Those who number are the writer and, in bulk, its workers; readers look
// numbers up.
type numbering[T comparable] struct {
	mu     *sync.RWMutex
	number map[T]int
	names  []T // each picture has those that were numbered by its last record
}

func newNumbering[T comparable]() numbering[T] {
	return numbering[T]{mu: new(sync.RWMutex), number: map[T]int{}}
}

// of returns the number of a thing, a new one if need be.
func (n *numbering[T]) of(thing T) int {
	n.mu.RLock()
	i, ok := n.number[thing]
	n.mu.RUnlock()
	if ok {
		return i
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if i, ok = n.number[thing]; !ok {
		i = len(n.names)
		n.number[thing] = i
		n.names = append(n.names, thing)
	}
	return i
}

// own returns a numbering that begins with the same numbers.
func (n *numbering[T]) own() numbering[T] {
	n.mu.RLock()
	defer n.mu.RUnlock()
	other := newNumbering[T]()
	for i, name := range n.names {
		other.number[name] = i
	}
	other.names = slices.Clip(n.names)
	return other
}

// An index finds pledges by their ID: those of all pictures that share it.
type index struct {
	mu    sync.RWMutex
	of    map[events.ID]*pledge
	under *index // where those are that are not in it; nil for none
}

func newIndex(room int) *index { return &index{of: make(map[events.ID]*pledge, room)} }

func (x *index) find(id events.ID) (pl *pledge, ok bool) {
	x.mu.RLock()
	pl, ok = x.of[id]
	x.mu.RUnlock()
	if !ok && x.under != nil {
		return x.under.find(id)
	}
	return pl, ok
}

func (x *index) add(pl *pledge) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of[pl.id] = pl
}

// A vocabulary is plain words.
type vocabulary struct {
	mu    sync.RWMutex
	words map[string]bool
}

func (v *vocabulary) has(word string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.words[word]
}

func (v *vocabulary) add(word string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.words[word] = true
}

func (v *vocabulary) own() *vocabulary {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return &vocabulary{words: maps.Clone(v.words)}
}

// words keeps one copy of each short text that many records repeat.
type words map[string]string

func intern[S ~string](w words, s S) S {
	if kept, ok := w[string(s)]; ok {
		return S(kept)
	}
	w[string(s)] = string(s)
	return s
}
