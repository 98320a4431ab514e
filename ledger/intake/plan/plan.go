// Package plan turns an operation's plan file into the statements that make the ledger say the
// same.
//
// A plan is data that a coordinator writes: the catalogue of roles, the organisations that may
// pledge, and the requirement lines.
//
//	operation: mnf-u
//	title: Multinational Force Ukraine
//	note: Quantities are illustrative
//	effective: 2026-01-01        # optional: without it, the day on which the plan is applied
//	base: {ledger: muster.example/berlin, as_of: 57, on: 2026-11-30}
//	                             # optional: what [Write] has written the file from
//	roles:
//	  - role: ground
//	    title: Troops in the country
//	    titles: {fr: Troupes dans le pays}  # optional: the title in other languages
//	    units: [personnel]       # or, for one, unit: personnel
//	organisations:               # optional: those that pledge as nations do
//	  - code: x-nato             # x-, and 2 to 20 letters, digits and hyphens
//	    name: NATO
//	    also: [OTAN]             # optional: what people write besides
//	requirements:
//	  - line: ground-west
//	    role: ground
//	    quantity: 15000          # money too: 2500000, or "2500000.50"
//	    unit: personnel          # optional: the first unit of the role
//	    area: west               # optional: anywhere
//	    from: 2026-03-01
//	    until: 2027-02-28        # optional: open
//	    priority: 1              # optional: 5
//	    essential: true          # optional: false
//	    note: …                  # optional
//
// [Read] reads it, in YAML or JSON, and tells all that is wrong with it at once. [Changes] compares
// it with what the ledger holds now and says what to add, revise and cancel; for a plan that was
// applied, that is nothing. [Write] writes what the ledger holds as such a file, which is to be
// changed and given back: what others have changed meanwhile then stays ([Plan.Since]). The package
// signs and sends nothing.
package plan

import (
	"path/filepath"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan/strictyaml"
)

// A Plan is what a plan file says. One that Read returned has passed the checks of the statements
// it becomes.
type Plan struct {
	// Name is the file's name without its folder.
	Name string
	// Operation is the operation with its whole catalogue of roles, and all its organisations.
	Operation events.OperationTerms
	// Effective is the date from which the plan holds, or zero when the file names none.
	Effective events.Date
	// Requirements are all the lines that the operation shall have.
	Requirements []events.RequirementTerms
	// Base is what the file was written from, nil for one that somebody wrote: see [Plan.Since].
	Base *Base

	file *strictyaml.File // that knows its lines
}

// defaultPriority is the middle of 1 (first) to 9.
const defaultPriority = 5

// Read reads a plan file. The error is a [problem.Problem]: of kind Syntax for what is neither YAML
// nor JSON, of kind Invalid, with every field that is wrong by its place and line in the file, for
// the rest.
func Read(name string, data []byte) (Plan, error) {
	file, top, err := strictyaml.Open(name, data)
	if err != nil {
		return Plan{}, err
	}
	m := top.Members("operation", "title", "note", "effective", "base", "roles", "organisations",
		"requirements")
	p := Plan{
		file: file,
		Base: readBase(m["base"]),
		Name: filepath.Base(name),
		Operation: events.OperationTerms{
			Operation: events.Operation(m["operation"].Text()),
			Title:     m["title"].Text(),
			Note:      m["note"].Text(),
			Roles:     readRoles(m["roles"]),

			Organisations: readOrganisations(m["organisations"]),
		},
		Effective: strictyaml.Parsed(m["effective"], events.ParseDate),
	}
	if !m["requirements"].Given() { // or a plan that forgot them would cancel every line
		file.FaultAt("requirements", "", "missing: write the lines, or `requirements: []` for none")
	}
	for _, v := range m["requirements"].Items() {
		p.Requirements = append(p.Requirements, readRequirement(v, p.Operation))
	}
	check(file, p)
	if err := file.Err(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

func readRoles(v strictyaml.Value) []events.RoleDefinition {
	var roles []events.RoleDefinition
	for _, item := range v.Items() {
		m := item.Members("role", "title", "titles", "units", "unit")
		role := events.RoleDefinition{Role: events.Role(m["role"].Text()), Title: m["title"].Text(),
			Titles: readTitles(m["titles"])}
		for _, unit := range m["units"].Items() {
			role.Units = append(role.Units, events.Unit(unit.Text()))
		}
		if m["unit"].Given() && m["units"].Given() {
			m["unit"].Fault("leave it out: the role has units already")
		} else if m["unit"].Given() {
			role.Units = []events.Unit{events.Unit(m["unit"].Text())}
		}
		roles = append(roles, role)
	}
	return roles
}

func readTitles(v strictyaml.Value) (all []events.Translation) {
	for _, t := range v.Entries() {
		all = append(all, events.Translation{Language: events.Language(t.Key), Title: t.Text()})
	}
	return all
}

func readOrganisations(v strictyaml.Value) (all events.Organisations) {
	for _, item := range v.Items() {
		m := item.Members("code", "name", "also")
		all = append(all, events.Organisation{Code: events.Nation(m["code"].Text()),
			Name: m["name"].Text(), Also: m["also"].Texts()})
	}
	return all
}

// parseQuantity reads how much of a unit is required: of money, also whole amounts.
func parseQuantity(unit string) func(string) (events.Quantity, error) {
	return func(s string) (events.Quantity, error) {
		q, err := events.ParseQuantity(s)
		if err != nil {
			return q, err
		}
		return events.Amount{Quantity: q}.In(events.Unit(unit)).Quantity, nil
	}
}

func readRequirement(v strictyaml.Value, operation events.OperationTerms) events.RequirementTerms {
	m := v.Members("line", "role", "quantity", "unit", "area", "from", "until", "priority",
		"essential", "note")
	r := events.RequirementTerms{
		Operation: operation.Operation,
		Line:      events.Line(m["line"].Text()),
		Role:      events.Role(m["role"].Text()),
		Area:      events.Area(m["area"].Text()),
		Quantity:  strictyaml.Parsed(m["quantity"], parseQuantity(m["unit"].Text())),
		Unit:      events.Unit(m["unit"].Text()),
		Window: events.Window{
			From:  strictyaml.Parsed(m["from"], events.ParseDate),
			Until: strictyaml.Parsed(m["until"], events.ParseDate),
		},
		Priority:  defaultPriority,
		Essential: strictyaml.Parsed(m["essential"], parseBool),
		Note:      m["note"].Text(),
	}
	if m["priority"].Given() {
		r.Priority = strictyaml.Parsed(m["priority"], parsePriority)
	}
	if units, ok := operation.Units(r.Role); ok && len(units) > 0 && !m["unit"].Given() {
		r.Unit = units[0]
	}
	return r
}

// problemOf returns the fields that err, the error of a check, tells.
func problemOf(err error) []problem.Field {
	if err == nil {
		return nil
	}
	return problem.From(err).Fields
}
