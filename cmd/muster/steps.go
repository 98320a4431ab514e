package main

import (
	"cmp"
	"context"
	"sync"
)

// A step is a part of what starts a server.
type step func(context.Context) error

// inTurn does steps one after the other, until one fails.
func inTurn(steps ...step) step {
	return func(ctx context.Context) error {
		for _, do := range steps {
			if err := do(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// beside does steps at the same time, and waits for all. When several fail, the error is that of the first among them.
func beside(steps ...step) step {
	return func(ctx context.Context) error {
		errs := make([]error, len(steps))
		var all sync.WaitGroup
		for i, do := range steps {
			all.Go(func() { errs[i] = do(ctx) })
		}
		all.Wait()
		return cmp.Or(errs...)
	}
}
