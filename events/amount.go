package events

import (
	"regexp"
	"strconv"
	"strings"
)

// An Amount is how much is pledged, as people say it: a quantity; or, where the quantity is
// unknown, what is known of it all the same.
//
//	as people say it      quantity  least  most
//	1200                  1200
//	unknown               unknown
//	10 to 14              unknown   10     14
//	at least 4            unknown   4
//	up to 18              unknown          18
//	around 7000           unknown   7000   7000
//
// So a sum counts no more than what is sure, and what is unknown is never 0.
type Amount struct {
	Quantity    Quantity
	Least, Most Quantity // zero where it was not said
}

// IsZero reports whether nothing was said at all.
func (a Amount) IsZero() bool { return a == Amount{} }

// Sure returns the whole units, or hundredths of money, of which an amount is at the least, false
// where that is not known.
func (a Amount) Sure() (n int64, known bool) {
	if n, known = a.Quantity.Number(); known {
		return n, true
	}
	return a.Least.Number()
}

// OnTop returns how much may come on top of what is sure; open says that nobody has said how much.
func (a Amount) OnTop() (n int64, open bool) {
	least, isLeast := a.Least.Number()
	most, isMost := a.Most.Number()
	switch {
	case !isLeast:
		return 0, false
	case !isMost:
		return 0, true
	}
	return most - least, false
}

// String writes the amount as [ParseAmount] reads it: "1200", "10 to 14", "at least 4", "up to 18",
// "around 7000", "unknown".
func (a Amount) String() string { return a.Say(Quantity.String) }

// Say writes the amount as String does, each quantity as a function writes it.
func (a Amount) Say(write func(Quantity) string) string {
	least, most := !a.Least.IsZero(), !a.Most.IsZero()
	switch {
	case least && most && a.Least == a.Most:
		return "around " + write(a.Least)
	case least && most:
		return write(a.Least) + " to " + write(a.Most)
	case least:
		return "at least " + write(a.Least)
	case most:
		return "up to " + write(a.Most)
	}
	return write(a.Quantity)
}

// In returns the amount as it is counted in a unit: of money, what was written without decimals is
// whole units of the currency.
func (a Amount) In(u Unit) Amount {
	return Amount{a.Quantity.in(u), a.Least.in(u), a.Most.in(u)}
}

func (q Quantity) in(u Unit) Quantity {
	if u.IsMoney() && q.form == counted && q.n <= MaxCount/100 && q.n >= -MaxCount/100 {
		return Quantity{q.n * 100, money}
	}
	return q
}

var errAmount = remedy(
	`write a whole number from 1 on, an amount of money such as 2500000.00, "10 to 14", ` +
		`"at least 4", "up to 18", "around 7000", or "unknown"`)

var errTurned = remedy("the first of the two is the greater: write the lower one first")

// The ways in which people say an amount, each with the number in the place of #, in English and
// French.
var (
	saysRange = amountForm(`#\s*-\s*#`, `#\s+to\s+#`, `from\s+#\s+to\s+#`, `between\s+#\s+and\s+#`,
		`de\s+#\s+à\s+#`, `#\s+à\s+#`, `entre\s+#\s+et\s+#`)
	saysMost = amountForm(`up\s+to\s+#`, `at\s+most\s+#`, `max(?:imum|\.)?\s*#`, `<=\s*#`, `≤\s*#`,
		`no\s+more\s+than\s+#`, `jusqu'à\s+#`, `au\s+plus\s+#`)
	saysLeast = amountForm(`at\s+least\s+#`, `min(?:imum|\.)?\s*#`, `>=\s*#`, `≥\s*#`, `#\s*\+`,
		`#\s+or\s+more`, `no\s+less\s+than\s+#`, `au\s+moins\s+#`)
	saysAround = amountForm(`around\s+#`, `about\s+#`, `approx(?:imately|\.)?\s*#`, `circa\s+#`,
		`ca?\.?\s*#`, `[~≈±]\s*#`, `environ\s+#`)
	saysUnknown = amountForm(`unknown`, `not\s+known`, `inconnu`)
	saysOne     = amountForm(`#`)
)

