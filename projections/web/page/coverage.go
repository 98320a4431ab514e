package page

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

// A coverage is the page of the matrices.
type coverage struct {
	*frame
	// Show is which matrix is shown: lines, of requirements over time; or nations, by what they
	// give.
	Show    string
	Step    projections.Step
	Columns cut[projections.TimelinePoint] // the stretches of time
	Groups  []lineGroup
	InForce int  // how many lines are in force, shown or not
	Met     int  // how many of them are met
	Lines   int  // how many are shown
	Swapped bool // nations are shown since no line is in force
	Next    events.Date
	// MoreLines is how many rows are not shown.
	MoreLines  int
	NotCounted cut[projections.NotCounted]
	Nations    *nationMatrix
	// Open is what a cell was opened to, nil for none.
	Open *opened
	// CSV is where the API gives all rows, and all that is not counted.
	CSV string
}

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
	State    string // met, partly, none or off: its symbol and colour
	Supply   events.Quantity
	Required events.Quantity
	Gap      events.Quantity
	// Unknown is how many pledges beside the supply are of unknown quantity.
	Unknown int
	// On is the day of which the cell tells, and Within is set where it is not the first of its
	// stretch.
	On     events.Date
	Within bool
}

// coverage answers the page of the matrices.
func (p *Pages) coverage(f *frame) (any, error) {
	c := &coverage{frame: f, Show: f.Get("show"), Step: projections.Step(f.Get("step"))}
	if c.Step == "" {
		c.Step = projections.ByMonth
	}
	switch c.Show {
	case "", "lines", "nations":
	default:
		return nil, f.oneOf("show", c.Show, "lines, nations")
	}
	answer, err := ask(f, web.Read[web.CoverageQuery], f.service.Coverage)
	if err != nil {
		return nil, err
	}
	f.Basis, c.NotCounted, c.Lines = answer.Basis, cutAt(answer.NotCounted, maxListed),
		len(answer.Lines)
	c.CSV = f.csv("coverage", append([]string{"differences"}, gapsTakes...))
	c.InForce, c.Met, c.Next = answer.InForce, answer.Met, answer.Next
	if c.Show == "" {
		c.Show = "lines"
		if c.InForce == 0 {
			c.Show, c.Swapped = "nations", true
		}
	}
	if c.Show == "lines" {
		err = c.readLines(&answer)
	} else {
		c.Nations, err = c.readNations()
	}
	if err == nil && (f.Has("open") || f.Has("holds")) {
		c.Open, err = c.readOpen()
	}
	return c, err
}

func (s *speaker) oneOf(name, value, words string) error {
	return s.ofFields(problem.Invalid, []problem.Field{{Location: name, Value: value,
		Message: s.T("problem.one-of", words)}})
}

// How many stretches of time the matrix shows when the address does not say until when.
const stretches = 12

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
	c.group(rows, answer.Notes)
	return nil
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

// timeline asks how the lines are met from the date asked on.
func (c *coverage) timeline() (projections.Timeline, error) {
	from := c.Basis.On
	until := c.Basis.Until
	if until == 0 && c.Step == projections.ByWeek {
		until = from.AddDays(7*stretches - 1)
	} else if until == 0 {
		until = events.DateOf(from.Time().AddDate(0, stretches, -from.Time().Day()))
	}
	return ask(c.frame, web.Read[web.TimelineQuery], c.service.Timeline, "on", "", "from", from,
		"until", orGiven(c.Get("until"), until), "step", c.Step)
}

func orGiven(given string, d events.Date) string {
	if given != "" {
		return given
	}
	return d.String()
}

func (c *coverage) line(l *projections.LineCoverage, over *projections.LineTimeline) matrixLine {
	m := matrixLine{LineCoverage: *l, Now: cellOf(l.Required, l.Supply, l.Gap, l.Unknown)}
	if l.State == "" { // not in force on this date
		m.Now = cell{State: "off"}
	}
	m.Now.On = c.Basis.On
	if l.Day != 0 {
		m.Now.On = l.Day
	}
	if over == nil {
		return m
	}
	for _, pt := range cutAt(over.Points, maxStretches).Shown {
		one := cellOf(pt.Required, pt.Supply, pt.Gap, pt.Unknown)
		one.On, one.Within = pt.Day, pt.InForce && pt.Day != pt.From
		m.Cells = append(m.Cells, one)
	}
	return m
}

