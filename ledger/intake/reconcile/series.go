package reconcile

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A Series is what is told of the strength of a nation's forces in one role of an operation, which
// were seen in published figures, and what a file says on top of that, day after day.
type Series struct {
	events.Place
	Role   events.Role
	Unit   events.Unit
	Ledger events.Origin
	// Source stands in what mends something; "" for that of the pledge, by which it is known as the
	// word of the import that the pledge came from.
	Source string
	// Make makes the statement that forces were seen, reported or have returned: of a pledge, zero
	// where they were seen. It is complete but for its signature.
	Make func(typ events.Type, on events.Date, pledge events.ID, now int64) events.Statement

	known *Known
	told  []seriesTold
	used  map[events.ID]bool // ids of what the file says
}

type seriesTold struct {
	pledge events.ID
	Told
	own    bool // the file is about to say it
	struck bool // somebody has struck the pledge, as never said
}

// Series takes in what is recorded of forces that were seen. It costs a look at all that is told
// of them.
func (k *Known) Series(s Series, pledges []*Pledge) *Series {
	s.known, s.used = k, map[events.ID]bool{}
	for _, p := range pledges {
		for _, t := range p.Strengths() {
			s.told = append(s.told, seriesTold{p.ID, t, false, p.Struck})
		}
	}
	s.sort()
	return &s
}

// Seen returns what was seen in published figures, and not struck by the file that it came from, by
// nation, operation and role.
func (k *Known) Seen() map[SeenAt][]*Pledge {
	all := map[SeenAt][]*Pledge{}
	for _, p := range k.order {
		if p.Observed && (!p.Struck || p.ByOthers) {
			at := SeenAt{p.Place, p.Role}
			all[at] = append(all[at], p)
		}
	}
	return all
}

// A SeenAt is where forces were seen.
type SeenAt struct {
	events.Place
	Role events.Role
}

func (s *Series) sort() {
	slices.SortStableFunc(s.told, func(a, b seriesTold) int {
		return int(a.Effective - b.Effective)
	})
}

// at returns what is told last until a date, -1 for nothing.
func (s *Series) at(on events.Date) int {
	for i := len(s.told) - 1; i >= 0; i-- {
		if s.told[i].Effective <= on {
			return i
		}
	}
	return -1
}

// later reports whether more is told of a pledge after a place.
func (s *Series) later(at int) bool {
	return slices.ContainsFunc(s.told[at+1:], func(t seriesTold) bool {
		return t.pledge == s.told[at].pledge
	})
}

// Last returns the last day of which something is told, 0 for none.
func (s *Series) Last() events.Date {
	if len(s.told) == 0 {
		return 0
	}
	return s.told[len(s.told)-1].Effective
}

// A Day is what a file says of the strength on a day, on top of what is recorded.
type Day struct {
	// Kind is unchanged where nothing is to be said; changed where it mends what is recorded, or
	// says something of a day before the last one that is; and new.
	Kind Kind
	// Before is set where a statement about the day is recorded that says the same, and Was what
	// is recorded of the day where the file says it otherwise.
	Before bool
	Was    int64
	// Statements are to be said, in this order. Those that are corrections mend something.
	Statements []events.Statement
	// Cannot says why nothing can be: the file says that …; nothing where something can.
	Cannot phrase.Phrase
}

// On says how many a file has on a day, 0 for none, on top of what is recorded. The days of a file
// are asked about in their order.
func (s *Series) On(on events.Date, now int64) (r Day) {
	at := s.at(on)
	have, exact := int64(0), false
	if at >= 0 {
		have, exact = s.told[at].Strength, s.told[at].Effective == on && !s.told[at].own
	}
	if have != now && at >= 0 && s.told[at].struck {
		// What was struck stays so where the file says the same, and is none where it does not.
		struck := s.told[at].pledge
		s.told = slices.DeleteFunc(s.told, func(t seriesTold) bool { return t.pledge == struck })
		return s.On(on, now)
	}
	r.Kind, r.Was = New, have
	if s.lastRecorded() >= on {
		r.Kind = Changed
	}
	switch {
	case have == now:
		r.Kind, r.Before = Unchanged, exact
	case exact && have > 0 && now > 0:
		s.correct(&r, at, now)
	case exact && have == 0 && now > 0:
		s.stays(&r, at, on, now)
	case exact && now == 0:
		s.isGone(&r, at, on)
	case have > 0 && now > 0:
		s.Tell(&r, on, s.told[at].pledge, "pledge.reported", now)
	case have > 0 && s.later(at):
		r.Cannot = phrase.Of("nobody was there, and the ledger has forces before and after")
	case have > 0:
		s.Tell(&r, on, s.told[at].pledge, "pledge.returned", 0)
	default:
		s.comes(&r, at, on, now)
	}
	return r
}

