package projections

import (
	"slices"

	"muster/events"
)

// A standing is where a pledge stands at a moment: the fold of its facts up to there.
type standing struct {
	begun    bool
	rung     Rung
	exit     State // "" while it is on the ladder
	terms    *terms
	released *terms // those that say who may read it: with which it began, or was disclosed
	pledged  amount // absent where nothing was pledged, only observed
	strength amount // absent where nothing was reported
	expires  events.Date
	kind     uint32 // of what is pledged, in Picture.kinds; or noKind

	conditions  []hold      // replaced as a whole, never changed in place
	caveats     []hold      // likewise
	allocations []allotment // made and not released, in the order of their records; likewise
	queries     []query     // asked and not answered, in the order of their records; likewise
	remark      *remark     // that of the terms

	// The records that say so.
	beginBy, termsBy, rungBy, strengthBy, expiresBy, exitBy cause
	since, strengthOn, rungOn, exitOn                       events.Date
}

// An amount is a quantity in its unit.
type amount struct {
	quantity events.Quantity
	unit     events.Unit
	bounds
}

// said returns the amount as a statement says it.
func (a *amount) said() events.Amount {
	all := events.Amount{Quantity: a.quantity}
	if a.least > 0 {
		all.Least = a.unit.Of(a.least)
	}
	if a.most > 0 {
		all.Most = a.unit.Of(a.most)
	}
	return all
}

// sure returns of how much it is at the least, false where nobody has said.
func (a *amount) sure() (int64, bool) {
	if n, known := a.quantity.Number(); known {
		return n, true
	}
	return a.least, a.least > 0
}

// onTop returns how much may come on top of what is sure; open says that nobody has said how much.
func (a *amount) onTop() (n int64, open bool) {
	switch {
	case !a.quantity.IsUnknown() || a.least == 0:
		return 0, false
	case a.most == 0:
		return 0, true
	}
	return a.most - a.least, false
}

// beyond returns how far the amount may reach beyond what is sure, 0 where nobody has said: of "10
// to 14" it is 4, of "up to 18" 18, which is no part of any sum.
func (a *amount) beyond() int64 { return max(0, a.most-a.least) }

// step folds in one fact. Facts come in the order of their places.
func (s *standing) step(d *fact) {
	s.pass(d.effective)
	m := d.move
	if d.stands != nil && !s.begun {
		s.disclosed(d)
	}
	if (m.begins || m.discloses) && !s.begun {
		s.begun, s.beginBy, s.since = true, d.cause(), d.effective
	}
	if m.terms {
		s.terms, s.termsBy, s.remark = d.terms, d.cause(), d.remark
		if s.released == nil || m.discloses {
			s.released = d.terms
		}
		s.expires, s.expiresBy = d.terms.expires, d.cause()
		s.kind = noKind
		if !m.strength {
			s.pledged, s.kind = d.amount(), d.terms.kind
		}
	}
	if m.strength {
		s.strength, s.strengthBy, s.strengthOn = amount{quantity: d.quantity, unit: d.unit},
			d.cause(), d.effective
	}
	if d.expires != 0 {
		s.expires, s.expiresBy = d.expires, d.cause()
	}
	if m.rung > s.rung {
		s.rung, s.rungBy, s.rungOn = m.rung, d.cause(), d.effective
	}
	if m.exit != "" && s.exit == "" {
		s.exit, s.exitBy, s.exitOn = m.exit, d.cause(), d.effective
	}
	s.stepHolds(d)
}

// disclosed folds in where a pledge stands, for those who know of nothing before.
func (s *standing) disclosed(d *fact) {
	at := d.stands
	if at.rung > s.rung {
		s.rung, s.rungBy, s.rungOn = at.rung, d.cause(), d.effective
	}
	if !at.strength.quantity.IsZero() {
		s.strength, s.strengthBy, s.strengthOn = at.strength, d.cause(), d.effective
	}
	told := func(holds, more []hold) []hold {
		holds = slices.Clip(holds)
		for _, h := range more {
			h.by, h.since = d.cause(), d.effective
			holds = append(holds, h)
		}
		return holds
	}
	s.conditions, s.caveats = told(s.conditions, at.conditions), told(s.caveats, at.caveats)
	s.allocations = slices.Clip(s.allocations)
	for _, a := range at.allocations {
		a.by = d.cause()
		s.allocations = append(s.allocations, a)
	}
}

