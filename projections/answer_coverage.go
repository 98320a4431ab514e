package projections

import (
	"cmp"
	"context"
	"math"
	"slices"
	"unsafe"

	"muster/events"
)

// A CoverageFilter narrows coverage to an operation, a role, or both. Neither changes a line's numbers.
type CoverageFilter struct {
	Operation events.Operation
	Role      events.Role
	// Brief leaves out the pledges: those counted and those not counted. A table of lines is much shorter than that list.
	Brief bool
	// Beside sets the Baseline of each line, where the question supposes something or asks from another rung than Offered.
	Beside bool
	// Differences leaves out the lines that are as in their Baseline.
	Differences bool
}

// A Coverage says how far the requirements are met at a moment.
type Coverage struct {
	Basis
	// Lines are the requirements in force, by operation, priority and name.
	Lines []LineCoverage `json:"lines"`
	// InForce is how many requirements are in force, and Met how many of them are met, also where Lines are only those that
	// differ. Next is the first later day on which one is in force, where none is.
	InForce int         `json:"in_force"`
	Met     int         `json:"met"`
	Next    events.Date `json:"next,omitzero"`
	// NotCounted are the pledges, and parts of pledges, that are there on the date and are supply of no line, by operation
	// and ID; left out of a brief answer. Of a range, they are those of any of its days, each once for each reason.
	NotCounted []NotCounted `json:"not_counted,omitzero"`
}

// A LineCoverage is how far one line is met. Its numbers are in the line's unit, and are sums of known quantities only.
type LineCoverage struct {
	Requirement
	Supply events.Quantity `json:"supply"`
	// Gap is what is missing, 0 when nothing is.
	Gap events.Quantity `json:"gap"`
	// Fill is the supply in percent of what is required, rounded down; it may be over 100.
	Fill int `json:"fill"`
	// Rungs is the same from each rung up, from the lowest rung.
	Rungs []RungCoverage `json:"rungs"`
	// Conditional is the part of the supply that hangs on an open condition, and Caveated the part whose use is restricted.
	Conditional events.Quantity `json:"conditional"`
	Caveated    events.Quantity `json:"caveated"`
	// Unknown is how many pledges would be supply of this line, and have not said of how much.
	Unknown int `json:"unknown,omitzero"`
	// UnknownBy are the nations whose pledges these are, by code.
	UnknownBy []events.Nation `json:"unknown_by,omitempty"`
	// Waiting is how much fits this line and counts for none until it is allocated: pledges that may be meant for several lines, which
	// wait at each of them, and what is not allocated of a pledge of which some is. WaitingUnknown is how many of such pledges have not
	// said of how much.
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
	// Who are the nations that make the supply, the largest first.
	Who []Share `json:"who"`
	// Dependence is set when one nation holds at least half.
	Dependence *Dependence `json:"dependence,omitzero"`
	// Baseline is the line in the world as it is, from the rung offered up; absent where nothing else was asked.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Counted are the pledges that make the supply, by ID; left out of a brief answer.
	Counted []Counted `json:"counted,omitzero"`
}

// A RungCoverage is how far a line is met by the pledges that are on a rung or above.
type RungCoverage struct {
	Rung   Rung            `json:"rung"`
	Day    events.Date     `json:"day,omitzero"` // of a Baseline of a range
	Supply events.Quantity `json:"supply"`
	Gap    events.Quantity `json:"gap"`
	Fill   int             `json:"fill"`
}

// A Baseline is what a line is in the world as it is, from the rung offered up: see [LineCoverage] for its numbers.
type Baseline struct {
	RungCoverage
	Conditional    events.Quantity `json:"conditional"`
	Caveated       events.Quantity `json:"caveated"`
	Unknown        int             `json:"unknown,omitzero"`
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
}

// baseline returns the line as what it is compared with.
func (l *LineCoverage) baseline() *Baseline {
	return &Baseline{RungCoverage{Offered, l.Day, l.Supply, l.Gap, l.Fill}, l.Conditional, l.Caveated, l.Unknown, l.Waiting,
		l.WaitingUnknown}
}

