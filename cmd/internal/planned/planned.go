// Package planned says what a plan file comes to beside what a ledger holds, and writes what it
// holds as such a file: the same for the command line, which asks a server, and for the page, which
// is one.
package planned

import (
	"context"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan"
	"muster/projections"
	"muster/projections/web"
)

// An Asker answers what an operation is and needs on a day, as of a record, 0 for the last one.
type Asker func(ctx context.Context, o events.Operation, asOf uint64, on events.Date) (web.Plan,
	error)

// Comes is what a plan file comes to.
type Comes struct {
	// Plan is what is meant, with what others have changed since the file was written.
	Plan    plan.Plan
	Changes []plan.Change
	Kept    []plan.Kept
	// Effective is the day from which the changes hold.
	Effective events.Date
	// AsOf is the record as of which the plan was compared.
	AsOf uint64
}

// Changes says what is to be said in the ledger of an origin for it to follow a plan, from today on
// where the plan names no day. Nothing is signed or sent.
func Changes(ctx context.Context, ask Asker, p plan.Plan, origin events.Origin,
	today events.Date) (c Comes, err error) {
	c.Effective = p.Effective
	if c.Effective == 0 {
		c.Effective = today
	}
	o := p.Operation.Operation
	now, view, err := current(ctx, ask, o, 0, c.Effective)
	if err != nil {
		return c, err
	}
	c.AsOf = now.AsOf
	if b := p.Base; b != nil && now.Operation != nil {
		if err := p.Fits(origin, now.AsOf, view); err != nil {
			return c, err
		}
		base, _, err := current(ctx, ask, o, b.AsOf, b.On)
		if err != nil {
			return c, err
		}
		if p, c.Kept, err = p.Since(base, now); err != nil {
			return c, err
		}
	}
	c.Plan = p
	c.Changes, err = plan.Changes(p, now, today, origin, events.NewID)
	return c, err
}

// Written is a plan file with what a ledger of an origin holds of an operation on a day, as of a
// record, 0 for its last one.
func Written(ctx context.Context, ask Asker, o events.Operation, origin events.Origin, asOf uint64,
	on events.Date) ([]byte, error) {
	now, view, err := current(ctx, ask, o, asOf, on)
	if err == nil && now.Operation == nil {
		_, err = ask(ctx, o, asOf, on) // which says that it is not there
	}
	if err != nil {
		return nil, err
	}
	return plan.Write(now, plan.Base{Ledger: origin, AsOf: now.AsOf, On: on, View: view}), nil
}

// current asks what the ledger has of an operation on the date from which changes would hold, which
// may be nothing, and in which view that is told.
func current(ctx context.Context, ask Asker, o events.Operation, asOf uint64,
	on events.Date) (now plan.Current, view events.View, err error) {
	now = plan.Current{Lines: map[events.Line]events.RequirementTerms{},
		Cancelled: map[events.Line]bool{}}
	w, err := ask(ctx, o, asOf, on)
	if problem.Is(err, problem.NotFound) {
		return now, "", nil
	}
	if err != nil {
		return now, "", err
	}
	now.AsOf = w.AsOf
	// A line that is cancelled from a later day on cannot come back either.
	ever, err := ask(ctx, o, w.AsOf, endOfTime)
	if err != nil {
		return now, "", err
	}
	for _, r := range ever.Requirements {
		now.Cancelled[r.Line] = r.State == projections.Cancelled
	}
	terms := w.Catalogue.Terms()
	now.Operation = &terms
	for _, r := range w.Requirements {
		if !now.Cancelled[r.Line] {
			now.Lines[r.Line] = r.Terms()
		}
	}
	return now, w.View, nil
}

// endOfTime is the last date that can be asked about.
const endOfTime events.Date = 2199_12_31
