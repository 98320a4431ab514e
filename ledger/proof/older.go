package proof

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/english"
)

// OlderState is the error of a server, or of somebody between, that shows fewer records than were
// seen before. It proves nothing against whoever has signed: an old checkpoint stays a good one,
// and anybody can show it again. Nor is it what the ledger is now.
type OlderState struct {
	// Seen is the checkpoint that was verified before, and Shown the smaller one.
	Seen, Shown Checkpoint
	// NotCompared is why it is not known whether the smaller tree is the beginning of the larger
	// one; nil where it was proved that it is.
	NotCompared error
}

// Error implements error.
func (e *OlderState) Error() string {
	return fmt.Sprintf("it shows %s, and %d were seen before", english.Several(e.Shown.N, "record"),
		e.Seen.N)
}

// Unwrap returns why the two were not compared.
func (e *OlderState) Unwrap() error { return e.NotCompared }

// checkBegins is [CheckExtends] for a tree that is smaller than last's: its error is never nil. The
// tiles are those of last's tree, which whoever shows an old checkpoint may still have.
func checkBegins(ctx context.Context, last, next Checkpoint, fetch Fetcher) error {
	older := &OlderState{Seen: last, Shown: next}
	if next.N == 0 {
		return older
	}
	p, err := tlog.ProveTree(last.N, next.N, Hashes(ctx, last, fetch))
	if err != nil {
		older.NotCompared = err
		return older
	}
	if tlog.CheckTree(p, last.N, last.Hash, next.N, next.Hash) != nil {
		return &OtherHistory{Seen: last, Shown: next, What: fmt.Sprintf("its %s are not the "+
			"first of the %d that were there before, with the root %s",
			english.Several(next.N, "record"), last.N, last.Hash)}
	}
	return older
}

// orLarger returns that of two which was seen with more records, and says of it that it was not
// compared where one of them was not.
func (e *OlderState) orLarger(other *OlderState) *OlderState {
	if e == nil {
		return other
	}
	larger := *other
	if e.Seen.N > other.Seen.N {
		larger = *e
	}
	larger.NotCompared = cmp.Or(e.NotCompared, other.NotCompared)
	return &larger
}
