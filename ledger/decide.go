package ledger

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
)

// Decide says whether the holder of key may make the statement now: nil, or a refusal as a [problem.Problem] with the code
// of the rule. It is a pure function: it changes nothing, asks no clock and reads nothing but its arguments. The caller has
// verified the signature with key. The rules are those of the package comment, with their numbers.
func Decide(s *State, key events.Key, st events.Statement) error {
	if err := decideLedger(s, st); err != nil {
		return err
	}
	if founded, ok := st.(*events.LedgerFounded); ok {
		return decideFounded(founded, key)
	}
	m, err := signer(s, key)
	if err != nil {
		return err
	}
	if err := mayMake(s, m, st); err != nil {
		return err
	}
	return decideStatement(s, m, st)
}

// decideLedger keeps the rules 1 and 2: there is one beginning, and each statement is meant for this ledger.
func decideLedger(s *State, st events.Statement) error {
	_, founding := st.(*events.LedgerFounded)
	switch {
	case founding && s.last > 0:
		return refuse(codeAlreadyFounded, "this ledger was founded already: its origin is %s", s.origin)
	case founding:
		return nil
	case s.last == 0:
		return refuse(codeNotFounded, "this ledger was not founded yet").WithHint("try again in a moment")
	case st.Head().Ledger != s.origin:
		return refuse(codeOtherLedger, "the statement was made for the ledger %s, and this is %s", st.Head().Ledger, s.origin).
			WithHint("make it anew for this ledger, and sign it again")
	}
	return nil
}

func decideFounded(st *events.LedgerFounded, key events.Key) error {
	if st.Founder != key {
		return refuse(codeBadSignature, "the founding must be signed with the founder's key that it names, %s", st.Founder.Name())
	}
	return nil
}

// signer keeps rule 3: only a member signs, from its admission to its revocation.
func signer(s *State, key events.Key) (member, error) {
	id, _ := key.ID()
	m, ok := s.members[id]
	switch {
	case !ok || m.key != key:
		return member{}, NotAdmitted(id)
	case m.revoked > 0:
		return member{}, refuse(codeRevoked, "the key %s was revoked by record %d, and what it signs is no longer taken", id.Name, m.revoked).
			WithHint("ask a coordinator to admit a new key")
	}
	return m, nil
}

// NotAdmitted is the refusal of a statement whose signer is no member.
func NotAdmitted(id events.KeyID) error {
	return refuse(codeNotAdmitted, "the key %s is not a member of this ledger", id.Name).
		WithHint("a coordinator admits it with: muster member admit KEY")
}

// BadSignature is the refusal of a statement whose signature is not its key's.
func BadSignature(id events.KeyID) error {
	return refuse(codeBadSignature, "the signature is not that of %s: the statement was changed after it was signed, or another key has signed it", id.Name)
}

// parties says which statements are a nation's, and which the coordinators' or importers'. Rule 4.
var parties = map[events.Type][]events.MemberRole{
	"member.admitted":       {events.Coordinator},
	"member.revoked":        {events.Coordinator}, // and the holder of the key
	"operation.opened":      {events.Coordinator, events.Importer},
	"operation.revised":     {events.Coordinator},
	"requirement.issued":    {events.Coordinator},
	"requirement.revised":   {events.Coordinator},
	"requirement.cancelled": {events.Coordinator},
	"scope.declared":        {events.Liaison},
	"pledge.indicated":      {events.Liaison},
	"pledge.offered":        {events.Liaison},
	"pledge.amended":        {events.Liaison},
	"pledge.confirmed":      {events.Liaison},
	"pledge.withdrawn":      {events.Liaison},
	"pledge.accepted":       {events.Coordinator},
	"pledge.declined":       {events.Coordinator},
	"pledge.deployed":       {events.Liaison, events.Coordinator},
	"pledge.reported":       {events.Liaison, events.Coordinator, events.Importer},
	"pledge.returned":       {events.Liaison, events.Coordinator, events.Importer},
	"pledge.observed":       {events.Coordinator, events.Importer},
	"condition.added":       {events.Liaison},
	"condition.discharged":  {events.Liaison},
	"condition.failed":      {events.Liaison},
}

