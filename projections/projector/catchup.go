package projector

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"runtime/debug"

	"muster/projections/records"
)

// replay takes in what the source has beyond the picture, before there are readers. Where that is
// worth a snapshot, its rows are not kept.
func (p *Projector) replay(ctx context.Context) error {
	from := p.picture.Sequence() + 1
	n := max(p.source.Last()+1, from) - from
	p.unkept = n > 0 && p.isWorthSnap(from-1+n)
	return p.picture.Load(p.kept(ctx, from), n)
}

// kept yields the batches from a record on, until ctx ends, and keeps those that were taken in.
func (p *Projector) kept(ctx context.Context, from uint64) iter.Seq[records.Batch] {
	return func(yield func(records.Batch) bool) {
		for b := range records.Batches(p.source, from) {
			if b.Err == nil {
				b.Err = ctx.Err()
			}
			if !yield(b) || b.Err != nil {
				return
			}
			p.keep(&b)
		}
	}
}

// catchUp takes in what the source has beyond the picture, beside readers.
func (p *Projector) catchUp(ctx context.Context) error {
	for b := range records.Batches(p.source, p.picture.Sequence()+1) {
		err := p.take(&b)
		if sealed := p.keep(&b); sealed {
			_ = p.save() // as above: reading goes on from memory
		}
		if err := cmp.Or(err, b.Err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// A Fault of the program has been met by a record, and what it has panicked with: for the log, and
// not for who asks.
type Fault struct {
	Record uint64
	Panic  any
	Stack  string
}

// Error implements error.
func (f *Fault) Error() string {
	return fmt.Sprintf("record %d has met a fault of this program", f.Record)
}

// take takes in a batch and shows it to readers. When a row cannot be taken in, neither it nor
// those behind it stay in the batch. When that panics, the picture may have half of it: readers
// keep the one they were shown, and nothing is saved any more.
func (p *Projector) take(b *records.Batch) (err error) {
	at := 0
	defer func() {
		if broken := recover(); broken != nil {
			p.broken, b.Rows = true, nil
			err = &Fault{b.First + uint64(at), broken, string(debug.Stack())}
		}
	}()
	for at = range b.Rows {
		if err = p.applyRow(p.picture, b.First+uint64(at), &b.Rows[at]); err != nil {
			b.Rows = b.Rows[:at]
			break
		}
	}
	if len(b.Rows) > 0 {
		p.show(nil)
	}
	return err
}

// keep notes what is to be saved, and reports whether a segment is full.
func (p *Projector) keep(b *records.Batch) (sealed bool) {
	if len(b.Rows) == 0 {
		return false
	}
	p.last = append(p.last[:0], b.Stored[len(b.Rows)-1]...)
	if p.unkept {
		return false
	}
	if p.tail = append(p.tail, b.Rows...); len(p.tail) < sealedRows {
		return false
	}
	p.sealed = append(p.sealed, records.Encode(p.tail))
	clear(p.tail)
	p.tail = p.tail[:0]
	return true
}

func (p *Projector) isUnsaved() bool { return p.store.saved.cursor < p.picture.Sequence() }

// save brings the store up to the picture.
func (p *Projector) save() error {
	switch {
	case p.broken:
		return nil
	case p.unkept:
		return p.snap()
	case !p.isUnsaved():
		return nil
	}
	if err := p.store.save(p.sealed, records.Encode(p.tail), sha256.Sum256(p.last)); err != nil {
		return err
	}
	p.sealed = nil
	return nil
}

// isWorthSnap reports whether a snapshot at a record would save the next start much.
func (p *Projector) isWorthSnap(at uint64) bool {
	return at >= p.snapped+max(p.snapAfter,
		p.snapped/8)
}

// snap saves a snapshot, and forgets the rows that it has.
func (p *Projector) snap() error {
	at, leaf := p.picture.Sequence(), p.store.saved.leaf
	if p.isUnsaved() {
		leaf = sha256.Sum256(p.last)
	}
	if err := writeSnapshot(snapshotPath(p.path), leaf, p.picture); err != nil {
		return err
	}
	if err := p.store.clear(at, leaf); err != nil {
		return err
	}
	p.snapped, p.unkept, p.sealed, p.tail = at, false, nil, nil
	return nil
}

// snapIfWorth saves a snapshot where it would save the next start much.
func (p *Projector) snapIfWorth() error {
	if p.broken || !p.isWorthSnap(p.picture.Sequence()) {
		return nil
	}
	return p.snap()
}
