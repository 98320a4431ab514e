package rules_test

import (
	"strings"
	"testing"

	"muster/events"
)

// The rules of a pledge's life: see rules_test.go.

func TestRule15Scope(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleParis, ruleSay("pledge.indicated", "ID", ruleFRA2))
	w.says(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"intelligence"}))
	const message, declare = "France has declared for mnf-u from 2026-11-23 on: intelligence " +
		"only (record 8), and ground is outside that",
		"offer what is within it, or declare another scope first: muster scope declare "
	const hint = declare + "intelligence ground --operation mnf-u --nation FRA"
	w.refuses(ruleParis, ruleSay("pledge.offered"), "outside-scope", message, hint)
	w.refuses(ruleParis, ruleSay("pledge.indicated"), "outside-scope", message, hint)
	w.refuses(ruleParis, ruleSay("pledge.offered", "Pledge", ruleFRA2), "outside-scope",
		message, hint)
	w.says(ruleParis, ruleSay("pledge.offered", "Role", "intelligence", "Unit", "cell"))

	// The scope limits neither what was there before, nor what is seen, nor other operations.
	w.says(ruleParis, ruleSay("pledge.amended", "Quantity", events.Count(600)))
	w.says(ruleFounder, ruleSay("pledge.accepted"))
	w.says(ruleUN, ruleSay("pledge.observed"))
	w.says(ruleUN, ruleSay("operation.opened", "Operation", "unmil"))
	w.says(ruleParis, ruleSay("pledge.offered", "Operation", "unmil"))

	w.says(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"intelligence", "air"}))
	w.refuses(ruleParis, ruleSay("pledge.offered"), "outside-scope",
		"France has declared for mnf-u from 2026-11-23 on: intelligence and air only (record "+
			"15), and ground is outside that",
		declare+"intelligence air ground --operation mnf-u --nation FRA")
	// A list that is there and empty.
	w.says(ruleParis, ruleSay("scope.declared", "Unlimited", true, "Roles", []events.Role{}))
	w.says(ruleParis, ruleSay("pledge.offered", "Pledge", ruleFRA2))

	// What is declared for a later day limits what is offered from then on, whenever either is
	// recorded.
	later := ruleDay.AddDays(10)
	w.says(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"air"}, "Effective", later))
	w.allows(ruleParis, ruleSay("pledge.offered", "Effective", later.AddDays(-1)))
	w.refuses(ruleParis, ruleSay("pledge.offered", "Effective", later), "outside-scope",
		"France has declared for mnf-u from 2026-12-03 on: air only (record 18), and ground is "+
			"outside that",
		declare+"air ground --operation mnf-u --nation FRA")
}

func TestRule16NothingBeforeItBegan(t *testing.T) {
	const early events.Date = 2026_11_22
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	const message = `effective "2026-11-22": the pledge 01KAQ7Z0V4000000000000FRA1 begins on 2026-11-23: write that date or a later one`
	w.refuses(ruleParis, ruleSay("pledge.amended", "Effective", early),
		"before-beginning", message, "")
	w.refuses(ruleFounder, ruleSay("pledge.accepted", "Effective", early),
		"before-beginning", message, "")
	w.refuses(ruleParis, ruleSay("condition.added", "Effective", early),
		"before-beginning", message, "")
	w.says(ruleFounder, ruleSay("pledge.accepted"))

	w.says(ruleFounder, ruleSay("requirement.issued"))
	for _, typ := range []events.Type{"requirement.revised", "requirement.cancelled"} {
		w.refuses(ruleFounder, ruleSay(typ, "Effective", early), "before-beginning",
			`effective "2026-11-22": the requirement ground-west begins on 2026-11-23: write that date or a later one`, "")
		w.says(ruleFounder, ruleSay(typ))
	}
	w.says(ruleFounder, ruleSay("operation.revised", "Effective", ruleDay.AddDays(1)))
	w.refuses(ruleFounder, ruleSay("operation.revised", "Effective", early), "before-beginning",
		`effective "2026-11-22": the operation mnf-u begins on 2026-11-23: write that date or a later one`, "")
	w.says(ruleFounder, ruleSay("operation.revised"))
}

