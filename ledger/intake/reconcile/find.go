package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"muster/events"
	"muster/events/english"
)

// find finds the pledge that a row is, or its ID where there is none yet.
func (c *comparison) find(i int) {
	r, o := &c.rows[i], &c.outcomes[i]
	o.Row, o.Kind = i, New
	id := func(generation int) events.ID { return again(r.Offer.ID, generation) }
	switch named := c.byReference(r); {
	case !r.ID.IsZero():
		o.Pledge = r.ID
		switch p := c.pledges[r.ID]; {
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
		if p := c.pledges[id(generation)]; p == nil || !p.Struck {
			o.Pledge = id(generation)
		}
	}
	if before, twice := c.taken[o.Pledge]; twice && o.Kind != Refused {
		c.refuse(o, "row %d of the file is the same by its key: tell them apart, or leave one out",
			before+1)
		return
	}
	c.taken[o.Pledge] = i
}

// A referred is what a nation's own number stands for.
type referred struct {
	events.Place
	reference string
}

// byReference returns the live pledge with the reference of a row that has no other key.
func (c *comparison) byReference(r *Row) *Pledge {
	if r.Key != nil || !r.ID.IsZero() || r.Offer.Reference == "" {
		return nil
	}
	if c.referred == nil {
		c.referred = map[referred]*Pledge{}
		for _, p := range slices.Backward(c.order) { // the first one counts
			if s := p.termsOn(events.LastDate); p.IsLive() && s != nil {
				c.referred[referred{p.Place, s.terms.Reference}] = p
			}
		}
	}
	return c.referred[referred{r.Offer.Place, r.Offer.Reference}]
}

func (c *comparison) refuse(o *Outcome, format string, args ...any) {
	o.Kind, o.Problem = Refused, fmt.Sprintf(format, args...)
}

// A likeness is what a row without a key has in common with a pledge that it may restate.
type likeness struct {
	events.Place
	role events.Role
	unit events.Unit
	area events.Area
	events.Window
}

func likenessOf(at events.Place, t *events.PledgeTerms) likeness {
	return likeness{at, t.Role, t.Unit, t.Area, t.Window}
}

// findAlike finds the rows without a key that the ledger does not have, and that resemble pledges
// which no row of the file is.
func (c *comparison) findAlike() {
	there := map[likeness][]*Pledge{} // that may be what a row restates
	for _, p := range c.order {
		s := p.termsOn(events.LastDate)
		if _, taken := c.taken[p.ID]; taken || !p.IsLive() || s == nil {
			continue
		}
		at := likenessOf(p.Place, s.terms)
		there[at] = append(there[at], p)
	}
	asking := map[likeness][]int{}
	for i := range c.rows {
		r := &c.rows[i]
		hasKey := r.Key != nil || !r.ID.IsZero() || r.Offer.Reference != ""
		if o := &c.outcomes[i]; !hasKey && o.Kind == New && c.pledges[o.Pledge] == nil {
			at := likenessOf(r.Offer.Place, &r.Offer.PledgeTerms)
			if there[at] != nil {
				asking[at] = append(asking[at], i)
			}
		}
	}
	for at, rows := range asking {
		rows, pledges := c.pairAlike(rows, there[at])
		if len(pledges) == 0 {
			continue
		}
		n := newNearness(c, rows, pledges)
		for k, i := range rows {
			c.alike(&c.outcomes[i], pledges, len(rows), n.of(k), n.isSure(k))
		}
	}
}

// pairAlike finds the rows that say what is recorded already, since it was corrected to that, and
// returns the other rows and pledges.
func (c *comparison) pairAlike(rows []int, pledges []*Pledge) (restRows []int, rest []*Pledge) {
	rest = slices.Clone(pledges)
	for _, i := range rows {
		at := slices.IndexFunc(rest, func(p *Pledge) bool {
			return len(c.rows[i].changes(p.termsOn(events.LastDate).terms)) == 0
		})
		if at < 0 {
			restRows = append(restRows, i)
			continue
		}
		c.match(&c.outcomes[i], rest[at])
		rest = slices.Delete(rest, at, at+1)
	}
	return restRows, rest
}

// match says that a row is a pledge.
func (c *comparison) match(o *Outcome, p *Pledge) {
	delete(c.taken, o.Pledge)
	o.Pledge = p.ID
	c.taken[p.ID] = o.Row
}

// alike says what becomes of a row that resembles some pledges, as so many rows do, and one of them
// most: surely, or no more than others.
func (c *comparison) alike(o *Outcome, pledges []*Pledge, rows int, most *Pledge, sure bool) {
	o.Kind = Alike
	switch {
	case c.opt.Changed == Ask || c.opt.Changed == "":
		o.Asked, o.Pledge = true, most.ID
		o.Changes = c.rows[o.Row].changes(most.termsOn(events.LastDate).terms)
	case sure:
		c.match(o, most)
	default:
		c.refuse(o, "%s resemble %s, and it cannot be told which is which: give the mapping a "+
			"key, or correct them one by one: %s", english.Several(rows, "row"),
			english.Several(len(pledges), "pledge"), ids(pledges))
	}
}

func ids(pledges []*Pledge) string {
	const most = 5
	all := make([]string, 0, most+1)
	for _, p := range pledges[:min(most, len(pledges))] {
		all = append(all, p.ID.String())
	}
	if more := len(pledges) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, ", ")
}