// differs reports whether a number of the line is another one than in its Baseline.
func (l *LineCoverage) differs() bool {
	own := *l.baseline()
	own.Day, own.Fill = l.Baseline.Day, l.Baseline.Fill // of a range, the same is met least on another day
	return own != *l.Baseline
}

// A Share is one nation's part of a supply.
type Share struct {
	Nation   events.Nation   `json:"nation"`
	Quantity events.Quantity `json:"quantity"`
	Percent  int             `json:"percent"` // rounded down
}

// A DependenceLevel says how much of a line hangs on one nation.
type DependenceLevel string

// The levels of dependence.
const (
	Alone      DependenceLevel = "alone" // nobody else holds any of it, known or unknown
	FourFifths DependenceLevel = "80"    // at least 80 percent of what is known
	Half       DependenceLevel = "50"    // at least 50 percent of what is known
)

// A Dependence names the nation that a line hangs on.
type Dependence struct {
	Nation  events.Nation   `json:"nation"`
	Percent int             `json:"percent"` // of what is known, rounded down
	Level   DependenceLevel `json:"level"`
	// UnknownBy are the others that hold some of it too, and have not said how much: the nation may hold less of the whole.
	UnknownBy []events.Nation `json:"unknown_by,omitempty"`
}

// A Counted is one pledge in a line's supply.
type Counted struct {
	Pledge   events.ID       `json:"pledge"`
	Nation   events.Nation   `json:"nation"`
	Quantity events.Quantity `json:"quantity"`
	Rung     Rung            `json:"rung"`
	// By says why it counts for this line, and Allocation what sets it against it, where something does.
	By         CountedBy `json:"by"`
	Allocation events.ID `json:"allocation,omitzero"`
	// Conditions are those it still hangs on, and Caveats those that restrict it.
	Conditions []events.Line `json:"conditions,omitzero"`
	Caveats    []events.Line `json:"caveats,omitzero"`
	// Sequences are the records that make the number.
	Sequences []uint64 `json:"sequences"`
}

// Coverage answers which requirements are met on a date, and how far. Supply of a line is what is allocated to it, and the
// pledges without any allocation that count for it, by the rule of the package comment. A pledge is there when it has begun and not ended and its window
// includes the date; it counts from the rung asked. What is there and does not count is told beside, each with its reason, and
// never mixed in. Of a range, it answers for the lines that are in force on any of its days, each on the day on which it is met least.
func (p *Picture) Coverage(ctx context.Context, m Moment, f CoverageFilter) (Coverage, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Coverage{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Coverage{}, err
	}
	answer, err := p.coverages.coverage(b, f, func() (Coverage, error) {
		return p.cover(b, chosen, f), p.meter.err()
	})
	if err == nil { // an answer that was ready is no answer for who has gone
		err = p.meter.err()
	}
	answer.count()
	if answer.InForce == 0 {
		answer.Next = nextInForce(&b, chosen, f.Role)
	}
	if err == nil && (f.Beside || f.Differences) && (b.WhatIf != nil || b.Rung != Offered) {
		err = p.setBaselines(ctx, &answer, f)
	}
	return answer, err
}

// count counts the lines in force, and those of them that are met.
func (c *Coverage) count() {
	c.InForce, c.Met = len(c.Lines), 0
	for i := range c.Lines {
		if missing, _ := c.Lines[i].Gap.Number(); missing == 0 {
			c.Met++
		}
	}
}

func (p *Picture) cover(b Basis, chosen []*operation, f CoverageFilter) Coverage {
	answer := Coverage{Basis: b}
	if b.IsRange() {
		p.coverRange(&answer, chosen, f)
		return answer
	}
	t := p.newTally(chosen, b, f)
	if f.Brief {
		p.eachSum(&b, t.placeSum)
		answer.Lines = t.answer()
		return answer
	}
	p.each(&b, t.place)
	answer.Lines, answer.NotCounted = t.answer(), t.notCounted()
	return answer
}