func TestRule17PledgeIsWhereItIs(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleUN, ruleSay("operation.opened", "Operation", "unmil"))
	w.refuses(ruleParis, ruleSay("pledge.amended"), "pledge-unknown",
		`pledge "01KAQ7Z0V4000000000000FRA1": there is no such pledge in this ledger: check the id`,
		"see the pledges with their ids: muster pledge list")
	w.refuses(ruleParis, ruleSay("pledge.offered", "Pledge", ruleFRA1), "pledge-unknown",
		`pledge "01KAQ7Z0V4000000000000FRA1": there is no such pledge in this ledger: check the id`,
		"see the pledges with their ids: muster pledge list")
	w.says(ruleFounder, ruleSay("pledge.offered", "ID", ruleFRA1, "Nation", "DEU"))
	w.refuses(ruleParis, ruleSay("pledge.amended"), "pledge-elsewhere",
		`nation "FRA": the pledge 01KAQ7Z0V4000000000000FRA1 is of Germany (DEU): check its id, or the nation`, "")
	w.refuses(ruleFounder, ruleSay("pledge.accepted", "Nation", "DEU", "Operation", "unmil"),
		"pledge-elsewhere",
		`operation "unmil": the pledge 01KAQ7Z0V4000000000000FRA1 belongs to mnf-u: check its id, or write mnf-u`, "")
	w.refuses(ruleFounder, ruleSay("pledge.accepted", "Operation", "unmil"), "pledge-elsewhere",
		`2 fields are wrong: `+
			`nation "FRA": the pledge 01KAQ7Z0V4000000000000FRA1 is of Germany (DEU): check its id, or the nation; `+
			`operation "unmil": the pledge 01KAQ7Z0V4000000000000FRA1 belongs to mnf-u: check its id, or write mnf-u`, "")
	w.says(ruleFounder, ruleSay("pledge.accepted", "Nation", "DEU"))
}

func TestRule18NothingMovesAfterExit(t *testing.T) {
	// Each exit, and how a pledge comes to it.
	exits := map[string]func(w *ruleWorld){
		"was declined by record 7": func(w *ruleWorld) {
			w.says(ruleFounder, ruleSay("pledge.declined"))
		},
		"was withdrawn by record 7": func(w *ruleWorld) {
			w.says(ruleParis, ruleSay("pledge.withdrawn", "Effective", 2027_06_30)) // and ends now
		},
		"was returned by record 10": func(w *ruleWorld) {
			w.climb("accepted", "confirmed", "deployed", "returned")
		},
	}
	for how, exit := range exits {
		w := newRuleWorld(t)
		w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
		exit(w)
		for _, typ := range []events.Type{"pledge.amended", "pledge.withdrawn", "pledge.accepted",
			"pledge.deployed", "pledge.reported", "pledge.returned", "condition.added"} {
			signer := ruleParis
			if typ == "pledge.accepted" {
				signer = ruleFounder
			}
			w.refuses(signer, ruleSay(typ), "pledge-ended",
				"the pledge 01KAQ7Z0V4000000000000FRA1 "+how+": nothing moves after that",
				"offer a new pledge: "+ruleAnew)
		}
		w.says(ruleParis, ruleSay("pledge.offered"))
	}
	w := newRuleWorld(t)
	w.says(ruleUN, ruleSay("pledge.observed", "ID", ruleFRA1))
	w.says(ruleUN, ruleSay("pledge.returned"))
	w.refuses(ruleUN, ruleSay("pledge.reported"), "pledge-ended",
		"the pledge 01KAQ7Z0V4000000000000FRA1 was returned by record 7: nothing moves after that",
		"observe the forces anew, as a new pledge")
}

// The whole ladder: on each rung what may be said, what it is too early for and what it is too late
// for.
func TestRule19OneRungAtATime(t *testing.T) {
	rungs := []struct{ rung, may, early, late string }{
		{"indicated", "offered declined withdrawn", "accepted confirmed deployed returned", ""},
		{"offered", "accepted declined withdrawn", "confirmed deployed returned", "offered"},
		{"accepted", "confirmed withdrawn", "deployed returned", "offered accepted declined"},
		{"confirmed", "deployed withdrawn", "returned", "offered accepted declined confirmed"},
		{"deployed", "returned", "", "offered accepted declined confirmed deployed"},
	}
	from := map[string]string{"offered": "indicated", "accepted": "offered",
		"declined":  "indicated or offered",
		"confirmed": "accepted", "deployed": "confirmed", "returned": "deployed"}
	const is = "01KAQ7Z0V4000000000000FRA1"
	w := newRuleWorld(t)
	for _, r := range rungs {
		if r.rung == "indicated" {
			w.says(ruleParis, ruleSay("pledge.indicated", "ID", ruleFRA1))
		} else {
			w.climb(r.rung)
		}
		refused := func(event, hint string) {
			by, st := ruleStep(event)
			w.refuses(by, st, "wrong-rung",
				"the pledge 01KAQ7Z0V4000000000000FRA1 is "+r.rung+": only one that is "+
					from[event]+" can be "+event, hint)
		}
		for _, event := range strings.Fields(r.early) {
			refused(event, "first it must be "+from[event]+": muster pledge "+
				map[string]string{"offered": "offer --indicated " + is, "accepted": "accept " + is,
					"confirmed": "confirm " + is,
					"deployed":  "deploy " + is + " --quantity N"}[from[event]])
		}
		for _, event := range strings.Fields(r.late) {
			refused(event, "it is past that; see where it stands: muster pledge show "+is)
		}
		for _, event := range strings.Fields(r.may) {
			w.allows(ruleStep(event))
		}
	}
	w.refuses(ruleParis, ruleSay("pledge.withdrawn"), "wrong-rung",
		"the pledge 01KAQ7Z0V4000000000000FRA1 is deployed: only one that is indicated, "+
			"offered, accepted or confirmed can be withdrawn",
		"forces that were deployed go home: muster pledge return "+is)
	w.climb("returned")
}