// amountForm makes the pattern of some ways to say an amount.
func amountForm(forms ...string) *regexp.Regexp {
	const number = `([0-9][0-9.,' ]*[0-9]|[0-9])`
	return regexp.MustCompile(`^(?:` +
		strings.ReplaceAll(strings.Join(forms, "|"), "#", number) + `)$`)
}

// likeASCII writes what people type beside the letters as the patterns have it.
var likeASCII = strings.NewReplacer("\u2013", "-", "\u2014", "-", "\u2212", "-", "\u2011", "-",
	"\u2019", "'", "\u00a0", " ", "\u202f", " ", "\u2009", " ")

// ParseAmount reads an amount as people write it, in English or French and in any case: see
// [Amount]. Digits may stand in threes, parted by commas, apostrophes or spaces; of money, two
// decimals may follow a point. It is for what people type and for files to import: a statement
// holds the members quantity, least and most. What is written without decimals is a count; in a
// currency, [Amount.In] makes money of it.
func ParseAmount(s string) (Amount, error) {
	s = strings.ToLower(strings.TrimSpace(likeASCII.Replace(s)))
	numbers := func(form *regexp.Regexp) []string {
		var all []string
		for _, n := range form.FindStringSubmatch(s)[1:] {
			if n != "" {
				all = append(all, n)
			}
		}
		return all
	}
	a, err := Amount{Quantity: Unknown}, error(nil)
	switch {
	case saysUnknown.MatchString(s):
	case saysOne.MatchString(s):
		a.Quantity, err = parseGrouped(s)
	case saysRange.MatchString(s):
		n := numbers(saysRange)
		if a.Most, err = parseGrouped(n[1]); err == nil && n[0] != "0" {
			a.Least, err = parseGrouped(n[0])
		}
		a.Least, a.Most = alike(a.Least, a.Most)
	case saysMost.MatchString(s):
		a.Most, err = parseGrouped(numbers(saysMost)[0])
	case saysLeast.MatchString(s):
		a.Least, err = parseGrouped(numbers(saysLeast)[0])
	case saysAround.MatchString(s):
		a.Least, err = parseGrouped(numbers(saysAround)[0])
		a.Most = a.Least
	default:
		err = errAmount
	}
	switch {
	case err != nil:
		return Amount{}, errAmount
	case !a.Most.IsZero() && a.Most.n < a.Least.n:
		return Amount{}, errTurned
	}
	return a, nil
}

// alike makes money of both where one is.
func alike(a, b Quantity) (Quantity, Quantity) {
	if (a.form == money || b.form == money) && a.form != b.form {
		return a.in("EUR"), b.in("EUR")
	}
	return a, b
}

// parseGrouped reads a positive number whose digits may stand in threes: "7,000", "4 000 000.00".
func parseGrouped(s string) (Quantity, error) {
	whole, cents, hasCents := strings.Cut(s, ".")
	for _, between := range []string{",", "'", " "} {
		if groups := strings.Split(whole, between); len(groups) > 1 {
			if !areThrees(groups) {
				return Quantity{}, errAmount
			}
			whole = strings.Join(groups, "")
			break
		}
	}
	if !consists(whole, isDigit) {
		return Quantity{}, errAmount
	}
	if n, err := strconv.ParseUint(whole, 10, 64); err == nil {
		whole = strconv.FormatUint(n, 10) // without zeros in front
	}
	if hasCents {
		if len(cents) == 1 {
			cents += "0"
		}
		whole += "." + cents
	}
	return ParseQuantity(whole)
}

// areThrees reports whether digits are grouped in threes, as a number is.
func areThrees(groups []string) bool {
	for i, g := range groups {
		if !consists(g, isDigit) || i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3) {
			return false
		}
	}
	return true
}

// A Measure is how much of something there is, as a sentence has it: in English the text, and in
// other languages what their words make of the amount and the unit, "" for the digits alone.
type Measure struct {
	Amount
	Unit Unit
	Text string
}

// String returns the measure in English.
func (m Measure) String() string { return m.Text }
