package projections

import (
	"slices"
	"unsafe"

	"muster/events"
)

// A tally puts pledges beside lines.
type tally struct {
	p         *Picture
	basis     Basis
	brief     bool        // do not keep what does not count
	day       events.Date // of a range, from which on the version that is placed is there
	lines     []lineTally
	of        map[*line]int // their indexes
	matches   []kindMatch   // by the number of the kind
	uncounted []uncounted   // what does not count
}

type lineTally struct {
	Requirement
	brief                 bool                // do not keep what counts
	exact                 [Deployed + 1]int64 // by the rung that pledges are on, for [supplies]
	conditional, caveated int64
	unknown               int
	onTop                 int64           // what may come on top of what counts
	onTopOpen             int             // pledges of which nobody has said how much that may be
	unknownBy             map[uint16]bool // nations, by number
	waiting               waiting
	nations               []int64 // parts of the supply, by the nation's number
	counted               []counted
}

// counted is a pledge, or what was allocated of it, in a line's supply.
type counted struct {
	pledge     uint32
	number     int64
	by         CountedBy
	allocation events.ID
}

// A kindMatch is where pledges of a kind belong, and what of them waits for an allocation.
type kindMatch struct {
	match
	wanted bool // by the question's filter
	waiting
}

// waiting is how much waits, and how many of which nobody has said how much that is.
type waiting struct {
	number  int64
	unknown int
}

func (w *waiting) add(more waiting) {
	w.number, w.unknown = add(w.number, more.number), w.unknown+more.unknown
}

func (p *Picture) newTally(chosen []*operation, b Basis, f CoverageFilter) *tally {
	t := &tally{p: p, basis: b, brief: f.Brief, of: map[*line]int{},
		matches: make([]kindMatch, len(p.kinds.names))}
	lines := newMatcher()
	for _, o := range chosen {
		for _, q := range o.inForce(b, f.Role) {
			t.of[o.now().lines[q.Line].same()] = len(t.lines)
			lines.add(&q)
			t.lines = append(t.lines, lineTally{Requirement: q, brief: f.Brief,
				nations: make([]int64, len(p.nations.names))})
		}
	}
	each := int(unsafe.Sizeof(lineTally{})) + 8*len(p.nations.names)
	p.meter.keep(len(t.lines)*each + len(t.matches)*int(unsafe.Sizeof(kindMatch{})))
	p.meter.spend(len(t.lines) + len(t.matches))
	for i := range p.kinds.names {
		k := &p.kinds.names[i]
		t.matches[i].only = -1
		if (f.Operation == "" || f.Operation == k.operation.name) &&
			(f.Role == "" || f.Role == k.role) {
			t.matches[i] = kindMatch{match: lines.match(k), wanted: true}
		}
	}
	return t
}

// place counts the version of a pledge for its line, or notes why it counts for none. A version
// that is a sum is that of so many pledges.
func (t *tally) place(v *version, pledges int) {
	n, kind, known := v.amount(t.basis.Rung)
	at := &t.matches[kind]
	if !at.wanted {
		return
	}
	if v.allocated != nil {
		t.placeShares(v)
		return
	}
	t.addRungs(v)
	if reason := t.reason(v, at, known); reason != "" {
		t.leave(v, reason, n, nil, pledges)
		return
	}
	t.count(v, at.only, counted{pledge: v.pledge, number: n, by: at.by})
	more, open := v.tops(t.basis.Rung, pledges)
	l := &t.lines[at.only]
	l.onTop, l.onTopOpen = add(l.onTop, more), l.onTopOpen+open
}

// addRungs adds what the version is at its rung to its line's supply, where it fits one and nothing
// is in its way.
func (t *tally) addRungs(v *version) {
	if v.flags&(isReserve|isFailed) != 0 {
		return
	}
	for _, r := range v.counting() {
		n, kind, known := v.amount(r)
		if only := t.matches[kind].only; known && only >= 0 {
			l := &t.lines[only]
			l.exact[r] = add(l.exact[r], n)
		}
	}
}

