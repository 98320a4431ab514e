package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A Strength is what is pledged, or deployed, at a moment: sums within a unit, and what cannot be
// summed beside.
type Strength struct {
	Basis
	// By is what the rows are grouped by, besides the unit.
	By   []string      `json:"by"`
	Rows []StrengthRow `json:"rows"`
	// Totals has one row for each unit.
	Totals []StrengthRow `json:"totals"`
	// Next is the first later day on which there is anything to sum, where there is nothing.
	Next events.Date `json:"next,omitzero"`
}

// A StrengthRow is the sum of one group. Members that the rows are not grouped by are empty.
type StrengthRow struct {
	Operation events.Operation `json:"operation,omitzero"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Role      events.Role      `json:"role,omitzero"`
	Unit      events.Unit      `json:"unit"`
	// Day is the day of a range of which the row tells: the first on which Quantity is lowest.
	Day events.Date `json:"day,omitzero"`
	// Quantity is the sum of the known quantities; unknown when there are pledges and none of them
	// is known, those included that are not summed since they are in reserve, or hang on what will
	// not happen.
	Quantity events.Quantity `json:"quantity"`
	// Pledges is how many pledges are summed.
	Pledges int `json:"pledges"`
	// Unknown is how many pledges beside them have no known quantity.
	Unknown int `json:"unknown,omitzero"`
	// Conditional is the part of Quantity that hangs on an open condition; absent when nothing
	// does.
	Conditional events.Quantity `json:"conditional,omitzero"`
	// Caveated is the part of Quantity whose use is restricted; absent when nothing is.
	Caveated events.Quantity `json:"caveated,omitzero"`
	// Reserve is what stands by at home, which is not in Quantity; absent when nothing does, or
	// none of it is known.
	Reserve events.Quantity `json:"reserve,omitzero"`
	// ReserveUnknown is how many pledges in reserve have no known quantity.
	ReserveUnknown int `json:"reserve_unknown,omitzero"`
	// Failed is how many pledges are left out because a condition of theirs has failed.
	Failed int `json:"failed,omitzero"`
	// FailedUnknown is how many of Failed have no known quantity.
	FailedUnknown int `json:"failed_unknown,omitzero"`
	// OnTop is how much may come on top of Quantity, of pledges that say "10 to 14"; absent where
	// nothing may. OnTopOpen is how many of Pledges say "at least 10", and not how much more.
	OnTop     events.Quantity `json:"on_top,omitzero"`
	OnTopOpen int             `json:"on_top_open,omitzero"`
}

// strengthGroups are the words that By may hold.
var strengthGroups = []string{"operation", "nation", "role", "unit"}

// Strength sums the pledges that are there on a date, from the rung asked. The rows are grouped by
// the given words (operation, nation, role) and always by unit, and ordered by them in the order
// given. Which pledges are there is as for [Picture.Coverage]; whether a requirement asks for them
// plays no part. Of a range, each row tells of the day on which it is lowest, and each total too,
// so that a total is not the sum of its rows.
func (p *Picture) Strength(ctx context.Context, m Moment, f Filter, by []string) (Strength, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Strength{}, err
	}
	for _, word := range by {
		if !slices.Contains(strengthGroups, word) {
			return Strength{}, usage("by", word, "group by one or more of: %s",
				phrase.List(phrase.And, strengthGroups...))
		}
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Strength{}, err
	}
	var rows sums
	totals := sums{}
	if b.IsRange() {
		rows, totals = p.sumLowest(&b, chosen, f, by), p.sumLowest(&b, chosen, f, nil)
	} else {
		rows = p.sum(&b, chosen, f, by)
		for k, s := range rows {
			totals.of(k.by(nil)).merge(s)
		}
	}
	answer := Strength{Basis: b, By: append([]string{}, by...), Rows: rows.answer(by),
		Totals: totals.answer(nil)}
	if len(rows) == 0 {
		answer.Next = p.nextThere(&b, chosen, f)
	}
	return answer, p.meter.err()
}

// sum sums the pledges of some operations that are there and on the rung asked, or above.
func (p *Picture) sum(b *Basis, chosen []*operation, f Filter, by []string) sums {
	cells := make([]sum, len(p.nations.names)*len(p.kinds.names))
	p.eachSum(b, func(v *version, pledges int) {
		n, kind, known := v.amount(b.Rung)
		if v.rung >= b.Rung {
			cells[int(v.nation)*len(p.kinds.names)+int(kind)].add(v, b.Rung, n, known, pledges)
		}
	})
	rows := sums{}
	for i := range cells {
		nation, k := p.nations.names[i/len(p.kinds.names)], p.kinds.names[i%len(p.kinds.names)]
		if cells[i] != (sum{}) && isChosen(chosen, k.operation) && f.nation(nation) &&
			(f.Role == "" || f.Role == k.role) {
			rows.of(groupKey{k.operation.name, nation, k.role, k.unit}.by(by)).merge(&cells[i])
		}
	}
	return rows
}

// sumLowest sums each group of a range on the day on which it is lowest.
func (p *Picture) sumLowest(b *Basis, chosen []*operation, f Filter, by []string) sums {
	l := p.newLows(b, chosen)
	groups, number := []groupKey{}, map[groupKey]int{}
	// The group's number and one more, -1 for none.
	cells := make([]int, len(p.nations.names)*len(p.kinds.names))
	group := func(v *version, kind uint32) int {
		cell := &cells[int(v.nation)*len(p.kinds.names)+int(kind)]
		if *cell == 0 {
			k, nation := p.kinds.names[kind], p.nations.names[v.nation]
			*cell = -1
			if isChosen(chosen, k.operation) && f.nation(nation) &&
				(f.Role == "" || f.Role == k.role) {
				key := groupKey{k.operation.name, nation, k.role, k.unit}.by(by)
				if _, ok := number[key]; !ok {
					number[key], groups = l.open(), append(groups, key)
				}
				*cell = number[key] + 1
			}
		}
		return *cell - 1
	}
	p.eachOf(b, func(days stretch, v *version) {
		n, kind, known := v.amount(b.Rung)
		if v.rung < b.Rung {
			return
		}
		if i := group(v, kind); i >= 0 {
			l.add(i, days, v.sums(n), v.unknowns(known))
		}
	})
	days := l.lowestDays()
	found := make([]sum, len(days))
	p.eachOf(b, func(of stretch, v *version) {
		n, kind, known := v.amount(b.Rung)
		if v.rung < b.Rung {
			return
		}
		if i := group(v, kind); i >= 0 && of.includes(days[i]) {
			found[i].add(v, b.Rung, n, known, 1)
		}
	})
	rows := sums{}
	for i, key := range groups {
		found[i].day = days[i]
		rows[key] = &found[i]
	}
	return rows
}

// sums returns what of an amount of the version is in a sum: nothing where it is in reserve, or
// hangs on what will not happen.
func (v *version) sums(n int64) int64 {
	if v.flags&(isReserve|isFailed) != 0 {
		return 0
	}
	return n
}

// unknowns returns 1 where the version would be in a sum if anybody had said of how much it is.
func (v *version) unknowns(known bool) int64 {
	if known || v.flags&(isReserve|isFailed) != 0 {
		return 0
	}
	return 1
}

type groupKey struct {
	operation events.Operation
	nation    events.Nation
	role      events.Role
	unit      events.Unit
}

// by returns the key with what is not grouped by left out.
func (k groupKey) by(words []string) groupKey {
	kept := groupKey{unit: k.unit}
	for _, word := range words {
		switch word {
		case "operation":
			kept.operation = k.operation
		case "nation":
			kept.nation = k.nation
		case "role":
			kept.role = k.role
		}
	}
	return kept
}

// compare orders keys by the words, and last by the unit.
func (k groupKey) compare(other groupKey, words []string) int {
	for _, word := range words {
		c := 0
		switch word {
		case "operation":
			c = cmp.Compare(k.operation, other.operation)
		case "nation":
			c = cmp.Compare(k.nation, other.nation)
		case "role":
			c = cmp.Compare(k.role, other.role)
		case "unit":
			c = cmp.Compare(k.unit, other.unit)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(k.unit, other.unit)
}

type sum struct {
	quantity, conditional, caveated, reserve int64
	pledges, unknown, reserveUnknown, failed int
	failedUnknown                            int // of failed
	onTop                                    int64
	onTopOpen                                int
	day                                      events.Date // of a range
}

// add adds what so many pledges, which are one version, count for in all at a rung.
func (s *sum) add(v *version, at Rung, n int64, known bool, pledges int) {
	switch f := v.flags; {
	case f&isFailed != 0:
		s.failed += pledges
		if !known {
			s.failedUnknown += pledges
		}
	case f&isReserve != 0 && known:
		s.reserve = add(s.reserve, n)
	case f&isReserve != 0:
		s.reserveUnknown += pledges
	case !known:
		s.unknown += pledges
	default:
		s.pledges += pledges
		s.quantity = add(s.quantity, n)
		more, open := v.tops(at, pledges)
		s.onTop, s.onTopOpen = add(s.onTop, more), s.onTopOpen+open
		if f&isConditional != 0 {
			s.conditional = add(s.conditional, n)
		}
		if f&isCaveated != 0 {
			s.caveated = add(s.caveated, n)
		}
	}
}

func (s *sum) merge(other *sum) {
	s.quantity, s.conditional, s.reserve = add(s.quantity, other.quantity),
		add(s.conditional, other.conditional), add(s.reserve, other.reserve)
	s.caveated = add(s.caveated, other.caveated)
	s.onTop, s.onTopOpen = add(s.onTop, other.onTop), s.onTopOpen+other.onTopOpen
	s.pledges, s.failed = s.pledges+other.pledges, s.failed+other.failed
	s.failedUnknown += other.failedUnknown
	s.unknown, s.reserveUnknown = s.unknown+other.unknown, s.reserveUnknown+other.reserveUnknown
}

// isUnknown reports whether there are pledges, and of none of them it is known how much it is.
func (s *sum) isUnknown() bool {
	notSummed := s.reserve == 0 && s.failed == s.failedUnknown && s.reserveUnknown+
		s.failedUnknown > 0
	return s.pledges == 0 && (s.unknown > 0 || notSummed)
}

type sums map[groupKey]*sum

func (all sums) of(k groupKey) *sum {
	s, ok := all[k]
	if !ok {
		s = new(sum)
		all[k] = s
	}
	return s
}

func (all sums) answer(by []string) []StrengthRow {
	keys := make([]groupKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b groupKey) int { return a.compare(b, by) })
	rows := make([]StrengthRow, len(keys))
	for i, k := range keys {
		rows[i] = k.row(all[k])
	}
	return rows
}

func (k groupKey) row(s *sum) StrengthRow {
	r := StrengthRow{Operation: k.operation, Nation: k.nation, Role: k.role,
		Unit: k.unit, Day: s.day,
		Quantity: k.unit.Of(s.quantity), Pledges: s.pledges, Unknown: s.unknown,
		ReserveUnknown: s.reserveUnknown, Failed: s.failed, FailedUnknown: s.failedUnknown,
		OnTopOpen: s.onTopOpen}
	if s.onTop > 0 {
		r.OnTop = k.unit.Of(s.onTop)
	}
	if s.isUnknown() {
		r.Quantity = events.Unknown
	}
	if s.conditional > 0 {
		r.Conditional = k.unit.Of(s.conditional)
	}
	if s.caveated > 0 {
		r.Caveated = k.unit.Of(s.caveated)
	}
	if s.reserve > 0 {
		r.Reserve = k.unit.Of(s.reserve)
	}
	return r
}

// isChosen reports whether an operation is among those chosen.
func isChosen(chosen []*operation, o *operation) bool {
	return slices.ContainsFunc(chosen, func(c *operation) bool { return c.name == o.name })
}
