package rules

import (
	"fmt"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// named returns a nation's name as it stands within a sentence; of an organisation the name that
// was declared last, as far as it may be read.
func (s *State) named(n events.Nation) events.Called {
	if !n.IsOrganisation() {
		return events.Called{Nation: n, English: n.Named()}
	}
	var all events.Organisations
	said := uint64(0)
	for _, o := range s.operations {
		if _, ok := o.terms.Organisations.Of(n); ok && o.said > said && s.mayRead(o.label) {
			all, said = o.terms.Organisations, o.said
		}
	}
	return events.Called{Nation: n, English: all.Named(n)}
}

// isDeclared reports whether some operation declares an organisation.
func (s *State) isDeclared(n events.Nation) bool {
	for _, o := range s.operations {
		if _, ok := o.terms.Organisations.Of(n); ok {
			return true
		}
	}
	return false
}

// declareFirst is the remedy of rule 52.
func declareFirst(n events.Nation, file phrase.Phrase) phrase.Phrase {
	return phrase.Of("a coordinator declares it under organisations in %s (`- {code: %s, "+
		"name: …}`), with: muster plan apply FILE", file, n)
}

// namesDeclared keeps rule 52: organisations speak, and are spoken of, in an operation that
// declares them. What names an operation that is not there is refused for that.
func namesDeclared(s *State, st events.Statement) error {
	nation, name := events.About(st)
	op, err := knownOperation(s, name)
	if err != nil {
		return nil
	}
	var wrong []problem.Field
	for i, n := range append([]events.Nation{nation}, releasableTo(st)...) {
		if _, ok := op.terms.Organisations.Of(n); ok || !n.IsOrganisation() {
			continue
		}
		at := "nation"
		if i > 0 {
			at = fmt.Sprintf("releasable_to[%d]", i-1)
		}
		near := op.terms.Organisations.Nearest(string(n))
		if near == "" {
			wrong = append(wrong, field(at, n, "%s declares no organisation with this code: "+
				"check the code, or declare it first", name))
			continue
		}
		wrong = append(wrong, field(at, n, "%s declares no organisation with this code, the "+
			"nearest are: %s. Check the code, or declare it first", name, near))
	}
	if err := refuseFields(codeOrganisationUnknown, wrong); err != nil {
		return problem.From(err).WithHint("%s", declareFirst(
			events.Nation(wrong[0].Value), phrase.Of("the plan of %s", name)))
	}
	return nil
}

// releasableTo returns the nations that a statement names as those who may read a pledge.
func releasableTo(st events.Statement) []events.Nation {
	switch st := st.(type) {
	case *events.PledgeIndicated:
		return st.ReleasableTo
	case *events.PledgeOffered:
		return st.ReleasableTo
	case *events.PledgeAmended:
		return st.ReleasableTo
	case *events.PledgeDisclosed:
		return st.ReleasableTo
	case *events.PledgeCorrected:
		if st.Terms != nil {
			return st.Terms.ReleasableTo
		}
	}
	return nil
}

// keysDeclared keeps rule 52 of members: a key is named after an organisation that is there.
func keysDeclared(s *State, key events.Key) error {
	n := key.Party()
	if !n.IsOrganisation() || s.isDeclared(n) {
		return nil
	}
	return refuse(codeOrganisationUnknown, "the key %s is named after %s, and no operation "+
		"declares an organisation with this code: check the code, or declare it first",
		key.Name(), n).
		WithHint("%s", declareFirst(n, phrase.Of("the plan of an operation")))
}

// keepsDeclared keeps rule 52: an organisation that was ever named stays declared.
func keepsDeclared(s *State, st *events.OperationRevised) error {
	var missing []problem.Field
	for _, o := range s.operations[st.Operation].terms.Organisations {
		_, ok := st.Organisations.Of(o.Code)
		if !ok && s.spoke[scopeKey{st.Operation, o.Code}] {
			missing = append(missing, field("organisations", o.Code, "pledges or scopes of %s "+
				"name %s: keep the organisation", st.Operation, o.Name))
		}
	}
	return refuseFields(codeOrganisationInUse, missing)
}

// noteOrganisations notes the organisations that a statement names.
func (s *State) noteOrganisations(st events.Statement) {
	nation, name := events.About(st)
	for _, n := range append([]events.Nation{nation}, releasableTo(st)...) {
		if key := (scopeKey{name, n}); n.IsOrganisation() && !s.spoke[key] {
			put(s, s.spoke, key, true)
		}
	}
}

// termsOfOperation returns what a statement says of an operation as a whole, nil where it says
// nothing of it.
func termsOfOperation(st events.Statement) *events.OperationTerms {
	switch st := st.(type) {
	case *events.OperationOpened:
		return &st.OperationTerms
	case *events.OperationRevised:
		return &st.OperationTerms
	}
	return nil
}
