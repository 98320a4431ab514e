package page

import (
	"cmp"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/projections"
)

// What templates show again and again, with all that they need to show it.

// A shownCell is a cell of the matrix of lines.
type shownCell struct {
	cell
	F       *frame
	Address any
	Now     bool
	IsOpen  bool
	// Was is what the numbers are in the world as it is, where something is supposed or another
	// rung is asked and they differ.
	Was []string
}

// Cell shows a cell of a line.
func (c *coverage) Cell(l matrixLine, one cell, now bool) shownCell {
	s := shownCell{cell: one, F: c.frame, Address: c.OpenLine(l, one), Now: now,
		IsOpen: c.IsOpen(l, one) && now == (one.On == l.Now.On)}
	if now && l.Baseline != nil {
		s.Was = c.otherwise(&l.LineCoverage)
	}
	return s
}

// otherwise says what the numbers of a line are in the world as it is, where they are others.
func (f *frame) otherwise(l *projections.LineCoverage) (all []string) {
	b := l.Baseline
	if b.Supply != l.Supply {
		all = append(all, f.T("cell.was", b.Supply))
	}
	if b.Unknown != l.Unknown {
		all = append(all, f.Count("cell.was-unknown", b.Unknown))
	}
	if b.Waiting != l.Waiting {
		all = append(all, f.T("cell.was-waiting", b.Waiting))
	}
	if b.WaitingUnknown != l.WaitingUnknown {
		all = append(all, f.Count("cell.was-waiting-unknown", b.WaitingUnknown))
	}
	return all
}

// CellOf returns how far a line is met.
func (f *frame) CellOf(l *projections.LineCoverage) cell {
	return cellOf(l.Required, l.Supply, l.Gap, l.Unknown)
}

// Depends says on which nation a supply hangs, and of whom it is not known how much they hold.
func (f *frame) Depends(d projections.Dependence) string {
	switch {
	case d.Level == projections.Alone:
		return f.T("depends.alone", english.Capital(f.Named(d.Nation)))
	case len(d.UnknownBy) > 0:
		names := make([]string, len(d.UnknownBy))
		for i, n := range d.UnknownBy {
			names[i] = f.Named(n)
		}
		return f.T("depends.known", english.Capital(f.Named(d.Nation)), d.Percent,
			strings.Join(names, ", "))
	}
	return f.T("depends", english.Capital(f.Named(d.Nation)), d.Percent)
}

// A shownSum is a sum of strength.
type shownSum struct {
	projections.StrengthRow
	F *frame
}

// Sum shows a sum of strength.
func (f *frame) Sum(r projections.StrengthRow) shownSum { return shownSum{r, f} }

// A waiting is what waits for an allocation at a line.
type waiting struct {
	F        *frame
	Quantity events.Quantity
	Unknown  int
}

// Waiting shows what waits for an allocation at a line: how much, and how many pledges of unknown
// quantity.
func (f *frame) Waiting(q events.Quantity, unknown int) waiting { return waiting{f, q, unknown} }

// Said is how much waits, "" for nothing.
func (w waiting) Said() string {
	switch {
	case zero(w.Quantity):
		return ""
	case w.Quantity.IsOne():
		return w.F.T("waiting.one", w.Quantity)
	}
	return w.F.T("waiting.other", w.Quantity)
}

// A why says a reason: in Words, or, where the catalogue has none, in the Sentence of the answer,
// which is English.
type why struct{ Words, Sentence string }

// Why says a reason. English readers get the sentence, which says more.
func (f *frame) Why(reason projections.Reason, sentence string) why {
	if f.Lang == "en" || reason == "" {
		return why{Sentence: sentence}
	}
	return why{f.Word("reason", reason), sentence}
}

// A seqs is the sequences of records, each a link to the record.
type seqs struct {
	F *frame
	cut[uint64]
}

// Seqs shows the sequences of records.
func (f *frame) Seqs(all []uint64) seqs { return seqs{f, cutAt(all, maxSequences)} }

// Zero reports whether a quantity is nothing.
func (f *frame) Zero(q events.Quantity) bool { return zero(q) }

// Stretch writes the head of a column: the month, or the first day of a week.
func (c *coverage) Stretch(pt projections.TimelinePoint) string {
	if c.Step == projections.ByWeek {
		return c.Date(pt.From)
	}
	return cmp.Or(c.Month(pt.From), c.Date(pt.From))
}

// Month writes the month of a date: "Mar 2026".
func (f *frame) Month(d events.Date) string {
	t := d.Time()
	return f.Word("month", int(t.Month())) + " " + t.Format("2006")
}

// One returns the sequence of one record as a list.
func (f *frame) One(n uint64) []uint64 { return []uint64{n} }