// mayMake keeps the rules 4, 5 and 6: who may make which statement, and for whom.
func mayMake(s *State, m member, st events.Statement) error {
	t := st.Head().Type
	if revoke, ok := st.(*events.MemberRevoked); ok && revoke.Key == m.key {
		return nil
	}
	allowed := parties[t]
	nation, _ := events.About(st)
	switch {
	case m.role == events.Liaison && !slices.Contains(allowed, events.Liaison):
		return refuse(codeWrongParty, "%s is for %s to say: %s is the liaison of %s", t, rolesText(allowed), m.key.Name(), m.key.Party().Name())
	case m.role == events.Liaison && nation != m.key.Party():
		return refuse(codeSpeaksForItself, "%s speaks for %s and cannot speak for %s", m.key.Name(), m.key.Party().Name(), nation.Name())
	case slices.Contains(allowed, m.role):
		return nil
	case m.role == events.Importer:
		return refuse(codeWrongParty, "%s records published figures only, and cannot say %s", m.key.Name(), t)
	case s.voiced[nation]:
		return refuse(codeSpeaksForItself, "%s has a liaison of its own, and nobody else says %s for it", nation.Name(), t).
			WithHint("sign with the key of a liaison of %s: --key FILE", nation.Name())
	}
	return nil // rule 6: a coordinator, for a nation that has no liaison yet
}

func rolesText(roles []events.MemberRole) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = "a " + string(r)
		if r == events.Importer {
			names[i] = "an importer"
		}
	}
	return strings.Join(names, " or ")
}

func decideStatement(s *State, m member, st events.Statement) error {
	switch st := st.(type) {
	case *events.MemberAdmitted:
		return decideAdmitted(s, st)
	case *events.MemberRevoked:
		return decideRevoked(s, st)
	case *events.OperationOpened:
		if _, ok := s.operations[st.Operation]; ok {
			return refuse(codeOperationKnown, "the operation %s was opened already", st.Operation).WithHint("revise it instead: muster plan apply does")
		}
		return nil
	case *events.OperationRevised:
		return decideOperationRevised(s, st)
	case *events.RequirementIssued:
		return decideIssued(s, st)
	case *events.RequirementRevised:
		return decideRevised(s, st)
	case *events.RequirementCancelled:
		_, err := liveLine(s, st.Operation, st.Line)
		return err
	case *events.ScopeDeclared:
		return decideScope(s, st)
	}
	return decidePledge(s, m, st)
}

func decideAdmitted(s *State, st *events.MemberAdmitted) error {
	id, _ := st.Key.ID()
	switch m, ok := s.members[id]; {
	case ok && m.revoked > 0:
		return refuse(codeKeyKnown, "the key %s was revoked by record %d and cannot come back", id.Name, m.revoked).WithHint("make a new key: muster key new")
	case ok:
		return refuse(codeKeyKnown, "the key %s is a member already, as %s", id.Name, m.role)
	}
	return nil
}

func decideRevoked(s *State, st *events.MemberRevoked) error {
	id, _ := st.Key.ID()
	m, ok := s.members[id]
	switch {
	case !ok || m.key != st.Key:
		return refuse(codeKeyUnknown, "the key %s is not a member of this ledger", id.Name)
	case m.revoked > 0:
		return refuse(codeRevoked, "the key %s was revoked already, by record %d", id.Name, m.revoked)
	case m.role == events.Coordinator && coordinators(s) == 1:
		return refuse(codeLastCoordinator, "%s is the last coordinator: without it nobody could admit another", id.Name).
			WithHint("admit another coordinator first")
	}
	return nil
}

func coordinators(s *State) (n int) {
	for _, m := range s.members {
		if m.role == events.Coordinator && m.revoked == 0 {
			n++
		}
	}
	return n
}

