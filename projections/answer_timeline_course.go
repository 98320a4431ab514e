package projections

import (
	"cmp"
	"slices"
	"unsafe"

	"muster/events"
)

// A course is how far lines are met over some days. It has a few numbers for each date on which one
// of them changes, and nothing for the days between:
//
//	versions                           trail of what they are of     segments of the line
//	2026-03-01..2026-08-31  600        2026-03-01   600              ..2026-01-31  not in force
//	2026-06-01..2026-12-31  200   →    2026-06-01   800         →    2026-02-01..    0 of 1,000
//	                                   2026-09-01   200              2026-03-01..  600 of 1,000
//	                                   2027-01-01     0              …
//
// So twenty years cost as much as what happens in them.
type course struct {
	p     *Picture
	basis *Basis
	days  stretch
	kinds []trail // what has no allocation, by the number of the kind
	// What is not allocated of pledges of which the rest is, by the number of the kind.
	rests []trail
	lines []lineCourse
	of    map[*line]int
	roles []roleCourse // by operation and role
}

// A lineCourse is one line in the days of a course.
type lineCourse struct {
	Requirement // as it is on the first day on which it is in force
	line        *line
	shares      trail           // what is allocated to it
	segments    []courseSegment // all days, in order
}

// A courseSegment is a run of days in which a line asks for the same, has the same supply and has
// as much waiting.
type courseSegment struct {
	stretch
	required int64  // -1 while the line is not in force
	supply   change // what is there on each exact rung
	waiting         // what fits the line, and waits for an allocation
}

// A roleCourse is the lines of one role in one operation. They are all that pledges for it can
// count for.
type roleCourse struct {
	sought
	lines  []*line
	phases []phase // all days, in order
}

// A phase is a run of days in which the same lines of a role are in force with the same terms.
type phase struct {
	stretch
	inForce []Requirement
	matcher *matcher // of those in force
}

// newCourse returns the course of some operations in some days, before anything is placed.
func (p *Picture) newCourse(b *Basis, days stretch, chosen []*operation, role events.Role) *course {
	c := &course{p: p, basis: b, days: days, kinds: make([]trail, len(p.kinds.names)),
		rests: make([]trail, len(p.kinds.names)), of: map[*line]int{}}
	for i, k := range p.kinds.names {
		c.kinds[i].wanted = isChosen(chosen, k.operation) && (role == "" || role == k.role)
	}
	for _, o := range chosen {
		for _, r := range o.roles(b.AsOf) {
			if role == "" || r.role == role {
				c.addRole(r)
			}
		}
	}
	slices.SortStableFunc(c.lines, func(a, b lineCourse) int { return byFirstDay(&a, &b) })
	for i := range c.lines {
		c.of[c.lines[i].line.same()] = i
	}
	return c
}

// byFirstDay orders lines as they come into force, and then by operation, priority and name.
func byFirstDay(a, b *lineCourse) int {
	return cmp.Or(cmp.Compare(a.segments[0].from, b.segments[0].from),
		cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Line, b.Line))
}

// roles returns the roles for which any line was ever known to ask, with those lines.
func (o *operation) roles(asOf uint64) (all []roleCourse) {
	said := o.now()
	for _, name := range said.lineNames {
		for _, t := range said.lines[name].now().terms.known(asOf) {
			what := sought{o.name, t.what.Role}
			at := slices.IndexFunc(all, func(r roleCourse) bool { return r.sought == what })
			if at < 0 {
				at = len(all)
				all = append(all, roleCourse{sought: what})
			}
			if r := &all[at]; len(r.lines) == 0 || r.lines[len(r.lines)-1] != said.lines[name] {
				r.lines = append(r.lines, said.lines[name])
			}
		}
	}
	return all
}

