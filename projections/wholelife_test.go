package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

// tellSums tells supply and gap of each line, and the reasons of what does not count.
func tellSums(t *testing.T, p *Picture, m Moment) string {
	t.Helper()
	c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
	text := ""
	for _, l := range c.Lines {
		text += fmt.Sprint(l.Line, " ", l.Supply, " of ", l.Required, "; ")
	}
	for _, n := range c.NotCounted {
		text += fmt.Sprint(n.Nation, " ", n.Quantity, " ", n.Reason, "; ")
	}
	return text
}

// A pledge stands through the day on which it expires, and has lapsed on the next: no record and no
// clock is needed.
func TestLapse(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	expires := func(on int) func(*events.PledgeTerms) {
		return func(t *events.PledgeTerms) { t.Expires = day(on) }
	}
	plain := l.offer("FRA", 10, expires(5))
	renewed := l.offer("DEU", 20, expires(5))
	renewed.renew(5, 9)
	amended := l.offer("ITA", 30, expires(5))
	amended.amend(4, pledgeTerms(31))
	deployed := l.offer("ESP", 40, expires(5))
	deployed.move("pledge.accepted", 2)
	deployed.move("pledge.confirmed", 3)
	deployed.deploy(4, 39)
	p := l.picture()
	for on, want := range map[int]string{5: "west 101 of 100; ", 6: "west 91 of 100; ",
		9: "west 91 of 100; ", 10: "west 71 of 100; ", 28: "west 71 of 100; "} {
		equal(t, fmt.Sprint("on the ", on), tellSums(t, p, Moment{On: day(on)}), want)
	}
	for id, want := range map[events.ID]State{plain.id: Lapsed, renewed.id: Lapsed,
		amended.id: Live, deployed.id: Live} {
		one := must[Pledge](t)(p.Pledge(t.Context(), Moment{On: day(20)}, id))
		equal(t, fmt.Sprint(one.Nation), one.State, want)
	}
	one := must[Pledge](t)(p.Pledge(t.Context(), Moment{On: day(20)}, plain.id))
	equal(t, "ended", one.Ended, day(6))
}

// A renewal that is recorded late changes what holds on the days since, and nothing that was known
// before.
func TestLateRenewal(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	p := l.offer("FRA", 10, func(t *events.PledgeTerms) { t.Expires = day(5) })
	before := l.Last()
	p.renew(4, 20)
	picture := l.picture()
	equal(t, "as of before", tellSums(t, picture, Moment{AsOf: before, On: day(10)}),
		"west 0 of 100; ")
	equal(t, "now", tellSums(t, picture, Moment{On: day(10)}), "west 10 of 100; ")
}

// A correction holds in the place of what it mends, from its record on.
func TestCorrections(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	p := l.offer("FRA", 10)
	p.amend(5, pledgeTerms(50))
	right := pledgeTerms(100)
	before := l.Last()
	first := p.correct(p.seq, 2, func(c *events.PledgeCorrected) { c.Terms = &right })
	picture := l.picture()
	equal(t, "as of before", tellSums(t, picture, Moment{AsOf: before, On: day(3)}),
		"west 10 of 1000; ")
	equal(t, "the terms", tellSums(t, picture, Moment{On: day(3)}), "west 100 of 1000; ")
	equal(t, "the date", tellSums(t, picture, Moment{On: day(1)}), "west 0 of 1000; ")
	equal(t, "the amendment still follows", tellSums(t, picture, Moment{On: day(5)}),
		"west 50 of 1000; ")

	withdrawn := p.move("pledge.withdrawn", 7)
	struck := p.correct(withdrawn, 7, func(c *events.PledgeCorrected) { c.Struck = true })
	picture = l.picture()
	equal(t, "withdrawn", tellSums(t, picture, Moment{AsOf: withdrawn, On: day(8)}),
		"west 0 of 1000; ")
	equal(t, "never withdrawn", tellSums(t, picture, Moment{AsOf: struck, On: day(8)}),
		"west 50 of 1000; ")

	life := must[[]LifeEvent](t)(picture.Life(t.Context(), Moment{}, p.id))
	equal(t, "events", len(life), 5)
	equal(t, "corrected by", life[0].CorrectedBy, first)
	equal(t, "the withdrawal by", life[3].CorrectedBy, struck)
	c := must[Coverage](t)(picture.Coverage(t.Context(), Moment{On: day(3)}, CoverageFilter{}))
	equal(t, "sequences", fmt.Sprint(c.Lines[0].Counted[0].Sequences),
		fmt.Sprint([]uint64{p.seq, first}))
}

