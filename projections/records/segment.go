package records

import (
	"errors"
	"fmt"

	"muster/events"
)

// Form is the version of the saved form. A change of the type Row, or of what [Codec.Row] does with
// it, must raise it: then every saved file is thrown away and built anew from the source.
const Form = 5

// ErrDamaged is in the chain of the error of a segment that is not what was written.
var ErrDamaged = errors.New("the saved rows are damaged")

// A Segment is rows in their saved form.
type Segment struct {
	Rows int
	Data []byte
}

// Encode returns the segment of rows.
func Encode(rows []Row) Segment {
	c := NewWriter(72 * len(rows))
	for i := range rows {
		c.Row(&rows[i])
	}
	return Segment{len(rows), c.data}
}

// Decode appends the rows of a segment.
func Decode(rows []Row, data []byte) ([]Row, error) {
	c := NewReader(data)
	for len(c.data) > 0 {
		rows = append(rows, Row{})
		if c.Row(&rows[len(rows)-1]); c.failed {
			return rows, fmt.Errorf("%w at row %d of a segment", ErrDamaged, len(rows))
		}
	}
	return rows, nil
}

// DecodeInto makes a batch of a segment, of whose first row the sequence is given.
func DecodeInto(in *Buffer, first uint64, data []byte) Batch {
	b := Batch{First: first, buffer: in}
	b.Rows, b.Err = Decode(in.rows[:0], data)
	in.rows = b.Rows
	return b
}

// Row writes a row, or reads one, so that the two cannot be different. Members that most rows have
// come first.
func (c *Codec) Row(r *Row) {
	c.Begin()
	c.time(&r.Recorded)
	c.Word((*string)(&r.Type))
	c.Word(&r.Signer)
	c.Date(&r.Effective)
	c.Word((*string)(&r.Operation))
	c.Word((*string)(&r.Nation))
	c.ID(&r.Thing)
	c.ID(&r.Statement)
	c.Count(&r.Number)
	c.Word((*string)(&r.Unit))
	c.Word(&r.Text)
	c.Word((*string)(&r.Role))
	c.Word((*string)(&r.Area))
	c.Date(&r.From)
	c.Date(&r.Until)
	c.truth(&r.New)
	c.ofPledge(r)
	c.ofPlan(r)
	c.End()
}

func (c *Codec) ofPledge(r *Row) {
	c.Word(&r.Source)
	c.Word((*string)(&r.Presence))
	c.Word((*string)(&r.Release))
	c.truth(&r.Unknown)
	if c.Has(r.Notice != nil) {
		if c.reading {
			r.Notice = new(int)
		}
		Integer(c, r.Notice)
	}
	c.Date(&r.Expires)
	c.ID(&r.Predecessor)
	c.ID(&r.Successor)
	if c.Has(r.Elsewhere != nil) {
		Each(c, &r.Elsewhere, c.Plain)
	}
	if c.Has(r.To != nil) {
		Each(c, &r.To, func(n *events.Nation) { c.Plain((*string)(n)) })
	}
	if c.Has(r.Standing != nil) {
		if c.reading {
			r.Standing = new(Standing)
		}
		c.standing(r.Standing)
	}
	c.ID(&r.Corrects)
	c.truth(&r.Struck)
	c.Word(&r.Reason)
	c.ID(&r.Allocation)
	c.Word((*string)(&r.Line))
	c.Word((*string)(&r.Kind))
	c.Word(&r.Title)
}

func (c *Codec) standing(s *Standing) {
	c.Plain((*string)(&s.Rung))
	s.InPlace = c.Varint(s.InPlace)
	Each(c, &s.Conditions, func(h *events.StandingCondition) {
		c.Plain((*string)(&h.Condition))
		c.Plain((*string)(&h.Kind))
		failed := uint64(0)
		if h.Failed {
			failed = 1
		}
		h.Failed = c.Uvarint(failed) == 1
	})
	Each(c, &s.Caveats, func(h *events.StandingCaveat) {
		c.Plain((*string)(&h.Caveat))
		c.Plain(&h.Restriction)
	})
	Each(c, &s.Allocations, func(a *Allocation) {
		c.Fixed(a.ID[:])
		c.Plain((*string)(&a.Line))
		a.Number = c.Varint(a.Number)
		a.From, a.Until = int32(c.Uvarint(uint64(a.From))), int32(c.Uvarint(uint64(a.Until)))
	})
}

func (c *Codec) ofPlan(r *Row) {
	priority := int64(r.Priority)
	c.Count(&priority)
	r.Priority = int(priority)
	c.truth(&r.Essential)
	if c.Has(r.Roles != nil) {
		Each(c, &r.Roles, func(role *Role) {
			c.Plain((*string)(&role.Role))
			c.Plain(&role.Title)
			Each(c, &role.Units, func(unit *events.Unit) { c.Plain((*string)(unit)) })
		})
	}
	c.truth(&r.Unlimited)
	c.Word((*string)(&r.Key))
	c.Word((*string)(&r.Member))
	c.Word((*string)(&r.Clearance))
	c.Word((*string)(&r.Origin))
}
