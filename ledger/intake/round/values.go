package round

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// values are the texts of a row's fields, on their way from the cells to a statement.
type values struct {
	row  sheet.Row
	text map[string]string
	cell map[string]bool // the fields whose text is still that of a cell
	// The words that were replaced by others, each with its column: `status "paid"`.
	published []string
	unit      string // what was put into the note about a replaced unit
	wrong     []problem.Field
}

// spreadsheetErrors are what a program saves as CSV of a formula that has failed. They are no words
// of whoever keeps the file.
var spreadsheetErrors = map[string]bool{"#N/A": true, "#REF!": true, "#DIV/0!": true,
	"#VALUE!": true, "#NAME?": true, "#NULL!": true, "#NUM!": true}

// unguard takes off what a list of Muster's has in front of text that a spreadsheet would take for
// a formula. Such a list names its pledges.
func (c *converter) unguard(v *values) {
	if _, err := events.ParseID(v.text["id"]); err != nil || c.mapping.IsForm {
		return
	}
	for field, text := range v.text {
		own, guarded := strings.CutPrefix(text, "'")
		formula := strings.TrimLeft(own, "'")
		if guarded && formula != "" && strings.ContainsRune("=+-@", rune(formula[0])) {
			v.text[field] = own
		}
	}
}

// values returns the texts of a row: the cells, or what always holds; then what their words stand
// for; then what the rules say.
func (c *converter) values(r sheet.Row) *values {
	v := &values{row: r, text: maps.Clone(c.mapping.Always), cell: map[string]bool{}}
	if v.text == nil {
		v.text = map[string]string{}
	}
	for field, columns := range c.columns {
		between := " "
		if field == "quantity" || field == "deployed" {
			between = plus
		}
		parts := slices.DeleteFunc(r.At(columns), func(s string) bool { return s == "" })
		if len(parts) > 0 {
			v.text[field], v.cell[field] = strings.Join(parts, between), true
		}
	}
	c.unguard(v)
	if meaning, ok := c.mapping.Units[sheet.Fold(v.text["unit"])]; ok {
		v.replaceUnit(meaning)
	}
	for field, words := range c.mapping.Words {
		if to, ok := words[sheet.Fold(v.text[field])]; ok {
			c.replace(v, field, to)
		}
	}
	c.applyRules(v, r)
	for _, field := range fields {
		if v.cell[field] && spreadsheetErrors[v.text[field]] {
			v.wrong = append(v.wrong, problem.FieldOf(field, v.text[field],
				"is an error of the spreadsheet: mend the cell"))
		}
	}
	for _, field := range []string{"operation", "role", "area", "line"} {
		if lower := strings.ToLower(v.text[field]); v.cell[field] && events.Line(lower).Valid() {
			v.text[field] = lower // names have no capitals
		}
	}
	return v
}

// replaceUnit puts in the meaning of a published unit, and keeps the words in the note.
func (v *values) replaceUnit(meaning Meaning) {
	if words := v.text["unit"]; words != string(meaning.Unit) {
		v.unit = fmt.Sprintf("published as %q", v.text["quantity"]+" "+words)
		v.text["note"] = joined(v.unit, v.text["note"])
	}
	v.text["unit"] = string(meaning.Unit)
	v.cell["unit"] = false
	if meaning.Role != "" {
		v.text["role"] = string(meaning.Role)
		v.cell["role"] = false
	}
}

// replace puts another text in the place of a cell's, and keeps the cell's words.
func (c *converter) replace(v *values, field, to string) {
	was := v.text[field]
	if field == "note" && v.unit != "" {
		was = strings.TrimPrefix(strings.TrimPrefix(was, v.unit), "; ") // which is kept by itself
	}
	if v.cell[field] && was != to {
		v.published = append(v.published, fmt.Sprintf("%s %q", c.named(field), was))
	}
	v.text[field], v.cell[field] = to, false
}

// named is the name of a field's column, or columns.
func (c *converter) named(field string) string {
	return strings.Join(sheet.Row{Cells: c.table.Header}.At(c.columns[field]), " ")
}

// applyRules sets what the rules set that fit the row. Two that set one field to different values
// do not fit together, unless the mapping says that the last wins.
func (c *converter) applyRules(v *values, r sheet.Row) {
	by := map[string]int{}
	for i := range c.mapping.Rules {
		rule := &c.mapping.Rules[i]
		cells := r.At(c.rules[i])
		if !rule.fits(cells) {
			continue
		}
		for field := range rule.Set {
			to := rule.value(field, cells)
			before, set := by[field]
			if set && v.text[field] != to && !c.mapping.LastWins {
				v.wrong = append(v.wrong, problem.FieldOf(field, "",
					"two rules fit the row and say different things: rules[%d] (%s) says %q, and "+
						"rules[%d] (%s) says %q; let one say more narrowly when it holds (equals "+
						"in place of contains), or write overlap: last, and the last one wins",
					before, &c.mapping.Rules[before], v.text[field], i, rule, to))
				continue
			}
			c.replace(v, field, to)
			by[field] = i
		}
	}
}

func (r *Rule) fits(cells []string) bool {
	for i := range r.When {
		if !r.When[i].fits(cells[i]) {
			return false
		}
	}
	return true
}

// note is the pledge's note: the words that were replaced, and then the row's own.
func (v *values) note() string {
	var words string
	if len(v.published) > 0 {
		slices.Sort(v.published)
		words = "published with " + strings.Join(v.published, ", ")
	}
	if note := v.text["note"]; v.unit != "" && !strings.HasPrefix(note, v.unit) {
		return joined(joined(v.unit, words), note) // a rule has replaced the note
	}
	return joined(words, v.text["note"])
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func (c *converter) nation(v *values) (events.Nation, error) {
	s := v.text["nation"]
	if n, ok := c.mapping.Nations[sheet.Fold(s)]; ok {
		c.replace(v, "nation", string(n))
		return n, nil
	}
	return c.nationIn(v, s)
}

// nationIn finds a nation by its name, or an organisation of the operation that the row is of.
func (c *converter) nationIn(v *values, name string) (n events.Nation, err error) {
	named := nameIn{events.Operation(v.text["operation"]), name}
	if err, known := c.unknown[named]; known {
		return "", err
	}
	if n, ok := events.FindNation(name); ok {
		return n, nil
	}
	var declared events.Organisations
	if c.mapping.Declared != nil {
		declared = c.mapping.Declared(named.operation)
	}
	if n, err = declared.Parse(name); err != nil {
		c.unknown[named] = err
	}
	return n, err
}

// Called returns a nation, or an organisation of the operation, with its name as it stands within a
// sentence.
func (m *Mapping) Called(p events.Place) events.Called {
	if !p.Nation.IsOrganisation() || m.Declared == nil {
		return events.Called{Nation: p.Nation, English: p.Nation.Named()}
	}
	return events.Called{Nation: p.Nation, English: m.Declared(p.Operation).Named(p.Nation)}
}

// A nameIn is a name of a nation, in the operation that it stands with.
type nameIn struct {
	operation events.Operation
	name      string
}
