package web

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/records"
)

// A Folded answers questions as a server does, to whoever has folded the records and asks nobody:
// an auditor, who holds what a server has answered against it. It may be used concurrently.
type Folded struct {
	picture *projections.Picture
	view    events.View
	records iter.Seq2[events.Record, error]

	mu    sync.Mutex
	place *place // where the last question has stopped; nil for nowhere, or while it is used
}

// A place is how far the records were gone through. A list is asked for page by page, each from
// where the one before has ended: whoever began anew for each would read the square of the log.
type place struct {
	next func() (events.Record, error, bool)
	stop func()
	rec  events.Record // the one that is next
	err  error
	ok   bool
}

func (p *place) advance() { p.rec, p.err, p.ok = p.next() }

// from takes the place up to go on from a record, or begins anew where it is behind that already.
func (f *Folded) from(seq uint64) *place {
	f.mu.Lock()
	p := f.place
	f.place = nil
	f.mu.Unlock()
	if p != nil && p.rec.Sequence > seq {
		p.stop()
		p = nil
	}
	if p == nil {
		p = &place{}
		p.next, p.stop = iter.Pull2(f.records)
		p.advance()
	}
	for p.ok && p.err == nil && p.rec.Sequence < seq {
		p.advance()
	}
	return p
}

// leave keeps the place for the next question, unless it is of no use.
func (f *Folded) leave(p *place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !p.ok || p.err != nil || f.place != nil {
		p.stop()
		return
	}
	f.place = p
}

// NewFolded returns what answers from a picture of those who have a view, "" for who reads all,
// into which the records were folded. They can be gone through as often as anybody likes, and may
// be more than are in the picture. Between two questions it stays where it is in them.
func NewFolded(p *projections.Picture, view events.View,
	records iter.Seq2[events.Record, error]) *Folded {
	return &Folded{picture: p, view: view, records: records}
}

// Ask answers a question by its name, with its parameters, as [Client.Ask] does; now is the time
// that it is. The error is a problem, the same that a server would answer.
func (f *Folded) Ask(ctx context.Context, now time.Time, question string,
	parameters map[string]string, into any) error {
	row := find(questions, question)
	if row == nil {
		return fmt.Errorf("there is no question %q", question)
	}
	s := NewService(fixed{f.picture}, foldedSource{f})
	s.Now = func() time.Time { return now }
	s.view, s.Projector, s.Source = f.view, s.full, s.all
	given := map[string]string{}
	for name, value := range parameters {
		if value != "" {
			given[name] = value
		}
	}
	query, err := row.parse(s, request{given: given})
	if err != nil {
		return err
	}
	answer, err := row.answer(ctx, s, query)
	if err != nil {
		return err
	}
	data, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	return err
}

// A fixed picture does not change any more.
type fixed struct{ picture *projections.Picture }

var _ access.Pictures = fixed{}

// View implements [access.Pictures].
func (f fixed) View(look func(*projections.Picture) error) error { return look(f.picture) }

// Sequence implements [access.Pictures].
func (f fixed) Sequence() uint64 { return f.picture.Sequence() }

// Changed implements [access.Pictures].
func (fixed) Changed() <-chan struct{} { return nil }

// WaitFor implements [access.Pictures].
func (f fixed) WaitFor(_ context.Context, seq uint64) error {
	if seq <= f.picture.Sequence() {
		return nil
	}
	return problem.New(problem.NotFound, "there is no record %d", seq)
}

// A foldedSource has the records that are in the picture.
type foldedSource struct{ *Folded }

var _ records.Source = foldedSource{}

// Last implements [records.Source].
func (f foldedSource) Last() uint64 { return f.picture.Sequence() }

// Wait implements [records.Source].
func (f foldedSource) Wait(ctx context.Context, after uint64) error {
	return fixed{f.picture}.WaitFor(ctx, after+1)
}

// Records implements [records.Source].
func (f foldedSource) Records(from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		p := f.from(from)
		defer func() { f.leave(p) }()
		for ; p.ok && (p.err != nil || p.rec.Sequence <= f.Last()); p.advance() {
			if !yield(p.rec, p.err) || p.err != nil {
				return
			}
		}
	}
}
