package round

import (
	"math/big"
	"regexp"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/ledger/intake/plan/strictyaml"
)

// Numbers say how the cells of a file write numbers. The zero Numbers take 1200 and 1200.50, and
// refuse 1,200 and 1.200, which may be twelve hundred or a little more than one.
type Numbers struct {
	// Decimal is the mark before decimals, and Thousands the one between groups of three digits;
	// a space stands for those of any width.
	Decimal, Thousands string
	// Times is what the file's numbers are multiplied by, exactly; nil for 1.
	Times *big.Rat
}

// readNumbers reads the keys decimal, thousands and times.
func readNumbers(v map[string]strictyaml.Value) Numbers {
	n := Numbers{Decimal: v["decimal"].Raw(), Thousands: v["thousands"].Raw(),
		Times: strictyaml.Parsed(v["times"], parseTimes)}
	if n.Decimal != "" && n.Decimal != "." && n.Decimal != "," {
		v["decimal"].Fault(`write "." or ","`)
	}
	switch n.Thousands {
	case "", ".", ",", "'", " ":
		if n.Thousands != "" && n.Thousands == n.Decimal {
			v["thousands"].Fault("is the decimal mark, too")
		}
	default:
		v["thousands"].Fault(`write ",", ".", "'" or " "`)
	}
	return n
}

