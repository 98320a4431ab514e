package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections"
	"muster/projections/projector"
	"muster/projections/web"
)

// readYourWrites is a submitter that gives a receipt when the record can be read as well as being
// recorded: whoever has the receipt finds the record in this server's next answer. It also tells
// what is odd about a statement beside the plan, which is no reason to refuse it. The ledger knows
// nothing of the projections, so that they meet here.
type readYourWrites struct {
	intake.Submitter
	projector *projector.Projector
	questions *web.Service
	readable  prometheus.Observer // is told how long a receipt has waited, in seconds
}

func (s *Server) readYourWrites() readYourWrites {
	return readYourWrites{intake.Of(s.Ledger), s.Projector, s.Questions, s.metrics.readable}
}

// The longest that a receipt waits for the projections. The record stays recorded, whether or not
// it can be read by then.
const readableWithin = 2 * time.Second

// Submit implements intake.Submitter.
func (v readYourWrites) Submit(ctx context.Context, s events.Signed) (intake.Receipt, error) {
	r, err := v.Submitter.Submit(ctx, s)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, readableWithin)
		defer cancel()
		begun := time.Now()
		_ = v.projector.WaitFor(ctx, r.Sequence) // when it fails, /healthz says why
		v.readable.Observe(time.Since(begun).Seconds())
	}
	if err == nil && !r.Again {
		r.Warnings = v.warnings(ctx, s)
	}
	return r, err
}

// Check implements intake.Submitter.
func (v readYourWrites) Check(ctx context.Context, s events.Signed) (intake.Checked, error) {
	c, err := v.Submitter.Check(ctx, s)
	if err == nil {
		c.Warnings = v.warnings(ctx, s)
	}
	return c, err
}

// warnings tells what is odd, as far as the signer may read.
func (v readYourWrites) warnings(ctx context.Context, s events.Signed) (all []problem.Field) {
	as, err := v.questions.ForSigner(events.KeyID{Name: s.KeyName, Hash: s.KeyHash})
	ctx, cancel := context.WithTimeout(ctx, readableWithin)
	defer cancel()
	if err != nil || as.Projector.WaitFor(ctx, v.projector.Sequence()) != nil {
		return nil
	}
	// Each statement of a batch is asked about beside the others: it is a question of its own.
	ctx = projections.WithBudget(ctx, projections.Budget{})
	_ = as.Projector.View(func(p *projections.Picture) error {
		warnings, err := p.Warnings(ctx, s.Statement)
		for _, w := range warnings {
			all = append(all, w.Field)
		}
		return err
	})
	return all
}