// What is allocated counts where it was put, the rest of the pledge nowhere, and a pledge that was
// lowered no more than it has.
func TestAllocations(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.need("east", 100)
	p := l.offer("FRA", 90)
	first := p.allocate(3, "west", 50, events.Window{From: day(3)})
	p.allocate(3, "east", 30, events.Window{From: day(4), Until: day(9)})
	picture := l.picture()
	for on, want := range map[int]string{
		2:  "west 0 of 100; east 0 of 100; FRA 90 several-lines; ",
		3:  "west 50 of 100; east 0 of 100; FRA 40 not-allocated; ",
		4:  "west 50 of 100; east 30 of 100; FRA 10 not-allocated; ",
		10: "west 50 of 100; east 0 of 100; FRA 40 not-allocated; ",
	} {
		equal(t, fmt.Sprint("on the ", on), inOrder(tellSums(t, picture, Moment{On: day(on)})),
			inOrder(want))
	}
	p.amend(6, pledgeTerms(60))
	equal(t, "lowered", inOrder(tellSums(t, l.picture(), Moment{On: day(6)})),
		inOrder("west 50 of 100; east 10 of 100; "))
	p.release(7, first)
	equal(t, "released", inOrder(tellSums(t, l.picture(), Moment{On: day(7)})),
		inOrder("west 0 of 100; east 30 of 100; FRA 30 not-allocated; "))
	l.cancel(8, "east")
	equal(t, "cancelled", tellSums(t, l.picture(), Moment{On: day(8)}),
		"west 0 of 100; FRA 30 line-not-in-force; FRA 30 not-allocated; ")
}

// A caveat leaves the supply as it is, and stands beside it until it is lifted.
func TestCaveats(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.offer("DEU", 5)
	p := l.offer("FRA", 90)
	p.caveat("caveat.declared", 3, "by-day")
	p.caveat("caveat.lifted", 6, "by-day")
	picture := l.picture()
	for on, want := range map[int]string{2: "95 0", 3: "95 90by-day", 5: "95 90by-day", 6: "95 0"} {
		line := must[Coverage](t)(picture.Coverage(t.Context(), Moment{On: day(on)},
			CoverageFilter{})).Lines[0]
		caveats := ""
		for _, c := range line.Counted {
			for _, name := range c.Caveats {
				caveats += string(name)
			}
		}
		equal(t, fmt.Sprint("on the ", on), fmt.Sprint(line.Supply, line.Caveated, caveats), want)
	}
}

// What is supposed is supposed of every sum, and nothing is changed by asking.
func TestWhatIf(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	l.offer("DEU", 1)
	l.offer("FRA", 2).condition("condition.added", 1, "parliament")
	l.offer("ITA", 4).caveat("caveat.declared", 1, "by-day")
	failed := l.offer("ESP", 8)
	failed.condition("condition.added", 1, "money")
	failed.condition("condition.failed", 1, "money")
	p := l.picture()
	for _, test := range []struct {
		w    *WhatIf
		want string
	}{
		{nil, "7 hanging 2"},
		{&WhatIf{}, "7 hanging 2"},
		{&WhatIf{Without: []events.Nation{"DEU", "ITA"}}, "2 hanging 2"},
		{&WhatIf{WithoutConditional: true}, "5 hanging 0"},
		{&WhatIf{WithoutCaveated: true}, "3 hanging 2"},
		{&WhatIf{Discharge: []string{"Parliament"}}, "7 hanging 0"},
		{&WhatIf{Discharge: []string{"parliament"}, WithoutConditional: true}, "7 hanging 0"},
		// What will not happen does not happen.
		{&WhatIf{Discharge: []string{"money"}}, "7 hanging 2"},
		{nil, "7 hanging 2"},
	} {
		m := Moment{On: day(9), WhatIf: test.w}
		c := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{}))
		equal(t, fmt.Sprint("coverage ", test.w),
			fmt.Sprint(c.Lines[0].Supply, " hanging ", c.Lines[0].Conditional), test.want)
		s := must[Strength](t)(p.Strength(t.Context(), m, Filter{}, nil)).Totals[0]
		hanging := events.Count(0)
		if !s.Conditional.IsZero() {
			hanging = s.Conditional
		}
		equal(t, fmt.Sprint("strength ", test.w), fmt.Sprint(s.Quantity, " hanging ", hanging),
			test.want)
		if (c.WhatIf == nil) != test.w.IsZero() {
			t.Errorf("%v: the answer does not say what it supposes", test.w)
		}
	}
}

// inOrder sorts what tellSums tells.
func inOrder(told string) string {
	parts := strings.Split(strings.TrimSuffix(told, "; "), "; ")
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
