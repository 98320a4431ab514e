package web

import (
	"context"

	"muster/projections"
)

// FingerprintQuery asks for the fingerprint of the picture as of a record, which is the same on
// every machine that has folded the same records.
type FingerprintQuery struct {
	AsOf   Instant
	MinSeq uint64
}

func (q *FingerprintQuery) read(p *parameters) {
	q.AsOf, q.MinSeq = p.asOf(), p.minSeq()
}

// Fingerprint answers with the fingerprints of all projections. It is work: one at a time is done,
// and the others wait.
func (s *Service) Fingerprint(ctx context.Context,
	q *FingerprintQuery) (f projections.Fingerprints, err error) {
	err = aside(ctx, func() error {
		select {
		case s.hashing <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return f, err
	}
	defer func() { <-s.hashing }()
	return f, s.look(ctx, MomentQuery{AsOf: q.AsOf, MinSeq: q.MinSeq}, 0,
		func(p *projections.Picture, m projections.Moment) (err error) {
			if p.Sequence() == 0 {
				return notFounded()
			}
			if m.Before {
				p = projections.NewPicture()
			}
			f, err = p.Fingerprint(ctx, m.AsOf)
			f.View = m.View
			return err
		})
}
