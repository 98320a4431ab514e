package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

func TestDigest(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 1000)
	fra := l.offer("FRA", 600)
	l.offer("ITA", 100).move("pledge.accepted", 3)
	from := l.Last()
	fra.move("pledge.withdrawn", 4)
	l.offer("DEU", 300)
	p := l.picture()
	d := must[Diff](t)(p.Diff(t.Context(), Moment{AsOf: from, On: day(20)}, Moment{On: day(20)},
		Filter{}))
	due := must[Dues](t)(p.Due(t.Context(), Moment{On: day(20)}, Filter{}, 30))
	var told []string
	for _, s := range DigestOf(&d, &due).Sections {
		for _, one := range s.Items {
			told = append(told, fmt.Sprintf("%s: %s (%d)", s.Name, one.Sentence, one.Sequence))
		}
	}
	got := strings.Join(told, "\n")
	for _, want := range []string{
		fmt.Sprintf("new: Germany: 300 personnel for ground, offered (%d)", l.Last()),
		fmt.Sprintf("gone: France: 600 personnel for ground, withdrawn (%d)", from+1),
		"worse: west lacks 600 of 1,000 personnel (lacked 300)",
		"overdue: Italy's 100 personnel for ground were accepted on " + day(3).String(),
		"overdue: Germany's 300 personnel for ground were offered on ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "muster ") {
		t.Errorf("a command stands in a digest:\n%s", got)
	}
}

// What has become less is not further on, what has come back and what is not asked for any more are
// told, and so is how much is left out.
func TestDigestTellsEveryKind(t *testing.T) {
	live := func(rung Rung) *PledgeStand {
		return &PledgeStand{State: Live, Rung: rung, Role: "ground", Unit: "personnel",
			Quantity: events.Unit("personnel").Of(5)}
	}
	gone := func(s State) *PledgeStand { p := live(Offered); p.State = s; return p }
	line := func(required, gap int64) *LineStand {
		return &LineStand{Unit: "personnel", Required: events.Unit("personnel").Of(required),
			Gap: events.Unit("personnel").Of(gap), Essential: true}
	}
	d := Diff{PledgesMore: 3}
	for _, p := range [][2]*PledgeStand{{live(Deployed), live(Confirmed)},
		{live(Offered), live(Accepted)}, {gone(Withdrawn), live(Offered)},
		{gone(Lapsed), gone(Withdrawn)}, {live(Offered), gone(Withdrawn)}} {
		d.Pledges = append(d.Pledges, PledgeDiff{Nation: "FRA", From: p[0], To: p[1]})
	}
	for i, l := range [][2]*LineStand{{line(9, 4), nil}, {nil, line(9, 0)}, {nil, line(9, 2)},
		{line(9, 0), line(8, 0)}, {line(9, 1), line(9, 1)}, {line(9, 4), line(9, 5)}} {
		d.Lines = append(d.Lines, LineDiff{Line: events.Line(fmt.Sprint("l", i)), From: l[0],
			To: l[1]})
	}
	g := DigestOf(&d, &Dues{})
	var got []string
	for _, s := range g.Sections {
		for _, i := range s.Items {
			got = append(got, s.Name+": "+i.Sentence)
		}
	}
	want := []string{
		"back: France: 5 personnel for ground, offered (was withdrawn)",
		"gone: France: 5 personnel for ground, withdrawn",
		"further: France: 5 personnel for ground, accepted (was offered)",
		"changed: France: 5 personnel for ground, confirmed (was deployed)",
		"worse: l5 lacks 5 of 9 personnel (lacked 4), essential",
		"asked: l0 is not in force any more (asked for 9 personnel), essential",
		"asked: l1 asks for 9 personnel, and is met (was not in force), essential",
		"asked: l2 lacks 2 of 9 personnel (was not in force), essential",
		"asked: l3 asks for 8 personnel (was 9), essential"}
	if !slices.Equal(got, want) || g.PledgesMore != 3 {
		t.Errorf("%d more, and\n%s\nwant\n%s", g.PledgesMore, strings.Join(got, "\n"),
			strings.Join(want, "\n"))
	}
}