// placeShares counts what was allocated. What was not is told beside.
func (t *tally) placeShares(v *version) {
	rest, _, known := v.amount(t.basis.Rung)
	shares := v.shares()
	for i := range shares {
		t.addShare(v, &shares[i])
	}
	if stopped := t.stops(v); stopped != "" {
		t.leave(v, stopped, rest, nil, 1)
		return
	}
	for i := range shares {
		s := &shares[i]
		n := s.at(v, t.basis.Rung)
		rest -= n
		if at, inForce := t.of[s.line.same()]; !inForce {
			t.leave(v, LineNotInForce, n, s, 1)
		} else if n > 0 {
			t.count(v, at, counted{pledge: v.pledge, number: n, by: ByAllocation, allocation: s.id})
		}
	}
	switch {
	case !known:
		t.leave(v, UnknownQuantity, 0, nil, 1)
	case rest > 0:
		t.leave(v, NotAllocated, rest, nil, 1)
	}
}

// addShare adds what the share is at each rung to its line's supply, where the line is in force and
// nothing is in the way.
func (t *tally) addShare(v *version, s *share) {
	at, inForce := t.of[s.line.same()]
	if !inForce || v.flags&(isReserve|isFailed) != 0 {
		return
	}
	l := &t.lines[at]
	for _, r := range v.counting() {
		l.exact[r] = add(l.exact[r], s.at(v, r))
	}
}

// at returns what the share is at a rung of its version.
func (s *share) at(v *version, r Rung) int64 {
	if v.reported(r) {
		return s.present
	}
	return s.promised
}

func (t *tally) count(v *version, at int, c counted) {
	l := &t.lines[at]
	l.nations[v.nation] = add(l.nations[v.nation], c.number)
	if v.flags&isConditional != 0 {
		l.conditional = add(l.conditional, c.number)
	}
	if v.flags&isCaveated != 0 {
		l.caveated = add(l.caveated, c.number)
	}
	if !l.brief {
		l.counted = append(l.counted, c)
	}
}

// answer tells what each line has, when everything is placed.
func (t *tally) answer() []LineCoverage {
	t.spread()
	lines := make([]LineCoverage, len(t.lines))
	for i := range t.lines {
		lines[i] = t.lines[i].answer(t)
	}
	return lines
}

// spread puts what waits of each kind on the lines at which it does: once for each kind, of which
// there are few, and not for each pledge.
func (t *tally) spread() {
	for i := range t.matches {
		at := &t.matches[i]
		if at.waiting == (waiting{}) {
			continue
		}
		for _, fits := range at.fits {
			t.lines[fits].waiting.add(at.waiting)
		}
	}
}

// supplies sums what is there on each rung or above. What is deployed counts there for what is in
// place, and below for what was pledged, so that both are told apart in exact: see
// [version.counting].
func supplies(exact [Deployed + 1]int64) (supply [Deployed + 1]int64) {
	supply[Deployed] = exact[Deployed]
	sum := int64(0)
	for r := Confirmed; r >= Indicated; r-- {
		sum = add(sum, exact[r])
		supply[r] = sum
	}
	return supply
}

func (l *lineTally) answer(t *tally) LineCoverage {
	supply := supplies(l.exact)
	c := LineCoverage{
		Requirement: l.Requirement,
		Conditional: l.Unit.Of(l.conditional), Caveated: l.Unit.Of(l.caveated), Unknown: l.unknown,
		UnknownBy: l.unknownNations(t.p.nations.names), Waiting: l.Unit.Of(l.waiting.number),
		WaitingUnknown: l.waiting.unknown, OnTopOpen: l.onTopOpen,
		Who: l.shares(t.p.nations.names, supply[t.basis.Rung]),
	}
	if l.onTop > 0 {
		c.OnTop = l.Unit.Of(l.onTop)
	}
	rungs := Rungs()
	c.Rungs = make([]RungCoverage, len(rungs))
	required, _ := l.Required.Number()
	for i, r := range rungs {
		at := RungCoverage{Rung: r, Supply: l.Unit.Of(supply[r]),
			Gap: l.Unit.Of(max(0, required-supply[r])), Fill: percent(supply[r], required)}
		c.Rungs[i] = at
		if r == t.basis.Rung {
			c.Supply, c.Gap, c.Fill = at.Supply, at.Gap, at.Fill
		}
	}
	c.Dependence = dependence(c.Who, c.UnknownBy)
	if !l.brief {
		c.Counted = t.showCounted(l)
	}
	return c
}

