package rules

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/problem"
)

// Which body an organisation's code and its names stand for, once they stand for one.

// namesApart keeps rule 53: what an operation newly declares has names of its own, in all
// operations.
func namesApart(s *State, st events.Statement) error {
	t := termsOfOperation(st)
	if t == nil {
		return nil
	}
	before := s.operations[t.Operation].terms.Organisations
	wrong := t.Organisations.Misleading(before)
	for i, o := range t.Organisations {
		had, _ := before.Of(o.Code)
		for j, name := range o.Names() {
			if had.Resembles(name) {
				continue
			}
			if in, of, ok := s.ownerElsewhere(t.Operation, o.Code, name); ok {
				wrong = append(wrong, field(events.LocationOfName(i, j), name, "is or looks like "+
					"a name of %s (%s) in the operation %s: write another one, or, for the same "+
					"body, that code",
					of.Name, of.Code, in))
			}
		}
	}
	return refuseFields(codeOrganisationAmbiguous, wrong)
}

// ownerElsewhere returns the organisation with another code whose name is one in another
// operation, or looks like it.
func (s *State) ownerElsewhere(here events.Operation, code events.Nation, name string) (
	in events.Operation, of events.Organisation, found bool) {
	for _, e := range s.elsewhere(here) {
		for _, o := range e.terms.Organisations {
			if o.Code != code && o.Resembles(name) {
				return e.terms.Operation, o, true
			}
		}
	}
	return "", of, false
}

// keepsBodies keeps rule 54: the code of an organisation never passes to another body.
func keepsBodies(s *State, st events.Statement) error {
	t := termsOfOperation(st)
	if t == nil {
		return nil
	}
	before := s.operations[t.Operation].terms.Organisations
	if err := keepsHolders(s, t, before); err != nil {
		return err
	}
	var dropped, other []problem.Field
	for i, o := range t.Organisations {
		at := events.LocationOfName(i, 0)
		had, here := before.Of(o.Code)
		if name, ok := lacksName(had.Names(), o); ok && s.isUsed(o.Code) {
			dropped = append(dropped, field(at, o.Name, "what is recorded of %s is of a body "+
				"named %s: keep that name, under name or also, or give another body a code of "+
				"its own", o.Code, name))
			continue
		}
		for _, e := range s.elsewhere(t.Operation) {
			there, _ := e.terms.Organisations.Of(o.Code)
			if there.Name == "" || o.Has(there.Name) || here && !had.Has(there.Name) {
				continue
			}
			other = append(other, field(at, o.Name, "%s is %s in the operation %s: write that "+
				"name, too, under name or also, or give another body a code of its own", o.Code,
				there.Name, e.terms.Operation))
			break
		}
	}
	if err := refuseFields(codeOrganisationInUse, dropped); err != nil {
		return err
	}
	return refuseFields(codeOrganisationAmbiguous, other)
}

// keepsHolders keeps rule 54 of keys: an organisation after which one is named stays declared.
func keepsHolders(s *State, t *events.OperationTerms, before events.Organisations) error {
	var wrong []problem.Field
	for _, o := range before {
		if _, stays := t.Organisations.Of(o.Code); stays || slices.ContainsFunc(
			s.elsewhere(t.Operation), func(e operation) bool {
				_, ok := e.terms.Organisations.Of(o.Code)
				return ok
			}) {
			continue
		}
		switch key, waits := s.holder(o.Code); {
		case waits:
			wrong = append(wrong, field("organisations", o.Code, "the key %s of %s waits to be "+
				"admitted, and no other operation declares it: keep the organisation",
				key.Name(), o.Name))
		case key != "":
			wrong = append(wrong, field("organisations", o.Code, "the key %s is of %s, and no "+
				"other operation declares it: keep the organisation, or revoke the key before",
				key.Name(), o.Name))
		}
	}
	return refuseFields(codeOrganisationInUse, wrong)
}

// lacksName returns the first of some names that an organisation does not have.
func lacksName(names []string, o events.Organisation) (string, bool) {
	for _, name := range names {
		if !o.Has(name) {
			return name, true
		}
	}
	return "", false
}

// elsewhere returns the other operations that may be read, in the order of their last records.
func (s *State) elsewhere(here events.Operation) (all []operation) {
	for name, o := range s.operations {
		if name != here && s.mayRead(o.label) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.said, b.said) })
	return all
}

// isUsed reports whether an organisation has a key, or was ever named in an operation that may be
// read.
func (s *State) isUsed(n events.Nation) bool {
	if key, _ := s.holder(n); key != "" {
		return true
	}
	for k := range s.spoke {
		if k.nation == n && s.mayRead(s.operations[k.operation].label) {
			return true
		}
	}
	return false
}

// holder returns the first key by its text that is named after an organisation and may sign; or
// else one that waits to be admitted. It is "" where there is none.
func (s *State) holder(n events.Nation) (key events.Key, waits bool) {
	for _, m := range s.members {
		if m.key.Party() == n && m.revoked == 0 && (key == "" || m.key < key) {
			key = m.key
		}
	}
	if key != "" {
		return key, false
	}
	for _, p := range s.Waiting() {
		if !p.Revokes && p.Key.Party() == n {
			return p.Key, true
		}
	}
	return "", false
}
