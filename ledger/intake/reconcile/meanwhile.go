package reconcile

// meanwhile tells the changes of a row beside what the ledger has, where that is not what the file
// has said of the pledge last: somebody has amended it since. An amendment says all that the row
// says in the place of that, and a correction mends what the file has said before, and leaves it:
//
//	the file before   the file   the ledger
//	11                10         9            amended 9 -> 10; corrected 11 -> 10, and 9 stays
//	                             by air       amended by air -> none
//	5                 6          6            nothing is said of it
//
// What rows of the file take off is the file's own word.
func (c *comparison) meanwhile(r *Row, p *Pledge, then *said, changes []Change,
	next *steps) []Change {
	last := r.last(p, next)
	if len(changes) == 0 || !r.ID.IsZero() || then.id == last.id ||
		len(r.Rest)+len(next.dropped) > 0 {
		return changes
	}
	now := p.renewed(last)
	all := r.moves(p)
	for _, t := range terms {
		was, is, there := t.write(then.terms), t.write(&r.Offer.PledgeTerms), t.write(&now)
		change := Change{Field: t.field, Was: was, Is: is}
		switch corrects := c.opt.Changed == Corrected; {
		case !r.says(t.field), corrects && was == is, !corrects && there == is:
			continue
		case was == there:
		case corrects:
			change.Stays = &there
		default:
			change.Was, change.Base, change.isOfFile = there, &was, true
		}
		all = append(all, change)
	}
	for _, one := range changes {
		if one.Field == "effective" || one.Field == "rung" {
			all = append(all, one)
		}
	}
	return all
}
