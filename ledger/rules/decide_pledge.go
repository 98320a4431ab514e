package rules

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// decidePledge keeps the rules of a pledge's life, 15 and on.
func decidePledge(s *State, m member, st events.Statement) error {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return decideOpening(s, st.Place, st.Effective, st.ID, &st.PledgeTerms)
	case *events.PledgeOffered:
		if st.Pledge.IsZero() {
			return decideOpening(s, st.Place, st.Effective, st.ID, &st.PledgeTerms)
		}
	case *events.PledgeObserved:
		return decideObserved(s, st)
	}
	p, err := knownPledge(s, st)
	if err != nil {
		return err
	}
	if err := importsObserved(s, m, p, events.Thing(st)); err != nil {
		return err
	}
	if err := notStruck(&p); err != nil {
		return err
	}
	if err := upToDate(&p, st); err != nil {
		return err
	}
	if c, ok := st.(*events.PledgeCorrected); ok {
		return decideCorrected(s, m, p, c)
	}
	x := sayingOf(st, s.last+1, m.key.Party())
	if err := follows(&p, &x); err != nil {
		return err
	}
	switch st := st.(type) {
	case *events.PledgeOffered:
		return decideIndicatedOffered(s, p, st)
	case *events.PledgeAmended:
		return sameTerms(s, p, "", &st.PledgeTerms)
	case *events.PledgeDisclosed:
		return decideDisclosed(s, p, st)
	case *events.PledgeDeployed:
		return sameUnit(p, "", st.Unit)
	case *events.PledgeReported:
		return sameUnit(p, "", st.Unit)
	case *events.AllocationMade:
		return decideAllocated(s, p, st)
	case *events.PledgeAnswered:
		return decideAnswered(s, m, &p, st)
	}
	return nil
}

// decideOpening keeps the rules 12, 15 and 34: the role is in the catalogue, and within what the
// nation is ready to do on the day from which it is offered; and the pledges that it relieves, or
// that relieve it, are there.
func decideOpening(s *State, at events.Place, on events.Date, id events.ID,
	t *events.PledgeTerms) error {
	if err := inCatalogue(s, at.Operation, t.Role, t.Unit); err != nil {
		return err
	}
	if err := inScope(s, at, t.Role, on); err != nil {
		return err
	}
	p := pledge{subject: &subject{operation: at.Operation, role: t.Role}}
	return rotates(s, &p, id, "", t)
}

// inScope keeps rule 15: what was declared to hold on the date counts.
func inScope(s *State, at events.Place, role events.Role, on events.Date) error {
	sc, ok := s.scopes[scopeKey{at.Operation, at.Nation}].on(on)
	if !ok || len(sc.roles) == 0 || slices.Contains(sc.roles, role) {
		return nil
	}
	return refuse(codeOutsideScope,
		"%s has declared for %s from %s on: %s only (record %d), and %s is outside that",
		phrase.Of("%s", s.named(at.Nation)).Capital(), at.Operation, sc.effective,
		phrase.List(phrase.And, sc.roles...),
		sc.sequence, role).
		WithHint("offer what is within it, or declare another scope first: muster scope declare "+
			"%s %s --operation %s --nation %s", arguments(sc.roles), role, at.Operation, at.Nation)
}

// knownPledge finds the pledge that a statement is about and keeps rule 17: it exists where the
// statement says.
func knownPledge(s *State, st events.Statement) (pledge, error) {
	id := events.Thing(st)
	p, ok := s.pledge(id)
	if !ok {
		return pledge{}, refuseField(codePledgeUnknown,
			field("pledge", id.String(), "there is no such pledge in this ledger: check the id")).
			WithHint("see the pledges with their ids: muster pledge list")
	}
	return *p, elsewhere(s, *p, id, st)
}

// id returns the pledge's ID, which is that of the statement that began it.
func (p *pledge) id() events.ID { return p.said[0].id }

