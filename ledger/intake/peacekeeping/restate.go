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

// A Restatement is what a file says on top of what is recorded.
type Restatement struct {
	Steps []Step
	// Gone are contributions of the file's missions of which the file says nothing. Steps says of
	// them what [History.Gone] has chosen.
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
		known: known, seen: known.Seen(), steps: make([]Step, len(h.months))}
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
	gone, more := r.gone(h)
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return Restatement{}, problem.OfFields(wrong)
	}
	return Restatement{r.steps, gone}, nil
}

func compareContributions(a, b contribution) int {
	return cmp.Or(cmp.Compare(a.nation, b.nation), cmp.Compare(a.mission, b.mission),
		cmp.Compare(a.role, b.role))
}

// A restater says what a file says on top of what is recorded.
type restater struct {
	maker
	known  *reconcile.Known
	seen   map[reconcile.SeenAt][]*reconcile.Pledge
	series map[contribution]*series
	steps  []Step
}

// A series is what is told of a contribution.
type series struct {
	*reconcile.Series
	spoken map[events.ID]int // by pledge, the wave of the last thing said of it in this month
}

func (r *restater) of(key contribution) *series {
	if r.series == nil {
		r.series = map[contribution]*series{}
	}
	if r.series[key] == nil {
		at := reconcile.SeenAt{Place: events.Place{Operation: key.mission, Nation: key.nation},
			Role: key.role}
		r.series[key] = &series{Series: r.known.Series(reconcile.Series{Place: at.Place,
			Role: key.role, Unit: Personnel, Ledger: r.origin, Source: r.source,
			Make: func(_ events.Type, on events.Date, pledge events.ID,
				now int64) events.Statement {
				before := int64(1)
				r.alive[key] = pledge
				if pledge.IsZero() {
					before = 0
				}
				return r.changed(on, key, before, now)
			}}, r.seen[at])}
	}
	return r.series[key]
}

// month says what a month says on top of what is recorded. It returns what cannot be mended so.
func (r *restater) month(step *Step, key contribution, on events.Date,
	now int64) *problem.Field {
	s := r.of(key)
	s.spoken = map[events.ID]int{}
	day := s.On(on, now)
	if !day.Cannot.IsZero() {
		return cannot(key, on, day.Cannot.String())
	}
	if day.Before {
		step.Before++
	}
	s.sayAll(step, day.Statements)
	return nil
}

// sayAll says something of the series in a month, and counts what mends something.
func (s *series) sayAll(step *Step, all []events.Statement) {
	for _, st := range all {
		if st.Head().Type == "pledge.corrected" {
			step.Restated++
		}
		s.say(step, events.Thing(st), st)
	}
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
