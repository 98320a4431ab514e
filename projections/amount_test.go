package projections

import (
	"fmt"
	"testing"

	"muster/events"
)

// bounded are terms of which so much is known of a quantity that is unknown.
func bounded(least, most int64) func(*events.PledgeTerms) {
	return func(t *events.PledgeTerms) {
		t.Quantity = events.Unknown
		if least > 0 {
			t.Least = events.Count(least)
		}
		if most > 0 {
			t.Most = events.Count(most)
		}
	}
}

// Of "10 to 14" ten are supply, and four may come on top; of "at least 4" four are, and nobody has
// said how much may come; of "up to 18" nothing is known to come, and unknown is not 0.
func TestAmountsThatAreBounded(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	fra := l.offer("FRA", 1, bounded(10, 14))
	l.offer("DEU", 1, bounded(4, 0))
	l.offer("NOR", 1, bounded(0, 18))
	l.offer("ITA", 1, bounded(70, 70))
	l.offer("ESP", 3)
	p, ctx, now := l.picture(), t.Context(), Moment{On: day(9)}
	line := must[Coverage](t)(p.Coverage(ctx, now, CoverageFilter{})).Lines[0]
	equal(t, "coverage", fmt.Sprint(line.Supply, line.Gap, line.OnTop, line.OnTopOpen, line.Unknown,
		line.UnknownBy), "87 13 4 1 1 [NOR]")
	brief := must[Coverage](t)(p.Coverage(ctx, now, CoverageFilter{Brief: true})).Lines[0]
	equal(t, "in brief", fmt.Sprint(brief.Supply, brief.OnTop, brief.OnTopOpen), "87 4 1")
	sum := must[Strength](t)(p.Strength(ctx, now, Filter{}, nil)).Totals[0]
	equal(t, "strength", fmt.Sprint(sum.Quantity, sum.Pledges, sum.Unknown, sum.OnTop,
		sum.OnTopOpen), "87 4 1 4 1")
	e := must[Explanation](t)(p.ExplainStrength(ctx, now, Filter{Nation: "FRA"}))
	equal(t, "explained", fmt.Sprint(e.Parts[0].Quantity, " ", e.Parts[0].Sentence),
		"10 10 to 14 personnel are offered since 2026-01-01.")
	e = must[Explanation](t)(p.ExplainStrength(ctx, now, Filter{Nation: "NOR"}))
	equal(t, "not counted", e.NotCounted[0].Sentence, "Norway pledges up to 18 personnel for "+
		"ground: how much is not known, and unknown is not 0.")
	gaps := must[Gaps](t)(p.Gaps(ctx, now, CoverageFilter{})).Gaps
	equal(t, "gaps", fmt.Sprint(gaps[0].Missing, gaps[0].OnTop, gaps[0].OnTopOpen), "13 4 1")
	line2 := must[Timeline](t)(p.Timeline(ctx, now, TimelineFilter{
		Days: events.Window{From: day(9), Until: day(9)}, Step: ByChange})).Lines[0].Points[0]
	equal(t, "over time", fmt.Sprint(line2.Supply, line2.Unknown, line2.OnTop, line2.OnTopOpen,
		line2.Rungs), "87 1 4 1 [87 87 0 0 0]")
	one := must[Pledge](t)(p.Pledge(ctx, now, fra.id))
	equal(t, "the pledge", fmt.Sprint(one.Quantity, one.Least, one.Most), "unknown 10 14")
	equal(t, "its life", must[[]LifeEvent](t)(p.Life(ctx, now, fra.id))[0].Sentence,
		"France offers 10 to 14 personnel for ground, from 2026-01-01")
	v := must[PledgeVersions](t)(p.Versions(ctx, now, fra.id)).Versions[0]
	equal(t, "its version", fmt.Sprint(v.Quantity, v.Least, v.Most, " ", v.Sentence),
		"unknown 10 14 offered: 10 to 14 personnel for ground")

	// What is allocated of it is of what is sure; and what it becomes is told.
	fra.allocate(2, "west", 8, events.Window{From: day(1)})
	before := l.Last()
	fra.amend(3, pledgeTerms(12))
	p = l.picture()
	was := Moment{AsOf: before, On: day(9)}
	c := must[Coverage](t)(p.Coverage(ctx, was, CoverageFilter{}))
	equal(t, "allocated", fmt.Sprint(c.Lines[0].Supply, c.NotCounted[0].Quantity,
		c.NotCounted[0].Reason), "85 2not-allocated")
	d := must[Diff](t)(p.Diff(ctx, was, now, Filter{}))
	equal(t, "the difference", fmt.Sprint(len(d.Pledges), d.Pledges[0].To.Quantity), "1 12")
}

