package proof

import (
	"fmt"
	"strings"
	"time"

	"muster/events"
	"muster/events/english"
)

// A record's time is what the clock of its server said. Nothing proves it, and a clock that was
// years ahead holds the time of all records behind: so where times look like that, a report shows
// it. It is no fault: a ledger may have rested, and whoever verifies may have the wrong clock.
const (
	longPause = 90 * 24 * time.Hour // between two records, before it is shown
	aheadOf   = 5 * time.Minute     // the clock of who verifies, likewise
	jumpsMost = 10                  // that are shown one by one
)

// A leaps is what was seen of times that look wrong.
type leaps struct {
	now   time.Time
	shown []string
	more  uint64
	ahead bool // a record was shown that is ahead of now, and those behind it need not be
}

// see looks at a record, behind one of the given time; zero for the first.
func (l *leaps) see(rec events.Record, before time.Time) {
	if pause := rec.Recorded.Sub(before); !before.IsZero() && pause > longPause {
		l.show("record %d, made by %s, is %s after the record before it (%s)", rec.Sequence,
			rec.By, days(pause), rec.Recorded.Format(time.RFC3339))
	}
	if ahead := rec.Recorded.Sub(l.now); !l.ahead && ahead > aheadOf {
		l.ahead = true
		l.show("record %d, made by %s, and those after it are ahead of this machine's clock, "+
			"it by %s", rec.Sequence, rec.By, days(ahead))
	}
}

func (l *leaps) show(format string, args ...any) {
	if len(l.shown) == jumpsMost {
		l.more++
		return
	}
	l.shown = append(l.shown, fmt.Sprintf(format, args...))
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return english.Several(uint64(d/(24*time.Hour)), "day")
}

// report adds a check where there is something to be shown.
func (l *leaps) report(r *Report) {
	if len(l.shown) == 0 {
		return
	}
	text := "whether the clocks of the servers were right cannot be told: " +
		strings.Join(l.shown, "; ")
	if l.more > 0 {
		text += fmt.Sprintf("; and %d more", l.more)
	}
	r.Add("clock", NotChecked, "%s", text)
}
