package main

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// An accountBook is what writers know: what they have sent, and which receipts they have for it. It
// may be used concurrently.
type accountBook struct {
	mu       sync.Mutex
	sent     map[events.ID]events.Signed
	receipts map[events.ID]intake.Receipt
	more     chan struct{} // closed at the next receipt
}

func newBook() *accountBook {
	return &accountBook{sent: map[events.ID]events.Signed{},
		receipts: map[events.ID]intake.Receipt{}, more: make(chan struct{})}
}

// submit sends a statement once, and writes down that it was sent and what came back.
func (b *accountBook) submit(ctx context.Context, to intake.Submitter, s events.Signed) error {
	id := s.Statement.Head().ID
	b.mu.Lock()
	b.sent[id] = s
	b.mu.Unlock()
	r, err := to.Submit(ctx, s)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.receipts[id]; !ok {
		r.Again = false
		b.receipts[id] = r
		close(b.more)
		b.more = make(chan struct{})
	}
	return nil
}

func (b *accountBook) count() (receipts int, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.receipts), b.more
}

// await returns when n receipts were given, and fails the test when that takes too long.
func (b *accountBook) await(t *testing.T, n int) {
	t.Helper()
	late := time.After(patience)
	for {
		have, more := b.count()
		if have >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("after %s there are %d receipts, and not %d", patience, have, n)
		}
	}
}

// last is the highest sequence of all receipts.
func (b *accountBook) last() (sequence int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.receipts {
		sequence = max(sequence, int(r.Sequence))
	}
	return sequence
}

// check compares the book with a log: no gap and no id twice; what was acknowledged is there, with
// its receipt, byte for byte; and nothing is there that nobody sent but what was there before the
// book was begun.
func (b *accountBook) check(t *testing.T, log []web.Record, before int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[events.ID]web.Record{}
	for i, rec := range log {
		if first, twice := at[rec.ID]; twice || rec.Sequence != uint64(i+1) {
			t.Fatalf("record %d has the sequence %d, and its id is that of record %d", i+1,
				rec.Sequence, first.Sequence)
		}
		at[rec.ID] = rec
		if s, ok := b.sent[rec.ID]; !ok && i >= before {
			t.Fatalf("nobody has sent record %d: %s", i+1, rec.Stored)
		} else if _, note, _ := strings.Cut(rec.Stored, "\n"); ok && note != string(s.Note) {
			t.Fatalf("record %d is not what was sent:\n%s\n%s", i+1, note, s.Note)
		}
	}
	for id, r := range b.receipts {
		rec, ok := at[id]
		if !ok || rec.Sequence != r.Sequence || rec.Recorded != r.Recorded || rec.By != r.By {
			t.Fatalf("acknowledged was %+v, and the log of %d records has %+v", r, len(log), rec)
		}
	}
}

// submitAllAgain sends everything once more: what was acknowledged gets its first receipt, and all
// is recorded in the end.
func (b *accountBook) submitAllAgain(t *testing.T, to intake.Submitter) {
	t.Helper()
	statements := slices.Collect(maps.Values(b.sent))
	var wg sync.WaitGroup
	for part := range slices.Chunk(statements, len(statements)/16+1) {
		wg.Go(func() {
			for _, s := range part {
				first, acknowledged := b.receipts[s.Statement.Head().ID] // nobody writes now
				r, err := to.Submit(t.Context(), s)
				again := r.Again
				r.Again, r.Proof, first.Proof = false, "", "" // the tree has grown since
				if err != nil || acknowledged && (!reflect.DeepEqual(r, first) || !again) {
					t.Errorf("sent again: %+v (again: %t), %v; the first receipt was %+v", r,
						again, err, first)
				}
			}
		})
	}
	wg.Wait()
}

// sameLogs compares two servers' logs, byte for byte.
func sameLogs(t *testing.T, a, b []web.Record) {
	t.Helper()
	if i := slices.IndexFunc(a[:min(len(a), len(b))], func(r web.Record) bool {
		return r.Stored != b[r.Sequence-1].Stored
	}); i >= 0 {
		t.Fatalf("the logs differ at record %d:\n%s\n%s", i+1, a[i].Stored, b[i].Stored)
	}
	if len(a) != len(b) {
		t.Fatalf("one log has %d records, and the other %d", len(a), len(b))
	}
}

// note writes down a statement as one that is sent.
func (b *accountBook) note(s events.Signed) { b.sent[s.Statement.Head().ID] = s }

// unacknowledged returns what was sent and has no receipt. Nobody writes meanwhile.
func (b *accountBook) unacknowledged() (all []events.Signed) {
	for id, s := range b.sent {
		if _, ok := b.receipts[id]; !ok {
			all = append(all, s)
		}
	}
	return all
}
