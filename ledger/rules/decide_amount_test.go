package rules_test

import (
	"testing"

	"muster/events"
	"muster/ledger/rules"
)

// Three capitals that are no currency would be counted as money, and a currency in lower-case
// letters as things. A ledger that has one already goes on with it.
func TestRule49CurrenciesOfISO4217(t *testing.T) {
	w := newRuleWorld(t)
	catalogue := func(units ...events.Unit) []events.RoleDefinition {
		return append(ruleCatalogue[:len(ruleCatalogue):len(ruleCatalogue)],
			events.RoleDefinition{Role: "armour", Title: "Armour", Units: units})
	}
	const remedy = "is no currency of ISO 4217: write what it stands for in lower-case letters, " +
		"such as ifv, or a currency, such as EUR"
	opened := func(units ...events.Unit) events.Statement {
		return ruleSay("operation.opened", "Operation", "other", "Roles", catalogue(units...))
	}
	w.refusesNew(ruleFounder, opened("tank", "IFV"), "no-currency",
		`roles[3].units[1] "IFV": IFV `+remedy, "")
	for _, unit := range []events.Unit{"XYZ", "EUX", "XXX", "XTS"} {
		if err := rules.DecideNew(w.state, ruleFounder.Key(), opened(unit)); err == nil {
			t.Errorf("%s is taken as a currency", unit)
		}
	}
	w.refusesNew(ruleFounder, opened("nok"), "no-currency",
		`roles[3].units[0] "nok": is a currency: write it as NOK; or give the thing another name`, "")
	if err := rules.DecideNew(w.state, ruleFounder.Key(), opened("NOK", "ifv")); err != nil {
		t.Error(err)
	}

	// As it was recorded before the rule.
	old := opened("IFV")
	if err := rules.Decide(w.state, ruleFounder.Key(), old); err != nil {
		t.Errorf("what was recorded before the rule is no breach of it: %v", err)
	}
	if _, err := w.state.Apply(w.record(ruleFounder, old)); err != nil {
		t.Fatal(err)
	}
	for by, st := range map[*events.Signer]events.Statement{
		ruleParis: ruleSay("pledge.offered", "Operation", "other", "Role", "armour", "Unit", "IFV",
			"Quantity", events.Unit("IFV").Of(3100)),
		ruleFounder: ruleSay("operation.revised", "Operation", "other",
			"Roles", catalogue("IFV", "ifv"))} {
		if err := rules.DecideNew(w.state, by.Key(), st); err != nil {
			t.Errorf("%s is refused in a ledger that has it: %v", st.Head().Type, err)
		}
	}
	w.refusesNew(ruleFounder, ruleSay("operation.revised", "Operation", "other", "Roles",
		catalogue("IFV", "APC")), "no-currency", `roles[3].units[1] "APC": APC is no currency of `+
		"ISO 4217: write what it stands for in lower-case letters, such as apc, or a currency, "+
		"such as EUR", "")
}

// Of "10 to 14", ten can be allocated, and of "up to 18" nothing.
func TestAllocatesWhatIsSure(t *testing.T) {
	w := newRuleWorld(t)
	w.says(ruleFounder, ruleSay("requirement.issued"))
	w.says(ruleParis, ruleSay("pledge.offered", "ID", ruleFRA1, "Quantity", events.Unknown,
		"Least", events.Count(10), "Most", events.Count(14)))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(11)),
		"over-allocated", `quantity "11": on 2027-01-01 the pledge is of 10, and 10 of that are `+
			"free: write at most that, or release an allocation first", "")
	w.allows(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(10)))
	w.says(ruleParis, ruleSay("pledge.amended", "Quantity", events.Unknown,
		"Most", events.Count(18)))
	w.refuses(ruleFounder, ruleSay("allocation.made", "Quantity", events.Count(1)),
		"over-allocated", "how much the pledge 01KAQ7Z0V4000000000000FRA1 is of is not known on "+
			"2027-01-01, so nothing of it can be allocated",
		"the nation says how much with: muster pledge amend 01KAQ7Z0V4000000000000FRA1 "+
			"--quantity N")
}