func number(q events.Quantity) int64 {
	n, _ := q.Number()
	return n
}

// cellOf says how far a line is met. Where so many pledges have not said of how much they are,
// there is something, and not none.
func cellOf(required, supply, gap events.Quantity, unknown int) cell {
	one := cell{State: "partly", Required: required, Supply: supply, Gap: gap, Unknown: unknown}
	switch {
	case zero(required):
		one.State = "off"
	case zero(gap):
		one.State = "met"
	case zero(supply) && unknown == 0:
		one.State = "none"
	}
	return one
}

// A nationMatrix shows who gives what: nations by roles, or, of many operations, by operation.
type nationMatrix struct {
	Columns []nationColumn
	Rows    []nationRow
	Totals  [][]projections.StrengthRow // by column
	// The first later day on which anything is there, where nothing is.
	Next events.Date
}

// A nationColumn is a role of an operation, or an operation.
type nationColumn struct {
	Operation events.Operation
	Role      events.Role // "" for all of it
}

// A nationRow is what one nation gives: by column, a sum for each unit.
type nationRow struct {
	Nation events.Nation
	Cells  [][]projections.StrengthRow
}

// maxColumns is the most columns for which each role has its own.
const maxColumns = 16

func (c *coverage) readNations() (*nationMatrix, error) {
	for _, by := range []string{"nation,operation,role", "nation,operation"} {
		s, err := ask(c.frame, web.Read[web.StrengthQuery], c.service.Strength, "by", by)
		if err != nil {
			return nil, err
		}
		m := matrixOf(s.Rows)
		if len(m.Columns) > maxColumns && strings.HasSuffix(by, "role") &&
			severalOperations(m.Columns) {
			continue
		}
		totals, err := ask(c.frame, web.Read[web.StrengthQuery], c.service.Strength, "by",
			strings.TrimPrefix(by, "nation,"))
		if err != nil {
			return nil, err
		}
		m.total(totals.Rows)
		m.Next = s.Next
		return m, nil
	}
	return nil, nil
}

func severalOperations(all []nationColumn) bool {
	return slices.ContainsFunc(all, func(c nationColumn) bool {
		return c.Operation != all[0].Operation
	})
}

func matrixOf(rows []projections.StrengthRow) *nationMatrix {
	m := &nationMatrix{}
	for _, r := range rows {
		if c := (nationColumn{r.Operation, r.Role}); !slices.Contains(m.Columns, c) {
			m.Columns = append(m.Columns, c)
		}
	}
	slices.SortFunc(m.Columns, func(a, b nationColumn) int {
		return strings.Compare(string(a.Operation)+"\x00"+string(a.Role),
			string(b.Operation)+"\x00"+string(b.Role))
	})
	at := map[events.Nation]int{}
	for _, r := range rows {
		i, ok := at[r.Nation]
		if !ok {
			i = len(m.Rows)
			at[r.Nation] = i
			m.Rows = append(m.Rows,
				nationRow{r.Nation, make([][]projections.StrengthRow, len(m.Columns))})
		}
		column := slices.Index(m.Columns, nationColumn{r.Operation, r.Role})
		m.Rows[i].Cells[column] = append(m.Rows[i].Cells[column], r)
	}
	slices.SortFunc(m.Rows, func(a, b nationRow) int {
		return strings.Compare(string(a.Nation), string(b.Nation))
	})
	return m
}

func (m *nationMatrix) total(rows []projections.StrengthRow) {
	m.Totals = make([][]projections.StrengthRow, len(m.Columns))
	for _, r := range rows {
		if i := slices.Index(m.Columns, nationColumn{r.Operation, r.Role}); i >= 0 {
			m.Totals[i] = append(m.Totals[i], r)
		}
	}
}

