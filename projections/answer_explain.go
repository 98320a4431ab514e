package projections

import (
	"cmp"
	"context"
	"slices"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// OtherLine is the reason for which a pledge is no supply of a requirement that is explained: it is
// supply of another.
const OtherLine Reason = "other-line"

// A Part is what one pledge has to do with a number: how much of it, or why nothing.
type Part struct {
	Pledge    events.ID        `json:"pledge"`
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation"`
	Role      events.Role      `json:"role"`
	Rung      Rung             `json:"rung"`
	State     State            `json:"state"`
	Place
}

// An Explanation is what is behind a number: of a requirement's coverage, or of a sum of strength.
type Explanation struct {
	Basis
	// Requirement is the line that is explained, with its numbers; absent for a sum.
	Requirement *LineCoverage `json:"requirement,omitempty"`
	// Sums are the numbers that are explained, one for each unit; for a requirement, its supply.
	Sums []Sum `json:"sums"`
	// Parts are what the numbers are made of, by nation and ID. Those of a unit add up to its sum.
	Parts []Part `json:"parts"`
	// NotCounted was considered, and has no part in the numbers.
	NotCounted []Part `json:"not_counted"`
	// Records are those behind the numbers, in order.
	Records []Told `json:"records"`
}

// A Sum is a number in its unit.
type Sum struct {
	Quantity events.Quantity `json:"quantity"`
	Unit     events.Unit     `json:"unit"`
	// Of a range, of which all that is in this unit tells.
	Day events.Date `json:"day,omitzero"`
}

// ExplainCoverage tells what a requirement's supply is made of, and which pledges for its role are
// no part of it. The operation may be left out where only one has a requirement of that name. Of a
// range, it explains the day of which [Picture.Coverage] tells, or, where the requirement is not in
// force on any, the last.
func (p *Picture) ExplainCoverage(ctx context.Context, m Moment, o events.Operation,
	name events.Line) (Explanation, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Explanation{}, err
	}
	l, err := p.lineNamed(b.AsOf, o, name)
	if err != nil {
		return Explanation{}, err
	}
	if b.IsRange() {
		return p.explainRange(ctx, b, l)
	}
	v, err := p.view(b, CoverageFilter{Operation: l.operation})
	if err != nil {
		return Explanation{}, err
	}
	q, _ := l.at(b)
	e := newExplanation(b)
	e.addLine(p, l)
	for pl := range p.operations[l.operation].now().pledges.all() {
		if !p.meter.spend(foldCost) {
			break
		}
		if pl.isKnown(b.AsOf) {
			e.consider(p, v, pl, &q)
		}
	}
	c, err := p.Coverage(ctx, b.Moment(), CoverageFilter{Operation: l.operation, Brief: true})
	if err != nil {
		return Explanation{}, err
	}
	e.Requirement = &LineCoverage{Requirement: q, Supply: q.Unit.Of(0), Gap: q.Unit.Of(0),
		Conditional: q.Unit.Of(0), Caveated: q.Unit.Of(0), Waiting: q.Unit.Of(0),
		Rungs: []RungCoverage{}, Who: []Share{}}
	if at := slices.IndexFunc(c.Lines,
		func(one LineCoverage) bool { return one.Line == name }); at >= 0 {
		e.Requirement = &c.Lines[at]
	}
	e.Sums = append(e.Sums, Sum{e.Requirement.Supply, q.Unit, 0})
	return e.sorted(), p.meter.err()
}

// explainRange explains a requirement on its day of a range.
func (p *Picture) explainRange(ctx context.Context, b Basis, l *line) (Explanation, error) {
	c, err := p.Coverage(ctx, b.Moment(), CoverageFilter{Operation: l.operation, Brief: true})
	if err != nil {
		return Explanation{}, err
	}
	day := b.Until
	if at := slices.IndexFunc(c.Lines,
		func(one LineCoverage) bool { return one.Line == l.name }); at >= 0 {
		day = c.Lines[at].Day
	}
	e, err := p.ExplainCoverage(ctx, b.onDay(day).Moment(), l.operation, l.name)
	if err != nil {
		return e, err
	}
	e.Basis, e.Requirement.Day, e.Sums[0].Day = b, day, day
	return e, nil
}

func newExplanation(b Basis) *Explanation {
	return &Explanation{Basis: b, Sums: []Sum{}, Parts: []Part{}, NotCounted: []Part{},
		Records: []Told{}}
}

func (e *Explanation) sorted() Explanation {
	for _, parts := range [][]Part{e.Parts, e.NotCounted} {
		slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(a.Nation, b.Nation) })
	}
	slices.SortStableFunc(e.Records, bySequence)
	e.Records = slices.CompactFunc(e.Records, func(a, b Told) bool {
		return a.Sequence == b.Sequence && a.Pledge == b.Pledge
	})
	return *e
}

// addLine tells the records that made the requirement what it is.
func (e *Explanation) addLine(p *Picture, l *line) {
	for seq := range (&side{p: p, basis: e.Basis}).said(l.operation, l.name) {
		e.Records = append(e.Records, p.tellLine(l, seq))
	}
}

