package projections

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A Diff is what two moments differ in: in the coverage, in what each pledge counts for, and in the
// sums; each with the records that made it so, or the day that did when no record has.
type Diff struct {
	From Basis `json:"from"`
	To   Basis `json:"to"`
	// Lines are the requirements whose coverage differs, by operation, priority and name.
	Lines []LineDiff `json:"lines"`
	// Pledges are those that count otherwise, by operation, nation and ID: the first that were
	// offered, [MaxCompared] at most. PledgesMore is how many more there are. What is said of them
	// is not among the causes, and all numbers are of all pledges.
	Pledges     []PledgeDiff `json:"pledges"`
	PledgesMore int          `json:"pledges_more,omitzero"`
	// Strength are the sums by operation, nation and role that differ, whether a requirement asks
	// for them or not.
	Strength []StrengthDiff `json:"strength"`
}

// IsZero reports whether nothing differs.
func (d *Diff) IsZero() bool {
	return len(d.Lines) == 0 && len(d.Pledges) == 0 && len(d.Strength) == 0
}

// A LineDiff is a requirement that is met otherwise.
type LineDiff struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	// From and To are the requirement at both moments; absent where it is not in force.
	From *LineStand `json:"from,omitempty"`
	To   *LineStand `json:"to,omitempty"`
	// Nations are those whose part of the supply differs.
	Nations []NationDiff `json:"nations"`
	// Records are those that changed the requirement itself, and Calendar the days that did. What
	// changed the supply is with the pledges: Pledges are those of [Diff.Pledges] that count for
	// it, or fit it.
	Records  []Told      `json:"records"`
	Calendar []Passing   `json:"calendar"`
	Pledges  []events.ID `json:"pledges"`
	// PledgesMore is how many of [Diff.PledgesMore] count for it or fit it.
	PledgesMore int `json:"pledges_more,omitzero"`
	// Causes are what has caused each of its numbers that differ to do so.
	Causes []Cause `json:"causes"`
}

