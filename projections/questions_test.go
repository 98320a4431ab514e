package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// newForce returns a ledger of some lines and pledges, of which each of the questions has something
// to tell.
func newForce(t tb) (*testLedger, map[string]testPledge) {
	l := newTestLedger(t)
	l.need("west", 100, func(t *events.RequirementTerms) { t.Area = "west" })
	l.need("east", 50, func(t *events.RequirementTerms) { t.Area, t.Priority = "east", 2 })
	l.need("fleet", 4, func(t *events.RequirementTerms) {
		t.Role, t.Unit, t.Priority, t.Essential = "air", "aircraft", 3, true
	})
	in := func(area events.Area) func(*events.PledgeTerms) {
		return func(t *events.PledgeTerms) { t.Area = area }
	}
	notice := func(days int) func(*events.PledgeTerms) {
		return func(t *events.PledgeTerms) { t.NoticeToMove = &days }
	}
	p := map[string]testPledge{}
	p["FRA"] = l.offer("FRA", 60, in("west"), notice(10))
	p["DEU"] = l.offer("DEU", 30, in("west"), notice(30), func(t *events.PledgeTerms) {
		t.Expires = day(25)
	})
	p["ITA"] = l.offer("ITA", 70, in("east"))
	p["POL"] = l.offer("POL", 15)
	p["ESP"] = l.offer("ESP", 3, func(t *events.PledgeTerms) {
		t.Role, t.Unit, t.Until = "air", "aircraft", day(28)
	}, notice(5))
	p["NOR"] = l.offer("NOR", 9, in("west"), notice(5), func(t *events.PledgeTerms) {
		t.Presence = events.Reserve
	})
	p["DEU"].condition("condition.added", 2, "bundestag")
	p["FRA"].caveat("caveat.declared", 2, "by-day")
	p["ITA"].move("pledge.accepted", 2)
	return l, p
}

func TestDependences(t *testing.T) {
	l, _ := newForce(t)
	l.open("op-b")
	l.say("HQ/importer", &events.PledgeObserved{Header: l.head("pledge.observed"), Dated: dated(1),
		Place: events.Place{Operation: "op-b", Nation: "ETH"}, Role: "ground",
		Strength: events.Strength{Quantity: events.Count(97), Unit: "personnel"},
		Source:   "a report"})
	l.say("HQ/importer", &events.PledgeObserved{Header: l.head("pledge.observed"), Dated: dated(1),
		Place: events.Place{Operation: "op-b", Nation: "KEN"}, Role: "ground",
		Strength: events.Strength{Quantity: events.Count(3), Unit: "personnel"},
		Source:   "a report"})
	text := ""
	for _, h := range must[Dependences](t)(l.picture().Dependences(t.Context(), Moment{On: day(9)},
		DependenceFilter{})).Holds {
		text += fmt.Sprint(h.Operation, " ", h.Line, " ", h.Nation, " ", h.Quantity, "/", h.Of, " ",
			h.Percent, " ", h.Level, " ", h.Without, "; ")
	}
	equal(t, "holds", text,
		"op-a east ITA 70/70 100 alone 50; op-a fleet ESP 3/3 100 alone 4; op-a west FRA 60/90 "+
			"66 50 70; op-a  ESP 3/3 100 alone ; op-b  ETH 97/100 97 80 ; ")
}

func TestHanging(t *testing.T) {
	l, p := newForce(t)
	text := ""
	for _, h := range must[HangingSupplies](t)(l.picture().Hanging(t.Context(), Moment{On: day(9)},
		Filter{})).Hanging {
		text += fmt.Sprint(h.Kind, " ", h.Name, " ", h.Line, " ", h.Quantity, " gap ", h.Gap, " ",
			h.Nations, " ", h.Pledges[0] == p[string(h.Nations[0])].id, len(h.Sequences), "; ")
	}
	equal(t, "hanging", text,
		"caveat by-day west 60 gap 70 [FRA] true 1; parliament bundestag west 30 gap 40 [DEU] "+
			"true 1; ")
	m := Moment{On: day(9), WhatIf: &WhatIf{Discharge: []string{"bundestag"}}}
	equal(t, "supposed", len(
		must[HangingSupplies](t)(l.picture().Hanging(t.Context(), m, Filter{})).Hanging), 1)
}

