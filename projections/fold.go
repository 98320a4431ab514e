package projections

import (
	"fmt"
	"slices"

	"muster/events"
)

// An admitted is what a record says of a pledge, ready to be folded into it. To fold it touches
// nothing but its pledge, so pledges may be folded beside each other, and each in one go.
type admitted struct {
	pledge *pledge // nil when the record is about no pledge
	fact   fact
	mends  *mending // where the record is a correction
}

// A mending is what a correction does to another statement.
type mending struct {
	statement events.ID
	struck    bool
	all       bool   // with all that was said of the pledge: it is its beginning that is struck
	terms     *terms // with the amount and the remark, where these are mended
	amount    amount
	remark    *remark
}

// A folder folds facts into pledges: into the head of the pledge and into a table of versions. It
// has room that is used again, so each goroutine that folds needs one of its own.
type folder struct {
	p     *Picture
	table *versions
	room  standing
	old   []uint32 // rows that are yet to be closed or kept
}

// fold takes in one fact of a pledge. An error changes nothing.
func (f *folder) fold(a *admitted) (err error) {
	c, d := a.pledge.change(f.p.watched), &a.fact
	from := d.effective
	atEnd := len(c.facts) == 0 || !d.before(&c.facts[len(c.facts)-1])
	switch {
	case a.mends != nil && a.mends.all:
		from = c.strike(*d)
		c.refold()
	case a.mends != nil:
		if from, err = c.correct(*d, a.mends); err != nil {
			return fmt.Errorf("record %d: %w %s", d.order, err, a.pledge.id)
		}
		c.refold()
	case atEnd:
		c.add(*d)
		c.head.step(d)
	default:
		c.add(*d)
		c.refold()
	}
	if f.p.supposed == nil {
		f.refresh(a.pledge, c, d.order, from)
	}
	a.pledge.publish(c)
	return nil
}

// refold folds the head from the first fact.
func (c *chronicle) refold() {
	c.head = standing{}
	for i := range c.facts {
		if d := &c.facts[i]; d.knownTo == forever {
			c.head.step(d)
		}
	}
}

// refresh brings the versions of a pledge up to date, after a record that changed what follows from
// a date on.
func (f *folder) refresh(pl *pledge, c *chronicle, seq uint32, from events.Date) {
	t := f.table
	keep := len(c.open)
	for keep > 0 && t.extents[c.open[keep-1]].until >= from {
		keep--
	}
	f.old = append(f.old[:0], c.open[keep:]...)
	c.open = c.open[:keep]
	if f.p.watched {
		c.open = slices.Clip(c.open) // readers have the rest of it
	}
	// cut in two: its beginning stays as it was
	if len(f.old) > 0 && t.extents[f.old[0]].from < from {
		f.add(c, seq, stretch{t.extents[f.old[0]].from, dayBefore(from)}, t.what[f.old[0]])
	}
	next := 0
	emit := func(days stretch, s *standing) {
		for ; next < len(f.old) && t.extents[f.old[next]].until < days.from; next++ {
			t.extents[f.old[next]].close(seq)
		}
		v := f.p.versionOf(pl, s, days.from)
		if next < len(f.old) && t.extents[f.old[next]].stretch == days &&
			v.equal(&t.what[f.old[next]]) {
			c.open = append(c.open, f.old[next])
			next++
			return
		}
		f.add(c, seq, days, v)
	}
	if c.latest <= from && len(c.facts) > 0 {
		f.room = c.head
		f.room.run(stretch{from, lastDay}, emit)
	} else {
		c.stretches(&f.room, seq, from, emit)
	}
	for _, i := range f.old[next:] {
		t.extents[i].close(seq)
	}
}

func (f *folder) add(c *chronicle, seq uint32, days stretch, v version) {
	c.open = append(c.open, uint32(len(f.table.what)))
	f.table.add(seq, days, v)
}
