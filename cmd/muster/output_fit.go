package main

import (
	"cmp"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"muster/events/problem"
	"muster/projections/web"
)

// This file fits a table into a terminal: the columns that say least are left out, and the widest
// go on in the next line. Off a terminal, and with -o wide, nothing is.

// gapWidth stands between two columns, and leastCell is how narrow a cell of text may become.
const (
	gapWidth  = 2
	leastCell = 14
)

// widthOf returns how many characters a line of the terminal has, 0 where w is none, or where all
// is asked for.
func widthOf(w io.Writer) int {
	if s, ok := w.(*screen); ok && s.wide || !isTerminal(w) {
		return 0
	}
	columns, _, err := term.GetSize(int(own(w).(*os.File).Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// fit returns how wide each column may be, 0 for one that is left out. A width of 0 fits all.
func fit(t web.Table, width int) []int {
	natural, least := make([]int, len(t.Head)), make([]int, len(t.Head))
	for i, h := range t.Head {
		if !empty(t, i) {
			natural[i], least[i] = widthsOf(t, i, h)
		}
	}
	if width == 0 {
		return natural
	}
	for _, name := range t.Wide {
		if total(least) <= width {
			break
		}
		if i := slices.Index(t.Head, name); i >= 0 {
			natural[i], least[i] = 0, 0
		}
	}
	for total(natural) > width {
		i := widest(natural, least)
		if i < 0 {
			break // the rest can be no narrower
		}
		natural[i]--
	}
	return natural
}

// widthsOf returns how wide a column is, and how narrow it may become: a cell is not cut within a
// word.
func widthsOf(t web.Table, column int, head string) (natural, least int) {
	cells := []string{head}
	for _, r := range t.Rows {
		cells = append(cells, problem.Line(r.Cells[column]))
	}
	for _, cell := range cells {
		natural = max(natural, text.StringWidthWithoutEscSequences(cell))
		for word := range strings.FieldsSeq(cell) {
			least = max(least, text.StringWidthWithoutEscSequences(word))
		}
	}
	return natural, min(natural, max(least, min(leastCell, natural)))
}

// total is how wide columns are beside each other.
func total(widths []int) (sum int) {
	for _, w := range widths {
		if w > 0 {
			sum += w + gapWidth
		}
	}
	return sum
}

// widest returns the widest column that can be narrower, -1 for none.
func widest(widths, least []int) int {
	at := -1
	for i, w := range widths {
		if w > least[i] && (at < 0 || w > widths[at]) {
			at = i
		}
	}
	return at
}

// leftOut says which columns a table leaves out, "" for none.
func leftOut(t web.Table, widths []int) string {
	var names []string
	for i, w := range widths {
		if w == 0 && !empty(t, i) {
			names = append(names, t.Head[i])
		}
	}
	if names == nil {
		return ""
	}
	return "Left out: " + strings.Join(names, ", ") + ". To see all: -o wide."
}

// arrange sorts the rows by a column, and keeps the first of them: "-" before the name has the
// largest first.
func (a *app) arrange(t *web.Table) error {
	switch {
	case a.format == "json" && (a.sortBy != "" || a.top != 0):
		return usage("--sort and --top are for rows, and -o json is the whole answer").
			WithHint("leave them out, or have the rows: -o ndjson, or csv")
	case a.top < 0:
		return usage("--top %d: write how many of the rows, from 1", a.top)
	}
	if a.sortBy != "" {
		name, falling := strings.CutPrefix(a.sortBy, "-")
		at := slices.IndexFunc(t.Head, func(h string) bool {
			return h == name || strings.ReplaceAll(h, " ", "-") == name
		})
		if at < 0 {
			return usage("--sort %s: there is no such column", a.sortBy).
				WithHint("write one of: %s; with - before it, the largest first",
					strings.Join(t.Head, ", "))
		}
		slices.SortStableFunc(t.Rows, func(x, y web.Row) int {
			if falling {
				x, y = y, x
			}
			return compareCells(x.Cells[at], y.Cells[at])
		})
	}
	if n := len(t.Rows); a.top > 0 && a.top < n {
		t.Rows = t.Rows[:a.top]
		t.Below = append(t.Below, strconv.Itoa(a.top)+" of "+strconv.Itoa(n)+
			" rows; all of them without --top.")
	}
	return nil
}

// compareCells compares numbers as such, before all else.
func compareCells(x, y string) int {
	m, mIs := numberIn(x)
	n, nIs := numberIn(y)
	switch {
	case mIs && nIs:
		return cmp.Compare(m, n)
	case mIs:
		return -1
	case nIs:
		return 1
	}
	return cmp.Compare(x, y)
}

func numberIn(cell string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimRight(strings.ReplaceAll(cell, ",", ""), "% d"), 64)
	return n, err == nil
}
