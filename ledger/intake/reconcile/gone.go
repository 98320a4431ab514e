package reconcile

import (
	"slices"

	"muster/events"
	"muster/events/phrase"
)

// findGone finds what the import has recorded before, and the file does not have any more. It is
// left as it is where a row is refused: nobody knows which pledge that row is.
func (c *comparison) findGone() {
	if c.opt.Name == "" && c.opt.Base == nil {
		return
	}
	if slices.ContainsFunc(c.outcomes, func(o Outcome) bool { return o.Kind == Refused }) {
		c.opt.Gone = Leave
	}
	for _, p := range c.had() {
		if _, taken := c.taken[p.ID]; taken || c.hasEnded(p) || c.opt.There[p.ID] || c.asked[p.ID] {
			continue
		}
		o := Outcome{Kind: Gone, Row: -1, Pledge: p.ID}
		withdraw := c.opt.Gone == Withdraw && p.IsLive()
		if c.opt.Gone == Strike || withdraw {
			o.Problem = c.byAnother(p)
			o.Asked = !o.Problem.IsZero()
		}
		switch {
		case o.Asked:
		case c.opt.Gone == Strike:
			o.Statements = []events.Statement{Struck(p, c.opt)}
		case withdraw:
			st := &events.PledgeWithdrawn{PledgeStep: events.PledgeStep{
				Header: c.head("pledge.withdrawn"), Place: p.Place,
				Dated: events.Dated{Effective: max(c.opt.Today, p.latest())},
				Step: events.Step{Pledge: p.ID, Upon: events.Upon{After: int64(p.Last)},
					Reason: c.opt.Reason, Source: events.WithImport("", c.opt.Name)}}}
			o.Statements = []events.Statement{st}
		}
		c.outcomes = append(c.outcomes, o)
	}
}

// hasEnded reports whether a pledge is none that may be gone. A sheet has those, too, of which it
// is recorded that they end on a later day.
func (c *comparison) hasEnded(p *Pledge) bool {
	return !p.IsLive() && (c.opt.Base == nil || !p.HoldsOn(c.opt.Today))
}

// byAnother says why a pledge that a sheet does not have may not be taken off with it, "" where it
// may: the one who took its row out may not have known it, or not as it is now.
func (c *comparison) byAnother(p *Pledge) (why phrase.Phrase) {
	if c.opt.Base == nil {
		return why
	}
	was := c.opt.Base.Known.Pledge(p.ID)
	switch {
	case !c.opt.Base.Filled[p.ID] || was == nil:
		return phrase.Of("a row that was added to a copy of the form, which may not be this one")
	case was.Last != p.Last:
		return phrase.Of("since the form was written, something was recorded of it")
	}
	return why
}

// had returns the pledges that an earlier version of the file had.
func (c *comparison) had() []*Pledge {
	if c.opt.Base == nil {
		return c.Of(c.opt.Name)
	}
	return slices.DeleteFunc(slices.Clone(c.order), func(p *Pledge) bool {
		return p.Struck || !c.opt.Base.Filled[p.ID] && p.Import != c.opt.Name
	})
}

// latest returns the latest date from which something of the pledge holds.
func (p *Pledge) latest() (d events.Date) {
	for i := range p.said {
		d = max(d, p.said[i].effective)
	}
	return d
}

// Struck returns the statement that takes a pledge off, as never said.
func Struck(p *Pledge, opt Options) *events.PledgeCorrected {
	return &events.PledgeCorrected{
		Header: events.Header{Type: "pledge.corrected", ID: events.NewID(), Ledger: opt.Ledger},
		Dated:  events.Dated{Effective: p.Began()}, Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, Corrects: p.ID, Struck: true,
		Reason: opt.Reason, Source: events.WithImport("", opt.Name)}
}
