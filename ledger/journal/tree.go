package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// The Merkle tree over the records (RFC 6962: a leaf is a record's stored bytes, its index the
// sequence less one) is kept in tiles as C2SP tlog-tiles has them: 256 hashes of one level to a
// tile, so that a commit writes a few values of at most
// 8 KiB however many records it has. A tile at the right edge is written again as it fills.

// TileHeight is the height of the tree's tiles: 8, as C2SP tlog-tiles asks.
const TileHeight = 8

// tileKey is where a tile lies: its level, and its place in the level.
func tileKey(t tlog.Tile) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(t.L)}, uint64(t.N))
}

// storedHashes is a tlog.HashReader over a bucket of tiles, which nobody has checked.
type storedHashes struct{ tiles *bbolt.Bucket }

func hashesIn(tx *bbolt.Tx) storedHashes { return storedHashes{tx.Bucket(bucketTiles)} }

// ReadHashes implements tlog.HashReader.
func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return readHashes(indexes, s.tiles.Get)
}

// readHashes reads hashes from the tiles that get returns.
func readHashes(indexes []int64, get func(key []byte) []byte) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		t := tlog.TileForIndex(TileHeight, index)
		data, err := cutTile(t, get(tileKey(t)))
		if err != nil {
			return nil, err
		}
		if hashes[i], err = tlog.HashFromTile(t, data, index); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// A grower adds leaves to a tree. Of the tree as it was it needs only the right edge, the roots of
// the whole subtrees that make it up, one for each bit of its size. So it reads nothing from the
// file.
type grower struct {
	since int64 // the size of the tree as it was
	size  int64
	edge  map[int64]tlog.Hash // of the tree as it was, by stored hash index
	fresh []tlog.Hash         // what was added, by stored hash index from that of the first on
}

// growFrom makes a grower for a tree of a size, of whose hashes it reads the right edge.
func growFrom(size int64, read tlog.HashReader) (*grower, error) {
	var indexes []int64
	for at, left := int64(0), size; left > 0; {
		level := bits.Len64(uint64(left)) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, at>>level))
		at, left = at+1<<level, left-1<<level
	}
	hashes, err := read.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	g := &grower{since: size, size: size, edge: make(map[int64]tlog.Hash, len(hashes))}
	for i, index := range indexes {
		g.edge[index] = hashes[i]
	}
	return g, nil
}

// again returns a grower that begins where g did.
func (g *grower) again() *grower {
	return &grower{since: g.since, size: g.since, edge: g.edge}
}

// ReadHashes implements tlog.HashReader over the right edge and what was added.
func (g *grower) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	first := tlog.StoredHashIndex(0, g.since)
	for i, index := range indexes {
		if at := index - first; at >= 0 && at < int64(len(g.fresh)) {
			hashes[i] = g.fresh[at]
			continue
		}
		h, ok := g.edge[index]
		if !ok {
			return nil, fmt.Errorf("the hash %d is not at the edge of a tree of %d", index, g.since)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// add appends a record's leaf.
func (g *grower) add(stored []byte) error {
	hashes, err := tlog.StoredHashes(g.size, stored, g)
	if err != nil {
		return err
	}
	g.fresh = append(g.fresh, hashes...)
	g.size++
	return nil
}

// save stores the tiles that changed, and the tree, of which the root was made already.
func (g *grower) save(tx *bbolt.Tx, tree tlog.Tree) error {
	if g.size == g.since {
		return nil
	}
	tiles := tx.Bucket(bucketTiles)
	for _, t := range tlog.NewTiles(TileHeight, g.since, g.size) {
		data, err := g.tile(t, tiles.Get(tileKey(t)))
		if err != nil {
			return err
		}
		if err := tiles.Put(tileKey(t), data); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMeta).Put(keyTree, encodeTree(tree))
}

// tile returns a tile as it is now: what was stored of it, and what was added.
func (g *grower) tile(t tlog.Tile, stored []byte) ([]byte, error) {
	level, first := t.L*TileHeight, t.N<<TileHeight
	old := t
	old.W = int(max(0, min(g.since>>level-first, int64(t.W))))
	before, err := cutTile(old, stored)
	if err != nil {
		return nil, err
	}
	data := append(make([]byte, 0, t.W*tlog.HashSize), before...)
	from := tlog.StoredHashIndex(0, g.since)
	for n := first + int64(old.W); n < first+int64(t.W); n++ {
		h := g.fresh[tlog.StoredHashIndex(level, n)-from]
		data = append(data, h[:]...)
	}
	return data, nil
}

// tree is the tree as it is now.
func (g *grower) tree() (tlog.Tree, error) {
	root, err := tlog.TreeHash(g.size, g)
	return tlog.Tree{N: g.size, Hash: root}, err
}

func encodeTree(t tlog.Tree) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(t.N)), t.Hash[:]...)
}

