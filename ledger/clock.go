package ledger

import (
	"fmt"
	"time"

	"muster/events/english"
	"muster/events/problem"
)

// A record's time is its server's clock, and never before that of the record before it. So one
// record that is stamped years ahead would hold the time of all that follow, on all servers, until
// the world has come so far. No rule can refuse such a record once it is in the log: every server
// and every auditor must come to the same, whatever their own clocks say. What a server can do is
// not to make one, and not to go on behind one without a word:
//
//   - It makes no record while its clock and that of the log differ by more than MaxSkew.
//   - It makes no record while the last one is stamped more than MaxSkew ahead of its clock; it
//     takes in what others record. Either its clock is behind, or the other's was ahead.
//   - It makes no record when more than MaxPause has passed since the last one. Where there is no
//     other clock, that is all that tells.
//
// It says so, with the record and who has made it, is well again by itself when the clock is right,
// and goes on for a person who says which record it may go past (Config.Past): then what is
// recorded has that record's time until the clock has come so far.
const (
	// MaxSkew is how far the clocks of a server and of its log may differ, and how far ahead of the
	// server's clock the last record may be.
	MaxSkew = 5 * time.Minute
	// MaxPause is how long a ledger may have rested.
	MaxPause = 400 * 24 * time.Hour
)

// A Clocked is a Log that has a clock of its own.
type Clocked interface {
	// Time returns what its clock says now, give or take some time on the way, and whose it is;
	// false where that was not heard lately.
	Time() (now time.Time, within time.Duration, of string, ok bool)
}

// checkClock returns why this server's clock, or that of another, keeps it from making a record.
func (l *Ledger) checkClock() *problem.Problem {
	now := l.cfg.Clock()
	if log, ok := l.cfg.Log.(Clocked); ok {
		if there, within, of, ok := log.Time(); ok {
			if d := now.Sub(there); d.Abs() > MaxSkew+within {
				return clockProblem("this server's clock is %s that of %s", apart(d), of).
					WithHint("set the one of the two that is wrong: the server goes on by itself " +
						"then")
			}
		}
	}
	last := l.state.Recorded()
	switch d := last.Sub(now); {
	case l.state.Last() == 0 || d <= MaxSkew && -d <= MaxPause:
		return nil
	case d > MaxSkew:
		first, by := l.firstAt(last)
		if first == l.cfg.Past {
			return nil
		}
		return clockProblem("record %d, which %s has made, is %s this server's clock", first, by,
			apart(d)).
			WithHint("set this machine's clock if it is the one that is wrong: the server goes "+
				"on by itself then. If the record is, its time cannot be undone: start the "+
				"server with --past-record %d, and what is recorded has that time until the "+
				"clock has come so far", first)
	case l.state.Last() == l.cfg.Past:
		return nil
	default:
		return clockProblem("this server's clock is %s record %d, the last one", apart(-d),
			l.state.Last()).
			WithHint("set this machine's clock if it is wrong: the server goes on by itself then. "+
				"If nothing was recorded for so long, start it with --past-record %d",
				l.state.Last())
	}
}

func clockProblem(format string, args ...any) *problem.Problem {
	return problem.New(problem.Unavailable, "nothing can be recorded now: "+format, args...)
}

// tellClock notes in the health whether the clocks keep this server from making records.
func (l *Ledger) tellClock() *problem.Problem {
	why := l.checkClock()
	switch said := l.health.of(clock); {
	case why == nil:
		l.health.clear(clock)
	case said == nil || problem.From(said).Detail != why.Detail:
		l.health.set(clock, why)
	}
	return why
}

// firstAt returns the first record that has a time, and who has made it.
func (l *Ledger) firstAt(at time.Time) (sequence uint64, by string) {
	if l.leading.Recorded.Equal(at) {
		return l.leading.Sequence, l.leading.By
	}
	from, to := uint64(1), l.cfg.Journal.Last()
	for from <= to {
		middle := from + (to-from)/2
		rec, err := l.cfg.Journal.Record(middle)
		if err != nil {
			return l.state.Last(), "a server"
		}
		if rec.Recorded.Before(at) {
			from = middle + 1
			continue
		}
		l.leading, to = rec, middle-1
	}
	return l.leading.Sequence, l.leading.By
}

// apart says how far times are from each other, so that it is the same for a while.
func apart(d time.Duration) string {
	where := "ahead of"
	if d < 0 {
		d, where = -d, "behind"
	}
	const day = 24 * time.Hour
	n, unit := d/time.Minute, "minute"
	switch {
	case d >= 2*365*day:
		n, unit = d/(365*day), "year"
	case d >= 2*day:
		n, unit = d/day, "day"
	case d >= 2*time.Hour:
		n, unit = d/time.Hour, "hour"
	}
	return fmt.Sprintf("%s %s", english.Several(uint64(n), unit), where)
}

// now is the clock, never earlier than the record before.
func (l *Ledger) now() time.Time {
	now := l.cfg.Clock().UTC().Truncate(time.Microsecond)
	if now.Before(l.state.Recorded()) {
		return l.state.Recorded()
	}
	return now
}
