package sheet

import (
	"fmt"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/events/problem"
)

// A Table is the rows of a file below its header.
type Table struct {
	// Header has the names of the columns.
	Header []string
	// Rows are those with something in them. Each has as many cells as the header.
	Rows []Row

	above []byte // what stands above the header, as it is
	comma rune
	all   []Row    // the rows as the file has them
	names []string // the header as the file has it
	tags  []string // the tags of the columns, if there are any

	book  []byte // the workbook that it was read from, nil for CSV
	sheet string // of the workbook
	head  int    // the line of the header

	hiddenRows    map[int]bool // by their lines
	hiddenColumns []string
	isHidden      bool     // the sheet is
	alike         []string // other sheets of the same columns
	hiddenAlike   []string // hidden ones
}

// IsBook reports whether the table was read from a workbook.
func (t *Table) IsBook() bool { return t.book != nil }

// HidesRow reports whether the spreadsheet shows nobody the row that begins in a line: somebody has
// hidden it, or a filter has.
func (t *Table) HidesRow(line int) bool { return t.hiddenRows[line] }

// HiddenColumns names the columns that the spreadsheet shows nobody, by the head of the file.
func (t *Table) HiddenColumns() []string { return t.hiddenColumns }

// HiddenSheet names the sheet of the workbook if the spreadsheet shows it to nobody, and "" if not.
func (t *Table) HiddenSheet() string {
	if t.isHidden {
		return t.sheet
	}
	return ""
}

// Sheet is the name of the sheet of the workbook that the table was read from, "" of CSV.
func (t *Table) Sheet() string { return t.sheet }

// Alike names the other sheets of the workbook that have the same columns and are not hidden: see
// [ReadAmong].
func (t *Table) Alike() []string { return t.alike }

// HiddenAlike names the hidden sheets of the workbook that have the same columns, and were left
// out: see [ReadAmong].
func (t *Table) HiddenAlike() []string { return t.hiddenAlike }

// A Row is a row of a table.
type Row struct {
	// Line is where the row begins in the file, from 1 on.
	Line int
	// Cells are its texts, without white space around them.
	Cells []string
	// Of is the column of the file that the row was made of, where there is a row for each of
	// several columns: see [Wide].
	Of string

	found int // how many cells the file has
}

// Place says where the row is: "line 7", or "line 7, column 2021-02".
func (r Row) Place() phrase.Phrase {
	if r.Of == "" {
		return phrase.Of("line %s", fmt.Sprint(r.Line))
	}
	return phrase.Of("line %s, column %s", fmt.Sprint(r.Line), r.Of)
}

// Column returns where the column of that name is: by its exact name, or else by its name in
// another case; or by its tag, of a name such as #org+donor.
func (t *Table) Column(name string) (int, bool) {
	if strings.HasPrefix(name, "#") {
		i := slices.IndexFunc(t.tags, func(tag string) bool { return sameTag(tag, name) })
		if i >= 0 {
			return i, true
		}
	}
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

// add takes in the next row of the file. The first is the header. A row of another width is kept
// until Check.
func (t *Table) add(line int, cells []string) {
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if !slices.ContainsFunc(cells, func(c string) bool { return c != "" }) {
		return
	}
	if t.Header == nil {
		t.Header, t.names, t.head = cells, cells, line
		return
	}
	found := len(cells)
	for len(cells) < len(t.Header) {
		cells = append(cells, "")
	}
	t.Rows = append(t.Rows, Row{Line: line, Cells: cells, found: found})
	t.all = t.Rows
}

// LeaveOut takes out the rows of which out is true, such as totals, and returns them. A row may
// have more cells than the header, until Check.
func (t *Table) LeaveOut(out func(Row) bool) (left []Row) {
	rows := make([]Row, 0, len(t.Rows))
	for _, r := range t.Rows {
		if out(r) {
			left = append(left, r)
		} else {
			rows = append(rows, r)
		}
	}
	t.Rows = rows
	return left
}

// Check refuses a table in which a row has other cells than the header, or two columns one name, or
// which has no rows.
func (t *Table) Check() error {
	var cut Faults
	why := phrase.Of("a row is cut, or a %q in a text needs quotes around the text", t.comma)
	switch {
	case t.IsBook() && t.tags != nil:
		why = phrase.Of("give each column with something in it a head, or clear what stands " +
			"beside the table")
	case t.IsBook():
		why = phrase.Of("say in the mapping, under header, in which row the names of the columns " +
			"stand")
	}
	for _, r := range t.Rows {
		if r.found != len(t.names) {
			cut.Add(r.Place(), problem.FieldOf("", "", "has %d cells and the header has %d: %s",
				r.found, len(t.names), why))
		}
	}
	if err := cut.Err(); err != nil {
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

// First returns the first cell with something in it.
func (r Row) First() string {
	for _, c := range r.Cells {
		if c != "" {
			return c
		}
	}
	return ""
}

// At returns the cells in some of the columns.
func (r Row) At(columns []int) []string {
	some := make([]string, len(columns))
	for i, j := range columns {
		some[i] = r.Cells[j]
	}
	return some
}

// Found is how many cells the file has in the row.
func (r Row) Found() int { return r.found }
