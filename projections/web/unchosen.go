package web

import (
	"context"
	"errors"
	"iter"

	"muster/events"
	"muster/projections"
	"muster/projections/access"
	"muster/projections/records"
)

// An unchosen stands in a service where the picture and the records are in one that [Service.For]
// returns. Who has forgotten to choose a view reads nothing.
type unchosen struct{}

var (
	_ access.Pictures = unchosen{}
	_ records.Source  = unchosen{}
)

var errUnchosen = errors.New("no view was chosen before the ledger was read")

// View implements [access.Pictures].
func (unchosen) View(func(*projections.Picture) error) error { return errUnchosen }

// Sequence implements [access.Pictures].
func (unchosen) Sequence() uint64 { return 0 }

// Changed implements [access.Pictures].
func (unchosen) Changed() <-chan struct{} { return nil }

// WaitFor implements [access.Pictures].
func (unchosen) WaitFor(context.Context, uint64) error { return errUnchosen }

// Last implements [records.Source].
func (unchosen) Last() uint64 { return 0 }

// Wait implements [records.Source].
func (unchosen) Wait(context.Context, uint64) error { return errUnchosen }

// Records implements [records.Source].
func (unchosen) Records(uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) { yield(events.Record{}, errUnchosen) }
}
