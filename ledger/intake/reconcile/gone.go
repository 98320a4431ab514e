package reconcile

import (
	"slices"

	"muster/events"
)

// findGone finds what the import has recorded before, and the file does not have any more. It is
// left as it is where a row is refused: nobody knows which pledge that row is.
func (c *comparison) findGone() {
	if c.opt.Name == "" {
		return
	}
	if slices.ContainsFunc(c.outcomes, func(o Outcome) bool { return o.Kind == Refused }) {
		c.opt.Gone = Leave
	}
	for _, p := range c.Of(c.opt.Name) {
		if _, taken := c.taken[p.ID]; taken || !p.IsLive() || c.opt.There[p.ID] {
			continue
		}
		o := Outcome{Kind: Gone, Row: -1, Pledge: p.ID}
		switch c.opt.Gone {
		case Strike:
			o.Statements = []events.Statement{Struck(p, c.opt)}
		case Withdraw:
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

// latest returns the latest date from which something of the pledge holds.
func (p *Pledge) latest() (d events.Date) {
	for i := range p.said {
		d = max(d, p.said[i].effective)
	}
	return d
}

// Struck returns the statement that takes a pledge off, as never said.
func Struck(p *Pledge, opt Options) events.Statement {
	return &events.PledgeCorrected{
		Header: events.Header{Type: "pledge.corrected", ID: events.NewID(), Ledger: opt.Ledger},
		Dated:  events.Dated{Effective: p.Began()}, Place: p.Place, Pledge: p.ID,
		Upon: events.Upon{After: int64(p.Last)}, Corrects: p.ID, Struck: true,
		Reason: opt.Reason, Source: events.WithImport("", opt.Name)}
}