// setBaselines puts beside each line what it is in the world as it is.
func (p *Picture) setBaselines(ctx context.Context, c *Coverage, f CoverageFilter) error {
	m := c.Moment()
	m.Rung, m.WhatIf = Offered, nil
	base, err := p.Coverage(ctx, m, CoverageFilter{Operation: f.Operation, Role: f.Role, Brief: true})
	if err != nil {
		return err
	}
	kept := c.Lines[:0]
	for i, l := range c.Lines { // the lines in force are the same in any world
		b := base.Lines[i]
		if b.Line != l.Line || b.Operation != l.Operation { // but of a range, each may be of another day, and have another priority there
			b = base.Lines[slices.IndexFunc(base.Lines, func(o LineCoverage) bool { return o.Line == l.Line && o.Operation == l.Operation })]
		}
		l.Baseline = b.baseline()
		if !f.Differences || l.differs() {
			kept = append(kept, l)
		}
	}
	c.Lines = kept
	return nil
}

// A tally puts pledges beside lines.
type tally struct {
	p         *Picture
	basis     Basis
	brief     bool        // do not keep what does not count
	day       events.Date // of a range, from which on the version that is placed is there
	times     int         // of how many pledges the version that is placed is the sum
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
	t := &tally{p: p, basis: b, brief: f.Brief, times: 1, of: map[*line]int{}, matches: make([]kindMatch, len(p.kinds.names))}
	lines := newMatcher()
	for _, o := range chosen {
		for _, q := range o.inForce(b, f.Role) {
			t.of[o.now().lines[q.Line].same()] = len(t.lines)
			lines.add(&q)
			t.lines = append(t.lines, lineTally{Requirement: q, brief: f.Brief, nations: make([]int64, len(p.nations.names))})
		}
	}
	each := int(unsafe.Sizeof(lineTally{})) + 8*len(p.nations.names)
	p.meter.keep(len(t.lines)*each + len(t.matches)*int(unsafe.Sizeof(kindMatch{})))
	p.meter.spend(len(t.lines) + len(t.matches))
	for i := range p.kinds.names {
		k := &p.kinds.names[i]
		t.matches[i].only = -1
		if (f.Operation == "" || f.Operation == k.operation.name) && (f.Role == "" || f.Role == k.role) {
			t.matches[i] = kindMatch{match: lines.match(k), wanted: true}
		}
	}
	return t
}

// placeSum is place for versions that are added up.
func (t *tally) placeSum(v *version, pledges int) {
	t.times = pledges
	t.place(v)
}

// place counts a version for its line, or says why not.
func (t *tally) place(v *version) {
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
		t.leave(v, reason, n, nil)
		return
	}
	t.count(v, at.only, counted{pledge: v.pledge, number: n, by: at.by})
}

// addRungs adds what the version is at its rung to its line's supply, where it fits one and nothing is in its way.
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
		t.leave(v, stopped, rest, nil)
		return
	}
	for i := range shares {
		s := &shares[i]
		n := s.at(v, t.basis.Rung)
		rest -= n
		if at, inForce := t.of[s.line.same()]; !inForce {
			t.leave(v, LineNotInForce, n, s)
		} else if n > 0 {
			t.count(v, at, counted{pledge: v.pledge, number: n, by: ByAllocation, allocation: s.id})
		}
	}
	switch {
	case !known:
		t.leave(v, UnknownQuantity, 0, nil)
	case rest > 0:
		t.leave(v, NotAllocated, rest, nil)
	}
}

// addShare adds what the share is at each rung to its line's supply, where the line is in force and nothing is in the way.
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

// spread puts what waits of each kind on the lines at which it does, when everything is placed.
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

func (t *tally) answer() []LineCoverage {
	t.spread()
	lines := make([]LineCoverage, len(t.lines))
	for i := range t.lines {
		lines[i] = t.lines[i].answer(t)
	}
	return lines
}

// supplies sums what is there on each rung or above. What is deployed counts there for what is in place, and below for what was
// pledged, so that both are told apart in exact: see [version.counting].
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
	now := l.rung(t.basis.Rung, supply)
	c := LineCoverage{
		Requirement: l.Requirement, Supply: now.Supply, Gap: now.Gap, Fill: now.Fill,
		Conditional: l.Unit.Of(l.conditional), Caveated: l.Unit.Of(l.caveated), Unknown: l.unknown,
		UnknownBy: l.unknownNations(t.p.nations.names), Waiting: l.Unit.Of(l.waiting.number), WaitingUnknown: l.waiting.unknown,
		Who: l.shares(t.p.nations.names, supply[t.basis.Rung]),
	}
	rungs := Rungs()
	c.Rungs = make([]RungCoverage, len(rungs))
	for i, r := range rungs {
		c.Rungs[i] = l.rung(r, supply)
	}
	c.Dependence = dependence(c.Who, c.UnknownBy)
	if !l.brief {
		c.Counted = t.showCounted(l)
	}
	return c
}