func TestRule20RoleAndUnitFixed(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.indicated", "ID", ruleFRA1))
	const role, unit = `role "air": the pledge is for ground and stays so: write ground, or make another pledge`,
		`unit "battalion": the pledge is counted in personnel, and units are never mixed: write personnel, or make another pledge`
	for _, typ := range []events.Type{"pledge.offered", "pledge.amended"} {
		w.refuses(ruleParis, ruleSay(typ, "Pledge", ruleFRA1, "Role", "air"),
			"role-fixed", role, "")
		w.refuses(ruleParis, ruleSay(typ, "Pledge", ruleFRA1, "Unit", "battalion"),
			"unit-fixed", unit, "")
		w.refuses(ruleParis, ruleSay(typ, "Pledge", ruleFRA1, "Role", "air", "Unit", "battalion"),
			"role-fixed",
			"2 fields are wrong: "+role+"; "+unit, "")
		w.says(ruleParis, ruleSay(typ, "Pledge", ruleFRA1, "Quantity", events.Count(7),
			"Area", "west"))
	}
	w.climb("accepted", "confirmed")
	w.refuses(ruleParis, ruleSay("pledge.deployed", "Unit", "battalion"), "unit-fixed", unit, "")
	w.climb("deployed")
	w.refuses(ruleParis, ruleSay("pledge.reported", "Unit", "battalion"), "unit-fixed", unit, "")
	w.climb("reported")
}

func TestRule21NationalConditionsFirst(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	for _, c := range []events.ConditionKind{events.Parliament, events.CeaseFire, events.Mandate,
		events.Funding, events.OtherThing} {
		w.says(ruleParis, ruleSay("condition.added", "Condition", string(c), "Kind", c))
	}
	w.climb("accepted")
	const first = "first say that it has happened: "
	discharge := "muster condition discharge " + ruleFRA1.String() + " "
	w.refuses(ruleParis, ruleSay("pledge.confirmed"), "condition-open",
		"the pledge 01KAQ7Z0V4000000000000FRA1 hangs on parliament, funding and other: a nation "+
			"is bound only when its own conditions are discharged",
		first+discharge+"parliament; "+discharge+"funding; "+discharge+"other")
	w.says(ruleParis, ruleSay("condition.discharged", "Condition", "funding"))
	w.says(ruleParis, ruleSay("condition.discharged", "Condition", "other"))
	w.says(ruleParis, ruleSay("condition.failed", "Condition", "mandate"))
	w.refuses(ruleParis, ruleSay("pledge.confirmed"), "condition-open",
		"the pledge 01KAQ7Z0V4000000000000FRA1 hangs on parliament: a nation is bound only when "+
			"its own conditions are discharged",
		first+discharge+"parliament")
	w.says(ruleParis, ruleSay("condition.discharged", "Condition", "parliament"))
	w.climb("confirmed")
	w.says(ruleParis, ruleSay("condition.added", "Condition", "next-year", "Kind",
		events.Parliament))
	w.climb("deployed")

	w = newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.says(ruleParis, ruleSay("condition.added"))
	w.says(ruleParis, ruleSay("condition.failed"))
	w.climb("accepted")
	w.refuses(ruleParis, ruleSay("pledge.confirmed"), "condition-open",
		"the pledge 01KAQ7Z0V4000000000000FRA1 cannot be confirmed any more: it hangs on vote, "+
			"which has failed",
		"withdraw it, and offer another: muster pledge withdraw 01KAQ7Z0V4000000000000FRA1; "+
			ruleAnew)
	w.climb("withdrawn")
}

