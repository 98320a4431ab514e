package ledger

import (
	"slices"

	"muster/events"
)

// national are the conditions that the nation's own institutions must meet before it is bound.
var national = []events.ConditionKind{events.Parliament, events.Funding, events.OtherThing}

// decideConfirmed keeps rule 21: a nation is bound only when its national conditions are discharged.
func decideConfirmed(p pledge, st *events.PledgeConfirmed) error {
	if err := atRung(p, st, accepted); err != nil {
		return err
	}
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
		return refuse(codeConditionOpen, "the pledge %s cannot be confirmed any more: it hangs on %s, which has failed", st.Pledge, list(failed, "and")).
			WithHint("withdraw it, and offer another")
	}
	if open != nil {
		return refuse(codeConditionOpen, "the pledge %s hangs on %s: a nation is bound only when its own conditions are discharged", st.Pledge, list(open, "and")).
			WithHint("first say for each that it has happened: condition.discharged")
	}
	return nil
}

// decideConditionAdded keeps the rules 22 and 26.
func decideConditionAdded(p pledge, st *events.ConditionAdded) error {
	if p.observed {
		return nothingPledged(st.Pledge, "has no conditions").WithHint("conditions belong to what is offered: pledge.offered")
	}
	for _, c := range p.conditions {
		if c.name == st.Condition {
			return refuse(codeConditionKnown, "the pledge %s has a condition named %s already", st.Pledge, st.Condition).
				WithHint("give the new one another name")
		}
	}
	return nil
}

// openCondition keeps rule 22: only a condition that is open is discharged or fails.
func openCondition(p pledge, name events.Line) error {
	var names []events.Line
	for _, c := range p.conditions {
		names = append(names, c.name)
		switch {
		case c.name != name:
		case c.failed:
			return alreadySettled(c, "failed")
		case c.settled > 0:
			return alreadySettled(c, "was discharged")
		default:
			return nil
		}
	}
	if names == nil {
		return refuseField(codeConditionUnknown, field("condition", name, "the pledge has no conditions: add it first, condition.added"))
	}
	return refuseField(codeConditionUnknown, field("condition", name, "the pledge has no such condition: write %s", list(names, "or")))
}

func alreadySettled(c condition, how string) error {
	return refuse(codeConditionKnown, "the condition %s %s already, by record %d", c.name, how, c.settled).
		WithHint("if it is open again, add it under another name")
}
