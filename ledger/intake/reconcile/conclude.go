package reconcile

import (
	"slices"
	"strings"

	"muster/events"
)

// conclude says what is to be said of a row.
func (c *comparison) conclude(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	p := c.pledges[o.Pledge]
	switch {
	case o.Kind == Refused || o.Asked:
		return
	case p == nil:
		o.Kind = New
		offer := *r.Offer
		offer.ID, offer.Source = o.Pledge, events.WithImport(offer.Source, c.opt.Name)
		o.Statements = []events.Statement{&offer}
		return
	}
	restated, missing := r.restated(p)
	last, then := p.termsOn(events.LastDate), p.termsOn(r.Offer.Effective)
	if last == nil {
		c.refuse(o, "the pledge %s was seen in published figures and never offered: report its "+
			"strength", p.ID)
		return
	}
	changes := append(r.moves(p), r.changes(then.terms)...)
	if r.says("effective") && p.Began() != r.Offer.Effective && then.id == p.said[0].id {
		changes = append(changes, Change{"effective", day(p.Began()), day(r.Offer.Effective)})
	}
	if len(changes) == 0 || r.isAsSaid(p) ||
		then.id != last.id && len(r.moves(p))+len(r.changes(last.terms)) == 0 {
		c.concludeThen(o, p, restated, missing)
		return
	}
	o.Kind, o.Changes = Changed, changes
	switch {
	case p.Ended != "":
		c.refuse(o, "the pledge %s has ended (%s), and the row says it otherwise: %s", p.ID,
			p.Ended.Event(), told(changes))
	case c.opt.Changed == Corrected:
		o.Statements = c.corrected(r, p, then)
		if !r.isAnother(p) {
			o.Statements = append(o.Statements, c.mended(o, p, restated)...)
		}
	case c.opt.Changed == Amended:
		c.amended(o, r, p, last)
	default:
		o.Asked = true
	}
}

// A strengthChange is a strength that the row tells otherwise than the import has told it last.
type strengthChange struct {
	was *said
	is  events.Strength
}

// restated returns the strengths that the row tells otherwise, and what it says of its pledge that
// is not recorded.
func (r *Row) restated(p *Pledge) (all []strengthChange, missing []events.Statement) {
	for _, st := range r.Then {
		at := slices.IndexFunc(p.said, func(s said) bool { return s.id == st.Head().ID })
		if at < 0 {
			missing = append(missing, st)
			continue
		}
		if d, ok := st.(*events.PledgeDeployed); ok && p.said[at].own.strength != d.Quantity &&
			p.said[at].strength != d.Quantity {
			all = append(all, strengthChange{&p.said[at], d.Strength})
		}
	}
	return all, missing
}

// concludeThen says what is to be said of a pledge whose offer is as it was.
func (c *comparison) concludeThen(o *Outcome, p *Pledge, restated []strengthChange,
	missing []events.Statement) {
	o.Kind, o.Statements = Unchanged, missing
	if len(restated) > 0 {
		o.Changes = nil
		mended := c.mended(o, p, restated)
		switch c.opt.Changed {
		case Corrected, Amended:
			o.Statements = append(mended, missing...)
		default:
			o.Asked, o.Statements = true, nil
		}
	}
	if len(restated)+len(missing) > 0 {
		o.Kind = Changed
	}
}

// mended returns the corrections of strengths, and notes what changes.
func (c *comparison) mended(o *Outcome, p *Pledge,
	restated []strengthChange) (all []events.Statement) {
	for _, one := range restated {
		o.Changes = append(o.Changes, Change{one.was.typ.Event(), one.was.strength.String(),
			one.is.Quantity.String()})
		is := one.is
		all = append(all, &events.PledgeCorrected{Header: c.head("pledge.corrected"),
			Dated: events.Dated{Effective: one.was.effective}, Place: p.Place, Pledge: p.ID,
			Corrects: one.was.id, Strength: &is, Reason: c.opt.Reason,
			Source: events.WithImport("", c.opt.Name)})
	}
	return all
}

// isAsSaid reports whether the row says what the import has said of the pledge last: then the file
// has not changed, whatever somebody has mended in the ledger since.
func (r *Row) isAsSaid(p *Pledge) bool {
	return p.base.terms != nil && !r.isAnother(p) && len(r.changes(p.base.terms)) == 0 &&
		(!r.says("effective") || p.base.effective == r.Offer.Effective ||
			p.base.typ != p.said[0].typ)
}

func told(changes []Change) string {
	all := make([]string, len(changes))
	for i, c := range changes {
		all[i] = c.String()
	}
	return strings.Join(all, ", ")
}

// moves lists what the row says otherwise of where the pledge belongs.
func (r *Row) moves(p *Pledge) (all []Change) {
	if p.Nation != r.Offer.Nation {
		all = append(all, Change{"nation", string(p.Nation), string(r.Offer.Nation)})
	}
	if p.Operation != r.Offer.Operation {
		all = append(all, Change{"operation", string(p.Operation), string(r.Offer.Operation)})
	}
	return all
}

// isAnother reports whether a row makes another pledge than there is, which no correction does.
func (r *Row) isAnother(p *Pledge) bool {
	return p.Place != r.Offer.Place || p.Role != r.Offer.Role || p.Unit != r.Offer.Unit
}

// corrected says that the row was wrong when it was recorded. What makes it another pledge is
// struck, and offered anew.
func (c *comparison) corrected(r *Row, p *Pledge, then *said) []events.Statement {
	fix := &events.PledgeCorrected{Header: c.head("pledge.corrected"), Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, Corrects: then.id, Reason: c.opt.Reason,
		Source: events.WithImport("", c.opt.Name)}
	fix.Effective = then.effective
	if r.isAnother(p) {
		fix.Corrects, fix.Struck, fix.Effective = p.ID, true, p.Began()
		offer := *r.Offer
		offer.ID, offer.Source = events.NewID(), events.WithImport(offer.Source, c.opt.Name)
		if r.Key != nil {
			offer.ID = c.next(r)
		}
		return []events.Statement{fix, &offer}
	}
	if then.id == p.said[0].id && r.says("effective") {
		fix.Effective = r.Offer.Effective
	}
	terms := r.over(*then.terms)
	terms.Source = events.WithImport(terms.Source, c.opt.Name)
	fix.Terms = &terms
	return []events.Statement{fix}
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
func (c *comparison) amended(o *Outcome, r *Row, p *Pledge, last *said) {
	if p.Role != r.Offer.Role || p.Unit != r.Offer.Unit || p.Place != r.Offer.Place {
		c.refuse(o, "no amendment changes whose the pledge %s is, its role or its unit (%s): it "+
			"was wrong from the beginning, or it is another pledge", p.ID, told(o.Changes))
		return
	}
	st := &events.PledgeAmended{Header: c.head("pledge.amended"), Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, PledgeTerms: r.over(*last.terms)}
	st.Effective = max(c.opt.Today, last.effective)
	st.Source = events.WithImport(st.Source, c.opt.Name)
	o.Statements = []events.Statement{st}
}

func (c *comparison) head(typ events.Type) events.Header {
	return events.Header{Type: typ, ID: events.NewID(), Ledger: c.opt.Ledger}
}
