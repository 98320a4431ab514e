package projections

import (
	"fmt"
	"strings"
	"testing"

	"muster/events"
)

// newQueried returns a ledger in which questions were put about a pledge, and one was answered.
func newQueried(t tb) (l *testLedger, p testPledge, toFrance, toHQ events.ID) {
	l = newTestLedger(t)
	p = l.offer("FRA", 100)
	toFrance = p.asks("HQ/founder", 3, "FRA", "When does parliament vote?", day(20))
	toHQ = p.asks("FRA/paris", 4, events.HQ, "Which line is it for?", 0)
	p.answers("HQ/founder", 6, toHQ, "For the west.")
	return l, p, toFrance, toHQ
}

// A question stands in what is due, for whom it waits, until it is answered; and in the pledge, and
// its life.
func TestQueries(t *testing.T) {
	l, pl, toFrance, toHQ := newQueried(t)
	p := l.picture()
	due := func(m Moment) string {
		var all []string
		for _, d := range must[Dues](t)(p.Due(t.Context(), m, Filter{Nation: "FRA"}, 5)).Due {
			if d.Kind == WaitsForReply {
				all = append(all, fmt.Sprint(d.WaitsFor, " by ", d.By, " since ", d.Since, ": ",
					d.Sentence))
			}
		}
		return strings.Join(all, "\n")
	}
	command := ": muster pledge answer " + pl.id.String() + " --query "
	fromHQ := fmt.Sprintf("nation by %s since %s: The coordinators ask France, to be answered by "+
		"%s, about France's 100 personnel for ground, since %s “When does parliament vote?”%s%s "+
		"--text TEXT", day(20), day(3), day(20), day(3), command, toFrance)
	toThem := fmt.Sprintf("coordinators by  since %s: France asks the coordinators, about "+
		"France's 100 personnel for ground, since %s “Which line is it for?”%s%s --text TEXT",
		day(4), day(4), command, toHQ)
	equal(t, "before", due(Moment{On: day(2)}), "")
	equal(t, "both", due(Moment{On: day(5)}), fromHQ+"\n"+toThem)
	equal(t, "as known before", due(Moment{On: day(7), AsOf: l.Last() - 1}), fromHQ+"\n"+toThem)
	equal(t, "answered", due(Moment{On: day(7)}), fromHQ)
	equal(t, "past its day", due(Moment{On: day(25)}), fromHQ)

	one := must[Pledge](t)(p.Pledge(t.Context(), Moment{On: day(7)}, pl.id))
	equal(t, "queries", fmt.Sprint(one.Queries), fmt.Sprintf("[{%s FRA When does parliament vote? "+
		"%s %s %d}]", toFrance, day(20), day(3), pl.seq+1))
	var life []string
	for _, e := range must[[]LifeEvent](t)(p.Life(t.Context(), Moment{}, pl.id))[1:] {
		life = append(life, e.Sentence)
	}
	equal(t, "life", strings.Join(life, "\n"), fmt.Sprintf("The coordinators ask France, to be "+
		"answered by %s: When does parliament vote?\nFrance asks the coordinators: Which line is "+
		"it for?\nAnswered: For the west.", day(20)))
	pl.move("pledge.withdrawn", 8)
	p = l.picture()
	equal(t, "ended", due(Moment{On: day(9)}), "")
	one = must[Pledge](t)(p.Pledge(t.Context(), Moment{On: day(9)}, pl.id))
	equal(t, "queries of what has ended", len(one.Queries), 0)
}

// Whose a pledge is has a capital letter where a sentence begins, and not within one.
func TestQueryNamesThePledgeWithinASentence(t *testing.T) {
	l := newTestLedger(t)
	l.offer("GBR", 12).asks("HQ/founder", 3, "GBR", "When?", 0)
	p := l.picture()
	said := fmt.Sprint(must[Dues](t)(p.Due(t.Context(), Moment{On: day(5)}, Filter{}, 5)).Due)
	for _, want := range []string{"The United Kingdom's 12 personnel for ground were offered",
		"The coordinators ask the United Kingdom, about the United Kingdom's 12 personnel"} {
		if !strings.Contains(said, want) {
			t.Errorf("%s\nlacks %s", said, want)
		}
	}
}