// elsewhere keeps rule 17: a pledge is of one nation in one operation.
func elsewhere(s *State, p pledge, id events.ID, st events.Statement) error {
	var wrong []problem.Field
	nation, operation := events.About(st)
	if p.nation != nation {
		wrong = append(wrong,
			field("nation", nation, "the pledge %s is of %s (%s): check its id, or the nation", id,
				s.named(p.nation), p.nation))
	}
	if p.operation != operation {
		wrong = append(wrong,
			field("operation", operation, "the pledge %s belongs to %s: check its id, or write %s",
				id, p.operation, p.operation))
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

// sameUnit keeps rule 20: a pledge keeps its unit. Within is the member that the unit is in, with a
// dot, or "".
func sameUnit(p pledge, within string, unit events.Unit) error {
	if p.unit == unit {
		return nil
	}
	return refuseField(codeUnitFixed,
		field(within+"unit", unit,
			"the pledge is counted in %s, and units are never mixed: write %s, or make another "+
				"pledge", p.unit, p.unit))
}

// sameTerms keeps the rules 20 and 34 for terms that are said anew: a pledge keeps its role and its
// unit, and what it relieves, or is relieved by, is there.
func sameTerms(s *State, p pledge, within string, t *events.PledgeTerms) error {
	var wrong []problem.Field
	c := codeUnitFixed
	if p.role != t.Role {
		c = codeRoleFixed
		wrong = append(wrong,
			field(within+"role", t.Role,
				"the pledge is for %s and stays so: write %s, or make another pledge",
				p.role, p.role))
	}
	if p.unit != t.Unit {
		wrong = append(wrong,
			field(within+"unit", t.Unit,
				"the pledge is counted in %s, and units are never mixed: write %s, or make "+
					"another pledge", p.unit, p.unit))
	}
	if err := refuseFields(c, wrong); err != nil {
		return err
	}
	return rotates(s, &p, p.id(), within, t)
}

// rotates keeps the rules 34 and 48: what a pledge relieves, or is relieved by, is another pledge
// of the operation for the same role; and one that was struck only where it was named so before,
// since one nation's strike is not to keep another from restating its terms.
func rotates(s *State, p *pledge, id events.ID, within string, t *events.PledgeTerms) error {
	predecessors, successors := p.named()
	var wrong []problem.Field
	for _, other := range []struct {
		name  string
		id    events.ID
		named []events.ID
	}{{"predecessor", t.Predecessor, predecessors}, {"successor", t.Successor, successors}} {
		o, ok := s.pledge(other.id)
		note := func(format string, args ...any) {
			wrong = append(wrong, field(within+other.name, other.id.String(), format, args...))
		}
		switch {
		case other.id.IsZero():
		case other.id == id:
			note("is the pledge itself: name another, or leave it out")
		case !ok:
			note("there is no such pledge in this ledger: check the id, or name it later by an " +
				"amendment")
		case o.isStruck() && !slices.Contains(other.named, other.id):
			note("record %d has struck that pledge, as never said: name another, or leave it out",
				o.struckBy())
		case o.operation != p.operation || o.role != p.role:
			note("is a pledge for %s in %s: forces are relieved by others of the same role and "+
				"operation", o.role, o.operation)
		}
	}
	return refuseFields(codeRotationMismatch, wrong)
}

// decideIndicatedOffered decides about the offer that an indicated pledge becomes. What was
// indicated may have come to lie outside the scope meanwhile.
func decideIndicatedOffered(s *State, p pledge, st *events.PledgeOffered) error {
	if err := sameTerms(s, p, "", &st.PledgeTerms); err != nil {
		return err
	}
	return inScope(s, st.Place, st.Role, st.Effective)
}

// decideObserved keeps the rules 12 and 24: what was observed is not observed twice.
func decideObserved(s *State, st *events.PledgeObserved) error {
	if err := inCatalogue(s, st.Operation, st.Role, st.Unit); err != nil {
		return err
	}
	return observedOnce(s, observedKey{st.Operation, st.Nation, st.Role}, events.ID{})
}

// observedOnce keeps rule 24: besides the pledge that is meant, no other is there of what was seen.
func observedOnce(s *State, key observedKey, besides events.ID) error {
	for _, id := range s.observed[key] {
		if p, ok := s.pledge(id); ok && id != besides && !p.rung.ended() &&
			!p.isStruck() {
			return refuse(codeAlreadyObserved,
				"%s was observed in %s as %s already, as the pledge %s: a second one would "+
					"count it twice",
				phrase.Of("%s", s.named(key.nation)).Capital(), key.operation, key.role, id).
				WithHint("report the new strength of that pledge instead: muster pledge report "+
					"%s --quantity N", id)
		}
	}
	return nil
}

// importsObserved keeps rule 25: an importer touches only what was observed, never what a nation
// offered.
func importsObserved(s *State, m member, p pledge, id events.ID) error {
	if m.role != events.Importer || p.observed {
		return nil
	}
	return refuse(codeWrongParty, "%s is %s, and the pledge %s was offered by %s", m.key.Name(),
		s.roleText(m), id, s.named(p.nation)).
		WithHint("it is for a liaison of %s or a coordinator to say", s.named(p.nation))
}
