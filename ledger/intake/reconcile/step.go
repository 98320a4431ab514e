package reconcile

import (
	"cmp"
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// steps are what a row says of its pledge besides the offer, beside what is recorded of that.
type steps struct {
	missing []events.Statement // that are not recorded
	// otherwise is recorded with another strength, or of another day; and dropped what the row does
	// not say any more. Both are in the order in which they were said.
	otherwise []otherStep
	dropped   []*said
	rest      []restStep // what other rows take off
}

// An otherStep is one that the row says otherwise than the import has said it last.
type otherStep struct {
	was      *said
	on       events.Date
	strength *events.Strength    // nil where it is as it was
	terms    *events.PledgeTerms // nil where they are as they were
}

// changes are what a person reads of it.
func (s *steps) changes() (all []Change) {
	for _, was := range s.dropped {
		field := was.typ.Happened()
		if was.name != "" {
			field = FieldName(was.typ.Subject())
		}
		all = append(all, NamedChange(field, cmp.Or(was.name, day(was.effective)), ""))
	}
	for i := range s.otherwise {
		all = append(all, s.otherwise[i].changes()...)
	}
	for _, one := range s.rest {
		if one.other != nil {
			all = append(all, one.other.changes()...)
		}
	}
	return all
}

// takesOtherwise reports whether rows take something else off than is recorded, or nothing.
func (s *steps) takesOtherwise() bool {
	isTaking := func(s *said) bool { return slices.Contains(takings, s.typ) }
	return slices.ContainsFunc(s.rest, func(r restStep) bool { return r.other != nil }) ||
		slices.ContainsFunc(s.dropped, isTaking)
}

// rungs are what a row may say of its pledge besides the offer.
var rungs = []events.Type{"pledge.offered", "pledge.accepted", "pledge.confirmed",
	"pledge.deployed", "condition.added", "caveat.declared"}

// steps compares what the row says of its pledge besides the offer with what is recorded.
func (c *comparison) steps(r *Row, p *Pledge) (s steps) {
	there := map[*said]bool{}
	if !r.ID.IsZero() { // of which a list says nothing but the terms
		s.rest, _ = c.rest(r, p)
		return s
	}
	if p.said[0].typ == "pledge.indicated" && !r.Indicated {
		if at := p.find("pledge.offered", ""); at != nil {
			there[at] = true
		} else {
			s.missing = append(s.missing, c.offered(r, p))
		}
	}
	for _, st := range r.Then {
		was := p.findSaid(st)
		if was == nil {
			s.missing = append(s.missing, c.unused(st))
			continue
		}
		there[was] = true
		if other := was.otherwise(st); other != nil {
			s.otherwise = append(s.otherwise, *other)
		}
	}
	for i := 1; i < len(p.said) && p.Ended == ""; i++ {
		was := &p.said[i]
		if !there[was] && c.isOfRow(was) && slices.Contains(rungs, was.typ) && !was.struck &&
			!p.isOver(was) {
			s.dropped = append(s.dropped, was)
		}
	}
	rest, dropped := c.rest(r, p)
	s.rest, s.dropped = rest, append(s.dropped, dropped...)
	return s
}

// find returns what was said of a kind and name, and was not struck; what was struck by somebody
// else where there is no other; nil for nothing.
func (p *Pledge) find(typ events.Type, name string) (best *said) {
	for i := 1; i < len(p.said); i++ {
		s := &p.said[i]
		if s.typ == typ && s.name == name && !s.own.struck && (best == nil || best.struck) {
			best = s
		}
	}
	return best
}

// findSaid returns what was said in the words of a row, or in others.
func (p *Pledge) findSaid(st events.Statement) *said {
	head := st.Head()
	for i := range p.said {
		if s := &p.said[i]; s.id == head.ID && !s.own.struck {
			return s
		}
	}
	return p.find(head.Type, nameIn(st))
}

// nameIn returns the name of a condition or of a caveat.
func nameIn(st events.Statement) string {
	switch st := st.(type) {
	case *events.ConditionAdded:
		return string(st.Condition)
	case *events.ConditionDischarged:
		return string(st.Condition)
	case *events.ConditionFailed:
		return string(st.Condition)
	case *events.CaveatDeclared:
		return string(st.Caveat)
	case *events.CaveatLifted:
		return string(st.Caveat)
	}
	return ""
}

// isOver reports whether a condition or a caveat is none any more.
func (p *Pledge) isOver(s *said) bool {
	switch s.typ {
	case "condition.added":
		return p.find("condition.discharged", s.name) != nil ||
			p.find("condition.failed", s.name) != nil
	case "caveat.declared":
		return p.find("caveat.lifted", s.name) != nil
	}
	return false
}

// otherwise returns how a row says the same otherwise, nil where it does not. What somebody has
// mended in the ledger since stays; and so does the day of what others have said.
func (s *said) otherwise(st events.Statement) *otherStep {
	other := otherStep{was: s, on: s.effective}
	if on := st.(interface{ On() events.Date }).On(); s.byRow && on != s.own.effective &&
		on != s.effective {
		other.on = on
	}
	var tells *events.Strength
	switch st := st.(type) {
	case *events.PledgeDeployed:
		tells = &st.Strength
	case *events.PledgeReported:
		tells = &st.Strength
	case *events.PledgeAmended:
		if differ(s.own.terms, &st.PledgeTerms) && differ(s.terms, &st.PledgeTerms) {
			other.terms = &st.PledgeTerms
		}
	}
	if tells != nil && s.own.strength != tells.Quantity && s.strength != tells.Quantity {
		other.strength = tells
	}
	if other.on == s.effective && other.strength == nil && other.terms == nil {
		return nil
	}
	return &other
}

// differ reports whether terms that a row says are otherwise.
func differ(was, is *events.PledgeTerms) bool {
	return slices.ContainsFunc(terms[:], func(t term) bool { return t.write(was) != t.write(is) })
}

// changes are what a person reads of it.
func (o *otherStep) changes() (all []Change) {
	what := o.was.typ.Happened()
	if o.strength != nil {
		all = append(all, NamedChange(what, o.was.strength.String(),
			o.strength.Quantity.String()))
	}
	if o.terms != nil {
		all = append(all, NamedChange(what, o.was.terms.Amount().String(),
			o.terms.Amount().String()))
	}
	if o.on != o.was.effective {
		all = append(all, NamedChange(phrase.Of("%s on", what), day(o.was.effective), day(o.on)))
	}
	return all
}

// correctedStep is the correction that says it.
func (c *comparison) correctedStep(r *Row, p *Pledge, one otherStep) events.Statement {
	fix := c.fix(r, p, one.was)
	fix.Effective, fix.Strength, fix.Terms = one.on, one.strength, one.terms
	return fix
}

// struck is the correction that says that something was never said.
func (c *comparison) struck(r *Row, p *Pledge, was *said) events.Statement {
	fix := c.fix(r, p, was)
	fix.Struck = true
	return fix
}

// fix is a correction that says the same as what it corrects.
func (c *comparison) fix(r *Row, p *Pledge, was *said) *events.PledgeCorrected {
	return &events.PledgeCorrected{
		Header: c.restating(r, "pledge.corrected", was.id, was.corrected),
		Dated:  events.Dated{Effective: was.effective}, Place: p.Place, Pledge: p.ID,
		Corrects: was.id, Reason: c.opt.Reason, Source: c.published(r)}
}

// published is where the row was, with the name of the import.
func (c *comparison) published(r *Row) string {
	if !r.ID.IsZero() {
		return events.WithImport("", c.opt.Name)
	}
	return events.WithImport(r.Offer.Source, c.opt.Name)
}

// offered is the offer of what was only indicated before.
func (c *comparison) offered(r *Row, p *Pledge) events.Statement {
	st := *r.Offer
	st.Header, st.Pledge = c.restating(r, "pledge.offered", p.ID, 0), p.ID
	st.Source = events.WithImport(st.Source, c.opt.Name)
	return c.unused(&st)
}

// isOfRow reports whether a row of a file of this import has said something, and nobody else.
func (c *comparison) isOfRow(s *said) bool {
	return s.byRow && s.from == c.opt.Name
}

// isOfRow reports whether an ID was made of the words of a row: its time is none, or the day of
// what it says, at midnight.
func isOfRow(id events.ID, on events.Date) bool {
	for _, ms := range []int64{0, max(on.Time().UnixMilli(), 0)} {
		if made, err := events.IDAt(uint64(ms), [10]byte(id[6:])); err == nil && made == id {
			return true
		}
	}
	return false
}

// unused gives a statement another ID where its own is used: what the import has struck is said
// again in other words.
func (c *comparison) unused(st events.Statement) events.Statement {
	head := st.Head()
	id := head.ID
	for generation := 1; c.statements[head.ID] > 0; generation++ {
		head.ID = again(id, generation)
	}
	return st
}