// lastRecorded returns the last day of which something is recorded, 0 for none.
func (s *Series) lastRecorded() (last events.Date) {
	for i := range s.told {
		if t := &s.told[i]; !t.own && t.Effective > last {
			last = t.Effective
		}
	}
	return last
}

// correct mends the number of a statement.
func (s *Series) correct(r *Day, at int, now int64) {
	t := &s.told[at]
	fix := s.fix(*t, t.Effective)
	fix.Strength = &events.Strength{Quantity: s.Unit.Of(now), Unit: s.Unit}
	t.Strength = now
	r.Statements = append(r.Statements, fix)
}

// fix is a correction of a statement, as published for a day.
func (s *Series) fix(t seriesTold, on events.Date) *events.PledgeCorrected {
	return &events.PledgeCorrected{
		Header: events.Header{Type: "pledge.corrected", ID: events.NewID(), Ledger: s.Ledger},
		Dated:  events.Dated{Effective: t.Effective}, Place: s.Place, Pledge: t.pledge,
		Corrects: t.Statement, Reason: "restated as published for " + on.String(),
		Source: cmp.Or(s.Source, s.known.pledges[t.pledge].source)}
}

// stays says that forces had not gone home on a day.
func (s *Series) stays(r *Day, at int, on events.Date, now int64) {
	t := s.told[at]
	if at+1 < len(s.told) {
		r.Cannot = phrase.Of("forces were there, and the ledger has their return, and that " +
			"they came again")
		return
	}
	fix := s.fix(t, on)
	fix.Struck = true
	r.Statements = append(r.Statements, fix)
	s.told = s.told[:at]
	if before := s.told[at-1].Strength; before != now {
		s.Tell(r, on, t.pledge, "pledge.reported", now)
	}
}

// isGone says that nobody was there on a day of which a number is recorded.
func (s *Series) isGone(r *Day, at int, on events.Date) {
	t := s.told[at]
	if s.later(at) {
		r.Cannot = phrase.Of("nobody was there, and the ledger has forces on that day and after")
		return
	}
	fix := s.fix(t, on)
	fix.Struck = true
	r.Statements = append(r.Statements, fix)
	s.told = slices.Delete(s.told, at, at+1)
	if t.Type != "pledge.observed" {
		s.Tell(r, on, t.pledge, "pledge.returned", 0)
	}
}

// comes says that forces came, after all that is told until then: where the ledger has them from a
// later day on, they were there before.
func (s *Series) comes(r *Day, at int, on events.Date, now int64) {
	next := at + 1
	if next == len(s.told) || s.told[next].Type != "pledge.observed" || s.told[next].own {
		s.Tell(r, on, events.ID{}, "pledge.observed", now)
		return
	}
	t := &s.told[next]
	fix := s.fix(*t, on)
	fix.Effective = on
	fix.Strength = &events.Strength{Quantity: s.Unit.Of(now), Unit: s.Unit}
	r.Statements = append(r.Statements, fix)
	t.Effective, t.Strength, t.own = on, now, true
}

// Tell says a number of a day. An id that is recorded already, as of what was struck since, is not
// used again.
func (s *Series) Tell(r *Day, on events.Date, pledge events.ID, typ events.Type, now int64) {
	st := s.Make(typ, on, pledge, now)
	head := st.Head()
	if s.known.statements[head.ID] > 0 || s.used[head.ID] {
		head.ID = events.NewID()
	}
	s.used[head.ID] = true
	if pledge.IsZero() {
		pledge = head.ID
	}
	s.told = append(s.told, seriesTold{pledge, Told{Statement: head.ID, Type: typ, Effective: on,
		Strength: now}, true, false})
	s.sort()
	r.Statements = append(r.Statements, st)
}
