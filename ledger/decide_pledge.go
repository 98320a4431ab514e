package ledger

import (
	"cmp"
	"slices"

	"muster/events"
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
	case *events.PledgeDeployed:
		return sameUnit(p, "", st.Unit)
	case *events.PledgeReported:
		return cmp.Or(importsObserved(m, p, st.Pledge), sameUnit(p, "", st.Unit))
	case *events.PledgeReturned:
		return importsObserved(m, p, st.Pledge)
	case *events.AllocationMade:
		return decideAllocated(s, p, st)
	}
	return nil
}

// decideOpening keeps the rules 12, 15 and 34: the role is in the catalogue, and within what the nation is ready to do on the day
// from which it is offered; and the pledges that it relieves, or that relieve it, are there.
func decideOpening(s *State, at events.Place, on events.Date, id events.ID, t *events.PledgeTerms) error {
	if err := inCatalogue(s, at.Operation, t.Role, t.Unit); err != nil {
		return err
	}
	return cmp.Or(inScope(s, at, t.Role, on), rotates(s, at.Operation, t.Role, id, "", t))
}

// inScope keeps rule 15: what was declared to hold on the date counts.
func inScope(s *State, at events.Place, role events.Role, on events.Date) error {
	sc, ok := s.scopes[scopeKey{at.Operation, at.Nation}].on(on)
	if !ok || len(sc.roles) == 0 || slices.Contains(sc.roles, role) {
		return nil
	}
	return refuse(codeOutsideScope, "%s has declared for %s from %s on: %s only (record %d), and %s is outside that",
		at.Nation.Name(), at.Operation, sc.effective, list(sc.roles, "and"), sc.sequence, role).
		WithHint("offer what is within it, or declare another scope first: muster scope declare")
}

// knownPledge finds the pledge that a statement is about and keeps rule 17: it exists where the statement says.
func knownPledge(s *State, st events.Statement) (pledge, error) {
	id := events.Thing(st)
	p, ok := s.pledges[id]
	if !ok {
		return pledge{}, refuseField(codePledgeUnknown, field("pledge", id.String(), "there is no such pledge in this ledger: check the id")).
			WithHint("muster pledge list shows the pledges with their ids")
	}
	return *p, elsewhere(*p, id, st)
}

// id returns the pledge's ID, which is that of the statement that began it.
func (p *pledge) id() events.ID { return p.said[0].id }

// follows keeps the rules that a pledge's own history makes. It is asked of what is said now, and, when something earlier is
// corrected, of all that was said since.
func follows(p *pledge, x *saying) error {
	if err := stands(p, x); err != nil {
		return err
	}
	switch x.typ() {
	case "pledge.offered":
		return cmp.Or(climbs(p, x, indicated), stillStands(p, x))
	case "pledge.accepted":
		return climbs(p, x, offered)
	case "pledge.declined":
		return climbs(p, x, indicated, offered)
	case "pledge.confirmed":
		return cmp.Or(climbs(p, x, accepted), conditionsMet(p))
	case "pledge.deployed":
		return climbs(p, x, confirmed)
	case "pledge.withdrawn":
		return climbs(p, x, indicated, offered, accepted, confirmed)
	case "pledge.returned":
		return climbs(p, x, deployed)
	case "pledge.reported":
		return reportable(p, x)
	case "pledge.amended":
		return cmp.Or(promised(p, "has no terms to amend", "report its strength instead: pledge.reported"), stillStands(p, x))
	case "pledge.renewed":
		return cmp.Or(promised(p, "does not expire", "report its strength, or its return: pledge.reported, pledge.returned"), stillStands(p, x))
	case "condition.added":
		return cmp.Or(promised(p, "has no conditions", "conditions belong to what is offered: pledge.offered"), newCondition(p, x.name))
	case "condition.discharged", "condition.failed":
		return openCondition(p, x.name)
	case "caveat.declared":
		return cmp.Or(promised(p, "has no caveats", "caveats belong to what is offered: pledge.offered"), newCaveat(p, x.name))
	case "caveat.lifted":
		return heldCaveat(p, x.name)
	case "allocation.made":
		return allocatable(p)
	case "allocation.released":
		return releasable(p, x)
	}
	return noRule(x.typ())
}

// stands keeps rule 16, rule 18 and rule 28: the pledge had begun, and has neither ended nor lapsed.
func stands(p *pledge, x *saying) error {
	again := "offer a new pledge"
	if p.observed {
		again = "observe the forces anew, as a new pledge"
	}
	late := x.typ() == "pledge.reported" && p.rung == returned && x.effective < p.reached[returned]
	switch expired, lapsed := p.lapsed(x.effective); {
	case p.rung.ended() && !late:
		return refuse(codePledgeEnded, "the pledge %s was %s by record %d: nothing moves after that", p.id(), p.rung, p.ended).WithHint("%s", again)
	case lapsed:
		return refuse(codePledgeEnded, "the pledge %s expired on %s, and has lapsed on %s: nothing moves after that", p.id(), expired, x.effective).
			WithHint("%s; what held on %s or before can still be recorded", again, expired)
	}
	return notBefore(p.began, x.effective, "pledge "+p.id().String())
}

// stillStands keeps rule 28 for what was said already: a pledge is not made to lapse before it.
func stillStands(p *pledge, x *saying) error {
	if x.expires() == 0 {
		return nil
	}
	after, last := *p, &p.said[0]
	after.said, after.expiring = append(slices.Clip(p.said), *x), true
	for i := range p.said {
		if y := &p.said[i]; !y.struck && y.typ() != "pledge.corrected" && y.effective > last.effective {
			last = y
		}
	}
	if _, lapsed := after.lapsed(last.effective); lapsed {
		return refuseField(codeExpiresEarly, field("expires", x.expires().String(), "record %d, %s, holds from %s on: write that date or a later one, or correct that record first",
			last.sequence, last.typ(), last.effective))
	}
	return nil
}

