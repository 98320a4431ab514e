package ledger

import (
	"slices"
	"strings"

	"muster/events"
)

// decidePledge keeps the rules of a pledge's life, 12 and on.
func decidePledge(s *State, m member, st events.Statement) error {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return decideOpening(s, st.Place, st.Role, st.Unit)
	case *events.PledgeOffered:
		return decideOffered(s, st)
	case *events.PledgeObserved:
		return decideObserved(s, st)
	case *events.PledgeAmended:
		return decideAmended(s, st)
	}
	p, err := livePledge(s, st)
	if err != nil {
		return err
	}
	switch st := st.(type) {
	case *events.PledgeAccepted:
		return atRung(p, st, offered)
	case *events.PledgeDeclined:
		return atRung(p, st, indicated, offered)
	case *events.PledgeConfirmed:
		return decideConfirmed(p, st)
	case *events.PledgeWithdrawn:
		return atRung(p, st, indicated, offered, accepted, confirmed)
	case *events.PledgeDeployed:
		return decideDeployed(p, st)
	case *events.PledgeReported:
		return decideReported(m, p, st)
	case *events.PledgeReturned:
		return decideReturned(m, p, st)
	case *events.ConditionAdded:
		return decideConditionAdded(p, st)
	case *events.ConditionDischarged:
		return openCondition(p, st.Condition)
	case *events.ConditionFailed:
		return openCondition(p, st.Condition)
	}
	return refuse(codeWrongParty, "no rule knows the statement %s, so it is refused", st.Head().Type)
}

// decideOpening keeps the rules 9 and 12: the role is in the catalogue, and within what the nation is ready to do.
func decideOpening(s *State, at events.Place, role events.Role, unit events.Unit) error {
	if err := inCatalogue(s, at.Operation, role, unit); err != nil {
		return err
	}
	sc, ok := s.scopes[scopeKey{at.Operation, at.Nation}]
	if !ok || sc.roles == nil || slices.Contains(sc.roles, role) {
		return nil
	}
	names := make([]string, len(sc.roles))
	for i, r := range sc.roles {
		names[i] = string(r)
	}
	return refuse(codeOutsideScope, "%s has declared for %s: %s only (record %d), and %s is outside that",
		at.Nation.Name(), at.Operation, strings.Join(names, ", "), sc.sequence, role).
		WithHint("declare another scope first: muster scope declare")
}

func decideOffered(s *State, st *events.PledgeOffered) error {
	if st.Pledge.IsZero() {
		return decideOpening(s, st.Place, st.Role, st.Unit)
	}
	p, err := livePledge(s, st)
	if err != nil {
		return err
	}
	if err := atRung(p, st, indicated); err != nil {
		return err
	}
	if err := sameRoleAndUnit(p, st.Role, st.Unit); err != nil {
		return err
	}
	return decideOpening(s, st.Place, st.Role, st.Unit)
}

func decideObserved(s *State, st *events.PledgeObserved) error {
	if err := inCatalogue(s, st.Operation, st.Role, st.Unit); err != nil {
		return err
	}
	if id := s.observed[observedKey{st.Operation, st.Nation, st.Role}]; !id.IsZero() {
		return refuse(codeAlreadyObserved, "%s is observed in %s as %s already, as pledge %s: to observe it twice would count it twice",
			st.Nation.Name(), st.Operation, st.Role, id).WithHint("report the new strength of that pledge instead")
	}
	return nil
}

func decideAmended(s *State, st *events.PledgeAmended) error {
	p, err := livePledge(s, st)
	if err != nil {
		return err
	}
	if p.observed {
		return refuse(codeNothingPledged, "the pledge %s was observed and never offered, so it has no terms to amend", st.Pledge).
			WithHint("report its strength instead")
	}
	if err := sameRoleAndUnit(p, st.Role, st.Unit); err != nil {
		return err
	}
	return inCatalogue(s, st.Operation, st.Role, st.Unit)
}

func sameRoleAndUnit(p pledge, role events.Role, unit events.Unit) error {
	if p.role != role {
		return refuseField(codeRoleFixed, "role", string(role), "this pledge is for %s: withdraw it and offer another", p.role)
	}
	return sameUnit(p, unit)
}

func sameUnit(p pledge, unit events.Unit) error {
	if p.unit != unit {
		return refuseField(codeUnitFixed, "unit", string(unit), "this pledge is counted in %s: units are never mixed in one pledge", p.unit)
	}
	return nil
}

