package sheet

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"muster/events/phrase"
	"muster/events/problem"
)

// Shown is how many places of one cause are told one by one.
const Shown = 20

// Faults gathers what is wrong in a file's rows, and tells one cause once: a missing operation in
// 8,464 rows is one message. The zero Faults is ready for use.
type Faults struct {
	causes []*cause
	by     map[[2]string]*cause
}

// A cause is the same message about the same field of one or more rows.
type cause struct {
	field   string
	message phrase.Phrase
	rows    int
	first   []causedAt
}

// A causedAt is a row that has a cause, and what it has there.
type causedAt struct {
	place phrase.Phrase
	value string
}

// Add records what is wrong with a field of the row at a place, as [Row.Place] says it. The field
// has no location where the whole row is meant.
func (f *Faults) Add(place phrase.Phrase, wrong problem.Field) {
	key := [2]string{wrong.Location, wrong.Message}
	c := f.by[key]
	if c == nil {
		if f.by == nil {
			f.by = map[[2]string]*cause{}
		}
		c = &cause{field: wrong.Location, message: wrong.Said()}
		f.by[key] = c
		f.causes = append(f.causes, c)
	}
	if c.rows++; c.rows <= Shown {
		c.first = append(c.first, causedAt{place, wrong.Value})
	}
}

// Fields returns a field for each cause, those that have most rows in front, and one that counts
// the causes which are too many to be told.
func (f *Faults) Fields() []problem.Field {
	sorted := slices.Clone(f.causes)
	slices.SortStableFunc(sorted, func(a, b *cause) int { return cmp.Compare(b.rows, a.rows) })
	var fields []problem.Field
	rows := 0
	for i, c := range sorted {
		if i < Shown {
			fields = append(fields, c.told())
		} else {
			rows += c.rows
		}
	}
	if rows > 0 {
		further := phrase.Of("%d rows are wrong for %d other causes", rows, len(sorted)-Shown)
		if rows == 1 {
			further = phrase.Of("1 row is wrong for another cause")
		}
		fields = append(fields, problem.FieldAt(phrase.Of("further lines"), "", further))
	}
	return fields
}

// Err returns the causes as one [problem.Problem] of kind Invalid, or nil.
func (f *Faults) Err() error { return problem.OfFields(f.Fields()) }

// told is the field of a cause: of one row, with its place in front; of several, with their places
// behind the message, and with their values where these differ.
func (c *cause) told() problem.Field {
	one := c.first[0]
	if c.rows == 1 {
		at := one.place
		if c.field != "" {
			at = phrase.Of("%s: %s", at, c.field)
		}
		return problem.FieldAt(at, one.value, c.message)
	}
	same := !slices.ContainsFunc(c.first, func(at causedAt) bool { return at.value != one.value })
	places := make([]string, len(c.first))
	for i, at := range c.first {
		places[i] = strings.TrimPrefix(at.place.String(), "line ")
		if !same && at.value != "" {
			places[i] += " " + strconv.QuoteToGraphic(at.value)
		}
	}
	lines, value := strings.Join(places, ", "), ""
	if same {
		value = one.value
	}
	message := phrase.Of("%s (%d rows: lines %s)", c.message, c.rows, lines)
	if more := c.rows - len(c.first); more > 0 {
		message = phrase.Of("%s (%d rows: lines %s, and %d more)", c.message, c.rows, lines, more)
	}
	if c.field == "" {
		return problem.FieldAt(phrase.Of("rows"), value, message)
	}
	return problem.FieldSaid(c.field, value, message)
}
