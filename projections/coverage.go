package projections

import (
	"cmp"
	"math"
	"slices"

	"muster/events"
)

// A CoverageFilter narrows coverage to an operation, a role, or both. Neither changes a line's numbers.
type CoverageFilter struct {
	Operation events.Operation
	Role      events.Role
	// Brief leaves the pledges counted out of the lines: a table of lines is much shorter than the list of its pledges.
	Brief bool
}

// A Coverage says how far the requirements are met at a moment.
type Coverage struct {
	Basis
	// Lines are the requirements in force, by operation, priority and name.
	Lines []LineCoverage `json:"lines"`
	// NotCounted are the pledges that are there on the date and are supply of no line, by operation and ID.
	NotCounted []NotCounted `json:"not_counted"`
}

// A LineCoverage is how far one line is met. Its numbers are in the line's unit, and are sums of known quantities only.
type LineCoverage struct {
	Requirement
	Supply events.Quantity `json:"supply"`
	// Gap is what is missing, 0 when nothing is.
	Gap events.Quantity `json:"gap"`
	// Fill is the supply in percent of what is required, rounded down; it may be over 100.
	Fill int `json:"fill"`
	// Conditional is the part of the supply that hangs on an open condition.
	Conditional events.Quantity `json:"conditional"`
	// Unknown is how many pledges would be supply of this line, and have not said of how much.
	Unknown int `json:"unknown,omitzero"`
	// Who are the nations that make the supply, the largest first.
	Who []Share `json:"who"`
	// Dependence is set when one nation holds at least half.
	Dependence *Dependence `json:"dependence,omitzero"`
	// Counted are the pledges that make the supply, by ID; left out of a brief answer.
	Counted []Counted `json:"counted,omitzero"`
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
	Alone      DependenceLevel = "alone" // nobody else holds any of it
	FourFifths DependenceLevel = "80"    // at least 80 percent
	Half       DependenceLevel = "50"    // at least 50 percent
)

// A Dependence names the nation that a line hangs on.
type Dependence struct {
	Nation  events.Nation   `json:"nation"`
	Percent int             `json:"percent"` // rounded down
	Level   DependenceLevel `json:"level"`
}

// A Counted is one pledge in a line's supply.
type Counted struct {
	Pledge   events.ID       `json:"pledge"`
	Nation   events.Nation   `json:"nation"`
	Quantity events.Quantity `json:"quantity"`
	Rung     Rung            `json:"rung"`
	// Conditions are those it still hangs on.
	Conditions []events.Line `json:"conditions,omitzero"`
	// Sequences are the records that make the number.
	Sequences []uint64 `json:"sequences"`
}

