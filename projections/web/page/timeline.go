package page

import (
	"cmp"
	"slices"
	"strings"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// An overTime is the page of time lines: how requirements are met over time, each in a chart with
// the same figures in a table beside it, and the hand-overs between rotations.
type overTime struct {
	*frame
	Days  days // those shown
	Step  projections.Step
	Lines []lineOverTime
	// More is how many lines there are that are not shown.
	More      int
	HandOvers []projections.HandOver
	// LineNames and Roles are what one can choose from.
	LineNames []events.Line
	Roles     []events.Role
	// CSV and JSON are where all rows are, and all hand-overs.
	CSV, JSON string
	// order is the places of requirements in the list that one can choose from, and areas where the
	// pledges of rotations are.
	order map[web.LineName]int
	areas map[events.ID]events.Area
}

// A lineOverTime is one requirement: its chart and its table.
type lineOverTime struct {
	projections.LineTimeline
	Chart *chart
	Rows  []projections.TimelinePoint
	// Left is how many rows the table leaves out; the CSV has them.
	Left int
}

// What one page shows at most: more charts, or longer tables, nobody reads, and the CSV has them.
// Of a long ledger each chart has hundreds of points, and there are fewer of them.
const (
	maxCharts = 30
	maxPoints = 6000
	maxRows   = 200 // of one table
	minRows   = 24  // two years of months
	allRows   = 600 // of all tables
)

// timeline answers the page of time lines.
func (p *Pages) timeline(f *frame) (any, error) {
	o := &overTime{frame: f, Step: cmp.Or(projections.Step(f.Get("step")), projections.ByChange)}
	if err := f.readBasis(); err != nil {
		return nil, err
	}
	b := f.Basis
	from, until := o.wanted(&b)
	pairs := []any{"on", "", "from", from, "until", until, "step", ""}
	t, err := ask(f, web.Read[web.TimelineQuery], f.service.Timeline, pairs...)
	if err != nil {
		return nil, err
	}
	told := t
	told.Lines = slices.Clone(t.Lines)
	if o.Step != projections.ByChange {
		pairs[len(pairs)-1] = o.Step
		if told, err = ask(f, web.Read[web.TimelineQuery], f.service.Timeline,
			pairs...); err != nil {
			return nil, err
		}
	}
	o.Days, o.HandOvers = days{t.From, t.Until}, t.HandOvers
	o.CSV = f.csv("timeline", []string{"operation", "role", "line", "as_of", "rung", "without",
		"without_conditional", "without_caveated", "discharge"},
		"from", o.Days.From, "until", o.Days.Until, "step", o.Step)
	o.JSON = strings.Replace(o.CSV, ".csv", "", 1)
	if err := f.service.Projector.View(o.look); err != nil {
		return nil, err
	}
	o.show(&t, &told)
	return o, nil
}

// wanted returns which days are asked for, as the address says or, where it does not, around the
// date looked at.
func (o *overTime) wanted(b *projections.Basis) (from, until string) {
	from, until = o.Get("from"), o.Get("until")
	first, errFirst := events.ParseDate(from)
	last, errLast := events.ParseDate(until)
	if from != "" && errFirst != nil || until != "" && errLast != nil {
		return from, until // what is wrong is told where they are read
	}
	around := daysAround(b)
	switch {
	case from == "" && until == "":
		first, last = around.From, around.Until
	case from == "":
		first = around.endingOn(last).From
	case until == "":
		last = around.beginningOn(first).Until
	}
	return first.String(), last.String()
}

// show makes the charts of the lines of t, and beside each the table of the same line of told, by
// the steps asked.
func (o *overTime) show(t, told *projections.Timeline) {
	height := chartHeight
	if len(t.Lines) > 1 {
		height = lowChart
	}
	o.sort(t.Lines)
	o.sort(told.Lines)
	shown := chartsOf(t.Lines)
	o.More = len(t.Lines) - shown
	rows := rowsOf(told.Lines[:shown])
	for i := range shown {
		l := lineOverTime{LineTimeline: t.Lines[i], Rows: told.Lines[i].Points}
		figures := cutAt(l.Rows, rows)
		l.Rows, l.Left = figures.Shown, figures.More
		l.Chart = o.chart(&t.Lines[i], height)
		o.Lines = append(o.Lines, l)
	}
}

// chartsOf returns of how many lines, the first, the page has charts.
func chartsOf(lines []projections.LineTimeline) int {
	points := 0
	for i := range lines {
		points += len(lines[i].Points)
		if i == maxCharts || i > 0 && points > maxPoints {
			return i
		}
	}
	return len(lines)
}

// rowsOf returns how many rows the table of each line has at most.
func rowsOf(lines []projections.LineTimeline) int {
	rows := 0
	for i := range lines {
		rows += min(maxRows, len(lines[i].Points))
	}
	if rows <= allRows {
		return maxRows
	}
	return max(minRows, allRows/len(lines))
}

// Overs are the hand-overs, as far as they are shown.
func (o *overTime) Overs() cut[projections.HandOver] { return cutAt(o.HandOvers, maxListed) }

// touches reports whether a rotation may be of the supply of a line: it is of the same operation,
// role and unit and, where both say one, in the same area.
func (o *overTime) touches(h *projections.HandOver, l *projections.LineTimeline) bool {
	area := cmp.Or(o.areas[h.From], o.areas[h.To])
	return h.Operation == l.Operation && h.Role == l.Role && h.Unit == l.Unit &&
		(area == l.Area || area == "" || l.Area == "")
}

// look reads which roles and requirements one can choose from, and where rotations are.
func (o *overTime) look(p *projections.Picture) error {
	m := projections.Moment{AsOf: o.Basis.AsOf, Before: isBefore(o.Basis), On: o.Basis.On}
	all, err := p.Requirements(o.ctx, m,
		projections.Filter{Operation: events.Operation(o.Get("operation"))})
	if err != nil {
		return err
	}
	o.order, o.areas = map[web.LineName]int{}, map[events.ID]events.Area{}
	for i, r := range all.Requirements {
		o.order[web.LineName{Operation: r.Operation, Line: r.Line}] = i
		o.Roles = append(o.Roles, r.Role)
		if role := o.Get("role"); role == "" || role == string(r.Role) {
			o.LineNames = append(o.LineNames, r.Line)
		}
	}
	slices.Sort(o.Roles)
	o.Roles = slices.Compact(o.Roles)
	slices.Sort(o.LineNames)
	o.LineNames = slices.Compact(o.LineNames)
	for _, h := range o.HandOvers {
		for _, id := range []events.ID{h.From, h.To} {
			pl, err := p.Pledge(o.ctx, m, id)
			if err != nil {
				return err
			}
			o.areas[id] = pl.Area
		}
	}
	return nil
}

// sort puts lines into the order of the requirements: by operation, priority and name.
func (o *overTime) sort(lines []projections.LineTimeline) {
	slices.SortStableFunc(lines, func(a, b projections.LineTimeline) int {
		return cmp.Compare(o.order[web.LineName{Operation: a.Operation, Line: a.Line}],
			o.order[web.LineName{Operation: b.Operation, Line: b.Line}])
	})
}

// Steps lists the steps of the tables.
func (o *overTime) Steps() []projections.Step { return projections.Steps() }

// RungNames returns the rungs' names, for the heads of the tables.
func (o *overTime) RungNames() (names []string) {
	for _, r := range o.Rungs() {
		names = append(names, r.String())
	}
	return names
}

// StateOf says how far a line is met at a point, as the matrix does.
func (o *overTime) StateOf(pt projections.TimelinePoint) cell {
	return cellOf(pt.Required, numbersOf(&pt))
}

// Within returns the day of which a point tells, where it is not its first.
func (o *overTime) Within(pt projections.TimelinePoint) (d events.Date) {
	if pt.InForce && pt.Day != pt.From {
		return pt.Day
	}
	return d
}

// RungCells are the supply from each rung up at a point, nothing where the line is not in force.
func (o *overTime) RungCells(pt projections.TimelinePoint) []events.Quantity {
	if !pt.InForce {
		return make([]events.Quantity, len(o.Rungs()))
	}
	return pt.Rungs
}

// A move is a link that shows other days.
type move struct {
	Way     string
	Address any // nil where there is nothing more that way
}

// Moves are the links that show earlier days, later ones, fewer and more.
func (o *overTime) Moves() []move {
	d := o.Days
	all := []move{{"earlier", nil}, {"later", nil}, {"in", nil}, {"out", nil}}
	for i, to := range []days{d.shifted(-1), d.shifted(1), d.zoomed(true), d.zoomed(false)} {
		if to != d {
			all[i].Address = o.Here("from", to.From, "until", to.Until)
		}
	}
	return all
}

// Between says of a rotation how many days lie between, in words and as a state of the matrix.
func (o *overTime) Between(h projections.HandOver) between {
	switch {
	case h.Days > 0:
		return between{"none", o.Count("timeline.days-between", h.Days)}
	case h.Days < 0:
		return between{"met", o.Count("timeline.days-both", -h.Days)}
	}
	return between{"met", o.T("timeline.no-days")}
}

// A between is what lies between the forces that are relieved and those that relieve them.
type between struct{ State, Words string }

// A shownOver is a line with the page around it, for its templates.
type shownOver struct {
	F *overTime
	L lineOverTime
}

// Show shows a line.
func (o *overTime) Show(l lineOverTime) shownOver { return shownOver{o, l} }

// A shownPoint is a row of a line's table.
type shownPoint struct {
	F *overTime
	L lineOverTime
	P projections.TimelinePoint
}

// At shows a point of a line.
func (o *overTime) At(l lineOverTime, pt projections.TimelinePoint) shownPoint {
	return shownPoint{o, l, pt}
}
