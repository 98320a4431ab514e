package ledger

import (
	"slices"

	"muster/events"
	"muster/events/problem"
)

// decidePledge keeps the rules of a pledge's life, 15 and on.
func decidePledge(s *State, m member, st events.Statement) error {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return decideOpening(s, st.Place, st.Role, st.Unit)
	case *events.PledgeOffered:
		if st.Pledge.IsZero() {
			return decideOpening(s, st.Place, st.Role, st.Unit)
		}
	case *events.PledgeObserved:
		return decideObserved(s, st)
	}
	p, err := livePledge(s, st)
	if err != nil {
		return err
	}
	switch st := st.(type) {
	case *events.PledgeOffered:
		return decideIndicatedOffered(s, p, st)
	case *events.PledgeAmended:
		return decideAmended(p, st)
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
	return decideStep(p, st)
}

// decideStep keeps the rules 19 to 21 for the statements by which a pledge climbs or leaves.
func decideStep(p pledge, st events.Statement) error {
	switch st := st.(type) {
	case *events.PledgeAccepted:
		return atRung(p, st, offered)
	case *events.PledgeDeclined:
		return atRung(p, st, indicated, offered)
	case *events.PledgeConfirmed:
		return decideConfirmed(p, st)
	case *events.PledgeDeployed:
		if err := atRung(p, st, confirmed); err != nil {
			return err
		}
		return sameTerms(p, p.role, st.Unit)
	case *events.PledgeWithdrawn:
		return atRung(p, st, indicated, offered, accepted, confirmed)
	}
	return noRule(st)
}

// decideOpening keeps the rules 12 and 15: the role is in the catalogue, and within what the nation is ready to do.
func decideOpening(s *State, at events.Place, role events.Role, unit events.Unit) error {
	if err := inCatalogue(s, at.Operation, role, unit); err != nil {
		return err
	}
	return inScope(s, at, role)
}

// inScope keeps rule 15. The scope that was declared last counts, from its record on.
func inScope(s *State, at events.Place, role events.Role) error {
	sc := s.scopes[scopeKey{at.Operation, at.Nation}]
	if len(sc.roles) == 0 || slices.Contains(sc.roles, role) {
		return nil
	}
	return refuse(codeOutsideScope, "%s has declared for %s: %s only (record %d), and %s is outside that",
		at.Nation.Name(), at.Operation, list(sc.roles, "and"), sc.sequence, role).
		WithHint("offer what is within it, or declare another scope first: muster scope declare")
}

// livePledge finds the pledge that a statement is about and keeps the rules 16 to 18: it exists where the statement says,
// it has not ended, and it had begun.
func livePledge(s *State, st events.Statement) (pledge, error) {
	id := events.Thing(st)
	p, ok := s.pledges[id]
	if !ok {
		return p, refuseField(codePledgeUnknown, field("pledge", id.String(), "there is no such pledge in this ledger: check the id")).
			WithHint("muster pledge list shows the pledges with their ids")
	}
	if err := elsewhere(p, id, st); err != nil {
		return p, err
	}
	if p.rung.ended() {
		again := "offer a new pledge"
		if p.observed {
			again = "observe the forces anew, as a new pledge"
		}
		return p, refuse(codePledgeEnded, "the pledge %s was %s by record %d: nothing moves after that", id, p.rung, p.ended).WithHint("%s", again)
	}
	return p, notBefore(p.began, effective(st), "pledge "+id.String())
}

// elsewhere keeps rule 17: a pledge is of one nation in one operation.
func elsewhere(p pledge, id events.ID, st events.Statement) error {
	var wrong []problem.Field
	nation, operation := events.About(st)
	if p.nation != nation {
		wrong = append(wrong, field("nation", nation, "the pledge %s is of %s (%s): check its id, or the nation", id, p.nation.Name(), p.nation))
	}
	if p.operation != operation {
		wrong = append(wrong, field("operation", operation, "the pledge %s belongs to %s: check its id, or write %s", id, p.operation, p.operation))
	}
	return refuseFields(codePledgeElsewhere, wrong)
}

// effective returns the date from which a statement applies; all about pledges carry one.
func effective(st events.Statement) events.Date {
	if d, ok := st.(interface{ On() events.Date }); ok {
		return d.On()
	}
	return 0
}

