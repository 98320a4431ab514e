package projections

import (
	"context"
	"fmt"
	"iter"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
)

// Replay folds records from the first one on, up to the sequence to, or to the last where to is 0.
// It calls progress, when there is one, after each record. Records must come in order and without a
// gap, and be those of one ledger; whether they are signed and lie in its Merkle tree is not looked
// at here.
func Replay(ctx context.Context, records iter.Seq2[events.Record, error], to uint64,
	progress func(seq uint64)) (*Picture, error) {
	p := NewPicture()
	for rec, err := range records {
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, problem.New(problem.Unavailable, "replaying was given up: %w", ctx.Err())
		}
		if err := p.Apply(rec); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(rec.Sequence)
		}
		if rec.Sequence == to {
			return p, nil
		}
	}
	if last := p.Sequence(); last < to {
		return nil, problem.New(problem.NotFound, "%s %s to replay, and no record %d",
			english.ThereIs(int(last)), english.Several(last, "record"), to)
	}
	return p, nil
}

// Parting returns the first record as of which two pictures are not the same, 0 when they are the
// same as of the record to. It asks theirs, and the picture itself, for the whole fingerprint as of
// a few records: what has once parted stays apart, since a fingerprint shows every record before
// it.
func (p *Picture) Parting(ctx context.Context, to uint64,
	theirs func(asOf uint64) (string, error)) (uint64, error) {
	same := func(asOf uint64) (bool, error) {
		mine, err := p.Fingerprint(ctx, asOf)
		if err != nil {
			return false, err
		}
		other, err := theirs(asOf)
		if err != nil {
			return false, fmt.Errorf("the fingerprint as of record %d: %w", asOf, err)
		}
		return mine.Whole == other, nil
	}
	if alike, err := same(to); alike || err != nil {
		return 0, err
	}
	alike, apart := uint64(0), to
	for alike+1 < apart {
		middle := alike + (apart-alike)/2
		is, err := same(middle)
		if err != nil {
			return 0, err
		}
		if is {
			alike = middle
		} else {
			apart = middle
		}
	}
	return apart, nil
}
