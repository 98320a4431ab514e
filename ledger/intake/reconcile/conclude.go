package reconcile

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// conclude says what is to be said of a row.
func (c *comparison) conclude(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	p := c.pledges[o.Pledge]
	defer func() { o.Ended = o.Kind == Unchanged && p.hasEnded(r) }()
	if o.Kind == Refused || o.Asked {
		return
	}
	for _, st := range slices.Concat(r.Then, r.Rest) {
		Rename(st, o.Pledge)
	}
	if p == nil {
		o.Kind, o.Statements = New, c.begun(r, o.Pledge)
		o.takeAnew(r, o.Pledge)
		return
	}
	if p.Struck {
		o.Kind = Unchanged
		return
	}
	if c.isFilledIn(r) {
		c.merge(o, r, p)
		return
	}
	if p.offerOn(events.LastDate) == nil {
		c.refuse(o, "the pledge %s was seen in published figures and never offered: report its "+
			"strength", p.ID)
		return
	}
	next := c.steps(r, p)
	last, then := r.last(p, &next), c.comparedWith(r, p, &next)
	changes := append(r.moves(p), r.changes(r.recorded(p, then, c.opt.Today))...)
	if was := r.began(p, then); r.says("effective") && was != r.Offer.Effective && was != 0 {
		changes = append(changes, Change{Field: "effective", Was: day(was),
			Is: day(r.Offer.Effective)})
	}
	if r.ID.IsZero() && r.isAsSaid(p, &next) || then.id != last.id &&
		len(r.moves(p))+len(r.changes(r.recorded(p, last, events.LastDate))) == 0 {
		changes = nil
	}
	if c.isLess(r, p) {
		changes = append(changes, Change{Field: "rung", Was: "offered", Is: "indicated"})
	}
	c.compare(o, r, p, then, changes, &next)
}

// recorded returns the terms with which a row is compared, of a statement. A list that Muster wrote
// tells the day to which the pledge was renewed, as far as that held on the day of the list.
func (r *Row) recorded(p *Pledge, s *said, on events.Date) *events.PledgeTerms {
	if r.ID.IsZero() {
		return s.terms
	}
	t := p.renewedBy(s, on)
	return &t
}

// began returns the date from which a row says that its pledge holds, as it is recorded; 0 where
// what the row is compared with was said later. A list that Muster wrote has the date from which
// the pledge holds, whatever was said of it since.
func (r *Row) began(p *Pledge, then *said) events.Date {
	switch {
	case !r.ID.IsZero():
		return p.Began()
	case then.id == p.said[0].id || then.typ == "pledge.offered":
		return then.effective
	}
	return 0
}

// compare says what is to be said of a row that says its offer otherwise, or what follows from it,
// or neither.
func (c *comparison) compare(o *Outcome, r *Row, p *Pledge, then *said, changes []Change,
	next *steps) {
	all := slices.Concat(c.meanwhile(r, p, then, changes, next), next.changes())
	switch {
	case len(changes) > 0 && p.Ended != "" && !slices.ContainsFunc(next.dropped, (*said).isEnd):
		if p.EndedOn > c.opt.Today {
			c.refuse(o, "the pledge %s is %s from %s on, as is recorded, and the row says it "+
				"otherwise: %s", p.ID, p.Ended.Happened(), p.EndedOn, told(changes))
			return
		}
		c.refuse(o, "the pledge %s has ended (%s), and the row says it otherwise: %s", p.ID,
			p.Ended.Happened(), told(changes))
		return
	case len(changes) > 0 && r.Seen > 0 && r.Seen < p.Last:
		c.refuse(o, "the list has the pledge %s as of record %d, and record %d is about it, too; "+
			"beside what is recorded now, the row would change: %s; take a new list, and change "+
			"that", p.ID, r.Seen, p.Last, told(changes))
		return
	case next.takesBefore(then):
		c.refuse(o, "a row takes something off before the pledge %s was amended on %s, which has "+
			"counted it already or not: amend the pledge by hand, and leave that row out", p.ID,
			then.effective)
		return
	}
	o.Kind, o.Changes = Changed, all
	switch {
	case len(all)+len(next.missing) == 0:
		o.Kind = Unchanged
	case len(all) == 0:
		o.Statements = next.missing
	case c.opt.Changed == Corrected:
		o.Statements = c.corrected(o, r, p, then, changes, next)
	case c.opt.Changed == Amended:
		c.amended(o, r, p, changes, next)
	default:
		o.Asked = true
	}
	if o.Rest == nil && o.Kind != Refused {
		c.takeOff(o, r, p, next.rest)
	}
}