// loadTree makes the root anew from the tiles, and holds it against the one that was saved with the
// last records.
func (j *Journal) loadTree(tx *bbolt.Tx) error {
	if j.last == 0 && tx.Bucket(bucketMeta).Get(keyTree) == nil {
		return nil
	}
	grow, err := growFrom(int64(j.last), hashesIn(tx))
	var tree tlog.Tree
	if err == nil {
		tree, err = grow.tree()
	}
	if err == nil && !bytes.Equal(tx.Bucket(bucketMeta).Get(keyTree), encodeTree(tree)) {
		err = fmt.Errorf("its tiles for %d records do not make the root that was saved", j.last)
	}
	if err != nil {
		return problem.New(problem.Unverified,
			"the journal's Merkle tree was altered or is damaged: %w", err).WithHint("%s", putBack)
	}
	j.tree, j.edge = tree, grow
	return nil
}

// Tree returns the size and the root of the Merkle tree over all records. Its root is zero when
// there is none.
func (j *Journal) Tree() tlog.Tree {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.tree
}

// check holds the stored bytes of records, from a sequence on, against the leaves of the tree.
func (j *Journal) check(tree tlog.Tree, from uint64, rows [][]byte) error {
	leaves := make([]int64, len(rows))
	for i := range rows {
		leaves[i] = tlog.StoredHashIndex(0, int64(from)-1+int64(i))
	}
	hashes, err := tlog.TileHashReader(tree, j.Tiles()).ReadHashes(leaves)
	if err != nil {
		return problem.New(problem.Unverified,
			"the journal's Merkle tree was altered or is damaged, at record %d or soon after: %w",
			from, err).WithHint("%s", putBack)
	}
	for i, stored := range rows {
		if tlog.RecordHash(stored) != hashes[i] {
			return problem.New(problem.Unverified,
				"record %d of the journal was altered or is damaged: it is not the leaf that "+
					"the Merkle tree has", from+uint64(i)).
				WithHint("%s", putBack)
		}
	}
	return nil
}

// Tiles reads the tree's tiles. It is a tlog.TileReader for tlog.TileHashReader, which checks what
// it reads against a root: the tiles themselves are not to be trusted. It may be used concurrently.
func (j *Journal) Tiles() tlog.TileReader { return tileReader{j} }

type tileReader struct{ journal *Journal }

// Height implements tlog.TileReader.
func (tileReader) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader: the tiles are saved already.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader. A tile that has grown since is cut to the width that is
// asked for.
func (r tileReader) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	recent := r.journal.recently()
	err = r.journal.view(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketTiles)
		for _, t := range tiles {
			d, err := recent.tile(t, bucket)
			if err != nil {
				return err
			}
			data = append(data, d)
		}
		return nil
	})
	return data, err
}

// cutTile returns of a stored tile, which may have grown since, as much as is asked for.
func cutTile(t tlog.Tile, stored []byte) ([]byte, error) {
	if len(stored) < t.W*tlog.HashSize {
		return nil, fmt.Errorf("journal: tile %s is missing or short: it has %d bytes",
			t.Path(), len(stored))
	}
	return stored[:t.W*tlog.HashSize], nil
}
