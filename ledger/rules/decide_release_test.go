package rules_test

import (
	"fmt"
	"testing"

	"muster/events"
	"muster/ledger/rules"
)

// newReleaseWorld returns the world of the rules' tests with a liaison of Germany, a requirement,
// and a pledge of France that only the coordinators and Britain read.
func newReleaseWorld(t *testing.T) *ruleWorld {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Release", events.CoordinatorsOnly,
		"ReleasableTo", []events.Nation{"GBR"}))
	return w
}

// ruleConfided says something of the pledge ruleFRA1 with the release that it has.
func ruleConfided(typ events.Type, pairs ...any) events.Statement {
	return ruleSay(typ, append([]any{"Release", events.CoordinatorsOnly, "ReleasableTo",
		[]events.Nation{"GBR"}}, pairs...)...)
}

func TestRule39ReleaseStays(t *testing.T) {
	w := newReleaseWorld(t)
	const message, hint = "the pledge is released to the coordinators FRA+GBR and stays so: " +
		"write that again",
		"to let more read it: muster pledge disclose 01KAQ7Z0V4000000000000FRA1 --release " +
			"coalition; what was read cannot be taken back"
	wider := ruleSay("pledge.amended", "Release", events.CoalitionOnly)
	w.refusesNew(ruleParis, wider, "release-fixed", `release "coalition": `+message, hint)
	if err := rules.Decide(w.state, ruleParis.Key(), wider); err != nil {
		t.Errorf("what was recorded before the rule is no breach of it: %v", err)
	}
	w.says(ruleParis, ruleConfided("pledge.amended"))
	corrected := func(release events.Release) events.Statement {
		terms := ruleConfided("pledge.amended").(*events.PledgeAmended).PledgeTerms
		terms.Release = release
		if release != events.CoordinatorsOnly {
			terms.ReleasableTo = nil
		}
		return ruleSay("pledge.corrected", "Terms", &terms)
	}
	w.refusesNew(ruleParis, corrected(events.Public), "release-fixed",
		`terms.release "public": `+message, hint)
	w.says(ruleParis, corrected(events.CoordinatorsOnly))

	// Public is no wider than the coalition in an operation that is for the coalition to read.
	w.says(ruleParis, ruleSay("pledge.indicated", "ID", ruleFRA2, "Release", events.Public))
	w.allows(ruleParis, ruleSay("pledge.offered", "Pledge", ruleFRA2))
}

func TestRule40NothingWiderThanItsGround(t *testing.T) {
	w := newReleaseWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued", "Line", "quiet", "Release",
		events.CoordinatorsOnly))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Line", "quiet"), "release-too-wide",
		`line "quiet": the requirement is for the coordinators to read and the pledge for the coordinators FRA+GBR: who may read the allocation could not read the requirement`,
		"leave it unallocated: it counts for the requirement that it fits, where it fits one alone")
	w.says(ruleFounder, ruleSay("allocation.made", "ID", ruleFRA2, "Quantity", events.Count(500)))
	allocated := []events.StandingAllocation{{Allocation: ruleFRA2, Line: "ground-west",
		Strength: events.Strength{Quantity: events.Count(500), Unit: "personnel"},
		Window:   events.Window{From: 2027_01_01}}}
	w.refuses(ruleParis, ruleSay("pledge.disclosed", "Allocations", allocated), "release-too-wide",
		`release "public": the operation mnf-u is for the coalition to read: write at most that`,
		"")
	w.says(ruleParis, ruleSay("pledge.disclosed", "Release", events.CoalitionOnly, "Allocations",
		allocated))

	w.says(ruleFounder, ruleSay("operation.opened", "Operation", "open", "Release", events.Public))
	w.says(ruleFounder, ruleSay("requirement.issued", "Operation", "open")) // for the coalition
	w.says(ruleParis, ruleSay("pledge.offered", "Operation", "open", "ID",
		ruleID("01KAQ7Z0V4000000000000FRA3")))
	in := []any{"Operation", events.Operation("open"), "Pledge",
		ruleID("01KAQ7Z0V4000000000000FRA3")}
	w.says(ruleFounder, ruleSay("allocation.made",
		append(in, "ID", ruleID("01KAQ7Z0V4000000000000FRA4"), "Quantity", events.Count(500))...))
	allocated[0].Allocation = ruleID("01KAQ7Z0V4000000000000FRA4")
	w.refuses(ruleParis, ruleSay("pledge.disclosed", append(in, "Allocations", allocated)...),
		"release-too-wide",
		`release "public": some of it is allocated to ground-west, which is for the coalition to read: release that allocation first`, "")
	w.says(ruleFounder, ruleSay("allocation.released",
		append(in, "Allocation", ruleID("01KAQ7Z0V4000000000000FRA4"))...))
	w.says(ruleParis, ruleSay("pledge.disclosed", in...))
}

