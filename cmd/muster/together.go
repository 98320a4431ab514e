package main

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
)

// importers is how many statements of an import are under way at a time: they share the server's commits.
const importers = 64

// sayMonth submits a month of history: first the operations that it opens, then what happened in them.
func sayMonth(ctx context.Context, s *session, all []events.Statement) (recorded, before int, err error) {
	rest := slices.IndexFunc(all, func(st events.Statement) bool { _, opens := st.(*events.OperationOpened); return !opens })
	if rest < 0 {
		rest = len(all)
	}
	for _, part := range [][]events.Statement{all[:rest], all[rest:]} {
		r, b, err := sayAll(ctx, s, part)
		recorded, before = recorded+r, before+b
		if err != nil {
			return recorded, before, err
		}
	}
	return recorded, before, nil
}

// sayAll signs and submits statements that do not rest on each other, many at a time, and counts those
// recorded now and those recorded before. An operation that was opened by somebody else is as good. It
// stops at the first error.
func sayAll(ctx context.Context, s *session, all []events.Statement) (recorded, before int, err error) {
	var now, earlier atomic.Int64
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for _, st := range all {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error {
			r, err := s.say(beside, st)
			if p := problem.From(err); p != nil && p.Code != "operation-known" {
				return err
			}
			if err != nil || r.Again {
				earlier.Add(1)
			} else {
				now.Add(1)
			}
			return nil
		})
	}
	if err = working.Wait(); err == nil {
		err = context.Cause(ctx)
	}
	return int(now.Load()), int(earlier.Load()), err
}
