package projections

import (
	"slices"
	"sort"
	"sync"

	"muster/events"
)

// A version is what a pledge amounts to in a stretch of dates, as known between two records. It is all that sums need, in few
// bytes: what made it so is in the pledge's deeds.
type version struct {
	amounts
	allocated *[]share // nil when nothing is; never changed
}

// shares returns what is allocated.
func (v *version) shares() []share {
	if v.allocated == nil {
		return nil
	}
	return *v.allocated
}

// amounts are what a version says besides its allocations.
type amounts struct {
	promised, present         int64  // the quantities pledged and last reported, in whole units or hundredths of money; 0 for none
	pledge                    uint32 // in Picture.pledges
	promisedKind, presentKind uint32 // in Picture.kinds: by the unit that each is counted in
	nation                    uint16 // in Picture.nations
	flags                     flags
	rung                      Rung
}

// flags say of a version what decides whether it counts.
type flags uint16

const (
	isReserve         flags = 1 << iota
	isFailed                // hangs on what will not happen
	isConditional           // hangs on an open condition
	isCaveated              // its use is restricted
	isUnknown               // how much is pledged is not known
	isObserved              // nothing was pledged, only seen
	isElsewhere             // the same forces are pledged elsewhere too
	isUnknownStrength       // how much is there is not known
)

// A share is what an allocation gets of a pledge: what was set against the line, as far as the pledge still has it.
type share struct {
	line              *line
	id                events.ID
	promised, present int64
	set               int64 // as it was allocated
}

// A kind is what a quantity is of: pledges of one kind fit the same lines.
type kind struct {
	operation *operation
	role      events.Role
	area      events.Area
	unit      events.Unit
}

// versions is the table of pledge versions, in columns. A row is known as of the records from knownFrom to the one before
// knownTo, and holds on the dates from from to until. Rows are appended in the order of knownFrom, and change only in that they
// are closed.
type versions struct {
	knownFrom, knownTo []uint32
	from, until        []events.Date
	what               []version
	touched            []uint32 // by sequence - 1: the number of the pledge that the record is about, plus one, or 0

	mu     sync.Mutex
	sheets []*sheet
}

// refresh brings the versions of a pledge up to date, after a record that changed what follows from a date on.
func (t *versions) refresh(p *Picture, pl *pledge, seq uint32, from events.Date) {
	t.took(seq)
	t.touched[seq-1] = pl.no + 1
	keep := len(pl.open)
	for keep > 0 && t.until[pl.open[keep-1]] >= from {
		keep--
	}
	old := append([]uint32(nil), pl.open[keep:]...)
	pl.open = pl.open[:keep]
	if len(old) > 0 && t.from[old[0]] < from { // cut in two: its beginning stays as it was
		t.open(pl, seq, stretch{t.from[old[0]], from.AddDays(-1)}, t.what[old[0]])
	}
	emit := func(days stretch, s *standing) {
		v := p.versionOf(pl, s, days.from)
		for len(old) > 0 && t.until[old[0]] < days.from {
			t.knownTo[old[0]], old = seq, old[1:]
		}
		if len(old) > 0 && (stretch{t.from[old[0]], t.until[old[0]]}) == days && v.equal(&t.what[old[0]]) {
			pl.open, old = append(pl.open, old[0]), old[1:]
			return
		}
		t.open(pl, seq, days, v)
	}
	if pl.latest <= from && len(pl.deeds) > 0 {
		s := pl.head
		s.run(stretch{from, lastDay}, emit)
	} else {
		pl.stretches(seq, from, emit)
	}
	for _, i := range old {
		t.knownTo[i] = seq
	}
}

// took notes that a record was taken in.
func (t *versions) took(seq uint32) {
	for uint32(len(t.touched)) < seq {
		t.touched = append(t.touched, 0)
	}
}

func (t *versions) open(pl *pledge, seq uint32, days stretch, v version) {
	pl.open = append(pl.open, uint32(len(t.what)))
	t.knownFrom, t.knownTo = append(t.knownFrom, seq), append(t.knownTo, forever)
	t.from, t.until = append(t.from, days.from), append(t.until, days.until)
	t.what = append(t.what, v)
}