func TestRule22ConditionSettledOnce(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.refuses(ruleParis, ruleSay("condition.failed"), "condition-unknown",
		`condition "vote": the pledge has no conditions: add it first: muster condition add 01KAQ7Z0V4000000000000FRA1 vote`, "")
	w.says(ruleParis, ruleSay("condition.added"))
	w.says(ruleParis, ruleSay("condition.added", "Condition", "budget"))
	w.refuses(ruleParis, ruleSay("condition.discharged", "Condition", "cease-fire"),
		"condition-unknown",
		`condition "cease-fire": the pledge has no such condition: write vote or budget`, "")
	w.refuses(ruleParis, ruleSay("condition.added"), "condition-known",
		"the pledge 01KAQ7Z0V4000000000000FRA1 has a condition named vote already",
		"give the new one another name")
	w.says(ruleParis, ruleSay("condition.discharged"))
	w.says(ruleParis, ruleSay("condition.failed", "Condition", "budget"))
	for _, typ := range []events.Type{"condition.discharged", "condition.failed"} {
		w.refuses(ruleParis, ruleSay(typ), "condition-known",
			"the condition vote was discharged already, by record 9",
			"if it is open again, add it under another name")
		w.refuses(ruleParis, ruleSay(typ, "Condition", "budget"), "condition-known",
			"the condition budget failed already, by record 10",
			"if it is open again, add it under another name")
	}
	w.says(ruleParis, ruleSay("condition.added", "Condition", "second-vote"))
}

func TestRule23ReportsOfWhatIsDeployed(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.climb("accepted", "confirmed")
	w.refuses(ruleParis, ruleSay("pledge.reported"), "wrong-rung",
		"the pledge 01KAQ7Z0V4000000000000FRA1 is confirmed: only one that is deployed can be "+
			"reported",
		"first it must be deployed: muster pledge deploy 01KAQ7Z0V4000000000000FRA1 --quantity N")
	w.climb("deployed", "reported", "reported")
	w.says(ruleUN, ruleSay("pledge.observed", "ID", ruleFRA2, "Role", "air", "Unit", "aircraft"))
	w.says(ruleUN, ruleSay("pledge.reported", "Pledge", ruleFRA2, "Unit", "aircraft"))
}

func TestRule24NotObservedTwice(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleUN, ruleSay("pledge.observed", "ID", ruleFRA1))
	const message, hint = "France was observed in mnf-u as ground already, as the pledge " +
		"01KAQ7Z0V4000000000000FRA1: a second one would count it twice",
		"report the new strength of that pledge instead: muster pledge report " +
			"01KAQ7Z0V4000000000000FRA1 --quantity N"
	w.refuses(ruleUN, ruleSay("pledge.observed"), "already-observed", message, hint)
	w.refuses(ruleUN, ruleSay("pledge.observed", "Unit", "battalion"), "already-observed",
		message, hint)
	w.says(ruleUN, ruleSay("pledge.observed", "Nation", "DEU"))
	w.says(ruleUN, ruleSay("pledge.observed", "Role", "air", "Unit", "aircraft"))
	w.says(ruleUN, ruleSay("pledge.returned"))
	w.says(ruleUN, ruleSay("pledge.observed", "ID", ruleFRA2))
	w.refuses(ruleUN, ruleSay("pledge.observed"), "already-observed",
		"France was observed in mnf-u as ground already, as the pledge "+
			"01KAQ7Z0V4000000000000FRA2: a second one would count it twice",
		strings.Replace(hint, "FRA1", "FRA2", 1))
}

func TestRule25ImportersTouchWhatWasObserved(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1))
	w.climb("accepted", "confirmed", "deployed")
	for _, typ := range []events.Type{"pledge.reported", "pledge.returned"} {
		w.refuses(ruleUN, ruleSay(typ), "wrong-party",
			"HQ/un is an importer, which records published figures only, and the pledge "+
				"01KAQ7Z0V4000000000000FRA1 was offered by France",
			"it is for a liaison of France or a coordinator to say")
	}
	w.says(ruleFounder, ruleSay("pledge.observed", "ID", ruleFRA2)) // whoever observed it
	w.says(ruleUN, ruleSay("pledge.reported", "Pledge", ruleFRA2))
	w.says(ruleParis, ruleSay("pledge.reported", "Pledge", ruleFRA2)) // the nation may say it, too
	w.says(ruleUN, ruleSay("pledge.returned", "Pledge", ruleFRA2))
}

func TestRule26ObservedIsNotPromised(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleUN, ruleSay("pledge.observed", "ID", ruleFRA1))
	w.refuses(ruleParis, ruleSay("pledge.amended"), "nothing-pledged",
		"the pledge 01KAQ7Z0V4000000000000FRA1 was seen in published figures and never offered, "+
			"so it has no terms to amend",
		"report its strength instead: muster pledge report 01KAQ7Z0V4000000000000FRA1 --quantity N")
	w.refuses(ruleParis, ruleSay("condition.added"), "nothing-pledged",
		"the pledge 01KAQ7Z0V4000000000000FRA1 was seen in published figures and never offered, "+
			"so it has no conditions",
		"conditions belong to what is offered: "+ruleAnew)
	w.says(ruleParis, ruleSay("pledge.reported"))
	// What is promised beside it is another pledge.
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA2))
	w.says(ruleParis, ruleSay("condition.added", "Pledge", ruleFRA2))
	w.says(ruleParis, ruleSay("pledge.amended", "Pledge", ruleFRA2))
}
