package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"muster/events/problem"
	"muster/projections/web"
)

// This file writes the data of every command. The rules:
//
//   - Data goes to standard output, and nothing else does: messages, hints and progress go to
//     standard error. Both are a screen: see screen.go for what becomes of others' text.
//   - table is for people. On a terminal it has lines and a bold head, and fits its width (see
//     output_fit.go); elsewhere, and as wide, it has all, and nothing is ever cut.
//   - json is the answer as the HTTP API gives it; ndjson is one row to a line; csv has a head and
//     the same rows; xlsx and parquet are these rows as files, which no terminal shows.
//   - A table leaves out the columns that have nothing in any row; the other formats always have
//     them all.
//   - The rows are those of the HTTP API, which package web makes of an answer: see [web.Table].

// formats are what -o takes.
var formats = []string{"table", "wide", "json", "ndjson", "csv", "xlsx", "parquet"}

// A listing is what a command answers: one answer as JSON, and its rows.
type listing struct {
	answer any
	web.Table
}

// write prints the listing in the format asked for.
func (l listing) write(format string, w io.Writer) error {
	switch format {
	case "json":
		return writeJSON(w, l.answer)
	case "ndjson":
		return l.WriteNDJSON(asJSON(w))
	case "csv":
		return l.WriteCSV(exact(w))
	case "xlsx", "parquet":
		if isTerminal(w) {
			return usage("-o %s is a file, which a terminal cannot show", format).
				WithHint("write it into one: … -o %s >list.%s", format, format)
		}
		return l.WriteFile(format, exact(w))
	}
	t := l.Table
	if t.Basis != nil && t.Basis.NotBegun != "" {
		t.Above = append([]string{t.Basis.Later() + " To ask about one: --operation.", ""},
			t.Above...)
	}
	if t.Basis != nil && t.Basis.Beginning != "" {
		t.Above = append([]string{t.Basis.Opening() + " For today: --on today.", ""}, t.Above...)
	}
	err := writeTable(w, t)
	if foot := t.Foot(); foot != "" && err == nil {
		_, err = fmt.Fprintln(w, foot)
	}
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(asJSON(w))
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func writeTable(w io.Writer, t web.Table) error {
	for _, line := range t.Above {
		if _, err := fmt.Fprintln(w, problem.Line(line)); err != nil {
			return err
		}
	}
	if len(t.Rows) > 0 {
		if _, err := fmt.Fprintln(own(w), render(w, t)); err != nil {
			return err
		}
	}
	for _, line := range t.Below {
		if _, err := fmt.Fprintln(w, problem.Line(line)); err != nil {
			return err
		}
	}
	for _, beside := range t.Beside {
		fmt.Fprintln(w)
		if err := writeTable(w, beside); err != nil {
			return err
		}
	}
	return nil
}

// render returns the rows as a table for w.
func render(w io.Writer, of web.Table) string { return renderIn(of, widthOf(w), fancy(w)) }

// renderIn returns the rows as a table of a width, 0 for any. All that is in its cells is shown
// already, so that they are as wide as they look.
func renderIn(of web.Table, width int, lines bool) string {
	t := table.NewWriter()
	t.SetStyle(plainStyle)
	if lines {
		t.SetStyle(terminalStyle)
	}
	head := make(table.Row, len(of.Head))
	columns := make([]table.ColumnConfig, len(of.Head))
	widths := fit(of, width)
	for i, h := range of.Head {
		head[i] = h
		columns[i] = table.ColumnConfig{Number: i + 1, Align: align(of, i),
			AlignHeader: align(of, i), Hidden: widths[i] == 0}
		if width > 0 {
			columns[i].WidthMax, columns[i].WidthMaxEnforcer = widths[i], text.WrapSoft
		}
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(columns)
	for _, r := range of.Rows {
		cells := make(table.Row, len(r.Cells))
		for i, c := range r.Cells {
			cells[i] = problem.Line(c)
		}
		t.AppendRow(cells)
	}
	all := strings.Split(t.Render(), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
	}
	if left := leftOut(of, widths); left != "" {
		all = append(all, left)
	}
	return strings.Join(all, "\n")
}

// empty reports whether no row has anything in a column: people need not see it.
func empty(t web.Table, column int) bool {
	for _, r := range t.Rows {
		if r.Cells[column] != "" {
			return false
		}
	}
	return true
}

// align puts a column of numbers to the right.
func align(t web.Table, column int) text.Align {
	for _, r := range t.Rows {
		if cell := r.Cells[column]; cell != "" && cell != "unknown" &&
			strings.Trim(cell, "0123456789.,%") != "" {
			return text.AlignLeft
		}
	}
	return text.AlignRight
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
	return os.Getenv("NO_COLOR") == "" && isTerminal(w)
}

func checkFormat(format string) error {
	for _, f := range formats {
		if f == format {
			return nil
		}
	}
	return problem.New(problem.Usage, "-o %s: write one of %s", format, strings.Join(formats, ", "))
}
