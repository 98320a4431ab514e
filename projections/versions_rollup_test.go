package projections

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/events"
)

// Coverage without the pledges, which adds up the rows of a rollup, has the same lines as coverage
// with them, which adds up pledges; and strength is that of a fold of every pledge: record by
// record, so that a rollup is kept from one to the next.
func TestRollupEqualsPledges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPicture()
		for _, rec := range newStory(t).All {
			if err := p.Apply(rec); err != nil {
				t.Fatal(err)
			}
			m := Moment{On: day(rapid.IntRange(1, 9).Draw(t, "on")),
				Rung: rapid.SampledFrom(Rungs()).Draw(t, "rung"), WhatIf: drawWhatIf(t)}
			brief, whole := must[Coverage](t)(p.Coverage(t.Context(), m,
				CoverageFilter{Brief: true})),
				must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
			for i := range whole.Lines {
				whole.Lines[i].Counted = nil
			}
			if diff := cmp.Diff(whole.Lines, brief.Lines,
				cmp.Comparer(func(a, b events.Quantity) bool { return a == b })); diff != "" {
				t.Fatalf("as of record %d, %+v:\n%s", p.Sequence(), m, diff)
			}
			b := must[Basis](t)(p.basisAtRung(m))
			got, want := p.sum(&b, must[[]*operation](t)(p.chosen(b.AsOf, "")), Filter{},
				strengthGroups), sums{}
			p.eachFolded(&b, func(v *version) {
				n, no, known := v.amount(b.Rung)
				if v.rung >= b.Rung {
					k := p.kinds.names[no]
					want.of(groupKey{k.operation.name, p.nations.names[v.nation], k.role,
						k.unit}.by(strengthGroups)).add(v, b.Rung, n, known, 1)
				}
			})
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{}, groupKey{})); diff != "" {
				t.Fatalf("strength as of record %d, %+v:\n%s", p.Sequence(), m, diff)
			}
		}
	})
}

// A total is exact beyond what its number can say.
func TestTotal(t *testing.T) {
	var sum total
	for range 3 {
		equal(t, "more than there is", sum.add(math.MaxInt64), math.MaxInt64)
	}
	sum.add(7)
	for range 2 {
		sum.subtract(math.MaxInt64)
	}
	equal(t, "still more", sum.number(), math.MaxInt64)
	equal(t, "what is left", sum.subtract(math.MaxInt64), 7)
}
