package reconcile

import "muster/events"

// A nearness is in how few terms some rows differ from some pledges that they resemble.
type nearness struct {
	pledges []*Pledge
	rows    []nearest // of each row, the pledge that is nearest
	back    []nearest // of each pledge, the row that is nearest
}

// A nearest is the number of what is nearest to something, in how many terms it differs, and
// whether others do in no more.
type nearest struct {
	at, changes int
	shared      bool
}

func (n *nearest) see(at, changes int, first bool) {
	switch {
	case first || changes < n.changes:
		*n = nearest{at: at, changes: changes}
	case changes == n.changes:
		n.shared = true
	}
}

// cells are terms as a row writes them, each in its place of [terms].
type cells [len(terms)]string

func cellsOf(t *events.PledgeTerms) (c cells) {
	for i, term := range terms {
		c[i] = term.write(t)
	}
	return c
}

// differ is in how many terms others are otherwise.
func (c *cells) differ(other *cells) (n int) {
	for i := range c {
		if c[i] != other[i] {
			n++
		}
	}
	return n
}

// mostCompared is how many pairs of a row and a pledge are compared at most: a second's work.
const mostCompared = 4_000_000

// newNearness compares each of some rows with each of some pledges. Of so many that this would take
// long nobody can be sure which is which.
func newNearness(c *comparison, rows []int, pledges []*Pledge) *nearness {
	n := &nearness{pledges, make([]nearest, len(rows)), make([]nearest, len(pledges))}
	if len(rows)*len(pledges) > mostCompared {
		for k := range rows {
			n.rows[k].shared = true
		}
		return n
	}
	written := make([]cells, len(rows))
	for k, i := range rows {
		written[k] = cellsOf(&c.rows[i].Offer.PledgeTerms)
	}
	for j, p := range pledges {
		is := cellsOf(p.offerOn(events.LastDate).terms)
		for k := range rows {
			changes := written[k].differ(&is)
			n.rows[k].see(j, changes, j == 0)
			n.back[j].see(k, changes, k == 0)
		}
	}
	return n
}

// of returns the pledge, or the first of those, that a row differs from in the fewest terms.
func (n *nearness) of(row int) *Pledge { return n.pledges[n.rows[row].at] }

// isSure reports whether a row is nearest to one pledge alone, and that pledge to this row alone.
func (n *nearness) isSure(row int) bool {
	to := n.rows[row]
	back := n.back[to.at]
	return !to.shared && !back.shared && back.at == row
}
