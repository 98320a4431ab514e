package projections

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"time"
)

// maxUnsaved is how many segments a replay keeps in memory before it saves them: some 120 megabytes.
const maxUnsaved = 4096

// replay takes in what the source has beyond the picture, before there are readers.
func (p *Projector) replay(ctx context.Context) error {
	from := p.picture.Sequence() + 1
	all := newBulk(p.picture, max(p.source.Last(), from)-from)
	for b := range batches(p.source, from, true) {
		if err := cmp.Or(all.takeBatch(&b), b.err, ctx.Err()); err != nil {
			return cmp.Or(all.fold(), err)
		}
		if p.keep(&b); len(p.sealed) >= maxUnsaved {
			_ = p.save() // what a full disk refuses now is saved later, or decoded again at the next start
		}
	}
	return all.fold()
}

// catchUp takes in what the source has beyond the picture, beside readers.
func (p *Projector) catchUp(ctx context.Context) error {
	for b := range batches(p.source, p.picture.Sequence()+1, false) {
		err := p.take(&b)
		if sealed := p.keep(&b); sealed {
			_ = p.save() // as above: reading goes on from memory
		}
		if err := cmp.Or(err, b.err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// take takes in a batch. When a row cannot be taken in, neither it nor those behind it stay in the batch.
func (p *Projector) take(b *batch) (err error) {
	p.lock()
	defer p.mu.Unlock()
	for i := range b.rows {
		if err = p.picture.take(b.first+uint64(i), &b.rows[i]); err != nil {
			b.rows = b.rows[:i]
			break
		}
	}
	if len(b.rows) > 0 {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	return err
}

// How long the writer lets readers go first, and how often it looks whether there are none.
const (
	patience  = time.Second
	lookAgain = 100 * time.Microsecond
)

// lock waits until nobody reads. A writer that waits in Lock keeps new readers out, so that one who reads for long would hold up
// all others; so it waits outside, unless there is no end of readers.
func (p *Projector) lock() {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(lookAgain) {
		if p.mu.TryLock() {
			return
		}
	}
	p.mu.Lock()
}

// keep notes what is to be saved, and reports whether a segment is full.
func (p *Projector) keep(b *batch) (sealed bool) {
	if len(b.rows) == 0 {
		return false
	}
	p.last = bytes.Clone(b.stored[len(b.rows)-1])
	if b.segment.rows == len(b.rows) && len(p.tail) == 0 {
		p.sealed = append(p.sealed, b.segment)
		return true
	}
	if p.tail = append(p.tail, b.rows...); len(p.tail) < sealedRows {
		return false
	}
	p.sealed = append(p.sealed, encodeRows(p.tail))
	clear(p.tail)
	p.tail = p.tail[:0]
	return true
}

func (p *Projector) isUnsaved() bool { return p.store.saved.cursor < p.picture.Sequence() }

// save brings the store up to the picture.
func (p *Projector) save() error {
	if !p.isUnsaved() {
		return nil
	}
	if err := p.store.save(p.sealed, encodeRows(p.tail), sha256.Sum256(p.last)); err != nil {
		return err
	}
	p.sealed = nil
	return nil
}
