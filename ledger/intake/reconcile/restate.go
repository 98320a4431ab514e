package reconcile

import "muster/events"

// A kindred is what a row that is new has in common, at the least, with a pledge that a row of an
// earlier version of its file was, and that the file does not have any more, where it may restate
// it. Of a file without a name, of which nobody knows whether it is a version of another, that is
// all but the days.
type kindred struct {
	events.Place
	role events.Role
	cells
}

func (c *comparison) kindredOf(at events.Place, t *events.PledgeTerms) kindred {
	k := kindred{Place: at, role: t.Role}
	if c.opt.Name != "" || c.opt.Base != nil {
		return k
	}
	k.cells = cellsOf(t)
	for i := range terms {
		if days[terms[i].field] {
			k.cells[i] = ""
		}
	}
	return k
}

// days are the terms that are dates.
var days = map[string]bool{"from": true, "until": true, "expires": true}

// findRestated finds the rows that are new beside pledges of the same nation and role which rows of
// the file were before, and that are gone: with its day or area restated a row without a key is
// known by nothing, and would count twice; but where what is gone is taken off.
func (c *comparison) findRestated() {
	if c.opt.New || c.opt.Base == nil && (c.opt.Returned || c.opt.Gone == Strike ||
		c.opt.Gone == Withdraw) {
		return
	}
	gone := map[kindred][]*Pledge{}
	for _, p := range c.order {
		_, taken := c.taken[p.ID]
		s := p.offerOn(events.LastDate)
		if !c.isOfFile(p) || taken || !p.IsLive() || s == nil || c.opt.There[p.ID] ||
			c.asked[p.ID] {
			continue
		}
		at := c.kindredOf(p.Place, s.terms)
		gone[at] = append(gone[at], p)
	}
	var order []kindred
	rows := map[kindred][]int{}
	for i := range c.rows {
		r, o := &c.rows[i], &c.outcomes[i]
		at := c.kindredOf(r.Offer.Place, &r.Offer.PledgeTerms)
		if o.Kind != New || r.Key != nil || !r.ID.IsZero() || r.Offer.Reference != "" ||
			c.pledges[o.Pledge] != nil || len(gone[at]) == 0 {
			continue
		}
		if rows[at] == nil {
			order = append(order, at)
		}
		rows[at] = append(rows[at], i)
	}
	for _, at := range order {
		n := newNearness(c, rows[at], gone[at])
		for k, i := range rows[at] {
			c.alike(&c.outcomes[i], gone[at], len(rows[at]), n.of(k), n.isSure(k))
		}
	}
}

// isOfFile reports whether a row of an earlier version of the file was a pledge, for all that is
// known: one of its name that has no key and no number of its nation, and was not what a sheet was
// filled in with.
func (c *comparison) isOfFile(p *Pledge) bool {
	s := &p.said[0]
	switch {
	case c.opt.Base != nil:
		return p.Import == c.opt.Name && !c.opt.Base.Filled[p.ID]
	case p.Import != c.opt.Name || s.terms == nil || s.terms.Reference != "":
		return false
	}
	return isOfRow(p.ID, s.own.effective) && !p.isKeyed()
}
