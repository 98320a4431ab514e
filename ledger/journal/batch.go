package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

// A Batch is records on their way into the journal: they follow the last one that is there, and are safe when Commit has
// returned, all or none. It belongs to one goroutine, and there is one at a time; it must be ended with Commit or Drop.
type Batch struct {
	journal          *Journal
	tx               *bbolt.Tx
	bySequence, byID *bbolt.Bucket
	grow             *grower
	last             uint64
	sealed           *sealed // of the records so far, once Seal was called
}

// What a commit makes of the tree: the checkpoint stays the one before where nothing is signed.
type sealed struct {
	tree       tlog.Tree
	checkpoint signedTree
}

// Begin begins a batch. Nobody has to wait for its end but another batch: reading goes on beside it.
func (j *Journal) Begin() (*Batch, error) {
	j.writing.Lock()
	tx, err := j.db.Begin(true)
	if err != nil {
		j.writing.Unlock()
		return nil, fmt.Errorf("journal: %w", err)
	}
	b := &Batch{journal: j, tx: tx, bySequence: tx.Bucket(bucketRecords), byID: tx.Bucket(bucketIDs), grow: j.edge.again(), last: j.Last()}
	if err := j.checkSigned(tx); err != nil {
		b.Drop()
		return nil, fmt.Errorf("journal: %w", err)
	}
	b.bySequence.FillPercent = 1 // sequences only grow, so pages are filled to the end
	return b, nil
}

// Add adds the record that follows. After an error the batch can only be dropped.
func (b *Batch) Add(rec events.Record) error {
	if rec.Sequence != b.last+1 {
		return fmt.Errorf("journal: record %d does not follow record %d", rec.Sequence, b.last)
	}
	if err := errors.Join(b.put(rec), b.grow.add(rec)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	b.last++
	return nil
}

func (b *Batch) put(rec events.Record) error {
	key := sequenceKey(rec.Sequence)
	id := rec.Statement.Head().ID
	if taken := b.byID.Get(id[:]); taken != nil {
		return fmt.Errorf("the id %s of record %d is that of record %d", id, rec.Sequence, binary.BigEndian.Uint64(taken))
	}
	if err := b.bySequence.Put(key, rec.Stored); err != nil {
		return err
	}
	return b.byID.Put(id[:], key)
}

// Drop ends the batch, and nothing of it was written. After Commit it does nothing.
func (b *Batch) Drop() {
	if b.tx != nil {
		_ = b.tx.Rollback() // it fails only for a transaction that was committed
		b.tx = nil
		b.journal.writing.Unlock()
	}
}

// Seal puts the tree over the records so far into the batch, signed where this journal signs. Commit does it where it was not done;
// whoever has to wait anyway does it before. It is done anew when more records are added: what was signed too early was shown to nobody.
func (b *Batch) Seal() error {
	if b.sealed != nil && b.sealed.tree.N == b.grow.size {
		return nil
	}
	tree, err := b.grow.save(b.tx)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	signed, err := b.journal.signIn(b.tx, tree)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	b.sealed = &sealed{tree, signed}
	return nil
}

// Commit ends the batch, and returns when its records are on the disk, and covered by a checkpoint where this journal signs them.
func (b *Batch) Commit() error {
	defer b.Drop()
	if b.grow.size == b.grow.since {
		return nil
	}
	if err := b.Seal(); err != nil {
		return err
	}
	edge, err := growFrom(b.grow.size, b.grow)
	if err == nil {
		b.journal.toDisk()
		err = b.tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j := b.journal
	j.edge = edge
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last, j.tree, j.checkpoint = b.last, b.sealed.tree, b.sealed.checkpoint
	close(j.changed)
	j.changed = make(chan struct{})
	j.committed = time.Now()
	return nil
}

// Append commits records that follow the last one, all or none, and returns when they are on the disk.
func (j *Journal) Append(records []events.Record) error {
	if len(records) == 0 {
		return nil
	}
	b, err := j.Begin()
	if err != nil {
		return err
	}
	defer b.Drop()
	for _, rec := range records {
		if err := b.Add(rec); err != nil {
			return err
		}
	}
	return b.Commit()
}