func TestRule41WhatIsNotReadIsNotThere(t *testing.T) {
	w := newReleaseWorld(t)
	w.says(ruleFounder, ruleSay("operation.opened", "Operation", "quiet", "Release",
		events.CoordinatorsOnly))
	german := func(typ events.Type, pairs ...any) events.Statement {
		return ruleSay(typ, append([]any{"Nation", events.Nation("DEU")}, pairs...)...)
	}
	w.refusesNew(ruleBerlin, german("pledge.offered", "Operation", "quiet"), "operation-unknown",
		`operation "quiet": there is no such operation in this ledger: check its name`,
		"a coordinator opens it with: muster plan apply FILE")
	w.refusesNew(ruleBerlin, german("pledge.withdrawn"), "pledge-unknown",
		`pledge "01KAQ7Z0V4000000000000FRA1": there is no such pledge in this ledger: check the id`,
		"see the pledges with their ids: muster pledge list")
	w.refusesNew(ruleBerlin, german("pledge.offered", "Predecessor", ruleFRA1), "rotation-mismatch",
		`predecessor "01KAQ7Z0V4000000000000FRA1": there is no such pledge in this ledger: check the id, or name it later by an amendment`, "")
	relieves := german("pledge.offered", "Predecessor", ruleFRA1)
	if err := rules.Decide(w.state, ruleBerlin.Key(), relieves); err != nil {
		t.Errorf("what was recorded before the rule is no breach of it: %v", err)
	}
	w.allows(ruleFounder, ruleSay("pledge.accepted")) // the coordinators read all
	w.allows(ruleParis, ruleSay("pledge.withdrawn"))  // and a nation its own
}

