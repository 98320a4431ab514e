package projections

import (
	"cmp"
	"iter"
	"slices"

	"muster/events"
)

// A change is how much is there, or is added to what is there, on each exact rung. What stands for
// no rung is told from the rung asked up: how many pledges are of unknown quantity, how much may
// come on top of what is there, and how many pledges have not said how much that may be.
type change [ofOpen + 1]total

const (
	ofUnknown Rung = 0
	ofOnTop   Rung = Deployed + 1
	ofOpen    Rung = Deployed + 2
)

func (c *change) plus(other *change) {
	for r := range c {
		c[r].plus(other[r])
	}
}

// supplies sums what is there on each rung or above.
func (c *change) supplies() [Deployed + 1]int64 {
	var exact [Deployed + 1]int64
	for r := range exact {
		exact[r] = c[r].number()
	}
	return supplies(exact)
}

// A trail is how much there is of something over time. What is added to it lies beside it until it
// is accumulated:
//
//	added                          accumulated
//	2026-03-01  offered  +600      2026-03-01  600
//	2026-09-01  offered  −600  →   2026-06-01  800
//	2026-06-01  offered  +200      2026-09-01  200
type trail struct {
	wanted bool // by the question
	added  []addition
	steps  []trailStep // by date; before all is added, each is what changes on its date
}

// An addition is what begins, or ends, with a date.
type addition struct {
	on   events.Date
	rung Rung
	ends bool
	n    int64
}

// A trailStep is what is there from a date on, up to the next step.
type trailStep struct {
	from events.Date
	change
}

// maxAdded is how many additions lie beside a trail at least before they are put together by date.
const maxAdded = 1 << 10

// add adds a quantity on some days.
func (t *trail) add(days stretch, r Rung, n int64) {
	if len(t.added) >= max(maxAdded, 8*len(t.steps)) {
		t.gather()
	}
	t.added = append(t.added, addition{days.from, r, false, n},
		addition{dayAfter(days.until), r, true, n})
}

// gather puts what was added on one date together.
func (t *trail) gather() {
	slices.SortFunc(t.added, func(a, b addition) int { return cmp.Compare(a.on, b.on) })
	steps := make([]trailStep, 0, len(t.steps)+16)
	at := func(on events.Date) *trailStep {
		if n := len(steps); n == 0 || steps[n-1].from != on {
			steps = append(steps, trailStep{from: on})
		}
		return &steps[len(steps)-1]
	}
	old := t.steps
	for _, a := range t.added {
		for len(old) > 0 && old[0].from <= a.on {
			at(old[0].from).plus(&old[0].change)
			old = old[1:]
		}
		s := at(a.on)
		if a.ends {
			s.change[a.rung].subtract(a.n)
		} else {
			s.change[a.rung].add(a.n)
		}
	}
	for i := range old {
		at(old[i].from).plus(&old[i].change)
	}
	t.steps, t.added = steps, t.added[:0]
}

// accumulate sums up what was added. Nothing is added afterwards.
func (t *trail) accumulate() {
	if t.gather(); len(t.steps) == 0 {
		return
	}
	t.added = nil
	for i := 1; i < len(t.steps); i++ {
		t.steps[i].plus(&t.steps[i-1].change)
	}
}

// sumsOfTrails yields the sums of two groups of accumulated trails in some days, in runs of days in
// which none of them changes.
func sumsOfTrails(groups [2][]*trail, days stretch) iter.Seq2[stretch, [2]change] {
	return func(yield func(stretch, [2]change) bool) {
		var next [2][]int // of each trail, the first step behind the days reached
		for g := range groups {
			next[g] = make([]int, len(groups[g]))
		}
		for from := days.from; from <= days.until; {
			var sums [2]change
			until := days.until
			for g, trails := range groups {
				for i, t := range trails {
					until = min(until, t.walk(from, &next[g][i], &sums[g]))
				}
			}
			if !yield(stretch{from, until}, sums) {
				return
			}
			from = dayAfter(until)
		}
	}
}

// walk adds what is there on a date to a sum, and returns the last day on which that is so. Next is
// the first step behind the date walked to before, and is moved on.
func (t *trail) walk(to events.Date, next *int, sum *change) events.Date {
	for *next < len(t.steps) && t.steps[*next].from <= to {
		*next++
	}
	if *next > 0 {
		sum.plus(&t.steps[*next-1].change)
	}
	if *next < len(t.steps) {
		return dayBefore(t.steps[*next].from)
	}
	return events.LastDate
}
