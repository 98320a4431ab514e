package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/events"
	"muster/ledger/rules"
)

var (
	ruleShape = ruleSigner("x-nato/shape", 10)

	ruleNATO = events.Organisation{Code: "x-nato", Name: "NATO", Also: []string{"OTAN"}}
	ruleOSCE = events.Organisation{Code: "x-osce", Name: "OSCE"}
)

// ruleDeclares revises the operation so that it has these organisations.
func ruleDeclares(all ...events.Organisation) events.Statement {
	return ruleSay("operation.revised", "Organisations", all)
}

func TestRule52OrganisationsAreDeclared(t *testing.T) {
	w := newRuleWorld(t)
	const remedy = "a coordinator declares it under organisations in "
	ofNATO := func(typ events.Type, pairs ...any) events.Statement {
		return ruleSay(typ, append([]any{"Nation", "x-nato"}, pairs...)...)
	}
	undeclared := remedy + "the plan of mnf-u (`- {code: x-nato, name: …}`), with: muster plan " +
		"apply FILE"
	for _, st := range []events.Statement{ofNATO("pledge.offered"), ofNATO("pledge.indicated"),
		ofNATO("scope.declared"), ofNATO("pledge.observed")} {
		w.refuses(ruleFounder, st, "organisation-unknown",
			`nation "x-nato": mnf-u declares no organisation with this code: `+
				`check the code, or declare it first`, undeclared)
	}
	w.refuses(ruleParis, ruleSay("pledge.offered", "Release", events.CoordinatorsOnly,
		"ReleasableTo", []events.Nation{"GBR", "x-nato"}), "organisation-unknown",
		`releasable_to[1] "x-nato": mnf-u declares no organisation with this code: `+
			`check the code, or declare it first`, undeclared)
	w.refuses(ruleFounder, ruleSay("member.admitted", "Key", ruleShape.Key()),
		"organisation-unknown", "the key x-nato/shape is named after x-nato, and no operation "+
			"declares an organisation with this code: check the code, or declare it first",
		remedy+"the plan of an operation "+
			"(`- {code: x-nato, name: …}`), with: muster plan apply FILE")

	w.says(ruleFounder, ruleDeclares(ruleNATO))
	w.says(ruleFounder, ruleSay("member.admitted", "Key", ruleShape.Key()))
	w.says(ruleShape, ofNATO("pledge.offered", "ID", ruleFRA1))
	w.says(ruleFounder, ofNATO("pledge.accepted"))
	w.refuses(ruleParis, ofNATO("pledge.confirmed"), "speaks-for-itself",
		"FRA/paris speaks for France and cannot speak for NATO",
		"sign with the key of a liaison of NATO: --key FILE")
	w.refuses(ruleFounder, ofNATO("pledge.confirmed"), "speaks-for-itself",
		`NATO has spoken for itself since its first liaison was admitted (record 7): nobody `+
			`else says "pledge confirmed" for it`,
		"sign with the key of a liaison of NATO: --key FILE")
	w.says(ruleShape, ofNATO("pledge.confirmed"))
	w.refuses(ruleFounder, ruleDeclares(), "organisation-in-use",
		`organisations "x-nato": pledges or scopes of mnf-u name NATO: keep the organisation`, "")
	renamed := events.Organisation{Code: "x-nato", Name: "North Atlantic Alliance",
		Also: []string{"OTAN", "NATO"}}
	w.says(ruleFounder, ruleDeclares(renamed, ruleOSCE))
	w.says(ruleFounder, ruleDeclares(renamed)) // OSCE has said nothing yet
	w.refuses(ruleFounder, ruleSay("scope.declared", "Nation", "x-osce"), "organisation-unknown",
		`nation "x-osce": mnf-u declares no organisation with this code, the nearest are: North `+
			`Atlantic Alliance (x-nato). Check the code, or declare it first`,
		remedy+"the plan of mnf-u (`- {code: x-osce, name: …}`), with: muster plan apply FILE")
	w.says(ruleParis, ruleSay("pledge.offered", "Release", events.CoordinatorsOnly,
		"ReleasableTo", []events.Nation{"x-nato"}))

	// In another operation it is another question.
	w.says(ruleFounder, ruleSay("operation.opened", "Operation", "other"))
	w.refuses(ruleShape, ofNATO("pledge.offered", "Operation", "other"), "organisation-unknown",
		`nation "x-nato": other declares no organisation with this code: `+
			`check the code, or declare it first`,
		remedy+"the plan of other (`- {code: x-nato, name: …}`), with: muster plan apply FILE")

	// What is saved is all of it.
	data := w.state.Save(rules.Root{})
	loaded, _, err := rules.LoadState(data)
	if err != nil {
		t.Fatal(err)
	}
	loaded.ReadAll()
	if diff := cmp.Diff(w.state, loaded, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-as it was +as it was saved):\n%s", diff)
	}
}

