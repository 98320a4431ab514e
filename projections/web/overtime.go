package web

import (
	"cmp"
	"context"
	"fmt"

	"muster/events"
	"muster/events/english"
	"muster/projections"
	"muster/projections/web/tabular"
)

// This file has the questions about what is missing, and when.

// GapsQuery asks which requirements are not met.
type GapsQuery struct {
	MomentQuery
	Rung      projections.Rung
	Operation events.Operation
	Role      events.Role
}

func (q *GapsQuery) read(p *parameters) {
	q.MomentQuery.readOpening(p)
	q.Rung, q.Operation, q.Role = p.rung(), p.operation(), p.role()
	q.opening(q.Operation)
}

// Gaps answers which requirements are not met, the most urgent first.
func (s *Service) Gaps(ctx context.Context, q *GapsQuery) (a projections.Gaps, err error) {
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung,
		projections.Filter{Operation: q.Operation, Role: q.Role},
		func(p *projections.Picture, m projections.Moment) (err error) {
			a, err = p.Gaps(ctx, m,
				projections.CoverageFilter{Operation: q.Operation, Role: q.Role})
			return err
		})
}

// GapsTable has a row for each gap.
func GapsTable(a projections.Gaps) Table {
	t := Table{Basis: &a.Basis, Head: []string{"rank", "operation", "requirement", "role", "area",
		"priority", "essential", "missing", "required", "supply", "unit", "fill",
		"short from", "short until", "who", "what could fill it", "waiting"},
		Wide: []string{"waiting", "operation", "role", "supply", "essential", "short until",
			"who", "area", "days short", "what could fill it", "unit"}}
	t.days()
	if a.IsRange() {
		t.Head = append(t.Head, "first short", "days short")
	}
	t.Above = []string{fmt.Sprintf(
		"Requirements that are not met, essential ones first, then by priority, %s.", a.Basis), ""}
	for _, g := range a.Gaps {
		cells := []string{number(g.Rank), string(g.Operation), string(g.Line), string(g.Role),
			string(g.Area), number(g.Priority), yes(g.Essential), g.Missing.String(),
			g.Required.String(), g.Supply.String(), string(g.Unit), fmt.Sprintf("%d%%", g.Fill),
			g.From.String(), g.Until.String(), who(g.Who, g.UnknownBy),
			could(g.Could, tops(g.OnTop, g.OnTopOpen, plain)), orNone(g.Waiting)}
		if a.IsRange() {
			cells = append(cells, g.First.String(), number(g.Days))
		}
		t.AddOn(g.Day, g, cells...)
	}
	switch {
	case a.InForce == 0:
		t.Below = []string{noneInForce(a.Basis, a.Next)}
	case len(a.Gaps) == 0:
		t.Below = []string{"Every requirement in force " + onDays(a.Basis) + " is met."}
	}
	return t
}

// could says what could fill a gap: pledges that are not counted, and what may come on top.
func could(all []projections.NotCounted, onTop []string) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = fmt.Sprintf("%s %s (%s)", n.Nation, n.Quantity, n.Reason)
	}
	if len(words) > 0 {
		onTop = append([]string{joined(words, ", ")}, onTop...)
	}
	return joined(onTop, "; ")
}

// TimelineQuery asks how requirements are met over time.
type TimelineQuery struct {
	MomentQuery
	Rung   projections.Rung
	Filter projections.TimelineFilter
}

func (q *TimelineQuery) read(p *parameters) {
	q.AsOf = p.asOf()
	q.On, q.Until = p.days("on",
		"The days, such as 2026-01-01..2026-12-31, 2027-06 or today..+90d, or the first of "+
			"them; today is always today.")
	q.Today = p.passes("on")
	q.MinSeq = p.minSeq()
	q.WhatIf = p.whatIf()
	q.Rung = p.rung()
	q.Filter.Operation, q.Filter.Role = p.operation(), p.role()
	q.Filter.Line = p.line("line", "Only this requirement.")
	q.openingOf(q.Filter.Operation, q.Filter.Line)
	q.Filter.Days.From = cmp.Or(p.date("from",
		"The first day; without it, that of on; else today, or, with as_of, the day of its last "+
			"record; and where nothing has begun by then, the first day of what begins."), q.On)
	q.Filter.Days.Until =
		cmp.Or(p.date("until",
			"The last day, at most 20 years later; without it, that of on, or a year after the "+
				"first."), q.Until)
	q.Filter.Step = projections.Step(p.oneOf("step",
		"How far apart the points are; without it, at the dates where something changes.",
		words(projections.Steps())))
}

