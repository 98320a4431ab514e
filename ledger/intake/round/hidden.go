package round

import (
	"fmt"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/ledger/intake/sheet"
)

// A Hidden is what the sheet of a workbook shows nobody of what was read from it: rows that
// somebody or a filter has hidden, by their lines, and columns by their names. They are read like
// the others.
type Hidden struct {
	Rows    []int    `json:"rows,omitempty"`
	Columns []string `json:"columns,omitempty"`
}

// Said tells it, nothing where nothing is hidden.
func (h Hidden) Said() (all []phrase.Phrase) {
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

// hidden returns what a table hides of some of its lines, in their order, and of the columns that
// somebody looks at.
func hidden(t *sheet.Table, lines []int, unused []string) (h Hidden) {
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
