package access

import (
	"context"
	"iter"

	"muster/events"
	"muster/projections"
	"muster/projections/records"
)

// A Pictures keeps a picture up to date with a source, as [projector.Projector] does.
type Pictures interface {
	// View calls look with the picture as it is now, which does not change any more, and returns
	// its error.
	View(look func(*projections.Picture) error) error
	// Sequence returns the last record in the picture.
	Sequence() uint64
	// Changed returns a channel that is closed when there is another picture, or will be none.
	Changed() <-chan struct{}
	// WaitFor returns nil as soon as the record is in the picture.
	WaitFor(ctx context.Context, seq uint64) error
}

// A source yields what those may read who have a view, and the places of all else. It ends where
// the picture of all does, which knows the labels.
type source struct {
	all  records.Source
	full Pictures
	view events.View
	pace *pace // of the one that keeps the picture; nil for who reads the records
}

// A storedSource is one whose records can be had as they are stored, too.
type storedSource struct {
	source
	stored records.StoredSource
}

var _ records.StoredSource = storedSource{}

// newSource returns the source of a view, which waits for more at a pace, nil for at once.
func newSource(all records.Source, full Pictures, view events.View, pace *pace) records.Source {
	s := source{all, full, view, pace}
	if stored, ok := all.(records.StoredSource); ok {
		return storedSource{s, stored}
	}
	return s
}

// Last implements [records.Source].
func (s source) Last() uint64 { return s.full.Sequence() }

// Wait implements [records.Source].
func (s source) Wait(ctx context.Context, after uint64) error {
	if s.pace == nil {
		return s.full.WaitFor(ctx, after+1)
	}
	return s.pace.wait(ctx, s.full, after)
}

// opens returns what tells whether a record is open to the view, and the last one that it knows.
func (s source) opens() (open func(seq uint64) bool, last uint64) {
	_ = s.full.View(func(p *projections.Picture) error {
		last = p.Sequence()
		open = func(seq uint64) bool {
			label, known := p.Label(seq)
			return known && label.OpenTo(s.view)
		}
		return nil
	})
	return open, last
}

// Records implements [records.Source].
func (s source) Records(from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		open, last := s.opens()
		if from > last {
			return
		}
		for rec, err := range s.all.Records(from) {
			if err == nil && !open(rec.Sequence) {
				rec = events.Record{Sequence: rec.Sequence}
			}
			if !yield(rec, err) || rec.Sequence == last {
				return
			}
		}
	}
}

// Stored implements [records.StoredSource].
func (s storedSource) Stored(from uint64, most int, room []byte) (all [][]byte, used []byte,
	err error) {
	open, last := s.opens()
	if from > last {
		return nil, room, nil
	}
	all, used, err = s.stored.Stored(from, int(min(uint64(most), last+1-from)), room)
	for i := range all {
		if !open(from + uint64(i)) {
			all[i] = nil
		}
	}
	return all, used, err
}
