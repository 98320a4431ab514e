package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// ReadinessSteps are the days within which forces are usually asked to move.
var ReadinessSteps = []int{0, 5, 10, 30, 60, 90}

// A ReadinessFilter says what of readiness is asked for.
type ReadinessFilter struct {
	Filter
	// Within is a further step, in days; 0 for none, since it is a step anyway.
	Within int
	// ByNation tells each nation's, and not the role's alone.
	ByNation bool
}

// A ReadyRow is how much of a role can move, and how soon. Each number is within the row's unit,
// and unknown where there are pledges and none of them is known.
type ReadyRow struct {
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Unit      events.Unit      `json:"unit"`
	// Day is the day of a range of which the row tells: the first on which least is in place or can
	// move within the days asked, or, where none were, within those of the last step.
	Day events.Date `json:"day,omitzero"`
	// InPlace is what is deployed and need not move.
	InPlace events.Quantity `json:"in_place"`
	// Ready is what can move within the days of each step: what is in a step is in all later ones.
	Ready []events.Quantity `json:"ready"`
	// NotSaid is what is pledged without a notice to move. Nothing is known of how soon it moves.
	NotSaid events.Quantity `json:"not_said"`
	// Reserve is what stands by at home and can move within the last step.
	Reserve events.Quantity `json:"reserve"`
	// Unknown is how many pledges have not said of how much they are. They are in no number.
	Unknown int `json:"unknown,omitzero"`
}

// Readiness is what can move within some days at a moment.
type Readiness struct {
	Basis
	// Steps are the days that Ready of each row is by.
	Steps []int      `json:"steps"`
	Rows  []ReadyRow `json:"rows"`
	// Next is the first later day on which a pledge is there, where none is.
	Next events.Date `json:"next,omitzero"`
}

// Readiness answers what can move within some days of the call. Of a range, each row tells of the
// day on which least can.
func (p *Picture) Readiness(ctx context.Context, m Moment, f ReadinessFilter) (Readiness, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Readiness{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Readiness{}, err
	}
	answer := Readiness{Basis: b, Steps: slices.Clone(ReadinessSteps), Rows: []ReadyRow{}}
	if f.Within > 0 && !slices.Contains(answer.Steps, f.Within) {
		answer.Steps = append(answer.Steps, f.Within)
		slices.Sort(answer.Steps)
	}
	r := ready{picture: p, filter: f, steps: answer.Steps, basis: &b, chosen: chosen,
		lows: p.newLows(&b, chosen), number: map[readyKey]int{}}
	p.eachOf(&b, r.weigh)
	r.days = r.lowestDays()
	r.sums = make([]readySum, len(r.days))
	p.eachOf(&b, r.add)
	for i, key := range r.keys {
		row := r.sums[i].row(key, answer.Steps)
		if b.IsRange() {
			row.Day = r.days[i]
		}
		answer.Rows = append(answer.Rows, row)
	}
	slices.SortFunc(answer.Rows, func(a, b ReadyRow) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Role, b.Role),
			cmp.Compare(a.Nation, b.Nation), cmp.Compare(a.Unit, b.Unit))
	})
	if len(r.keys) == 0 {
		answer.Next = p.nextThere(&b, chosen, f.Filter)
	}
	return answer, p.meter.err()
}

// A ready finds the day of each row and what there is on it.
type ready struct {
	lows
	picture *Picture
	filter  ReadinessFilter
	steps   []int
	basis   *Basis
	chosen  []*operation
	number  map[readyKey]int
	keys    []readyKey
	days    []events.Date
	sums    []readySum
}

// row returns the number of the row that a version is in, false when it is in none.
func (r *ready) row(v *version, kind uint32) (int, bool) {
	k, nation := &r.picture.kinds.names[kind], r.picture.nations.names[v.nation]
	if v.rung < r.basis.Rung || v.flags&isFailed != 0 || !isChosen(r.chosen, k.operation) ||
		r.filter.Role != "" && r.filter.Role != k.role || !r.filter.nation(nation) {
		return 0, false
	}
	key := readyKey{operation: k.operation.name, role: k.role, unit: k.unit}
	if r.filter.ByNation {
		key.nation = nation
	}
	i, ok := r.number[key]
	if !ok {
		i = r.open()
		r.number[key], r.keys = i, append(r.keys, key)
	}
	return i, true
}

// weigh notes how much of a version can be had within the days asked.
func (r *ready) weigh(days stretch, v *version) {
	n, kind, known := v.amount(r.basis.Rung)
	row, ok := r.row(v, kind)
	if !ok {
		return
	}
	within := cmp.Or(r.filter.Within, r.steps[len(r.steps)-1])
	if notice := r.notice(v, days.from); v.rung < Deployed && (notice == nil || *notice > within) {
		n = 0
	}
	r.lows.add(row, days, v.sums(n), v.unknowns(known))
}

// add adds a version to its row, where it is there on the row's day.
func (r *ready) add(days stretch, v *version) {
	n, kind, known := v.amount(r.basis.Rung)
	if row, ok := r.row(v, kind); ok && days.includes(r.days[row]) {
		r.sums[row].add(v, n, known, r.notice(v, r.days[row]), r.steps)
	}
}

// notice returns the notice to move of a pledge, nil when it was not said.
func (r *ready) notice(v *version, on events.Date) *int {
	var room standing
	b := r.basis.onDay(on)
	return r.picture.pledges[v.pledge].at(&b, &room).terms.notice
}

type readyKey struct {
	operation events.Operation
	role      events.Role
	nation    events.Nation
	unit      events.Unit
}

type readySum struct {
	inPlace, notSaid, reserve partial
	ready                     []partial
	unknown                   int
}

func (s *readySum) add(v *version, n int64, known bool, notice *int, steps []int) {
	if s.ready == nil {
		s.ready = make([]partial, len(steps))
	}
	if !known {
		s.unknown++
	}
	switch {
	case v.flags&isReserve != 0:
		if notice != nil && *notice <= steps[len(steps)-1] {
			s.reserve.add(n, known, 1)
		}
	case v.rung == Deployed:
		s.inPlace.add(n, known, 1)
	case notice == nil:
		s.notSaid.add(n, known, 1)
	default:
		for i, within := range steps {
			if *notice <= within {
				s.ready[i].add(n, known, 1)
			}
		}
	}
}

func (s *readySum) row(k readyKey, steps []int) ReadyRow {
	if s.ready == nil {
		s.ready = make([]partial, len(steps))
	}
	r := ReadyRow{Operation: k.operation, Role: k.role, Nation: k.nation, Unit: k.unit,
		InPlace: s.inPlace.of(k.unit), NotSaid: s.notSaid.of(k.unit),
		Reserve: s.reserve.of(k.unit), Unknown: s.unknown}
	for i := range s.ready {
		r.Ready = append(r.Ready, s.ready[i].of(k.unit))
	}
	return r
}