// Coverage answers which requirements are met on a date, and how far. Supply of a line are the pledges for it alone: those
// of the same operation, role and unit and of a compatible area (the same, or either left open) that fit no other line in
// force. A pledge is there when it has begun and not ended and its window includes the date; it counts from the rung asked.
// What is there and does not count is told beside, each with its reason, and never mixed in.
func (p *Picture) Coverage(m Moment, f CoverageFilter) (Coverage, error) {
	b, err := p.basisAtRung(m)
	if err != nil {
		return Coverage{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Coverage{}, err
	}
	answer := Coverage{Basis: b, Lines: []LineCoverage{}, NotCounted: []NotCounted{}}
	for _, o := range chosen {
		t := p.newTally(o.inForce(b, f.Role), b, f.Brief)
		t.placeAll(o.pledges, f.Role)
		answer.Lines = append(answer.Lines, t.answer()...)
		answer.NotCounted = append(answer.NotCounted, t.notCounted...)
	}
	return answer, nil
}

// A tally puts the pledges of one operation beside its lines.
type tally struct {
	basis      Basis
	brief      bool
	lines      []lineTally
	byRole     [][]int // indexes of lines, by the role's number
	nations    []events.Nation
	notCounted []NotCounted

	fits, near []int    // room for what match returns
	sequences  []uint64 // room that Counted.Sequences are cut from
}

type lineTally struct {
	Requirement
	supply, conditional int64
	unknown             int
	nations             []int64 // parts of the supply, by the nation's number
	counted             []Counted
}

func (p *Picture) newTally(inForce []Requirement, b Basis, brief bool) *tally {
	t := &tally{basis: b, brief: brief, byRole: make([][]int, len(p.roles.names)), nations: p.nations.names}
	for i, q := range inForce {
		l := lineTally{Requirement: q, nations: make([]int64, len(t.nations))}
		if !brief {
			l.counted = []Counted{} // which is told as empty, and not as left out
		}
		t.lines = append(t.lines, l)
		if number, pledged := p.roles.number[q.Role]; pledged {
			t.byRole[number] = append(t.byRole[number], i)
		}
	}
	return t
}

func (t *tally) placeAll(pledges []*pledge, role events.Role) {
	var room standing
	for _, pl := range pledges {
		s := pl.at(&t.basis, &room)
		if s.counts(t.basis.On) && (role == "" || s.terms.role == role) {
			t.place(pl, s)
		}
	}
}

// place counts a pledge for its line, or says why not.
func (t *tally) place(pl *pledge, s *standing) {
	a, reported := s.amount(t.basis.Rung)
	t.match(s.terms, a.unit)
	if reason := t.reason(s, a); reason != "" {
		t.refuse(pl, s, a, reason)
		return
	}
	n, _ := a.quantity.Number()
	l := &t.lines[t.fits[0]]
	l.supply = add(l.supply, n)
	l.nations[pl.nationNo] = add(l.nations[pl.nationNo], n)
	open := s.conditionsIn(Hanging)
	if open != nil {
		l.conditional = add(l.conditional, n)
	}
	if t.brief {
		return
	}
	l.counted = append(l.counted, Counted{pl.id, pl.nation, a.quantity, s.rung, open, t.sequencesOf(s, reported)})
}

func (t *tally) sequencesOf(s *standing, reported bool) []uint64 {
	from := len(t.sequences)
	t.sequences = s.appendSequences(t.sequences, reported)
	return t.sequences[from:len(t.sequences):len(t.sequences)]
}

// match finds the lines that a pledge fits, and those near that it fits but for their unit.
func (t *tally) match(terms *terms, unit events.Unit) {
	t.fits, t.near = t.fits[:0], t.near[:0]
	for _, i := range t.byRole[terms.roleNo] {
		switch l := &t.lines[i]; {
		case !compatible(l.Area, terms.area):
		case l.Unit == unit:
			t.fits = append(t.fits, i)
		default:
			t.near = append(t.near, i)
		}
	}
}

// compatible reports whether forces for one area can fill a line for the other. The empty area is anywhere.
func compatible(a, b events.Area) bool { return a == b || a == "" || b == "" }

func (t *tally) answer() []LineCoverage {
	lines := make([]LineCoverage, len(t.lines))
	for i := range t.lines {
		lines[i] = t.lines[i].answer(t.nations)
	}
	return lines
}

func (l *lineTally) answer(nations []events.Nation) LineCoverage {
	required, _ := l.Required.Number()
	c := LineCoverage{
		Requirement: l.Requirement,
		Supply:      l.Unit.Of(l.supply),
		Gap:         l.Unit.Of(max(0, required-l.supply)),
		Fill:        percent(l.supply, required),
		Conditional: l.Unit.Of(l.conditional),
		Unknown:     l.unknown,
		Who:         l.shares(nations),
		Counted:     l.counted,
	}
	c.Dependence = dependence(c.Who)
	return c
}

func (l *lineTally) shares(nations []events.Nation) []Share {
	shares := []Share{}
	for number, n := range l.nations {
		if n > 0 {
			shares = append(shares, Share{nations[number], l.Unit.Of(n), percent(n, l.supply)})
		}
	}
	slices.SortFunc(shares, func(a, b Share) int {
		more, _ := a.Quantity.Number()
		less, _ := b.Quantity.Number()
		return cmp.Or(cmp.Compare(less, more), cmp.Compare(a.Nation, b.Nation))
	})
	return shares
}

// dependence says whether a supply hangs on the nation with the largest share.
func dependence(who []Share) *Dependence {
	if len(who) == 0 {
		return nil
	}
	d := &Dependence{Nation: who[0].Nation, Percent: who[0].Percent}
	switch {
	case len(who) == 1:
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
