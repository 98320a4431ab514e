package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// foldAfter is how many records are folded into the bbolt file at a time: enough that what each
// costs there is little, and few enough that nobody waits long for a processor meanwhile.
// foldAtMost is how many may wait for it before a commit has to wait, too.
const (
	foldAfter  = 4096
	foldAtMost = 64 * foldAfter
)

// A fold is the recent records up to a tree, and the checkpoint that was signed then, on their way
// into the bbolt file.
type fold struct {
	upTo       tlog.Tree
	checkpoint signedTree
	done       chan struct{} // closed when they are there, or cannot be
	begun      bool          // it may have left something; to be read after done, as is err
	err        error         // why they cannot be there
}

// makeRoom begins to fold what is recent where there is enough of it, and waits where there is too
// much. When the last fold has failed, as it does on a full disk, or a write into the tail, nothing
// is committed until all is folded. The caller holds writing.
func (j *Journal) makeRoom() error {
	if j.tail == nil {
		return errors.New("journal: it was closed, or opened only to be read")
	}
	if j.tail.isSpoiled() {
		return j.foldAll()
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
// other file of the tail, unless that still has what an earlier fold could not do.
func (j *Journal) beginFold() {
	if t := j.tail; t.size[1-t.active] == 0 {
		t.turn()
	}
	f := &fold{upTo: j.Tree(), checkpoint: j.signed(), done: make(chan struct{})}
	j.folding = f
	tried := j.tried
	go func() {
		defer close(f.done)
		if f.err = j.settle(tried); f.err == nil {
			f.begun = true
			f.err = j.fold(f)
		}
	}()
}

// endFold waits for the fold. Of the tail, the file that is not written any more has nothing then
// that the bbolt file lacks.
func (j *Journal) endFold() {
	<-j.folding.done
	j.unfolded = j.folding.err
	switch other := 1 - j.tail.active; {
	case j.unfolded == nil:
		j.tried = nil
		if j.tail.size[other] > 0 {
			j.tail.empty(other)
		}
	case j.folding.begun:
		j.tried = j.folding
	}
	j.folding = nil
}

// foldAll folds all that is recent, waits for it, and begins anew what is spoiled of the tail.
func (j *Journal) foldAll() error {
	if j.folding != nil {
		j.endFold()
	}
	if j.unfolded != nil || !j.isFolded() {
		j.beginFold()
		j.endFold()
	}
	if j.unfolded != nil {
		return j.unfolded
	}
	return j.tail.renew()
}

// isFolded reports whether the bbolt file has all there is.
func (j *Journal) isFolded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.recent.records) == 0 && bytes.Equal(j.folded, j.checkpoint.signed)
}

// settle finds out what a fold that has failed has left in the bbolt file: all of it, or nothing.
func (j *Journal) settle(tried *fold) error {
	if tried == nil {
		return nil
	}
	if err := j.makeSure(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	var tree, checkpoint []byte
	err := j.view(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		tree, checkpoint = bytes.Clone(meta.Get(keyTree)), bytes.Clone(meta.Get(keyCheckpoint))
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if bytes.Equal(tree, encodeTree(tried.upTo)) &&
		bytes.Equal(checkpoint, tried.checkpoint.signed) {
		j.letGo(tried)
	}
	return nil
}

// fold puts the records into the bbolt file, with the checkpoint, in one transaction, and lets go
// of them.
func (j *Journal) fold(f *fold) error {
	recent := j.recently()
	n := f.upTo.N - recent.since
	err := j.store(func(tx *bbolt.Tx) error {
		if err := j.checkSigned(tx); err != nil {
			return err
		}
		if err := putRecords(tx, recent.since, recent.records[:n]); err != nil {
			return err
		}
		if err := recent.first(n).save(tx, f.upTo); err != nil {
			return err
		}
		if f.checkpoint.signed == nil {
			return nil
		}
		return tx.Bucket(bucketMeta).Put(keyCheckpoint, f.checkpoint.signed)
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.letGo(f)
	return nil
}

// letGo forgets as recent what was folded.
func (j *Journal) letGo(f *fold) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := f.upTo.N - j.recent.since
	for _, r := range j.recent.records[:n] {
		delete(j.recentIDs, r.id)
		if bytes.Compare(r.id[:], j.highest[:]) > 0 {
			j.highest = r.id
		}
	}
	j.recent, j.folded = j.recent.without(n), f.checkpoint.signed
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
