package peacekeeping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
)

// A Step is what there is to say of one month on top of what is recorded.
type Step struct {
	Date events.Date
	// Waves are statements that are complete but for their signatures. Those of one wave do not
	// rest on each other, and those of the next rest on them.
	Waves [][]events.Statement
	// Before is how many statements of the month are recorded already, and Restated how many of
	// Waves mend one that is.
	Before, Restated int
}

// A Gone is a contribution that is recorded and that the file does not have at all.
type Gone struct {
	Pledge events.ID
	events.Place
	Role events.Role
}

// A Restatement is what a file says on top of what is recorded.
type Restatement struct {
	Steps []Step
	// Gone are contributions of the file's missions of which the file says nothing. They stay as
	// they are.
	Gone []Gone
}

// Restate returns what the history says on top of what is recorded, month by month: a month with
// another number than is recorded becomes a correction, or a late report; and the months after the
// last one that is recorded go on from there, also where the file has no other. What the ledger has
// of the months and contributors that the file does not have stays.
//
// The error is a [problem.Problem] for what is more than a number, and cannot be mended so: nothing
// of such a file should be said.
func (h *History) Restate(known *reconcile.Known, origin events.Origin,
	source string) (Restatement, error) {
	r := restater{maker: maker{origin, cmp.Or(source, Source), map[contribution]events.ID{}},
		known: known, ids: map[events.ID]bool{}, steps: make([]Step, len(h.months))}
	for _, p := range known.All() {
		for _, id := range p.Statements() {
			r.ids[id] = true
		}
		if p.Observed && !p.Struck {
			r.of(contribution{p.Operation, p.Nation, p.Role}).take(p)
		}
	}
	begin := h.beginnings()
	for i, date := range h.months {
		step := &r.steps[i]
		step.Date = date
		for _, mission := range begin[i] {
			if known.HasOperation(mission) {
				step.Before++
				continue
			}
			step.say(0, r.opened(date, mission, h.titles[mission]))
		}
	}
	keys := slices.SortedFunc(maps.Keys(h.people), compareContributions)
	var wrong []problem.Field
	for _, key := range keys {
		for i, date := range h.months {
			if f := r.month(&r.steps[i], key, date, h.people[key][i]); f != nil {
				wrong = append(wrong, *f)
				break
			}
		}
	}
	if len(wrong) > 0 {
		return Restatement{}, problem.OfFields(wrong)
	}
	return Restatement{r.steps, r.gone(h)}, nil
}

func compareContributions(a, b contribution) int {
	return cmp.Or(cmp.Compare(a.nation, b.nation), cmp.Compare(a.mission, b.mission),
		cmp.Compare(a.role, b.role))
}

// A restater says what a file says on top of what is recorded.
type restater struct {
	maker
	known  *reconcile.Known
	series map[contribution]*series
	ids    map[events.ID]bool // of statements that are recorded
	steps  []Step
}

func (r *restater) of(key contribution) *series {
	if r.series == nil {
		r.series = map[contribution]*series{}
	}
	if r.series[key] == nil {
		r.series[key] = &series{}
	}
	return r.series[key]
}

// A series is what is told of a contribution, in the order in which it applies: recorded, or to be
// said by this file.
type series struct {
	told   []told
	spoken map[events.ID]int // by pledge, the wave of the last thing said of it in this month
	month  events.Date
}

type told struct {
	pledge events.ID
	reconcile.Told
	own bool // this file is about to say it
}

func (s *series) take(p *reconcile.Pledge) {
	for _, t := range p.Strengths() {
		s.told = append(s.told, told{p.ID, t, false})
	}
	s.sort()
}

func (s *series) sort() {
	slices.SortStableFunc(s.told, func(a, b told) int { return int(a.Effective - b.Effective) })
}

// at returns what is told last until a date, -1 for nothing.
func (s *series) at(on events.Date) int {
	for i := len(s.told) - 1; i >= 0; i-- {
		if s.told[i].Effective <= on {
			return i
		}
	}
	return -1
}

// later reports whether more is told of a pledge after a place.
func (s *series) later(at int) bool {
	return slices.ContainsFunc(s.told[at+1:], func(t told) bool {
		return t.pledge == s.told[at].pledge
	})
}

// month says what a month says on top of what is recorded. It returns what cannot be mended so.
func (r *restater) month(step *Step, key contribution, on events.Date,
	now int64) *problem.Field {
	s := r.of(key)
	s.spoken, s.month = map[events.ID]int{}, on
	at := s.at(on)
	have, exact := int64(0), false
	if at >= 0 {
		have, exact = s.told[at].Strength, s.told[at].Effective == on && !s.told[at].own
	}
	switch {
	case have == now:
		if exact {
			step.Before++
		}
		return nil
	case exact && have > 0 && now > 0:
		r.correct(step, s, key, at, now)
	case exact && have == 0 && now > 0:
		return r.stays(step, s, key, at, now)
	case exact && now == 0:
		return r.isGone(step, s, key, at)
	case have > 0 && now > 0:
		r.tell(step, s, key, s.told[at].pledge, "pledge.reported", now)
	case have > 0 && s.later(at):
		return cannot(key, on, "nobody was there, and the ledger has forces before and after")
	case have > 0:
		r.tell(step, s, key, s.told[at].pledge, "pledge.returned", 0)
	default:
		r.comes(step, s, key, at, now)
	}
	return nil
}

