package main

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/imported"
)

// check signs everything, and asks of the first statement of each chain whether it would be
// recorded, of each other one that begins a pledge, and of those whose ids are recorded: what is
// struck must not be gone before what comes in its place is refused. It returns what would be
// refused, each cause once; the error is no refusal. What else is said of a pledge follows from its
// beginning, which the package round has looked at, but for who may say it.
func (in *importer) check(ctx context.Context) (*problem.Problem, error) {
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for i := range in.Chains {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error { return in.checkOne(beside, &in.Chains[i]) })
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return nil, err
	}
	return in.Refusals(), nil
}

func (in *importer) checkOne(ctx context.Context, c *imported.Chain) (err error) {
	c.Drafts = make([]events.Signed, len(c.Said))
	for i, said := range c.Said {
		if c.Drafts[i], err = events.SignDraft(said.Statement, in.signer); err != nil {
			return err
		}
		if said.Statement.Head().Type == "pledge.accepted" && in.signer.Key().Party() != events.HQ {
			c.Refuse(i, problem.New(problem.NotAllowed, "that a pledge is accepted, which comes "+
				"before confirmed and deployed, the coordinators say: leave out the rung and what "+
				"is deployed, or let a coordinator import the file"))
		}
	}
	for i := range c.Said {
		if c.Refused != nil || !in.IsToBeChecked(c, i) {
			continue
		}
		if err := in.checkStatement(ctx, c, i); err != nil {
			return err
		}
	}
	return nil
}

// checkStatement asks whether one statement of a chain would be recorded.
func (in *importer) checkStatement(ctx context.Context, c *imported.Chain, at int) error {
	needs := needed(c.Said[at].Statement)
	for _, n := range needs {
		if p, refused := in.none.Load(n); refused {
			c.Refuse(at, p.(*problem.Problem))
			return nil
		}
	}
	checked, err := in.to.Check(ctx, c.Drafts[at])
	if unknown(err) || ctx.Err() != nil {
		return cmp.Or(err, ctx.Err()) // which is no refusal
	}
	if err != nil {
		c.Refuse(at, problem.From(err))
		for _, n := range needs {
			if n.code == c.Refused.Code {
				in.none.Store(n, c.Refused)
			}
		}
		return nil
	}
	c.Warnings = append(c.Warnings, checked.Warnings...)
	return nil
}

// A need is what must be there for all rows that name it, and the code of the refusal where it is
// not: the ledger is asked once for a file that names an operation which it does not have. What was
// recorded before cannot be among these rows.
type need struct {
	code      string
	operation events.Operation
	role      events.Role
	unit      events.Unit
}

// needed returns what an offer needs.
func needed(st events.Statement) []need {
	o, offered := st.(*events.PledgeOffered)
	if !offered {
		return nil
	}
	return []need{{code: "operation-unknown", operation: o.Operation},
		{code: "role-unknown", operation: o.Operation, role: o.Role},
		{code: "unit-not-of-role", operation: o.Operation, role: o.Role, unit: o.Unit}}
}
