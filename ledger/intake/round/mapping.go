package round

import (
	"slices"
	"strconv"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/plan/strictyaml"
	"muster/ledger/intake/sheet"
)

// fields are what a row of a round may say of a pledge: first by the names that its statement has
// for them, then what is said of it besides.
var fields = []string{
	"nation", "operation", "role", "quantity", "unit", "area", "line", "effective", "from", "until",
	"notice_to_move", "presence", "release", "source", "note", "expires", "releasable_to",
	"elsewhere", "reference", "id",
	"conditions", "caveats", "rung", "deployed", "deployed_on",
}

// required are the fields without which no row can become an offer.
var required = []string{"nation", "operation", "role", "quantity", "unit", "effective", "from"}

// A Mapping says what the columns and words of a table mean. The zero Mapping fits a table whose
// columns have the names of the fields.
type Mapping struct {
	// Name is that of all that is imported by the mapping, again and again; "" for none.
	Name string
	// Key are the columns, or the fields, that tell the rows apart: see [reconcile.IDOf]. It asks
	// for a Name.
	Key []string
	// IsForm is set where the file is a form that Muster wrote: what is wrong in it is mended in
	// its cells, and a pledge whose quantity is empty is wrong.
	IsForm bool
	// IDs returns the ID of the row with a key; nil for that of a row which was never struck.
	IDs func(key []string) events.ID
	// Form is how the file is to be read.
	Form sheet.Form
	// Wide says which columns become rows; nil for none.
	Wide *sheet.Wide
	// Skip says which rows are no offers.
	Skip Skip
	// Only are conditions of which a row must fit one; none for no such condition.
	Only []Condition
	// Columns holds the columns of a field, by the field's name: the texts of several are put one
	// after the other, such as month and year.
	Columns map[string][]string
	// Always holds the value of a field that has no column, or whose cell is empty.
	Always map[string]string
	// Numbers and Dates are how the cells write them.
	Numbers Numbers
	Dates   []DateForm
	// Reduce takes a number below 0 off what another row of the file says.
	Reduce bool
	// Units holds what words in the unit's column stand for.
	Units map[string]Meaning
	// Nations holds the nations that go by names which [events.FindNation] does not know.
	Nations map[string]events.Nation
	// Declared returns the organisations that an operation declares, by whose names they are found,
	// too; nil for none. It is asked where a name is no nation's, which a mapping file cannot say.
	Declared func(events.Operation) events.Organisations
	// Words holds what the words of other fields stand for, by field and word.
	Words map[string]map[string]string
	// Rules are applied to every row, in this order.
	Rules []Rule
	// LastWins lets the last of several rules win that set a field to different values. Else such a
	// row is refused.
	LastWins bool
	// Expect is what the file is known to come to.
	Expect Expect
	// Bound is how much work the mapping may make; it does not stand in it.
	Bound Bound
}

// A Meaning is what a published unit ("police training team") stands for. An empty role leaves the
// row's role.
type Meaning struct {
	Role events.Role
	Unit events.Unit
}

// keys are those of a mapping file, in the order in which they are used.
var keys = []string{"name", "key", "header", "encoding", "sheet", "wide", "skip", "only",
	"columns", "always", "decimal", "thousands", "times", "dates", "negative", "units", "nations",
	"words", "rules", "overlap", "expect"}

