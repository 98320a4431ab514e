package round

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// A Round is a table that was read.
type Round struct {
	Rows []Row
	// Unused are the columns that no field and no rule looks at.
	Unused []string
}

// A Row is what became of one row of the table.
type Row struct {
	// Line is where the row begins in the file, from 1 on.
	Line int
	// Offer is complete but for its signature. It is nil for a row that was refused.
	Offer *events.PledgeOffered
	// Sentence says for people what will be said, or why the row is refused.
	Sentence string
	// Problems are what is wrong with a row that was refused, by fields.
	Problems []problem.Field
}

// Read reads a table and makes an offer of each row, for the ledger with the given origin.
//
// The error is a [problem.Problem]. For a file that is no table, or lacks a column that the mapping
// names, the Round is nil. When rows are refused, the Round is there, to be shown, and the error
// lists everything that is wrong in all of them: nothing of such a Round should be sent.
func Read(data []byte, m Mapping, origin events.Origin) (*Round, error) {
	t, err := sheet.ReadCSV(data)
	if err != nil {
		return nil, err
	}
	c, err := newConverter(t, m, origin)
	if err != nil {
		return nil, err
	}
	round := &Round{Unused: c.unused()}
	var wrong []problem.Field
	for _, r := range t.Rows {
		row := c.convert(r)
		round.Rows = append(round.Rows, row)
		for _, f := range row.Problems {
			f.Location = fmt.Sprintf("line %d: %s", row.Line, f.Location)
			wrong = append(wrong, f)
		}
	}
	return round, problem.OfFields(wrong)
}

// newConverter finds the columns that the mapping speaks of, and tells all that are not there.
func newConverter(t *sheet.Table, m Mapping, origin events.Origin) (*converter, error) {
	c := &converter{table: t, mapping: m, origin: origin, columns: map[string]int{},
		rules: make([]int, len(m.Rules)), again: map[[32]byte]uint64{}}
	var wrong []problem.Field
	absent := func(location, column string) {
		wrong = append(wrong, problem.Field{Location: location, Value: column,
			Message: "the file has no such column: it has " + t.Columns()})
	}
	for _, field := range fields {
		name := cmp.Or(m.Columns[field], field)
		if i, ok := t.Column(name); ok {
			c.columns[field] = i
		} else if m.Columns[field] != "" {
			absent("columns."+field, name)
		} else if slices.Contains(required, field) && !c.supplied(field) {
			wrong = append(wrong, problem.Field{Location: field,
				Message: fmt.Sprintf(
					"nothing says it: name its column (the file has %s), or a value for all rows",
					t.Columns())})
		}
	}
	for i, rule := range m.Rules {
		at, ok := t.Column(rule.Column)
		if !ok {
			absent(fmt.Sprintf("rules[%d].when.column", i), rule.Column)
		}
		c.rules[i] = at
	}
	return c, problem.OfFields(wrong)
}

// supplied reports whether something besides a column can say the field.
func (c *converter) supplied(field string) bool {
	if c.mapping.Always[field] != "" {
		return true
	}
	for _, rule := range c.mapping.Rules {
		if rule.Set[field] != "" {
			return true
		}
	}
	return field == "role" && len(c.mapping.Units) > 0
}

func (c *converter) unused() []string {
	used := slices.AppendSeq(slices.Clone(c.rules), maps.Values(c.columns))
	var names []string
	for i, name := range c.table.Header {
		if !slices.Contains(used, i) && name != "" {
			names = append(names, name)
		}
	}
	return names
}
