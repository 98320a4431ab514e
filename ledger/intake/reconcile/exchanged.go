package reconcile

import (
	"muster/events"
	"muster/events/phrase"
)

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

// findExchanged finds the rows that have the identity of one pledge, by its ID or its reference,
// and say what they were written with for another: somebody has sorted a part of the columns, or
// copied an id.
//
// A row is beside its own pledge when it differs in one cell at most from what that was written
// with, or is now. Of the others, one that says all of another such pledge, but for one cell at
// most, is certain: with an ID it is refused, and with a reference, which a nation may mend itself,
// it is told of. Where two pledges differ in one cell alone, that cell may well have been changed
// in both rows, which comes to the same. Two rows each of which is nearer to the other's pledge
// than to its own are likely to be exchanged: both are told of, and a choice is needed before they
// are recorded.
func (c *comparison) findExchanged() {
	known := c.Known
	if c.opt.Base != nil {
		known = c.opt.Base.Known
	}
	x := exchange{comparison: c, known: known, home: map[events.ID]bool{}}
	for i := range c.rows {
		x.look(i)
	}
	if len(x.away) == 0 {
		return
	}
	x.findCertain()
	x.findLikely()
}

// An exchange is what is looked at to find rows whose identities were exchanged.
type exchange struct {
	*comparison
	known *Known // what the rows were written with
	home  map[events.ID]bool
	away  []astray
}

// An astray row differs from its pledge in two cells or more.
type astray struct {
	at      int
	pledge  events.ID
	is, was filledRow
}

// look looks whether a row with an ID or a reference is beside its own pledge.
func (x *exchange) look(i int) {
	r, o := &x.rows[i], &x.outcomes[i]
	p, before := x.pledges[o.Pledge], x.known.Pledge(o.Pledge)
	if r.ID.IsZero() && x.byReference(r) == nil || o.Kind == Refused || p == nil || before == nil {
		return
	}
	then, today := x.days(r)
	now, was := p.TermsOn(today), before.TermsOn(then)
	a := astray{i, o.Pledge, x.cells(r, r.Offer.Nation, &r.Offer.PledgeTerms),
		x.cells(r, before.Nation, &was)}
	there := x.cells(r, p.Nation, &now)
	if a.is.differ(a.was) < 2 || a.is.differ(there) < 2 {
		x.home[o.Pledge] = true
		return
	}
	x.away = append(x.away, a)
}

// cells are what a row would say of terms, but for the reference of a row that has no ID: that is
// what tells it apart.
func (x *exchange) cells(r *Row, n events.Nation, t *events.PledgeTerms) filledRow {
	if !r.ID.IsZero() {
		return r.written(n, t)
	}
	others := *t
	others.Reference = ""
	return r.written(n, &others)
}

// findCertain finds the rows that say what another pledge was written with.
func (x *exchange) findCertain() {
	had := map[partOf]events.ID{}
	first := &x.rows[x.away[0].at]
	then, _ := x.days(first)
	for _, p := range x.known.order {
		_, there := x.taken[p.ID]
		if x.opt.Base != nil {
			there = x.opt.Base.Filled[p.ID]
		}
		if there && !x.home[p.ID] {
			was := p.TermsOn(then)
			is := x.cells(first, p.Nation, &was)
			for _, part := range is.parts() {
				had[part] = p.ID
			}
		}
	}
	for i := range x.away {
		a := &x.away[i]
		for _, part := range a.is.parts() {
			if id, ok := had[part]; ok && id != a.pledge {
				x.tellCertain(a, id)
				break
			}
		}
	}
}

func (x *exchange) tellCertain(a *astray, other events.ID) {
	r, o := &x.rows[a.at], &x.outcomes[a.at]
	if r.ID.IsZero() {
		o.Problem = phrase.Of("the row has the reference of the pledge %s, and says what the "+
			"ledger has of %s: were their references exchanged?", a.pledge, other)
		return
	}
	x.refuse(o, "the row has the id of the pledge %s, and says what the file had of %s: put each "+
		"id back beside its own row; where the pledge is to be so, amend it by hand", r.ID, other)
}

// maxAway is how many rows are compared with each other at most: where more than that have changed
// in several cells, what is likely cannot be told.
const maxAway = 2000

// findLikely finds pairs of rows each of which is nearer to the other's pledge than to its own.
func (x *exchange) findLikely() {
	if len(x.away) > maxAway {
		return
	}
	for i := range x.away {
		for j := range x.away[:i] {
			a, b := &x.away[i], &x.away[j]
			if a.isNearer(b) && b.isNearer(a) {
				x.tellLikely(a, b)
				x.tellLikely(b, a)
			}
		}
	}
}

func (x *exchange) tellLikely(a, b *astray) {
	o := &x.outcomes[a.at]
	if o.Problem.IsZero() {
		o.Problem = phrase.Of("the row is nearer to what the file had of the pledge %s, whose "+
			"row is nearer to this one's: were their identities exchanged?", b.pledge)
	}
}

// isNearer reports whether a row agrees with another's pledge in two or more of the cells in which
// the two pledges differ, and in fewer with its own.
func (a *astray) isNearer(b *astray) bool {
	own, others := 0, 0
	for i := range a.is {
		switch {
		case a.was[i] == b.was[i]:
		case a.is[i] == a.was[i]:
			own++
		case a.is[i] == b.was[i]:
			others++
		}
	}
	return others >= 2 && others > own
}
