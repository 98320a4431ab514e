package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// A Snapshot is all that a journal has at one moment, to be copied out of it while it is written
// to: every record for which Append has returned before is in it. Written into files side by side,
// its parts are a journal again, as a crash would have left one, so that [Open] makes one file of
// them and holds the records against the tree.
//
// While it is open the bbolt file gives no page free. Nobody waits for it but a fold that has to
// make the file larger than it is mapped, and for such a fold, commits once very many records wait
// for it: so copy to a disk, not to a far end, and close it.
type Snapshot struct {
	Tree tlog.Tree // over all its records
	// Checkpoint is the last one that was signed; nil for none.
	Checkpoint []byte

	journal *Journal
	tx      *bbolt.Tx
	frames  []frame // what the bbolt file does not have
}

// A Part is one file of a Snapshot.
type Part struct {
	Name string // that of the journal's file is [Name], which the others begin with
	Size int64  // bytes
	// Write writes the part's bytes; it costs a reading of the file.
	Write func(io.Writer) error
}

// Name is the name of a journal's bbolt file in a Snapshot.
const Name = "journal.db"

// Snapshot opens a snapshot of what there is now. The caller closes it.
func (j *Journal) Snapshot() (*Snapshot, error) {
	j.mu.Lock() // before the file, which may get meanwhile what is recent
	recent, signed, tree := j.recent, j.checkpoint, j.tree
	j.mu.Unlock()
	j.reading.RLock()
	tx, err := j.db.Begin(false)
	if err != nil {
		j.reading.RUnlock()
		return nil, err
	}
	s := &Snapshot{Tree: tree, Checkpoint: signed.signed, journal: j, tx: tx}
	if err := s.cut(recent, signed); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// cut makes frames of what the bbolt file lacks.
func (s *Snapshot) cut(recent recent, signed signedTree) error {
	meta := s.tx.Bucket(bucketMeta)
	filed := bytes.Clone(meta.Get(keyCheckpoint))
	var have tlog.Tree
	if saved := meta.Get(keyTree); saved != nil {
		have = tlog.Tree{N: int64(binary.BigEndian.Uint64(saved)), Hash: tlog.Hash(saved[8:])}
	}
	if have.N > s.Tree.N { // a fold has put in what was not there yet a moment before
		s.Tree, s.Checkpoint = have, filed
		return nil
	}
	at := have.N
	if at == signed.N && !bytes.Equal(signed.signed, filed) {
		s.frames = append(s.frames, frame{before: at, tree: signed.Tree, checkpoint: signed.signed})
	}
	hashes := recentHashes{recent, hashesIn(s.tx)}
	for at < s.Tree.N {
		end := min(at+foldAfter, s.Tree.N)
		if at < signed.N && signed.N < end { // a frame has the checkpoint of its own tree
			end = signed.N
		}
		root, err := tlog.TreeHash(end, hashes)
		if err != nil {
			return err
		}
		f := frame{before: at, tree: tlog.Tree{N: end, Hash: root}}
		if end == signed.N {
			f.checkpoint = signed.signed
		}
		for _, r := range recent.from(uint64(at)+1, end-at) {
			f.records = append(f.records, r.stored)
		}
		s.frames, at = append(s.frames, f), end
	}
	return nil
}

// Parts returns the files that the snapshot consists of.
func (s *Snapshot) Parts() []Part {
	tails := tailPaths(Name)
	return []Part{
		{Name, s.tx.Size(), func(w io.Writer) error { _, err := s.tx.WriteTo(w); return err }},
		{tails[0], s.tailSize(), s.writeTail},
		{tails[1], 0, func(io.Writer) error { return nil }},
	}
}

func (s *Snapshot) tailSize() (n int64) {
	for i := range s.frames {
		n += s.frames[i].size()
	}
	return n
}

func (s *Snapshot) writeTail(w io.Writer) error {
	var buffer []byte
	for i := range s.frames {
		buffer = s.frames[i].append(buffer[:0])
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// size is how many bytes append appends.
func (f *frame) size() int64 {
	n := int64(frameHead + frameFixed + len(f.checkpoint))
	for _, stored := range f.records {
		n += 4 + int64(len(stored))
	}
	return n
}

// Close lets go of the snapshot, once. What it has is not to be read any more.
func (s *Snapshot) Close() error {
	defer s.journal.reading.RUnlock()
	return s.tx.Rollback()
}