// waiting returns the questions that wait for an answer: of a pledge that has ended none does,
// since nobody may answer it any more.
func (s *standing) waiting() []query {
	if s.exit != "" {
		return nil
	}
	return s.queries
}

func (s *standing) stepHolds(d *fact) {
	switch {
	case d.query != nil && d.move.answers:
		s.queries = slices.DeleteFunc(slices.Clone(s.queries),
			func(q query) bool { return q.id == d.query.id })
	case d.query != nil:
		asked := *d.query
		asked.by, asked.since = d.cause(), d.effective
		s.queries = append(slices.Clip(s.queries), asked)
	case d.hold != nil && d.move.condition != "":
		s.conditions = withHold(s.conditions, d)
	case d.hold != nil:
		s.caveats = withHold(s.caveats, d)
	case d.share != nil && d.move.releases:
		s.allocations = slices.DeleteFunc(slices.Clone(s.allocations),
			func(a allotment) bool { return a.id == d.share.id })
	case d.share != nil:
		made := *d.share
		made.by = d.cause()
		s.allocations = append(slices.Clip(s.allocations), made)
		slices.SortStableFunc(s.allocations,
			func(a, b allotment) int { return int(a.by.order) - int(b.by.order) })
	}
}

// withHold returns the holds with what the fact says of one.
func withHold(holds []hold, d *fact) []hold {
	h := *d.hold
	h.by, h.since = d.cause(), d.effective
	at := slices.IndexFunc(holds, func(old hold) bool { return old.name == h.name })
	if at < 0 {
		return append(slices.Clip(holds), h)
	}
	if h.kind == "" {
		h.kind = holds[at].kind
	}
	if h.text == "" {
		h.text = holds[at].text
	}
	holds = slices.Clone(holds)
	holds[at] = h
	return holds
}

// lapsing reports whether the pledge lapses when the day of its expiry has passed.
func (s *standing) lapsing() bool {
	return s.begun && s.exit == "" && s.expires != 0 && s.rung < Deployed
}

// pass lets the days pass until a date: a pledge may have lapsed by then.
func (s *standing) pass(on events.Date) {
	if s.lapsing() && on > s.expires {
		s.exit, s.exitBy, s.exitOn = Lapsed, s.expiresBy, dayAfter(s.expires)
	}
}

// at returns where the pledge stands. The result is the head of the pledge's chronicle
// or lies in room, and is not to be changed.
func (pl *pledge) at(b *Basis, room *standing) *standing {
	asOf := uint32(b.AsOf)
	switch c := pl.now(); {
	case pl.first > asOf:
		*room = standing{}
		return room
	case c.last <= asOf && c.latest <= b.On:
		if !c.head.lapsing() {
			return &c.head
		}
		*room = c.head
	default:
		*room = standing{}
		for i := range c.facts {
			d := &c.facts[i]
			if d.effective > b.On {
				break
			}
			if d.known(asOf) {
				room.step(d)
			}
		}
	}
	room.pass(b.On)
	return room
}

// A stretch is a run of dates, both included, in which a pledge stands the same.
type stretch struct{ from, until events.Date }

// lastDay is the until of a stretch that does not end.
const lastDay events.Date = 9999_12_31

// stretches calls do for each stretch from a date on, as known as of a record. In the first stretch
// the date may lie anywhere. The standing that do is called with lies in room.
func (c *chronicle) stretches(room *standing, asOf uint32, from events.Date,
	do func(stretch, *standing)) {
	*room = standing{}
	s, next := room, 0
	for ; next < len(c.facts) && c.facts[next].effective <= from; next++ {
		if c.facts[next].known(asOf) {
			s.step(&c.facts[next])
		}
	}
	for {
		for next < len(c.facts) && !c.facts[next].known(asOf) {
			next++
		}
		last := lastDay
		if next < len(c.facts) {
			last = dayBefore(c.facts[next].effective)
		}
		s.run(stretch{from, last}, do)
		if next == len(c.facts) {
			return
		}
		from = c.facts[next].effective
		for ; next < len(c.facts) && c.facts[next].effective == from; next++ {
			if c.facts[next].known(asOf) {
				s.step(&c.facts[next])
			}
		}
	}
}

