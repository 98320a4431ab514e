package rules_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/rules"
)

// Each test here proves the rule of its number in doc.go: what it allows is allowed, and what it
// refuses is refused with the code and the words that a person reads. decide_pledge_test.go goes on
// with the rules of a pledge's life.

func TestRule01OneBeginning(t *testing.T) {
	w := &ruleWorld{t, rules.NewState()}
	w.refuses(ruleFounder, ruleSay("operation.opened"), "not-founded",
		"this ledger was not founded yet", "try again in a moment")
	w.refuses(ruleSecond, ruleSay("ledger.founded"), "bad-signature",
		"the founding must be signed with the founder's key that it names, HQ/founder",
		"sign it with that key, or name the key that signs")
	w.says(ruleFounder, ruleSay("ledger.founded"))
	w.says(ruleFounder, ruleSay("operation.opened"))
	w.refuses(ruleFounder, ruleSay("ledger.founded"), "already-founded",
		"this ledger was founded already, as muster.example/test: a ledger has one beginning",
		"to found another ledger, start a server on an empty folder")
}

func TestRule02ForThisLedger(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered"))
	w.refuses(ruleParis, ruleSay("pledge.offered", "Ledger", "muster.example/other"),
		"other-ledger",
		"the statement was made for the ledger muster.example/other, and this is "+
			"muster.example/test", "make it anew for this ledger, and sign it again")
}

// Under the id of what one may not read, a statement is refused as where that was never said, as
// long as it breaks another rule or is only asked about; of one that breaks none, and of nothing
// else, it is told that the id is taken, and not by what.
func TestIDOfWhatIsWithheld(t *testing.T) {
	said, never := ruleLedger(t), ruleLedger(t)
	submit := func(l *ledger.Ledger, by *events.Signer, st events.Statement) error {
		_, err := l.Submit(t.Context(), ruleSigned(t, by, st))
		return err
	}
	begin := func(l *ledger.Ledger, release events.Release) {
		for _, st := range []events.Statement{ruleSay("operation.opened"),
			ruleSay("member.admitted", "Key", ruleParis.Key()),
			ruleSay("member.admitted", "Key", ruleBerlin.Key()),
			ruleSay("operation.opened", "ID", ruleFRA2, "Operation", "quiet", "Release", release)} {
			if err := submit(l, ruleFounder, st); err != nil {
				t.Fatal(err)
			}
		}
	}
	begin(said, events.CoordinatorsOnly)
	offer := ruleSay("pledge.offered", "ID", ruleFRA1, "Release", events.CoordinatorsOnly)
	if err := submit(said, ruleParis, offer); err != nil {
		t.Fatal(err)
	}
	begin(never, "")

	const taken = "the id 01KAQ7Z0V4000000000000FRA1 is that of another statement, "
	ofBerlin := ruleSay("pledge.offered", "ID", ruleFRA1, "Nation", "DEU")
	ofParis := ruleSay("pledge.offered", "ID", ruleFRA1, "Quantity", events.Count(7))
	ruleRefused(t, submit(said, ruleBerlin, ofBerlin), "id-taken",
		taken+"which is not for you to read", "give the statement an id of its own")
	if err := said.Check(t.Context(), ruleSigned(t, ruleBerlin, ofBerlin)); err != nil {
		t.Errorf("who only asks is told %v", err)
	}
	if err := submit(said, ruleParis, ofParis); err == nil ||
		!strings.Contains(err.Error(), taken+"recorded as 6") {
		t.Errorf("France is not told where its own pledge is: %v", err)
	}
	if err := submit(said, ruleParis, offer); err != nil {
		t.Errorf("the same again: %v", err)
	}

	// A founding is signed with any key.
	founding := ruleSay("ledger.founded", "ID", ruleFRA1, "Founder", ruleAuditor.Key())
	for by, st := range map[*events.Signer]events.Statement{ruleAuditor: founding,
		ruleBerlin: ruleSay("pledge.confirmed", "ID", ruleFRA1, "Nation", "DEU"),
		ruleRome:   ofBerlin} {
		got, want := submit(said, by, st), submit(never, by, st)
		if got == nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is told %v, and where it was never said %v", by.Name(), got, want)
		}
	}
	for _, view := range []events.View{events.PublicView, events.CoalitionView, "DEU"} {
		for _, st := range []events.Statement{offer, ofBerlin, founding} {
			got := said.CheckUnsigned(t.Context(), view, st)
			want := never.CheckUnsigned(t.Context(), view, st)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("unsigned, %s is told %v, and where it was never said %v", view, got, want)
			}
		}
	}
	for _, view := range []events.View{"FRA", events.CoordinatorsView, ""} {
		if err := said.CheckUnsigned(t.Context(), view, ofParis); err == nil ||
			!strings.Contains(err.Error(), taken+"recorded as 6") {
			t.Errorf("unsigned, %q is told %v", view, err)
		}
	}
}

