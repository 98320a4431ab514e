package main

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// check signs everything and asks whether each pledge would be recorded. It returns what would be
// refused, each cause once; the error is no refusal. What is said of a pledge later follows from
// its beginning, which the package round has looked at, but for who may say it.
func (in *importer) check(ctx context.Context) (*problem.Problem, error) {
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for i := range in.chains {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error { return in.checkOne(beside, &in.chains[i]) })
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return nil, err
	}
	in.leaveGone()
	var faults sheet.Faults
	hint, rows := "", 0
	for i := range in.chains {
		c := &in.chains[i]
		first := &in.rows[c.said[0].Row]
		first.Warnings = c.checked.Warnings
		for _, w := range first.Warnings {
			first.What += "; warning: " + w.String()
		}
		if c.refused == nil {
			continue
		}
		if c.refused.Code == idTaken {
			hint = saidOtherwise(c.said[0].Statement.Head().ID)
		}
		for _, said := range c.said {
			if row := &in.rows[said.Row]; row.Refused == nil {
				rows++
				f := problem.Field{Message: c.refused.Detail}
				if c.refused.Code == idTaken {
					f.Message = "is recorded already, with another key or in other words"
				}
				faults.Add(row.place(), f)
				f.Location = row.place()
				row.What += "; refused: " + f.Message
				row.Refused = []problem.Field{f}
			}
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil, nil
	}
	p := problem.New(problem.Conflict, "%d of %d rows would be refused, so nothing was "+
		"recorded: %s", rows, len(in.rows), fields[0])
	p.Fields, p.Hint = fields, hint
	return p, nil
}

func (in *importer) checkOne(ctx context.Context, c *chain) (err error) {
	needs := needed(c.said[0].Statement)
	for _, n := range needs {
		if p, refused := in.none.Load(n); refused {
			c.refused = p.(*problem.Problem)
			return nil
		}
	}
	c.signed = make([]events.Signed, len(c.said))
	for i, said := range c.said {
		if c.signed[i], err = events.Sign(said.Statement, in.signer); err != nil {
			return err
		}
		if said.Statement.Head().Type == "pledge.accepted" && in.signer.Key().Party() != events.HQ {
			c.refused = problem.New(problem.NotAllowed, "that a pledge is accepted, which comes "+
				"before confirmed and deployed, the coordinators say: leave out the rung and what "+
				"is deployed, or let a coordinator import the file")
		}
	}
	c.checked, err = in.to.Check(ctx, c.signed[0])
	if unknown(err) || ctx.Err() != nil {
		return cmp.Or(err, ctx.Err()) // which is no refusal
	}
	if err != nil {
		c.refused = problem.From(err)
	}
	for _, n := range needs {
		if err != nil && n.code == c.refused.Code {
			in.none.Store(n, c.refused)
		}
	}
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

// idTaken is the code of the rule that an id is of one statement. What is imported has the id of
// its row: so it was imported before, by another key or in other words.
const idTaken = "id-taken"

// saidOtherwise says what to do about a row that was imported before in other words.
func saidOtherwise(pledge events.ID) string {
	return fmt.Sprintf("such a row was imported before, with another key, mapping or version, "+
		"and what is recorded stays and counts once: leave the row out, or amend the pledge "+
		"where the row is right now: muster pledge show %s", pledge)
}
