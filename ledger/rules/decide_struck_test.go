package rules_test

import (
	"fmt"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// The wrong nation was typed: from the record that strikes its beginning the pledge was never made,
// and nothing more is said of it.
func TestRule48StruckAtItsBeginning(t *testing.T) {
	w := newRuleWorld(t)
	allocated := ruleID("01KAQ7Z0V4000000000000FRA4")
	strike := ruleSay("pledge.corrected", "Struck", true)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("pledge.accepted"))
	w.says(ruleFounder, ruleSay("allocation.made", "ID", allocated, "Quantity", events.Count(300)))
	w.refuses(ruleFounder, strike, "still-allocated",
		"300 of the pledge 01KAQ7Z0V4000000000000FRA1 are allocated to ground-west, and what was "+
			"never said fills no requirement",
		"let a coordinator release that first: muster allocation release "+
			"01KAQ7Z0V4000000000000FRA4")
	w.says(ruleFounder, ruleSay("allocation.released", "Allocation", allocated))
	w.refuses(ruleUN, strike, "wrong-party", "HQ/un is an importer, which records published "+
		"figures only, and the pledge 01KAQ7Z0V4000000000000FRA1 was offered by France",
		"it is for a liaison of France or a coordinator to say")
	w.allows(ruleFounder, strike)
	w.says(ruleParis, strike)

	const hint = "offer what is meant as a new pledge: muster pledge offer --operation mnf-u " +
		"--nation FRA --role ground --quantity N"
	for _, more := range []events.Statement{ruleSay("pledge.amended"), ruleSay("pledge.withdrawn"),
		ruleSay("pledge.corrected"), strike, ruleSay("condition.added")} {
		w.refuses(ruleParis, more, "pledge-struck", "record 11 has struck the pledge "+
			"01KAQ7Z0V4000000000000FRA1, as never said: nothing more is said of it", hint)
	}
	w.refuses(ruleParis, ruleSay("pledge.offered", "Predecessor", ruleFRA1), "rotation-mismatch",
		`predecessor "01KAQ7Z0V4000000000000FRA1": record 11 has struck that pledge, as never `+
			`said: name another, or leave it out`, "")
	w.allows(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA2))
}

// What has ended needs no release, and what was observed by mistake may be observed anew.
func TestStruckAfterItsEnd(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(300)))
	w.says(ruleParis, ruleSay("pledge.withdrawn"))
	w.says(ruleParis, ruleSay("pledge.corrected", "Struck", true))

	seen := ruleSay("pledge.observed", "ID", ruleFRA2)
	w.says(ruleUN, seen)
	w.says(ruleUN, ruleSay("pledge.corrected", "Pledge", ruleFRA2, "Corrects", ruleFRA2,
		"Struck", true))
	w.allows(ruleUN, ruleSay("pledge.observed", "ID", ruleID("01KAQ7Z0V4000000000000FRA3")))
}

// Of what has lapsed by the date of the correction nothing is there to be released, and no release
// of that date would be taken.
func TestStruckAfterItsLapse(t *testing.T) {
	const lastDay = ruleDay + 1
	w := newRuleWorld(t)
	allocated := ruleID("01KAQ7Z0V4000000000000FRA4")
	begin := func() {
		w = newRuleWorld(t)
		w.says(ruleFounder, ruleSay("requirement.issued"))
		w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Expires", lastDay))
		w.says(ruleFounder, ruleSay("allocation.made", "ID", allocated,
			"Quantity", events.Count(300)))
	}
	refused := func(what, code string, st events.Statement) {
		t.Helper()
		err := rules.Decide(w.state, ruleFounder.Key(), w.record(ruleFounder, st).Statement)
		if p := problem.From(err); p == nil || p.Code != code {
			t.Errorf("%s: %v, and should be refused as %s", what, err, code)
		}
	}
	strike := func(on events.Date) events.Statement {
		return ruleSay("pledge.corrected", "Struck", true, "Effective", on)
	}
	begin()
	refused("a release after the lapse", "pledge-ended", ruleSay("allocation.released",
		"Allocation", allocated, "Effective", lastDay.AddDays(1)))
	refused("a strike on its last day", "still-allocated", strike(lastDay))
	w.says(ruleParis, strike(lastDay.AddDays(1)))

	begin()
	w.climb("accepted", "confirmed", "deployed")
	refused("what is in place does not lapse", "still-allocated", strike(lastDay.AddDays(1)))
}

// What was named as relieved while it was there stays named when it is struck: a nation that has
// struck its own pledge does not stop another from saying more of its own. Nobody names it anew.
func TestNamedBeforeItWasStruck(t *testing.T) {
	w := newRuleWorld(t)
	german, french := ruleID("01KAQ7Z0V40000000000000DE1"), ruleFRA1
	deu := func(typ events.Type, members ...any) events.Statement {
		return ruleSay(typ, append([]any{"Nation", "DEU", "Pledge", german}, members...)...)
	}
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", french))
	w.says(ruleBerlin, ruleSay("pledge.indicated", "ID", german, "Nation", "DEU",
		"Predecessor", french, "Release", events.CoordinatorsOnly))
	w.says(ruleParis, ruleSay("pledge.corrected", "Struck", true))

	struck := "record 9 has struck that pledge, as never said: name another, or leave it out"
	refuses := func(st events.Statement, member string) {
		t.Helper()
		w.refuses(ruleBerlin, st, "rotation-mismatch", fmt.Sprintf("%s %q: %s", member, french,
			struck), "")
	}
	restated := events.PledgeTerms{Role: "ground", Unit: "personnel",
		Quantity: events.Count(900), Window: events.Window{From: 2027_01_01},
		Release: events.CoordinatorsOnly, Predecessor: french}
	say := []events.Statement{
		deu("pledge.offered", "Predecessor", french, "Release", events.CoordinatorsOnly),
		deu("pledge.amended", "Predecessor", french, "Release", events.CoordinatorsOnly),
		deu("pledge.corrected", "Corrects", german, "Terms", &restated),
	}
	for _, st := range say {
		w.says(ruleBerlin, st)
	}
	w.says(ruleBerlin, deu("pledge.disclosed", "Predecessor", french,
		"Release", events.CoalitionOnly, "Rung", events.Offered))
	saved, _, err := rules.LoadState(w.state.Save(rules.Root{}))
	if err != nil {
		t.Fatal(err)
	}
	w.state = saved
	w.allows(ruleBerlin, deu("pledge.amended", "Predecessor", french))
	refuses(deu("pledge.amended", "Successor", french), "successor")
	refuses(ruleSay("pledge.offered", "Nation", "DEU", "Predecessor", french), "predecessor")
}

// Who met the pledge in a disclosure reads that it was struck: its label stays what it was.
func TestStruckAfterADisclosure(t *testing.T) {
	w := newReleaseWorld(t)
	w.says(ruleParis, ruleSay("pledge.disclosed", "Release", events.CoalitionOnly))
	rec := w.record(ruleParis, ruleSay("pledge.corrected", "Struck", true))
	w.says(ruleParis, ruleSay("pledge.corrected", "Struck", true))
	if !w.state.MayRead("DEU", rec) || w.state.MayRead(events.PublicView, rec) {
		t.Error("the correction is not for those who read the pledge")
	}

	w = newReleaseWorld(t)
	rec = w.record(ruleParis, ruleSay("pledge.corrected", "Struck", true))
	w.says(ruleParis, ruleSay("pledge.corrected", "Struck", true))
	if w.state.MayRead("DEU", rec) || !w.state.MayRead("GBR", rec) {
		t.Error("what was confided is not confided any more when it is struck")
	}
}