// addRole cuts the days wherever a line of a role may begin, change or end.
func (c *course) addRole(r roleCourse) {
	cuts := []events.Date{c.days.from}
	for _, l := range r.lines {
		l.edges(c.basis.AsOf, func(d events.Date) {
			if d > c.days.from && d <= c.days.until {
				cuts = append(cuts, d)
			}
		})
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i, from := range cuts {
		ph := phase{stretch: stretch{from, c.days.until}, matcher: newMatcher()}
		if i+1 < len(cuts) {
			ph.until = dayBefore(cuts[i+1])
		}
		if !c.p.meter.spend(len(r.lines)) {
			return
		}
		on := c.basis.onDay(from)
		for _, l := range r.lines {
			if q, ok := l.at(on); ok && q.State == InForce && q.Role == r.role {
				ph.inForce = append(ph.inForce, q)
				c.begin(l, q, from)
			}
		}
		slices.SortStableFunc(ph.inForce, byPriority)
		for i := range ph.inForce {
			ph.matcher.add(&ph.inForce[i])
		}
		c.p.meter.keep(len(ph.inForce) * int(unsafe.Sizeof(Requirement{})))
		r.phases = append(r.phases, ph)
	}
	c.roles = append(c.roles, r)
}

// begin notes a line that is in force, and since when it first is.
func (c *course) begin(l *line, q Requirement, from events.Date) {
	at, known := c.of[l.same()]
	if !known {
		at = len(c.lines)
		c.of[l.same()] = at
		c.lines = append(c.lines,
			lineCourse{line: l, segments: []courseSegment{{stretch: stretch{from, from}}}})
	}
	if one := &c.lines[at]; !known || from < one.segments[0].from {
		one.Requirement, one.segments[0].from = q, from
	}
}

// phaseOn returns the phase that a date is in, for a role of an operation; nil when no line ever
// asks for it.
func (c *course) phaseOn(what sought, on events.Date) *phase {
	for i := range c.roles {
		if r := &c.roles[i]; r.sought == what {
			at := slices.IndexFunc(r.phases, func(ph phase) bool { return on <= ph.until })
			return &r.phases[max(at, 0)]
		}
	}
	return nil
}

// place notes what a version adds on the days of its stretch.
func (c *course) place(days stretch, v *version) {
	days = stretch{max(days.from, c.days.from), min(days.until, c.days.until)}
	if days.from > days.until || v.flags&(isReserve|isFailed) != 0 ||
		!c.kinds[v.promisedKind].wanted {
		return
	}
	shares := v.shares()
	for i := range shares {
		if at, ok := c.of[shares[i].line.same()]; ok {
			for _, r := range v.counting() {
				c.lines[at].shares.add(days, r, shares[i].at(v, r))
			}
		}
	}
	if v.allocated != nil {
		c.placeRest(days, v, shares)
		return
	}
	for _, r := range v.counting() {
		if n, kind, known := v.amount(r); known {
			c.kinds[kind].add(days, r, n)
		}
	}
	if v.rung >= c.basis.Rung {
		c.placeBeside(days, v)
	}
}

// placeBeside notes what stands beside the quantity of a version, which is not allocated.
func (c *course) placeBeside(days stretch, v *version) {
	_, kind, known := v.amount(c.basis.Rung)
	if !known {
		c.kinds[kind].add(days, ofUnknown, 1)
		return
	}
	more, open := v.tops(c.basis.Rung, 1)
	if more > 0 {
		c.kinds[kind].add(days, ofOnTop, more)
	}
	if open > 0 {
		c.kinds[kind].add(days, ofOpen, int64(open))
	}
}

// placeRest notes what is not allocated of a version of which the rest is.
func (c *course) placeRest(days stretch, v *version, shares []share) {
	rest, kind, known := v.amount(c.basis.Rung)
	for i := range shares {
		rest -= shares[i].at(v, c.basis.Rung)
	}
	switch {
	case v.rung < c.basis.Rung:
	case !known: // how much there is beyond what is allocated
		c.kinds[kind].add(days, ofUnknown, 1)
	case rest > 0:
		c.rests[kind].add(days, c.basis.Rung, rest)
	}
}

// match puts each kind on the line that it counts for, in each phase.
func (c *course) match() {
	for i := range c.kinds {
		c.kinds[i].accumulate()
		c.rests[i].accumulate()
	}
	for i := range c.lines {
		c.lines[i].segments = c.lines[i].segments[:0]
		c.lines[i].shares.accumulate()
	}
	for i := range c.roles {
		r := &c.roles[i]
		kinds := c.kindsOf(r.sought)
		for j := range r.phases {
			c.matchPhase(&r.phases[j], kinds)
		}
	}
	for i := range c.lines {
		c.lines[i].fillIn(c.days)
	}
}

// kindsOf returns the numbers of the kinds of which there is anything, for a role.
func (c *course) kindsOf(what sought) (kinds []int) {
	for i := range c.kinds {
		k, steps := &c.p.kinds.names[i], len(c.kinds[i].steps)+len(c.rests[i].steps)
		if steps > 0 && k.operation.name == what.operation && k.role == what.role {
			kinds = append(kinds, i)
		}
	}
	return kinds
}

// matchPhase adds the segments of the lines that are in force in a phase.
func (c *course) matchPhase(ph *phase, kinds []int) {
	sources := make([][2][]*trail, len(ph.inForce)) // of what is there, and of what waits
	for i := range ph.inForce {
		q := &ph.inForce[i]
		sources[i][0] = []*trail{&c.lines[c.at(q)].shares}
	}
	if !c.p.meter.spend(len(kinds)) {
		return
	}
	for _, kind := range kinds {
		found := ph.matcher.match(&c.p.kinds.names[kind])
		if found.only >= 0 {
			sources[found.only][0] = append(sources[found.only][0], &c.kinds[kind])
		}
		for _, at := range found.fits {
			if found.only < 0 {
				sources[at][1] = append(sources[at][1], &c.kinds[kind])
			}
			sources[at][1] = append(sources[at][1], &c.rests[kind])
		}
	}
	for i := range ph.inForce {
		c.cut(&ph.inForce[i], sources[i], ph.stretch)
	}
}

// cut adds the segments of a line in some days, of what is there and what waits.
func (c *course) cut(q *Requirement, sources [2][]*trail, days stretch) {
	required, _ := q.Required.Number()
	l := &c.lines[c.at(q)]
	for days, sums := range sumsOfTrails(sources, days) {
		if !c.p.meter.spend(1) || !c.p.meter.keep(int(unsafe.Sizeof(courseSegment{}))) {
			return
		}
		waits := waiting{sums[1].supplies()[c.basis.Rung], int(sums[1][ofUnknown].number())}
		l.segments = append(l.segments, courseSegment{days, required, sums[0], waits})
	}
}

// at returns the number of a line.
func (c *course) at(q *Requirement) int {
	return c.of[c.p.operations[q.Operation].now().lines[q.Line].same()]
}

// fillIn joins what is alike, and adds the days on which the line is not in force. A line may have
// asked for several roles, one after the other.
func (l *lineCourse) fillIn(days stretch) {
	slices.SortFunc(l.segments, func(a, b courseSegment) int { return cmp.Compare(a.from, b.from) })
	all := make([]courseSegment, 0, len(l.segments)+2)
	add := func(s courseSegment) {
		if n := len(all); n > 0 && all[n-1].isLike(&s) {
			all[n-1].until = s.until
		} else if s.from <= s.until {
			all = append(all, s)
		}
	}
	next := days.from
	for _, s := range l.segments {
		if next < s.from {
			add(courseSegment{stretch: stretch{next, dayBefore(s.from)}, required: -1})
		}
		add(s)
		next = dayAfter(s.until)
	}
	if next <= days.until {
		add(courseSegment{stretch: stretch{next, days.until}, required: -1})
	}
	l.segments = all
}

// isLike reports whether a line asks for the same on other days, has the same and has as much
// waiting.
func (s *courseSegment) isLike(o *courseSegment) bool {
	return s.required == o.required && s.supply == o.supply && s.waiting == o.waiting
}

// worst returns the day of some of which a line's numbers tell, and its segment: the first on which
// most of the line is missing, or, where nothing is missing on any, on which its supply is lowest.
// It is nil where the line is not in force on any. From is the first segment that may lie in these
// days.
func (l *lineCourse) worst(rung Rung, days stretch,
	from int) (worst *courseSegment, on events.Date) {
	gap, least := int64(0), int64(0)
	for i := from; i < len(l.segments) && l.segments[i].from <= days.until; i++ {
		s := &l.segments[i]
		if s.required < 0 || s.until < days.from {
			continue
		}
		supply := s.supply.supplies()[rung]
		missing := max(0, s.required-supply)
		if worst == nil || missing > gap || missing == gap && supply < least {
			worst, on, gap, least = s, max(s.from, days.from), missing, supply
		}
	}
	return worst, on
}