// Who may read a record follows from the records until then: what was said before a disclosure is
// for no more to read after it.
func TestMayRead(t *testing.T) {
	w := newReleaseWorld(t) // the pledge is record 8
	var all []events.Record
	say := func(by *events.Signer, st events.Statement) {
		all = append(all, w.record(by, st))
		w.says(by, st)
	}
	offer := ruleConfided("pledge.offered", "ID", ruleFRA2)
	say(ruleParis, offer)
	say(ruleFounder, ruleSay("pledge.accepted", "Pledge", ruleFRA2))
	say(ruleParis, ruleSay("pledge.disclosed", "Pledge", ruleFRA2, "Release", events.CoalitionOnly,
		"Rung", events.Accepted))
	say(ruleParis, ruleSay("pledge.withdrawn", "Pledge", ruleFRA2))
	say(ruleFounder, ruleSay("requirement.issued", "Line", "quiet", "Release",
		events.CoordinatorsOnly))
	say(ruleFounder, ruleSay("requirement.cancelled", "Line", "quiet"))
	say(ruleFounder, ruleSay("operation.revised"))
	say(ruleFounder, ruleSay("member.admitted", "Key", ruleAuditor.Key(), "Role", events.Reader,
		"Clearance", events.ForThePublic))
	const nobody, few, coalition, everybody = "", "FRA GBR ", "FRA GBR DEU coalition ",
		"FRA GBR DEU coalition public "
	for i, want := range []string{few, few, coalition, coalition, nobody, nobody, coalition,
		everybody} {
		got := ""
		for _, v := range []events.View{"FRA", "GBR", "DEU", events.CoalitionView,
			events.PublicView} {
			if w.state.MayRead(v, all[i]) {
				got += string(v) + " "
			}
		}
		if got != want || !w.state.MayRead(events.CoordinatorsView, all[i]) {
			t.Errorf("%s is for %q to read, and not for %q", all[i].Statement.Head().Type, got,
				want)
		}
	}
	for key, want := range map[*events.Signer]events.View{ruleParis: "FRA",
		ruleStranger: events.PublicView, ruleFounder: events.CoordinatorsView} {
		if got := w.state.ViewOf(key.Key()); got != want {
			t.Errorf("%s reads what is for %q, want %q", key.Name(), got, want)
		}
	}
}

func TestRule03IDOnce(t *testing.T) {
	l := ruleLedger(t)
	opened := ruleSay("operation.opened", "ID", ruleFRA1)
	first, err := l.Submit(t.Context(), ruleSigned(t, ruleFounder, opened))
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Submit(t.Context(), ruleSigned(t, ruleFounder, opened))
	first.Again = true
	if err != nil || again != first {
		t.Errorf("the same bytes again: %+v, %v; want the first receipt %+v", again, err, first)
	}
	_, err = l.Submit(t.Context(),
		ruleSigned(t, ruleFounder, ruleSay("operation.opened", "ID", ruleFRA1, "Title", "another")))
	ruleRefused(t, err, "id-taken",
		"the id 01KAQ7Z0V4000000000000FRA1 is that of another statement, recorded as 2",
		"look at record 2: if it says what is meant, it counts already, and to say it again "+
			"would count twice; else give the new statement an id of its own")

	// Signed again with a random nonce, it has other bytes, and is the same statement of the same
	// key.
	anew := resigned(t, ruleFounder, 1, ruleSigned(t, ruleFounder, opened))
	again, err = l.Submit(t.Context(), anew)
	if err != nil || again != first {
		t.Errorf("signed again: %+v, %v; want the first receipt %+v", again, err, first)
	}
	if err := l.Check(t.Context(), anew); err != nil {
		t.Errorf("a check of the same, signed again: %v", err)
	}
	// Which that signature is not of.
	anew.Note = bytes.Replace(anew.Note, []byte("a test"), []byte("a tent"), 1)
	if _, err = l.Submit(t.Context(), anew); problem.From(err).Code != "bad-signature" {
		t.Errorf("a signature that is wrong is answered with %v", err)
	}
}

