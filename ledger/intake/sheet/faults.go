package sheet

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/events/english"
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
	field, message string
	rows           int
	first          []problem.Field // the first of them, each with its row's place and value
}

// Add records what is wrong with a field of the row at a place, as [Row.Place] says it. The field
// has no location where the whole row is meant.
func (f *Faults) Add(place string, wrong problem.Field) {
	key := [2]string{wrong.Location, wrong.Message}
	c := f.by[key]
	if c == nil {
		if f.by == nil {
			f.by = map[[2]string]*cause{}
		}
		c = &cause{field: wrong.Location, message: wrong.Message}
		f.by[key] = c
		f.causes = append(f.causes, c)
	}
	if c.rows++; c.rows <= Shown {
		c.first = append(c.first, problem.Field{Location: place, Value: wrong.Value})
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
		fields = append(fields, problem.Field{Location: "further lines", Message: fmt.Sprintf(
			"%s are wrong for %d other causes", english.Several(rows, "row"),
			len(sorted)-Shown)})
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
		at := one.Location
		if c.field != "" {
			at += ": " + c.field
		}
		return problem.Field{Location: at, Value: one.Value, Message: c.message}
	}
	same := !slices.ContainsFunc(c.first, func(f problem.Field) bool {
		return f.Value != one.Value
	})
	places := make([]string, len(c.first))
	for i, f := range c.first {
		places[i] = strings.TrimPrefix(f.Location, "line ")
		if !same && f.Value != "" {
			places[i] += " " + strconv.QuoteToGraphic(f.Value)
		}
	}
	if more := c.rows - len(c.first); more > 0 {
		places = append(places, fmt.Sprintf("and %d more", more))
	}
	told := problem.Field{Location: cmp.Or(c.field, "rows"),
		Message: fmt.Sprintf("%s (%s: lines %s)", c.message, english.Several(c.rows, "row"),
			strings.Join(places, ", "))}
	if same {
		told.Value = one.Value
	}
	return told
}
