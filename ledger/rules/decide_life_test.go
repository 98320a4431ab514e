package rules_test

import (
	"testing"

	"muster/events"
)

// The rules of expiry, dates, caveats, allocations, rotations and corrections: see rules_test.go.

// ruleAnew is the command that offers anew what ruleSay offers.
const ruleAnew = "muster pledge offer --operation mnf-u --nation FRA --role ground --quantity N"

// ruleTermsOf are the terms that ruleSay gives an offer, changed.
func ruleTermsOf(change func(*events.PledgeTerms)) events.PledgeTerms {
	t := ruleSay("pledge.offered").(*events.PledgeOffered).PledgeTerms
	change(&t)
	return t
}

func TestLateReportsAfterReturn(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.climb("accepted", "confirmed", "deployed")
	w.says(ruleParis, ruleSay("pledge.returned", "Effective", ruleDay.AddDays(9)))
	w.allows(ruleParis, ruleSay("pledge.reported", "Effective", ruleDay.AddDays(8)))
	w.refuses(ruleParis, ruleSay("pledge.reported", "Effective", ruleDay.AddDays(9)),
		"pledge-ended",
		"the pledge 01KAQ7Z0V4000000000000FRA1 was returned by record 10: nothing moves after that",
		"offer a new pledge: "+ruleAnew)
}

func TestRule28Lapse(t *testing.T) {
	expires := ruleDay.AddDays(5)
	offer := func(w *ruleWorld) {
		w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "PledgeTerms",
			ruleTermsOf(func(t *events.PledgeTerms) { t.Expires = expires })))
	}
	w := newRuleWorld(t)
	offer(w)
	const message, hint = "the pledge 01KAQ7Z0V4000000000000FRA1 expired on 2026-11-28, and has " +
		"lapsed on 2026-11-29: nothing moves after that",
		"what held on 2026-11-28 or before can still be recorded; else offer a new pledge: " +
			ruleAnew
	for _, typ := range []events.Type{"pledge.amended", "pledge.withdrawn", "pledge.renewed",
		"condition.added", "caveat.declared"} {
		w.refuses(ruleParis, ruleSay(typ, "Effective", expires.AddDays(1)), "pledge-ended",
			message, hint)
		w.allows(ruleParis, ruleSay(typ, "Effective", expires))
	}
	w.says(ruleParis, ruleSay("pledge.renewed", "Effective", expires, "Expires",
		expires.AddDays(10)))
	w.allows(ruleFounder, ruleSay("pledge.accepted", "Effective", expires.AddDays(10)))
	w.refuses(ruleFounder, ruleSay("pledge.accepted", "Effective", expires.AddDays(11)),
		"pledge-ended",
		"the pledge 01KAQ7Z0V4000000000000FRA1 expired on 2026-12-08, and has lapsed on "+
			"2026-12-09: nothing moves after that",
		"what held on 2026-12-08 or before can still be recorded; else offer a new pledge: "+
			ruleAnew)

	// What is amended to expire later, or never, stands; and what was deployed by then goes on.
	w = newRuleWorld(t)
	offer(w)
	w.says(ruleParis, ruleSay("pledge.amended", "Effective", expires))
	w.allows(ruleFounder, ruleSay("pledge.accepted", "Effective", expires.AddDays(99)))
	w = newRuleWorld(t)
	offer(w)
	w.climb("accepted", "confirmed", "deployed")
	w.allows(ruleParis, ruleSay("pledge.reported", "Effective", expires.AddDays(99)))

	// What was said already is not lapsed over by an amendment or a renewal that is recorded late.
	w = newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted", "Effective", ruleDay.AddDays(9)))
	w.refuses(ruleParis, ruleSay("pledge.renewed", "Expires", ruleDay.AddDays(8)), "expires-early",
		`expires "2026-12-01": record 7, pledge accepted, holds from 2026-12-02 on: write that date or a later one, or correct that record first`, "")
	w.allows(ruleParis, ruleSay("pledge.renewed", "Expires", ruleDay.AddDays(9)))
	w.refuses(ruleParis, ruleSay("pledge.amended", "PledgeTerms",
		ruleTermsOf(func(t *events.PledgeTerms) { t.Expires = expires })), "expires-early",
		`expires "2026-11-28": record 7, pledge accepted, holds from 2026-12-02 on: write that date or a later one, or correct that record first`, "")
}