func TestRule04OnlyMembersSign(t *testing.T) {
	w := newRuleWorld(t)
	w.refuses(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU"), "not-admitted",
		"the key DEU/berlin+82fa242c is not a member of this ledger",
		"ask a coordinator to admit it: muster member admit KEY")
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	w.says(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU"))
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleBerlin.Key()))
	w.refuses(ruleBerlin, ruleSay("pledge.offered", "Nation", "DEU"), "revoked",
		"the key DEU/berlin+82fa242c was revoked by record 8, and what it signs is no longer taken",
		"make a new key, and ask a coordinator to admit it: muster key new DEU/NAME")

	// A key that signatures cannot tell from a member's is still another key.
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleRome.Key()))
	w.refuses(ruleOtherRome, ruleSay("pledge.offered", "Nation", "ITA"), "not-admitted",
		"the key ITA/rome+73aee78d is not a member of this ledger",
		"ask a coordinator to admit it: muster member admit KEY")

	l := ruleLedger(t)
	forged := ruleSigned(t, ruleFounder, ruleSay("operation.opened"))
	forged.Note = bytes.Replace(forged.Note, []byte("a test"), []byte("a tent"), 1)
	_, err := l.Submit(t.Context(), forged)
	ruleRefused(t, err, "bad-signature",
		"the signature is not that of HQ/founder+37d9ea0a: the statement was changed after it "+
			"was signed, or another key has signed it",
		"sign the statement again with HQ/founder, and send it as it was signed")
}

func TestRule05WhoMaySayWhat(t *testing.T) {
	parties := map[events.Type]string{
		"member.admitted": "coordinator", "member.revoked": "coordinator",
		"member.seconded":  "liaison coordinator",
		"member.retracted": "coordinator",
		"meeting.closed":   "coordinator",
		"operation.opened": "coordinator importer", "operation.revised": "coordinator",
		"requirement.issued": "coordinator", "requirement.revised": "coordinator",
		"requirement.cancelled": "coordinator",
		"scope.declared":        "liaison",
		"pledge.indicated":      "liaison", "pledge.offered": "liaison",
		"pledge.amended": "liaison", "pledge.confirmed": "liaison", "pledge.withdrawn": "liaison",
		"pledge.accepted": "coordinator", "pledge.declined": "coordinator",
		"pledge.deployed": "liaison coordinator",
		"pledge.reported": "liaison coordinator importer",
		"pledge.returned": "liaison coordinator importer",
		"pledge.observed": "coordinator importer",
		"condition.added": "liaison", "condition.discharged": "liaison",
		"condition.failed": "liaison",
		"pledge.renewed":   "liaison", "pledge.corrected": "liaison coordinator importer",
		"caveat.declared": "liaison", "caveat.lifted": "liaison",
		"allocation.made": "coordinator", "allocation.released": "coordinator",
		"pledge.disclosed": "liaison", "pledge.queried": "liaison coordinator",
		"pledge.answered": "liaison coordinator",
	}
	w := newRuleWorld(t)
	for _, typ := range events.Types()[1:] { // all but the founding
		for _, by := range []*events.Signer{ruleFounder, ruleParis, ruleUN} {
			st := ruleSay(typ)
			ruleFill(st, []ruleMember{{"Key", ruleStranger.Key()}})
			may, code, want := strings.Contains(parties[typ], string(ruleRoleOf(by.Key()))),
				"", "wrong-party"
			if by == ruleFounder {
				// rule 7: all that a coordinator may not say is for France, which has a liaison
				want = "speaks-for-itself"
			}
			if p := problem.From(rules.Decide(w.state, by.Key(), w.record(by, st).Statement)); p !=
				nil {
				code = p.Code
			}
			if refused := code == "wrong-party" || code == "speaks-for-itself"; refused == may ||
				refused && code != want {
				t.Errorf("%s says %s, which is for a %s to say: %q", by.Name(), typ,
					parties[typ], code)
			}
		}
	}

	const hint = "ask one to say it, or sign with the key of one: --key FILE"
	w.refuses(ruleParis, ruleSay("pledge.accepted"), "wrong-party",
		"FRA/paris is a liaison of France, and \"pledge accepted\" is for a coordinator to say",
		hint)
	w.refuses(ruleParis, ruleSay("operation.opened"), "wrong-party",
		"FRA/paris is a liaison of France, and \"operation opened\" is for a coordinator or an "+
			"importer to say", hint)
	w.refuses(ruleUN, ruleSay("pledge.deployed"), "wrong-party",
		"HQ/un is an importer, which records published figures only, and \"pledge deployed\" is "+
			"for a liaison or a coordinator to say", hint)
	w.says(ruleUN, ruleSay("operation.opened", "Operation", "unmil"))
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered"))

	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleAuditor.Key(), "Role", events.Reader,
		"Clearance", events.ForTheCoalition))
	w.refuses(ruleAuditor, ruleSay("operation.opened", "Operation", "x"), "wrong-party",
		`HQ/auditor is a reader, who signs no statements, and "operation opened" is for a coordinator or an importer to say`, hint)
	w.says(ruleAuditor, ruleSay("member.revoked", "Key", ruleAuditor.Key())) // rule 8

	// A kind of statement that no rule knows is nobody's.
	ruleRefused(t, rules.Decide(w.state, ruleFounder.Key(),
		ruleSay("pledge.withdrawn", "Type", "pledge.sworn")), "wrong-party",
		"no rule of this ledger says who may say \"pledge sworn\", so nobody may",
		"use a newer muster on the server")
}

