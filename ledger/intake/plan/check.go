package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/ledger/intake/plan/strictyaml"
)

func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, phrase.Errorf("write true or false")
}

func parsePriority(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, phrase.Errorf("write 1 (first) to 9")
	}
	return n, nil
}

// sample stands for what a plan does not hold while it is checked: the id, the ledger and the day.
var (
	sampleHeader = events.Header{ID: events.ID{1}, Ledger: "plan.example"}
	sampleDated  = events.Dated{Effective: 2026_01_01}
)

// check lets every statement that the plan becomes check itself, and then what holds a plan
// together.
func check(file *strictyaml.File, p Plan) {
	opened := &events.OperationOpened{Header: sampleHeader, Dated: sampleDated,
		OperationTerms: p.Operation}
	opened.Type = "operation.opened"
	_, err := events.Marshal(opened)
	for _, f := range problemOf(err) {
		file.FaultSaid(f.Location, f.Value, f.Said())
	}
	first := map[events.Line]int{}
	for i, r := range p.Requirements {
		at := fmt.Sprintf("requirements[%d].", i)
		if j, twice := first[r.Line]; twice && r.Line != "" {
			file.FaultAt(at+"line", string(r.Line),
				"is the name of requirements[%d] already: give each line its own", j)
		} else {
			first[r.Line] = i
		}
		checkRole(file, at, r, p.Operation)
		checkRequirement(file, at, r)
	}
}

func checkRole(file *strictyaml.File, at string, r events.RequirementTerms,
	o events.OperationTerms) {
	units, ok := o.Units(r.Role)
	switch {
	case !r.Role.Valid(): // the statement's own check says so
	case !ok:
		roles := o.Roles[:min(len(o.Roles), events.MaxRoles)] // more are wrong by themselves
		file.FaultAt(at+"role", string(r.Role),
			"no role of this plan: write one of %s, or add it under roles", roleNames(roles))
		if r.Unit == "" {
			file.FaultAt(at+"unit", "",
				"missing: it follows from the role, or write it, such as personnel")
		}
	case r.Unit.Valid() && !slices.Contains(units, r.Unit):
		file.FaultAt(at+"unit", string(r.Unit), "the role %s is counted in %s", r.Role,
			joined(units))
	}
}

func checkRequirement(file *strictyaml.File, at string, r events.RequirementTerms) {
	issued := &events.RequirementIssued{Header: sampleHeader, Dated: sampleDated,
		RequirementTerms: r}
	issued.Type = "requirement.issued"
	_, err := events.Marshal(issued)
	for _, f := range problemOf(err) {
		if f.Location != "operation" { // told once, at the top
			file.FaultSaid(at+f.Location, f.Value, f.Said())
		}
	}
}

func joined(units []events.Unit) string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = string(u)
	}
	return strings.Join(names, " or ")
}