// only returns a row of a list that Muster wrote with nothing but what it changes: all else is
// what held on the day of the list, and may be said otherwise of a later day, or in more columns.
func (r *Row) only(changes []Change) *Row {
	if r.ID.IsZero() {
		return r
	}
	one := *r
	one.Fields = []string{}
	for _, change := range changes {
		one.Fields = append(one.Fields, change.Field)
	}
	return &one
}

// begun is all that a row says of a pledge that begins with it.
func (c *comparison) begun(r *Row, pledge events.ID) []events.Statement {
	offer := *r.Offer
	offer.ID, offer.Source = pledge, c.sourced(r, offer.Source)
	for _, st := range r.Then {
		Rename(st, pledge)
	}
	if !r.Indicated {
		return append([]events.Statement{&offer}, r.Then...)
	}
	head := offer.Header
	head.Type = "pledge.indicated"
	return append([]events.Statement{&events.PledgeIndicated{Header: head, Dated: offer.Dated,
		Place: offer.Place, PledgeTerms: offer.PledgeTerms}}, r.Then...)
}

// comparedWith returns what the row is compared with: what the import has amended the pledge to
// last, or the terms that hold when the row does; nil where there are none. A list that Muster
// wrote tells what holds on the day.
func (c *comparison) comparedWith(r *Row, p *Pledge, next *steps) *said {
	if !r.ID.IsZero() {
		return p.termsOn(c.opt.Today)
	}
	for i := 1; i < len(p.said); i++ {
		s := &p.said[i]
		if s.id == p.base.id && !s.struck && !slices.Contains(next.dropped, s) {
			return s
		}
	}
	return p.offerOn(r.Offer.Effective, next.dropped...)
}

// last returns what the row restates as it holds last. A list that Muster wrote has what rows of a
// file have taken off.
func (r *Row) last(p *Pledge, next *steps) *said {
	if !r.ID.IsZero() {
		return p.termsOn(events.LastDate)
	}
	return p.offerOn(events.LastDate, next.dropped...)
}

// hasEnded reports whether the pledge has ended otherwise than the file has it. A list that Muster
// wrote has pledges that have ended, and says so.
func (p *Pledge) hasEnded(r *Row) bool {
	return p.Struck || p.Ended != "" && !p.isDone && r.ID.IsZero()
}

// isAsSaid reports whether the row says what the import has said of the pledge last: then the file
// has not changed, whatever somebody has mended in the ledger since.
func (r *Row) isAsSaid(p *Pledge, next *steps) bool {
	isBase := func(s *said) bool { return s.id == p.base.id }
	return p.base.terms != nil && !slices.ContainsFunc(next.dropped, isBase) &&
		!r.isAnother(p) && len(r.changes(p.base.terms)) == 0 &&
		(!r.says("effective") || p.base.effective == r.Offer.Effective ||
			p.base.typ != p.said[0].typ)
}

func told(changes []Change) phrase.Phrase { return phrase.Behind("%s, %s", changes...) }

