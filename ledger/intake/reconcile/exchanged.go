package reconcile

import "muster/events"

// A filledRow is a row of a sheet as it is written: the nation, and then the terms, each "" where
// the sheet has no column for it.
type filledRow [1 + len(terms)]string

// written is what a row of the sheet would say of terms.
func (r *Row) written(n events.Nation, t *events.PledgeTerms) (f filledRow) {
	f[0] = string(n)
	for i, term := range terms {
		if r.says(term.field) {
			f[i+1] = term.write(t)
		}
	}
	return f
}

func (f *filledRow) differ(from filledRow) (n int) {
	for i := range f {
		if f[i] != from[i] {
			n++
		}
	}
	return n
}

// A partOf is a row without one of its cells, by its place.
type partOf struct {
	filledRow
	without int
}

// parts are the row without each of its cells.
func (f *filledRow) parts() (all [len(filledRow{})]partOf) {
	for i := range f {
		all[i] = partOf{*f, i}
		all[i].filledRow[i] = ""
	}
	return all
}

// findExchanged refuses the rows of a sheet, or of a list, that have the id of one pledge and say
// what it was written with for another, but for one cell at most, whose own row says something else
// or is not there: somebody has sorted a part of the columns, or copied an id. Where two pledges
// differ in one cell alone, that cell may well have been changed in both rows, which comes to the
// same.
func (c *comparison) findExchanged() {
	known := c.Known
	if c.opt.Base != nil {
		known = c.opt.Base.Known
	}
	home := map[events.ID]bool{}
	var others []int
	for i := range c.rows {
		r, o := &c.rows[i], &c.outcomes[i]
		p, before := c.pledges[o.Pledge], known.Pledge(r.ID)
		if r.ID.IsZero() || o.Kind == Refused || before == nil {
			continue
		}
		now, was := p.Terms(), before.Terms()
		is := r.written(r.Offer.Nation, &r.Offer.PledgeTerms)
		home[r.ID] = is.differ(r.written(before.Nation, &was)) < 2 ||
			is.differ(r.written(p.Nation, &now)) < 2
		if !home[r.ID] {
			others = append(others, i)
		}
	}
	if len(others) == 0 {
		return
	}
	had := map[partOf]events.ID{}
	for _, p := range known.order {
		_, there := c.taken[p.ID]
		if c.opt.Base != nil {
			there = c.opt.Base.Filled[p.ID]
		}
		if there && !home[p.ID] {
			was := p.Terms()
			is := c.rows[others[0]].written(p.Nation, &was)
			for _, part := range is.parts() {
				had[part] = p.ID
			}
		}
	}
	for _, i := range others {
		r := &c.rows[i]
		is := r.written(r.Offer.Nation, &r.Offer.PledgeTerms)
		for _, part := range is.parts() {
			if id, ok := had[part]; ok && id != r.ID {
				c.refuse(&c.outcomes[i], "the row has the id of the pledge %s, and says what the "+
					"file had of %s: put each id back beside its own row; where the pledge is to "+
					"be so, amend it by hand", r.ID, id)
				break
			}
		}
	}
}
