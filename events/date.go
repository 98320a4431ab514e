package events

import (
	"fmt"
	"time"

	"muster/events/phrase"
	"muster/events/problem"
)

// A Date is a civil date in UTC, held as the number yyyymmdd so that dates compare with < and ==.
// The zero Date means that none was given. In JSON it is a string: "2026-11-23".
type Date int32

const dateForm = "2006-01-02"

// FirstDate and LastDate are the first and the last date that a statement may carry: wide enough
// for any history, narrow enough to catch slips.
const (
	FirstDate Date = 1900_01_01
	LastDate  Date = 2199_12_31
)

var (
	errDate      = remedy("not a date: write year-month-day, such as 2026-11-23")
	errDateRange = remedy("outside %s to %s: write a date between them", FirstDate, LastDate)
)

// ParseDate reads the form 2026-11-23 and nothing else.
func ParseDate(s string) (Date, error) {
	d, err := parseDate(s)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", problem.Shorten(s), err)
	}
	return d, nil
}

func parseDate(s string) (Date, error) {
	t, err := time.Parse(dateForm, s)
	if err != nil {
		return 0, errDate
	}
	d := DateOf(t)
	if d < FirstDate || d > LastDate {
		return 0, errDateRange
	}
	return d, nil
}

// DateOf returns the date, in UTC, of the moment t.
func DateOf(t time.Time) Date {
	y, m, d := t.UTC().Date()
	return Date(y*10000 + int(m)*100 + d)
}

// Time returns the first moment of the date, in UTC.
func (d Date) Time() time.Time {
	return time.Date(int(d)/10000, time.Month(int(d)/100%100), int(d)%100, 0, 0, 0, 0, time.UTC)
}

// AddDays returns the date n days later; n may be negative.
func (d Date) AddDays(n int) Date { return DateOf(d.Time().AddDate(0, 0, n)) }

// String returns the form 2026-11-23, or "" for the zero Date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	if d < 0 || d > 9999_99_99 { // no date that can be read
		return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
	}
	text := []byte(dateForm)
	for i, left := len(text)-1, d; i >= 0; i-- {
		if text[i] != '-' {
			text[i], left = byte('0'+left%10), left/10
		}
	}
	return string(text)
}

// MarshalText writes the form 2026-11-23.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate reads.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = parseDate(string(text))
	return err
}

// A Window is a span of dates, both ends included. Without until it is open.
type Window struct {
	From  Date `json:"from"`
	Until Date `json:"until,omitzero"`
}

// Includes reports whether the window includes the date on.
func (w Window) Includes(on Date) bool { return w.From <= on && (w.Until == 0 || on <= w.Until) }

// Span returns "2026-11-23 to 2027-05-31", or "from 2026-11-23" for an open window.
func (w Window) Span() string { return w.Phrase().String() }

// Phrase returns what [Window.Span] says, so that it can be told in other languages.
func (w Window) Phrase() phrase.Phrase {
	if w.Until == 0 {
		return phrase.Of("from %s", w.From)
	}
	return phrase.Of("%s to %s", w.From, w.Until)
}