func TestRule42DisclosureRestates(t *testing.T) {
	w := newReleaseWorld(t)
	disclose := func(pairs ...any) events.Statement {
		return ruleSay("pledge.disclosed",
			append([]any{"Release", events.CoalitionOnly}, pairs...)...)
	}
	w.refuses(ruleParis, disclose("Release", events.CoordinatorsOnly, "ReleasableTo",
		[]events.Nation{"NOR"}), "release-not-wider",
		`release "coordinators": the pledge is released to the coordinators FRA+GBR already: a disclosure must let those still read it, and others too`,
		"write a wider release; what was read cannot be taken back")
	w.refuses(ruleParis, disclose("Quantity", events.Count(900), "From", events.Date(2027_02_01),
		"Rung", events.Accepted), "disclosure-mismatch",
		`3 fields are wrong: quantity "900": the pledge as it stands has 1200: restate it so, or amend it first; `+
			`from "2027-02-01": the pledge as it stands has 2027-01-01: restate it so, or amend it first; `+
			`rung "accepted": the pledge as it stands has offered: restate it so, or amend it first`, "")
	w.says(ruleParis, ruleSay("condition.added"))
	w.says(ruleParis, ruleSay("condition.added", "Condition", "truce", "Kind", events.CeaseFire))
	w.says(ruleParis, ruleSay("condition.failed", "Condition", "truce"))
	w.says(ruleParis, ruleSay("caveat.declared"))
	w.refuses(ruleParis, disclose("Conditions",
		[]events.StandingCondition{{Condition: "vote", Kind: events.Funding}}),
		"disclosure-mismatch",
		`2 fields are wrong: conditions "vote (funding)": the pledge as it stands has truce (cease-fire, failed) and vote (parliament): restate it so, or amend it first; `+
			`caveats "none": the pledge as it stands has by-day: restate it so, or amend it first`,
		"")
	hangs := []any{"Conditions",
		[]events.StandingCondition{{Condition: "vote", Kind: events.Parliament},
			{Condition: "truce", Kind: events.CeaseFire, Failed: true}},
		"Caveats", []events.StandingCaveat{{Caveat: "by-day", Restriction: "by day only"}}}
	w.says(ruleParis, ruleConfided("pledge.amended", "Effective", ruleDay.AddDays(9)))
	w.refuses(ruleParis, disclose(hangs...), "disclosure-mismatch",
		`effective "2026-11-23": record 13, pledge.amended, holds from 2026-12-02 on, and who reads the pledge only from here would not know of it: write that date or a later one`, "")
	w.says(ruleParis, disclose(append(hangs, "Effective", ruleDay.AddDays(9))...))
	w.refuses(ruleParis, disclose(append(hangs, "Effective", ruleDay.AddDays(9))...),
		"release-not-wider",
		`release "coalition": the pledge is released to the coalition already: a disclosure must let those still read it, and others too`,
		"write a wider release; what was read cannot be taken back")
	// Which reads it now.
	w.allows(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU", "Predecessor", ruleFRA1))
}

func TestRule43WhatWasDisclosedStays(t *testing.T) {
	w := newReleaseWorld(t)
	w.says(ruleParis, ruleSay("pledge.disclosed", "ID", ruleFRA2, "Release", events.CoalitionOnly))
	terms := ruleSay("pledge.amended", "Release",
		events.CoalitionOnly).(*events.PledgeAmended).PledgeTerms
	terms.Quantity = events.Count(900)
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Terms", &terms), "disclosed",
		"record 9 disclosed the pledge 01KAQ7Z0V4000000000000FRA1 as it stood, to some who do "+
			"not know what was said before: that is not corrected any more",
		"amend the pledge, or correct the terms in that record, 01KAQ7Z0V4000000000000FRA2: "+
			"muster pledge correct 9 --quantity NUMBER --reason TEXT")
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Corrects", ruleFRA2, "Struck", true),
		"disclosed",
		"record 9 disclosed the pledge 01KAQ7Z0V4000000000000FRA1, and what was read cannot be "+
			"taken back", "")
	w.says(ruleParis, ruleSay("pledge.corrected", "Corrects", ruleFRA2, "Terms", &terms))
	w.says(ruleParis, ruleSay("pledge.corrected", "Corrects", ruleFRA2, "Effective",
		ruleDay.AddDays(2)))
	w.refuses(ruleFounder, ruleSay("pledge.accepted", "Effective", ruleDay.AddDays(1)), "disclosed",
		`effective "2026-11-24": the pledge was disclosed as it stands from 2026-11-25 on, and who reads it only from there knows of nothing before: write that date or a later one`, "")
	w.says(ruleParis, ruleSay("pledge.corrected", "Corrects", ruleFRA2, "Effective", ruleDay))
	w.says(ruleParis, ruleSay("condition.added", "ID", ruleID("01KAQ7Z0V4000000000000FRA5")))
	w.allows(ruleParis, ruleSay("pledge.corrected", "Corrects",
		ruleID("01KAQ7Z0V4000000000000FRA5"), "Struck", true))
}

// Who looks at what is about to be signed learns nothing of what is not open to him: of a pledge
// that he may not read he is told what he is told of one that was never made.
func TestUnsignedTellsWhatItsReaderMayKnow(t *testing.T) {
	w, never := newReleaseWorld(t), newRuleWorld(t)
	never.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	never.says(ruleFounder, ruleSay("requirement.issued"))
	for _, st := range []events.Statement{ruleSay("pledge.confirmed"), ruleSay("pledge.accepted"),
		ruleConfided("pledge.amended"), ruleSay("allocation.made", "ID", ruleFRA2),
		ruleSay("pledge.withdrawn", "Pledge", ruleID("01KAQ7Z0V4000000000000FRA9"))} {
		for view, reads := range map[events.View]bool{events.PublicView: false,
			events.CoalitionView: false, "DEU": false, "GBR": true, "FRA": true,
			events.CoordinatorsView: true} {
			got := rules.DecideUnsigned(w.state, view, st)
			unsaid := rules.DecideUnsigned(never.state, view, st)
			if same := fmt.Sprint(got) == fmt.Sprint(unsaid); !reads && !same {
				t.Errorf("%s is told of %s: %v, and of one that was never made: %v", view,
					st.Head().Type, got, unsaid)
			}
		}
	}
	confirm := ruleSay("pledge.withdrawn")
	if err := rules.DecideUnsigned(w.state, "FRA", confirm); err != nil {
		t.Errorf("France is told of its own pledge: %v", err)
	}
	if err := rules.DecideUnsigned(w.state, "DEU", confirm); err == nil {
		t.Error("Germany is told that France's pledge is there")
	}
}