func (v *version) equal(other *version) bool {
	return v.amounts == other.amounts && slices.Equal(v.shares(), other.shares())
}

// versionOf makes the version of a standing on a date on which it counts.
func (p *Picture) versionOf(pl *pledge, s *standing, on events.Date) (v version) {
	v.pledge, v.nation, v.rung, v.flags = pl.no, uint16(pl.nationNo), s.rung, s.flags()
	v.promised, _ = s.pledged.quantity.Number()
	v.present, _ = s.strength.quantity.Number()
	v.promisedKind = p.kindOf(pl, s.terms, s.pledged.unit)
	v.presentKind = v.promisedKind
	if s.strength.unit != s.pledged.unit {
		v.presentKind = p.kindOf(pl, s.terms, s.strength.unit)
	}
	if shares := s.shares(on); shares != nil {
		v.allocated = &shares
	}
	return v
}

func (p *Picture) kindOf(pl *pledge, t *terms, unit events.Unit) uint32 {
	return uint32(p.kinds.of(kind{pl.operation, t.role, t.area, unit}))
}

// shares divides what the pledge has among its allocations on a date, the oldest first.
func (s *standing) shares(on events.Date) (shares []share) {
	promised, _ := s.pledged.quantity.Number()
	present, _ := s.strength.quantity.Number()
	for i := range s.allocations {
		a := &s.allocations[i]
		if !a.Includes(on) {
			continue
		}
		one := share{line: a.line, id: a.id, promised: min(a.number, promised), present: min(a.number, present), set: a.number}
		promised, present = promised-one.promised, present-one.present
		shares = append(shares, one)
	}
	return shares
}

func (s *standing) flags() (f flags) {
	for _, is := range []struct {
		flag flags
		so   bool
	}{
		{isReserve, s.inReserve()},
		{isFailed, holding(s.conditions, Failed)},
		{isConditional, holding(s.conditions, Hanging)},
		{isCaveated, holding(s.caveats, Hanging)},
		{isUnknown, s.pledged.quantity.IsUnknown()},
		{isObserved, s.pledged.quantity.IsZero()},
		{isElsewhere, s.terms.rotation != nil && len(s.terms.rotation.elsewhere) > 0},
		{isUnknownStrength, s.strength.quantity.IsUnknown()},
	} {
		if is.so {
			f |= is.flag
		}
	}
	return f
}

// reported reports whether at a rung the version counts for what is there, and not for what was pledged.
func (v *version) reported(at Rung) bool {
	return at == Deployed && v.rung == Deployed || v.flags&isObserved != 0
}

// counting returns the rungs at which the version is to be counted once: as what was pledged, at its rung or, where it is
// deployed, at the one below; and as what is in place, where it is deployed.
func (v *version) counting() []Rung {
	if v.rung == Deployed {
		return inPlace
	}
	return ladder[v.rung : v.rung+1]
}

var (
	ladder  = []Rung{0, Indicated, Offered, Accepted, Confirmed}
	inPlace = []Rung{Confirmed, Deployed}
)

// amount returns what the version counts for at a rung, and its kind; known is false when nobody has said how much that is.
func (v *version) amount(at Rung) (n int64, kind uint32, known bool) {
	if v.reported(at) {
		return v.present, v.presentKind, v.flags&isUnknownStrength == 0
	}
	return v.promised, v.promisedKind, v.flags&isUnknown == 0
}

// each calls do for the version of every pledge that is there at a moment, in no order that matters.
func (p *Picture) each(b *Basis, do func(*version)) {
	switch {
	case p.supposed != nil:
		p.supposed.each(b, do)
	case b.WhatIf.folds():
		p.eachFolded(b, do)
	case b.AsOf == p.Sequence():
		rows, all := p.versions.sheet(p, b.On).rows, b.WhatIf == nil
		for i := range rows {
			if v := &rows[i]; v.rung != 0 && (all || b.WhatIf.lets(p, v)) {
				do(v)
			}
		}
	default:
		p.eachKnown(b, do)
	}
}

