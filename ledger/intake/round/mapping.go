package round

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan/strictyaml"
	"muster/ledger/intake/sheet"
)

// fields are what a row of a round may say of a pledge, by the names that its statement has for
// them.
var fields = []string{
	"nation", "operation", "role", "quantity", "unit", "area", "line", "effective", "from", "until",
	"notice_to_move", "presence", "release", "source", "note",
}

// required are the fields without which no row can become an offer.
var required = []string{"nation", "operation", "role", "quantity", "unit", "effective", "from"}

// A Mapping says what the columns and words of a table mean. The zero Mapping fits a table whose
// columns have the names of the fields.
type Mapping struct {
	// Columns holds the column of a field, by the field's name.
	Columns map[string]string
	// Always holds the value of a field that has no column, or whose cell is empty.
	Always map[string]string
	// Units holds what words in the unit's column stand for.
	Units map[string]Meaning
	// Nations holds the nations that go by names which [events.FindNation] does not know.
	Nations map[string]events.Nation
	// Rules are applied to every row, in this order.
	Rules []Rule
}

// A Meaning is what a published unit ("police training team") stands for. An empty role leaves the
// row's role.
type Meaning struct {
	Role events.Role
	Unit events.Unit
}

// A Rule sets fields of the rows whose cell in a column contains a text, in any case of letters.
type Rule struct {
	Column, Contains string
	Set              map[string]string
}

// ReadMapping reads a mapping file, in YAML or JSON. The error is a [problem.Problem] with all that
// is wrong in it.
func ReadMapping(name string, data []byte) (Mapping, error) {
	file, top, err := strictyaml.Open(name, data)
	if err != nil {
		return Mapping{}, err
	}
	v := top.Members("columns", "always", "units", "nations", "rules")
	m := Mapping{
		Columns: texts(v["columns"].Members(fields...)),
		Always:  texts(v["always"].Members(fields...)),
		Units:   map[string]Meaning{},
		Nations: map[string]events.Nation{},
	}
	for _, e := range v["units"].Entries() {
		meaning := e.Members("role", "unit")
		m.Units[sheet.Fold(e.Key)] = Meaning{events.Role(meaning["role"].Text()),
			events.Unit(meaning["unit"].Text())}
		if u := events.Unit(meaning["unit"].Text()); !u.Valid() {
			file.Fault(e.At()+".unit", string(u),
				"write the role and its unit, such as {role: training, unit: team}")
		}
	}
	for _, e := range v["nations"].Entries() {
		m.Nations[sheet.Fold(e.Key)] = strictyaml.Parsed(e.Value, parseNation)
	}
	for _, item := range v["rules"].Items() {
		m.Rules = append(m.Rules, readRule(file, item))
	}
	if err := file.Err(); err != nil {
		return Mapping{}, err
	}
	return m, nil
}

func readRule(file *strictyaml.File, v strictyaml.Value) Rule {
	m := v.Members("when", "set")
	when := m["when"].Members("column", "contains")
	r := Rule{Column: when["column"].Text(), Contains: when["contains"].Text(),
		Set: texts(m["set"].Members(fields...))}
	if r.Column == "" || r.Contains == "" {
		file.Fault(v.At()+".when", "", "say when: {column: remark, contains: in reserve}")
	}
	if len(r.Set) == 0 {
		file.Fault(v.At()+".set", "", "say what: {presence: reserve}")
	}
	return r
}

func texts(values map[string]strictyaml.Value) map[string]string {
	all := map[string]string{}
	for key, v := range values {
		if text := v.Text(); text != "" {
			all[key] = text
		}
	}
	return all
}

// SetColumn says that a field is in a column: what a flag does, over the mapping file.
func (m *Mapping) SetColumn(field, column string) error {
	return set(&m.Columns, field, column)
}

// SetAlways gives a field its value where the table has none: what a flag does, over the mapping
// file.
func (m *Mapping) SetAlways(field, value string) error {
	return set(&m.Always, field, value)
}

func set(in *map[string]string, field, value string) error {
	if !slices.Contains(fields, field) {
		return problem.New(problem.Usage, "a pledge has no field %q: write one of %s", field,
			strings.Join(fields, ", "))
	}
	if *in == nil {
		*in = map[string]string{}
	}
	(*in)[field] = value
	return nil
}

func parseNation(s string) (events.Nation, error) {
	if n, ok := events.FindNation(s); ok {
		return n, nil
	}
	return "", fmt.Errorf(
		"not a nation that is known here: write its three-letter code (ISO 3166-1), such as FRA")
}
