package reconcile

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// A likeness is what a row has in common with a pledge that it may restate.
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

// A group is of rows that the ledger does not have, and that may be the same pledges.
type group struct {
	likeness
	isKeyed   bool
	reference string
}

func (c *comparison) groupOf(r *Row) group {
	return group{likenessOf(r.Offer.Place, &r.Offer.PledgeTerms), r.Key != nil, r.Offer.Reference}
}

// findAlike finds the rows that the ledger does not have, and that resemble pledges which no row of
// the file is: they restate them, or have got a key or a reference that they did not have, or come
// by another name. A row that says what a pledge was corrected to is that pledge, also where those
// that are only alike are chosen to be others.
func (c *comparison) findAlike() {
	there := map[likeness][]*Pledge{}          // that may be what a row restates
	numbered := map[group][]*Pledge{}          // by their reference
	for _, live := range []bool{true, false} { // those that are live are found first
		for _, p := range c.order {
			s := p.offerOn(events.LastDate)
			if p.IsLive() == live && !p.isTakenOff() && s != nil {
				at := likenessOf(p.Place, s.terms)
				there[at] = append(there[at], p)
				number := group{likeness: at, reference: s.terms.Reference}
				numbered[number] = append(numbered[number], p)
			}
		}
	}
	for i := range c.rows {
		c.keyKnown = c.keyKnown || c.rows[i].Key != nil && c.pledges[c.outcomes[i].Pledge] != nil
	}
	var order []group
	asking := map[group][]int{}
	for i := range c.rows {
		r, o := &c.rows[i], &c.outcomes[i]
		g := c.groupOf(r)
		if !r.ID.IsZero() || o.Kind != New || c.pledges[o.Pledge] != nil ||
			len(there[g.likeness]) == 0 {
			continue
		}
		if asking[g] == nil {
			order = append(order, g)
		}
		asking[g] = append(asking[g], i)
	}
	for _, g := range order {
		pledges := slices.Clone(there[g.likeness])
		if g.reference != "" { // a pledge with another one is another pledge
			pledges = slices.Concat(numbered[group{likeness: g.likeness}],
				numbered[group{likeness: g.likeness, reference: g.reference}])
		}
		pledges = slices.DeleteFunc(pledges, func(p *Pledge) bool {
			_, taken := c.taken[p.ID]
			return taken || !c.mayBe(g, p)
		})
		rows := asking[g]
		if !g.isKeyed || !c.opt.New {
			rows, pledges = c.pairAlike(rows, pledges)
		}
		pledges = slices.DeleteFunc(pledges, func(p *Pledge) bool {
			return !p.IsLive() && !p.isTaken
		})
		if len(pledges) == 0 || c.opt.New {
			continue
		}
		n := newNearness(c, rows, pledges)
		for k, i := range rows {
			c.alike(&c.outcomes[i], pledges, len(rows), n.of(k), n.isSure(k))
		}
	}
}

// mayBe reports whether rows may be a pledge that they resemble: not where both have a key, unless
// no row of the file has the one that it had.
func (c *comparison) mayBe(g group, p *Pledge) bool {
	return !g.isKeyed || p.Import != c.opt.Name || !p.isKeyed() || !c.keyKnown
}

// isKeyed reports whether the ID of the pledge was made of a key: it has no time.
func (p *Pledge) isKeyed() bool {
	id, err := events.IDAt(0, [10]byte(p.ID[6:]))
	return err == nil && id == p.ID
}

// pairAlike finds the rows that say what is recorded already, since it was corrected to that, and
// returns the other rows and pledges.
func (c *comparison) pairAlike(rows []int, pledges []*Pledge) (restRows []int, rest []*Pledge) {
	there := map[cells][]*Pledge{}
	for _, p := range pledges {
		is := cellsOf(p.offerOn(events.LastDate).terms)
		there[is] = append(there[is], p)
	}
	paired := map[*Pledge]bool{}
	for _, i := range rows {
		is := cellsOf(&c.rows[i].Offer.PledgeTerms)
		same := there[is]
		if len(same) == 0 {
			restRows = append(restRows, i)
			continue
		}
		c.match(&c.outcomes[i], same[0])
		there[is], paired[same[0]] = same[1:], true
	}
	return restRows, slices.DeleteFunc(slices.Clone(pledges), func(p *Pledge) bool {
		return paired[p]
	})
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
		o.Asked, o.Pledge, c.asked[most.ID] = true, most.ID, true
		o.Changes = c.rows[o.Row].changes(most.offerOn(events.LastDate).terms)
	case sure:
		c.match(o, most)
	default:
		remedy := phrase.Of("give the mapping a key, or correct them one by one")
		switch {
		case c.opt.Base != nil:
			remedy = phrase.Of("import one such row at a time, or correct them one by one; or " +
				"choose new where they are other pledges")
		case c.rows[o.Row].Key != nil:
			remedy = phrase.Of("choose new as well where they are other pledges, or correct them " +
				"one by one")
		}
		c.refuse(o, "%s, and it cannot be told which is which: %s: %s",
			resembling(rows, len(pledges)), remedy, ids(pledges))
	}
}

// resembling says how many rows resemble how many pledges.
func resembling(rows, pledges int) phrase.Phrase {
	switch {
	case rows == 1 && pledges == 1:
		return phrase.Of("1 row resembles 1 pledge")
	case rows == 1:
		return phrase.Of("1 row resembles %d pledges", pledges)
	case pledges == 1:
		return phrase.Of("%d rows resemble 1 pledge", rows)
	}
	return phrase.Of("%d rows resemble %d pledges", rows, pledges)
}

func ids(pledges []*Pledge) phrase.Phrase {
	const most = 5
	var all []phrase.Phrase
	for _, p := range pledges[:min(most, len(pledges))] {
		all = append(all, phrase.Verbatim(p.ID.String()))
	}
	if more := len(pledges) - len(all); more > 0 {
		all = append(all, phrase.Of("%d more", more))
	}
	return listed(all)
}
