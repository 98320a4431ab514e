package projections

import (
	"slices"
	"sort"
	"sync/atomic"

	"muster/events"
)

// A version is what a pledge amounts to in a stretch of dates, as known between two records. It is
// all that sums need, in few bytes: what made it so is in the pledge's facts.
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
	// The quantities pledged and last reported, in whole units or hundredths of money; 0 for none.
	promised, present int64
	// How much may come on top of what is promised at the least; or where nothing is sure, how much
	// it is at the most.
	onTop                     int64
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
	isAtLeast               // what is promised is what is sure of it
	isOpenOnTop             // and nobody has said how much may come on top
)

// A share is what an allocation gets of a pledge: what was set against the line, as far as the
// pledge still has it.
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
	line      events.Line // that they name
	unit      events.Unit
}

// versions is the table of pledge versions. A row is known as of the records from knownFrom to the
// one before knownTo, and holds on the dates of its stretch. Rows are appended in the order of
// knownFrom, and change only in that they are closed. Of what is known of a pledge as of one
// record, no two rows hold on one date.
type versions struct {
	extents []extent  // apart from what, since most questions look at no more of most rows
	what    []version // by the same index
}

// An extent is where a version lies on both clocks.
type extent struct {
	knownFrom, knownTo uint32
	stretch
}

// isKnown reports whether the row is known as of a record: it was not closed by then.
func (e *extent) isKnown(asOf uint32) bool { return e.closedBy() > asOf }

// closedBy returns the record from which the row is not known any more, forever when there is none.
func (e *extent) closedBy() uint32 { return atomic.LoadUint32(&e.knownTo) }

// close ends the row with a record. Readers look at the row meanwhile: to them, whose last record
// comes before that one, it stays known.
func (e *extent) close(seq uint32) { atomic.StoreUint32(&e.knownTo, seq) }

func (t *versions) add(seq uint32, days stretch, v version) {
	t.extents, t.what = append(t.extents, extent{seq, forever, days}), append(t.what, v)
}

// before returns how many rows were known first as of a record or before.
func (t *versions) before(asOf uint32) int {
	return sort.Search(len(t.extents), func(i int) bool { return t.extents[i].knownFrom > asOf })
}

func (v *version) equal(other *version) bool {
	return v.amounts == other.amounts && slices.Equal(v.shares(), other.shares())
}

// versionOf makes the version of a standing on a date on which it counts.
func (p *Picture) versionOf(pl *pledge, s *standing, on events.Date) (v version) {
	v.pledge, v.nation, v.rung, v.flags = pl.no, uint16(pl.nationNo), s.rung, s.flags()
	v.promised, _ = s.pledged.sure()
	v.onTop = s.pledged.beyond()
	v.present, _ = s.strength.quantity.Number()
	v.promisedKind = s.kind
	if v.promisedKind == noKind {
		v.promisedKind = p.kindOf(kind{pl.operation, s.terms.role, s.terms.area, s.terms.line,
			s.pledged.unit})
	}
	v.presentKind = v.promisedKind
	if s.strength.unit != "" && s.strength.unit != s.pledged.unit {
		v.presentKind = p.kindOf(kind{pl.operation, s.terms.role, s.terms.area, s.terms.line,
			s.strength.unit})
	}
	if shares := s.shares(on); shares != nil {
		v.allocated = &shares
	}
	return v
}

// kindOf numbers a kind. It may be called concurrently.
func (p *Picture) kindOf(k kind) uint32 {
	return uint32(p.kinds.of(k))
}

// shares divides what the pledge has among its allocations on a date, the oldest first.
func (s *standing) shares(on events.Date) (shares []share) {
	promised, _ := s.pledged.sure()
	present, _ := s.strength.quantity.Number()
	for i := range s.allocations {
		a := &s.allocations[i]
		if !a.Includes(on) {
			continue
		}
		one := share{line: a.line, id: a.id, promised: min(a.number, promised),
			present: min(a.number, present), set: a.number}
		promised, present = promised-one.promised, present-one.present
		shares = append(shares, one)
	}
	return shares
}

func (s *standing) flags() (f flags) {
	_, known := s.pledged.sure()
	unknown := s.pledged.quantity.IsUnknown()
	_, open := s.pledged.onTop()
	for _, is := range []struct {
		flag flags
		so   bool
	}{
		{isReserve, s.inReserve()},
		{isFailed, holding(s.conditions, Failed)},
		{isConditional, holding(s.conditions, Hanging)},
		{isCaveated, holding(s.caveats, Hanging)},
		{isUnknown, unknown && !known},
		{isAtLeast, unknown && known},
		{isOpenOnTop, open},
		{isObserved, s.pledged.quantity.IsZero()},
		{isElsewhere, s.terms.further != nil && len(s.terms.further.elsewhere) > 0},
		{isUnknownStrength, s.strength.quantity.IsUnknown()},
	} {
		if is.so {
			f |= is.flag
		}
	}
	return f
}