func TestRule06NationSpeaksForItself(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleParis, ruleSay("pledge.offered"))
	w.refuses(ruleParis, ruleSay("pledge.offered", "Nation", "DEU"), "speaks-for-itself",
		"FRA/paris speaks for France and cannot speak for Germany",
		"sign with the key of a liaison of Germany: --key FILE")
	w.says(ruleFounder, ruleSay("pledge.observed", "ID", ruleFRA2, "Nation", "DEU"))
	w.refuses(ruleParis, ruleSay("pledge.reported", "Pledge", ruleFRA2, "Nation", "DEU"),
		"speaks-for-itself",
		"FRA/paris speaks for France and cannot speak for Germany",
		"sign with the key of a liaison of Germany: --key FILE")
}

func TestRule07OnBehalfUntilFirstLiaison(t *testing.T) {
	w := newRuleWorld(t)
	offer := func() events.Statement { return ruleSay("pledge.offered", "Nation", "DEU") }
	w.says(ruleFounder, offer())
	w.says(ruleFounder, ruleSay("scope.declared", "Nation", "DEU", "Roles",
		[]events.Role{"ground"}))
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
	const message, hint = "Germany has spoken for itself since its first liaison was admitted " +
		"(record 8): nobody else says \"pledge offered\" for it",
		"sign with the key of a liaison of Germany: --key FILE"
	w.refuses(ruleFounder, offer(), "speaks-for-itself", message, hint)
	w.says(ruleBerlin, offer())
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleSigner("DEU/bonn", 8).Key()))
	w.refuses(ruleFounder, offer(), "speaks-for-itself", message, hint)
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleBerlin.Key()))
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleSigner("DEU/bonn", 8).Key()))
	w.refuses(ruleFounder, offer(), "speaks-for-itself", message, hint)
}

func TestRule08HolderRevokesOwnKey(t *testing.T) {
	w := newRuleWorld(t)
	w.refuses(ruleParis, ruleSay("member.revoked", "Key", ruleBrest.Key()), "wrong-party",
		"FRA/paris is a liaison of France, and \"member revoked\" is for a coordinator to say",
		"ask one to say it, or sign with the key of one: --key FILE")
	w.says(ruleParis, ruleSay("member.revoked", "Key", ruleParis.Key()))
	w.refuses(ruleFounder, ruleSay("member.revoked", "Key", ruleParis.Key()), "revoked",
		"the key FRA/paris+c5284e35 was revoked already, by record 6",
		"nothing more needs to be said")
	w.refuses(ruleFounder, ruleSay("member.revoked", "Key", ruleStranger.Key()), "key-unknown",
		"the key POL/warsaw+7a574afd is not a member of this ledger",
		"see the keys that are: muster member list")
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleRome.Key()))
	w.refuses(ruleFounder, ruleSay("member.revoked", "Key", ruleOtherRome.Key()), "key-unknown",
		"the key ITA/rome+73aee78d is not a member of this ledger",
		"see the keys that are: muster member list")
	w.says(ruleUN, ruleSay("member.revoked", "Key", ruleUN.Key()))
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleBrest.Key()))
}