func (l *lineTally) rung(r Rung, supply [Deployed + 1]int64) RungCoverage {
	required, _ := l.Required.Number()
	return RungCoverage{r, 0, l.Unit.Of(supply[r]), l.Unit.Of(max(0, required-supply[r])), percent(supply[r], required)}
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
		all[i] = Counted{Pledge: pl.id, Nation: pl.nation, Quantity: l.Unit.Of(c.number), Rung: s.rung, By: c.by, Allocation: c.allocation,
			Conditions: s.conditionsIn(Hanging), Caveats: s.caveatsHeld(), Sequences: s.sequencesWith(c.allocation, reported)}
	}
	slices.SortStableFunc(all, func(a, b Counted) int { return compareIDs(a.Pledge, b.Pledge) })
	return all
}

// standing returns where a pledge stands at the tally's moment, in what is supposed.
func (t *tally) standing(pl *pledge, room *standing) *standing {
	return t.basis.WhatIf.suppose(pl.at(&t.basis, room))
}

// sequencesWith returns the records that make what the pledge counts for, through an allocation when there is one.
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

// unknownNations returns the nations of which pledges of unknown quantity would be supply of the line.
func (l *lineTally) unknownNations(names []events.Nation) (all []events.Nation) {
	for number := range l.unknownBy {
		all = append(all, names[number])
	}
	slices.Sort(all)
	return all
}

func (l *lineTally) shares(nations []events.Nation, supply int64) []Share {
	parts := make([]portion, 0, len(l.nations))
	for number, n := range l.nations {
		if n > 0 {
			parts = append(parts, portion{n, nations[number]})
		}
	}
	return sharesOf(parts, l.Unit, supply)
}

// A portion is what a nation has of a whole.
type portion struct {
	n      int64
	nation events.Nation
}

// sharesOf tells portions as shares, the largest first. It sorts the portions, since shares are large.
func sharesOf(parts []portion, unit events.Unit, whole int64) []Share {
	slices.SortFunc(parts, func(a, b portion) int {
		if a.n != b.n {
			return cmp.Compare(b.n, a.n)
		}
		return cmp.Compare(a.nation, b.nation)
	})
	shares := make([]Share, len(parts))
	for i, p := range parts {
		shares[i] = Share{p.nation, unit.Of(p.n), percent(p.n, whole)}
	}
	return shares
}

// dependence says whether a supply hangs on the nation with the largest share, where some nations have not said how much they
// hold. One that has a part of which nobody knows how much is alone where nobody else has any.
func dependence(who []Share, unknown []events.Nation) *Dependence {
	d := &Dependence{}
	switch {
	case len(who) > 0:
		d.Nation, d.Percent = who[0].Nation, who[0].Percent
	case len(unknown) == 1:
		d.Nation, d.Percent = unknown[0], 100
	default:
		return nil
	}
	for _, n := range unknown {
		if n != d.Nation {
			d.UnknownBy = append(d.UnknownBy, n)
		}
	}
	switch {
	case len(who) <= 1 && len(d.UnknownBy) == 0:
		d.Level = Alone
	case d.Percent >= 80:
		d.Level = FourFifths
	case d.Percent >= 50:
		d.Level = Half
	default:
		return nil
	}
	return d
}

// add adds numbers of one unit. It stops at the largest number instead of turning negative: no real sum comes near it.
func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// percent returns part in percent of whole, rounded down, so that 100 says that nothing is missing.
func percent(part, whole int64) int {
	switch {
	case whole <= 0:
		return 0
	case part <= math.MaxInt64/100:
		return int(part * 100 / whole)
	}
	return int(math.Floor(float64(part) / float64(whole) * 100))
}
