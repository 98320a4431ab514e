package projections

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// show tells versions in an order of their own, with their shares.
func (p *Picture) show(each func(*Basis, func(*version)), b Basis) string {
	var all []string
	each(&b, func(v *version) {
		s := fmt.Sprint(p.pledges[v.pledge].id, " ", v.amounts)
		for _, share := range v.shares() {
			s += fmt.Sprint(" ", share.line.name, " ", share.id, " ", share.promised, " ",
				share.present)
		}
		all = append(all, s)
	})
	slices.Sort(all)
	return fmt.Sprint(all)
}

// drawWhatIf draws what may be supposed, without what only folding can answer.
func drawWhatIf(t *rapid.T) *WhatIf {
	return rapid.SampledFrom([]*WhatIf{nil, {}, {Without: []events.Nation{"FRA", "GBR"}},
		{WithoutConditional: true}, {WithoutCaveated: true}}).Draw(t, "what if")
}

// Whatever the table of versions says of a moment is what folding every pledge's facts up to there
// says; and the index of the last record, kept from question to question, says the same as the
// table.
func TestVersionsEqualFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := NewPicture()
		for _, rec := range s.All {
			if err := p.Apply(rec); err != nil {
				t.Fatal(err)
			}
			b := must[Basis](t)(p.basisAtRung(Moment{On: day(rapid.IntRange(1, 9).Draw(t, "on")),
				WhatIf: drawWhatIf(t)}))
			if got, want := p.show(p.each, b), p.show(p.eachFolded, b); got != want {
				t.Fatalf("now, on %s:\n%s\na fold says\n%s", b.On, got, want)
			}
		}
		for range 10 {
			m := s.moment()
			m.WhatIf = drawWhatIf(t)
			b := must[Basis](t)(p.basisAtRung(m))
			want := p.show(p.eachFolded, b)
			if got := p.show(p.eachKnown, b); got != want {
				t.Fatalf("as of %d on %s:\n%s\na fold says\n%s", b.AsOf, b.On, got, want)
			}
			if got := p.show(p.eachOfStretches, b); got != want {
				t.Fatalf("stretches as of %d on %s:\n%s\na fold says\n%s", b.AsOf, b.On, got, want)
			}
		}
	})
}

// eachOfStretches finds a moment among all stretches.
func (p *Picture) eachOfStretches(b *Basis, do func(*version)) {
	p.eachStretch(b, func(days stretch, v *version) {
		if days.from <= b.On && b.On <= days.until {
			do(v)
		}
	})
}
