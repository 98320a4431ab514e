package projections

import (
	"context"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A Step is how far apart the points of a time line are.
type Step string

// The steps.
const (
	ByChange Step = "change" // at the dates where something changes
	ByDay    Step = "day"
	ByWeek   Step = "week" // from Monday to Sunday (ISO 8601)
	ByMonth  Step = "month"
)

// Steps returns all steps.
func Steps() []Step { return []Step{ByChange, ByDay, ByWeek, ByMonth} }

// MaxTimeline is the most days that a time line covers: 20 years.
const MaxTimeline = 20*365 + 5

// A TimelineFilter says which lines, and which days.
type TimelineFilter struct {
	Operation events.Operation
	Role      events.Role
	Line      events.Line
	// Days are those covered, both ends included.
	Days events.Window
	Step Step
}

// A TimelinePoint is how far a line is met from one day on, up to the next point. Its numbers are
// those of its worst day: of the days on which the line is in force, the first on which most of it
// is missing, or, where nothing is missing on any, the first on which its supply is lowest.
type TimelinePoint struct {
	From  events.Date `json:"from"`
	Until events.Date `json:"until"`
	// InForce reports whether the line is in force on any of these days. Where it is not, all that
	// follows is absent.
	InForce  bool            `json:"in_force"`
	Day      events.Date     `json:"day,omitzero"` // of which the numbers tell
	Required events.Quantity `json:"required,omitzero"`
	Supply   events.Quantity `json:"supply,omitzero"` // from the rung asked up
	Gap      events.Quantity `json:"gap,omitzero"`
	Fill     *int            `json:"fill,omitempty"` // percent
	// Rungs are the supply from each rung up, from the lowest rung.
	Rungs []events.Quantity `json:"rungs,omitempty"`
	// Unknown is how many pledges would be supply, and have not said of how much.
	Unknown int `json:"unknown,omitzero"`
	// OnTop is how much may come on top of Supply, and OnTopOpen how many pledges have not said how
	// much more they may be: see [LineCoverage].
	OnTop     events.Quantity `json:"on_top,omitzero"`
	OnTopOpen int             `json:"on_top_open,omitzero"`
	// Waiting is how much fits the line and waits for an allocation, and WaitingUnknown how many of
	// such pledges have not said of how much: see [LineCoverage].
	Waiting        events.Quantity `json:"waiting,omitzero"`
	WaitingUnknown int             `json:"waiting_unknown,omitzero"`
}

// A LineTimeline is how far one line is met over time.
type LineTimeline struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Unit      events.Unit      `json:"unit"`
	// Priority and Essential are those of the first of these days on which it is in force.
	Priority  int             `json:"priority,omitzero"`
	Essential bool            `json:"essential,omitzero"`
	Points    []TimelinePoint `json:"points"`
}

// A Timeline is how far requirements are met over time, as known at one moment.
type Timeline struct {
	Basis
	From      events.Date    `json:"from"`
	Until     events.Date    `json:"until"`
	Step      Step           `json:"step"`
	Lines     []LineTimeline `json:"lines"`
	HandOvers []HandOver     `json:"hand_overs"`
}

// Timeline answers what [Picture.Coverage] answers for every day of a window at once: for each line
// that is in force on any of them. The date of m plays no part.
func (p *Picture) Timeline(ctx context.Context, m Moment, f TimelineFilter) (Timeline, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Timeline{}, err
	}
	if err := checkDays(f.Days); err != nil {
		return Timeline{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Timeline{}, err
	}
	b.On, b.Until = f.Days.From, 0
	t := Timeline{Basis: b, From: f.Days.From, Until: f.Days.Until, Step: f.Step,
		Lines: []LineTimeline{}, HandOvers: []HandOver{}}
	c := p.newCourse(&b, stretch{f.Days.From, f.Days.Until}, chosen, f.Role)
	p.eachStretch(&b, c.place)
	c.match()
	for i := range c.lines {
		if l := &c.lines[i]; f.Line == "" || f.Line == l.Line {
			t.Lines = append(t.Lines, LineTimeline{l.Operation, l.Line, l.Role, l.Area, l.Unit,
				l.Priority, l.Essential, l.points(c, f.Step)})
		}
	}
	t.HandOvers = p.handOvers(&b, chosen, f, c)
	return t, p.meter.err()
}

// checkDays refuses days that end before they begin, and too many.
func checkDays(w events.Window) error {
	var message phrase.Phrase
	switch {
	case w.Until < w.From:
		message = phrase.Of("lies before the first day, %s", w.From)
	case daysBetween(w.From, w.Until) >= MaxTimeline:
		message = phrase.Of("lies more than 20 years after the first day: ask for less")
	default:
		return nil
	}
	return problem.OfField(problem.Invalid,
		problem.FieldSaid("until", w.Until.String(), message))
}

// edges calls do with each date on which the line may begin, change or end.
func (l *line) edges(asOf uint64, do func(events.Date)) {
	for _, t := range l.now().terms.known(asOf) {
		do(t.effective)
		do(t.what.From)
		if t.what.Until != 0 {
			do(t.what.Until.AddDays(1))
		}
	}
	for _, end := range l.now().cancelled.known(asOf) {
		do(end.effective)
	}
}

// points tells a line's days, joined into steps.
func (l *lineCourse) points(c *course, step Step) []TimelinePoint {
	points := []TimelinePoint{}
	for at, from := 0, c.days.from; from <= c.days.until; {
		for l.segments[at].until < from {
			at++
		}
		days := stretch{from, min(step.last(from), c.days.until)}
		if step == ByChange {
			days.until = l.segments[at].until
		}
		if !c.p.meter.spend(1) || !c.p.meter.keep(pointSize) {
			break
		}
		points = append(points, l.point(c.basis.Rung, days, at))
		from = dayAfter(days.until)
	}
	return points
}

// pointSize is about how many bytes a point takes, with its rungs and as it is written.
const pointSize = 512

// last returns the last day of the step that a day lies in.
func (s Step) last(d events.Date) events.Date {
	switch s {
	case ByWeek:
		return monday(d).AddDays(6)
	case ByMonth:
		return dayBefore((d/100*100+1).AddDays(31)/100*100 + 1)
	}
	return d
}

// monday returns the first day of a date's week.
func monday(d events.Date) events.Date { return d.AddDays(-(int(d.Time().Weekday()+6) % 7)) }

// point tells some days of a line, of which the segment from is the first.
func (l *lineCourse) point(rung Rung, days stretch, from int) TimelinePoint {
	pt := TimelinePoint{From: days.from, Until: days.until}
	worst, on := l.worst(rung, days, from)
	if worst == nil {
		return pt
	}
	supply, required := worst.supply.supplies(), worst.required
	now, fill := supply[rung], percent(supply[rung], required)
	pt.InForce, pt.Day, pt.Fill = true, on, &fill
	pt.Required, pt.Supply, pt.Gap = l.Unit.Of(required), l.Unit.Of(now),
		l.Unit.Of(max(0, required-now))
	for _, r := range Rungs() {
		pt.Rungs = append(pt.Rungs, l.Unit.Of(supply[r]))
	}
	pt.Unknown = int(worst.supply[ofUnknown].number())
	if more := worst.supply[ofOnTop].number(); more > 0 {
		pt.OnTop = l.Unit.Of(more)
	}
	pt.OnTopOpen = int(worst.supply[ofOpen].number())
	pt.Waiting, pt.WaitingUnknown = l.Unit.Of(worst.waiting.number), worst.waiting.unknown
	return pt
}
