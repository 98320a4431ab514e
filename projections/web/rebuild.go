package web

import (
	"context"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/projector"
)

// A Rebuilding is what came of it when a picture was built anew.
type Rebuilding struct {
	projector.Rebuilding
	// View is whose picture it is: see [projections.Basis].
	View events.View `json:"view,omitzero"`
}

// Rebuild builds all projections anew from the first record, and compares them with the picture
// that answers. It is work: one at a time is done, and another is refused meanwhile.
func (s *Service) Rebuild(ctx context.Context, _ *RebuildQuery) (Rebuilding, error) {
	r, err := s.rebuild(ctx)
	return Rebuilding{r, s.view}, err
}

func (s *Service) rebuild(ctx context.Context) (projector.Rebuilding, error) {
	select {
	case s.rebuilding <- struct{}{}:
		defer func() { <-s.rebuilding }()
	default:
		return projector.Rebuilding{},
			problem.New(problem.Unavailable, "the projections are being rebuilt already").
				WithHint("try again when that is done")
	}
	asOf := s.Projector.Sequence()
	if asOf == 0 {
		return projector.Rebuilding{}, notFounded()
	}
	fresh, err := s.buildAnew(ctx, asOf)
	if err != nil {
		return projector.Rebuilding{}, err
	}
	rebuilt, err := fresh.Fingerprint(ctx, asOf)
	if err != nil {
		return projector.Rebuilding{}, err
	}
	var kept projections.Fingerprints
	err = s.Projector.View(func(p *projections.Picture) (err error) {
		kept, err = p.Fingerprint(ctx, asOf)
		return err
	})
	if err != nil {
		return projector.Rebuilding{}, err
	}
	return projector.Compare(kept, rebuilt), nil
}

// buildAnew folds the log's records up to a sequence.
func (s *Service) buildAnew(ctx context.Context, upTo uint64) (*projections.Picture, error) {
	fresh := projections.NewPicture()
	for rec, err := range s.Source.Records(1) {
		if err == nil {
			err = fresh.Apply(rec)
		}
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, problem.New(problem.Unavailable, "rebuilding was given up: %w", ctx.Err())
		}
		if rec.Sequence == upTo {
			break
		}
	}
	return fresh, nil
}
