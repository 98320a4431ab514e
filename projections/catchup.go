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

// How long the writer waits in all for one who reads for long, for how long at a time it keeps new readers out meanwhile, for how long it lets
// them in between, and how often it looks whether all have gone.
const (
	patience  = time.Second
	keepOut   = 20 * time.Millisecond
	letIn     = 20 * time.Millisecond
	lookAgain = 100 * time.Microsecond
)

// lock waits until nobody reads. New readers wait at the gate while it does, so that those of whom there is always one go; but not for longer
// than a moment at a time: one who reads for long must not hold up all others, as it would if the writer waited in Lock.
func (p *Projector) lock() {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(letIn) {
		if p.lockWithin(keepOut) {
			return
		}
	}
	p.mu.Lock()
}

// lockWithin keeps new readers out until those that are there have gone, or the time is over, and reports which.
func (p *Projector) lockWithin(d time.Duration) bool {
	p.gate.Lock()
	defer p.gate.Unlock()
	for start := time.Now(); time.Since(start) < d; time.Sleep(lookAgain) {
		if p.mu.TryLock() {
			return true
		}
	}
	return false
}

// rlock waits at the gate, and then for the writer.
func (p *Projector) rlock() {
	p.gate.RLock()
	defer p.gate.RUnlock()
	p.mu.RLock()
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

// snap saves a snapshot, where that is worth it. Rows that it has are not written again.
func (p *Projector) snap() error {
	last := p.picture.Sequence()
	if p.isUnsaved() || last < p.snapped+max(p.snapAfter, p.snapped/8) {
		return nil
	}
	if len(p.tail) > 0 {
		p.sealed, p.tail = append(p.sealed, encodeRows(p.tail)), nil
		if err := p.store.save(p.sealed, segment{}, sha256.Sum256(p.last)); err != nil {
			return err
		}
		p.sealed = nil
	}
	if err := writeSnapshot(snapshotPath(p.path), p.store.saved, p.picture); err != nil {
		return err
	}
	p.snapped = last
	return nil
}
