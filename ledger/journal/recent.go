package journal

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

// recent is what was committed and is not in the bbolt file yet: the records behind the first
// since, and the hashes that they have added to the tree. Both are only appended to, and cut at the
// front in a new piece, so that a copy of the struct stays what it was.
type recent struct {
	since   int64 // how many records the bbolt file has
	records []kept
	fresh   []tlog.Hash // by stored hash index, from that of the first record's leaf on
}

// kept is a record as it is stored, and the id of its statement.
type kept struct {
	id     events.ID
	stored []byte
}

// last is how many records there are in all.
func (r *recent) last() int64 { return r.since + int64(len(r.records)) }

// from returns the recent records from a sequence on, at most so many.
func (r *recent) from(sequence uint64, most int64) []kept {
	first := int64(sequence) - 1 - r.since
	if first < 0 || most <= 0 || first >= int64(len(r.records)) {
		return nil
	}
	return r.records[first:min(first+most, int64(len(r.records)))]
}

// first returns the first n of the recent records, as a grower that adds them to the tree of those
// before.
func (r *recent) first(n int64) *grower {
	hashes := tlog.StoredHashIndex(0, r.since+n) - tlog.StoredHashIndex(0, r.since)
	return &grower{since: r.since, size: r.since + n, fresh: r.fresh[:hashes]}
}

// without returns what is left when the first n records are in the bbolt file.
func (r *recent) without(n int64) recent {
	return recent{since: r.since + n, records: slices.Clone(r.records[n:]),
		fresh: slices.Clone(r.fresh[len(r.first(n).fresh):])}
}

// recentHashes is a tlog.HashReader over the bbolt file and the recent records.
type recentHashes struct {
	recent
	stored storedHashes
}

// ReadHashes implements tlog.HashReader.
func (h recentHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	first := tlog.StoredHashIndex(0, h.since)
	for i, index := range indexes {
		switch at := index - first; {
		case at >= int64(len(h.fresh)):
			return nil, fmt.Errorf("the hash %d is beyond a tree of %d", index, h.last())
		case at >= 0:
			hashes[i] = h.fresh[at]
		default:
			stored, err := h.stored.ReadHashes([]int64{index})
			if err != nil {
				return nil, err
			}
			hashes[i] = stored[0]
		}
	}
	return hashes, nil
}

// tile returns a tile as it is now, or as much of it as is asked for.
func (r *recent) tile(t tlog.Tile, bucket *bbolt.Bucket) ([]byte, error) {
	if t.N<<TileHeight+int64(t.W) > r.last()>>(t.L*TileHeight) {
		return nil, fmt.Errorf("journal: there is no tile %s: there are %d records",
			t.Path(), r.last())
	}
	return r.first(int64(len(r.records))).tile(t, bucket.Get(tileKey(t)))
}

// recently returns what is not in the bbolt file yet. Whoever reads takes it before the file, which
// may get it meanwhile.
func (j *Journal) recently() recent {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.recent
}

// recentID returns the sequence of the recent record with an id, and otherwise whether the bbolt
// file may have one.
func (j *Journal) recentID(id events.ID) (sequence uint64, ok, filed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	sequence, ok = j.recentIDs[id]
	return sequence, ok, bytes.Compare(id[:], j.highest[:]) <= 0
}

// replay takes the frames of a tail, as they were found on the disk, as what is recent. Each is
// held against the tree that it makes.
func (j *Journal) replay(frames []frame) error {
	for _, f := range frames {
		grow := j.edge.again()
		records := make([]kept, 0, len(f.records))
		for _, stored := range f.records {
			rec, err := events.ParseRecord(uint64(grow.size)+1, stored)
			if err == nil {
				err = grow.add(stored)
			}
			if err != nil {
				return fmt.Errorf("record %d: %w", grow.size+1, err)
			}
			records = append(records, kept{rec.Statement.Head().ID, stored})
		}
		made, err := f.sealed(grow, j.checkpoint)
		if err != nil {
			return err
		}
		if err := j.take(records, grow, made); err != nil {
			return err
		}
	}
	return nil
}

// sealed returns what a commit has made of the tree, provided that it is what was saved with it.
func (f *frame) sealed(grow *grower, last signedTree) (*sealed, error) {
	tree, err := grow.tree()
	if err != nil {
		return nil, err
	}
	if tree != f.tree {
		return nil, fmt.Errorf("the records %d to %d do not make the root that was saved with them",
			f.before+1, f.tree.N)
	}
	if f.checkpoint == nil || bytes.Equal(f.checkpoint, last.signed) {
		return &sealed{tree, last}, nil
	}
	c, err := readCheckpoint(f.checkpoint)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint of the tree of %d is damaged: %w", f.tree.N, err)
	}
	if c.Tree != tree {
		return nil, otherThanSigned(c.Tree, tree)
	}
	return &sealed{tree, signedTree{tree, f.checkpoint}}, nil
}

// take takes records that are on the disk as recent, with the tree that they make, and tells
// whoever waits for them. What it does is for one goroutine at a time.
func (j *Journal) take(records []kept, grow *grower, made *sealed) error {
	edge, err := growFrom(grow.size, grow)
	if err != nil {
		return err
	}
	j.edge = edge
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, r := range records {
		j.recentIDs[r.id] = j.last + uint64(i) + 1
	}
	j.recent.records = append(j.recent.records, records...)
	j.recent.fresh = append(j.recent.fresh, grow.fresh...)
	j.last, j.tree, j.checkpoint = uint64(made.tree.N), made.tree, made.checkpoint
	close(j.changed)
	j.changed = make(chan struct{})
	return nil
}