func TestRule09KeyAdmittedOnce(t *testing.T) {
	w := newRuleWorld(t)
	w.refuses(ruleFounder, ruleSay("member.admitted", "Key", ruleParis.Key()), "key-known",
		"the key FRA/paris+c5284e35 is a member already, as liaison",
		"for another role, make another key: muster key new FRA/NAME")
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleParis.Key()))
	w.refuses(ruleFounder, ruleSay("member.admitted", "Key", ruleParis.Key()), "key-known",
		"the key FRA/paris+c5284e35 was revoked by record 6 and cannot come back",
		"make a new key: muster key new FRA/NAME")
	// A new key of the same name.
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleSigner("FRA/paris", 8).Key()))

	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleRome.Key()))
	w.refuses(ruleFounder, ruleSay("member.admitted", "Key", ruleOtherRome.Key()), "key-known",
		"the key ITA/rome+73aee78d has the name and the hash of another one, and signatures "+
			"could not be told apart", "make a new key: muster key new ITA/NAME")
}

func TestRule10LastCoordinatorStays(t *testing.T) {
	w := newRuleWorld(t)
	const message, hint = "HQ/founder+37d9ea0a is the last coordinator: without it nobody could " +
		"admit another", "admit another coordinator first: muster member admit KEY"
	w.refuses(ruleFounder, ruleSay("member.revoked", "Key", ruleFounder.Key()), "last-coordinator",
		message, hint)
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleSecond.Key(), "Role",
		events.Coordinator))
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleSecond.Key()))
	w.refuses(ruleFounder, ruleSay("member.revoked", "Key", ruleFounder.Key()), "last-coordinator",
		message, hint)
	third := ruleSigner("HQ/third", 9)
	w.says(ruleFounder, ruleSay("member.admitted", "Key", third.Key(), "Role", events.Coordinator))
	w.says(ruleFounder, ruleSay("member.revoked", "Key", ruleFounder.Key()))
	w.says(third, ruleSay("member.admitted", "Key", ruleBerlin.Key()))
}

func TestRule11OperationOpenedOnce(t *testing.T) {
	w := newRuleWorld(t)
	w.refuses(ruleFounder, ruleSay("operation.opened"), "operation-known",
		"the operation mnf-u was opened already",
		"give the new one another name; or revise what is there: muster plan apply FILE")
	const message, hint = `operation "mnf-x": there is no such operation in this ledger: check its name`, "a coordinator opens it with: muster plan apply FILE"
	for _, typ := range []events.Type{"operation.revised", "requirement.issued",
		"requirement.revised", "requirement.cancelled"} {
		w.refuses(ruleFounder, ruleSay(typ, "Operation", "mnf-x"), "operation-unknown",
			message, hint)
	}
	for _, typ := range []events.Type{"scope.declared", "pledge.indicated", "pledge.offered"} {
		w.refuses(ruleParis, ruleSay(typ, "Operation", "mnf-x"), "operation-unknown", message, hint)
	}
	w.refuses(ruleUN, ruleSay("pledge.observed", "Operation", "mnf-x"), "operation-unknown",
		message, hint)
	w.says(ruleUN, ruleSay("operation.opened", "Operation", "mnf-x"))
	w.says(ruleUN, ruleSay("pledge.observed", "Operation", "mnf-x"))
}

