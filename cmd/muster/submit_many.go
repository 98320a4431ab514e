package main

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/reconcile"
)

// importers is how many statements of an import are under way at a time: they share requests and
// the server's commits. There are twice as many as the requests have room for at a time, so that
// the next one is full when another is answered.
const importers = 512

// A builder is what an import knows of the pledges that it goes on with: what it says of them
// builds on what it has seen.
type builder struct {
	mu   sync.Mutex
	last map[events.ID]int64 // the last record about each pledge
}

func newBuilder(known *reconcile.Known) *builder {
	f := &builder{last: map[events.ID]int64{}}
	for _, p := range known.All() {
		f.last[p.ID] = int64(p.Last)
	}
	return f
}

// build fills in which state of its pledge a statement builds on.
func (f *builder) build(st events.Statement) {
	f.mu.Lock()
	defer f.mu.Unlock()
	after := f.last[events.Thing(st)]
	switch st := st.(type) {
	case *events.PledgeReported:
		st.After = after
	case *events.PledgeReturned:
		st.After = after
	case *events.PledgeCorrected:
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

// submitWaves submits statements, wave after wave.
func (f *builder) submitWaves(ctx context.Context, s *speaker,
	waves [][]events.Statement) (recorded, before int, err error) {
	for _, wave := range waves {
		r, b, err := f.submitAll(ctx, s, wave)
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
