package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

// A pledge whose beginning is struck was never made: from that record on it is in no answer but
// where one asks for what was struck, and as of before all is as it was.
func TestStruckAtItsBeginning(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	aut := l.offer("AUT", 400)
	aut.move("pledge.accepted", 2)
	aut.condition("condition.added", 2, "parliament")
	l.offer("DEU", 10, func(t *events.PledgeTerms) {
		t.Predecessor, t.From = aut.id, day(5)
	})
	l.offer("FRA", 7, func(t *events.PledgeTerms) {
		t.From, t.Until, t.Successor = day(1), day(12), aut.id
	})
	before := l.Last()
	struck := aut.correct(aut.seq, 1, func(c *events.PledgeCorrected) {
		c.Struck, c.Reason = true, "it was Australia"
	})
	p, ctx := l.picture(), t.Context()
	then, now := Moment{AsOf: before, On: day(9)}, Moment{On: day(9)}
	equal(t, "as of before", tellSums(t, p, then), "west 417 of 1000; ")
	equal(t, "now", tellSums(t, p, now), "west 17 of 1000; ")

	var nations []string
	for _, n := range must[Nations](t)(p.Nations(ctx, now, "", "")).Nations {
		nations = append(nations, string(n.Nation))
	}
	equal(t, "nations", strings.Join(nations, " "), "DEU FRA")
	page := must[NationPage](t)(p.Nation(ctx, now, "AUT", ""))
	equal(t, "its page", fmt.Sprint(len(page.Pledges), len(page.Roles), len(page.Counted),
		len(page.NotCounted)), "0 0 0 0")
	equal(t, "strength", len(must[Strength](t)(p.Strength(ctx, now, Filter{Nation: "AUT"},
		[]string{"nation"})).Rows), 0)
	equal(t, "delivery", len(must[Deliveries](t)(p.Delivery(ctx, now,
		Filter{Nation: "AUT"})).Deliveries), 0)
	equal(t, "due", len(must[Dues](t)(p.Due(ctx, now, Filter{Nation: "AUT"}, 9)).Due), 0)
	for _, e := range []Explanation{
		must[Explanation](t)(p.ExplainCoverage(ctx, now, "op-a", "west")),
		must[Explanation](t)(p.ExplainStrength(ctx, now, Filter{}))} {
		for _, part := range slices.Concat(e.Parts, e.NotCounted) {
			if part.Nation == "AUT" {
				t.Errorf("what was struck explains something: %+v", part)
			}
		}
	}
	found := ""
	for _, f := range must[Review](t)(p.Review(ctx, now, Filter{})).Findings {
		found += string(f.Kind) + " " + string(f.Nation) + " " + f.Sentence + "; "
	}
	for _, n := range []string{"Germany's", "France's"} {
		if !strings.Contains(found, "of "+n+" pledge, "+aut.id.String()+", was struck, as never "+
			"said") {
			t.Errorf("the hand-over that is open is not found: %s", found)
		}
	}
	ends := func(m Moment) (text string) {
		for _, d := range must[Dues](t)(p.Due(ctx, m, Filter{Nation: "FRA"}, 9)).Due {
			text += string(d.Kind) + " "
		}
		return text
	}
	equal(t, "a successor is there", ends(then), "waits ")
	equal(t, "it is named still, and nobody is there", ends(now), "ends-unrelieved waits ")
	hand := must[Timeline](t)(p.Timeline(ctx, now, TimelineFilter{Days: events.Window{From: day(1),
		Until: day(28)}, Step: ByChange}))
	equal(t, "hand-overs", len(hand.HandOvers), 0)

	d := must[Diff](t)(p.Diff(ctx, then, now, Filter{}))
	equal(t, "causes", tellCauses(d), fmt.Sprintf("west supply  %[1]d; west supply from "+
		"indicated up  %[1]d; west supply from offered up  %[1]d; west supply from accepted up  "+
		"%[1]d; west of which AUT %[1]d; west gap  %[1]d; west conditional  %[1]d; ", struck))
	if one := d.Pledges[0]; len(d.Pledges) != 1 || one.To != nil || len(one.Records) != 1 ||
		one.Records[0].Sequence != struck {
		t.Errorf("the difference is %+v", d.Pledges)
	}

	equal(t, "listed", len(must[PledgeList](t)(p.Pledges(ctx, now, PledgeFilter{})).Pledges), 2)
	list := must[PledgeList](t)(p.Pledges(ctx, now, PledgeFilter{State: Struck})).Pledges
	if len(list) != 1 || list[0].ID != aut.id || list[0].State != Struck ||
		list[0].Last != struck || list[0].Quantity != events.Count(400) {
		t.Errorf("what was struck is listed as %+v", list)
	}
	life := must[[]LifeEvent](t)(p.Life(ctx, now, aut.id))
	equal(t, "its life", fmt.Sprint(len(life), life[0].CorrectedBy, life[1].CorrectedBy),
		fmt.Sprint(4, struck, struck))
	equal(t, "why", life[3].Sentence, fmt.Sprintf("Corrected: record %d should never have been "+
		"made, nor all that was said of the pledge since: it was Australia", aut.seq))
	c := must[Corrections](t)(p.Corrections(ctx, now, Filter{Role: "ground"})).Corrections
	equal(t, "corrections", fmt.Sprint(len(c), c[0].Sequence, c[0].Mends.Sequence),
		fmt.Sprint(1, struck, aut.seq))
	counting := must[Counting](t)(p.Counting(ctx, now, aut.seq))
	equal(t, "counted then", counting.Then[1].Counted[0].Quantity, events.Count(400))
	equal(t, "counted now", counting.Now[1].NotCounted[0].Sentence,
		fmt.Sprintf("Record %d has struck it: it was never to be said.", struck))
	v := must[PledgeVersions](t)(p.Versions(ctx, now, aut.id)).Versions[0]
	equal(t, "its version is known until then", v.KnownTo > 0, true)
}

// Before it is signed, it is shown what it would change.
func TestStrikingIsPreviewed(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	aut := l.offer("AUT", 400)
	st := &events.PledgeCorrected{Header: l.head("pledge.corrected"), Dated: dated(1),
		Place: place("AUT"), Pledge: aut.id, Corrects: aut.id, Struck: true, Reason: "a slip"}
	p := l.picture()
	preview := must[Preview](t)(p.Preview(t.Context(), Moment{On: day(9)}, []events.Statement{st}))
	if len(preview.Effects) == 0 || preview.Effects[0].Lines[0].To.Supply != events.Count(0) {
		t.Errorf("the preview is %+v", preview)
	}
	equal(t, "and nothing has changed", tellSums(t, p, Moment{On: day(9)}), "west 400 of 1000; ")
}