func TestRule29DatesClimbWithTheRungs(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted", "Effective", ruleDay.AddDays(4)))
	w.refuses(ruleParis, ruleSay("pledge.confirmed", "Effective", ruleDay.AddDays(3)),
		"before-rung",
		`effective "2026-11-26": the pledge is accepted from 2026-11-27 on, and cannot be confirmed before: write that date or a later one`, "")
	w.refuses(ruleParis, ruleSay("pledge.withdrawn", "Effective", ruleDay.AddDays(3)),
		"before-rung",
		`effective "2026-11-26": the pledge is accepted from 2026-11-27 on, and cannot be withdrawn before: write that date or a later one`, "")
	w.allows(ruleParis, ruleSay("pledge.amended", "Effective", ruleDay.AddDays(3)))
	w.says(ruleParis, ruleSay("pledge.confirmed", "Effective", ruleDay.AddDays(4)))
	w.says(ruleParis, ruleSay("pledge.deployed", "Effective", ruleDay.AddDays(6)))
	w.refuses(ruleParis, ruleSay("pledge.reported", "Effective", ruleDay.AddDays(5)), "before-rung",
		`effective "2026-11-28": the forces are there from 2026-11-29 on: write that date or a later one`, "")
}

func TestRule30Caveats(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.refuses(ruleParis, ruleSay("caveat.lifted"), "caveat-unknown",
		`caveat "by-day": no caveat holds for the pledge: there is none to lift`, "")
	w.says(ruleParis, ruleSay("caveat.declared"))
	w.refuses(ruleParis, ruleSay("caveat.declared"), "caveat-known",
		"the pledge 01KAQ7Z0V4000000000000FRA1 has had a caveat named by-day already",
		"give the new one another name")
	w.refuses(ruleParis, ruleSay("caveat.lifted", "Caveat", "by-night"), "caveat-unknown",
		`caveat "by-night": the pledge has no such caveat: write by-day`, "")
	w.says(ruleParis, ruleSay("caveat.lifted"))
	w.refuses(ruleParis, ruleSay("caveat.lifted"), "caveat-known",
		"the caveat by-day was lifted already, by record 8", "")
}

func TestRule31AllocationFits(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued", "Area", "west"))
	w.says(ruleParis, ruleSay("pledge.indicated", "ID", ruleFRA1, "PledgeTerms",
		ruleTermsOf(func(t *events.PledgeTerms) { t.Area, t.Until = "west", 2027_06_30 })))
	w.refuses(ruleFounder, ruleSay("allocation.made"), "wrong-rung",
		"the pledge 01KAQ7Z0V4000000000000FRA1 is indicated: only what is offered can be allocated",
		"first it must be offered: muster pledge offer --indicated "+ruleFRA1.String())
	w.says(ruleParis, ruleSay("pledge.offered", "Pledge", ruleFRA1, "PledgeTerms",
		ruleTermsOf(func(t *events.PledgeTerms) { t.Area, t.Until = "west", 2027_06_30 })))
	w.allows(ruleFounder, ruleSay("allocation.made"))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Line", "ground-east"), "line-unknown",
		`line "ground-east": mnf-u has no such requirement: check the name, or issue it first`, "")
	w.refuses(ruleFounder, ruleSay("allocation.made", "Unit", "battalion"), "allocation-mismatch",
		`unit "battalion": the pledge is counted in personnel and the requirement in personnel: only forces in the requirement's unit fill it`, "")
	w.refuses(ruleFounder, ruleSay("allocation.made", "From", events.Date(2027_07_01)),
		"allocation-mismatch",
		`from "2027-07-01": the pledge is there 2027-01-01 to 2027-06-30: write a window that meets it`, "")
	w.says(ruleFounder, ruleSay("requirement.issued", "Line", "east", "Area", "east"))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Line", "east"), "allocation-mismatch",
		`line "east": the requirement is in east and the pledge for west: write one in west, or ask the nation`, "")
	w.says(ruleFounder, ruleSay("requirement.issued", "Line", "sky", "Role", "air",
		"Unit", "aircraft"))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Line", "sky"), "allocation-mismatch",
		`2 fields are wrong: unit "personnel": the pledge is counted in personnel and the requirement in aircraft: only forces in the requirement's unit fill it; `+
			`line "sky": the requirement is for air and the pledge for ground: write a requirement for ground`, "")
	w.says(ruleFounder, ruleSay("requirement.cancelled"))
	w.refuses(ruleFounder, ruleSay("allocation.made"), "line-cancelled",
		"the requirement ground-west of mnf-u was cancelled by record 11, and its name is not "+
			"used again", "issue a new requirement under another name")

	w = newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "PledgeTerms",
		ruleTermsOf(func(t *events.PledgeTerms) { t.Presence = events.Reserve })))
	w.refuses(ruleFounder, ruleSay("allocation.made"), "allocation-mismatch",
		`pledge "01KAQ7Z0V4000000000000FRA1": is held in reserve, and a reserve fills no requirement: ask the nation to amend it`, "")
}