// A LineStand is how far a requirement is met at one moment, and what it asks for.
type LineStand struct {
	Role        events.Role     `json:"role"`
	Area        events.Area     `json:"area,omitzero"`
	Unit        events.Unit     `json:"unit"`
	Priority    int             `json:"priority"`
	Essential   bool            `json:"essential,omitzero"`
	Required    events.Quantity `json:"required"`
	Supply      events.Quantity `json:"supply"`
	Gap         events.Quantity `json:"gap"`
	Conditional events.Quantity `json:"conditional"`
	Caveated    events.Quantity `json:"caveated"`
	// Unknown is how many pledges would be supply of it, and have not said of how much.
	Unknown int `json:"unknown,omitzero"`
	// Waiting is how much fits it and waits for an allocation, and WaitingUnknown how many pledges
	// do that have not said of how much.
	Waiting        events.Quantity `json:"waiting"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
	// Rungs is the supply from each rung up, from the lowest rung.
	Rungs [5]events.Quantity `json:"rungs"`
}

// A NationDiff is a nation's part of a supply at both moments, in the requirement's unit: absent
// where it has none, unknown where it has not said of how much.
type NationDiff struct {
	Nation events.Nation   `json:"nation"`
	From   events.Quantity `json:"from,omitzero"`
	To     events.Quantity `json:"to,omitzero"`
}

// A PledgeDiff is a pledge that counts otherwise.
type PledgeDiff struct {
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	// Organisation is the name of the organisation whose pledge it is; "" where it is a nation's.
	Organisation string `json:"organisation,omitzero"`
	// From and To are the pledge at both moments; absent where it is not known yet.
	From *PledgeStand `json:"from,omitempty"`
	To   *PledgeStand `json:"to,omitempty"`
	// Records are those that made the difference, in order, and Calendar the days that did. Both
	// are empty where only what the moments suppose, or their rungs, differ.
	Records  []Told    `json:"records"`
	Calendar []Passing `json:"calendar"`
}

// A PledgeStand is where a pledge stands at one moment, and what it counts for.
type PledgeStand struct {
	State State       `json:"state"`
	Rung  Rung        `json:"rung"`
	Role  events.Role `json:"role"`
	Area  events.Area `json:"area,omitzero"`
	// That it names as the one that it is meant for.
	Line     events.Line     `json:"line,omitzero"`
	Quantity events.Quantity `json:"quantity,omitzero"` // pledged; absent when it was only observed
	Strength events.Quantity `json:"strength,omitzero"` // last reported; absent when nothing was
	Unit     events.Unit     `json:"unit"`
	// Least and Most are what is known of a quantity that is unknown.
	Least events.Quantity `json:"least,omitzero"`
	Most  events.Quantity `json:"most,omitzero"`
	// Conditions are those it still hangs on, and Caveats those that restrict it.
	Conditions []events.Line `json:"conditions,omitempty"`
	Caveats    []events.Line `json:"caveats,omitempty"`
	Places     []Place       `json:"places"`
}

// Amount returns how much was pledged.
func (s *PledgeStand) Amount() events.Amount {
	return events.Amount{Quantity: s.Quantity, Least: s.Least, Most: s.Most}
}

// A StrengthDiff is a sum of what is pledged at both moments; absent where there is no such pledge,
// unknown where none has a known quantity.
type StrengthDiff struct {
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	From      events.Quantity  `json:"from,omitzero"`
	To        events.Quantity  `json:"to,omitzero"`
	// Pledges are those of [Diff.Pledges] that are summed at either moment, and PledgesMore is how
	// many of [Diff.PledgesMore] are.
	Pledges     []events.ID `json:"pledges"`
	PledgesMore int         `json:"pledges_more,omitzero"`
	// Records are those without which it would differ otherwise, in order, and Calendar the days
	// that have made it differ.
	Records  []Told    `json:"records"`
	Calendar []Passing `json:"calendar"`
}

// A Passing is what a day has changed, and no record on it.
type Passing struct {
	On       events.Date `json:"on"`
	Sentence string      `json:"sentence"`
	// Told is the sentence, to be told in other languages.
	Told phrase.Phrase `json:"-"`
}

// Is reports whether another one is the same.
func (p Passing) Is(other Passing) bool { return p.On == other.On && p.Sentence == other.Sentence }

// Diff compares two moments. A nation in the filter leaves its pledges, and those lines in whose
// supply its part differs.
func (p *Picture) Diff(ctx context.Context, from, to Moment, f Filter) (Diff, error) {
	p = p.metered(ctx)
	a, err := p.basisAtRung(from)
	if err != nil {
		return Diff{}, err
	}
	b, err := p.basisAtRung(to)
	if err != nil {
		return Diff{}, err
	}
	for _, one := range []Basis{a, b} {
		if one.IsRange() {
			return Diff{}, usage("on", one.Days(),
				"two dates are compared, not ranges of days: write one date")
		}
	}
	return diff(p, p, a, b, f, nil)
}

// MaxCompared is of how many pledges a comparison tells how they count otherwise, and what has
// caused it; and maxSupposed of how many a preview does, on each date.
const (
	MaxCompared = 10_000
	maxSupposed = 1000
)

// diff compares two pictures of one ledger, of which the later may be one of what is only supposed.
// Only are the pledges that may count otherwise, nil for all.
func diff(old, now *Picture, a, b Basis, f Filter, only map[events.ID]bool) (Diff, error) {
	d := differ{filter: f, from: side{p: old}, to: side{p: now}, told: map[lineOf]ofLine{},
		most: MaxCompared, moreLines: map[lineOf]int{}, moreSums: map[groupKey]int{}}
	if old != now {
		d.most = maxSupposed
	}
	if err := now.knows(old, a, b, f); err != nil {
		return Diff{}, err
	}
	d.from.open(a, f)
	d.to.open(b, f)
	d.answer = Diff{From: a, To: b, Lines: []LineDiff{}, Pledges: []PledgeDiff{},
		Strength: []StrengthDiff{}}
	pledges := now.sorted.all()
	if only != nil {
		pledges = slices.Values(slices.SortedFunc(now.those(only), func(a, b *pledge) int {
			return compareIDs(a.id, b.id)
		}))
	}
	if only == nil && d.comparable() {
		d.from.scan()
		d.to.scan()
	}
	for pl := range pledges {
		if !now.meter.spend(1) {
			break
		}
		if !d.alike(pl) && f.nation(pl.nation) &&
			(f.Operation == "" || f.Operation == pl.operation.name) {
			d.pledge(pl)
		}
	}
	slices.SortStableFunc(d.answer.Pledges, func(a, b PledgeDiff) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Nation, b.Nation))
	})
	d.index()
	d.lines()
	d.strength()
	d.findCauses()
	return d.answer, now.meter.err()
}

// findCauses finds for all that differs the records without which it would differ otherwise.
func (d *differ) findCauses() {
	if len(d.answer.Pledges)+len(d.answer.Lines) == 0 {
		return
	}
	c := d.causer()
	for i := range d.answer.Lines {
		c.line(&d.answer.Lines[i])
	}
	for i := range d.answer.Strength {
		c.sum(&d.answer.Strength[i])
	}
	for i := range d.answer.Pledges {
		c.own(&d.answer.Pledges[i])
	}
}

// those yields the pledges of some IDs.
func (p *Picture) those(ids map[events.ID]bool) iter.Seq[*pledge] {
	return func(yield func(*pledge) bool) {
		for id := range ids {
			if pl, _ := p.find(id); !yield(pl) {
				return
			}
		}
	}
}

// knows refuses an operation that neither moment knows.
func (p *Picture) knows(old *Picture, a, b Basis, f Filter) error {
	_, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		if _, before := old.chosen(a.AsOf, f.Operation); before == nil {
			return nil
		}
	}
	return err
}

// comparable reports whether pledges count the same wherever their versions are equal: the same
// requirements ask for the same, from the same rung, in the same world.
func (d *differ) comparable() bool {
	if d.from.p != d.to.p || d.from.basis.Rung != d.to.basis.Rung ||
		d.from.basis.WhatIf != d.to.basis.WhatIf {
		return false
	}
	for _, o := range d.to.p.operations {
		for _, name := range o.now().lineNames {
			if d.from.asks(o.name, name) != d.to.asks(o.name, name) {
				return false
			}
		}
	}
	return true
}

// alike reports whether a pledge is known to count the same without looking closer.
func (d *differ) alike(pl *pledge) bool {
	if d.from.rows == nil {
		return false
	}
	a, b := &d.from.rows[pl.no], &d.to.rows[pl.no]
	return a.rung != 0 && b.rung != 0 && a.equal(b)
}

// A differ finds what two sides differ in.
type differ struct {
	filter   Filter
	from, to side
	answer   Diff

	byID   map[events.ID]int // where a pledge stands in the answer
	byLine map[lineOf][]int  // where those do that count for a line or fit it, at either moment
	told   map[lineOf]ofLine // what changed the requirements that were looked at so far

	most      int              // how many pledges the answer tells
	moreLines map[lineOf]int   // how many others count for a line or fit it
	moreSums  map[groupKey]int // and are in a sum
}

// An ofLine is what changed a requirement between the moments.
type ofLine struct {
	records  []Told
	calendar []Passing
}

type lineOf struct {
	operation events.Operation
	line      events.Line
}

// index notes where the pledges stand in the answer, when all are there.
func (d *differ) index() {
	d.byID, d.byLine = make(map[events.ID]int, len(d.answer.Pledges)), map[lineOf][]int{}
	for i := range d.answer.Pledges {
		pd := &d.answer.Pledges[i]
		d.byID[pd.Pledge] = i
		for _, name := range append(pd.From.lines(), pd.To.lines()...) {
			l := lineOf{pd.Operation, name}
			if at := d.byLine[l]; len(at) == 0 || at[len(at)-1] != i {
				d.byLine[l] = append(at, i)
			}
		}
	}
}

// pledge adds a pledge to the answer if it counts otherwise.
func (d *differ) pledge(pl *pledge) {
	was, is := d.from.find(pl.id), d.to.find(pl.id)
	if was == nil && is == nil {
		return
	}
	a, b := d.from.compared(was), d.to.compared(is)
	d.to.p.meter.spend(2 * foldCost)
	if a.equal(b) || d.filter.Role != "" && d.filter.Role != a.role && d.filter.Role != b.role {
		return
	}
	if len(d.answer.Pledges) == d.most {
		d.leaveOut(pl, &a, &b)
		return
	}
	one := PledgeDiff{Pledge: pl.id, Operation: pl.operation.name, Nation: pl.nation,
		Organisation: pl.operation.organisation(max(d.from.basis.AsOf, d.to.basis.AsOf),
			pl.nation),
		From: d.from.stand(was), To: d.to.stand(is), Calendar: []Passing{}}
	one.Records = d.records(was, is)
	if d.from.basis.On != d.to.basis.On {
		one.Calendar = d.passings(is, was)
	}
	if a.there() && b.there() {
		d.blameLines(&one)
	}
	d.to.p.meter.hold(1, comparedRow)
	d.answer.Pledges = append(d.answer.Pledges, one)
}

// leaveOut counts a pledge that the answer has no room for.
func (d *differ) leaveOut(pl *pledge, was, is *compared) {
	d.answer.PledgesMore++
	lines, sums := map[lineOf]bool{}, map[groupKey]bool{}
	for _, c := range []*compared{was, is} {
		if !c.known {
			continue
		}
		for _, at := range c.places {
			lines[lineOf{pl.operation.name, at.line}] = true
		}
		for _, name := range slices.Concat(c.fits, c.waits) {
			lines[lineOf{pl.operation.name, name}] = true
		}
		unit := c.pledged.unit
		if c.pledged.quantity.IsZero() {
			unit = c.strength.unit
		}
		sums[groupKey{pl.operation.name, pl.nation, c.role, unit}] = true
	}
	for l := range lines {
		d.moreLines[l]++
	}
	for k := range sums {
		d.moreSums[k]++
	}
}

// span returns the earlier and the later date of the two moments.
func (d *differ) span() (lo, hi events.Date) {
	return min(d.from.basis.On, d.to.basis.On), max(d.from.basis.On, d.to.basis.On)
}

func passing(on events.Date, format string, args ...any) Passing {
	told := phrase.Of(format, args...)
	return Passing{on, told.String(), told}
}