// lineNamed finds a requirement by its name.
func (p *Picture) lineNamed(asOf uint64, o events.Operation, name events.Line) (*line, error) {
	chosen, err := p.chosen(asOf, o)
	if err != nil {
		return nil, err
	}
	var found []*line
	var others []string
	for _, one := range chosen {
		all := one.now()
		for _, other := range all.lineNames {
			if l := all.lines[other]; len(l.now().terms.known(asOf)) == 0 {
				continue
			} else if other == name {
				found = append(found, l)
			} else {
				others = append(others, string(other))
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, problem.New(problem.Usage, "%d operations have a requirement %s", len(found),
			name).WithHint("say of which operation: --operation %s", found[0].operation)
	case len(others) == 0:
		return nil, problem.New(problem.NotFound, "there is no requirement %s", name).
			WithHint("no requirement was issued yet")
	}
	return nil, problem.New(problem.NotFound, "there is no requirement %s", name).
		WithHint("%s", ThereIs(others))
}

// consider adds what a pledge has to do with a requirement.
func (e *Explanation) consider(p *Picture, v *viewer, pl *pledge, q *Requirement) {
	for _, at := range v.places(pl) {
		p.meter.hold(1, answerRow)
		s := v.now
		if !s.begun {
			s = pl.beginning(e.AsOf)
		}
		one := Part{Pledge: pl.id, Operation: pl.operation.name, Nation: pl.nation,
			Role: s.terms.role, Rung: s.rung, State: v.now.state(), Place: at}
		switch {
		case at.Line == q.Line:
			e.Parts = append(e.Parts, one)
			e.Records = append(e.Records, p.tellAll(pl, slices.Clone(at.Sequences))...)
		case slices.Contains(at.Lines, q.Line) || s.terms.role == q.Role:
			if at.Line != "" {
				one.Reason, one.Lines = OtherLine, []events.Line{at.Line}
				one.Line, one.By = "", ""
			}
			e.NotCounted = append(e.NotCounted, one)
		}
	}
}

// ExplainStrength tells what the sums of [Picture.Strength] for a filter are made of, and what is
// no part of them. Of a range, the sum of each unit, and all that is in this unit, is explained on
// the day on which it is lowest.
func (p *Picture) ExplainStrength(ctx context.Context, m Moment, f Filter) (Explanation, error) {
	p = p.metered(ctx)
	totals, err := p.Strength(ctx, m, f, nil)
	if err != nil {
		return Explanation{}, err
	}
	chosen, err := p.chosen(totals.AsOf, f.Operation)
	if err != nil {
		return Explanation{}, err
	}
	e := newExplanation(totals.Basis)
	for _, row := range totals.Totals {
		e.Sums = append(e.Sums, Sum{row.Quantity, row.Unit, row.Day})
	}
	e.sumUpAll(p, chosen, f)
	return e.sorted(), p.meter.err()
}

// sumUpAll adds what the pledges of some operations have to do with the sums: of a range, those of
// each unit on its day.
func (e *Explanation) sumUpAll(p *Picture, chosen []*operation, f Filter) {
	days := []Sum{{}} // one of no unit, which is for all
	if e.IsRange() {
		days = e.Sums
	}
	for _, of := range days {
		b := e.Basis.onDay(max(of.Day, e.On))
		v := &viewer{tally: p.newTally(nil, b, CoverageFilter{Operation: f.Operation})}
		for _, o := range chosen {
			for pl := range o.now().pledges.all() {
				if !p.meter.spend(foldCost) {
					break
				}
				if pl.isKnown(b.AsOf) && f.nation(pl.nation) {
					e.sumUp(p, v, pl, f.Role, of.Unit)
				}
			}
		}
	}
}

// sumUp adds what a pledge has to do with a sum of a unit, or of any.
func (e *Explanation) sumUp(p *Picture, v *viewer, pl *pledge, role events.Role, unit events.Unit) {
	v.now = v.standing(pl, &v.room)
	s, away := v.now, v.absent(pl)
	if !s.begun {
		s = pl.beginning(e.AsOf)
	}
	a, reported := s.amount(e.Rung)
	if role != "" && role != s.terms.role || unit != "" && unit != a.unit {
		return
	}
	sure, known := a.sure()
	one := Part{Pledge: pl.id, Operation: pl.operation.name, Nation: pl.nation, Role: s.terms.role,
		Rung: s.rung, State: v.now.state(),
		Place: Place{Quantity: a.quantity, Unit: a.unit,
			Sequences: s.appendSequences(nil, reported)}}
	switch {
	case away != "":
		one.Place = v.away(pl, away)
	case s.rung < e.Rung:
		one.Reason = BelowRung
	case holding(s.conditions, Failed):
		one.Reason = ConditionFailed
	case s.inReserve():
		one.Reason = InReserve
	case !known:
		one.Reason = UnknownQuantity
	default:
		one.Quantity = a.unit.Of(sure)
		one.Place = one.saying(phrase.Of("%s %s %s since %s.", a.measure(), a.does("are"),
			s.rung.Phrase(), s.rungOn).Capital())
		e.Parts = append(e.Parts, one)
		e.Records = append(e.Records, p.tellAll(pl, slices.Clone(one.Sequences))...)
		return
	}
	if one.Sentence == "" {
		n := NotCounted{Nation: pl.nation, Role: s.terms.role, Area: s.terms.area,
			MeantFor: s.terms.line, Quantity: a.quantity, Unit: a.unit, Rung: s.rung,
			Reason: one.Reason}
		one.Place = one.saying(v.sentence(&n, s))
	}
	e.NotCounted = append(e.NotCounted, one)
}
