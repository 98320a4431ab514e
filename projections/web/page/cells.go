package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
	"muster/events/phrase"
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
	// OfOther is set where the line asks for something else than what stands at its head.
	OfOther bool
	// Others are what the numbers are in another world, where they differ: see [coverage.others].
	Others []string
}

// Cell shows a cell of a line.
func (c *coverage) Cell(l matrixLine, one cell, now bool) shownCell {
	s := shownCell{cell: one, F: c.frame, Address: c.OpenLine(l, one), Now: now,
		OfOther: one.Required != l.Required,
		IsOpen:  c.IsOpen(l, one) && now == (one.On == l.Now.On)}
	switch {
	case one.Was != nil:
		s.Others = c.others("was", one.Was, &one.numbers)
	case now && l.Baseline != nil:
		b := l.Baseline
		s.Others = c.others("else", &numbers{b.Supply, b.Gap, b.Unknown, b.Waiting,
			b.WaitingUnknown}, &numbers{l.Supply, l.Gap, l.Unknown, l.Waiting, l.WaitingUnknown})
	}
	return s
}

// others says what the numbers are in another world, where they are others than here: "was 12".
// World names its words.
func (f *frame) others(world string, there, here *numbers) (all []string) {
	if there.Supply != here.Supply {
		all = append(all, f.Compact(there.Supply))
	}
	if there.Unknown != here.Unknown {
		all = append(all, f.Count("cell.unknown", there.Unknown))
	}
	if there.Waiting != here.Waiting {
		all = append(all, cmp.Or(f.Waiting(there.Waiting, 0).Said(), f.T("waiting.nothing")))
	}
	if there.WaitingUnknown != here.WaitingUnknown {
		all = append(all, f.Count("waiting.unknown", there.WaitingUnknown))
	}
	for i := range all {
		all[i] = f.T("cell.as."+world, all[i])
	}
	return all
}

// Percent writes how full a cell is. What is not quite met is never called 100 %, and what is there
// at all never 0 %.
func (s shownCell) Percent() string {
	switch {
	case s.Fill == 0 && !zero(s.Supply):
		return s.F.T("cell.least")
	case s.Fill > mostFill:
		return s.F.T("cell.most", mostFill)
	}
	return s.F.T("cell.percent", s.Fill)
}

// mostFill is the most percent that a cell tells of a line which has more than it asks for.
const mostFill = 999

// Bar returns the class of a bar that is as full as the cell, in steps of five percent, rounded
// down; something is there where there is any.
func (s shownCell) Bar() string {
	step := min(100, s.Fill) / 5 * 5
	if step == 0 && !zero(s.Supply) {
		step = 5
	}
	return "f" + sprint(step)
}

// CellOf returns how far a line is met.
func (f *frame) CellOf(l *projections.LineCoverage) cell {
	return cellOf(l.Required, numbers{Supply: l.Supply, Gap: l.Gap, Unknown: l.Unknown})
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

// A why says a reason: in Words, or, where the catalogue has none, as the answer tells it.
type why struct {
	Words string
	told
}

// Why says a reason: in a sentence, where there are words for it in the reader's language, and
// else in the words that each reason has.
func (f *frame) Why(reason projections.Reason, sentence phrase.Phrase) why {
	said := f.Tell(sentence)
	if said.English && reason != "" {
		return why{Words: f.Word("reason", reason)}
	}
	return why{told: said}
}

// An idleDay is a first day on which pledges count for nothing, with the reasons of the first few,
// and of the rest.
type idleDay struct {
	On          events.Date
	First, Rest []why
}

// IdleFirst returns the first days on which pledges would count for nothing, each told once for all
// that begin then.
func (f *frame) IdleFirst(p *projections.Preview) (all []idleDay) {
	const few = 3
	for _, d := range p.FirstDays {
		if d.Counts {
			continue
		}
		at := slices.IndexFunc(all, func(i idleDay) bool { return i.On == d.On })
		if at < 0 {
			at, all = len(all), append(all, idleDay{On: d.On})
		}
		for _, place := range d.Places {
			all[at].First = append(all[at].First, f.Why(place.Reason, place.Told))
		}
	}
	for i := range all {
		n := min(len(all[i].First), few)
		all[i].First, all[i].Rest = all[i].First[:n], all[i].First[n:]
	}
	return all
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

// A stretchHead is the head of a column: the month over its year, or the first day of a week.
type stretchHead struct{ Head, Under string }

// Stretch writes the head of a column.
func (c *coverage) Stretch(pt projections.TimelinePoint) stretchHead {
	if c.Step == projections.ByWeek || pt.From == 0 {
		return stretchHead{Head: c.Date(pt.From)}
	}
	t := pt.From.Time()
	return stretchHead{c.Word("month", int(t.Month())), t.Format("2006")}
}

// A compacted is a quantity as it stands in a column, and whole.
type compacted struct{ Short, Whole string }

// Compacted writes a quantity for a column, and whole for who does not see the column.
func (f *frame) Compacted(q events.Quantity) compacted { return compacted{f.Compact(q), f.Q(q)} }

// One returns the sequence of one record as a list.
func (f *frame) One(n uint64) []uint64 { return []uint64{n} }
