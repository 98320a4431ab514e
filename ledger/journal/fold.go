package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/ledger/journal/internal/boltpages"
)

// foldAfter is how many records are folded into the bbolt file at a time: enough that what each
// costs there is little, and few enough that nobody waits long for a processor meanwhile.
// foldAtMost is how many may wait for it before a commit has to wait, too.
const (
	foldAfter  = 4096
	foldAtMost = 64 * foldAfter
)

// A fold is recent records on their way into the bbolt file.
type fold struct {
	done chan struct{} // closed when they are there, or cannot be
	err  error         // why not; to be read after done
}

// makeRoom begins to fold what is recent where there is enough of it, and waits where there is too
// much. When the last fold has failed, as it does on a full disk, nothing is committed until one
// succeeds. The caller holds writing.
func (j *Journal) makeRoom() error {
	if j.tail == nil {
		return errors.New("journal: it was closed, or opened only to be read")
	}
	if j.folding != nil {
		select {
		case <-j.folding.done:
		default:
			if j.waiting() < foldAtMost {
				return nil
			}
		}
		j.endFold()
	}
	switch {
	case j.unfolded != nil:
		return j.foldAll()
	case j.waiting() >= j.foldAfter:
		j.beginFold()
	}
	return nil
}

// waiting is how many records are to be folded.
func (j *Journal) waiting() int { return len(j.recently().records) }

// beginFold folds all that is recent, beside whoever goes on. What comes meanwhile goes into the
// other file of the tail, unless that still has what an earlier fold could not do, or this one what
// a failed write has left.
//
// BUG: where the disk fails as bbolt makes a transaction valid, the next fold finds in the file
// what it did not expect, and nothing is committed until the program was started anew.
func (j *Journal) beginFold() {
	if t := j.tail; t.size[1-t.active] == 0 && !t.torn[t.active] {
		t.turn()
	}
	f := &fold{done: make(chan struct{})}
	upTo, checkpoint := j.Tree(), j.signed()
	j.folding = f
	go func() {
		defer close(f.done)
		f.err = boltpages.Guard(func() error { return j.fold(upTo, checkpoint) })
	}()
}

// endFold waits for the fold. Of the tail, the file that is not written any more has nothing then
// that the bbolt file lacks.
func (j *Journal) endFold() {
	<-j.folding.done
	if j.unfolded = j.folding.err; j.unfolded == nil && j.tail.size[1-j.tail.active] > 0 {
		j.unfolded = j.tail.empty(1 - j.tail.active)
	}
	j.folding = nil
}

// foldAll folds all that is recent, and waits for it.
func (j *Journal) foldAll() error {
	if j.folding != nil {
		j.endFold()
	}
	if j.unfolded == nil && j.isFolded() {
		return nil
	}
	j.beginFold()
	j.endFold()
	return j.unfolded
}

// isFolded reports whether the bbolt file has all there is.
func (j *Journal) isFolded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.recent.records) == 0 && bytes.Equal(j.folded, j.checkpoint.signed)
}

// fold puts the recent records up to a tree into the bbolt file, with the checkpoint that was
// signed then, in one transaction, and lets go of them.
func (j *Journal) fold(upTo tlog.Tree, checkpoint signedTree) error {
	recent := j.recently()
	n := upTo.N - recent.since
	err := j.db.Update(func(tx *bbolt.Tx) error {
		if err := j.checkSigned(tx); err != nil {
			return err
		}
		if err := putRecords(tx, recent.since, recent.records[:n]); err != nil {
			return err
		}
		if err := recent.first(n).save(tx, upTo); err != nil {
			return err
		}
		if checkpoint.signed == nil {
			return nil
		}
		return tx.Bucket(bucketMeta).Put(keyCheckpoint, checkpoint.signed)
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range recent.records[:n] {
		delete(j.recentIDs, r.id)
		if bytes.Compare(r.id[:], j.highest[:]) > 0 {
			j.highest = r.id
		}
	}
	j.recent, j.folded = j.recent.without(n), checkpoint.signed
	return nil
}

func putRecords(tx *bbolt.Tx, since int64, records []kept) error {
	bySequence, byID := tx.Bucket(bucketRecords), tx.Bucket(bucketIDs)
	bySequence.FillPercent = 1 // sequences only grow, so pages are filled to the end
	for i, r := range records {
		if i%32 == 0 {
			runtime.Gosched() // who commits has more to do
		}
		key := sequenceKey(uint64(since) + uint64(i) + 1)
		if taken := byID.Get(r.id[:]); taken != nil {
			return fmt.Errorf("the id %s of record %d is that of record %d", r.id,
				binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(taken))
		}
		if err := bySequence.Put(key, r.stored); err != nil {
			return err
		}
		if err := byID.Put(r.id[:], key); err != nil {
			return err
		}
	}
	return nil
}
