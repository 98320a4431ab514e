package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"muster/events/problem"
)

// This file writes the data of every command. The rules:
//
//   - Data goes to standard output, and nothing else does: messages, hints and progress go to standard error.
//   - table is for people. On a terminal it has lines and a bold head; elsewhere it is plain, and nothing is ever cut.
//   - json is the answer as the HTTP API gives it; ndjson is one row to a line; csv has a head and the same rows.
//   - A number that is a sum stands beside its unit. What is unknown is written "unknown", never 0.
//   - A table leaves out the columns that have nothing in any row; the other formats always have them all.
//   - In csv, text that a spreadsheet would take for a formula is made harmless with an apostrophe before it.

// formats are what -o takes.
var formats = []string{"table", "json", "ndjson", "csv"}

// A listing is what a command answers: one answer, in the form of each format.
type listing struct {
	answer any // for json
	head   []string
	rows   []row
	above  []string // lines over the table, for people
	below  []string // lines under it, for people
	more   []listing
}

// A row is one line of the data: the cells that people see, and the value that programs read.
type row struct {
	value any
	cells []string
}

func (l *listing) add(value any, cells ...string) { l.rows = append(l.rows, row{value, cells}) }

// write prints the listing in the format asked for.
func (l listing) write(format string, w io.Writer) error {
	switch format {
	case "json":
		return writeJSON(w, l.answer)
	case "ndjson":
		return l.writeNDJSON(w)
	case "csv":
		return l.writeCSV(w)
	}
	return l.writeTable(w)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (l listing) writeNDJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range l.rows {
		if err := enc.Encode(r.value); err != nil {
			return err
		}
	}
	return nil
}

func (l listing) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(l.head); err != nil {
		return err
	}
	for _, r := range l.rows {
		cells := make([]string, len(r.cells))
		for i, cell := range r.cells {
			cells[i] = guardFormula(cell)
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// guardFormula keeps a spreadsheet from running text. Plain negative numbers are left alone.
func guardFormula(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && strings.Trim(cell, "-0123456789.") != "" {
		return "'" + cell
	}
	return cell
}

func (l listing) writeTable(w io.Writer) error {
	for _, line := range l.above {
		fmt.Fprintln(w, line)
	}
	if len(l.rows) > 0 {
		fmt.Fprintln(w, l.render(w))
	}
	for _, line := range l.below {
		fmt.Fprintln(w, line)
	}
	for _, m := range l.more {
		fmt.Fprintln(w)
		if err := m.writeTable(w); err != nil {
			return err
		}
	}
	return nil
}

// On a terminal, a cell of more characters than this goes on in the next line.
const terminalCell = 60

func (l listing) render(w io.Writer) string {
	t := table.NewWriter()
	t.SetStyle(plainStyle)
	widest := 0
	if fancy(w) {
		t.SetStyle(terminalStyle)
		widest = terminalCell
	}
	head := make(table.Row, len(l.head))
	columns := make([]table.ColumnConfig, len(l.head))
	for i, h := range l.head {
		head[i] = h
		columns[i] = table.ColumnConfig{Number: i + 1, Align: l.align(i), AlignHeader: l.align(i), Hidden: l.empty(i),
			WidthMax: widest, WidthMaxEnforcer: text.WrapSoft}
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(columns)
	for _, r := range l.rows {
		cells := make(table.Row, len(r.cells))
		for i, c := range r.cells {
			cells[i] = printable(c)
		}
		t.AppendRow(cells)
	}
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// empty reports whether no row has anything in a column: people need not see it.
func (l listing) empty(column int) bool {
	for _, r := range l.rows {
		if r.cells[column] != "" {
			return false
		}
	}
	return true
}

// align puts a column of numbers to the right.
func (l listing) align(column int) text.Align {
	for _, r := range l.rows {
		if cell := r.cells[column]; cell != "" && cell != "unknown" && strings.Trim(cell, "0123456789.,%") != "" {
			return text.AlignLeft
		}
	}
	return text.AlignRight
}

// printable makes control and bidirectional characters in somebody's text visible, so that no text moves the cursor or
// turns a line around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
			return '\uFFFD'
		}
		return r
	}, s)
}

var plainStyle, terminalStyle = styles()

func styles() (plain, terminal table.Style) {
	plain = table.StyleDefault
	plain.Options = table.OptionsNoBordersAndSeparators
	plain.Box.PaddingLeft, plain.Box.PaddingRight = "", "  "
	plain.Format.Header = text.FormatDefault
	terminal = plain
	terminal.Color = table.ColorOptions{Header: text.Colors{text.Bold}}
	terminal.Options.SeparateHeader = true
	terminal.Box = table.StyleBoxLight
	terminal.Box.PaddingLeft, terminal.Box.PaddingRight = "", "  "
	return plain, terminal
}

// fancy reports whether w is a terminal whose owner has not asked for plain text (NO_COLOR).
func fancy(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

func checkFormat(format string) error {
	for _, f := range formats {
		if f == format {
			return nil
		}
	}
	return problem.New(problem.Usage, "-o %s: write one of %s", format, strings.Join(formats, ", "))
}