// "Up to 18" counts for nothing, and yet it is not the same as "up to 20", or as no word of how
// much.
func TestAnUpperLimitAloneIsTold(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 100)
	nor := l.offer("NOR", 1, bounded(0, 0))
	before := l.Last()
	said := []string{"unknown personnel"}
	for i, most := range []int64{18, 20} {
		nor.amend(3+i, pledgeTerms(1, bounded(0, most)))
		said = append(said, fmt.Sprintf("up to %d personnel", most))
	}
	p, ctx := l.picture(), t.Context()
	for i := range 2 {
		was := Moment{AsOf: before + uint64(i), On: day(9)}
		is := Moment{AsOf: before + uint64(i) + 1, On: day(9)}
		d := must[Diff](t)(p.Diff(ctx, was, is, Filter{}))
		equal(t, "the difference",
			fmt.Sprint(len(d.Lines), len(d.Strength), len(d.Pledges)), "0 0 1")
		equal(t, "from "+said[i], fmt.Sprint(d.Pledges[0].From.Amount(), " ",
			d.Pledges[0].To.Amount(), " ", len(d.Pledges[0].Records)),
			fmt.Sprint(said[i][:len(said[i])-len(" personnel")], " ",
				said[i+1][:len(said[i+1])-len(" personnel")], " 1"))
	}
	v := must[PledgeVersions](t)(p.Versions(ctx, Moment{On: day(9)}, nor.id)).Versions
	equal(t, "versions", v[len(v)-1].Sentence, "offered: "+said[2]+" for ground")
	equal(t, "the most", v[len(v)-1].Most.String(), "20")
	line := must[Coverage](t)(p.Coverage(ctx, Moment{On: day(9)}, CoverageFilter{})).Lines[0]
	equal(t, "coverage", fmt.Sprint(line.Supply, line.OnTop, line.Unknown), "0  1")
}

// A pledge is found by the nation's own number of it.
func TestPledgesByReference(t *testing.T) {
	l := newTestLedger(t)
	l.offer("FRA", 10, func(t *events.PledgeTerms) { t.Reference = "NV 12/2026" })
	deu := l.offer("DEU", 10)
	deu.amend(3, pledgeTerms(10, func(t *events.PledgeTerms) { t.Reference = "NV 13/2026" }))
	p := l.picture()
	for reference, want := range map[string]string{"NV 12/2026": "FRA", "NV 13/2026": "DEU",
		"nv 12/2026": "", "NV": ""} {
		got := ""
		for _, one := range must[PledgeList](t)(p.Pledges(t.Context(), Moment{On: day(9)},
			PledgeFilter{Reference: reference})).Pledges {
			got += string(one.Nation)
		}
		equal(t, reference, got, want)
	}
	life := must[[]LifeEvent](t)(p.Life(t.Context(), Moment{}, deu.id))
	equal(t, "its life", life[1].Sentence, "Germany changes it to 10 personnel for ground, "+
		"from 2026-01-01, reference NV 13/2026")
}

// A ledger from before currencies were asked for has three capitals that are none, and is read and
// answered as ever.
func TestUnitsFromBefore(t *testing.T) {
	l := newTestLedger(t)
	l.say("HQ/founder", &events.OperationOpened{Header: l.head("operation.opened"), Dated: dated(1),
		OperationTerms: events.OperationTerms{Operation: "op-old", Title: "Old",
			Roles: []events.RoleDefinition{{Role: "armour", Title: "Armour",
				Units: []events.Unit{"IFV"}}}}})
	l.say(liaison("SWE"), &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(1),
		Place: events.Place{Operation: "op-old", Nation: "SWE"},
		PledgeTerms: events.PledgeTerms{Role: "armour", Unit: "IFV",
			Quantity: events.Unit("IFV").Of(3100), Window: events.Window{From: day(1)}}})
	for i := range l.All {
		if _, err := events.ParseRecord(l.All[i].Sequence, l.All[i].Stored); err != nil {
			t.Error(err)
		}
	}
	sum := must[Strength](t)(l.picture().Strength(t.Context(), Moment{On: day(9)}, Filter{},
		nil)).Totals[0]
	equal(t, "strength", fmt.Sprint(sum.Quantity, " ", sum.Unit), "31.00 IFV")
}
