package projections

import (
	"math"
	wide "math/bits"
)

// A rollupRow is the versions on one date that differ in nothing but their pledge and their
// quantities, added up. There are far fewer of them than pledges, and a sum over pledges is the
// same as one over these rows.
type rollupRow struct {
	sum               version // of no pledge
	pledges           int
	promised, present total // what sum has, exactly
	onTop             total
}

// A rollupKey is what versions of one row have in common.
type rollupKey struct {
	promisedKind, presentKind uint32
	nation                    uint16
	flags                     flags
	rung                      Rung
}

// A rollup is the versions on a date that have no allocations, added up, and which have some.
type rollup struct {
	all       []rollupRow
	of        map[rollupKey]int
	allocated map[uint32]struct{} // pledges
}

// rollUp adds up versions.
func rollUp(rows []version) *rollup {
	c := &rollup{of: map[rollupKey]int{}, allocated: map[uint32]struct{}{}}
	for i := range rows {
		c.add(&rows[i])
	}
	return c
}

func (c *rollup) add(v *version) {
	switch {
	case v.rung == 0:
	case v.allocated != nil:
		c.allocated[v.pledge] = struct{}{}
	default:
		one := c.at(v)
		one.pledges++
		one.sum.promised, one.sum.present = one.promised.add(v.promised), one.present.add(v.present)
		one.sum.onTop = one.onTop.add(v.onTop)
	}
}

// remove takes back what add has done.
func (c *rollup) remove(v *version) {
	switch {
	case v.rung == 0:
	case v.allocated != nil:
		delete(c.allocated, v.pledge)
	default:
		one := c.at(v)
		one.pledges--
		one.sum.promised, one.sum.present = one.promised.subtract(v.promised),
			one.present.subtract(v.present)
		one.sum.onTop = one.onTop.subtract(v.onTop)
	}
}

func (c *rollup) at(v *version) *rollupRow {
	key := rollupKey{v.promisedKind, v.presentKind, v.nation, v.flags, v.rung}
	i, ok := c.of[key]
	if !ok {
		i = len(c.all)
		c.of[key] = i
		c.all = append(c.all,
			rollupRow{sum: version{amounts: amounts{promisedKind: v.promisedKind,
				presentKind: v.presentKind, nation: v.nation, flags: v.flags, rung: v.rung}}})
	}
	return &c.all[i]
}

// each calls do for each row as if it were one version, with how many pledges it is of; and for
// each version that has allocations.
func (c *rollup) each(rows []version, do func(v *version, pledges int)) {
	for i := range c.all {
		if one := &c.all[i]; one.pledges > 0 {
			do(&one.sum, one.pledges)
		}
	}
	for no := range c.allocated {
		do(&rows[no], 1)
	}
}

// A total is a sum of numbers that are not negative, of which any can be taken back. It gives its
// number each time. In between it may be less than nothing, as where what is taken back is summed
// apart from what was there.
type total struct{ high, low uint64 }

func (t *total) add(n int64) int64 {
	if t.low += uint64(n); t.low < uint64(n) {
		t.high++
	}
	return t.number()
}

func (t *total) subtract(n int64) int64 {
	if t.low < uint64(n) {
		t.high--
	}
	t.low -= uint64(n)
	return t.number()
}

// plus adds another total.
func (t *total) plus(other total) {
	var carry uint64
	t.low, carry = wide.Add64(t.low, other.low, 0)
	t.high, _ = wide.Add64(t.high, other.high, carry)
}

// number is the sum, or the largest number: as [add] has it.
func (t *total) number() int64 {
	if t.high > 0 || t.low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(t.low)
}
