package main

import (
	"context"
	"time"

	"muster/events"
	"muster/ledger/intake"
	"muster/projections"
)

// A visible submitter gives a receipt when the record can be read as well as being recorded: whoever has the receipt finds
// the record in this server's next answer. The ledger knows nothing of the projections, so that they meet here.
type visible struct {
	intake.Submitter
	projector *projections.Projector
}

// The longest that a receipt waits for the projections. The record stays recorded, whether or not it can be read by then.
const visibleWithin = 2 * time.Second

// Submit implements intake.Submitter.
func (v visible) Submit(ctx context.Context, s events.Signed) (intake.Receipt, error) {
	r, err := v.Submitter.Submit(ctx, s)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, visibleWithin)
		defer cancel()
		_ = v.projector.WaitFor(ctx, r.Sequence) // when it fails, /healthz says why
	}
	return r, err
}
