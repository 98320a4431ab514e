package projections

import (
	"errors"
	"fmt"

	"muster/events"
)

// storedForm is the version of the saved form. Whoever changes the type row, or what coder.row does
// with it, raises it, and every saved file is thrown away and built anew from the source.
const storedForm = 4

var errSegment = errors.New("the saved rows are damaged")

// A segment is rows in their saved form.
type segment struct {
	rows int
	data []byte
}

func encodeRows(rows []row) segment {
	c := newWriter(72 * len(rows))
	for i := range rows {
		c.row(&rows[i])
	}
	return segment{len(rows), c.data}
}

// decodeRows appends the rows of a segment.
func decodeRows(rows []row, data []byte) ([]row, error) {
	c := newReader(data)
	for len(c.data) > 0 {
		rows = append(rows, row{})
		if c.row(&rows[len(rows)-1]); c.failed {
			return rows, fmt.Errorf("%w at row %d of a segment", errSegment, len(rows))
		}
	}
	return rows, nil
}

// row writes a row, or reads one, so that the two cannot be different. Members that most rows have
// come first.
func (c *coder) row(r *row) {
	c.begin()
	c.time(&r.Recorded)
	c.word((*string)(&r.Type))
	c.word(&r.Signer)
	c.date(&r.Effective)
	c.word((*string)(&r.Operation))
	c.word((*string)(&r.Nation))
	c.id(&r.Thing)
	c.id(&r.Statement)
	c.count(&r.Number)
	c.word((*string)(&r.Unit))
	c.word(&r.Text)
	c.word((*string)(&r.Role))
	c.word((*string)(&r.Area))
	c.date(&r.From)
	c.date(&r.Until)
	c.truth(&r.New)
	c.ofPledge(r)
	c.ofPlan(r)
	c.end()
}

func (c *coder) ofPledge(r *row) {
	c.word(&r.Source)
	c.word((*string)(&r.Presence))
	c.word((*string)(&r.Release))
	c.truth(&r.Unknown)
	if c.has(r.Notice != nil) {
		if c.reading {
			r.Notice = new(int)
		}
		integer(c, r.Notice)
	}
	c.date(&r.Expires)
	c.id(&r.Predecessor)
	c.id(&r.Successor)
	if c.has(r.Elsewhere != nil) {
		each(c, &r.Elsewhere, c.plain)
	}
	c.id(&r.Corrects)
	c.truth(&r.Struck)
	c.word(&r.Reason)
	c.id(&r.Allocation)
	c.word((*string)(&r.Line))
	c.word((*string)(&r.Kind))
	c.word(&r.Title)
}

func (c *coder) ofPlan(r *row) {
	priority := int64(r.Priority)
	c.count(&priority)
	r.Priority = int(priority)
	c.truth(&r.Essential)
	if c.has(r.Roles != nil) {
		each(c, &r.Roles, func(role *rowRole) {
			c.plain((*string)(&role.Role))
			c.plain(&role.Title)
			each(c, &role.Units, func(unit *events.Unit) { c.plain((*string)(unit)) })
		})
	}
	c.truth(&r.Unlimited)
	c.word((*string)(&r.Key))
	c.word((*string)(&r.Member))
	c.word((*string)(&r.Origin))
}
