package round

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"muster/events/phrase"
	"muster/ledger/intake/plan/strictyaml"
	"muster/ledger/intake/sheet"
)

// A Condition is about the cell that a row has in a column. Of the texts, one must fit, in any case
// of letters and with any spacing; the pattern is a regular expression (RE2), and takes the cell as
// it is.
type Condition struct {
	Column                   string
	Equals, Starts, Contains []string
	Matches                  *regexp.Regexp
	// Not makes it fit where it would not, and not where it would.
	Not bool
}

func (c *Condition) fits(cell string) bool {
	folded := sheet.Fold(cell)
	some := func(words []string, is func(cell, word string) bool) bool {
		return slices.ContainsFunc(words, func(w string) bool { return is(folded, sheet.Fold(w)) })
	}
	fits := some(c.Equals, func(cell, word string) bool { return cell == word }) ||
		some(c.Starts, strings.HasPrefix) || some(c.Contains, strings.Contains) ||
		c.Matches != nil && c.Matches.MatchString(cell)
	return fits != c.Not
}

// String says the condition for people: `mission contains "UNMIS"`, in the words of a mapping.
func (c *Condition) String() string {
	var how []string
	for _, one := range []struct {
		word  string
		texts []string
	}{{"equals", c.Equals}, {"starts", c.Starts}, {"contains", c.Contains}} {
		for _, text := range one.texts {
			how = append(how, fmt.Sprintf("%s %q", one.word, text))
		}
	}
	if c.Matches != nil {
		how = append(how, fmt.Sprintf("matches %q", c.Matches))
	}
	not := ""
	if c.Not {
		not = "not "
	}
	return strings.TrimSpace(c.Column + " " + not + strings.Join(how, " or "))
}

const howRemedy = "say how the cell is: equals, starts, contains (a text, or a list of them) or " +
	"matches (a regular expression)"

// readCondition reads {column: remark, contains: in reserve}.
func readCondition(v strictyaml.Value) Condition {
	m := v.Members("column", "equals", "starts", "contains", "matches", "not")
	c := Condition{Column: m["column"].Text(), Equals: m["equals"].Texts(),
		Starts: m["starts"].Texts(), Contains: m["contains"].Texts(),
		Matches: strictyaml.Parsed(m["matches"], parsePattern),
		Not:     strictyaml.Parsed(m["not"], parseTrue)}
	given := len(c.Equals) > 0 || len(c.Starts) > 0 || len(c.Contains) > 0
	if !given && !m["matches"].Given() {
		v.Fault(howRemedy)
	}
	return c
}

func parsePattern(s string) (*regexp.Regexp, error) {
	if len(s) > maxPattern {
		return nil, phrase.Errorf("longer than the %d bytes that a pattern may have", maxPattern)
	}
	p, err := regexp.Compile(s)
	if err != nil {
		return nil, phrase.Errorf("not a regular expression (RE2): %w", err)
	}
	if instructions(p) > maxInstructions {
		return nil, phrase.Errorf("too large a pattern: repeat less in it")
	}
	return p, nil
}

func parseTrue(s string) (bool, error) {
	if s != "true" {
		return false, phrase.Errorf("write true, or leave it out")
	}
	return true, nil
}

// A Rule sets fields of the rows that fit all of its conditions.
type Rule struct {
	When []Condition
	// Set has a value for each field. Where a condition has a pattern, $1 stands for what its first
	// group has matched.
	Set map[string]string
}

// String says when the rule holds.
func (r *Rule) String() string {
	all := make([]string, len(r.When))
	for i := range r.When {
		all[i] = r.When[i].String()
	}
	return strings.Join(all, ", ")
}

func readRule(file *strictyaml.File, v strictyaml.Value) Rule {
	m := v.Members("when", "set")
	r := Rule{Set: texts(m["set"].Members(fields...))}
	for _, when := range m["when"].OneOrMore() {
		c := readCondition(when)
		if c.Column == "" {
			when.Fault("say when: {column: remark, contains: in reserve}")
		}
		r.When = append(r.When, c)
	}
	if len(r.When) == 0 {
		file.FaultAt(v.At()+".when", "", "say when: {column: remark, contains: in reserve}")
	}
	if len(r.Set) == 0 {
		file.FaultAt(v.At()+".set", "", "say what: {presence: reserve}")
	}
	return r
}

// value is what a rule says of a field of a row whose cells fit its conditions.
func (r *Rule) value(field string, cells []string) string {
	text := r.Set[field]
	for i, c := range r.When {
		if c.Matches != nil && !c.Not && strings.Contains(text, "$") {
			at := c.Matches.FindStringSubmatchIndex(cells[i])
			return strings.TrimSpace(string(c.Matches.ExpandString(nil, text, cells[i], at)))
		}
	}
	return text
}
