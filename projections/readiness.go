package projections

import (
	"cmp"
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

// A ReadyRow is how much of a role can move, and how soon. Each number is within the row's unit.
type ReadyRow struct {
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Unit      events.Unit      `json:"unit"`
	// InPlace is what is deployed and need not move.
	InPlace events.Quantity `json:"in_place"`
	// Ready is what can move within the days of each step: what is in a step is in all later ones.
	Ready []events.Quantity `json:"ready"`
	// NotSaid is what is pledged without a notice to move. Nothing is known of how soon it moves.
	NotSaid events.Quantity `json:"not_said"`
	// Reserve is what stands by at home and can move within the last step.
	Reserve events.Quantity `json:"reserve"`
	// Unknown is how many pledges have not said of how much they are.
	Unknown int `json:"unknown,omitzero"`
}

// Readiness is what can move within some days at a moment.
type Readiness struct {
	Basis
	// Steps are the days that Ready of each row is by.
	Steps []int      `json:"steps"`
	Rows  []ReadyRow `json:"rows"`
}

// Readiness answers what can move within some days of the call.
func (p *Picture) Readiness(m Moment, f ReadinessFilter) (Readiness, error) {
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
	sums := map[readyKey]*readySum{}
	p.each(&b, func(v *version) {
		n, number, known := v.amount(b.Rung)
		k := &p.kinds.names[number]
		nation := p.nations.names[v.nation]
		if v.rung < b.Rung || v.flags&isFailed != 0 || !slices.Contains(chosen, k.operation) || f.Role != "" && f.Role != k.role || !f.nation(nation) {
			return
		}
		key := readyKey{operation: k.operation.name, role: k.role, unit: k.unit}
		if f.ByNation {
			key.nation = nation
		}
		sum, ok := sums[key]
		if !ok {
			sum = &readySum{ready: make([]int64, len(answer.Steps))}
			sums[key] = sum
		}
		sum.add(v, n, known, p.notice(v, &b), answer.Steps)
	})
	for key, sum := range sums {
		answer.Rows = append(answer.Rows, sum.row(key))
	}
	slices.SortFunc(answer.Rows, func(a, b ReadyRow) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Nation, b.Nation), cmp.Compare(a.Unit, b.Unit))
	})
	return answer, nil
}

// notice returns the notice to move of a pledge, nil when it was not said.
func (p *Picture) notice(v *version, b *Basis) *int {
	var room standing
	return p.pledges[v.pledge].at(b, &room).terms.notice
}

type readyKey struct {
	operation events.Operation
	role      events.Role
	nation    events.Nation
	unit      events.Unit
}

type readySum struct {
	inPlace, notSaid, reserve int64
	ready                     []int64
	unknown                   int
}

func (s *readySum) add(v *version, n int64, known bool, notice *int, steps []int) {
	switch {
	case !known:
		s.unknown++
	case v.flags&isReserve != 0:
		if notice != nil && *notice <= steps[len(steps)-1] {
			s.reserve = add(s.reserve, n)
		}
	case v.rung == Deployed:
		s.inPlace = add(s.inPlace, n)
	case notice == nil:
		s.notSaid = add(s.notSaid, n)
	default:
		for i, within := range steps {
			if *notice <= within {
				s.ready[i] = add(s.ready[i], n)
			}
		}
	}
}

func (s *readySum) row(k readyKey) ReadyRow {
	r := ReadyRow{Operation: k.operation, Role: k.role, Nation: k.nation, Unit: k.unit, InPlace: k.unit.Of(s.inPlace), NotSaid: k.unit.Of(s.notSaid),
		Reserve: k.unit.Of(s.reserve), Unknown: s.unknown}
	for _, n := range s.ready {
		r.Ready = append(r.Ready, k.unit.Of(n))
	}
	return r
}
