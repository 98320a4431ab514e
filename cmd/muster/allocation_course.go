package main

import (
	"context"
	"slices"

	"muster/events"
	"muster/projections"
)

// A course is how a pledge stands from a day on, and what a plan sets it against.
type course struct {
	days   []events.Date // the first, and those after it on which something takes effect
	stands []projections.Pledge
	left   []projections.Allocation // those of all days that no row of the plan has claimed
	made   []*planRow               // the rows that the plan allocates
}

// courseOf asks how a pledge stands on a day and on all later ones.
func (a *app) courseOf(ctx context.Context, text string, on events.Date) (*course, error) {
	w, err := a.pledgeLife(ctx, text, on)
	if err != nil {
		return nil, err
	}
	p := w.Pledge
	c := &course{days: []events.Date{on}}
	for _, e := range w.Life {
		if e.Effective > on {
			c.days = append(c.days, e.Effective)
		}
	}
	slices.Sort(c.days)
	c.days = slices.Compact(c.days)
	for _, day := range c.days {
		if day != on {
			if p, err = a.pledge(ctx, p.ID.String(), day); err != nil {
				return nil, err
			}
		}
		c.stands = append(c.stands, p)
		for _, one := range p.Allocations {
			if !slices.ContainsFunc(c.left, func(o projections.Allocation) bool {
				return o.ID == one.ID
			}) {
				c.left = append(c.left, one)
			}
		}
	}
	return c, nil
}

// first is the pledge as it stands on the first day.
func (c *course) first() *projections.Pledge { return &c.stands[0] }

// claim takes the allocation that a row asks for out of those that are left.
func (c *course) claim(r *planRow) bool {
	i := slices.IndexFunc(c.left, func(a projections.Allocation) bool {
		return r.isAs(&a) && (r.until != 0 || !c.isOver(&a))
	})
	if i < 0 {
		return false
	}
	c.left = slices.Delete(c.left, i, i+1)
	return true
}

// isOver reports whether the days of an allocation are over before the first.
func (c *course) isOver(a *projections.Allocation) bool {
	return a.Until != 0 && a.Until < c.days[0]
}

// other returns an allocation to a line that no row asks for, nil where there is none.
func (c *course) other(line events.Line) *projections.Allocation {
	i := slices.IndexFunc(c.left, func(a projections.Allocation) bool {
		return a.Line == line && !c.isOver(&a)
	})
	if i < 0 {
		return nil
	}
	return &c.left[i]
}

// free returns the least that is free on any day of a window, with what the plan has allocated
// before; it is not known where how much is pledged is not.
func (c *course) free(w events.Window) (least int64, known bool) {
	first := max(w.From, c.days[0])
	days := append([]events.Date{first}, c.days...)
	for i := range c.stands {
		for _, a := range c.stands[i].Allocations {
			days = append(days, a.From)
		}
	}
	for _, r := range c.made {
		days = append(days, r.st.From)
	}
	for i, day := range days {
		if i > 0 && (day < first || !w.Includes(day)) {
			continue
		}
		free, sure := c.freeOn(day)
		if !sure {
			return 0, false
		}
		if i == 0 || free < least {
			least = free
		}
	}
	return least, true
}

// freeOn is free on a day.
func (c *course) freeOn(day events.Date) (free int64, known bool) {
	p := c.first()
	for i := range c.days {
		if c.days[i] <= day {
			p = &c.stands[i]
		}
	}
	terms := p.Terms()
	free, known = terms.Amount().Sure()
	take := func(w events.Window, q events.Quantity) {
		n, _ := q.Number()
		if w.Includes(day) {
			free -= n
		}
	}
	for _, a := range p.Allocations {
		take(a.Window, a.Quantity)
	}
	for _, r := range c.made {
		take(r.st.Window, r.st.Quantity)
	}
	return free, known
}

// beside are the rows of the plan that are allocated on days of a window.
func (c *course) beside(w events.Window) (rows []*planRow) {
	for _, r := range c.made {
		o := r.st.Window
		if (w.Until == 0 || o.From <= w.Until) && (o.Until == 0 || w.From <= o.Until) {
			rows = append(rows, r)
		}
	}
	return rows
}