// livePledge finds the pledge that a statement is about and keeps the rules 13 to 15: it exists, it is where the
// statement says, it has not ended, and it had begun.
func livePledge(s *State, st events.Statement) (pledge, error) {
	id := events.Thing(st)
	p, ok := s.pledges[id]
	nation, operation := events.About(st)
	switch {
	case !ok:
		return p, refuseField(codePledgeUnknown, "pledge", id.String(), "there is no such pledge in this ledger")
	case p.nation != nation:
		return p, refuseField(codePledgeElsewhere, "nation", string(nation), "the pledge %s is %s's", id, p.nation.Name())
	case p.operation != operation:
		return p, refuseField(codePledgeElsewhere, "operation", string(operation), "the pledge %s belongs to %s", id, p.operation)
	case p.rung.ended():
		return p, refuse(codePledgeEnded, "the pledge %s was %s by record %d: nothing moves after that", id, p.rung, p.ended).
			WithHint("offer a new pledge")
	}
	if on := effective(st); on < p.began {
		return p, refuseField(codeBeforeBeginning, "effective", on.String(), "the pledge %s begins on %s", id, p.began)
	}
	return p, nil
}

// effective returns the date from which a statement applies; all about pledges carry one.
func effective(st events.Statement) events.Date {
	if d, ok := st.(interface{ On() events.Date }); ok {
		return d.On()
	}
	return 0
}

// atRung keeps rule 16: a pledge climbs one rung at a time.
func atRung(p pledge, st events.Statement, from ...rung) error {
	if slices.Contains(from, p.rung) {
		return nil
	}
	names := make([]string, len(from))
	for i, r := range from {
		names[i] = r.String()
	}
	refusal := refuse(codeWrongRung, "the pledge %s is %s: only one that is %s can be %s",
		events.Thing(st), p.rung, strings.Join(names, " or "), st.Head().Type.Event())
	if p.rung == deployed && st.Head().Type.Event() == "withdrawn" {
		return refusal.WithHint("forces that were deployed go home as pledge.returned")
	}
	return refusal
}

// national are the conditions that the nation's own institutions must meet before it is bound.
var national = []events.ConditionKind{events.Parliament, events.Funding, events.OtherThing}

// decideConfirmed keeps rule 17: a nation is bound only when its national conditions are discharged.
func decideConfirmed(p pledge, st *events.PledgeConfirmed) error {
	if err := atRung(p, st, accepted); err != nil {
		return err
	}
	for _, c := range p.conditions {
		if slices.Contains(national, c.kind) && c.state != "condition.discharged" {
			return refuse(codeConditionOpen, "the pledge %s hangs on the condition %s (%s), which is not discharged", st.Pledge, c.name, c.kind).
				WithHint("discharge it first")
		}
	}
	return nil
}

func decideDeployed(p pledge, st *events.PledgeDeployed) error {
	if err := atRung(p, st, confirmed); err != nil {
		return err
	}
	return sameUnit(p, st.Unit)
}

// decideReported keeps the rules 18 and 19.
func decideReported(m member, p pledge, st *events.PledgeReported) error {
	if err := importsObserved(m, p, st.Pledge); err != nil {
		return err
	}
	if err := atRung(p, st, deployed); err != nil {
		return err
	}
	return sameUnit(p, st.Unit)
}

func decideReturned(m member, p pledge, st *events.PledgeReturned) error {
	if err := importsObserved(m, p, st.Pledge); err != nil {
		return err
	}
	return atRung(p, st, deployed)
}

// importsObserved keeps rule 19: an importer touches only what was observed, never what a nation offered.
func importsObserved(m member, p pledge, id events.ID) error {
	if m.role == events.Importer && !p.observed {
		return refuse(codeWrongParty, "%s records published figures only, and the pledge %s was offered by %s itself", m.key.Name(), id, p.nation.Name())
	}
	return nil
}

func decideConditionAdded(p pledge, st *events.ConditionAdded) error {
	if p.observed {
		return refuse(codeNothingPledged, "the pledge %s was observed and never offered, so it has no conditions", st.Pledge)
	}
	for _, c := range p.conditions {
		if c.name == st.Condition {
			return refuse(codeConditionKnown, "the pledge %s has a condition named %s already", st.Pledge, st.Condition).
				WithHint("give the new one another name")
		}
	}
	return nil
}

// openCondition keeps rule 20: only a condition that is open is discharged or fails.
func openCondition(p pledge, name events.Line) error {
	for _, c := range p.conditions {
		switch {
		case c.name == name && c.state == "condition.added":
			return nil
		case c.name == name:
			return refuse(codeConditionKnown, "the condition %s was %s already", name, c.state.Event())
		}
	}
	return refuseField(codeConditionUnknown, "condition", string(name), "the pledge has no such condition")
}