// moves lists what the row says otherwise of where the pledge belongs.
func (r *Row) moves(p *Pledge) (all []Change) {
	if p.Nation != r.Offer.Nation {
		all = append(all, Change{Field: "nation", Was: string(p.Nation),
			Is: string(r.Offer.Nation)})
	}
	if p.Operation != r.Offer.Operation {
		all = append(all, Change{Field: "operation", Was: string(p.Operation),
			Is: string(r.Offer.Operation)})
	}
	return all
}

// isAnother reports whether a row makes another pledge than there is, which no correction does.
func (r *Row) isAnother(p *Pledge) bool {
	return p.Place != r.Offer.Place || p.Role != r.Offer.Role || p.Unit != r.Offer.Unit
}

// isLess reports whether a row only indicates what a row of this import has offered before.
func (c *comparison) isLess(r *Row, p *Pledge) bool {
	return r.Indicated && p.said[0].typ == "pledge.offered" && c.isOfRow(&p.said[0])
}

// corrected says that the row was wrong when it was recorded. What makes it another pledge is
// struck, and all that the row says is said anew.
//
// What stands in the way of the others is said first: what the row does not say any more is struck,
// the last of it first, and what holds later than it did moves before what comes ahead of it.
func (c *comparison) corrected(o *Outcome, r *Row, p *Pledge, then *said, changes []Change,
	next *steps) (all []events.Statement) {
	if r.isAnother(p) || c.isLess(r, p) {
		return c.another(o, r, p)
	}
	r = r.only(changes)
	if until := p.renewedBy(then, events.LastDate).Expires; !r.ID.IsZero() && r.says("expires") &&
		until != then.terms.Expires {
		c.refuse(o, "the pledge %s was renewed until %s, which no correction of its terms "+
			"undoes: it has changed since, or strike what renewed it", p.ID, until)
		return nil
	}
	for _, was := range slices.Backward(next.dropped) {
		all = append(all, c.struck(r, p, was))
	}
	for _, one := range slices.Backward(next.otherwise) {
		if one.on > one.was.effective {
			all = append(all, c.correctedStep(r, p, one))
		}
	}
	if len(changes) > 0 {
		all = append(all, c.correctedTerms(r, p, then)...)
	}
	for _, one := range next.otherwise {
		if one.on <= one.was.effective {
			all = append(all, c.correctedStep(r, p, one))
		}
	}
	if len(all) > 0 {
		all[0].(*events.PledgeCorrected).After = int64(p.Last)
	}
	return append(all, next.missing...)
}

// correctedTerms says that the terms of a statement were wrong, or the date from which the pledge
// holds: in a list that Muster wrote, that is the date of the statement with which it began.
func (c *comparison) correctedTerms(r *Row, p *Pledge, then *said) []events.Statement {
	fix, terms := c.fix(r, p, then), r.over(*then.terms)
	terms.Source = c.sourced(r, terms.Source)
	fix.Terms = &terms
	began := &p.said[0]
	switch {
	case !r.says("effective") || r.began(p, then) == 0:
		return []events.Statement{fix}
	case r.ID.IsZero() || then == began:
		fix.Effective = r.Offer.Effective
		return []events.Statement{fix}
	}
	earlier := *began.terms
	begins := c.fix(r, p, began)
	begins.Effective, begins.Terms = r.Offer.Effective, &earlier
	if len(r.Fields) == 1 {
		return []events.Statement{begins}
	}
	return []events.Statement{begins, fix}
}

// next returns the ID of what a row is after it was struck.
func (c *comparison) next(r *Row) events.ID {
	for generation := 0; ; generation++ {
		if id := IDOf(c.opt.Ledger, c.opt.Name, r.Key, generation); c.pledges[id] == nil {
			return id
		}
	}
}

