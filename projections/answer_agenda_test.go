package projections

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// agendaTold tells an agenda, an entry in a line.
func (l *testLedger) agendaTold(asOf uint64, on, within int) string {
	l.t.Helper()
	a := must[Agenda](l.t)(l.picture().Agenda(context.Background(),
		Moment{AsOf: asOf, On: day(on)}, Filter{}, within))
	var lines []string
	for _, e := range a.Entries {
		state := ""
		if e.Cancelled {
			state = " cancelled"
		}
		lines = append(lines, fmt.Sprintf("%d %s %s%s by %d", e.Day%100, e.Nation, e.Kind, state,
			e.Sequence))
	}
	return strings.Join(lines, "; ")
}

// What has a day is told on it, as it will be then; where a record moves it, it is the same on
// another day, and where one ends it, cancelled.
func TestAgenda(t *testing.T) {
	l := newTestLedger(t)
	first := l.offer("FRA", 200, func(t *events.PledgeTerms) {
		t.From, t.Until, t.Expires = day(10), day(20), day(8)
	})
	hung := first.condition("condition.added", 1, "vote")
	all := func(on, within int, want string) {
		t.Helper()
		equal(t, fmt.Sprintf("as of %d, on the %d", l.Last(), on), l.agendaTold(0, on, within),
			want)
	}
	// It lapses on the 8th: as things stand, nothing of it begins.
	all(1, 20, fmt.Sprintf("8 FRA lapses by %d", hung))
	renewed := first.renew(2, 30)
	all(1, 20, fmt.Sprintf("10 FRA begins by %d; 10 FRA condition by %[1]d; "+
		"20 FRA ends-unrelieved by %[1]d; 30 FRA lapses by %[1]d", renewed))
	all(11, 5, "") // what has passed, and what is further away, is in none
	asked := first.asks("HQ/founder", 3, "FRA", "when?", day(12))
	query := l.Last()
	all(1, 11, fmt.Sprintf("10 FRA begins by %d; 10 FRA condition by %[1]d; "+
		"12 FRA query by %[1]d; 30 FRA lapses by %[1]d", query))
	all(15, 5, fmt.Sprintf("12 FRA query by %d; 20 FRA ends-unrelieved by %[1]d", query))
	first.answers("FRA/liaison", 4, asked, "soon")
	answered := first.condition("condition.discharged", 5, "vote")
	all(1, 11, fmt.Sprintf("10 FRA begins by %d; 10 FRA condition cancelled by %[1]d; "+
		"12 FRA query cancelled by %[1]d; 30 FRA lapses by %[1]d", answered))

	// Another one relieves it, and is withdrawn again.
	second := l.offer("DEU", 200, func(t *events.PledgeTerms) {
		t.From, t.Predecessor = day(22), first.id
	})
	all(15, 10, fmt.Sprintf("20 FRA ends-unrelieved cancelled by %d; 20 FRA hand-over by %[1]d; "+
		"22 DEU begins by %[1]d", second.seq))
	gone := second.move("pledge.withdrawn", 6)
	all(15, 10, fmt.Sprintf("20 FRA ends-unrelieved by %d; 20 FRA hand-over cancelled by %[1]d; "+
		"22 DEU begins cancelled by %[1]d", gone))
	equal(t, "as of before", l.agendaTold(second.seq, 21, 10), fmt.Sprintf("22 DEU begins by %d; "+
		"30 FRA lapses by %[1]d", second.seq))
}

// Whoever follows an agenda from record to record and from day to day is told of every change by a
// higher sequence, and of what is on no day any more that it is cancelled.
func TestAgendaTellsEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := s.picture()
		const within = 9
		on, was := rapid.IntRange(1, 6).Draw(t, "on"), map[string]Entry{}
		for n := uint64(1); n <= s.Last(); n++ {
			if rapid.IntRange(0, 3).Draw(t, "a day passes") == 0 && on < 18 {
				on++
			}
			a := must[Agenda](t)(p.Agenda(t.Context(), Moment{AsOf: n, On: day(on)}, Filter{},
				within))
			now := map[string]Entry{}
			for _, e := range a.Entries {
				now[fmt.Sprint(e.Pledge, e.Kind, e.Key)] = e
			}
			if len(now) != len(a.Entries) {
				t.Fatalf("as of %d two entries are the same: %v", n, a.Entries)
			}
			for key, old := range was {
				e, is := now[key]
				says := func(e Entry) string {
					return fmt.Sprint(e.Kind, e.Key, e.Pledge, e.Day, e.Of, e.Cancelled, e.Sentence)
				}
				switch {
				case !is && (old.Day < day(on) || old.Day > day(on+within)):
				case !is:
					t.Fatalf("as of %d, on the %d, this is gone: %+v", n, on, old)
				case e.Sequence < old.Sequence, says(e) != says(old) && e.Sequence == old.Sequence:
					t.Fatalf("as of %d, on the %d,\n%+v becomes\n%+v", n, on, old, e)
				}
			}
			was = now
		}
	})
}