// correct mends the number of a statement.
func (r *restater) correct(step *Step, s *series, key contribution, at int, now int64) {
	t := &s.told[at]
	fix := r.fix(s, key, *t)
	fix.Strength = &events.Strength{Quantity: events.Count(now), Unit: Personnel}
	t.Strength = now
	s.say(step, t.pledge, fix)
	step.Restated++
}

// fix is a correction of a statement.
func (r *restater) fix(s *series, key contribution, t told) *events.PledgeCorrected {
	return &events.PledgeCorrected{
		Header: events.Header{Type: "pledge.corrected", ID: events.NewID(), Ledger: r.origin},
		Dated:  events.Dated{Effective: t.Effective},
		Place:  events.Place{Operation: key.mission, Nation: key.nation}, Pledge: t.pledge,
		Corrects: t.Statement, Reason: "restated as published for " + s.month.String(),
		Source: r.source}
}

// stays says that forces had not gone home on a day.
func (r *restater) stays(step *Step, s *series, key contribution, at int,
	now int64) *problem.Field {
	t := s.told[at]
	if at+1 < len(s.told) {
		return cannot(key, s.month, "forces were there, and the ledger has their return, and that "+
			"they came again")
	}
	fix := r.fix(s, key, t)
	fix.Struck = true
	s.say(step, t.pledge, fix)
	step.Restated++
	s.told = s.told[:at]
	if before := s.told[at-1].Strength; before != now {
		r.tell(step, s, key, t.pledge, "pledge.reported", now)
	}
	return nil
}

// isGone says that nobody was there on a day of which a number is recorded.
func (r *restater) isGone(step *Step, s *series, key contribution, at int) *problem.Field {
	t := s.told[at]
	if s.later(at) {
		return cannot(key, s.month, "nobody was there, and the ledger has forces on that day and "+
			"after")
	}
	fix := r.fix(s, key, t)
	fix.Struck = true
	s.say(step, t.pledge, fix)
	step.Restated++
	s.told = slices.Delete(s.told, at, at+1)
	if t.Type != "pledge.observed" {
		r.tell(step, s, key, t.pledge, "pledge.returned", 0)
	}
	return nil
}

// comes says that forces came, after all that is told until then: where the ledger has them from a
// later day on, they were there before.
func (r *restater) comes(step *Step, s *series, key contribution, at int, now int64) {
	next := at + 1
	if next == len(s.told) || s.told[next].Type != "pledge.observed" || s.told[next].own {
		r.tell(step, s, key, events.ID{}, "pledge.observed", now)
		return
	}
	t := &s.told[next]
	fix := r.fix(s, key, *t)
	fix.Effective = s.month
	fix.Strength = &events.Strength{Quantity: events.Count(now), Unit: Personnel}
	s.say(step, t.pledge, fix)
	step.Restated++
	t.Effective, t.Strength, t.own = s.month, now, true
}

// tell says a number of the month. An id that is recorded already, as of what was struck since, is
// not used again.
func (r *restater) tell(step *Step, s *series, key contribution, pledge events.ID,
	typ events.Type, now int64) {
	before := int64(1)
	r.alive[key] = pledge
	if pledge.IsZero() {
		before = 0
	}
	st := r.changed(s.month, key, before, now)
	if r.ids[st.Head().ID] {
		st.Head().ID = events.NewID()
	}
	r.ids[st.Head().ID] = true
	if pledge.IsZero() {
		pledge = st.Head().ID
	}
	s.told = append(s.told,
		told{pledge, reconcile.Told{Statement: st.Head().ID, Type: typ, Effective: s.month,
			Strength: now}, true})
	s.sort()
	s.say(step, pledge, st)
}

// say puts a statement into the wave after the last one about its pledge. The operations that the
// month opens come first.
func (s *series) say(step *Step, pledge events.ID, st events.Statement) {
	s.spoken[pledge]++
	step.say(s.spoken[pledge], st)
}

func (s *Step) say(wave int, st events.Statement) {
	for len(s.Waves) <= wave {
		s.Waves = append(s.Waves, nil)
	}
	s.Waves[wave] = append(s.Waves[wave], st)
}

// Statements is how many statements the step says.
func (s *Step) Statements() (n int) {
	for _, wave := range s.Waves {
		n += len(wave)
	}
	return n
}

func cannot(key contribution, month events.Date, what string) *problem.Field {
	return &problem.Field{Location: fmt.Sprintf("%s, %s in %s, %s", month, key.nation, key.mission,
		key.role), Message: "the file says that " + what + ": this is more than another number; " +
		"mend what is recorded first, by hand: muster pledge list --operation " +
		string(key.mission) + " --nation " + string(key.nation)}
}

// gone returns the contributions of the file's missions that are there by the records, and of which
// the file says nothing.
func (r *restater) gone(h *History) (all []Gone) {
	missions := map[events.Operation]bool{}
	for key := range h.people {
		missions[key.mission] = true
	}
	for _, p := range r.known.All() {
		key := contribution{p.Operation, p.Nation, p.Role}
		if _, there := h.people[key]; p.Observed && p.IsLive() && missions[key.mission] && !there {
			all = append(all, Gone{p.ID, p.Place, p.Role})
		}
	}
	return all
}