// eachKnown scans the table.
func (p *Picture) eachKnown(b *Basis, do func(*version)) {
	t, asOf, on := &p.versions, uint32(b.AsOf), b.On
	n := t.before(asOf)
	knownTo, from, until := t.knownTo[:n], t.from[:n], t.until[:n]
	for i := range knownTo {
		if knownTo[i] > asOf && from[i] <= on && on <= until[i] {
			if v := &t.what[i]; b.WhatIf.lets(p, v) {
				do(v)
			}
		}
	}
}

// before returns how many rows were known first as of a record or before.
func (t *versions) before(asOf uint32) int {
	return sort.Search(len(t.knownFrom), func(i int) bool { return t.knownFrom[i] > asOf })
}

// eachFolded folds every pledge again: it is how a question is answered that the table has no rows for.
func (p *Picture) eachFolded(b *Basis, do func(*version)) { p.fold(b, p.pledges, do) }

// fold folds some pledges again.
func (p *Picture) fold(b *Basis, pledges []*pledge, do func(*version)) {
	var room standing
	for _, pl := range pledges {
		s := pl.at(b, &room)
		if !s.counts(b.On) {
			continue
		}
		v := p.versionOf(pl, b.WhatIf.suppose(s), b.On)
		if b.WhatIf.lets(p, &v) {
			do(&v)
		}
	}
}

// eachStretch calls do for every version that is known as of a record, with its dates; what if, as the basis says.
func (p *Picture) eachStretch(b *Basis, do func(stretch, *version)) {
	t, asOf := &p.versions, uint32(b.AsOf)
	if b.WhatIf.folds() {
		for _, pl := range p.pledges {
			if pl.first <= asOf {
				pl.stretches(asOf, 0, func(days stretch, s *standing) {
					if v := p.versionOf(pl, b.WhatIf.suppose(s), days.from); b.WhatIf.lets(p, &v) {
						do(days, &v)
					}
				})
			}
		}
		return
	}
	for i := range t.before(asOf) {
		if t.knownTo[i] > asOf {
			if v := &t.what[i]; b.WhatIf.lets(p, v) {
				do(stretch{t.from[i], t.until[i]}, v)
			}
		}
	}
}

// A sheet has the versions that hold on one date as of the last record, by the number of their pledge; a pledge that is not
// there has the rung 0. It is brought up to date when it is asked for, pledge by pledge.
type sheet struct {
	on   events.Date
	asOf uint32
	rows []version
}

// maxSheets is how many dates are kept ready.
const maxSheets = 4

// sheet returns the sheet of a date. It does not change until the next record is taken in.
func (t *versions) sheet(p *Picture, on events.Date) *sheet {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.pull(on)
	if s == nil {
		s = t.newSheet(p, on)
	}
	t.sheets = append([]*sheet{s}, t.sheets...)
	t.sheets = t.sheets[:min(len(t.sheets), maxSheets)]
	for ; s.asOf < uint32(len(t.touched)); s.asOf++ {
		if no := t.touched[s.asOf]; no > 0 {
			t.update(s, p.pledges[no-1])
		}
	}
	return s
}

// pull takes the sheet of a date out of those that are ready, nil when it is not among them.
func (t *versions) pull(on events.Date) *sheet {
	for i, s := range t.sheets {
		if s.on == on {
			t.sheets = append(append([]*sheet{}, t.sheets[:i]...), t.sheets[i+1:]...)
			return s
		}
	}
	return nil
}

func (t *versions) newSheet(p *Picture, on events.Date) *sheet {
	s := &sheet{on: on, asOf: uint32(len(t.touched)), rows: make([]version, len(p.pledges))}
	for i, knownTo := range t.knownTo {
		if knownTo == forever && t.from[i] <= on && on <= t.until[i] {
			s.rows[t.what[i].pledge] = t.what[i]
		}
	}
	return s
}

func (t *versions) update(s *sheet, pl *pledge) {
	for uint32(len(s.rows)) <= pl.no {
		s.rows = append(s.rows, version{})
	}
	s.rows[pl.no] = version{}
	for at := len(pl.open) - 1; at >= 0; at-- {
		if i := pl.open[at]; t.from[i] <= s.on && s.on <= t.until[i] {
			s.rows[pl.no] = t.what[i]
			return
		}
	}
}
