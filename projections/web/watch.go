package web

import (
	"context"

	"muster/events"
	"muster/projections"
)

// A Watch is what somebody is told of whom the operator of the server has named: see
// [Service.Next].
type Watch struct {
	View      events.View
	Operation events.Operation // "" for all
	Coverage  bool             // what each record changes in coverage, too
}

// Next waits for the first record after another one that is in a watch, and tells it. Where ctx
// ends, the error is its own.
func (s *Service) Next(ctx context.Context, w Watch, after uint64) (projections.Change, error) {
	for {
		as, err := s.forOperator(ctx, w.View)
		if err != nil {
			return projections.Change{}, err
		}
		changed, last := as.Projector.Changed(), as.Projector.Sequence()
		found, err := as.firstIn(w, after, last)
		if err != nil {
			return projections.Change{}, err
		}
		if found != nil {
			return as.tellIn(ctx, w, found)
		}
		after = max(after, last)
		select {
		case <-changed:
		case <-ctx.Done():
			return projections.Change{}, ctx.Err()
		}
	}
}

// firstIn returns the first record after another one that is in a watch, nil where there is none up
// to the last that the picture has.
func (s *Service) firstIn(w Watch, after, last uint64) (*events.Record, error) {
	if after >= last {
		return nil, nil
	}
	for rec, err := range s.Source.Records(after + 1) {
		if err != nil {
			return nil, err
		}
		if rec.Sequence > last {
			return nil, nil
		}
		if rec.Statement == nil { // the view does not show it
			continue
		}
		if _, o := events.About(rec.Statement); w.Operation == "" || o == w.Operation {
			return &rec, nil
		}
	}
	return nil, nil
}

func (s *Service) tellIn(ctx context.Context, w Watch,
	r *events.Record) (c projections.Change, err error) {
	return c, s.Projector.View(func(p *projections.Picture) error {
		if !w.Coverage {
			c = p.Tell(r)
			return nil
		}
		c, err = p.Change(ctx, r, projections.CoverageFilter{})
		return err
	})
}
