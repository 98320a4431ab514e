package records

import (
	"context"
	"iter"

	"muster/events"
)

// A Source is where records come from: a verified copy of the ledger, such as the journal. See
// [StoredSource] for one that is fast. All methods may be called concurrently.
type Source interface {
	// Last returns the sequence of the last record, 0 when there is none. It never goes down while
	// the source is open.
	Last() uint64

	// Records yields the records with the sequences from, from+1, …, without a gap, at least up to
	// what Last returned when it was called, and then ends: it does not wait for more. From is at
	// least 1; when it is beyond the last record, nothing is yielded. An error is yielded once,
	// with the zero record, and ends the sequence. Nobody changes a record that was yielded.
	// Whoever ranges may stop early. Of a record that may not be read, the place is yielded: a
	// record of which nothing but the sequence is set.
	Records(from uint64) iter.Seq2[events.Record, error]

	// Wait returns nil as soon as Last is higher than after, at once if it is already. It returns
	// an error in the chain of ctx.Err() when ctx ends first, and another error when there will be
	// no more records, because the source was closed.
	Wait(ctx context.Context, after uint64) error
}
