package events

import (
	"fmt"
	"time"

	"muster/events/problem"
)

// An Instant is a second in UTC, held as Unix seconds. The zero Instant means that none was given.
// In JSON it is a string: "2026-11-23T18:00:00Z".
type Instant int64

const instantForm = "2006-01-02T15:04:05Z"

// firstInstant is the first that a statement may carry.
const firstInstant Instant = 946_684_800

var (
	errInstant = remedy("not a time: write date and time in UTC, such as 2026-11-23T18:00:00Z")
	errBefore  = remedy("before %s: write a later time", firstInstant)
)

// ParseInstant reads the form 2026-11-23T18:00:00Z and nothing else.
func ParseInstant(s string) (Instant, error) {
	i, err := parseInstant(s)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", problem.Shorten(s), err)
	}
	return i, nil
}

func parseInstant(s string) (Instant, error) {
	t, err := time.Parse(instantForm, s)
	if err != nil || t.Format(instantForm) != s { // which may have had a fraction
		return 0, errInstant
	}
	switch {
	case InstantOf(t) < firstInstant:
		return 0, errBefore
	case DateOf(t) > LastDate:
		return 0, errDateRange
	}
	return InstantOf(t), nil
}

// InstantOf returns the second that the moment t is in.
func InstantOf(t time.Time) Instant { return Instant(t.Unix()) }

// Time returns the beginning of the second, in UTC.
func (i Instant) Time() time.Time { return time.Unix(int64(i), 0).UTC() }

// String returns the form 2026-11-23T18:00:00Z, or "" for the zero Instant.
func (i Instant) String() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(instantForm)
}

// MarshalText writes the form 2026-11-23T18:00:00Z.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what ParseInstant reads.
func (i *Instant) UnmarshalText(text []byte) (err error) {
	*i, err = parseInstant(string(text))
	return err
}