// reported reports whether at a rung the version counts for what is there, and not for what was
// pledged.
func (v *version) reported(at Rung) bool {
	return at == Deployed && v.rung == Deployed || v.flags&isObserved != 0
}

// counting returns the rungs at which the version is to be counted once: as what was pledged, at
// its rung or, where it is deployed, at the one below; and as what is in place, where it is
// deployed.
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

// amount returns what the version counts for at a rung, and its kind; known is false when nobody
// has said how much that is.
func (v *version) amount(at Rung) (n int64, kind uint32, known bool) {
	if v.reported(at) {
		return v.present, v.presentKind, v.flags&isUnknownStrength == 0
	}
	return v.promised, v.promisedKind, v.flags&isUnknown == 0
}

// tops returns how much may come on top of what the version counts for at a rung, and of how many
// pledges, where it is one or the sum of so many, nobody has said how much.
func (v *version) tops(at Rung, pledges int) (n int64, open int) {
	switch {
	case v.flags&isAtLeast == 0 || v.reported(at):
		return 0, 0
	case v.flags&isOpenOnTop != 0:
		return 0, pledges
	}
	return v.onTop, 0
}

// each calls do for the version of every pledge that is there at a moment, in no order that
// matters.
func (p *Picture) each(b *Basis, do func(*version)) {
	switch {
	case p.supposed != nil:
		p.supposed.each(b, do)
	case b.WhatIf.folds():
		p.eachFolded(b, do)
	case b.AsOf != p.Sequence() || !p.eachOfDate(b, do):
		p.eachKnown(b, do)
	}
}

// eachOfDate is each from the index of the date, as of the last record; false when the index is
// ahead.
func (p *Picture) eachOfDate(b *Basis, do func(*version)) bool {
	return p.dates.of(b.On).look(p, false, func(s *dateIndex) {
		all := b.WhatIf == nil
		for i := range s.rows {
			if !p.meter.spend(1) {
				return
			}
			if v := &s.rows[i]; v.rung != 0 && (all || b.WhatIf.lets(p, v)) {
				do(v)
			}
		}
	})
}

// eachSum is each for who only adds up: versions that differ in nothing else come as one, with how
// many pledges it is of.
func (p *Picture) eachSum(b *Basis, do func(v *version, pledges int)) {
	isIndexed := p.supposed == nil && !b.WhatIf.folds() && b.AsOf == p.Sequence()
	if isIndexed && p.dates.of(b.On).look(p, true, func(s *dateIndex) {
		s.rollup.each(s.rows, func(v *version, pledges int) {
			if p.meter.spend(1) && b.WhatIf.lets(p, v) {
				do(v, pledges)
			}
		})
	}) {
		return
	}
	p.each(b, func(v *version) { do(v, 1) })
}

// eachKnown scans the table.
func (p *Picture) eachKnown(b *Basis, do func(*version)) {
	t, asOf, on := &p.versions, uint32(b.AsOf), b.On
	extents := t.extents[:t.before(asOf)]
	for i := range extents {
		if !p.meter.spend(1) {
			return
		}
		if e := &extents[i]; e.isKnown(asOf) && e.from <= on && on <= e.until {
			if v := &t.what[i]; b.WhatIf.lets(p, v) {
				do(v)
			}
		}
	}
}

// eachFolded folds every pledge again: it is how a question is answered that the table has no rows
// for.
func (p *Picture) eachFolded(b *Basis, do func(*version)) { p.fold(b, p.pledges, do) }

// foldCost is how many rows are spent to fold a pledge again, which takes as long as to look at
// them.
const foldCost = 16

// fold folds some pledges again.
func (p *Picture) fold(b *Basis, pledges []*pledge, do func(*version)) {
	var room standing
	for _, pl := range pledges {
		if !p.meter.spend(foldCost) {
			return
		}
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

// eachStretch calls do for every version that is known as of a record, with its dates; what if, as
// the basis says.
func (p *Picture) eachStretch(b *Basis, do func(stretch, *version)) {
	t, asOf := &p.versions, uint32(b.AsOf)
	if b.WhatIf.folds() {
		p.eachStretchFolded(b, do)
		return
	}
	extents := t.extents[:t.before(asOf)]
	for i := range extents {
		if !p.meter.spend(1) {
			return
		}
		if e := &extents[i]; e.isKnown(asOf) {
			if v := &t.what[i]; b.WhatIf.lets(p, v) {
				do(e.stretch, v)
			}
		}
	}
}

func (p *Picture) eachStretchFolded(b *Basis, do func(stretch, *version)) {
	var room standing
	for _, pl := range p.pledges {
		if uint64(pl.first) > b.AsOf || !p.meter.spend(foldCost) {
			return // as are all that began later
		}
		pl.now().stretches(&room, uint32(b.AsOf), 0, func(days stretch, s *standing) {
			if v := p.versionOf(pl, b.WhatIf.suppose(s), days.from); b.WhatIf.lets(p, &v) {
				do(days, &v)
			}
		})
	}
}
