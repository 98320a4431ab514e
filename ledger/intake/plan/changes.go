package plan

import (
	"fmt"
	"maps"
	"slices"

	"muster/events"
	"muster/events/problem"
)

// Current is what the ledger holds of an operation, as far as a plan touches it.
type Current struct {
	// Operation is the operation as it is, or nil when it was not opened yet.
	Operation *events.OperationTerms
	// Lines are the requirement lines that are alive.
	Lines map[events.Line]events.RequirementTerms
	// Cancelled are the lines that were cancelled: a ledger takes none of these names again.
	Cancelled map[events.Line]bool
	// AsOf is the last record that says so.
	AsOf uint64
}

// The verbs of a Change.
const (
	Add    = "add"
	Revise = "revise"
	Cancel = "cancel"
)

// A Change is one thing to say in the ledger, so that it follows the plan.
type Change struct {
	// Verb is Add, Revise or Cancel.
	Verb string
	// Line is the requirement that is changed, "" for the operation.
	Line events.Line
	// Sentence says for people what is changed, and how: "ground-west: quantity 15000 → 12000".
	Sentence string
	// Differs are the terms that change, each by itself.
	Differs []Difference
	// Statement is complete but for its signature.
	Statement events.Statement
}

// Changes returns what must be said, in that order, for the ledger to follow the plan; nothing when
// it does already. The statements hold from the plan's effective date, or from today when it has
// none. Lines that the plan no longer has are cancelled. The error is a [problem.Problem] of kind
// Conflict with all the lines that no ledger can follow: one that was cancelled cannot come back,
// and one whose role is another now needs another name.
func Changes(p Plan, now Current, today events.Date, origin events.Origin,
	newID func() events.ID) ([]Change, error) {
	if err := impossible(p, now); err != nil {
		return nil, err
	}
	effective := today
	if p.Effective != 0 {
		effective = p.Effective
	}
	m := maker{events.Dated{Effective: effective}, origin, newID}
	changes := m.operation(p.Operation, now.Operation)
	for _, line := range dropped(p, now) {
		changes = append(changes, m.cancel(now.Lines[line], p.Name))
	}
	for _, r := range p.Requirements {
		changes = append(changes, m.requirement(r, now.Lines)...)
	}
	return changes, nil
}

func impossible(p Plan, now Current) error {
	for i, r := range p.Requirements {
		at := fmt.Sprintf("requirements[%d].", i)
		if now.Cancelled[r.Line] {
			p.file.FaultAt(at+"line", string(r.Line),
				"was cancelled, and a cancelled line is never issued again: give the "+
					"requirement another name")
		}
		if before, ok := now.Lines[r.Line]; ok && before.Role != r.Role {
			p.file.FaultAt(at+"role", string(r.Role),
				"the line %s is for the role %s, and a line keeps its role: give the "+
					"requirement another name", r.Line, before.Role)
		}
	}
	return p.conflict()
}

// conflict returns what was found wrong with a plan beside the ledger, nil for nothing.
func (p Plan) conflict() error {
	err := p.file.Err()
	if err == nil {
		return nil
	}
	conflict := *problem.From(err)
	conflict.Kind = problem.Conflict
	return &conflict
}

// dropped returns the live lines that the plan does not have, in the order of their names.
func dropped(p Plan, now Current) []events.Line {
	gone := maps.Clone(now.Lines)
	for _, r := range p.Requirements {
		delete(gone, r.Line)
	}
	return slices.Sorted(maps.Keys(gone))
}

// A maker makes statements that share their date and their ledger.
type maker struct {
	events.Dated
	origin events.Origin
	newID  func() events.ID
}

func (m maker) header(t events.Type) events.Header {
	return events.Header{Type: t, ID: m.newID(), Ledger: m.origin}
}

func (m maker) operation(want events.OperationTerms, have *events.OperationTerms) []Change {
	about := "operation " + string(want.Operation)
	if have == nil {
		said := fmt.Sprintf("%s: %s, with the roles %s", about, want.Title,
			roleNames(want.Roles))
		if len(want.Organisations) > 0 {
			said += "; " + sentence(organisationsDiff(nil, want.Organisations))
		}
		return []Change{{Verb: Add, Sentence: said,
			Differs: operationDiff(events.OperationTerms{}, want),
			Statement: &events.OperationOpened{Header: m.header("operation.opened"), Dated: m.Dated,
				OperationTerms: want}}}
	}
	differs := operationDiff(*have, want)
	if len(differs) == 0 {
		return nil
	}
	return []Change{{Verb: Revise, Sentence: about + ": " + sentence(differs), Differs: differs,
		Statement: &events.OperationRevised{Header: m.header("operation.revised"), Dated: m.Dated,
			OperationTerms: want}}}
}

func (m maker) cancel(have events.RequirementTerms, plan string) Change {
	return Change{Verb: Cancel, Line: have.Line, Differs: everyTerm(have, true),
		Sentence: fmt.Sprintf("%s: %s; not in the plan any more", have.Line, describe(have)),
		Statement: &events.RequirementCancelled{
			Header: m.header("requirement.cancelled"), Dated: m.Dated,
			Operation: have.Operation, Line: have.Line, Reason: "not in the plan any more: " + plan,
		}}
}

func (m maker) requirement(want events.RequirementTerms,
	lines map[events.Line]events.RequirementTerms) []Change {
	have, ok := lines[want.Line]
	if !ok {
		return []Change{{Verb: Add, Line: want.Line, Differs: everyTerm(want, false),
			Sentence: fmt.Sprintf("%s: %s", want.Line, describe(want)),
			Statement: &events.RequirementIssued{Header: m.header("requirement.issued"),
				Dated: m.Dated, RequirementTerms: want}}}
	}
	differs := requirementDiff(have, want)
	if len(differs) == 0 {
		return nil
	}
	return []Change{{Verb: Revise, Line: want.Line, Differs: differs,
		Sentence: fmt.Sprintf("%s: %s", want.Line, sentence(differs)),
		Statement: &events.RequirementRevised{Header: m.header("requirement.revised"),
			Dated: m.Dated, RequirementTerms: want}}}
}