// amended says that the world has changed since the row was recorded.
func (c *comparison) amended(o *Outcome, r *Row, p *Pledge, changes []Change, next *steps) {
	if r.isAnother(p) || c.isLess(r, p) {
		c.refuse(o, "no amendment changes whose the pledge %s is, its role or its unit, nor that "+
			"it was offered (%s): it was wrong from the beginning, or it is another pledge", p.ID,
			told(o.Changes))
		return
	}
	if len(changes) > 0 && len(r.Rest) > 0 || next.takesOtherwise() {
		c.refuse(o, "no amendment says this of the pledge %s, since rows of the file take "+
			"something off it (%s): it was wrong, or amend it by hand", p.ID, told(o.Changes))
		return
	}
	r = r.only(changes)
	if at := slices.IndexFunc(next.missing, p.isBefore); at >= 0 {
		c.refuse(o, "no amendment has the pledge %s begin earlier (%s), and the row says that it "+
			"was %s before that: it was wrong, or it is another pledge", p.ID, told(o.Changes),
			next.missing[at].Head().Type.Happened())
		return
	}
	if len(changes) > 0 {
		last := r.last(p, next)
		_, until := c.days(r)
		if !r.ID.IsZero() {
			last = p.termsOn(until)
		}
		st := &events.PledgeAmended{
			Header: c.restating(r, "pledge.amended", p.ID, p.amendments()), Place: p.Place,
			Pledge: p.ID, Upon: events.Upon{After: int64(p.Last)},
			PledgeTerms: r.over(p.renewedBy(last, until))}
		st.Effective = max(c.opt.Today, last.effective)
		st.Source = c.sourced(r, st.Source)
		o.Statements = append(o.Statements, st)
	}
	for _, was := range slices.Backward(next.dropped) {
		over := c.over(p, was)
		if over == nil {
			c.refuse(o, "no amendment takes back that the pledge %s was %s, which the row does "+
				"not say any more: it was wrong, or was withdrawn, or has returned", p.ID,
				was.typ.Happened())
			return
		}
		o.Statements = append(o.Statements, over)
	}
	for _, one := range next.otherwise {
		o.Statements = append(o.Statements, c.correctedStep(r, p, one))
	}
	o.Statements = append(o.Statements, next.missing...)
}

// isBefore reports whether something would hold before the pledge does.
func (p *Pledge) isBefore(st events.Statement) bool {
	return st.(interface{ On() events.Date }).On() < p.Began()
}

// sourced is a source with the name of the import. A list without a name leaves what is there.
func (c *comparison) sourced(r *Row, source string) string {
	if c.opt.Name == "" && !r.ID.IsZero() {
		return source
	}
	return events.WithImport(source, c.opt.Name)
}

// over says that a condition is met, or a caveat lifted; nil of anything else.
func (c *comparison) over(p *Pledge, was *said) events.Statement {
	step := func(typ events.Type) events.PledgeStep {
		return events.PledgeStep{Header: c.head(typ), Place: p.Place,
			Dated: events.Dated{Effective: max(c.opt.Today, was.effective)},
			Step: events.Step{Pledge: p.ID, Reason: c.opt.Reason,
				Source: events.WithImport("", c.opt.Name)}}
	}
	switch was.typ {
	case "condition.added":
		return &events.ConditionDischarged{ConditionStep: events.ConditionStep{
			PledgeStep: step("condition.discharged"), Condition: events.Line(was.name)}}
	case "caveat.declared":
		return &events.CaveatLifted{CaveatStep: events.CaveatStep{
			PledgeStep: step("caveat.lifted"), Caveat: events.Line(was.name)}}
	}
	return nil
}

func (c *comparison) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: c.opt.Ledger}
}

// restating is head for what is said in the place of something, or of a pledge, after so much of
// the kind: under an ID by which it is the word of the import. What a list that Muster wrote says
// of a pledge is not: somebody has changed it by hand. A sheet has IDs of its own.
func (c *comparison) restating(r *Row, typ events.Type, of events.ID, before int) events.Header {
	h := c.head(typ)
	switch {
	case c.isFilledIn(r):
		h.ID = bySheet(c.opt.Name, of, typ, before)
	case r.ID.IsZero():
		h.ID = restated(of, typ, before)
	}
	return h
}
