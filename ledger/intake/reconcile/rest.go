package reconcile

import (
	"slices"

	"muster/events"
)

// A Rested is what became of a statement that another row of the file makes of a row's pledge.
type Rested struct {
	// Kind is new, changed or unchanged.
	Kind Kind
	// Before is the statement in which it is recorded, zero for none.
	Before events.ID
	// Statements are to be said, after those of the row and of the others before.
	Statements []events.Statement
}

// takings are what rows say that take something off what another row says.
var takings = []events.Type{"pledge.amended", "pledge.reported", "pledge.withdrawn",
	"pledge.returned"}

// isTaking reports whether a row of this import has said it, to take something off.
func (c *comparison) isTaking(s *said) bool {
	return c.isOfRow(s) && slices.Contains(takings, s.typ)
}

// A restStep is what a row takes off, beside what is recorded of it.
type restStep struct {
	says  events.Statement
	was   *said // nil where nothing is
	other *otherStep
}

// rest compares what other rows of the file take off the pledge of a row with what is recorded: by
// the words, or by kind and day. What they do not say any more is dropped.
func (c *comparison) rest(r *Row, p *Pledge) (all []restStep, dropped []*said) {
	left := map[*said]bool{}
	for i := range p.said {
		if s := &p.said[i]; c.isTaking(s) && !s.own.struck {
			left[s] = true
		}
	}
	find := func(is func(*said) bool) *said {
		for i := range p.said {
			if s := &p.said[i]; left[s] && is(s) {
				delete(left, s)
				return s
			}
		}
		return nil
	}
	for _, st := range r.Rest {
		all = append(all, restStep{says: st, was: find(func(s *said) bool {
			return s.id == st.Head().ID
		})})
	}
	for i := range all {
		one := &all[i]
		if one.was == nil && r.ID.IsZero() {
			on := one.says.(interface{ On() events.Date }).On()
			one.was = find(func(s *said) bool {
				return s.typ == one.says.Head().Type && s.own.effective == on
			})
		}
		if one.was != nil {
			one.other = one.was.otherwise(one.says)
		}
	}
	for i := range p.said {
		if s := &p.said[i]; left[s] && !s.struck && !c.opt.Partial {
			dropped = append(dropped, s)
		}
	}
	return all, dropped
}

// takesBefore reports whether a row takes something off, which is not recorded, before the terms
// hold to which the import has amended its pledge.
func (s *steps) takesBefore(terms *said) bool {
	return terms.typ == "pledge.amended" && slices.ContainsFunc(s.rest, func(r restStep) bool {
		return r.was == nil && r.says.(interface{ On() events.Date }).On() < terms.effective
	})
}

// takeAnew says all that other rows take off a pledge that begins.
func (o *Outcome) takeAnew(r *Row, pledge events.ID) {
	o.Rest = nil
	for _, st := range r.Rest {
		Rename(st, pledge)
		o.Rest = append(o.Rest, Rested{Kind: New, Statements: []events.Statement{st}})
	}
}

// takeOff says what other rows take off the pledge of a row, on top of what is recorded.
func (c *comparison) takeOff(o *Outcome, r *Row, p *Pledge, all []restStep) {
	for _, one := range all {
		rested := Rested{Kind: Unchanged}
		switch {
		case one.was == nil:
			rested.Kind, rested.Statements = New, []events.Statement{c.unused(one.says)}
		case one.other != nil:
			rested.Kind, rested.Before = Changed, one.was.id
			rested.Statements = []events.Statement{c.correctedStep(r, p, *one.other)}
		default:
			rested.Before = one.was.id
		}
		o.Rest = append(o.Rest, rested)
	}
}
