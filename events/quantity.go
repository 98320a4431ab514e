package events

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Quantity is how much is pledged, required or reported: a positive whole number, an amount of money with two
// decimals, or unknown. Unknown is never zero, and is never added to anything.
//
// In JSON a count is a number (1 to 9007199254740991, which every JSON reader holds exactly), money is a string with
// two decimals ("2500000.00"), and unknown is the string "unknown".
type Quantity struct {
	n    int64 // whole units, or hundredths of the currency
	form form
}

type form uint8

const (
	absent form = iota
	counted
	money
	unknown
)

// MaxCount is the largest count: 2^53 - 1.
const MaxCount = 1<<53 - 1

// Unknown is the quantity of a pledge whose size was not said.
var Unknown = Quantity{form: unknown}

// Count returns the quantity of n whole units. A count that is not positive is the caller's mistake, and is found by
// the checks of the statement that carries it.
func Count(n int64) Quantity { return Quantity{n, counted} }

// IsUnknown reports whether q is unknown.
func (q Quantity) IsUnknown() bool { return q.form == unknown }

// IsZero reports whether no quantity was given at all, which is not the same as unknown.
func (q Quantity) IsZero() bool { return q.form == absent }

// Number returns the whole units, or the hundredths for money, and false when q is unknown or absent.
// Numbers of the same [Unit] may be added.
func (q Quantity) Number() (int64, bool) { return q.n, q.form == counted || q.form == money }

// String returns "1200", "2500000.00" or "unknown".
func (q Quantity) String() string {
	switch q.form {
	case counted:
		return strconv.FormatInt(q.n, 10)
	case money:
		return fmt.Sprintf("%d.%02d", q.n/100, q.n%100)
	case unknown:
		return "unknown"
	}
	return ""
}

// Of returns the quantity of n (as Number gives it) in the unit u. Unlike in a statement, n may be 0.
func (u Unit) Of(n int64) Quantity {
	if u.IsMoney() {
		return Quantity{n, money}
	}
	return Quantity{n, counted}
}

var (
	moneyPattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,12})\.[0-9]{2}$`)
	countPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
)

var errQuantity = errors.New(`write a whole number from 1 to 9007199254740991, an amount of money as text with two decimals such as "2500000.00", or "unknown"`)

// ParseQuantity reads what String writes, for a quantity that may be pledged: a positive number or "unknown".
func ParseQuantity(s string) (Quantity, error) {
	switch {
	case s == "unknown":
		return Unknown, nil
	case moneyPattern.MatchString(s):
		n, err := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
		if err != nil || n == 0 {
			return Quantity{}, errQuantity
		}
		return Quantity{n, money}, nil
	case countPattern.MatchString(s):
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 || n > MaxCount {
			return Quantity{}, errQuantity
		}
		return Count(n), nil
	}
	return Quantity{}, errQuantity
}

// MarshalJSONTo writes a number for a count and a string for the rest.
func (q Quantity) MarshalJSONTo(enc *jsontext.Encoder) error {
	if q.form == counted {
		return enc.WriteToken(jsontext.Int(q.n))
	}
	return enc.WriteToken(jsontext.String(q.String()))
}

// MarshalJSON is MarshalJSONTo for encoding/json, which the answers to readers are written with.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if q.form == counted {
		return strconv.AppendInt(nil, q.n, 10), nil
	}
	return strconv.AppendQuote(nil, q.String()), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, zero included, since an answer may say that nothing is there.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	s, quoted := strings.CutPrefix(string(data), `"`)
	s = strings.TrimSuffix(s, `"`)
	switch {
	case s == "0" && !quoted:
		*q = Count(0)
		return nil
	case s == "0.00" && quoted:
		*q = Quantity{0, money}
		return nil
	}
	parsed, err := ParseQuantity(s)
	*q = parsed
	return err
}

// UnmarshalJSONFrom reads a JSON number or string, strictly: 1.5, 1e3, 0, -1 and 9007199254740993 are refused.
func (q *Quantity) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case '0':
		if !countPattern.Match(value) {
			return errQuantity
		}
		*q, err = ParseQuantity(string(value))
		return err
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return err
		}
		if countPattern.Match(text) {
			return errQuantity
		}
		*q, err = ParseQuantity(string(text))
		return err
	}
	return errQuantity
}