// Timeline answers how requirements are met over time.
func (s *Service) Timeline(ctx context.Context,
	q *TimelineQuery) (a projections.Timeline, err error) {
	f := q.Filter
	if f.Step == "" {
		f.Step = projections.ByChange
	}
	return a, s.lookOf(ctx, q.MomentQuery, q.Rung,
		projections.Filter{Operation: f.Operation, Role: f.Role},
		func(p *projections.Picture, m projections.Moment) (err error) {
			if f.Days, err = q.days(p, m); err != nil {
				return err
			}
			if m.On != f.Days.From {
				m.Beginning, m.NotBegun = "", ""
			}
			a, err = p.Timeline(ctx, m, f)
			return err
		})
}

// days returns the days to answer for: a year from the date on that any question is about, unless
// it says otherwise.
func (q *TimelineQuery) days(p *projections.Picture, m projections.Moment) (events.Window, error) {
	d := q.Filter.Days
	b, err := p.Basis(m)
	if d.From == 0 {
		d.From = b.On
	}
	if d.Until == 0 {
		d.Until = d.From.AddDays(365)
	}
	return d, err
}

// TimelineTable has a row for each point of each line; the hand-overs between rotations stand
// beside.
func TimelineTable(a projections.Timeline) Table {
	b := a.Basis
	b.On, b.Until = 0, 0
	t := Table{Basis: &a.Basis, Head: []string{"operation", "requirement", "role", "from", "until",
		"required", "supply", "gap", "unit", "fill", "worst day",
		"indicated", "offered", "accepted", "confirmed", "deployed", "of unknown size", "waiting",
		"waiting of unknown size", "may come on top", "with no upper limit"},
		Wide: []string{"with no upper limit", "may come on top", "waiting of unknown size",
			"of unknown size", "waiting", "indicated", "offered", "accepted", "confirmed",
			"deployed", "worst day", "operation", "role", "unit", "fill"},
		Kinds: map[string]tabular.Kind{"required": tabular.Mixed}} // where it is not in force
	t.Above = []string{fmt.Sprintf("Requirements over time, %s to %s, by %s, %s.", a.From, a.Until,
		a.Step, b), ""}
	for _, l := range a.Lines {
		for _, pt := range l.Points {
			t.Add(timelineRow{l.Operation, l.Line, l.Role, l.Unit, pt}, pointCells(&l, &pt)...)
		}
	}
	if len(a.Lines) == 0 {
		t.Below = []string{"No requirement is in force in these days."}
	}
	overs := handOvers(a.HandOvers)
	overs.Above = []string{"Hand-overs between rotations:"}
	if len(overs.Rows) > 0 {
		t.Beside = []Table{overs}
	}
	return t
}

// handOvers has a row for each hand-over.
func handOvers(all []projections.HandOver) Table {
	t := Table{Head: []string{"operation", "role", "quantity", "unit", "from", "ends", "to",
		"begins", "days between", "pledge", "relieved by"}}
	for _, h := range all {
		t.Add(h, string(h.Operation), string(h.Role), h.Quantity.String(), string(h.Unit),
			string(h.FromBy), h.Ends.String(), string(h.ToBy), h.Begins.String(),
			number(h.Days), h.From.String(), h.To.String())
	}
	return t
}

// RotationsTable has a row for each hand-over of a time line.
func RotationsTable(a projections.Timeline) Table {
	t := handOvers(a.HandOvers)
	b := a.Basis
	b.On, b.Until = 0, 0
	t.Basis = &a.Basis
	t.Above = []string{fmt.Sprintf("Hand-overs between rotations, %s to %s, %s.", a.From, a.Until,
		b), ""}
	if len(a.HandOvers) == 0 {
		t.Below = []string{"There is none in these days."}
	}
	return t
}

// pointCells are the cells of a point; there are no numbers where the line is not in force.
func pointCells(l *projections.LineTimeline, pt *projections.TimelinePoint) []string {
	cells := []string{string(l.Operation), string(l.Line), string(l.Role), pt.From.String(),
		pt.Until.String()}
	if !pt.InForce {
		off := []string{"not in force", "", "", string(l.Unit), "", ""}
		return append(append(cells, off...), make([]string, len(projections.Rungs())+5)...)
	}
	cells = append(cells, pt.Required.String(), pt.Supply.String(), pt.Gap.String(), string(l.Unit),
		fmt.Sprintf("%d%%", *pt.Fill), pt.Day.String())
	for _, n := range pt.Rungs {
		cells = append(cells, n.String())
	}
	return append(cells, severalOrNone(pt.Unknown), orNone(pt.Waiting),
		severalOrNone(pt.WaitingUnknown), orNone(pt.OnTop), severalOrNone(pt.OnTopOpen))
}

// severalOrNone writes how many pledges there are, and nothing for none.
func severalOrNone(pledges int) string {
	if pledges == 0 {
		return ""
	}
	return english.Several(pledges, "pledge")
}

// A timelineRow is a point of a line as programs read it: one flat row.
type timelineRow struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Unit      events.Unit      `json:"unit"`
	projections.TimelinePoint
}