// Of a range, what hangs over a pledge that has not said of how much it is is asked on the day of
// the line: on the first day of the range it might be for another line as well.
func TestHangingOfRange(t *testing.T) {
	l := newTestLedger(t)
	l.need("brief", 10, func(t *events.RequirementTerms) { t.Until = day(5) })
	l.need("long", 100)
	p := l.offer("FRA", 50, func(t *events.PledgeTerms) { t.Until = day(8) })
	p.allocate(2, "long", 50, events.Window{From: day(2), Until: day(8)})
	l.offer("DEU", 1, func(t *events.PledgeTerms) { t.Quantity = events.Unknown }).
		condition("condition.added", 2, "bundestag")
	text := ""
	for _, h := range must[HangingSupplies](t)(l.picture().Hanging(t.Context(),
		Moment{On: day(3), Until: day(12)}, Filter{})).Hanging {
		text += fmt.Sprint(h.Name, " ", h.Line, " on ", h.Day, " ", h.Unknown, " unknown")
	}
	equal(t, "hanging", text, fmt.Sprint("bundestag long on ", day(9), " 1 unknown"))
}

func TestReadiness(t *testing.T) {
	l, p := newForce(t)
	p["POL"].move("pledge.accepted", 3)
	p["POL"].move("pledge.confirmed", 3)
	p["POL"].deploy(4, 14)
	text := ""
	r := must[Readiness](t)(l.picture().Readiness(t.Context(), Moment{On: day(9)},
		ReadinessFilter{Within: 20}))
	for _, row := range r.Rows {
		text += fmt.Sprint(row.Role, " ", row.Ready, " in place ", row.InPlace, " not said ",
			row.NotSaid, " reserve ", row.Reserve, "; ")
	}
	equal(t, "steps", fmt.Sprint(r.Steps), "[0 5 10 20 30 60 90]")
	equal(t, "rows", text,
		"air [0 3 3 3 3 3 3] in place 0 not said 0 reserve 0; ground [0 0 60 60 90 90 90] in "+
			"place 15 not said 70 reserve 9; ")
}

func TestReview(t *testing.T) {
	l, p := newForce(t)
	p["ITA"].allocate(3, "east", 60, events.Window{From: day(3)})
	p["ITA"].amend(5, pledgeTerms(55, func(t *events.PledgeTerms) {
		t.Area, t.Predecessor, t.Elsewhere = "east", p["DEU"].id, []string{"NATO Response Force"}
	}))
	p["DEU"].move("pledge.withdrawn", 6)
	r := must[Review](t)(l.picture().Review(t.Context(), Moment{On: day(9)}, Filter{}))
	text := ""
	for _, f := range r.Findings {
		text += fmt.Sprint(f.Kind, " ", f.Line, f.Nation, " ", f.Quantity, "; ")
		if f.Sentence == "" || len(f.Sequences) == 0 {
			t.Errorf("%s says too little: %+v", f.Kind, f)
		}
	}
	equal(t, "findings", text,
		"overdrawn eastITA 5; matches-several POL 15; rotation-broken ITA 55; also-elsewhere "+
			"ITA 55; over-supplied east 5; ")
	equal(t, "of a nation",
		len(must[Review](t)(l.picture().Review(t.Context(), Moment{On: day(9)},
			Filter{Nation: "POL"})).Findings), 1)
}

func TestDue(t *testing.T) {
	l, p := newForce(t)
	prt := l.offer("PRT", 1, func(t *events.PledgeTerms) {
		t.Role, t.Unit, t.From, t.Predecessor = "air", "aircraft", day(29), p["ESP"].id
	})
	tell := func(m Moment, within int) (text string) {
		for _, d := range must[Dues](t)(l.picture().Due(t.Context(), m, Filter{}, within)).Due {
			text += fmt.Sprint(d.Kind, " ", d.Nation, " ", d.By, " since ", d.Since, "; ")
		}
		return text
	}
	waits := "waits FRA  since 2026-01-01; waits DEU  since 2026-01-01; waits POL  since " +
		"2026-01-01; waits ESP  since 2026-01-01; waits NOR  since 2026-01-01; "
	ita := "unconfirmed ITA  since 2026-01-02; "
	equal(t, "soon", tell(Moment{On: day(20)}, 5),
		"lapses DEU 2026-01-25 since 2026-01-01; "+waits+
			"waits PRT  since 2026-01-01; condition-open DEU  since 2026-01-02; "+ita)
	equal(t, "sooner", tell(Moment{On: day(19)}, 5),
		waits+"waits PRT  since 2026-01-01; condition-open DEU  since 2026-01-02; "+ita)
	equal(t, "before the relief was named", tell(Moment{On: day(24), AsOf: l.Last() - 1}, 5),
		"lapses DEU 2026-01-25 since 2026-01-01; ends-unrelieved ESP 2026-01-28 since 2026-01-01; "+
			waits+"condition-open DEU  since 2026-01-02; "+ita)
	const alone = "ends-unrelieved ESP 2026-01-28"
	if without := tell(Moment{On: day(24), WhatIf: &WhatIf{Without: []events.Nation{"PRT"}}},
		5); !strings.Contains(without, alone) {
		t.Errorf("without the nation that relieves: %s", without)
	}
	prt.move("pledge.withdrawn", 20)
	if left := tell(Moment{On: day(24)}, 5); !strings.Contains(left, alone) {
		t.Errorf("the relief was withdrawn: %s", left)
	}
}