// run calls do for each stretch of a run of days on which no fact becomes effective: expiry and
// windows still pass.
func (s *standing) run(days stretch, do func(stretch, *standing)) {
	for {
		s.pass(days.from)
		edge := s.edge(days)
		if s.counts(days.from) {
			do(stretch{days.from, edge}, s)
		}
		if edge >= days.until {
			return
		}
		days.from = dayAfter(edge)
	}
}

// edge returns the last day, within a run of days, until which nothing changes by itself.
func (s *standing) edge(days stretch) events.Date {
	last := days.until
	before := func(d events.Date) {
		if d > days.from {
			last = min(last, dayBefore(d))
		}
	}
	after := func(d events.Date) {
		if d != 0 && d >= days.from {
			last = min(last, d)
		}
	}
	if !s.begun || s.exit != "" {
		return last
	}
	before(s.terms.From)
	after(s.terms.Until)
	if s.lapsing() {
		after(s.expires)
	}
	for i := range s.allocations {
		before(s.allocations[i].From)
		after(s.allocations[i].Until)
	}
	return last
}

// dayBefore and dayAfter are d.AddDays(-1) and d.AddDays(1), which take ten times as long: most
// days have neighbours in their month.
func dayBefore(d events.Date) events.Date {
	if d%100 > 1 {
		return d - 1
	}
	return d.AddDays(-1)
}

func dayAfter(d events.Date) events.Date {
	if d%100 < 28 {
		return d + 1
	}
	return d.AddDays(1)
}

// counts reports whether the pledge is there on a date: begun, not ended, and within its window.
func (s *standing) counts(on events.Date) bool {
	return s.begun && s.exit == "" && s.terms.Includes(on)
}

func (s *standing) state() State {
	switch {
	case s.exit != "":
		return s.exit
	case s.begun:
		return Live
	}
	return Ahead
}

// amount returns what the pledge counts for at a rung: at the rung deployed what is there, and
// below it what was pledged, or what was seen where nothing was.
func (s *standing) amount(at Rung) (a amount, reported bool) {
	if at == Deployed && s.rung == Deployed || s.pledged.quantity.IsZero() {
		return s.strength, true
	}
	return s.pledged, false
}

func (s *standing) inReserve() bool { return s.terms.presence == events.Reserve }

// conditionsIn returns the names of the conditions in a state.
func (s *standing) conditionsIn(in ConditionState) []events.Line { return names(s.conditions, in) }

// caveatsHeld returns the names of the caveats that were not lifted.
func (s *standing) caveatsHeld() []events.Line { return names(s.caveats, Hanging) }

func names(holds []hold, in ConditionState) []events.Line {
	var all []events.Line
	for i := range holds {
		if holds[i].state == in {
			all = append(all, holds[i].name)
		}
	}
	return all
}

func holding(holds []hold, in ConditionState) bool {
	for i := range holds {
		if holds[i].state == in {
			return true
		}
	}
	return false
}

// appendSequences appends the records that make what the pledge counts for, in order: those that
// began it, put it on its rung, told its amount, and said what is still in its way.
func (s *standing) appendSequences(to []uint64, reported bool) []uint64 {
	from := len(to)
	to = s.termsBy.appendTo(s.rungBy.appendTo(s.beginBy.appendTo(to)))
	if reported {
		to = s.strengthBy.appendTo(to)
	}
	if s.expires != 0 && s.expiresBy != s.termsBy {
		to = s.expiresBy.appendTo(to)
	}
	for _, holds := range [][]hold{s.conditions, s.caveats} {
		for i := range holds {
			if holds[i].state != Discharged {
				to = holds[i].by.appendTo(to)
			}
		}
	}
	slices.Sort(to[from:])
	return to[:from+len(slices.Compact(to[from:]))]
}
