package web

import (
	"context"

	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/records"
)

// Released returns records as they are stored, so many from a sequence on, as far as those may read
// them who ask: nil stands for one that they may not. Shared says that everybody who reaches the
// server would get the same.
func (s *Service) Released(ctx context.Context, view string, from uint64, n int) (all [][]byte,
	shared bool, err error) {
	as, err := s.For(ctx, view)
	if err == nil && as.view != "" {
		err = s.labelled(ctx, from+uint64(n)-1)
	}
	if err != nil {
		return nil, false, err
	}
	all, err = as.stored(ctx, from, n)
	if err == nil && len(all) < n {
		err = problem.New(problem.Unavailable, "of %d records from %d on, %d are there", n, from,
			len(all)).WithHint("ask again in a moment")
	}
	return all, s.Reads == access.ReadOpen && as.view == "" && view == "", err
}

// labelled waits until it is known who may read a record: the picture of all knows.
func (s *Service) labelled(ctx context.Context, record uint64) error {
	waiting, cancel := s.wait(ctx, s.recordWait)
	defer cancel()
	err := s.full.WaitFor(waiting, record)
	if ended := s.stillKnown(ctx); ended != nil {
		return ended
	}
	if err != nil {
		return problem.New(problem.Unavailable, "who may read record %d is not known yet: %w",
			record,
			err).WithHint("ask again in a moment")
	}
	return nil
}

// stored returns records of the source as they are stored, nil for each that is withheld.
func (s *Service) stored(ctx context.Context, from uint64, n int) (all [][]byte, err error) {
	if bulk, ok := s.Source.(records.StoredSource); ok {
		all, _, err = bulk.Stored(from, n, nil)
		return all, err
	}
	for rec, err := range s.Source.Records(from) {
		if err != nil || ctx.Err() != nil || len(all) == n {
			return all, err
		}
		all = append(all, rec.Stored)
	}
	return all, nil
}
