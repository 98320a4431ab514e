package web

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/phrase"
)

// The forms in which a time is asked for, besides the name of a meeting: RFC 3339, as tables and
// pages print it, a date, a while ago, and a military date-time group.
const timeForms phrase.Text = "a time such as 2026-11-23T12:00:00Z or 2026-11-23 12:00 UTC, a " +
	"date such as 2026-11-23, a while ago such as -72h, -3d or -2w, or a date-time " +
	"group such as 230231ZNOV26"

// An edge is which moment a date stands for, or a printed time, which is cut to seconds or minutes.
type edge bool

const (
	beginning edge = false
	end       edge = true
)

// of returns the edge of a stretch that begins at a moment and lasts so long: its end is the last
// moment that a record can have.
func (e edge) of(begins time.Time, lasts time.Duration) time.Time {
	if e == beginning {
		return begins
	}
	return begins.Add(lasts - time.Microsecond)
}

// parseTime reads a time in any of the forms, and when it begins: a date at its midnight.
func parseTime(s string, now time.Time, e edge) (t, begins time.Time, err error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, t, nil
	}
	if t, ok := ago(s, now); ok {
		return t, t, nil
	}
	if t, ok := dateTimeGroup(s); ok {
		return t, t, nil
	}
	if t, lasts, ok := printed(s); ok {
		return e.of(t, lasts), t, nil
	}
	d, err := events.ParseDate(s)
	if err != nil {
		return t, begins, err
	}
	return e.of(d.Time(), 24*time.Hour), d.Time(), nil
}

var printedPattern = regexp.MustCompile(
	`^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2})(:[0-9]{2})?(?: ?UTC| ?Z)?$`)

// printed reads a time as tables and pages print it, with or without seconds, and how long that
// second or minute lasts. All that they print is UTC, also where they leave that word out.
func printed(s string) (t time.Time, lasts time.Duration, ok bool) {
	m := printedPattern.FindStringSubmatch(s)
	if m == nil {
		return t, 0, false
	}
	form, lasts := timeForm, time.Second
	if m[2] == "" {
		form, lasts = "2006-01-02 15:04", time.Minute
	}
	t, err := time.Parse(form, m[1]+m[2])
	return t, lasts, err == nil
}

var agoPattern = regexp.MustCompile(`^-([0-9]{1,6})([mhdw])$`)

// ago reads how long ago something was: minutes, hours, days or weeks.
func ago(s string, now time.Time) (time.Time, bool) {
	m := agoPattern.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
		"w": 7 * 24 * time.Hour}[m[2]]
	return now.Add(-time.Duration(n) * unit), true
}

var groupPattern = regexp.MustCompile(`^([0-9]{6}) ?Z ?([A-Z]{3}) ?([0-9]{2})$`)

// dateTimeGroup reads a military date-time group: the day, the hour and the minute in UTC (zone Z),
// the month and the year of this century.
func dateTimeGroup(s string) (time.Time, bool) {
	m := groupPattern.FindStringSubmatch(strings.ToUpper(s))
	if m == nil {
		return time.Time{}, false
	}
	month := m[2][:1] + strings.ToLower(m[2][1:])
	t, err := time.Parse("021504 Jan 2006", m[1]+" "+month+" 20"+m[3])
	return t, err == nil
}

// An Instant is a place on the recorded clock: a sequence, or a time. The zero Instant is no place.
type Instant struct {
	Sequence uint64
	Time     time.Time
	// Passing says that the time was said as a while ago: it passes on with the clock.
	Passing bool
}

// IsZero reports whether no place was named.
func (i Instant) IsZero() bool { return i.Sequence == 0 && i.Time.IsZero() }

// instant reads a place on the recorded clock that is not in the future.
func (p *parameters) instant(name, doc string, e edge) Instant {
	v := p.value(name, doc, &huma.Schema{Type: huma.TypeString})
	if v == "" {
		return Instant{}
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		if n < 1 || n > events.MaxCount {
			p.invalid(name, v, "the first record is 1, and no ledger has more than %d",
				events.MaxCount)
		}
		return Instant{Sequence: n}
	}
	if p.meeting != nil {
		if sequence, ok := p.meeting(v); ok {
			return Instant{Sequence: sequence}
		}
	}
	t, begins, err := parseTime(v, p.now, e)
	switch {
	case err != nil:
		p.invalid(name, v, "write a sequence such as 17, %s, or the name of a meeting that was "+
			"closed, as: muster meeting list", timeForms)
	case begins.After(p.now):
		p.invalid(name, v, "lies ahead: it is %s now", p.now.UTC().Format(time.RFC3339))
	}
	return Instant{Time: t, Passing: agoPattern.MatchString(v)}
}