func TestRule53OrganisationsHaveNamesOfTheirOwn(t *testing.T) {
	w := newRuleWorld(t)
	const remedy = ": write another one, or leave the organisation out and pledge under that code"
	union := events.Organisation{Code: "x-eu", Name: "Union", Also: []string{"UE", "EU"}}
	w.refusesNew(ruleFounder, ruleDeclares(ruleNATO, union), "organisation-ambiguous",
		`organisations[1].also[1] "EU": is a name of the European Union (EUE)`+remedy, "")
	otan := events.Organisation{Code: "x-otan", Name: "L’OTAN"}
	w.refusesNew(ruleFounder, ruleDeclares(ruleNATO, otan), "organisation-ambiguous",
		`organisations[1].name "L’OTAN": is a name of NATO (x-nato)`+remedy, "")

	unseen := events.Organisation{Code: "x-fr", Name: "France\u200b"}
	w.refusesNew(ruleFounder, ruleDeclares(unseen), "organisation-ambiguous",
		`organisations[0].name "France\u200b": has the character U+200B, which is not seen as it `+
			`is written: leave it out, and write plain spaces`, "")
	if err := rules.Decide(w.state, ruleFounder.Key(), ruleDeclares(unseen)); err != nil {
		t.Error(err) // as it may be recorded
	}

	// As it was recorded before the name was known as a nation's.
	old := ruleDeclares(union)
	if err := rules.Decide(w.state, ruleFounder.Key(), old); err != nil {
		t.Error(err)
	}
	if _, err := w.state.Apply(w.record(ruleFounder, old)); err != nil {
		t.Fatal(err)
	}
	again := ruleDeclares(union, ruleNATO)
	if err := rules.DecideNew(w.state, ruleFounder.Key(), again); err != nil {
		t.Error(err)
	}
}

func TestRule54CodesStayWithTheirBodies(t *testing.T) {
	w := newRuleWorld(t)
	first := events.Organisation{Code: "x-aa", Name: "First Body", Also: []string{"FB"}}
	quite := events.Organisation{Code: "x-aa", Name: "Quite Another Body"}
	const own = "give another body a code of its own"
	liaison := ruleSigner("x-aa/k", 12)
	w.says(ruleFounder, ruleDeclares(quite))
	w.says(ruleFounder, ruleDeclares())
	w.says(ruleFounder, ruleDeclares(first)) // nothing was signed yet
	w.says(ruleFounder, ruleSay("member.admitted", "Key", liaison.Key()))

	// Neither by leaving it out, nor by a new name.
	w.refusesNew(ruleFounder, ruleDeclares(), "organisation-in-use",
		`organisations "x-aa": the key x-aa/k is of First Body, and no other operation declares `+
			`it: keep the organisation, or revoke the key before`, "")
	w.refusesNew(ruleFounder, ruleDeclares(quite), "organisation-in-use",
		`organisations[0].name "Quite Another Body": what is recorded of x-aa is of a body named `+
			`First Body: keep that name, under name or also, or `+own, "")
	known := quite
	known.Also = []string{"the First-Body"}
	w.refusesNew(ruleFounder, ruleDeclares(known), "organisation-in-use",
		`organisations[0].name "Quite Another Body": what is recorded of x-aa is of a body named `+
			`FB: keep that name, under name or also, or `+own, "")
	known.Also = append(known.Also, "FB")
	w.says(ruleFounder, ruleDeclares(known))

	// Nor in another operation.
	opened := func(o events.Organisation) events.Statement {
		return ruleSay("operation.opened", "Operation", "other", "Organisations",
			events.Organisations{o})
	}
	w.refusesNew(ruleFounder, opened(first), "organisation-ambiguous",
		`organisations[0].name "First Body": x-aa is Quite Another Body in the operation mnf-u: `+
			`write that name, too, under name or also, or `+own, "")
	w.says(ruleFounder, opened(known))
	w.says(ruleFounder, ruleDeclares()) // the other one declares it
	w.refusesNew(ruleFounder, ruleSay("operation.revised", "Operation", "other"),
		"organisation-in-use", `organisations "x-aa": the key x-aa/k is of Quite Another Body, `+
			`and no other operation declares it: keep the organisation, or revoke the key `+
			`before`, "")
	w.says(ruleFounder, ruleSay("member.revoked", "Key", liaison.Key()))
	w.says(ruleFounder, ruleSay("operation.revised", "Operation", "other"))
}

// Two organisations of which something is recorded do not swap their names, in however many steps.
func TestOrganisationsDoNotSwapNames(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleDeclares(ruleNATO, ruleOSCE))
	w.says(ruleFounder, ruleSay("scope.declared", "Nation", "x-nato"))
	nato, osce := ruleNATO, ruleOSCE
	nato.Name = "Alliance"
	w.refusesNew(ruleFounder, ruleDeclares(nato, ruleOSCE), "organisation-in-use",
		`organisations[0].name "Alliance": what is recorded of x-nato is of a body named NATO: `+
			`keep `+
			`that name, under name or also, or give another body a code of its own`, "")
	nato.Also = []string{"OTAN", "NATO"}
	w.says(ruleFounder, ruleDeclares(nato, ruleOSCE))
	osce.Name = "NATO"
	w.refusesNew(ruleFounder, ruleDeclares(nato, osce), "organisation-ambiguous",
		`organisations[1].name "NATO": is a name of Alliance (x-nato): write another one, `+
			`or leave `+
			`the organisation out and pledge under that code`, "")
	w.refusesNew(ruleFounder, ruleSay("operation.opened", "Operation", "other", "Organisations",
		events.Organisations{{Code: "x-ally", Name: "l'OTAN"}}), "organisation-ambiguous",
		`organisations[0].name "l'OTAN": is or looks like a name of Alliance (x-nato) in the `+
			`operation mnf-u: write another one, or, for the same body, that code`, "")
}

