package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web/tabular"
)

// A Table is an answer in rows, for whoever reads it and for whatever sorts it: the same rows as
// CSV over HTTP, and as a table, CSV or JSON lines on the command line.
//
//   - A number that is a sum stands beside its unit. What is unknown is written "unknown", never 0.
//   - In CSV, every row says what it rests on (as_of, on, rung), and for whom it was counted where
//     that is not everybody (view); text that a spreadsheet would take for a formula is made
//     harmless with an apostrophe before it.
type Table struct {
	Head []string
	Rows []Row
	// Wide are the columns that say least, the least first: a table for people leaves them out
	// where it does not fit.
	Wide []string
	// Above and Below are lines for people, over the table and under it.
	Above, Below []string
	// Basis is what the rows rest on, when they rest on a moment.
	Basis *projections.Basis
	// View is for whom they were counted, where they rest on none; "" for whoever reads all.
	View events.View
	// RestsOn is what a file of the rows tells beside the basis.
	RestsOn []tabular.Fact
	// Kinds says of columns what is in them, where that is not what it is in other tables.
	Kinds map[string]tabular.Kind
	// Since is what they are compared with, when they are.
	Since *projections.Basis
	// Beside are tables for people of what is told beside the rows and never mixed in.
	Beside []Table
	// Also are rows that CSV and JSON lines have after the others, and people see in Beside.
	Also []Row

	told teller // the language of its sentences, in forms that have one
}

// A Row is one row of the data: the cells that people see, and the value that programs read.
type Row struct {
	Value any
	Cells []string
}

// maxCell is the most bytes that a list has in one cell. A spreadsheet cuts a cell of more than
// 32,767 characters, without a sign.
const maxCell = 30_000

// joined writes a list into one cell: each of what is there several times on end once, and what
// would make the cell too long as how many more there are, which the answer as JSON has.
func joined(all []string, between string) string {
	var b strings.Builder
	for i := 0; i < len(all); {
		times := 1
		for i+times < len(all) && all[i+times] == all[i] {
			times++
		}
		if b.Len()+len(between)+len(all[i]) > maxCell {
			fmt.Fprintf(&b, "%sand %d more, as JSON", between, len(all)-i)
			break
		}
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(all[i])
		if times > 1 {
			fmt.Fprintf(&b, " (%d times)", times)
		}
		i += times
	}
	return b.String()
}

// Add adds a row.
func (t *Table) Add(value any, cells ...string) { t.Rows = append(t.Rows, Row{value, cells}) }

// days gives the rows of a range a first column for the day of which each tells: see [Table.AddOn].
func (t *Table) days() {
	if t.Basis.IsRange() {
		t.Head = append([]string{"day"}, t.Head...)
	}
}

// AddOn adds a row that tells of one day of a range, and of the date asked where it is none.
func (t *Table) AddOn(day events.Date, value any, cells ...string) {
	if t.Basis.IsRange() {
		cells = append([]string{day.String()}, cells...)
	}
	t.Add(value, cells...)
}

// onDays says to people on which days there is nothing.
func onDays(b projections.Basis) string {
	if b.IsRange() {
		return "on any of these days"
	}
	return "on this date"
}

// nothingThere says to people that nothing is there, of a nation or of all, and when the first is,
// if it ever is.
func nothingThere(b projections.Basis, of string, next events.Date) string {
	s := "Nothing" + of + " is there " + onDays(b) + "."
	if next != 0 {
		s += fmt.Sprintf(" The first is there from %s on: --on %s.", next, next)
	}
	return s
}

// noneInForce says to people that no requirement is in force, and when the next one is, if one ever
// is.
func noneInForce(b projections.Basis, next events.Date) string {
	s := "No requirement is in force " + onDays(b) + "."
	if next != 0 {
		s += " The next one is from " + next.String() + " on."
	}
	return s
}

// WriteCSV writes the rows as CSV (RFC 4180, with LF), with a head.
func (t Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.csvHead()); err != nil {
		return err
	}
	return t.writeRows(c)
}

// csvHead returns the names of the columns that the rows have as CSV.
func (t Table) csvHead() []string {
	head, _ := t.basis()
	return append(slices.Clone(t.Head), head...)
}

// writeRows writes the rows as CSV, without a head.
func (t Table) writeRows(c *csv.Writer) error {
	_, basis := t.basis()
	for _, r := range t.all() {
		cells := append(slices.Clone(r.Cells), basis...)
		for i, cell := range cells {
			cells[i] = guardFormula(cell)
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (t Table) all() []Row { return slices.Concat(t.Rows, t.Also) }

// basis returns the columns of what every row rests on, and for whom it was counted.
func (t Table) basis() (head, cells []string) {
	add := func(column, cell string) {
		if cell != "" {
			head, cells = append(head, column), append(cells, cell)
		}
	}
	if b := t.Basis; b != nil {
		head, cells = []string{"as_of", "on"}, []string{number(b.AsOf), b.Days()}
		add("rung", b.Rung.String())
		if b.WhatIf != nil {
			add("what_if", b.WhatIf.String())
		}
		add("beginning", string(b.Beginning))
		add("not_begun", b.NotBegun)
		if s := t.Since; s != nil {
			head = append(head, "from_as_of", "from_on")
			cells = append(cells, number(s.AsOf), s.Days())
		}
	}
	add("view", string(t.view()))
	return head, cells
}

// Foot says to people for whom the rows were counted: "" for all, and where a line over or under
// the table says so already.
func (t Table) Foot() string {
	view := t.view()
	said := projections.Released(view)
	if view == "" || strings.Contains(strings.Join(slices.Concat(t.Above, t.Below), "\n"), said) {
		return ""
	}
	return "Counted: " + said + "."
}

// view is for whom the rows were counted, "" for all.
func (t Table) view() events.View {
	if t.Basis != nil {
		return t.Basis.View
	}
	return t.View
}

// WriteNDJSON writes the values of the rows, each as one line of JSON.
func (t Table) WriteNDJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range t.all() {
		if err := enc.Encode(r.Value); err != nil {
			return err
		}
	}
	return nil
}

// guardFormula keeps a spreadsheet from running text. Plain negative numbers are left alone. What
// looks like guarded text is guarded once more, so that whoever reads it back knows what it was.
func guardFormula(cell string) string {
	if text := strings.TrimLeft(cell, "'"); text != "" &&
		strings.ContainsRune("=+-@\t\r", rune(text[0])) &&
		(text != cell || strings.Trim(cell, "-0123456789.") != "") {
		return "'" + cell
	}
	return cell
}