// ReadMapping reads a mapping file, in YAML or JSON. The error is a [problem.Problem] with all that
// is wrong in it.
func ReadMapping(name string, data []byte) (Mapping, error) {
	file, top, err := strictyaml.Open(name, data)
	if err != nil {
		return Mapping{}, err
	}
	v := top.Members(keys...)
	m := Mapping{
		Name: strictyaml.Parsed(v["name"], parseName),
		Key:  v["key"].Texts(),
		Form: sheet.Form{Header: strictyaml.Parsed(v["header"], parseLine),
			Encoding: strictyaml.Parsed(v["encoding"], parseEncoding), Sheet: v["sheet"].Text()},
		Wide:     readWide(v["wide"]),
		Skip:     readSkip(v["skip"]),
		Columns:  map[string][]string{},
		Always:   texts(v["always"].Members(fields...)),
		Numbers:  readNumbers(v),
		Reduce:   strictyaml.Parsed(v["negative"], parseReduce),
		Units:    map[string]Meaning{},
		Nations:  map[string]events.Nation{},
		Words:    map[string]map[string]string{},
		LastWins: strictyaml.Parsed(v["overlap"], parseLast),
		Expect:   readExpect(v["expect"]),
	}
	for _, only := range v["only"].OneOrMore() {
		m.Only = append(m.Only, readCondition(only))
	}
	for field, columns := range v["columns"].Members(fields...) {
		m.Columns[field] = columns.Texts()
	}
	for _, form := range v["dates"].OneOrMore() {
		m.Dates = append(m.Dates, strictyaml.Parsed(form, ParseDateForm))
	}
	for _, e := range v["units"].Entries() {
		m.Units[sheet.Fold(e.Key)] = readMeaning(file, e)
	}
	for _, e := range v["nations"].Entries() {
		m.Nations[sheet.Fold(e.Key)] = strictyaml.Parsed(e.Value, events.ParseNation)
	}
	for field, words := range v["words"].Members(fields...) {
		m.Words[field] = map[string]string{}
		for _, e := range words.Entries() {
			m.Words[field][sheet.Fold(e.Key)] = e.Text()
		}
	}
	for _, item := range v["rules"].Items() {
		m.Rules = append(m.Rules, readRule(file, item))
	}
	if len(m.Key) > 0 && m.Name == "" {
		file.FaultAt("key", "", "say name, too, of what all rows are that the key tells apart: "+
			"name: kiel-tracker")
	}
	if err := file.Err(); err != nil {
		return Mapping{}, err
	}
	return m, nil
}

func parseName(s string) (string, error) {
	if !events.IsImportName(s) {
		return "", phrase.Errorf("write lower-case letters, digits and, between them, hyphens " +
			"and dots, at most 64, such as kiel-tracker")
	}
	return s, nil
}

func readMeaning(file *strictyaml.File, e strictyaml.Entry) Meaning {
	v := e.Members("role", "unit")
	m := Meaning{events.Role(v["role"].Text()), events.Unit(v["unit"].Text())}
	if !m.Unit.Valid() {
		file.FaultAt(e.At()+".unit", string(m.Unit),
			"write the role and its unit, such as {role: training, unit: team}")
	}
	return m
}

// readWide reads {columns: [Troops, Police], name: kind, cell: people}.
func readWide(v strictyaml.Value) *sheet.Wide {
	if !v.Given() {
		return nil
	}
	m := v.Members("columns", "matches", "name", "cell")
	w := &sheet.Wide{Columns: m["columns"].Texts(), Name: m["name"].Text(), Cell: m["cell"].Text(),
		Matches: strictyaml.Parsed(m["matches"], parsePattern)}
	if len(w.Columns) == 0 && !m["matches"].Given() || w.Name == "" || w.Cell == "" {
		v.Fault("say which columns become rows, and how the new columns with their names and " +
			"cells are called: {columns: [Troops, Police], name: kind, cell: people}, or " +
			`{matches: '^\d{4}-\d\d$', name: month, cell: people}`)
	}
	return w
}

func parseLine(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, phrase.Errorf("write the line of the file in which the names of the columns " +
			"stand, from 1 on")
	}
	return n, nil
}

func parseEncoding(s string) (string, error) {
	if !sheet.FindEncoding(s) {
		return "", phrase.Errorf("no encoding that is known here: write utf-8, utf-16le, " +
			"utf-16be, windows-1252 or another name of the web")
	}
	return s, nil
}

func parseReduce(s string) (bool, error) {
	if s != "reduce" {
		return false, phrase.Errorf("write reduce, which takes such a number off what another " +
			"row says; rows that do not count at all are left out with skip: negative")
	}
	return true, nil
}

func parseLast(s string) (bool, error) {
	if s != "last" {
		return false, phrase.Errorf("write last, so that of several rules the last one wins, or " +
			"leave it out, so that such a row is refused")
	}
	return true, nil
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
	return set(&m.Columns, field, []string{column})
}

// SetAlways gives a field its value where the table has none: what a flag does, over the mapping
// file.
func (m *Mapping) SetAlways(field, value string) error {
	return set(&m.Always, field, value)
}

func set[T any](in *map[string]T, field string, value T) error {
	if !slices.Contains(fields, field) {
		return problem.New(problem.Usage, "a pledge has no field %q: write one of %s", field,
			strings.Join(fields, ", "))
	}
	if *in == nil {
		*in = map[string]T{}
	}
	(*in)[field] = value
	return nil
}
