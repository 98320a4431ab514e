package projections

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// quantities tells the pledges of a list by their quantities.
func quantities(l PledgeList) string {
	var all []string
	for _, p := range l.Pledges {
		all = append(all, p.Quantity.String())
	}
	return strings.Join(all, " ")
}

func TestPledgeList(t *testing.T) {
	l := newTestLedger(t)
	l.open("op-b")
	l.offer("FRA", 1)
	l.offer("DEU", 2).move("pledge.withdrawn", 3)
	l.offer("FRA", 3, func(t *events.PledgeTerms) { t.Role, t.Unit = "air", "aircraft" })
	l.offer("ITA", 4).move("pledge.accepted", 2)
	l.indicate("ESP", 1, 5)
	l.indicate("PRT", 25, 6)
	p := l.picture()
	third := must[PledgeList](t)(p.Pledges(t.Context(), Moment{}, PledgeFilter{})).Pledges[2].
		ID.String()
	for _, test := range []struct {
		name   string
		rung   Rung
		filter PledgeFilter
		want   string
	}{
		{"all", 0, PledgeFilter{}, "1 2 3 4 5 6"},
		{"a nation", 0, PledgeFilter{Filter: Filter{Nation: "FRA"}}, "1 3"},
		{"a role", 0, PledgeFilter{Filter: Filter{Role: "air"}}, "3"},
		{"an operation", 0, PledgeFilter{Filter: Filter{Operation: "op-a"}}, "1 2 3 4 5 6"},
		{"another operation", 0, PledgeFilter{Filter: Filter{Operation: "op-b"}}, ""},
		{"a rung", Offered, PledgeFilter{}, "1 2 3 4"},
		{"a higher rung", Accepted, PledgeFilter{}, "4"},
		{"live", 0, PledgeFilter{State: Live}, "1 3 4 5"},
		{"withdrawn", 0, PledgeFilter{State: Withdrawn}, "2"},
		{"ahead", 0, PledgeFilter{State: Ahead}, "6"},
		{"two", 0, PledgeFilter{Limit: 2}, "1 2"},
		{"a part of its id", 0, PledgeFilter{Part: third[20:]}, "3"},
		{"the whole id", 0, PledgeFilter{Part: third}, "3"},
		{"a part that no id has", 0, PledgeFilter{Part: third + "0"}, ""},
	} {
		equal(t, test.name, quantities(
			must[PledgeList](t)(p.Pledges(t.Context(),
				Moment{AsOf: 0, On: day(20), Rung: test.rung}, test.filter))), test.want)
	}
	early := must[PledgeList](t)(p.Pledges(t.Context(), Moment{AsOf: 4, On: day(20)},
		PledgeFilter{}))
	equal(t, "as of the first", quantities(early), "1")
	if _, err := p.Pledges(t.Context(), Moment{},
		PledgeFilter{Filter: Filter{Operation: "op-c"}}); !problem.Is(err, problem.NotFound) {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestPledgePages(t *testing.T) {
	l := newTestLedger(t)
	for i := range 7 {
		l.offer([]events.Nation{"FRA", "DEU"}[i%2], int64(i+1))
	}
	p := l.picture()
	for _, test := range []struct {
		filter Filter
		want   string
	}{{Filter{}, "1 2 3|4 5 6|7"}, {Filter{Nation: "FRA"}, "1 3 5|7"},
		{Filter{Nation: "DEU"}, "2 4 6"}} {
		var pages []string
		f := PledgeFilter{Filter: test.filter, Limit: 3}
		for {
			page := must[PledgeList](t)(p.Pledges(t.Context(), Moment{On: day(20)}, f))
			pages = append(pages, quantities(page))
			if page.Next.IsZero() {
				break
			}
			f.After = page.Next
		}
		equal(t, "pages", strings.Join(pages, "|"), test.want)
	}
}

// IDs need not ascend: importers make them of what they import.
func TestPledgesAreListedByID(t *testing.T) {
	l := newTestLedger(t)
	for i, b := range []byte{7, 3, 9, 1} {
		id := must[events.ID](t)(events.IDAt(uint64(b), [10]byte{}))
		s := &events.PledgeOffered{Header: l.head("pledge.offered"), Dated: dated(1),
			Place: place("FRA"), PledgeTerms: pledgeTerms(int64(i + 1))}
		s.ID = id
		l.say("FRA/liaison", s)
	}
	equal(t, "by ID", quantities(
		must[PledgeList](t)(l.picture().Pledges(t.Context(), Moment{}, PledgeFilter{}))), "4 2 1 3")
}

func TestPledgeOnBothClocks(t *testing.T) {
	l := newTestLedger(t)
	days := 30
	p := l.offer("DEU", 600, func(t *events.PledgeTerms) {
		t.Area, t.NoticeToMove, t.Source, t.Note, t.Until = "west", &days, "a paper",
			"two companies", day(28)
	})
	p.condition("condition.added", 2, "bundestag")
	p.amend(10, pledgeTerms(800))
	p.move("pledge.accepted", 5)
	p.deploy(12, 750)
	picture := l.picture()
	at := func(asOf uint64, on int) Pledge {
		return must[Pledge](t)(picture.Pledge(t.Context(), Moment{AsOf: asOf, On: day(on)}, p.id))
	}
	text := string(must[[]byte](t)(json.Marshal(at(p.seq, 5))))
	equal(t, "at first", text,
		`{"id":"`+p.id.String()+
			`","operation":"op-a","nation":"DEU","role":"ground","quantity":600,"unit":"personnel",`+
			`"rung":"offered","state":"live","area":"west","from":"2026-01-01","until":"2026-01-28","notice_to_move":30,"source":"a paper",`+
			`"note":"two companies","since":"2026-01-01","rung_since":"2026-01-01","first":3,"last":3}`)
	now := at(0, 11)
	equal(t, "quantity on the 11th", now.Quantity.String(), "800")
	equal(t, "rung on the 11th", now.Rung, Accepted)
	equal(t, "rung on the 4th", at(0, 4).Rung, Offered)
	equal(t, "condition", now.Conditions[0],
		Condition{"bundestag", events.Parliament, Hanging, p.seq + 1})
	equal(t, "strength on the 11th", now.Strength.String(), "")
	equal(t, "strength on the 12th", at(0, 12).Strength.String(), "750")
	equal(t, "last as of the amendment", at(p.seq+2, 12).Last, p.seq+2)
	if _, err := picture.Pledge(t.Context(), Moment{AsOf: p.seq - 1}, p.id); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("before it was offered: %v", err)
	}
	if _, err := picture.Pledge(t.Context(), Moment{}, events.NewID()); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("a pledge that is not there: %v", err)
	}
}

