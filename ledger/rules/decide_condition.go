package rules

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/phrase"
)

// national are the conditions that the nation's own institutions must meet before it is bound.
var national = []events.ConditionKind{events.Parliament, events.Funding, events.OtherThing}

// conditionsMet keeps rule 21: a nation is bound only when its national conditions are discharged.
func conditionsMet(p *pledge) error {
	var open, failed []events.Line
	for _, c := range p.conditions {
		switch {
		case !slices.Contains(national, c.kind):
		case c.failed:
			failed = append(failed, c.name)
		case c.settled == 0:
			open = append(open, c.name)
		}
	}
	if failed != nil {
		return refuse(codeConditionOpen,
			"the pledge %s cannot be confirmed any more: it hangs on %s, which has failed", p.id(),
			phrase.List(phrase.And, failed...)).
			WithHint("withdraw it, and offer another: muster pledge withdraw %s; %s",
				p.id(), p.anew())
	}
	if open != nil {
		return refuse(codeConditionOpen,
			"the pledge %s hangs on %s: a nation is bound only when its own conditions are "+
				"discharged", p.id(), phrase.List(phrase.And, open...)).
			WithHint("first say that it has happened: %s", discharging(p, open))
	}
	return nil
}

// discharging are the commands that say of conditions that they have happened.
func discharging(p *pledge, conditions []events.Line) string {
	commands := make([]string, len(conditions))
	for i, name := range conditions {
		commands[i] = fmt.Sprintf("muster condition discharge %s %s", p.id(), name)
	}
	return strings.Join(commands, "; ")
}

// newCondition keeps rule 22: a name is used once.
func newCondition(p *pledge, name events.Line) error {
	for _, c := range p.conditions {
		if c.name == name {
			return refuse(codeConditionKnown, "the pledge %s has a condition named %s already",
				p.id(), name).
				WithHint("give the new one another name")
		}
	}
	return nil
}

// openCondition keeps rule 22: only a condition that is open is discharged or fails.
func openCondition(p *pledge, name events.Line) error {
	var names []events.Line
	for _, c := range p.conditions {
		names = append(names, c.name)
		switch {
		case c.name != name:
		case c.failed:
			return alreadySettled(c, phrase.Of("failed"))
		case c.settled > 0:
			return alreadySettled(c, phrase.Of("was discharged"))
		default:
			return nil
		}
	}
	if names == nil {
		return refuseField(codeConditionUnknown,
			field("condition", name, "the pledge has no conditions: "+
				"add it first: muster condition add %s %s", p.id(), name))
	}
	return refuseField(codeConditionUnknown,
		field("condition", name, "the pledge has no such condition: write %s",
			phrase.List(phrase.Or, names...)))
}

func alreadySettled(c condition, how phrase.Phrase) error {
	return refuse(codeConditionKnown, "the condition %s %s already, by record %d", c.name,
		how, c.settled).
		WithHint("if it is open again, add it under another name")
}

// newCaveat keeps rule 30: a name is used once.
func newCaveat(p *pledge, name events.Line) error {
	for _, c := range p.caveats {
		if c.name == name {
			return refuse(codeCaveatKnown, "the pledge %s has had a caveat named %s already",
				p.id(), name).WithHint("give the new one another name")
		}
	}
	return nil
}

// heldCaveat keeps rule 30: only a caveat that holds is lifted.
func heldCaveat(p *pledge, name events.Line) error {
	var held []events.Line
	for _, c := range p.caveats {
		switch {
		case c.name == name && c.lifted > 0:
			return refuse(codeCaveatKnown, "the caveat %s was lifted already, by record %d",
				name, c.lifted)
		case c.name == name:
			return nil
		case c.lifted == 0:
			held = append(held, c.name)
		}
	}
	if held == nil {
		return refuseField(codeCaveatUnknown,
			field("caveat", name, "no caveat holds for the pledge: there is none to lift"))
	}
	return refuseField(codeCaveatUnknown,
		field("caveat", name, "the pledge has no such caveat: write %s",
			phrase.List(phrase.Or, held...)))
}