// What was accepted waits for its nation as soon as no condition is open, since the later of both;
// one that has failed cannot be confirmed, and what is confirmed waits for nobody.
func TestDueWaitsForTheNation(t *testing.T) {
	l := newTestLedger(t)
	fra := l.offer("FRA", 60)
	fra.condition("condition.added", 2, "parliament")
	fra.move("pledge.accepted", 3)
	told := func(on int) (text string) {
		for _, d := range must[Dues](t)(l.picture().Due(t.Context(), Moment{On: day(on)},
			Filter{}, 5)).Due {
			text += fmt.Sprint(d.Kind, " ", d.WaitsFor, " since ", d.Since, " by ",
				d.Sequence, "; ")
		}
		return text
	}
	equal(t, "a condition is open", told(4), "condition-open condition since 2026-01-02 by 4; ")
	fra.condition("condition.discharged", 6, "parliament")
	equal(t, "it was discharged", told(6), "unconfirmed nation since 2026-01-06 by 6; ")
	deu := l.offer("DEU", 5)
	deu.condition("condition.added", 2, "parliament")
	deu.condition("condition.failed", 3, "parliament")
	deu.move("pledge.accepted", 4)
	equal(t, "another's has failed", told(6), "unconfirmed nation since 2026-01-06 by 6; ")
	fra.move("pledge.confirmed", 7)
	equal(t, "confirmed", told(7), "")
}

func TestNation(t *testing.T) {
	l, p := newForce(t)
	l.say("NOR/liaison", &events.ScopeDeclared{Header: l.head("scope.declared"), Dated: dated(1),
		Place: place("SWE"), Roles: []events.Role{"air"}})
	picture := l.picture()
	page := must[NationPage](t)(picture.Nation(t.Context(), Moment{On: day(9)}, "FRA", ""))
	equal(t, "pledges", len(page.Pledges), 1)
	equal(t, "roles", fmt.Sprint(page.Roles[0].Role, page.Roles[0].Rungs), "ground[60 60 0 0 0]")
	equal(t, "counted", fmt.Sprint(page.Counted[0].Line, page.Counted[0].Quantity,
		page.Counted[0].Pledge == p["FRA"].id), "west60 true")
	equal(t, "not counted",
		len(must[NationPage](t)(picture.Nation(t.Context(), Moment{On: day(9)}, "POL",
			"")).NotCounted), 1)
	text := ""
	for _, n := range must[Nations](t)(picture.Nations(t.Context(), Moment{On: day(9)}, "",
		"air")).Nations {
		text += fmt.Sprint(n.Nation, n.Roles, n.Declared, " ")
	}
	equal(t, "only air", text, "ESP[air] false SWE[air] true ")
	equal(t, "all", len(must[Nations](t)(picture.Nations(t.Context(), Moment{On: day(9)}, "",
		"")).Nations), 7)
}

func TestGaps(t *testing.T) {
	l, _ := newForce(t)
	text := ""
	for _, g := range must[Gaps](t)(l.picture().Gaps(t.Context(), Moment{On: day(9)},
		CoverageFilter{})).Gaps {
		text += fmt.Sprint(g.Rank, " ", g.Line, " ", g.Missing, " ", g.From, "-",
			g.Until, " could ")
		for _, n := range g.Could {
			text += fmt.Sprint(n.Nation, " ", n.Reason, " ")
		}
	}
	equal(t, "gaps", text,
		"1 fleet 1 2026-01-01- could 2 west 10 2026-01-01- could POL several-lines NOR reserve ")
}