func TestRule12CatalogueOfRolesAndUnits(t *testing.T) {
	w := newRuleWorld(t)
	const noRole, noUnit = `role "sea": mnf-u has no such role: write ground, air or intelligence`,
		`unit "ship": the role ground is not counted in that: write personnel or battalion`
	w.refuses(ruleFounder, ruleSay("requirement.issued", "Role", "sea", "Unit", "ship"),
		"role-unknown", noRole, "")
	w.refuses(ruleFounder, ruleSay("requirement.issued", "Unit", "ship"),
		"unit-not-of-role", noUnit, "")
	for _, typ := range []events.Type{"pledge.indicated", "pledge.offered"} {
		w.refuses(ruleParis, ruleSay(typ, "Role", "sea", "Unit", "ship"),
			"role-unknown", noRole, "")
		w.refuses(ruleParis, ruleSay(typ, "Unit", "ship"), "unit-not-of-role", noUnit, "")
		w.says(ruleParis, ruleSay(typ))
		w.says(ruleParis, ruleSay(typ, "Unit", "battalion"))
	}
	w.refuses(ruleUN, ruleSay("pledge.observed", "Role", "sea", "Unit", "ship"),
		"role-unknown", noRole, "")
	w.refuses(ruleUN, ruleSay("pledge.observed", "Unit", "ship"), "unit-not-of-role", noUnit, "")

	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.refuses(ruleFounder, ruleSay("requirement.revised", "Unit", "aircraft"), "unit-not-of-role",
		`unit "aircraft": the role ground is not counted in that: write personnel or battalion`, "")
	w.says(ruleFounder, ruleSay("requirement.revised", "Unit", "battalion"))

	w.refuses(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"sea"}), "role-unknown",
		`roles[0] "sea": mnf-u has no such role: write ground, air or intelligence`, "")
	w.refuses(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"sea", "air", "space"}),
		"role-unknown",
		`2 fields are wrong: roles[0] "sea": mnf-u has no such role: write ground, air or intelligence; `+
			`roles[2] "space": mnf-u has no such role: write ground, air or intelligence`, "")
	w.says(ruleParis, ruleSay("scope.declared", "Roles", []events.Role{"ground", "air"}))
}

func TestRule13RoleInUseStays(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued", "Unit", "battalion"))
	w.says(ruleFounder, ruleSay("requirement.revised", "Unit", "personnel"))
	w.says(ruleFounder, ruleSay("requirement.cancelled"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Role", "air", "Unit", "aircraft"))
	w.says(ruleParis, ruleSay("pledge.withdrawn"))
	ground, air, battalions := ruleCatalogue[0], ruleCatalogue[1],
		events.RoleDefinition{Role: "ground", Title: "Troops", Units: []events.Unit{"battalion"}}
	revised := func(roles ...events.RoleDefinition) events.Statement {
		return ruleSay("operation.revised", "Roles", roles)
	}
	w.refuses(ruleFounder, revised(battalions, air), "role-in-use",
		`roles "ground": requirements or pledges of mnf-u are counted in personnel: keep the role, and this unit of it`, "")
	w.refuses(ruleFounder, revised(ruleCatalogue[2]), "role-in-use", `3 fields are wrong: `+
		`roles "air": requirements or pledges of mnf-u are counted in aircraft: keep the role, and this unit of it; `+
		`roles "ground": requirements or pledges of mnf-u are counted in battalion: keep the role, and this unit of it; `+
		`roles "ground": requirements or pledges of mnf-u are counted in personnel: keep the role, and this unit of it`, "")
	w.says(ruleFounder, revised(air, ground)) // without intelligence, which nobody has used
	w.refuses(ruleParis, ruleSay("pledge.offered", "Role", "intelligence", "Unit", "cell"),
		"role-unknown",
		`role "intelligence": mnf-u has no such role: write air or ground`, "")
}

func TestRule14RequirementLines(t *testing.T) {
	w := newRuleWorld(t)
	w.refuses(ruleFounder, ruleSay("requirement.revised"), "line-unknown",
		`line "ground-west": mnf-u has no such requirement: check the name, or issue it first`, "")
	w.refuses(ruleFounder, ruleSay("requirement.cancelled"), "line-unknown",
		`line "ground-west": mnf-u has no such requirement: check the name, or issue it first`, "")
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.refuses(ruleFounder, ruleSay("requirement.issued"), "line-known",
		"the requirement ground-west of mnf-u was issued already",
		"revise it instead, or issue another under another name")
	w.refuses(ruleFounder, ruleSay("requirement.revised", "Role", "air", "Unit", "aircraft"),
		"role-fixed",
		`role "air": the requirement ground-west is for ground and stays so: cancel it and issue another`, "")
	w.says(ruleFounder, ruleSay("requirement.revised", "Quantity", events.Count(7000)))
	w.says(ruleFounder, ruleSay("requirement.cancelled"))
	for _, typ := range []events.Type{"requirement.issued", "requirement.revised",
		"requirement.cancelled"} {
		w.refuses(ruleFounder, ruleSay(typ), "line-cancelled",
			"the requirement ground-west of mnf-u was cancelled by record 8, and its name is "+
				"not used again", "issue a new requirement under another name")
	}
	w.says(ruleFounder, ruleSay("requirement.issued", "Line", "ground-east"))
}