// climbs keeps the rules 19 and 29: a pledge climbs one rung at a time, leaves only where there is an exit, and reaches no rung
// before the one below.
func climbs(p *pledge, x *saying, from ...rung) error {
	if !slices.Contains(from, p.rung) {
		return wrongRung(p, x, from)
	}
	if since := p.reached[p.rung]; x.effective < since {
		return refuseField(codeBeforeRung, field("effective", x.effective.String(), "the pledge is %s from %s on, and cannot be %s before: write that date or a later one",
			p.rung, since, x.typ().Event()))
	}
	return nil
}

func wrongRung(p *pledge, x *saying, from []rung) error {
	names := make([]string, len(from))
	for i, r := range from {
		names[i] = r.String()
	}
	refusal := refuse(codeWrongRung, "the pledge %s is %s: only one that is %s can be %s", p.id(), p.rung, list(names, "or"), x.typ().Event())
	switch {
	case p.rung < from[0]:
		return refusal.WithHint("first it must be %s: pledge.%s", from[0], from[0])
	case p.rung == deployed && x.typ() == "pledge.withdrawn":
		return refusal.WithHint("forces that were deployed go home: pledge.returned")
	}
	return refusal.WithHint("it is past that: muster pledge show tells where it stands")
}

// reportable keeps the rules 23 and 29: strength is told only of what is there, and from when it is.
func reportable(p *pledge, x *saying) error {
	if p.rung == returned { // and the report is of a day before: see stands
		return afterDeployed(p, x)
	}
	if p.rung != deployed {
		return wrongRung(p, x, []rung{deployed})
	}
	return afterDeployed(p, x)
}

func afterDeployed(p *pledge, x *saying) error {
	if since := p.reached[deployed]; x.effective < since {
		return refuseField(codeBeforeRung, field("effective", x.effective.String(), "the forces are there from %s on: write that date or a later one", since))
	}
	return nil
}

// promised keeps rule 26: what was only seen was never promised.
func promised(p *pledge, so, hint string) error {
	if !p.observed {
		return nil
	}
	return refuse(codeNothingPledged, "the pledge %s was seen in published figures and never offered, so it %s", p.id(), so).WithHint("%s", hint)
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

// sameUnit keeps rule 20: a pledge keeps its unit. Within is the member that the unit is in, with a dot, or "".
func sameUnit(p pledge, within string, unit events.Unit) error {
	if p.unit == unit {
		return nil
	}
	return refuseField(codeUnitFixed, field(within+"unit", unit, "the pledge is counted in %s, and units are never mixed: write %s, or make another pledge", p.unit, p.unit))
}

// sameTerms keeps the rules 20 and 34 for terms that are said anew: a pledge keeps its role and its unit, and what it relieves, or is
// relieved by, is there.
func sameTerms(s *State, p pledge, within string, t *events.PledgeTerms) error {
	var wrong []problem.Field
	c := codeUnitFixed
	if p.role != t.Role {
		c = codeRoleFixed
		wrong = append(wrong, field(within+"role", t.Role, "the pledge is for %s and stays so: write %s, or make another pledge", p.role, p.role))
	}
	if p.unit != t.Unit {
		wrong = append(wrong, field(within+"unit", t.Unit, "the pledge is counted in %s, and units are never mixed: write %s, or make another pledge", p.unit, p.unit))
	}
	return cmp.Or(refuseFields(c, wrong), rotates(s, p.operation, p.role, p.id(), within, t))
}

// rotates keeps rule 34: what a pledge relieves, or is relieved by, is another pledge of the operation for the same role.
func rotates(s *State, operation events.Operation, role events.Role, id events.ID, within string, t *events.PledgeTerms) error {
	var wrong []problem.Field
	for _, other := range []struct {
		name string
		id   events.ID
	}{{"predecessor", t.Predecessor}, {"successor", t.Successor}} {
		o, ok := s.pledges[other.id]
		note := func(format string, args ...any) {
			wrong = append(wrong, field(within+other.name, other.id.String(), format, args...))
		}
		switch {
		case other.id.IsZero():
		case other.id == id:
			note("is the pledge itself: name another, or leave it out")
		case !ok:
			note("there is no such pledge in this ledger: check the id, or name it later by an amendment")
		case o.operation != operation || o.role != role:
			note("is a pledge for %s in %s: forces are relieved by others of the same role and operation", o.role, o.operation)
		}
	}
	return refuseFields(codeRotationMismatch, wrong)
}

// decideIndicatedOffered decides about the offer that an indicated pledge becomes. What was indicated may have come to lie
// outside the scope meanwhile.
func decideIndicatedOffered(s *State, p pledge, st *events.PledgeOffered) error {
	return cmp.Or(sameTerms(s, p, "", &st.PledgeTerms), inScope(s, st.Place, st.Role, st.Effective))
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
		if id != besides && !s.pledges[id].rung.ended() {
			return refuse(codeAlreadyObserved, "%s was observed in %s as %s already, as the pledge %s: a second one would count it twice",
				key.nation.Name(), key.operation, key.role, id).
				WithHint("report the new strength of that pledge instead: pledge.reported")
		}
	}
	return nil
}

// importsObserved keeps rule 25: an importer touches only what was observed, never what a nation offered.
func importsObserved(m member, p pledge, id events.ID) error {
	if m.role != events.Importer || p.observed {
		return nil
	}
	return refuse(codeWrongParty, "%s is %s, and the pledge %s was offered by %s", m.key.Name(), roleText(m), id, p.nation.Name()).
		WithHint("it is for a liaison of %s or a coordinator to say", p.nation.Name())
}
