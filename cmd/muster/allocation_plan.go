package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
	"muster/projections"
)

// This file reads a plan of allocations.

// A planRow is one allocation of a plan.
type planRow struct {
	number      int               // of its line in the file
	said        map[string]string // its cells, by the names of planHead
	line        events.Line
	quantity    events.Quantity // zero where it has none
	from, until events.Date     // 0 where it has none

	course *course                // of its pledge
	there  bool                   // whether it is allocated so already
	st     *events.AllocationMade // what makes it, where it is not there
}

const seePlan = "a plan is CSV, and no table for people: save what " +
	"`muster allocation propose --operation OP -o csv` prints in a file, and apply that"

// planHeads finds the first column of a plan where it is one of CSV.
var planHeads = regexp.MustCompile(`(?i)pledge"?[,;\t]`)

// readPlan reads the rows of a plan of allocations, as a spreadsheet saves it.
func readPlan(path string) (rows []*planRow, err error) {
	text, err := readInput(path)
	if err != nil {
		return nil, err
	}
	t, err := sheet.ReadCSV(text, sheet.Form{})
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		p := *problem.From(err)
		p.Detail = path + ": " + p.Detail
		if p.Hint == "" || !planHeads.Match(text) {
			p.Hint = seePlan
		}
		return nil, &p
	}
	columns, err := planColumns(path, t)
	if err != nil {
		return nil, err
	}
	for _, r := range t.Rows {
		row := &planRow{number: r.Line, said: map[string]string{}}
		for i, name := range columns {
			row.said[name] = r.Cells[i]
		}
		row.line = events.Line(row.said["requirement"])
		rows = append(rows, row)
	}
	return rows, nil
}

// planBasis are the columns of a plan that say what it rests on.
var planBasis = []string{"as_of", "on", "rung", "what_if", "beginning", "not_begun", "view"}

// planColumns finds the columns of a plan. One that none has is refused: it may be one of them, and
// be misspelt.
func planColumns(path string, t *sheet.Table) (columns map[int]string, err error) {
	columns = map[int]string{}
	for _, name := range slices.Concat(planHead, planBasis) {
		if i, ok := t.Column(name); ok {
			columns[i] = name
		} else if name == "pledge" || name == "requirement" {
			return nil, problem.New(problem.Invalid, "%s has no column %q: it has %s", path, name,
				t.Columns()).WithHint(seePlan)
		}
	}
	for i, name := range t.Header {
		if columns[i] == "" && name != "" {
			return nil, problem.New(problem.Invalid, "%s has a column %q, and a plan has none "+
				"such: its columns are %s", path, name, strings.Join(planHead, ", ")).
				WithHint("name it as one of these, or take it out")
		}
	}
	return columns, nil
}

// read reads the cells of a row whose pledge is known, and refuses what contradicts that.
func (r *planRow) read(p *projections.Pledge) error {
	var wrong []problem.Field
	note := func(name string, err error) {
		if err != nil {
			wrong = append(wrong, problem.Field{Location: name, Value: r.said[name],
				Message: err.Error()})
		}
	}
	for name, is := range map[string]string{"unit": string(p.Unit), "nation": string(p.Nation),
		"operation": string(p.Operation), "role": string(p.Role)} {
		if said := r.said[name]; said != "" && !strings.EqualFold(said, is) {
			note(name, fmt.Errorf("the pledge %s has %s: mend the row", p.ID, is))
		}
	}
	if said := r.said["quantity"]; said != "" {
		amount, err := events.ParseAmount(said)
		note("quantity", err)
		r.quantity = amount.In(p.Unit).Quantity
	}
	for name, day := range map[string]*events.Date{"from": &r.from, "until": &r.until} {
		if said := r.said[name]; said != "" {
			var err error
			*day, err = events.ParseDate(said)
			note(name, err)
		}
	}
	slices.SortFunc(wrong, func(a, b problem.Field) int {
		return strings.Compare(a.Location, b.Location)
	})
	return problem.OfFields(wrong)
}

// isAs reports whether an allocation is what the row asks for; what the row leaves open may be
// anything.
func (r *planRow) isAs(a *projections.Allocation) bool {
	return a.Line == r.line && (r.quantity.IsZero() || a.Quantity == r.quantity) &&
		(r.from == 0 || a.From == r.from) && (r.until == 0 || a.Until == r.until)
}

// says is how much the row says of its allocation.
func (r *planRow) says() (n int) {
	for _, said := range []bool{!r.quantity.IsZero(), r.from != 0, r.until != 0} {
		if said {
			n++
		}
	}
	return n
}

// window returns the days of the row: of what it leaves open, those of the pledge, from the first
// on which the allocation may hold.
func (r *planRow) window() events.Window {
	p, w := r.course.first(), events.Window{From: r.from, Until: r.until}
	if w.From == 0 {
		w.From = max(p.From, r.course.days[0])
	}
	if w.Until == 0 {
		w.Until = p.Until
	}
	return w
}

// String names the row in a sentence.
func (r *planRow) String() string {
	much := r.quantity.String()
	if r.quantity.IsZero() {
		much = "what is free"
	}
	return fmt.Sprintf("line %d (%s to %s, %s)", r.number, much, r.line, r.window().Span())
}
