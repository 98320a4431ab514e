package page

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A lineGroup is the lines of one operation.
type lineGroup struct {
	web.OperationNote
	Lines []matrixLine
}

// A matrixLine is a row of the matrix of lines.
type matrixLine struct {
	projections.LineCoverage
	Now   cell
	Cells []cell
}

// A cell says how far a line is met, in words, by a symbol and by a colour: no one of them alone.
type cell struct {
	numbers
	State    string // met, partly, none or off: its symbol and colour
	Required events.Quantity
	Fill     int // percent, rounded down; more than 100 where there is more than is asked for
	// On is the day of which the cell tells, and Within is set where it is not the first of its
	// stretch.
	On     events.Date
	Within bool
	// Was is the same with nothing supposed, nil where nothing is; Breaks is set where the line is
	// met then, and is not met so.
	Was    *numbers
	Breaks bool
	// OnTop is how much may come on top of the supply, and OnTopOpen how many pledges have not said
	// how much more they may be.
	OnTop     events.Quantity
	OnTopOpen int
}

// The numbers of a cell: what there is, what is missing, and, of unknown quantity or waiting for an
// allocation, what stands beside it.
type numbers struct {
	Supply, Gap    events.Quantity
	Unknown        int
	Waiting        events.Quantity
	WaitingUnknown int
}

// Degree returns how far a line is met in quarters, as a class; over where there is more than is
// asked for.
func (c cell) Degree() string {
	switch {
	case c.State == "met" && c.Fill > 100:
		return "over"
	case c.State != "partly":
		return ""
	case c.Fill < 50:
		return "q1"
	case c.Fill < 75:
		return "q2"
	}
	return "q3"
}

// Class returns the classes that show how far a line is met, in colour and by a sign.
func (c cell) Class() string { return strings.TrimSpace("s-" + c.State + " " + c.Degree()) }

// How many stretches of time the matrix shows when the address does not say until when: as many as
// a wide screen has room for, or, of many lines, as a desk has.
const (
	wideStretches = 24
	deskStretches = 12
	wideLines     = 40
)

// readLines puts the lines beside the stretches of time: those of the answer, and, unless only what
// differs is asked for, those that come into force after the date asked on.
func (c *coverage) readLines(answer *web.Coverage) error {
	if c.Lines == 0 {
		return nil
	}
	t, err := c.timeline()
	if err != nil {
		return err
	}
	over := map[web.LineName]*projections.LineTimeline{}
	for i := range t.Lines {
		l := &t.Lines[i]
		over[web.LineName{Operation: l.Operation, Line: l.Line}] = l
		c.Columns = cutAt(l.Points, maxStretches)
	}
	var rows []matrixLine
	for i := range answer.Lines {
		l := &answer.Lines[i]
		name := web.LineName{Operation: l.Operation, Line: l.Line}
		rows = append(rows, c.line(l, over[name]))
		delete(over, name)
	}
	if !c.Has("differences") {
		for _, l := range over {
			rows = append(rows, c.line(later(l), l))
		}
	}
	if err := c.suppose(rows); err != nil {
		return err
	}
	c.dropFirst(rows)
	c.group(rows, answer.Notes)
	return nil
}

// dropFirst takes away the first stretch of time where each line is met in it as on the date asked
// on: no column is there twice.
func (c *coverage) dropFirst(rows []matrixLine) {
	if c.Basis.IsRange() || len(c.Columns.Shown) == 0 {
		return
	}
	for i := range rows {
		if len(rows[i].Cells) == 0 || !rows[i].Cells[0].tells(rows[i].Now) {
			return
		}
	}
	c.Through, c.Columns.Shown = c.Columns.Shown[0].Until, c.Columns.Shown[1:]
	for i := range rows {
		rows[i].Cells = rows[i].Cells[1:]
	}
}

// tells reports whether two cells tell the same.
func (c cell) tells(other cell) bool {
	was, its := c.Was, other.Was
	c.Was, other.Was = nil, nil
	return c == other && (was == its || was != nil && its != nil && *was == *its)
}

// suppose puts beside each cell what it is with nothing supposed, from the same rung up, and marks
// what breaks. It asks the same questions again.
func (c *coverage) suppose(rows []matrixLine) error {
	if c.Basis.WhatIf.IsZero() {
		return nil
	}
	t, err := c.timeline(nothingSupposed...)
	if err != nil {
		return err
	}
	answer, err := ask(c.frame, web.Read[web.CoverageQuery], c.service.Coverage,
		append(nothingSupposed, "differences", "")...)
	if err != nil {
		return err
	}
	of := map[web.LineName]*matrixLine{}
	for i := range rows {
		of[web.LineName{Operation: rows[i].Operation, Line: rows[i].Line}] = &rows[i]
	}
	for i := range answer.Lines {
		l := &answer.Lines[i]
		if row := of[web.LineName{Operation: l.Operation, Line: l.Line}]; row != nil {
			row.Now.compare(numbers{l.Supply, l.Gap, l.Unknown, l.Waiting, l.WaitingUnknown})
		}
	}
	for i := range t.Lines {
		l := &t.Lines[i]
		row := of[web.LineName{Operation: l.Operation, Line: l.Line}]
		for j := range l.Points {
			if row != nil && j < len(row.Cells) {
				row.Cells[j].compare(numbersOf(&l.Points[j]))
			}
		}
	}
	return nil
}

