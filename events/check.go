package events

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/events/phrase"
	"muster/events/problem"
)

// MaxText is the most characters that a free text of a statement may have.
const MaxText = 10_000

// maxTold is the most fields that one refusal tells, so that it does not outgrow the statement.
const maxTold = 50

// A checker gathers every field that is wrong, so that a liaison mends them all at once. The first
// finding on a member is the one that is told; what is wrong inside a member that is itself wrong
// is not.
type checker struct {
	fields []problem.Field
	told   map[string]bool
	within string // the member that the locations are in, with a dot, or ""
}

// in checks what is inside a member.
func (c *checker) in(member string, part interface{ check(*checker) }) {
	outer := c.within
	c.within += member + "."
	part.check(c)
	c.within = outer
}

func (c *checker) field(location, value, format string, args ...any) {
	location = c.within + location
	if len(c.fields) == maxTold || c.isTold(location) {
		return
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[location] = true
	c.fields = append(c.fields,
		problem.FieldOf(location, problem.Shorten(value), format, args...))
}

// isTold reports whether something was found at the location or at one that holds it: "roles[2]"
// and "roles" hold "roles[2].units[0]".
func (c *checker) isTold(location string) bool {
	for end := len(location); end > 0; end = strings.LastIndexAny(location[:end], ".[") {
		if c.told[location[:end]] {
			return true
		}
	}
	return false
}

// foreign returns the first character of s that is not ASCII. It is told, since А is easily taken
// for A.
func foreign(s string) (rune, bool) {
	for _, r := range s {
		if r > unicode.MaxASCII {
			return r, true
		}
	}
	return 0, false
}

const (
	slugRemedy phrase.Text = "write lower-case letters a-z, digits and, between them, hyphens, " +
		"at most 32"
	nationRemedy phrase.Text = "write the nation's three-letter code (ISO 3166-1) in capitals, " +
		"such as FRA"
	foreignNote = "holds %q (%U), which is none of the letters A to Z: "
)

func (c *checker) slug(location, value, example string) {
	if validSlug(value) {
		return
	}
	r, isForeign := foreign(value)
	switch lower := strings.ToLower(value); {
	case value == "":
		c.field(location, "", "missing: %s, such as %s", slugRemedy, example)
	case isForeign:
		c.field(location, value, foreignNote+"%s, such as %s", r, r, slugRemedy, example)
	case validSlug(lower):
		c.field(location, value, "write it in lower case: %s", lower)
	default:
		c.field(location, value, "%s, such as %s", slugRemedy, example)
	}
}

func (c *checker) nation(location string, n Nation) {
	if n.Valid() {
		return
	}
	meant, found := FindNation(string(n))
	r, isForeign := foreign(string(n))
	switch {
	case n == "":
		c.field(location, "", "missing: %s", nationRemedy)
	case found:
		c.field(location, string(n), "write it as %s", meant)
	case isForeign:
		c.field(location, string(n), foreignNote+"%s", r, r, nationRemedy)
	case strings.HasPrefix(strings.ToLower(string(n)), "x-"):
		c.field(location, string(n), "not an organisation's code: %s", organisationRemedy)
	default:
		c.field(location, string(n), "not a nation that is known here: %s", nationRemedy)
	}
}

func (c *checker) origin(location string, o Origin) {
	const remedy phrase.Text = "write the ledger's origin, such as muster.example/berlin"
	if o == "" {
		c.field(location, "", "missing: %s", remedy)
	} else if !o.Valid() {
		c.field(location, string(o), "not a ledger's origin: %s", remedy)
	}
}

// date checks a date that must be there. One that was read is within its bounds; one from Go code
// may not be.
func (c *checker) date(location string, d Date) {
	if d == 0 {
		c.field(location, "", "missing: write a date, such as 2026-11-23")
	}
	c.dateIfAny(location, d)
}

func (c *checker) dateIfAny(location string, d Date) {
	if d == 0 {
		return
	}
	if _, err := parseDate(d.String()); err != nil {
		c.field(location, d.String(), "%s", err)
	}
}

// instantIfAny checks an instant from Go code: one that was read is within its bounds.
func (c *checker) instantIfAny(location string, i Instant) {
	if i == 0 {
		return
	}
	if _, err := parseInstant(i.String()); err != nil {
		c.field(location, i.String(), "%s", err)
	}
}

func (c *checker) window(w Window) {
	c.date("from", w.From)
	c.dateIfAny("until", w.Until)
	if w.Until != 0 && w.Until < w.From {
		c.field("until", w.Until.String(),
			"the window ends before it begins: write %s or later, or leave until out for an "+
				"open window", w.From)
	}
}

func (c *checker) unit(location string, u Unit) {
	const remedy phrase.Text = "write a unit in lower-case letters, at most 20, such as " +
		"personnel, or a currency in capitals, such as EUR"
	if u == "" {
		c.field(location, "", "missing: %s", remedy)
	} else if !u.Valid() {
		c.field(location, string(u), "%s", remedy)
	}
}

// numberRemedy says how a number of a unit is written.
func numberRemedy(u Unit) phrase.Phrase {
	switch {
	case u.IsMoney() && !u.IsCurrency():
		return u.noCurrency()
	case u.IsMoney():
		return phrase.Of(`write an amount of money as text with two decimals, such as "2500000.00"`)
	}
	return phrase.Of("write a whole number from 1 on")
}

// amount checks a quantity and its unit together. Only pledges may leave a quantity unknown.
func (c *checker) amount(q Quantity, u Unit, mayBeUnknown bool) {
	remedy := numberRemedy(u)
	if mayBeUnknown {
		remedy = phrase.Of(`%s, or "unknown"`, remedy)
	}
	c.unit("unit", u)
	n, ok := q.Number()
	switch {
	case q.IsZero():
		c.field("quantity", "", "missing: %s", remedy)
	case q.IsUnknown() && !mayBeUnknown:
		c.field("quantity", "unknown", "must be known here: %s", remedy)
	case ok && n < 1:
		c.field("quantity", q.String(), "%s", remedy)
	case ok && n > MaxCount:
		c.field("quantity", q.String(), "at most %s", Quantity{MaxCount, q.form})
	case ok && u.Valid() && u.IsMoney() != (q.form == money):
		c.field("quantity", q.String(), "does not fit the unit %s: %s", u, remedy)
	}
}

// text checks free text: any language and sign, but no control characters besides new line and tab.
func (c *checker) text(location, s string) {
	if !utf8.ValidString(s) {
		c.field(location, s, "is not valid UTF-8: write it in UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > MaxText {
		c.field(location, s, "has %d characters: write at most %d", n, MaxText)
	}
	if i := strings.IndexFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f
	}); i >= 0 {
		c.field(location, s, "holds the control character %U: leave it out", s[i])
	}
}

func (c *checker) title(location, s string) {
	if strings.TrimSpace(s) == "" {
		c.field(location, "", "missing: write a few words")
	}
	c.text(location, s)
}

// id checks the id of a statement made before, which what says.
func (c *checker) id(location string, id ID, what phrase.Text) {
	if id.IsZero() {
		c.field(location, "", "missing: write the id of the statement %s", what)
	}
}

// oneOf checks a value of a closed set.
func (c *checker) oneOf(location, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	if value == "" {
		c.field(location, value, "missing: write one of: %s", strings.Join(allowed, ", "))
	}
	c.field(location, value, "write one of: %s", strings.Join(allowed, ", "))
}

func (c *checker) root(location string, s *Seen) {
	if !isHash(s.Root) {
		c.field(location+".root", s.Root,
			"write the root hash of the checkpoint, 32 bytes in base 64")
	}
	if s.Size < 1 || s.Size > MaxCount {
		c.field(location+".size", fmt.Sprint(s.Size),
			"write the number of records in the checkpoint, from 1 on")
	}
}

// isHash tells 32 bytes in canonical base 64.
func isHash(s string) bool {
	hash, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(hash) == 32 && canonicalBase64(s) == s
}