// What was recorded before the rule stays, and what goes on from it is not refused.
func TestOlderNamesOfOrganisationsStay(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleDeclares(ruleNATO))
	w.says(ruleFounder, ruleSay("scope.declared", "Nation", "x-nato"))
	other := events.Organisation{Code: "x-nato", Name: "OSCE"}
	for _, st := range []events.Statement{ruleDeclares(other), ruleSay("operation.opened",
		"Operation", "other", "Organisations", events.Organisations{ruleNATO})} {
		if err := rules.Decide(w.state, ruleFounder.Key(), st); err != nil {
			t.Error(err)
		}
		if _, err := w.state.Apply(w.record(ruleFounder, st)); err != nil {
			t.Fatal(err)
		}
	}
	w.says(ruleFounder, ruleDeclares(other))
	w.says(ruleFounder, ruleSay("operation.revised", "Operation", "other", "Organisations",
		events.Organisations{ruleNATO}))
}

// Members are everybody's to read, and an operation is not: who may not read what declares the
// organisation of a key does not take its admission for a fault.
func TestPartTakesKeysOfOrganisations(t *testing.T) {
	p := rules.NewPart()
	for i, rec := range []ruleCommand{
		{ruleFounder.Key(), ruleSay("ledger.founded")},
		{},
		{ruleFounder.Key(), ruleSay("member.admitted", "Key", ruleShape.Key())},
	} {
		if rec.st == nil {
			if err := p.Withhold(uint64(i + 1)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		whole, err := p.Decide(rec.key, rec.st)
		if err != nil || whole != (i == 0) {
			t.Fatalf("record %d: judged whole %v, %v", i+1, whole, err)
		}
		if err := p.Apply(ruleRecord(i+1, rec)); err != nil {
			t.Fatal(err)
		}
	}
	if id, _ := ruleShape.Key().ID(); !p.MaySign(id) {
		t.Error("the key that was admitted may not sign")
	}
}

// declared returns the organisations that an operation declares.
func (h ruleHistory) declared(o events.Operation) (all events.Organisations) {
	for _, c := range h {
		if _, other := events.About(c.st); c.st.Head().Type.Subject() == "operation" && other == o {
			all = ruleGet[events.Organisations](c.st, "Organisations")
		}
	}
	return all
}

// ruleNames returns the organisations that a statement names in its operation.
func ruleNames(st events.Statement) (all []events.Nation) {
	nation, _ := events.About(st)
	named := append([]events.Nation{nation}, ruleGet[[]events.Nation](st, "ReleasableTo")...)
	if terms := ruleGet[*events.PledgeTerms](st, "Terms"); terms != nil {
		named = append(named, terms.ReleasableTo...)
	}
	for _, n := range named {
		if strings.HasPrefix(string(n), "x-") {
			all = append(all, n)
		}
	}
	return all
}

// undeclared is the model of rule 52.
func (h ruleHistory) undeclared(c ruleCommand) bool {
	has := func(o events.Operation, code events.Nation) bool {
		return slices.ContainsFunc(h.declared(o), func(d events.Organisation) bool {
			return d.Code == code
		})
	}
	strange := func(party events.Nation) bool {
		return strings.HasPrefix(string(party), "x-") && !has("mnf-u", party) &&
			!has("unmil", party) && !has("mnf-x", party)
	}
	_, operation := events.About(c.st)
	switch st := c.st.(type) {
	case *events.MemberAdmitted:
		return strange(st.Key.Party())
	case *events.MemberSeconded: // by when the organisation may be gone
		return slices.ContainsFunc(h.waiting(), func(p ruleProposal) bool {
			return p.st.Head().ID == st.Statement && p.st.Head().Type == "member.admitted" &&
				strange(ruleGet[events.Key](p.st, "Key").Party())
		})
	case *events.OperationRevised:
		after := append(h[:len(h):len(h)], c)
		return slices.ContainsFunc(h, func(old ruleCommand) bool {
			_, there := events.About(old.st)
			return there == operation && slices.ContainsFunc(ruleNames(old.st),
				func(n events.Nation) bool {
					return !slices.ContainsFunc(after.declared(operation),
						func(d events.Organisation) bool { return d.Code == n })
				})
		})
	}
	return slices.ContainsFunc(ruleNames(c.st), func(n events.Nation) bool {
		return !has(operation, n)
	})
}