var timesForm = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?$`)

func parseTimes(s string) (*big.Rat, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok || !timesForm.MatchString(s) || r.Sign() <= 0 {
		return nil, phrase.Errorf("write what the numbers are multiplied by, such as 1000 or 1e9")
	}
	return r, nil
}

// spaces are written for one another, and signs too.
var spaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "’", "'",
	"−", "-")

// An amount is a cell of numbers as it was read.
type amount struct {
	blank    bool
	isNumber bool
	sign     int
	number   *big.Rat
}

// What is wrong with a number, and what to do about it in a mapping, or in a form.
var (
	errWords = remedies("not a number in digits: say what it stands for under words or in a rule, "+
		"such as set: {quantity: unknown}", "not a number in digits: "+asInForm)
	errComma = remedies("a comma may part thousands or begin decimals, and the mapping does not "+
		"say which: thousands: \",\" or decimal: \",\"",
		"a comma may part thousands or begin decimals: "+inDigits)
	errPoint = remedies("a point may part thousands or begin decimals, and the mapping does not "+
		"say which: thousands: \".\" or decimal: \".\"",
		"a point may part thousands or begin decimals: "+inDigits)
	errSpace = remedies("has a space among its digits: if it parts thousands, say in the mapping "+
		"thousands: \" \"", "has a space among its digits: "+inDigits)
	errApostrophe = remedies("has an apostrophe among its digits: if it parts thousands, say in "+
		"the mapping thousands: \"'\"", "has an apostrophe among its digits: "+inDigits)
	errGroups = remedies("its thousands are not parted after every three digits: mend the cell, "+
		"or what the mapping says of decimal and thousands",
		"its thousands are not parted after every three digits: "+inDigits)
	errZero = remedies("is 0, and a pledge of nothing is none: if such rows are to be left out, "+
		"say in the mapping skip: zero", "is 0, and a pledge of nothing is none: "+takeBack)
	errNegative = remedies("is less than 0, and a pledge is of something: if it takes something "+
		"off another row, say in the mapping negative: reduce; if such rows are to be left out, "+
		"skip: negative", "is less than 0, and a pledge is of something: write how much it is "+
		"now; "+takeBack)
	errBlank = remedies("the cell is empty: write how much, or unknown; if such rows are to be "+
		"left out, say in the mapping skip: blank", "the cell is empty: write how much, or "+
		"unknown; "+takeBack)
	errHalf    = everywhere("comes to no whole number")
	errCents   = everywhere("comes to fractions of a cent: round it first")
	errTooMany = everywhere("comes to more than 9007199254740991")
)

var (
	plainNumber  = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	digitsMarks  = regexp.MustCompile(`^[0-9][0-9., ']*$`)
	pointOrGroup = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{3}$`)
	groups       = regexp.MustCompile(`^[0-9]{1,3}([^0-9][0-9]{3})+(\.[0-9]+)?$`)
)

// plus stands between the cells of several columns, which are added up.
const plus = " + "

// read reads a number as the file writes it, and multiplies it; or adds up several.
func (n Numbers) read(text string) (a amount, err error) {
	first, others, several := strings.Cut(text, plus)
	if !several {
		return n.one(text)
	}
	if a, err = n.one(first); err != nil {
		return a, err
	}
	rest, err := n.read(others)
	if err != nil {
		return rest, err
	}
	sum := new(big.Rat).Add(a.number, rest.number)
	return amount{isNumber: true, sign: sum.Sign(), number: sum}, nil
}

func (n Numbers) one(text string) (a amount, err error) {
	s := strings.TrimSpace(spaces.Replace(text))
	if s == "" {
		return amount{blank: true}, errBlank
	}
	s, negative := strings.CutPrefix(s, "-")
	const longest = 40
	if !digitsMarks.MatchString(s) || len(s) > longest {
		return a, errWords
	}
	if s, err = n.plain(s); err != nil {
		return a, err
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return a, errWords
	}
	if negative {
		r.Neg(r)
	}
	if n.Times != nil {
		r.Mul(r, n.Times)
	}
	return amount{isNumber: true, sign: r.Sign(), number: r}, nil
}

// plain turns digits with the file's marks into those of 1234.5.
func (n Numbers) plain(s string) (string, error) {
	unsaid := n.Decimal == "" && n.Thousands != ","
	if n.Decimal == "," {
		s = strings.NewReplacer(",", ".", ".", ",").Replace(s)
	}
	thousands := n.Thousands
	if n.Decimal == "," && thousands == "." {
		thousands = ","
	}
	if thousands == "." { // and no decimal mark is said: decimals have none
		s, thousands = strings.ReplaceAll(s, ".", "|"), "|"
	}
	if thousands != "" && strings.Contains(s, thousands) {
		if !groups.MatchString(s) {
			return "", errGroups
		}
		s = strings.ReplaceAll(s, thousands, "")
	} else if unsaid && pointOrGroup.MatchString(s) {
		return "", errPoint
	}
	switch {
	case plainNumber.MatchString(s):
		return s, nil
	case strings.Contains(s, " "):
		return "", errSpace
	case strings.Contains(s, "'"):
		return "", errApostrophe
	case strings.Contains(s, ",") && n.Decimal != ",":
		return "", errComma
	case strings.Contains(s, ",") || strings.Count(s, ".") > 1:
		return "", errPoint
	}
	return "", errWords
}

// quantity reads a quantity in the unit: a whole number; for money an amount; or "unknown".
func (n Numbers) quantity(text string, u events.Unit) (events.Quantity, error) {
	if strings.EqualFold(text, "unknown") {
		return events.Unknown, nil
	}
	a, err := n.read(text)
	if err != nil {
		return events.Quantity{}, err
	}
	return a.of(u)
}

// of returns the amount as a quantity in the unit.
func (a amount) of(u events.Unit) (events.Quantity, error) {
	if a.sign == 0 {
		return events.Quantity{}, errZero
	}
	if a.sign < 0 {
		return events.Quantity{}, errNegative
	}
	q, err := a.size(u)
	if err == nil {
		if _, bad := events.ParseQuantity(q.String()); bad != nil {
			return events.Quantity{}, errTooMany
		}
	}
	return q, err
}

// off returns what is taken off, nothing where nothing is.
func (a amount) off(u events.Unit) (events.Quantity, error) {
	if a.number == nil {
		return events.Quantity{}, nil
	}
	return a.size(u)
}

// size returns the amount, whatever its sign.
func (a amount) size(u events.Unit) (events.Quantity, error) {
	n, fraction := new(big.Rat).Set(a.number), errHalf
	if u.IsMoney() {
		n.Mul(n, big.NewRat(100, 1))
		fraction = errCents
	}
	switch {
	case !n.IsInt():
		return events.Quantity{}, fraction
	case !n.Num().IsInt64():
		return events.Quantity{}, errTooMany
	}
	return u.Of(n.Num().Int64()), nil
}
