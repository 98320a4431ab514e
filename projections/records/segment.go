package records

import (
	"errors"
	"fmt"

	"muster/events"
	"muster/events/compact"
)

// Form is the version of the saved form. A change of the type Row, or of what [Code] does with
// it, must raise it: then every saved file is thrown away and built anew from the source.
const Form = 9

// ErrDamaged is in the chain of the error of a segment that is not what was written.
var ErrDamaged = errors.New("the saved rows are damaged")

// A Segment is rows in their saved form.
type Segment struct {
	Rows int
	Data []byte
}

// Encode returns the segment of rows.
func Encode(rows []Row) Segment {
	c := compact.NewWriter(72 * len(rows))
	for i := range rows {
		Code(c, &rows[i])
	}
	return Segment{len(rows), c.Bytes()}
}

// Decode appends the rows of a segment.
func Decode(rows []Row, data []byte) ([]Row, error) {
	c := compact.NewReader(data)
	for len(c.Bytes()) > 0 {
		rows = append(rows, Row{})
		if Code(c, &rows[len(rows)-1]); c.Failed() {
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

// Code writes a row, or reads one, so that the two cannot be different. Members that most rows have
// come first.
func Code(c *compact.Codec, r *Row) {
	c.Begin()
	c.Time(&r.Recorded)
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
	c.Truth(&r.New)
	ofPledge(c, r)
	ofPlan(c, r)
	c.End()
}

func ofPledge(c *compact.Codec, r *Row) {
	c.Word(&r.Source)
	c.Word((*string)(&r.Presence))
	c.Word((*string)(&r.Release))
	c.Truth(&r.Unknown)
	if c.Has(r.Notice != nil) {
		if c.Reading() {
			r.Notice = new(int)
		}
		compact.Integer(c, r.Notice)
	}
	c.Date(&r.Expires)
	c.ID(&r.Predecessor)
	c.ID(&r.Successor)
	if c.Has(r.Elsewhere != nil) {
		compact.Each(c, &r.Elsewhere, c.Plain)
	}
	c.Word(&r.Reference)
	if c.Has(r.Least != 0 || r.Most != 0) {
		compact.Integer(c, &r.Least)
		compact.Integer(c, &r.Most)
	}
	if c.Has(r.To != nil) {
		compact.Each(c, &r.To, func(n *events.Nation) { c.Plain((*string)(n)) })
	}
	if c.Has(r.Standing != nil) {
		if c.Reading() {
			r.Standing = new(Standing)
		}
		standing(c, r.Standing)
	}
	c.ID(&r.Corrects)
	c.Truth(&r.Struck)
	c.Word(&r.Reason)
	c.ID(&r.Allocation)
	c.Word((*string)(&r.Line))
	c.Word((*string)(&r.Kind))
	c.Word(&r.Title)
}

func standing(c *compact.Codec, s *Standing) {
	c.Plain((*string)(&s.Rung))
	compact.Integer(c, &s.InPlace)
	compact.Each(c, &s.Conditions, func(h *events.StandingCondition) {
		c.Plain((*string)(&h.Condition))
		c.Plain((*string)(&h.Kind))
		c.Flag(&h.Failed)
	})
	compact.Each(c, &s.Caveats, func(h *events.StandingCaveat) {
		c.Plain((*string)(&h.Caveat))
		c.Plain(&h.Restriction)
	})
	compact.Each(c, &s.Allocations, func(a *Allocation) {
		c.Fixed(a.ID[:])
		c.Plain((*string)(&a.Line))
		compact.Integer(c, &a.Number)
		compact.Natural(c, &a.From)
		compact.Natural(c, &a.Until)
	})
}

func ofPlan(c *compact.Codec, r *Row) {
	priority := int64(r.Priority)
	c.Count(&priority)
	if c.Reading() {
		r.Priority = int(priority)
	}
	c.Truth(&r.Essential)
	if c.Has(r.Roles != nil) {
		compact.Each(c, &r.Roles, func(role *Role) {
			c.Plain((*string)(&role.Role))
			c.Plain(&role.Title)
			compact.Each(c, &role.Titles, func(t *events.Translation) {
				c.Plain((*string)(&t.Language))
				c.Plain(&t.Title)
			})
			compact.Each(c, &role.Units, func(unit *events.Unit) { c.Plain((*string)(unit)) })
		})
	}
	c.Truth(&r.Unlimited)
	if c.Has(r.Organisations != nil) {
		compact.Each(c, &r.Organisations, func(o *Organisation) {
			c.Plain((*string)(&o.Code))
			c.Plain(&o.Name)
			compact.Each(c, &o.Also, c.Plain)
		})
	}
	c.Word((*string)(&r.Key))
	c.Word((*string)(&r.Member))
	c.Word((*string)(&r.Clearance))
	c.Word((*string)(&r.Origin))
	seconds := int64(r.Seconds)
	c.Count(&seconds)
	if c.Reading() {
		r.Seconds = int(seconds)
	}
	c.ID(&r.Proposal)
	if c.Has(r.SignerHash != 0) {
		compact.Natural(c, &r.SignerHash)
	}
}
