package events

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"muster/events/problem"
)

// MaxText is the most characters that a free text of a statement may have.
const MaxText = 10_000

// A checker gathers every field that is wrong, so that a liaison mends them all at once.
// Locations are unique: the first finding on a member is the one that is told.
type checker struct {
	fields []problem.Field
	seen   map[string]bool
}

func (c *checker) field(location, value, format string, args ...any) {
	if c.seen[location] {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[location] = true
	c.fields = append(c.fields, problem.Field{Location: location, Message: fmt.Sprintf(format, args...), Value: shorten(value)})
}

// shorten keeps a value that was refused from filling the refusal.
func shorten(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func (c *checker) slug(location, value, example string) {
	if value == "" {
		c.field(location, "", "missing: %s%s", slugRemedy, example)
	} else if !validSlug(value) {
		c.field(location, value, "%s%s", slugRemedy, example)
	}
}

func (c *checker) origin(location string, o Origin) {
	if !o.Valid() {
		c.field(location, string(o), "write the ledger's origin, such as muster.example/berlin")
	}
}

func (c *checker) nation(location string, n Nation) {
	switch upper := Nation(strings.ToUpper(string(n))); {
	case n == "":
		c.field(location, "", "missing: write the nation's three-letter code (ISO 3166-1), such as FRA")
	case n.Known():
	case upper.Known():
		c.field(location, string(n), "write the code in capitals: %s", upper)
	default:
		c.field(location, string(n), "not a nation that is known here: write its three-letter code (ISO 3166-1) in capitals, such as FRA")
	}
}

func (c *checker) date(location string, d Date) {
	if d == 0 {
		c.field(location, "", "missing: write a date, such as 2026-11-23")
	}
}

func (c *checker) window(w Window) {
	c.date("from", w.From)
	if w.Until != 0 && w.Until < w.From {
		c.field("until", w.Until.String(), "ends before it begins: write a date from %s on, or leave it out for an open end", w.From)
	}
}

func (c *checker) unit(location string, u Unit) {
	if u == "" {
		c.field(location, "", "missing: write the role's unit, such as personnel")
	} else if !u.Valid() {
		c.field(location, string(u), "write a unit in lower-case letters, such as personnel, or a currency, such as EUR")
	}
}

// amount checks a quantity and its unit together. Only pledges may leave a quantity unknown.
func (c *checker) amount(q Quantity, u Unit, mayBeUnknown bool) {
	c.unit("unit", u)
	n, ok := q.Number()
	switch {
	case q.IsZero():
		c.field("quantity", "", "missing: write a whole number from 1 on%s", orUnknown(mayBeUnknown))
	case q.IsUnknown() && !mayBeUnknown:
		c.field("quantity", "unknown", "must be known here: write a whole number from 1 on")
	case ok && n < 1:
		c.field("quantity", q.String(), "write a whole number from 1 on%s", orUnknown(mayBeUnknown))
	case ok && n > MaxCount:
		c.field("quantity", q.String(), "at most %d", int64(MaxCount))
	case ok && u.Valid() && u.IsMoney() != (q.form == money):
		if u.IsMoney() {
			c.field("quantity", q.String(), `money is text with two decimals: "%s.00"`, q)
		} else {
			c.field("quantity", q.String(), "%s are counted in whole numbers", u)
		}
	}
}

func orUnknown(may bool) string {
	if may {
		return `, or "unknown"`
	}
	return ""
}

// text checks free text: any language and sign, but no control characters besides new line and tab.
func (c *checker) text(location, s string) {
	if n := utf8.RuneCountInString(s); n > MaxText {
		c.field(location, s, "has %d characters: at most %d", n, MaxText)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
		c.field(location, s, "holds the control character %U: leave it out", s[i])
	}
}

func (c *checker) title(location, s string) {
	if strings.TrimSpace(s) == "" {
		c.field(location, "", "missing: write a few words")
	}
	c.text(location, s)
}

func (c *checker) id(location string, id ID) {
	if id.IsZero() {
		c.field(location, "", "missing: write the id that the pledge was offered with")
	}
}

func (c *checker) oneOf(location, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	c.field(location, value, "write one of: %s", strings.Join(allowed, ", "))
}

func (c *checker) root(location string, s *Seen) {
	root, err := base64.StdEncoding.DecodeString(s.Root)
	if err != nil || len(root) != 32 {
		c.field(location+".root", s.Root, "write the root hash of the checkpoint, 32 bytes in base 64")
	}
	if s.Size < 1 {
		c.field(location+".size", fmt.Sprint(s.Size), "write the number of records in the checkpoint, from 1 on")
	}
}