// showCounted tells the pledges in a line's supply, by ID.
func (t *tally) showCounted(l *lineTally) []Counted {
	if !t.p.meter.hold(len(l.counted), countedRow) {
		return nil
	}
	all := make([]Counted, len(l.counted)) // not nil, which would be told as left out
	var room standing
	for i, c := range l.counted {
		pl := t.p.pledges[c.pledge]
		s := t.standing(pl, &room)
		_, reported := s.amount(t.basis.Rung)
		all[i] = Counted{Pledge: pl.id, Nation: pl.nation, Quantity: l.Unit.Of(c.number),
			Rung: s.rung, By: c.by, Allocation: c.allocation,
			Conditions: s.conditionsIn(Hanging), Caveats: s.caveatsHeld(),
			Sequences: s.sequencesWith(c.allocation, reported)}
	}
	slices.SortStableFunc(all, func(a, b Counted) int { return compareIDs(a.Pledge, b.Pledge) })
	return all
}

// standing returns where a pledge stands at the tally's moment, in what is supposed.
func (t *tally) standing(pl *pledge, room *standing) *standing {
	return t.basis.WhatIf.suppose(pl.at(&t.basis, room))
}

// sequencesWith returns the records that make what the pledge counts for, through an allocation
// when there is one.
func (s *standing) sequencesWith(allocation events.ID, reported bool) []uint64 {
	all := s.appendSequences(nil, reported)
	for i := range s.allocations {
		if s.allocations[i].id == allocation {
			all = s.allocations[i].by.appendTo(all)
		}
	}
	slices.Sort(all)
	return all
}

// unknownNations returns the nations of which pledges of unknown quantity would be supply of the
// line.
func (l *lineTally) unknownNations(names []events.Nation) (all []events.Nation) {
	for number := range l.unknownBy {
		all = append(all, names[number])
	}
	slices.Sort(all)
	return all
}

// stops says what keeps a version from counting whichever line it fits, "" when nothing does.
func (t *tally) stops(v *version) Reason {
	switch {
	case v.flags&isReserve != 0:
		return InReserve
	case v.flags&isFailed != 0:
		return ConditionFailed
	case v.rung < t.basis.Rung:
		return BelowRung
	}
	return ""
}

// reason says why a version without allocations does not count, "" when it does.
func (t *tally) reason(v *version, at *kindMatch, known bool) Reason {
	switch stopped := t.stops(v); {
	case stopped != "":
		return stopped
	case !known:
		return UnknownQuantity
	case at.only >= 0:
		return ""
	case len(at.fits) > 1:
		return SeveralLines
	case len(at.near) > 0:
		return OtherUnit
	}
	return NoLine
}

// leave notes how much of a version does not count, and why; and as what it was allocated, where it
// was.
func (t *tally) leave(v *version, why Reason, n int64, s *share, pledges int) {
	_, kind, known := v.amount(t.basis.Rung)
	at := &t.matches[kind]
	if why == UnknownQuantity && at.only >= 0 {
		l := &t.lines[at.only]
		l.unknown += pledges
		if l.unknownBy == nil {
			l.unknownBy = map[uint16]bool{}
		}
		l.unknownBy[v.nation] = true
	}
	at.waiting.add(at.waits(why, n, pledges))
	if !t.brief {
		t.uncounted = append(t.uncounted, uncounted{v.pledge, t.day, kind, n, known, s, why})
	}
}

// waits returns what waits for an allocation of so many pledges of a kind, where so much of them
// does not count for a reason.
func (at *kindMatch) waits(why Reason, n int64, pledges int) waiting {
	switch {
	case why == UnknownQuantity && at.only < 0:
		return waiting{unknown: pledges}
	case why == SeveralLines || why == NotAllocated:
		return waiting{number: n}
	}
	return waiting{}
}
