package rules

import (
	"cmp"
	"fmt"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// decideOpened keeps rule 11: an operation is opened once.
func decideOpened(s *State, st *events.OperationOpened) error {
	if _, ok := s.operations[st.Operation]; ok {
		return refuse(codeOperationKnown, "the operation %s was opened already", st.Operation).
			WithHint("give the new one another name; or revise what is there: muster plan apply " +
				"FILE")
	}
	return nil
}

// decideClosed keeps rule 50: a meeting is closed once, and its name is not used again.
func decideClosed(s *State, st *events.MeetingClosed) error {
	if by, ok := s.meetings[st.Name]; ok {
		return refuse(codeMeetingKnown, "the meeting %s was closed by record %d: its name stands "+
			"for what was recorded by then", st.Name, by).
			WithHint("give this one another name")
	}
	return nil
}

// namesCurrencies keeps rule 49: what a catalogue takes up in three capitals is a currency. What it
// had before stays, since it may be in use.
func namesCurrencies(s *State, st events.Statement) error {
	t := termsOfOperation(st)
	if t == nil {
		return nil
	}
	had := s.operations[t.Operation].terms
	var wrong []problem.Field
	for i, r := range t.Roles {
		before, _ := had.Units(r.Role)
		for j, u := range r.Units {
			if odd := u.Odd(); !odd.IsZero() && !slices.Contains(before, u) {
				wrong = append(wrong, field(fmt.Sprintf("roles[%d].units[%d]", i, j), u, "%s", odd))
			}
		}
	}
	return refuseFields(codeNoCurrency, wrong)
}

func knownOperation(s *State, o events.Operation) (operation, error) {
	if op, ok := s.operations[o]; ok && s.mayRead(op.label) {
		return op, nil
	}
	return operation{}, refuseField(codeOperationUnknown,
		field("operation", o, "there is no such operation in this ledger: check its name")).
		WithHint("a coordinator opens it with: muster plan apply FILE")
}

// decideOperationRevised keeps the rules 13, 16 and 52: what was ever counted keeps its place in
// the catalogue, and nothing changes before it began.
func decideOperationRevised(s *State, st *events.OperationRevised) error {
	op, err := knownOperation(s, st.Operation)
	if err != nil {
		return err
	}
	what := phrase.Of("operation %s", st.Operation)
	if err := notBefore(op.began, st.Effective, what); err != nil {
		return err
	}
	var missing []problem.Field
	for _, u := range usesOf(s, st.Operation) {
		if units, _ := st.Units(u.role); !slices.Contains(units, u.unit) {
			missing = append(missing,
				field("roles", u.role,
					"requirements or pledges of %s are counted in %s: keep the role, and this "+
						"unit of it",
					st.Operation, u.unit))
		}
	}
	if err := refuseFields(codeRoleInUse, missing); err != nil {
		return err
	}
	return keepsDeclared(s, st)
}

// usesOf returns the roles and units that an operation has ever used, in order.
func usesOf(s *State, o events.Operation) []use {
	var uses []use
	for u := range s.uses {
		if u.operation == o {
			uses = append(uses, u)
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.unit, b.unit))
	})
	return uses
}

// notBefore keeps rule 16: nothing changes from a day before it began.
func notBefore(began, on events.Date, what phrase.Phrase) error {
	if on >= began {
		return nil
	}
	return refuseField(codeBeforeBeginning,
		field("effective", on.String(), "the %s begins on %s: write that date or a later one", what,
			began))
}

// inCatalogue keeps the rules 11 and 12: the operation was opened, the role is in its catalogue,
// and the unit is one of the role's.
func inCatalogue(s *State, o events.Operation, r events.Role, u events.Unit) error {
	op, err := knownOperation(s, o)
	if err != nil {
		return err
	}
	units, ok := op.terms.Units(r)
	if !ok {
		return refuseField(codeRoleUnknown, noSuchRole(op, "role", r))
	}
	if !slices.Contains(units, u) {
		return refuseField(codeUnitNotOfRole,
			field("unit", u, "the role %s is not counted in that: write %s", r,
				phrase.List(phrase.Or, units...)))
	}
	return nil
}

func noSuchRole(op operation, location string, r events.Role) problem.Field {
	names := make([]events.Role, len(op.terms.Roles))
	for i, d := range op.terms.Roles {
		names[i] = d.Role
	}
	return field(location, r, "%s has no such role: write %s", op.terms.Operation,
		phrase.List(phrase.Or, names...))
}

// decideIssued keeps rule 14: a line is issued once, and its name is never used again.
func decideIssued(s *State, st *events.RequirementIssued) error {
	if err := inCatalogue(s, st.Operation, st.Role, st.Unit); err != nil {
		return err
	}
	l, ok := s.lines[lineKey{st.Operation, st.Line}]
	switch {
	case ok && l.cancelled > 0:
		return lineCancelled(l, st.Operation, st.Line)
	case ok:
		return refuse(codeLineKnown, "the requirement %s of %s was issued already", st.Line,
			st.Operation).
			WithHint("revise it instead, or issue another under another name")
	}
	return nil
}

func lineCancelled(l line, o events.Operation, name events.Line) error {
	return refuse(codeLineCancelled,
		"the requirement %s of %s was cancelled by record %d, and its name is not used again", name,
		o, l.cancelled).
		WithHint("issue a new requirement under another name")
}

// liveLine finds the line that a statement changes, and keeps the rules 14 and 16: it was issued,
// it was not cancelled, and it had begun.
func liveLine(s *State, o events.Operation, name events.Line, on events.Date) (line, error) {
	if _, err := knownOperation(s, o); err != nil {
		return line{}, err
	}
	l, ok := s.lines[lineKey{o, name}]
	switch {
	case !ok:
		return l, refuseField(codeLineUnknown,
			field("line", name, "%s has no such requirement: check the name, or issue it first", o))
	case l.cancelled > 0:
		return l, lineCancelled(l, o, name)
	}
	return l, notBefore(l.began, on, phrase.Of("requirement %s", name))
}

// decideRevised keeps the rules 12 and 14: a revised line keeps its role, and the unit is one of
// the role's.
func decideRevised(s *State, st *events.RequirementRevised) error {
	l, err := liveLine(s, st.Operation, st.Line, st.Effective)
	if err != nil {
		return err
	}
	if l.role != st.Role {
		return refuseField(codeRoleFixed,
			field("role", st.Role,
				"the requirement %s is for %s and stays so: cancel it and issue another",
				st.Line, l.role))
	}
	return inCatalogue(s, st.Operation, st.Role, st.Unit)
}

// decideScope keeps rule 12 for each role of a scope.
func decideScope(s *State, st *events.ScopeDeclared) error {
	op, err := knownOperation(s, st.Operation)
	if err != nil {
		return err
	}
	var unknown []problem.Field
	for i, r := range st.Roles {
		if _, ok := op.terms.Units(r); !ok {
			unknown = append(unknown, noSuchRole(op, fmt.Sprintf("roles[%d]", i), r))
		}
	}
	return refuseFields(codeRoleUnknown, unknown)
}
