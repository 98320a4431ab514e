package sheet

import (
	"regexp"
	"slices"

	"muster/events/problem"
)

// A Wide says which columns of a table hold the same, each for another month or role. There is then
// a row for each of them:
//
//	nation,2021-01,2021-02          nation,month,people
//	FRA,10,12                  →    FRA,2021-01,10
//	GBR,7,                          FRA,2021-02,12
//	                                GBR,2021-01,7
//	                                GBR,2021-02,
type Wide struct {
	// Columns are these columns by their names, and Matches fits the names of others.
	Columns []string
	Matches *regexp.Regexp
	// Name is the new column that has their names ("month"), and Cell the one that has their cells
	// ("people").
	Name, Cell string
}

// Lengthen makes the rows of a wide table, which have so many cells at most, 0 for any number: the
// square of what the table has, where half of its columns become rows. The error is a
// [problem.Problem].
func (t *Table) Lengthen(w Wide, most int) error {
	wide := map[int]bool{}
	var wrong []problem.Field
	for _, name := range w.Columns {
		i, ok := t.Column(name)
		if !ok {
			wrong = append(wrong, problem.FieldOf("wide.columns", name,
				"the file has no such column: it has %s", t.Columns()))
		}
		wide[i] = ok
	}
	for i, name := range t.Header {
		wide[i] = wide[i] || w.Matches != nil && w.Matches.MatchString(name)
	}
	columns := slices.DeleteFunc(indexes(t.Header), func(i int) bool { return !wide[i] })
	if len(wrong) == 0 && len(columns) == 0 {
		wrong = []problem.Field{problem.FieldOf("wide.matches", w.Matches.String(),
			"no column has such a name: the file has %s", t.Columns())}
	}
	if len(wrong) > 0 {
		return problem.OfFields(wrong)
	}
	header := t.Header
	rest := slices.DeleteFunc(indexes(header), func(i int) bool { return wide[i] })
	if cells := len(t.Rows) * len(columns) * (len(rest) + 2); most > 0 && cells > most {
		return problem.New(problem.TooLarge, "the %d columns that become rows make %d cells, and "+
			"at most %d are read", len(columns), cells, most).
			WithHint("split the file, or leave out the columns that are not used")
	}
	if t.tags != nil {
		t.tags = append(Row{Cells: t.tags}.At(rest), "", "")
	}
	t.Header = append(Row{Cells: header}.At(rest), w.Name, w.Cell)
	rows := make([]Row, 0, len(t.Rows)*len(columns))
	for _, r := range t.Rows {
		same := r.At(rest)
		for _, i := range columns {
			rows = append(rows, Row{Line: r.Line, Of: header[i], found: r.found,
				Cells: slices.Concat(same, []string{header[i], r.Cells[i]})})
		}
	}
	t.Rows = rows
	return nil
}

func indexes(of []string) []int {
	all := make([]int, len(of))
	for i := range all {
		all[i] = i
	}
	return all
}
