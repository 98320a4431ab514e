package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// importers is how many statements of an import are under way at a time: they share the server's
// commits.
const importers = 64

// A builder is what an import knows of the pledges that it goes on with: what it says of them
// builds on what it has seen, and what it has said before says so in the same bytes as then.
type builder struct {
	mu    sync.Mutex
	last  map[events.ID]int64 // the last record about each pledge
	after map[events.ID]int64 // what statements that are recorded already build on, by their ids
}

// builder asks for the pledges that are there, and for what the signer has said of them.
func (a *app) builder(ctx context.Context, s *speaker) (*builder, error) {
	f := &builder{last: map[events.ID]int64{}, after: map[events.ID]int64{}}
	pledges, err := a.allPledges(ctx, map[string]string{"limit": "5000"})
	if err != nil {
		return nil, err
	}
	for _, p := range pledges.Pledges {
		f.last[p.ID] = int64(p.Last)
	}
	parameters := map[string]string{"type": "pledge", "signer": s.signer.Name(), "limit": "10000"}
	if len(f.last) == 0 {
		return f, nil
	}
	for page, err := range a.recordPages(ctx, parameters) {
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			st, err := events.Parse([]byte(r.Statement()))
			if err != nil {
				return nil, err
			}
			f.after[r.ID] = int64(events.After(st))
		}
	}
	return f, nil
}

// build fills in which state of its pledge a statement builds on.
func (f *builder) build(st events.Statement) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after, before := f.after[st.Head().ID]
	if !before {
		after = f.last[events.Thing(st)]
	}
	switch st := st.(type) {
	case *events.PledgeReported:
		st.After = after
	case *events.PledgeReturned:
		st.After = after
	}
}

// said notes that a statement is recorded.
func (f *builder) said(st events.Statement, r intake.Receipt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := events.Thing(st)
	f.last[id] = max(f.last[id], int64(r.Sequence))
}

// submitMonth submits a month of history: first the operations that it opens, then what happened in
// them.
func (f *builder) submitMonth(ctx context.Context, s *speaker,
	all []events.Statement) (recorded, before int, err error) {
	rest := slices.IndexFunc(all, func(st events.Statement) bool {
		_, opens := st.(*events.OperationOpened)
		return !opens
	})
	if rest < 0 {
		rest = len(all)
	}
	for _, part := range [][]events.Statement{all[:rest], all[rest:]} {
		r, b, err := f.submitAll(ctx, s, part)
		recorded, before = recorded+r, before+b
		if err != nil {
			return recorded, before, err
		}
	}
	return recorded, before, nil
}

// submitAll signs and submits statements that do not rest on each other, many at a time, and counts
// those recorded now and those recorded before. An operation that was opened by somebody else is as
// good. It stops at the first error.
func (f *builder) submitAll(ctx context.Context, s *speaker,
	all []events.Statement) (recorded, before int, err error) {
	var now, earlier atomic.Int64
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for _, st := range all {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error {
			f.build(st)
			r, err := s.say(beside, st)
			if p := problem.From(err); p != nil && p.Code != "operation-known" {
				return err
			}
			f.said(st, r)
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
