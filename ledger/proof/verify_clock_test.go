package proof

import (
	"strings"
	"testing"
	"time"

	"muster/events"
)

// A report shows the records at which time has made a leap, and the first that is ahead of the
// clock of whoever verifies; where there is none, it says nothing of clocks.
func TestLeapsOfTime(t *testing.T) {
	begun := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	at := []time.Time{begun, begun.AddDate(0, 1, 0), begun.AddDate(0, 6, 0),
		begun.AddDate(70, 0, 0), begun.AddDate(70, 0, 1)}
	show := func(now time.Time, times []time.Time) (r Report) {
		l, before := leaps{now: now}, time.Time{}
		for i, recorded := range times {
			l.see(events.Record{Sequence: uint64(i) + 1, Recorded: recorded, By: "a"}, before)
			before = recorded
		}
		l.report(&r)
		return r
	}
	if r := show(at[1], at[:2]); len(r.Checks) > 0 {
		t.Errorf("nothing is strange, and it says %v", r.Checks)
	}
	r := show(at[2], at)
	if len(r.Checks) != 1 || r.Checks[0].Name != "clock" || r.Checks[0].Outcome != NotChecked {
		t.Fatalf("it says %v", r.Checks)
	}
	for _, want := range []string{"record 3, made by a, is 151 days after",
		"record 4, made by a, is 25387 days after", "record 4, made by a, and those after it"} {
		if !strings.Contains(r.Checks[0].Text, want) {
			t.Errorf("%q is not in %s", want, r.Checks[0].Text)
		}
	}
	if n := strings.Count(r.Checks[0].Text, "record 5"); n > 0 {
		t.Errorf("record 5 is shown: %s", r.Checks[0].Text)
	}
	var many []time.Time
	for i := range 20 {
		many = append(many, begun.AddDate(i, 0, 0))
	}
	if r := show(many[19], many); !strings.Contains(r.Checks[0].Text, "; and 9 more") {
		t.Errorf("of 19 leaps it says %s", r.Checks[0].Text)
	}
}
