package events

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Quantity is how much is pledged, required or reported: a positive whole number, an amount of
// money with two decimals, or unknown. Unknown is never zero, and is never added to anything.
//
// In JSON a count is a number (1 to 9007199254740991, which every JSON reader holds exactly), money
// is a string with two decimals ("2500000.00"), and unknown is the string "unknown".
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

// Count returns the quantity of n whole units. A count that is not positive is the caller's
// mistake, and is found by the checks of the statement that carries it.
func Count(n int64) Quantity { return Quantity{n, counted} }

// IsUnknown reports whether q is unknown.
func (q Quantity) IsUnknown() bool { return q.form == unknown }

// IsZero reports whether no quantity was given at all, which is not the same as unknown.
func (q Quantity) IsZero() bool { return q.form == absent }

// Number returns the whole units, or the hundredths for money, and false when q is unknown or
// absent. Numbers of the same [Unit] may be added.
func (q Quantity) Number() (int64, bool) { return q.n, q.form == counted || q.form == money }

// IsOne reports whether q is one thing, of which a sentence speaks as of one. Money never is.
func (q Quantity) IsOne() bool { return q == Count(1) }

// String returns "1200", "2500000.00" or "unknown".
func (q Quantity) String() string {
	switch q.form {
	case counted:
		return strconv.FormatInt(q.n, 10)
	case money:
		digits := fmt.Sprintf("%+04d", q.n) // sign, and three digits at least
		point := len(digits) - 2
		return strings.TrimPrefix(digits[:point]+"."+digits[point:], "+")
	case unknown:
		return "unknown"
	}
	return ""
}

// Of returns the quantity of n (as Number gives it) in the unit u. Unlike in a statement, n may be
// 0, or less, as in a difference.
func (u Unit) Of(n int64) Quantity {
	if u.IsMoney() {
		return Quantity{n, money}
	}
	return Quantity{n, counted}
}

// isWhole reports whether s is a whole number as it is written once: -?(0|[1-9][0-9]*).
func isWhole(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s == "0" || s != "" && s[0] != '0' && consists(s, isDigit)
}

// isAmount reports whether s is a whole number with two decimals.
func isAmount(s string) bool {
	whole, cents, _ := strings.Cut(s, ".")
	return isWhole(whole) && len(cents) == 2 && consists(cents, isDigit)
}

var errQuantity = remedy(
	`write a whole number from 1 to 9007199254740991, an amount of money as text with two decimals such as "2500000.00", or "unknown"`)

// ParseQuantity reads what String writes, for a quantity that may be pledged: a positive number or
// "unknown".
func ParseQuantity(s string) (Quantity, error) {
	q, err := readQuantity(s)
	if n, ok := q.Number(); err != nil || ok && (n < 1 || n > MaxCount) {
		return Quantity{}, errQuantity
	}
	return q, nil
}

// readQuantity reads what String writes, whatever its size and sign.
func readQuantity(s string) (Quantity, error) {
	form := counted
	switch {
	case s == "unknown":
		return Unknown, nil
	case isAmount(s):
		form, s = money, strings.Replace(s, ".", "", 1)
	case !isWhole(s):
		return Quantity{}, errQuantity
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return Quantity{}, errQuantity
	}
	return Quantity{n, form}, nil
}

// MarshalJSONTo writes a number for a count and a string for the rest.
func (q Quantity) MarshalJSONTo(enc *jsontext.Encoder) error {
	if q.form == counted {
		return enc.WriteToken(jsontext.Int(q.n))
	}
	return enc.WriteToken(jsontext.String(q.String()))
}

// UnmarshalJSONFrom reads a quantity of a statement, strictly: 1.5, 1e3, 0, -1, 9007199254740993
// and "1200" are refused.
func (q *Quantity) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	text := []byte(value)
	if value.Kind() == '"' {
		if text, err = jsontext.AppendUnquote(nil, value); err != nil {
			return err
		}
	}
	parsed, err := ParseQuantity(string(text))
	if err != nil {
		return err
	}
	if isNumber := value.Kind() == '0'; isNumber != (parsed.form == counted) {
		return errQuantity
	}
	*q = parsed
	return nil
}

// MarshalJSON is MarshalJSONTo for encoding/json, which the answers to readers are written with.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if q.form == counted {
		return strconv.AppendInt(nil, q.n, 10), nil
	}
	return strconv.AppendQuote(nil, q.String()), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. An answer, unlike a statement, may say that nothing
// is there: 0, or "" for a quantity that was not given.
func (q *Quantity) UnmarshalJSON(data []byte) (err error) {
	s := strings.Trim(string(data), `"`)
	if s == "" || s == "null" {
		*q = Quantity{}
		return nil
	}
	*q, err = readQuantity(s)
	return err
}
