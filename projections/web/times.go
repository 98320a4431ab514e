package web

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/phrase"
)

// The forms in which a time is asked for, besides the name of a meeting: RFC 3339, a date, a while
// ago, and a military date-time group.
const timeForms phrase.Text = "a time such as 2026-11-23T12:00:00Z, a date such as " +
	"2026-11-23, a while ago such as -72h, -3d or -2w, or a date-time group such as 230231ZNOV26"

// parseTime reads a time in any of the forms, and when it begins: a date at its midnight. OfDay
// says which moment a date stands for.
func parseTime(s string, now time.Time,
	ofDay func(events.Date) time.Time) (t, begins time.Time, err error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, t, nil
	}
	if t, ok := ago(s, now); ok {
		return t, t, nil
	}
	if t, ok := dateTimeGroup(s); ok {
		return t, t, nil
	}
	d, err := events.ParseDate(s)
	if err != nil {
		return t, begins, err
	}
	return ofDay(d), d.Time(), nil
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