// An opened is what is behind one cell.
type opened struct {
	*frame
	E projections.Explanation
	// Line is the requirement, "" where the cell is a sum: of Who's strength, in the role if there
	// is one.
	Line events.Line
	Who  events.Nation
	Role events.Role
	// CSV and JSON are where the same is as CSV and as JSON, which has the records.
	CSV, JSON string
}

// readOpen explains the cell that is open: open names a requirement, as operation/line; holds a
// nation's strength, as operation/nation/role, of which the role may be left out. The date is that
// of at.
func (c *coverage) readOpen() (*opened, error) {
	o := &opened{frame: c.frame}
	pairs := []any{"nation", "", "role", "", "line", ""}
	if at := c.Get("at"); at != "" {
		pairs = append(pairs, "on", at)
	}
	var operation string
	if c.Has("open") {
		var line string
		operation, line, _ = strings.Cut(c.Get("open"), "/")
		o.Line = events.Line(line)
		pairs = append(pairs, "what", "coverage", "line", line)
	} else {
		parts := append(strings.SplitN(c.Get("holds"), "/", 3), "", "")
		operation, o.Who, o.Role = parts[0], events.Nation(parts[1]), events.Role(parts[2])
		pairs = append(pairs, "what", "strength", "nation", parts[1], "role", parts[2])
	}
	pairs = append(pairs, "operation", operation)
	e, err := ask(c.frame, web.Read[web.ExplainQuery], c.service.Explain, pairs...)
	o.E = e
	o.CSV, o.JSON = explainAddress(c.only("as_of", "on", "rung", "without", "without_conditional",
		"without_caveated", "discharge"), pairs)
	return o, err
}

// explainAddress is where the API gives the same, as CSV and as JSON.
func explainAddress(with url.Values, pairs []any) (csv, json string) {
	what := "strength"
	for i := 0; i+1 < len(pairs); i += 2 {
		switch name, value := text(pairs[i]), text(pairs[i+1]); {
		case name == "what":
			what = value
		case value == "":
			with.Del(name)
		default:
			with.Set(name, value)
		}
	}
	at := web.Root + "/explain/" + what
	return at + ".csv?" + with.Encode(), at + "?" + with.Encode()
}

// CountedParts are what the number is made of, as far as it is shown.
func (o *opened) CountedParts() cut[projections.Part] { return cutAt(o.E.Parts, maxOpened) }

// LeftParts are what was considered and not counted, as far as it is shown.
func (o *opened) LeftParts() cut[projections.Part] { return cutAt(o.E.NotCounted, maxOpened) }

// ShownRecords are the records behind the number, as far as they are shown.
func (o *opened) ShownRecords() cut[projections.Told] { return cutAt(o.E.Records, maxOpened) }

// LiveAddress is where the server tells when the coverage that is shown changes.
func (c *coverage) LiveAddress() string {
	return web.Root + "/coverage/events?" + c.only("operation", "on", "rung", "without",
		"without_conditional", "without_caveated", "discharge").Encode()
}

// OpenLine is the address of what is behind a cell of a line.
func (c *coverage) OpenLine(l matrixLine, one cell) any {
	return c.Here("open", string(l.Operation)+"/"+string(l.Line), "at", one.On, "holds", "")
}

// OpenSum is the address of what is behind a sum of a nation's strength.
func (c *coverage) OpenSum(r projections.StrengthRow) any {
	return c.Here("holds", string(r.Operation)+"/"+string(r.Nation)+"/"+string(r.Role), "at",
		r.Day, "open", "")
}

// Close is the address of the page with nothing opened.
func (o *opened) Close() any { return o.Here("open", "", "holds", "", "at", "") }

// IsOpen reports whether it is the cell that is open.
func (c *coverage) IsOpen(l matrixLine, one cell) bool {
	return c.Get("open") == string(l.Operation)+"/"+string(l.Line) &&
		(c.Get("at") == one.On.String() || c.Get("at") == "" && one.On == c.Basis.On)
}
