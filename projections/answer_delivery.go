package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
)

// A Stage is how long pledges took from one rung to another, by their effective dates.
type Stage struct {
	// Pledges are how many have come that far, and Median and Longest their days.
	Pledges int `json:"pledges"`
	Median  int `json:"median,omitzero"`
	Longest int `json:"longest,omitzero"`
	// Waiting are how many have come to the first rung and not to the second, and Oldest since when
	// the one has that waits longest.
	Waiting int         `json:"waiting"`
	Oldest  events.Date `json:"oldest,omitzero"`

	days []int
}

// A Delivery is what one nation has pledged and delivered in a role, in one unit.
type Delivery struct {
	Nation    events.Nation    `json:"nation"`
	Operation events.Operation `json:"operation"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	// Offered is what was ever offered of pledges that are there or have been, and did not end
	// before they were deployed, and Deployed what was last reported in place of them. Either is
	// unknown where there are pledges and none of them is known.
	Offered  events.Quantity `json:"offered"`
	Deployed events.Quantity `json:"deployed"`
	// Percent is how much came of what was offered, of the pledges of which both are known; absent
	// where there are none.
	Percent *int `json:"percent,omitempty"`
	// Ended are how many pledges were withdrawn or declined, or lapsed; Unknown how many have not
	// said of how much they are.
	Ended   int `json:"ended"`
	Unknown int `json:"unknown,omitzero"`
	// OfferedToConfirmed and ConfirmedToDeployed tell how long it took.
	OfferedToConfirmed  Stage `json:"offered_to_confirmed"`
	ConfirmedToDeployed Stage `json:"confirmed_to_deployed"`

	offered, deployed partial
	promised, came    int64 // of those of which both are known
}

// Deliveries is what was pledged and delivered at a moment, by nation, operation and role.
type Deliveries struct {
	Basis
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery answers what became of offers: what is pledged beside what was delivered, how many days
// nations took from one to the other, and what still waits. What was only observed was never
// promised, and is not there. Of a range, it tells how far that had come on the last day.
func (p *Picture) Delivery(ctx context.Context, m Moment, f Filter) (Deliveries, error) {
	p = p.metered(ctx)
	b, err := p.Basis(m)
	if err != nil {
		return Deliveries{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Deliveries{}, err
	}
	last := b.onDay(b.last())
	rows := map[readyKey]*Delivery{}
	var keys []readyKey
	for _, o := range chosen {
		for pl := range o.now().pledges.all() {
			if !p.meter.spend(foldCost) {
				break
			}
			var room standing
			s := pl.at(&last, &room)
			if uint64(pl.first) > b.AsOf || !s.begun || s.pledged.quantity.IsZero() ||
				!f.nation(pl.nation) || f.Role != "" && s.terms.role != f.Role {
				continue
			}
			key := readyKey{o.name, s.terms.role, pl.nation, s.pledged.unit}
			if rows[key] == nil {
				rows[key] = &Delivery{Nation: key.nation, Operation: key.operation, Role: key.role,
					Unit: key.unit}
				keys = append(keys, key)
			}
			rows[key].add(pl, s, &last)
		}
	}
	slices.SortFunc(keys, func(a, b readyKey) int {
		return cmp.Or(cmp.Compare(a.nation, b.nation), cmp.Compare(a.operation, b.operation),
			cmp.Compare(a.role, b.role), cmp.Compare(a.unit, b.unit))
	})
	answer := Deliveries{Basis: b, Deliveries: []Delivery{}}
	for _, key := range keys {
		answer.Deliveries = append(answer.Deliveries, rows[key].close())
	}
	return answer, p.meter.err()
}

func (d *Delivery) add(pl *pledge, s *standing, b *Basis) {
	n, known := s.pledged.sure()
	switch {
	case s.exit == Withdrawn || s.exit == Declined || s.exit == Lapsed:
		d.Ended++
		return
	case s.rung < Offered:
		return
	case !known:
		d.Unknown++
	}
	d.offered.add(n, known, 1)
	there, isKnown := s.strength.quantity.Number()
	if isReported := !s.strength.quantity.IsZero(); isReported {
		d.deployed.add(there, isKnown, 1)
	}
	if known && !s.strength.quantity.IsUnknown() {
		d.promised, d.came = add(d.promised, n), add(d.came, there)
	}
	reached := pl.reached(b)
	d.OfferedToConfirmed.add(reached[Offered], reached[Confirmed])
	d.ConfirmedToDeployed.add(reached[Confirmed], reached[Deployed])
}

// reached returns the dates from which a pledge was on each rung, as known at a moment; zero for
// none.
func (pl *pledge) reached(b *Basis) (dates [Deployed + 1]events.Date) {
	facts := pl.now().facts
	for i := range facts {
		if d := &facts[i]; d.known(uint32(b.AsOf)) && d.effective <= b.On && d.move.rung > 0 &&
			dates[d.move.rung] == 0 {
			dates[d.move.rung] = d.effective
		}
	}
	return dates
}

// add counts one pledge that came to a rung on a day, and to the next on another, or not yet.
func (s *Stage) add(from, to events.Date) {
	switch {
	case from == 0:
	case to == 0:
		s.Waiting++
		if s.Oldest == 0 || from < s.Oldest {
			s.Oldest = from
		}
	default:
		s.days = append(s.days, daysBetween(from, to))
	}
}

func (s *Stage) close() {
	slices.Sort(s.days)
	if s.Pledges = len(s.days); s.Pledges > 0 {
		s.Median, s.Longest = s.days[(s.Pledges-1)/2], s.days[s.Pledges-1]
	}
}

func (d *Delivery) close() Delivery {
	d.OfferedToConfirmed.close()
	d.ConfirmedToDeployed.close()
	d.Offered, d.Deployed = d.offered.of(d.Unit), d.deployed.of(d.Unit)
	if d.promised > 0 {
		part := percent(d.came, d.promised)
		d.Percent = &part
	}
	return *d
}