func decideOperationRevised(s *State, st *events.OperationRevised) error {
	if err := knownOperation(s, st.Operation); err != nil {
		return err
	}
	for u := range s.uses {
		if u.operation != st.Operation {
			continue
		}
		if units, ok := st.Units(u.role); !ok || !slices.Contains(units, u.unit) {
			return refuse(codeRoleInUse, "the role %s, counted in %s, is used by requirements or pledges of %s and must stay in its catalogue", u.role, u.unit, st.Operation)
		}
	}
	return nil
}

func knownOperation(s *State, o events.Operation) error {
	if _, ok := s.operations[o]; ok {
		return nil
	}
	p := refuseField(codeOperationUnknown, "operation", string(o), "there is no such operation in this ledger")
	return p.WithHint("a coordinator opens it with: muster plan apply FILE")
}

// inCatalogue keeps rule 9: the role is in the operation's catalogue, and the unit is one of the role's.
func inCatalogue(s *State, o events.Operation, r events.Role, u events.Unit) error {
	if err := knownOperation(s, o); err != nil {
		return err
	}
	terms := s.operations[o]
	units, ok := terms.Units(r)
	if !ok {
		return refuseField(codeRoleUnknown, "role", string(r), "%s has no such role: write one of %s", o, roleNames(terms.Roles))
	}
	if !slices.Contains(units, u) {
		return refuseField(codeUnitNotOfRole, "unit", string(u), "the role %s is counted in %s", r, joinUnits(units))
	}
	return nil
}

func roleNames(defs []events.RoleDefinition) string {
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = string(d.Role)
	}
	return strings.Join(names, ", ")
}

func joinUnits(units []events.Unit) string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = string(u)
	}
	return strings.Join(names, " or ")
}

func decideIssued(s *State, st *events.RequirementIssued) error {
	if err := inCatalogue(s, st.Operation, st.Role, st.Unit); err != nil {
		return err
	}
	switch l, ok := s.lines[lineKey{st.Operation, st.Line}]; {
	case ok && l.cancelled > 0:
		return refuse(codeLineCancelled, "the requirement %s of %s was cancelled by record %d", st.Line, st.Operation, l.cancelled).
			WithHint("issue it under another name")
	case ok:
		return refuse(codeLineKnown, "the requirement %s of %s was issued already", st.Line, st.Operation).WithHint("revise it instead")
	}
	return nil
}

func liveLine(s *State, o events.Operation, name events.Line) (line, error) {
	l, ok := s.lines[lineKey{o, name}]
	switch {
	case !ok:
		return l, refuseField(codeLineUnknown, "line", string(name), "%s has no such requirement", o)
	case l.cancelled > 0:
		return l, refuse(codeLineCancelled, "the requirement %s of %s was cancelled by record %d", name, o, l.cancelled)
	}
	return l, nil
}

func decideRevised(s *State, st *events.RequirementRevised) error {
	l, err := liveLine(s, st.Operation, st.Line)
	if err != nil {
		return err
	}
	if l.role != st.Role {
		return refuseField(codeRoleFixed, "role", string(st.Role), "the requirement %s is for %s: cancel it and issue another", st.Line, l.role)
	}
	return inCatalogue(s, st.Operation, st.Role, st.Unit)
}

func decideScope(s *State, st *events.ScopeDeclared) error {
	if err := knownOperation(s, st.Operation); err != nil {
		return err
	}
	terms := s.operations[st.Operation]
	var unknown []problem.Field
	for i, r := range st.Roles {
		if _, ok := terms.Units(r); !ok {
			unknown = append(unknown, problem.Field{Location: fmt.Sprintf("roles[%d]", i), Value: string(r),
				Message: fmt.Sprintf("%s has no such role: write one of %s", st.Operation, roleNames(terms.Roles))})
		}
	}
	if unknown != nil {
		p := refuse(codeRoleUnknown, "%s", problem.OfFields(unknown).(*problem.Problem).Detail)
		p.Fields = unknown
		return p
	}
	return nil
}
