package reconcile

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// find finds the pledge that a row is, or its ID where there is none yet.
func (c *comparison) find(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	o.Row, o.Kind = i, New
	id := func(generation int) events.ID { return again(r.Offer.ID, generation) }
	switch named := c.byReference(r); {
	case !r.ID.IsZero():
		o.Pledge = r.ID
		p := c.pledges[r.ID]
		if p != nil && p.Struck {
			if other := c.inPlace(r.ID); other != nil {
				p, o.Pledge = other, other.ID
			}
		}
		switch {
		case p == nil:
			c.refuse(o, "the ledger has no pledge %s, which the row names: leave its id out to "+
				"offer it anew", r.ID)
		case p.Struck:
			c.refuse(o, "the pledge %s, which the row names, was struck: leave its id out to "+
				"offer it anew", r.ID)
		}
	case r.Key != nil:
		id = func(generation int) events.ID {
			return IDOf(c.opt.Ledger, c.opt.Name, r.Key, generation)
		}
	case named != nil:
		o.Pledge = named.ID
	case r.Offer.Reference != "":
		key := []string{string(r.Offer.Operation), string(r.Offer.Nation), r.Offer.Reference}
		id = func(generation int) events.ID {
			return IDOf(c.opt.Ledger, "reference", key, generation)
		}
	}
	for generation := 0; o.Pledge.IsZero(); generation++ {
		if p := c.pledges[id(generation)]; p == nil || !p.isTakenOff() || r.staysStruck(p) {
			o.Pledge = id(generation)
		}
	}
	before, twice := c.taken[o.Pledge]
	switch {
	case twice && o.Kind != Refused && !r.ID.IsZero():
		c.refuse(o, "row %d of the file names the pledge %s, too: a copy of a row is another "+
			"pledge when its id is cleared; else leave one out", before+1, r.ID)
		return
	case twice && o.Kind != Refused:
		c.refuse(o, "row %d of the file is the same by its key: tell them apart, or leave one out",
			before+1)
		return
	}
	c.taken[o.Pledge] = i
}

// staysStruck reports whether somebody else than the import has struck what the row says, in the
// words in which the import has said it: that is not turned back by a file that has not changed.
func (r *Row) staysStruck(p *Pledge) bool {
	return p.Struck && p.ByOthers && r.isAsSaid(p, &steps{})
}

// A referred is what a nation's own number stands for.
type referred struct {
	events.Place
	reference string
}

// byReference returns the pledge with the reference of a row that has no other key.
func (c *comparison) byReference(r *Row) *Pledge {
	if r.Key != nil || !r.ID.IsZero() || r.Offer.Reference == "" {
		return nil
	}
	if c.referred == nil {
		c.referred = map[referred]*Pledge{}
		for _, live := range []bool{false, true} {
			for _, p := range slices.Backward(c.order) { // the first one that is live counts
				s := p.offerOn(events.LastDate)
				if p.IsLive() == live && !p.isTakenOff() && s != nil {
					c.referred[referred{p.Place, s.terms.Reference}] = p
				}
			}
		}
	}
	return c.referred[referred{r.Offer.Place, r.Offer.Reference}]
}

// refuse refuses a row. What is to be looked at in it besides stands behind the reason.
func (c *comparison) refuse(o *Outcome, format string, args ...any) {
	besides := o.Problem
	o.Kind, o.Problem = Refused, phrase.Of(format, args...)
	if !besides.IsZero() {
		o.Problem = phrase.Of("%s; %s", o.Problem, besides)
	}
}