// nothingSupposed are the parameters of a question in which nothing is supposed.
var nothingSupposed = []any{"without", "", "without_conditional", "", "without_caveated", "",
	"discharge", ""}

// compare puts beside a cell what it is otherwise.
func (c *cell) compare(was numbers) {
	if c.numbers != was {
		c.Was, c.Breaks = &was, zero(was.Gap) && !zero(c.Gap)
	}
}

// later is the row of a line that is not in force yet: what it asks for on the first day on which
// it is.
func later(l *projections.LineTimeline) *projections.LineCoverage {
	row := &projections.LineCoverage{Requirement: projections.Requirement{Operation: l.Operation,
		Line: l.Line,
		Role: l.Role, Area: l.Area, Unit: l.Unit, Priority: l.Priority, Essential: l.Essential}}
	if i := slices.IndexFunc(l.Points, func(pt projections.TimelinePoint) bool {
		return pt.InForce
	}); i >= 0 {
		row.Required = l.Points[i].Required
	}
	return row
}

// group puts rows under their operations, by priority, as many as fit the page.
func (c *coverage) group(rows []matrixLine, notes []web.OperationNote) {
	slices.SortFunc(rows, func(a, b matrixLine) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Priority, b.Priority),
			cmp.Compare(a.Line, b.Line))
	})
	shown := cutAt(rows, maxListed)
	c.MoreLines = shown.More
	for _, row := range shown.Shown {
		n := len(c.Groups)
		if n == 0 || c.Groups[n-1].Operation != row.Operation {
			c.Groups = append(c.Groups, lineGroup{OperationNote: noteOf(notes, row.Operation)})
			n++
		}
		c.Groups[n-1].Lines = append(c.Groups[n-1].Lines, row)
	}
}

func noteOf(notes []web.OperationNote, o events.Operation) web.OperationNote {
	for _, n := range notes {
		if n.Operation == o {
			return n
		}
	}
	return web.OperationNote{Operation: o}
}

func zero(q events.Quantity) bool {
	n, _ := q.Number()
	return n == 0
}

// Short is how many of the lines in force are short.
func (c *coverage) Short() int { return c.InForce - c.Met }

// timeline asks how the lines are met from the date asked on; pairs are asked otherwise than in the
// address.
func (c *coverage) timeline(pairs ...any) (projections.Timeline, error) {
	from, stretches := c.Basis.On, wideStretches
	if c.Lines > wideLines {
		stretches = deskStretches
	}
	until := c.Basis.Until
	if until == 0 && c.Step == projections.ByWeek {
		until = from.AddDays(7*stretches - 1)
	} else if until == 0 {
		until = events.DateOf(from.Time().AddDate(0, stretches, -from.Time().Day()))
	}
	return ask(c.frame, web.Read[web.TimelineQuery], c.service.Timeline, append(pairs, "on", "",
		"from", from, "until", orGiven(c.Get("until"), until), "step", c.Step)...)
}

func orGiven(given string, d events.Date) string {
	if given != "" {
		return given
	}
	return d.String()
}

func (c *coverage) line(l *projections.LineCoverage, over *projections.LineTimeline) matrixLine {
	m := matrixLine{LineCoverage: *l, Now: cellOf(l.Required, numbers{l.Supply, l.Gap, l.Unknown,
		l.Waiting, l.WaitingUnknown})}
	if l.State == "" { // not in force on this date
		m.Now = cell{State: "off"}
	}
	m.Now.On, m.Now.OnTop, m.Now.OnTopOpen = c.Basis.On, l.OnTop, l.OnTopOpen
	if l.Day != 0 {
		m.Now.On = l.Day
	}
	if over == nil {
		return m
	}
	for _, pt := range cutAt(over.Points, maxStretches).Shown {
		one := cellOf(pt.Required, numbersOf(&pt))
		one.On, one.Within = pt.Day, pt.InForce && pt.Day != pt.From
		one.OnTop, one.OnTopOpen = pt.OnTop, pt.OnTopOpen
		if !pt.InForce {
			one.On = pt.From
		}
		m.Cells = append(m.Cells, one)
	}
	return m
}

func numbersOf(pt *projections.TimelinePoint) numbers {
	return numbers{pt.Supply, pt.Gap, pt.Unknown, pt.Waiting, pt.WaitingUnknown}
}

func number(q events.Quantity) int64 {
	n, _ := q.Number()
	return n
}

// percent returns how much of a whole a part is, rounded down.
func percent(part, whole int64) int {
	if part > math.MaxInt64/100 {
		return int(min(part/max(1, whole/100), math.MaxInt32))
	}
	return int(min(part*100/whole, math.MaxInt32))
}

// cellOf says how far a line is met. Where so many pledges have not said of how much they are,
// there is something, and not none.
func cellOf(required events.Quantity, n numbers) cell {
	one := cell{numbers: n, State: "partly", Required: required}
	if want := number(required); want > 0 {
		one.Fill = percent(number(n.Supply), want)
	}
	switch {
	case zero(required):
		one.State = "off"
	case zero(n.Gap):
		one.State, one.Fill = "met", max(one.Fill, 100)
	case zero(n.Supply) && n.Unknown == 0:
		one.State = "none"
	}
	if one.State == "partly" {
		one.Fill = min(one.Fill, 99)
	}
	return one
}
