package main

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// checkAll asks of all statements whether they would be recorded, many at a time, and tells those
// that would not. What is sent are drafts, which nobody can record.
func checkAll(ctx context.Context, s *speaker, all []events.Statement) error {
	refusals := make([]*problem.Problem, len(all))
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for i := range all {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error {
			draft, err := events.SignDraft(all[i], s.signer)
			if err == nil {
				_, err = s.to.Check(beside, draft)
			}
			if unknown(err) || beside.Err() != nil {
				return cmp.Or(err, context.Cause(beside)) // which is no refusal
			}
			refusals[i] = problem.From(err)
			return nil
		})
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return err
	}
	var refused []problem.Field
	n, hint := 0, ""
	for i, p := range refusals {
		if p == nil {
			continue
		}
		if n++; n <= sheet.Shown {
			refused = append(refused, problem.Field{Message: p.Error(),
				Location: events.Thing(all[i]).String()})
			hint = p.Hint
		}
	}
	if n == 0 {
		return nil
	}
	if n > len(refused) {
		refused = append(refused, problem.Field{Location: "further statements",
			Message: fmt.Sprintf("%d more would be refused", n-len(refused))})
	}
	p := problem.New(problem.Conflict, "%d of %s would be refused, so nothing was done: %s",
		n, english.Several(len(all), "statement"), refused[0])
	p.Fields, p.Hint = refused, hint
	return p
}