func TestPledgeAhead(t *testing.T) {
	l := newTestLedger(t)
	p := l.indicate("PRT", 25, 6)
	one := must[Pledge](t)(l.picture().Pledge(t.Context(), Moment{On: day(20)}, p.id))
	equal(t, "state", one.State, Ahead)
	equal(t, "quantity", one.Quantity.String(), "6")
	equal(t, "since", one.Since, day(25))
}

// A pledge leaves the ladder once: what applies later does not change how.
func TestFirstExitHolds(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("PRT", 6)
	p.move("pledge.returned", 10)
	p.move("pledge.withdrawn", 5)
	picture := l.picture()
	for on, want := range map[int]State{4: Live, 5: Withdrawn, 10: Withdrawn} {
		equal(t, "state", must[Pledge](t)(picture.Pledge(t.Context(), Moment{On: day(on)},
			p.id)).State, want)
	}
	equal(t, "as of the return",
		must[Pledge](t)(picture.Pledge(t.Context(), Moment{AsOf: p.seq + 1, On: day(10)},
			p.id)).State, Returned)
}

func TestConditionKeepsItsKind(t *testing.T) {
	l := newTestLedger(t)
	p := l.offer("DEU", 1)
	p.condition("condition.added", 2, "bundestag")
	p.condition("condition.added", 2, "money")
	p.condition("condition.discharged", 9, "bundestag")
	picture := l.picture()
	states := func(on int) string {
		text, err := json.Marshal(
			must[Pledge](t)(picture.Pledge(t.Context(), Moment{On: day(on)}, p.id)).Conditions)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	equal(t, "on the 8th", states(8),
		`[{"condition":"bundestag","kind":"parliament","state":"open","sequence":4},{"condition":"money","kind":"parliament","state":"open","sequence":5}]`)
	equal(t, "on the 9th", states(9),
		`[{"condition":"bundestag","kind":"parliament","state":"discharged","sequence":6},{"condition":"money","kind":"parliament","state":"open","sequence":5}]`)
}

func TestLife(t *testing.T) {
	l := newTestLedger(t)
	days := 30
	p := l.offer("DEU", 1600, func(t *events.PledgeTerms) {
		t.Area, t.NoticeToMove, t.Note = "west", &days, "two companies"
	})
	p.condition("condition.added", 2, "bundestag")
	p.amend(10, pledgeTerms(1, func(t *events.PledgeTerms) {
		t.Quantity, t.Presence = events.Unknown, events.Reserve
	}))
	p.condition("condition.discharged", 3, "bundestag")
	p.move("pledge.accepted", 3)
	p.move("pledge.confirmed", 4)
	p.deploy(12, 750)
	p.report(13, 760)
	p.move("pledge.returned", 20)
	picture := l.picture()
	life := must[[]LifeEvent](t)(picture.Life(t.Context(), Moment{}, p.id))
	var told []string
	for _, e := range life {
		told = append(told, e.Sentence)
	}
	equal(t, "life", strings.Join(told, "\n"), strings.TrimSpace(`
Germany offers 1,600 personnel for ground in west, from 2026-01-01, at 30 days' notice: two companies
It hangs on the condition bundestag (parliament)
Germany changes it to an unknown number of personnel for ground, from 2026-01-01, in reserve
What it hung on has happened: bundestag
The coordinators accept it
Germany is bound
In place: 750 personnel
Reported in place: 760 personnel
The forces have gone home`))
	third := life[2]
	recorded, _ := picture.Recorded(third.Sequence)
	third.Told = phrase.Phrase{}
	equal(t, "third", fmt.Sprint(third), fmt.Sprint(LifeEvent{Sequence: p.seq + 2,
		Recorded: recorded, Effective: day(10),
		Type: "pledge.amended",
		ID:   l.All[p.seq+1].Statement.Head().ID, Signer: "DEU/liaison", Sentence: third.Sentence}))
	equal(t, "as of the second",
		len(must[[]LifeEvent](t)(picture.Life(t.Context(), Moment{AsOf: p.seq + 1}, p.id))), 2)
	if _, err := picture.Life(t.Context(), Moment{AsOf: p.seq - 1}, p.id); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("before it was offered: %v", err)
	}
}

func TestLifeOfAnObservedPledge(t *testing.T) {
	l := newTestLedger(t)
	p := l.observe("ETH", 5, 4010)
	p.move("pledge.withdrawn", 6)
	life := must[[]LifeEvent](t)(l.picture().Life(t.Context(), Moment{}, p.id))
	equal(t, "seen", life[0].Sentence,
		"Ethiopia was seen with 4,010 personnel for ground [a report]")
	equal(t, "withdrawn", life[1].Sentence, "Ethiopia withdraws it")
}

func TestGrouped(t *testing.T) {
	for number, want := range map[string]string{"1": "1", "999": "999", "1000": "1,000",
		"1234567": "1,234,567", "2500000.00": "2,500,000", "99.50": "99.50", "unknown": "unknown"} {
		equal(t, number, grouped(number), want)
	}
}
