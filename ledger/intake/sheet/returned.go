package sheet

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
)

// ProblemColumn is the column in which a file that comes back says what is wrong with its rows.
const ProblemColumn = "problem"

// WasReturned reports whether the file has come back from an import, by that column: it may have no
// more than the rows with which something was wrong.
func (t *Table) WasReturned() bool { return slices.Contains(t.names, ProblemColumn) }

// Returned writes the file anew, in CSV and UTF-8, with a column that says what is wrong with a
// row, by the line in which it begins: all of its rows, or only those with which something is. Such
// a file is read as the first one was; the column is then replaced.
func (t *Table) Returned(problems map[int][]string, only bool) []byte {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	b.Write(t.above)
	w := csv.NewWriter(&b)
	w.Comma = t.comma
	old := slices.Index(t.names, ProblemColumn)
	row := func(cells []string, last string) {
		if old >= 0 && old < len(cells) {
			cells = slices.Delete(slices.Clone(cells), old, old+1)
		}
		_ = w.Write(append(slices.Clip(cells), last)) // into memory, which does not fail
	}
	row(t.names, ProblemColumn)
	for _, r := range t.all {
		if wrong := problems[r.Line]; !only || len(wrong) > 0 {
			row(r.Cells, strings.Join(wrong, "; "))
		}
	}
	w.Flush()
	return b.Bytes()
}