// The terms are those of the allocation's first day, and not those that were recorded last.
func TestAllocationFitsTermsOfItsFirstDay(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued", "Area", "west"))
	in := func(area events.Area) events.PledgeTerms {
		return ruleTermsOf(func(t *events.PledgeTerms) { t.Area = area })
	}
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "PledgeTerms", in("west")))
	w.says(ruleParis, ruleSay("pledge.amended", "Effective", events.Date(2027_02_01),
		"PledgeTerms", in("east")))
	w.allows(ruleFounder, ruleSay("allocation.made", "Until", events.Date(2027_01_31)))
	w.refuses(ruleFounder, ruleSay("allocation.made", "From", events.Date(2027_02_01)),
		"allocation-mismatch",
		`line "ground-west": the requirement is in west and the pledge for east: write one in east, or ask the nation`, "")
}

func TestRule32NeverMoreThanPledged(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	half := events.Count(700)
	w.says(ruleFounder, ruleSay("allocation.made", "ID", ruleFRA2, "Quantity", half, "Until",
		events.Date(2027_03_31)))
	w.refuses(ruleFounder,
		ruleSay("allocation.made", "Quantity", half, "From", events.Date(2027_03_31)),
		"over-allocated",
		`quantity "700": on 2027-03-31 the pledge is of 1200, and 500 of that are free: write at most that, or release an allocation first`, "")
	w.allows(ruleFounder,
		ruleSay("allocation.made", "Quantity", half, "From", events.Date(2027_04_01)))
	w.allows(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(500)))

	// A later amendment counts from its day on, and leaves what was allocated before.
	w.says(ruleParis, ruleSay("pledge.amended", "Quantity", events.Count(600), "Effective",
		events.Date(2027_06_01)))
	w.refuses(ruleFounder,
		ruleSay("allocation.made", "Quantity", half, "From", events.Date(2027_04_01)),
		"over-allocated",
		`quantity "700": on 2027-06-01 the pledge is of 600, and 600 of that are free: write at most that, or release an allocation first`, "")
	w.says(ruleParis, ruleSay("pledge.amended", "Quantity", events.Count(10)))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(1)),
		"over-allocated",
		`quantity "1": on 2027-01-01 the pledge is of 10, and 0 of that are free: write at most that, or release an allocation first`, "")
	w.says(ruleParis, ruleSay("pledge.amended", "Quantity", events.Unknown))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(1)),
		"over-allocated",
		"how much the pledge 01KAQ7Z0V4000000000000FRA1 is of is not known on 2027-01-01, so "+
			"nothing of it can be allocated",
		"the nation says how much with: muster pledge amend "+ruleFRA1.String()+" --quantity N")
}

