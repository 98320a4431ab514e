package projections

import (
	"context"
	"slices"

	"muster/events"
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

// A TimelinePoint is how far a line is met from one day on, up to the next point. Its numbers are those of its worst day:
// of the days on which the line is in force, the first on which most of it is missing, or, where nothing is missing on
// any, the first on which its supply is lowest.
type TimelinePoint struct {
	From  events.Date `json:"from"`
	Until events.Date `json:"until"`
	// InForce reports whether the line is in force on any of these days. Where it is not, all that follows is absent.
	InForce  bool            `json:"in_force"`
	Day      events.Date     `json:"day,omitzero"` // of which the numbers tell
	Required events.Quantity `json:"required,omitzero"`
	Supply   events.Quantity `json:"supply,omitzero"` // from the rung asked up
	Gap      events.Quantity `json:"gap,omitzero"`
	Fill     *int            `json:"fill,omitempty"` // percent
	// Rungs are the supply from each rung up, from the lowest rung.
	Rungs []events.Quantity `json:"rungs,omitempty"`
}

// A LineTimeline is how far one line is met over time.
type LineTimeline struct {
	Operation events.Operation `json:"operation"`
	Line      events.Line      `json:"line"`
	Role      events.Role      `json:"role"`
	Area      events.Area      `json:"area,omitzero"`
	Unit      events.Unit      `json:"unit"`
	Points    []TimelinePoint  `json:"points"`
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

// Timeline answers what [Picture.Coverage] answers for every day of a window at once: for each line that is in force on any of them.
// The date of m plays no part.
func (p *Picture) Timeline(ctx context.Context, m Moment, f TimelineFilter) (Timeline, error) {
	p = p.metered(ctx)
	b, err := p.basisAtRung(m)
	if err != nil {
		return Timeline{}, err
	}
	s, err := newSpan(f.Days)
	if err != nil {
		return Timeline{}, err
	}
	chosen, err := p.chosen(b.AsOf, f.Operation)
	if err != nil {
		return Timeline{}, err
	}
	b.On, b.Until = f.Days.From, 0
	t := Timeline{Basis: b, From: f.Days.From, Until: f.Days.Until, Step: f.Step, Lines: []LineTimeline{}, HandOvers: []HandOver{}}
	c := p.newCourse(&b, s, chosen, f)
	p.eachStretch(&b, c.place)
	c.settle()
	for i := range c.lines {
		if l := &c.lines[i]; f.Line == "" || f.Line == l.Line {
			t.Lines = append(t.Lines, LineTimeline{l.Operation, l.Line, l.Role, l.Area, l.Unit, l.points(&c, f.Step)})
		}
	}
	t.HandOvers = p.handOvers(&b, chosen, f, &c)
	return t, p.meter.err()
}

// A span is days one after the other, in runs that are numbered from 0: of one day each in a time line, and in a range as long
// as nothing changes, see [Picture.runs].
type span struct {
	dates  []events.Date // the first of each run
	until  events.Date   // the last of all
	base   events.Date
	number []int32 // of the run of a date, by the date less base, as numbers
}

// at returns the number of the run that a date of the span is in.
func (s *span) at(d events.Date) int {
	switch i := int(d - s.base); {
	case i < 0:
		return 0
	case i >= len(s.number):
		return len(s.dates) - 1
	default:
		return int(s.number[i])
	}
}

// last returns the last day of a run.
func (s *span) last(run int) events.Date {
	if run+1 < len(s.dates) {
		return s.dates[run+1].AddDays(-1)
	}
	return s.until
}

func newSpan(w events.Window) (s span, err error) {
	for d := w.From; d <= w.Until; d = d.AddDays(1) {
		if len(s.dates) == MaxTimeline {
			return s, problem.OfFields([]problem.Field{{Location: "until", Value: w.Until.String(), Message: "lies more than 20 years after the first day: ask for less"}})
		}
		s.dates = append(s.dates, d)
	}
	if len(s.dates) == 0 {
		return s, problem.OfFields([]problem.Field{{Location: "until", Value: w.Until.String(), Message: "lies before the first day, " + w.From.String()}})
	}
	s.until, s.base, s.number = w.Until, w.From, make([]int32, w.Until-w.From+1)
	for i, d := range s.dates {
		s.number[d-w.From] = int32(i)
	}
	return s, nil
}

// days returns the numbers of the first run of a stretch and of the one behind its last, within the span.
func (s *span) days(of stretch) (from, to int) {
	first, last := s.dates[0], s.until
	if of.from > last || of.until < first {
		return 0, 0
	}
	if of.from > first {
		from = s.at(of.from)
	}
	to = len(s.dates)
	if of.until < last {
		to = s.at(of.until) + 1
	}
	return from, to
}

// A course sums what is there on each day of a span: by kind, and by line what is allocated.
type course struct {
	span
	p      *Picture
	basis  *Basis
	wanted []bool     // kinds, by number
	kinds  [][]change // by the number of the kind
	lines  []lineCourse
	of     map[*line]int
	phases []phase
}

// A change is by how much the supply of each exact rung changes on a day; summed up, what it is.
type change [Deployed + 1]total

type lineCourse struct {
	Requirement
	required []int64  // by day, -1 while the line is not in force
	shares   []change // what is allocated, by day
	supply   []change // by day
}

// A phase is a run of days in which the same lines are in force with the same terms.
type phase struct {
	from, to int
	inForce  []Requirement
	matcher  *matcher // of those in force
}

func (p *Picture) newCourse(b *Basis, s span, chosen []*operation, f TimelineFilter) course {
	c := course{span: s, p: p, basis: b, wanted: make([]bool, len(p.kinds.names)), kinds: make([][]change, len(p.kinds.names)), of: map[*line]int{}}
	for i, k := range p.kinds.names {
		c.wanted[i] = slices.Contains(chosen, k.operation) && (f.Role == "" || f.Role == k.role)
	}
	c.phases = phases(b, s, chosen, f.Role)
	for _, ph := range c.phases {
		for _, q := range ph.inForce {
			l := c.line(p.operations[q.Operation].now().lines[q.Line], q)
			required, _ := q.Required.Number()
			for day := ph.from; day < ph.to; day++ {
				l.required[day] = required
			}
		}
	}
	return c
}

// line returns the course of a line, new if need be.
func (c *course) line(of *line, q Requirement) *lineCourse {
	at, ok := c.of[of]
	if !ok {
		at = len(c.lines)
		c.of[of] = at
		l := lineCourse{Requirement: q, required: make([]int64, len(c.dates)), shares: make([]change, len(c.dates)+1), supply: make([]change, len(c.dates))}
		for day := range l.required {
			l.required[day] = -1
		}
		c.lines = append(c.lines, l)
	}
	return &c.lines[at]
}

// phases cuts a span wherever a requirement may begin, change or end.
func phases(b *Basis, s span, chosen []*operation, role events.Role) []phase {
	cuts := []int{0, len(s.dates)}
	cut := func(d events.Date) {
		if d > s.dates[0] && d <= s.until {
			cuts = append(cuts, s.at(d))
		}
	}
	for _, o := range chosen {
		all := o.now()
		for _, name := range all.lineNames {
			all.lines[name].edges(b.AsOf, cut)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var all []phase
	for i := range len(cuts) - 1 {
		ph := phase{from: cuts[i], to: cuts[i+1]}
		at := *b
		at.On = s.dates[ph.from]
		for _, o := range chosen {
			ph.inForce = append(ph.inForce, o.inForce(at, role)...)
		}
		ph.matcher = newMatcher()
		for i := range ph.inForce {
			ph.matcher.add(&ph.inForce[i])
		}
		all = append(all, ph)
	}
	return all
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

// place notes what a version adds on the days of its stretch.
func (c *course) place(days stretch, v *version) {
	from, to := c.days(days)
	if from == to || v.flags&(isReserve|isFailed) != 0 || !c.wanted[v.promisedKind] {
		return
	}
	if v.allocated != nil {
		for _, s := range v.shares() {
			if at, ok := c.of[s.line]; ok {
				for _, r := range v.counting() {
					c.lines[at].shares[from][r].add(s.at(v, r))
					c.lines[at].shares[to][r].subtract(s.at(v, r))
				}
			}
		}
		return
	}
	for _, r := range v.counting() {
		n, kind, known := v.amount(r)
		if !known {
			continue
		}
		if c.kinds[kind] == nil {
			c.kinds[kind] = make([]change, len(c.dates)+1)
		}
		c.kinds[kind][from][r].add(n)
		c.kinds[kind][to][r].subtract(n)
	}
}

// settle sums the changes up, and puts each kind on the line that it counts for.
func (c *course) settle() {
	for i := range c.lines {
		sumUp(c.lines[i].shares)
		for day := range c.dates {
			if l := &c.lines[i]; l.required[day] >= 0 {
				l.supply[day] = l.shares[day]
			}
		}
	}
	for _, kind := range c.kinds {
		sumUp(kind)
	}
	for i := range c.phases {
		c.settlePhase(&c.phases[i])
	}
}

// settlePhase puts each kind on the line that it counts for in a phase.
func (c *course) settlePhase(ph *phase) {
	for number, kind := range c.kinds {
		if kind == nil {
			continue
		}
		of := &c.p.kinds.names[number]
		at := ph.matcher.match(of).only
		if at < 0 {
			continue
		}
		only := &c.lines[c.of[of.operation.now().lines[ph.inForce[at].Line]]]
		for day := ph.from; day < ph.to; day++ {
			only.supply[day].plus(&kind[day])
		}
	}
}

// phaseOn returns the phase that a date of the span is in.
func (c *course) phaseOn(d events.Date) *phase {
	run := c.at(d)
	at := slices.IndexFunc(c.phases, func(ph phase) bool { return run < ph.to })
	return &c.phases[at]
}

func sumUp(changes []change) {
	for day := 1; day < len(changes); day++ {
		changes[day].plus(&changes[day-1])
	}
}

func (c *change) plus(other *change) {
	for r := range c {
		c[r].plus(other[r])
	}
}

// supplies sums what is there on each rung or above.
func (c *change) supplies() [Deployed + 1]int64 {
	var exact [Deployed + 1]int64
	for r := range c {
		exact[r] = c[r].number()
	}
	return supplies(exact)
}

// points tells a line's days, joined into steps.
func (l *lineCourse) points(c *course, step Step) []TimelinePoint {
	points := []TimelinePoint{}
	for day := 0; day < len(c.dates); {
		end := day + 1
		for end < len(c.dates) && l.joins(c, day, end, step) {
			end++
		}
		points = append(points, l.point(c, day, end))
		day = end
	}
	return points
}

// joins reports whether a day belongs to the point of an earlier one.
func (l *lineCourse) joins(c *course, first, day int, step Step) bool {
	switch step {
	case ByDay:
		return false
	case ByWeek:
		return monday(c.dates[day]) == monday(c.dates[first])
	case ByMonth:
		return c.dates[day]/100 == c.dates[first]/100
	}
	return l.required[day] == l.required[first] && l.supply[day] == l.supply[first]
}

// monday returns the first day of a date's week.
func monday(d events.Date) events.Date { return d.AddDays(-(int(d.Time().Weekday()+6) % 7)) }

func (l *lineCourse) point(c *course, from, to int) TimelinePoint {
	pt := TimelinePoint{From: c.dates[from], Until: c.last(to - 1)}
	worst := l.worst(c, from, to)
	if worst < 0 {
		return pt
	}
	supply, required := l.supply[worst].supplies(), l.required[worst]
	now, fill := supply[c.basis.Rung], percent(supply[c.basis.Rung], required)
	pt.InForce, pt.Day, pt.Fill = true, c.dates[worst], &fill
	pt.Required, pt.Supply, pt.Gap = l.Unit.Of(required), l.Unit.Of(now), l.Unit.Of(max(0, required-now))
	for _, r := range Rungs() {
		pt.Rungs = append(pt.Rungs, l.Unit.Of(supply[r]))
	}
	return pt
}

// worst returns the day of some, before to, of which a line's numbers tell: see [TimelinePoint]. It is -1 where the line is
// not in force on any.
func (l *lineCourse) worst(c *course, from, to int) int {
	worst, gap, least := -1, int64(0), int64(0)
	for day := from; day < to; day++ {
		required := l.required[day]
		if required < 0 {
			continue
		}
		supply := l.supply[day].supplies()[c.basis.Rung]
		missing := max(0, required-supply)
		if worst < 0 || missing > gap || missing == gap && supply < least {
			worst, gap, least = day, missing, supply
		}
	}
	return worst
}
