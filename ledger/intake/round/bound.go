package round

import (
	"regexp"
	"regexp/syntax"

	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// A Bound is how much work a table and its mapping may make together, for who reads them for
// somebody else: a short mapping can ask for work without end. What is zero is not bounded.
type Bound struct {
	// Cells are the most that the columns of a wide table become.
	Cells int
	// Steps are the most looks at a byte of a cell, where each condition, each form of dates and
	// each value that a rule sets looks at all cells.
	Steps int64
	// Ended says why nobody waits for the rows any more, nil while somebody does. It is asked
	// between rows.
	Ended func() error
}

// ended is why nobody waits for the rows any more, nil while somebody does.
func (b Bound) ended() error {
	if b.Ended == nil {
		return nil
	}
	return b.Ended()
}

// check refuses a table with which the mapping is too much work.
func (b Bound) check(t *sheet.Table, m *Mapping) error {
	if b.Steps == 0 {
		return nil
	}
	size := int64(0)
	for _, r := range t.Rows {
		for _, cell := range r.Cells {
			size += int64(len(cell)) + 1
		}
	}
	if steps := m.steps(); steps > 0 && size > b.Steps/steps {
		return problem.New(problem.TooLarge, "the table has %d bytes in its cells, and the "+
			"conditions, rules and dates of the mapping are too many for so long a table", size).
			WithHint("split the file; or leave out what the mapping need not say")
	}
	return nil
}

// steps are the looks that a mapping takes at each byte, as far as they may add up.
func (m *Mapping) steps() (n int64) {
	const ofDate = 16
	of := func(c *Condition) {
		n++
		for _, words := range [][]string{c.Equals, c.Starts, c.Contains} {
			for _, w := range words {
				n += int64(len(w))
			}
		}
		if c.Matches != nil {
			n += int64(instructions(c.Matches))
		}
	}
	for i := range m.Skip.Rows {
		of(&m.Skip.Rows[i])
	}
	for i := range m.Only {
		of(&m.Only[i])
	}
	for _, r := range m.Rules {
		for i := range r.When {
			of(&r.When[i])
		}
		for _, value := range r.Set {
			n += int64(len(value))
		}
	}
	return n + ofDate*int64(len(m.Dates))
}

// What a pattern may have at most: (a?){1000} is short, and a program of thousands of instructions
// each of which may be tried at each byte.
const (
	maxPattern      = 1000 // bytes
	maxInstructions = 2000
)

// instructions returns how long the program of a pattern is.
func instructions(p *regexp.Regexp) int {
	parsed, err := syntax.Parse(p.String(), syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}