// atRung keeps rule 19: a pledge climbs one rung at a time, and leaves only where there is an exit.
func atRung(p pledge, st events.Statement, from ...rung) error {
	if slices.Contains(from, p.rung) {
		return nil
	}
	names := make([]string, len(from))
	for i, r := range from {
		names[i] = r.String()
	}
	event := st.Head().Type.Event()
	refusal := refuse(codeWrongRung, "the pledge %s is %s: only one that is %s can be %s", events.Thing(st), p.rung, list(names, "or"), event)
	switch {
	case p.rung < from[0]:
		return refusal.WithHint("first it must be %s: pledge.%s", from[0], from[0])
	case p.rung == deployed && event == "withdrawn":
		return refusal.WithHint("forces that were deployed go home: pledge.returned")
	}
	return refusal.WithHint("it is past that: muster pledge show tells where it stands")
}

// sameTerms keeps rule 20: a pledge keeps its role and its unit.
func sameTerms(p pledge, role events.Role, unit events.Unit) error {
	var wrong []problem.Field
	c := codeUnitFixed
	if p.role != role {
		c = codeRoleFixed
		wrong = append(wrong, field("role", role, "the pledge is for %s and stays so: write %s, or make another pledge", p.role, p.role))
	}
	if p.unit != unit {
		wrong = append(wrong, field("unit", unit, "the pledge is counted in %s, and units are never mixed: write %s, or make another pledge", p.unit, p.unit))
	}
	return refuseFields(c, wrong)
}

// decideIndicatedOffered decides about the offer that an indicated pledge becomes. What was indicated may have come to lie
// outside the scope meanwhile.
func decideIndicatedOffered(s *State, p pledge, st *events.PledgeOffered) error {
	if err := atRung(p, st, indicated); err != nil {
		return err
	}
	if err := sameTerms(p, st.Role, st.Unit); err != nil {
		return err
	}
	return inScope(s, st.Place, st.Role)
}

// decideAmended does not ask for the scope: who narrows it must still be able to lower what was offered before.
func decideAmended(p pledge, st *events.PledgeAmended) error {
	if p.observed {
		return nothingPledged(st.Pledge, "has no terms to amend").WithHint("report its strength instead: pledge.reported")
	}
	return sameTerms(p, st.Role, st.Unit)
}

// nothingPledged keeps rule 26: what was only seen was never promised.
func nothingPledged(id events.ID, so string) *problem.Problem {
	return refuse(codeNothingPledged, "the pledge %s was seen in published figures and never offered, so it %s", id, so)
}

// decideReported keeps rule 23: strength is told only of what is there.
func decideReported(m member, p pledge, st *events.PledgeReported) error {
	if err := importsObserved(m, p, st.Pledge); err != nil {
		return err
	}
	if err := atRung(p, st, deployed); err != nil {
		return err
	}
	return sameTerms(p, p.role, st.Unit)
}

func decideReturned(m member, p pledge, st *events.PledgeReturned) error {
	if err := importsObserved(m, p, st.Pledge); err != nil {
		return err
	}
	return atRung(p, st, deployed)
}

// decideObserved keeps rule 24: what was observed is not observed twice.
func decideObserved(s *State, st *events.PledgeObserved) error {
	if err := inCatalogue(s, st.Operation, st.Role, st.Unit); err != nil {
		return err
	}
	id, ok := s.observed[observedKey{st.Operation, st.Nation, st.Role}]
	if !ok || s.pledges[id].rung.ended() {
		return nil
	}
	return refuse(codeAlreadyObserved, "%s was observed in %s as %s already, as the pledge %s: a second one would count it twice",
		st.Nation.Name(), st.Operation, st.Role, id).
		WithHint("report the new strength of that pledge instead: pledge.reported")
}

// importsObserved keeps rule 25: an importer touches only what was observed, never what a nation offered.
func importsObserved(m member, p pledge, id events.ID) error {
	if m.role != events.Importer || p.observed {
		return nil
	}
	return refuse(codeWrongParty, "%s is %s, and the pledge %s was offered by %s", m.key.Name(), roleText(m), id, p.nation.Name()).
		WithHint("it is for a liaison of %s or a coordinator to say", p.nation.Name())
}
