package sheet

import (
	"slices"
	"strings"

	"muster/events/problem"
)

// A Table is the rows of a file below its header.
type Table struct {
	// Header has the names of the columns. No two are equal but empty ones.
	Header []string
	// Rows are those with something in them. Each has as many cells as the header.
	Rows []Row
}

// A Row is a row of a table.
type Row struct {
	// Line is where the row begins in the file, from 1 on.
	Line int
	// Cells are its texts, without white space around them.
	Cells []string
}

// Column returns where the column of that name is: by its exact name, or else by its name in
// another case.
func (t *Table) Column(name string) (int, bool) {
	if i := slices.Index(t.Header, name); i >= 0 {
		return i, true
	}
	i := slices.IndexFunc(t.Header, func(h string) bool { return Fold(h) == Fold(name) })
	return i, i >= 0
}

// Columns lists the columns for people, not more than fit into a sentence.
func (t *Table) Columns() string {
	const most = 200
	list := []rune(strings.Join(t.Header, ", "))
	if len(list) > most {
		return string(list[:most]) + "…"
	}
	return string(list)
}

// Fold makes two spellings equal that differ in case or spacing.
func Fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// add takes in the next row of the file. The first is the header.
func (t *Table) add(line int, cells []string) {
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	switch {
	case t.Header == nil:
		t.Header = cells
	case slices.ContainsFunc(cells, func(c string) bool { return c != "" }):
		t.Rows = append(t.Rows, Row{line, cells})
	}
}

func (t *Table) check(cut []problem.Field) error {
	if err := problem.OfFields(cut); err != nil {
		return err
	}
	for i, name := range t.Header {
		if name != "" && slices.Contains(t.Header[:i], name) {
			return problem.New(problem.Invalid,
				"the header names the column %q twice: give each its own name", name)
		}
	}
	if len(t.Rows) == 0 {
		return problem.New(problem.Invalid, "the file has a header and no rows")
	}
	return nil
}