func TestRule33AllocationReleasedOnce(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.refuses(ruleFounder, ruleSay("allocation.released"), "allocation-unknown",
		`allocation "01KAQ7Z0V4000000000000FRA2": the pledge 01KAQ7Z0V4000000000000FRA1 has no such allocation: check the id`, "see what is allocated: muster pledge show "+ruleFRA1.String())
	w.says(ruleFounder, ruleSay("allocation.made", "ID", ruleFRA2, "Effective", ruleDay.AddDays(5)))
	w.refuses(ruleFounder, ruleSay("allocation.released", "Effective", ruleDay.AddDays(4)),
		"before-beginning",
		`effective "2026-11-27": the allocation holds from 2026-11-28 on: write that date or a later one`, "")
	w.says(ruleFounder, ruleSay("allocation.released", "Effective", ruleDay.AddDays(5)))
	w.refuses(ruleFounder, ruleSay("allocation.released", "Effective", ruleDay.AddDays(6)),
		"allocation-released",
		"the allocation 01KAQ7Z0V4000000000000FRA2 was released already, by record 9", "")
	w.allows(ruleFounder, ruleSay("allocation.made"))
}

func TestRule34Rotation(t *testing.T) {
	w := newRuleWorld(t)
	relieves := func(id events.ID) events.PledgeTerms {
		return ruleTermsOf(func(t *events.PledgeTerms) { t.Predecessor = id })
	}
	w.refuses(ruleParis, ruleSay("pledge.offered", "PledgeTerms", relieves(ruleFRA1)),
		"rotation-mismatch",
		`predecessor "01KAQ7Z0V4000000000000FRA1": there is no such pledge in this ledger: check the id, or name it later by an amendment`, "")
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Role", "air", "Unit", "aircraft"))
	w.refuses(ruleParis, ruleSay("pledge.offered", "PledgeTerms", relieves(ruleFRA1)),
		"rotation-mismatch",
		`predecessor "01KAQ7Z0V4000000000000FRA1": is a pledge for air in mnf-u: forces are relieved by others of the same role and operation`, "")
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA2))
	w.refuses(ruleParis, ruleSay("pledge.amended", "Pledge", ruleFRA2, "PledgeTerms",
		ruleTermsOf(func(t *events.PledgeTerms) { t.Successor = ruleFRA2 })), "rotation-mismatch",
		`successor "01KAQ7Z0V4000000000000FRA2": is the pledge itself: name another, or leave it out`, "")
	w.allows(ruleFounder,
		ruleSay("pledge.offered", "Nation", "DEU", "PledgeTerms", relieves(ruleFRA2)))
}

func TestRule35WhoCorrects(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted", "ID", ruleFRA2))
	w.allows(ruleParis, ruleSay("pledge.corrected"))
	w.allows(ruleBrest, ruleSay("pledge.corrected"))
	w.allows(ruleFounder, ruleSay("pledge.corrected"))
	w.refuses(ruleBerlin, ruleSay("pledge.corrected"), "speaks-for-itself",
		"DEU/berlin speaks for Germany and cannot speak for France",
		"sign with the key of a liaison of France: --key FILE")
	w.refuses(ruleUN, ruleSay("pledge.corrected"), "wrong-party",
		"HQ/un is an importer, which records published figures only, and the pledge "+
			"01KAQ7Z0V4000000000000FRA1 was offered by France",
		"it is for a liaison of France or a coordinator to say")
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Corrects", ruleFRA2), "wrong-party",
		"record 8 was signed for HQ, and FRA/paris is a liaison of France: only whoever has "+
			"said it, or a coordinator, corrects it", "ask a coordinator to correct it")
	correction, other := ruleID("01KAQ7Z0V4000000000000FRA3"), ruleID("01KAQ7Z0V4000000000000FRA4")
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Corrects", other), "correction-unknown",
		`corrects "01KAQ7Z0V4000000000000FRA4": no statement about the pledge 01KAQ7Z0V4000000000000FRA1 has this id: check it`, "see what was said, with the ids: muster pledge show "+ruleFRA1.String()+" -o json")
	w.says(ruleParis, ruleSay("pledge.corrected", "ID", correction))
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Corrects", correction), "correction-unknown",
		`corrects "01KAQ7Z0V4000000000000FRA3": is itself a correction: name the statement that it corrects, 01KAQ7Z0V4000000000000FRA1`, "")
	w.allows(ruleParis, ruleSay("pledge.corrected"))

	// A coordinator's report of what was offered is not for importers to correct.
	w.climb("confirmed", "deployed")
	report := ruleID("01KAQ7Z0V4000000000000FRA6")
	w.says(ruleFounder, ruleSay("pledge.reported", "ID", report))
	w.refuses(ruleUN, ruleSay("pledge.corrected", "Corrects", report), "wrong-party",
		"HQ/un is an importer, which records published figures only, and the pledge "+
			"01KAQ7Z0V4000000000000FRA1 was offered by France",
		"it is for a liaison of France or a coordinator to say")

	// What was seen in published figures is corrected by importers too.
	seen := ruleID("01KAQ7Z0V4000000000000FRA5")
	w.says(ruleUN, ruleSay("pledge.observed", "ID", seen))
	w.allows(ruleUN, ruleSay("pledge.corrected", "Pledge", seen, "Corrects", seen))
}