// Whatever is made up, the gaps are what coverage lacks, and each is short on all the days that it
// names.
func TestGapsEqualCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p, m := s.picture(), s.moment()
		lacking := func(on events.Date) (all []string) {
			m := m
			m.On = on
			for _, l := range must[Coverage](t)(p.Coverage(t.Context(), m,
				CoverageFilter{})).Lines {
				if n, _ := l.Gap.Number(); n > 0 {
					all = append(all, string(l.Line))
				}
			}
			slices.Sort(all)
			return all
		}
		gaps := must[Gaps](t)(p.Gaps(t.Context(), m, CoverageFilter{})).Gaps
		var told []string
		for _, g := range gaps {
			told = append(told, string(g.Line))
			for on := max(g.From, day(1)); on <= min(max(g.Until, m.On),
				day(31)); on = on.AddDays(1) {
				if !slices.Contains(lacking(on), string(g.Line)) {
					t.Fatalf("%s is not short on %s, from %s to %s", g.Line, on, g.From, g.Until)
				}
			}
		}
		slices.Sort(told)
		if fmt.Sprint(told) != fmt.Sprint(lacking(m.On)) {
			t.Fatalf("gaps %v, and coverage lacks %v", told, lacking(m.On))
		}
	})
}

// Unknown is never 0: where there are pledges of a nation, or of a role, and of none it is known
// how much it is, the sum is unknown too, in every question; where one is known, the others stand
// beside.
func TestUnknownIsNeverNothing(t *testing.T) {
	l := newTestLedger(t)
	l.need("west", 10)
	unknown := func(t *events.PledgeTerms) { t.Quantity = events.Unknown }
	khm := l.offer("KHM", 1, unknown, func(t *events.PledgeTerms) { t.NoticeToMove = new(int) })
	l.offer("FIN", 1, unknown).condition("condition.failed", 2, "parliament")
	l.offer("NOR", 1, unknown, func(t *events.PledgeTerms) { t.Presence = events.Reserve })
	before := l.Last()
	khm.amend(3, pledgeTerms(7))
	p := l.picture()
	m := Moment{On: day(9), AsOf: before}

	role := must[NationPage](t)(p.Nation(t.Context(), m, "KHM", "")).Roles[0]
	equal(t, "a nation", fmt.Sprint(role.Rungs, role.Unknown), "[unknown unknown 0 0 0] 1")
	role = must[NationPage](t)(p.Nation(t.Context(), m, "NOR", "")).Roles[0]
	equal(t, "its reserve", fmt.Sprint(role.Rungs, role.Reserve, role.Unknown),
		"[0 0 0 0 0] unknown 1")
	told := ""
	for _, r := range must[Strength](t)(p.Strength(t.Context(), m, Filter{},
		[]string{"nation"})).Rows {
		told += fmt.Sprint(r.Nation, " ", r.Quantity, " ", r.Unknown, r.ReserveUnknown, r.Failed,
			r.FailedUnknown, "; ")
	}
	equal(t, "strength", told, "FIN unknown 0 0 1 1; KHM unknown 1 0 0 0; NOR unknown 0 1 0 0; ")
	equal(t, "what explains it",
		must[Explanation](t)(p.ExplainStrength(t.Context(), m,
			Filter{Nation: "FIN"})).Sums[0].Quantity, events.Unknown)
	ready := must[Readiness](t)(p.Readiness(t.Context(), m, ReadinessFilter{})).Rows[0]
	equal(t, "readiness", fmt.Sprint(ready.InPlace, ready.Ready[0], ready.NotSaid, ready.Unknown),
		"0 unknown 0 2")
	d := must[Deliveries](t)(p.Delivery(t.Context(), m, Filter{Nation: "KHM"})).Deliveries[0]
	equal(t, "delivery", fmt.Sprint(d.Offered, d.Deployed, d.Percent == nil), "unknown 0 true")
	line := must[Coverage](t)(p.Coverage(t.Context(), m, CoverageFilter{})).Lines[0]
	equal(t, "coverage", fmt.Sprint(line.Supply, line.Unknown, line.UnknownBy), "0 1 [KHM]")
	w := events.Window{From: day(9), Until: day(9)}
	equal(t, "over time",
		must[Timeline](t)(p.Timeline(t.Context(), m,
			TimelineFilter{Days: w, Step: ByChange})).Lines[0].Points[0].Unknown, 1)
	diff := must[Diff](t)(p.Diff(t.Context(), m, Moment{On: day(9)}, Filter{}))
	equal(t, "what it was",
		fmt.Sprint(diff.Lines[0].Nations, diff.Strength[0].From, diff.Strength[0].To),
		"[{KHM unknown 7}] unknown 7")
	fra := l.offer("FRA", 9)
	fra.allocate(1, "west", 5, events.Window{From: day(1)})
	fra.amend(4, pledgeTerms(1, unknown))
	found := must[Review](t)(l.picture().Review(t.Context(), Moment{On: day(9)},
		Filter{Nation: "FRA"})).Findings[0]
	equal(t, "an allocation", fmt.Sprint(found.Kind, found.Quantity), "overdrawnunknown")
}
