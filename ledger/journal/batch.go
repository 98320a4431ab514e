package journal

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

// A Batch is records on their way into the journal: they follow the last one that is there, and are
// safe when Commit has returned, all or none. It belongs to one goroutine, and there is one at a
// time; it must be ended with Commit or Drop.
type Batch struct {
	journal *Journal
	records []kept
	ids     map[events.ID]uint64 // of records
	grow    *grower
	last    uint64
	sealed  *sealed // of the records so far, once Seal was called
	ended   bool
}

// What a commit makes of the tree: the checkpoint stays the one before where nothing is signed.
type sealed struct {
	tree       tlog.Tree
	checkpoint signedTree
}

// Begin begins a batch. Nobody has to wait for its end but another batch: reading goes on beside
// it.
func (j *Journal) Begin() (*Batch, error) {
	j.writing.Lock()
	if err := j.makeRoom(); err != nil {
		j.writing.Unlock()
		return nil, err
	}
	return &Batch{journal: j, ids: map[events.ID]uint64{}, grow: j.edge.again(), last: j.Last()},
		nil
}

// Add adds the record that follows. After an error the batch can only be dropped.
func (b *Batch) Add(rec events.Record) error {
	if rec.Sequence != b.last+1 {
		return fmt.Errorf("journal: record %d does not follow record %d", rec.Sequence, b.last)
	}
	id := rec.Statement.Head().ID
	taken, ok := b.ids[id]
	if !ok {
		var err error
		if taken, ok, err = b.journal.Find(id); err != nil {
			return err
		}
	}
	if ok {
		return fmt.Errorf("journal: the id %s of record %d is that of record %d", id,
			rec.Sequence, taken)
	}
	if err := b.grow.add(rec.Stored); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	b.records = append(b.records, kept{id, rec.Stored})
	b.last++
	b.ids[id] = b.last
	return nil
}

// Drop ends the batch, and nothing of it was written. After Commit it does nothing.
func (b *Batch) Drop() {
	if !b.ended {
		b.ended = true
		b.journal.writing.Unlock()
	}
}

// Seal makes the tree over the records so far, signed where this journal signs. Commit does it
// where it was not done; whoever has to wait anyway does it before. It is done anew when more
// records are added: what was signed too early was shown to nobody.
func (b *Batch) Seal() error {
	if b.sealed != nil && b.sealed.tree.N == b.grow.size {
		return nil
	}
	tree, err := b.grow.tree()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	signed, err := b.journal.signNext(tree)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	b.sealed = &sealed{tree, signed}
	return nil
}

// Commit ends the batch, and returns when its records are on the disk, and covered by a checkpoint
// where this journal signs them.
func (b *Batch) Commit() error {
	if b.ended {
		return errors.New("journal: the batch was ended already")
	}
	defer b.Drop()
	if len(b.records) == 0 {
		return nil
	}
	if err := b.Seal(); err != nil {
		return err
	}
	j := b.journal
	j.toDisk()
	if err := j.write(b.records, b.grow, b.sealed); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.committed = time.Now()
	return nil
}

// write makes a commit safe in the tail, and then takes it as recent.
func (j *Journal) write(records []kept, grow *grower, made *sealed) error {
	f := frame{before: grow.since, tree: made.tree, checkpoint: made.checkpoint.signed,
		records: make([][]byte, len(records))}
	for i, r := range records {
		f.records[i] = r.stored
	}
	if err := j.tail.write(&f); err != nil {
		return err
	}
	return j.take(records, grow, made)
}

// Append commits records that follow the last one, all or none, and returns when they are on the
// disk.
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
