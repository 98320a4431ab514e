package round

import (
	"fmt"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/ledger/intake/sheet"
)

// A Hidden is what a workbook shows nobody of what was read from it: the sheet, rows that somebody
// or a filter has hidden, by their lines, and columns by their names. They are read like the
// others. Hidden sheets of the same columns beside the one that was read are left out.
type Hidden struct {
	Sheet   string   `json:"sheet,omitempty"`
	LeftOut []string `json:"sheets_left_out,omitempty"`
	Rows    []int    `json:"rows,omitempty"`
	Columns []string `json:"columns,omitempty"`
}

// Said tells it, nothing where nothing is hidden.
func (h Hidden) Said() (all []phrase.Phrase) {
	if h.Sheet != "" {
		all = append(all, phrase.Of("the sheet %q is hidden in the workbook; it is read like any "+
			"other", h.Sheet))
	}
	for _, name := range h.LeftOut {
		all = append(all, phrase.Of("the sheet %q is hidden, has the same columns, and is left "+
			"out: to bring it in, name it under sheet in the mapping", name))
	}
	switch n := len(h.Rows); {
	case n == 1:
		all = append(all, phrase.Of("1 row is hidden in the sheet: row %s; it is read like the "+
			"others", runs(h.Rows)))
	case n > 1:
		all = append(all, phrase.Of("%d rows are hidden in the sheet: rows %s; they are read like "+
			"the others", n, runs(h.Rows)))
	}
	names := strings.Join(h.Columns, ", ")
	switch n := len(h.Columns); {
	case n == 1:
		all = append(all, phrase.Of("1 column is hidden in the sheet: %s; it is read like the "+
			"others", names))
	case n > 1:
		all = append(all, phrase.Of("%d columns are hidden in the sheet: %s; they are read like "+
			"the others", n, names))
	}
	return all
}

// runs writes the lines of rows, those behind one another as 9-31, and not more than fit into a
// sentence.
func runs(lines []int) string {
	const most = 20
	var all []string
	for rest := lines; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n] == rest[0]+n {
			n++
		}
		if n < 3 {
			n = 1
			all = append(all, fmt.Sprint(rest[0]))
		} else {
			all = append(all, fmt.Sprintf("%d-%d", rest[0], rest[n-1]))
		}
		if rest = rest[n:]; len(all) == most && len(rest) > 0 {
			all = append(all, "…")
			break
		}
	}
	return strings.Join(all, ", ")
}

// hidden returns what a table hides: itself, some of its lines, in their order, and of the columns
// those that somebody looks at.
func hidden(t *sheet.Table, lines []int, unused []string) (h Hidden) {
	h.Sheet, h.LeftOut = t.HiddenSheet(), t.HiddenAlike()
	for _, line := range slices.Compact(lines) {
		if t.HidesRow(line) {
			h.Rows = append(h.Rows, line)
		}
	}
	for _, name := range t.HiddenColumns() {
		if !slices.Contains(unused, name) && name != sheet.ProblemColumn {
			h.Columns = append(h.Columns, name)
		}
	}
	return h
}