func TestRule36CorrectionFits(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted", "ID", ruleFRA2))
	terms := ruleTermsOf(func(t *events.PledgeTerms) { t.Quantity = events.Count(1300) })
	strength := events.Strength{Quantity: events.Count(5), Unit: "personnel"}
	w.allows(ruleParis, ruleSay("pledge.corrected", "Terms", &terms))
	w.refuses(ruleFounder, ruleSay("pledge.corrected", "Corrects", ruleFRA2, "Terms", &terms),
		"correction-mismatch",
		"terms: record 7, pledge accepted, has no terms: leave them out", "")
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Strength", &strength), "correction-mismatch",
		"strength: record 6, pledge offered, tells no strength: leave it out", "")
	terms.Unit = "battalion"
	w.refuses(ruleParis, ruleSay("pledge.corrected", "Terms", &terms), "unit-fixed",
		`terms.unit "battalion": the pledge is counted in personnel, and units are never mixed: write personnel, or make another pledge`, "")
}

func TestRule37WhatFollowsStillHolds(t *testing.T) {
	w := newRuleWorld(t)
	accepted, confirmed := ruleFRA2, ruleID("01KAQ7Z0V4000000000000FRA3")
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted", "ID", accepted))
	w.says(ruleParis, ruleSay("pledge.confirmed", "ID", confirmed))
	const hint = "correct what follows from it first, or only its date"
	w.refuses(ruleFounder, ruleSay("pledge.corrected", "Corrects", accepted, "Struck", true),
		"correction-breaks",
		"so corrected, record 8, pledge confirmed, would not stand: the pledge "+
			"01KAQ7Z0V4000000000000FRA1 is offered: only one that is accepted can be confirmed",
		hint)
	w.refuses(ruleFounder, ruleSay("pledge.corrected", "Corrects", accepted, "Effective",
		ruleDay.AddDays(-1)), "correction-breaks",
		`so corrected, it would not stand: effective "2026-11-22": the pledge 01KAQ7Z0V4000000000000FRA1 begins on 2026-11-23: write that date or a later one`, hint)
	w.says(ruleParis, ruleSay("pledge.corrected", "Corrects", confirmed, "Struck", true))
	w.says(ruleFounder, ruleSay("pledge.corrected", "Corrects", accepted, "Struck", true))
	w.allows(ruleFounder, ruleSay("pledge.declined"))

	// What was struck by mistake may have been so after all; and after an exit that never was, the
	// pledge goes on.
	w.says(ruleFounder, ruleSay("pledge.corrected", "Corrects", accepted))
	withdrawn := ruleID("01KAQ7Z0V4000000000000FRA4")
	w.says(ruleParis, ruleSay("pledge.withdrawn", "ID", withdrawn))
	w.says(ruleParis, ruleSay("pledge.corrected", "Corrects", withdrawn, "Struck", true))
	w.allows(ruleParis, ruleSay("pledge.confirmed"))
}
