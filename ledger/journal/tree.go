package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// The Merkle tree over the records (RFC 6962: a leaf is a record's stored bytes, its index the sequence less one) is kept
// in tiles as C2SP tlog-tiles has them: 256 hashes of one level to a tile, so that a commit writes a few values of at most
// 8 KiB however many records it has. A tile at the right edge is written again as it fills.

// TileHeight is the height of the tree's tiles: 8, as C2SP tlog-tiles asks.
const TileHeight = 8

// tileKey is where a tile lies: its level, and its place in the level.
func tileKey(t tlog.Tile) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(t.L)}, uint64(t.N))
}

// A grower adds leaves to a tree of which it reads the right edge from a bucket.
type grower struct {
	tiles *bbolt.Bucket
	size  int64
	fresh map[int64]tlog.Hash // by stored hash index
}

func newGrower(tx *bbolt.Tx, size int64) *grower {
	return &grower{tx.Bucket(bucketTiles), size, map[int64]tlog.Hash{}}
}

// ReadHashes implements tlog.HashReader over what is stored and what was added since.
func (g *grower) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if h, ok := g.fresh[index]; ok {
			hashes[i] = h
			continue
		}
		h, err := hashFrom(g.tiles, index)
		if err != nil {
			return nil, err
		}
		hashes[i] = h
	}
	return hashes, nil
}

func hashFrom(tiles *bbolt.Bucket, index int64) (tlog.Hash, error) {
	t := tlog.TileForIndex(TileHeight, index)
	data := tiles.Get(tileKey(t))
	if len(data) < t.W*tlog.HashSize {
		return tlog.Hash{}, fmt.Errorf("tile %s is missing or short: it has %d bytes", t.Path(), len(data))
	}
	return tlog.HashFromTile(t, data[:t.W*tlog.HashSize], index)
}

// add appends a record's leaf.
func (g *grower) add(rec events.Record) error {
	hashes, err := tlog.StoredHashes(g.size, rec.Stored, g)
	if err != nil {
		return err
	}
	at := tlog.StoredHashIndex(0, g.size)
	for i, h := range hashes {
		g.fresh[at+int64(i)] = h
	}
	g.size++
	return nil
}

// save stores the tiles that changed since the tree had the given size, and the tree's size and root.
func (g *grower) save(tx *bbolt.Tx, since int64) (tlog.Tree, error) {
	for _, t := range tlog.NewTiles(TileHeight, since, g.size) {
		data, err := tlog.ReadTileData(t, g)
		if err != nil {
			return tlog.Tree{}, err
		}
		if err := g.tiles.Put(tileKey(t), data); err != nil {
			return tlog.Tree{}, err
		}
	}
	tree, err := g.tree()
	if err != nil {
		return tlog.Tree{}, err
	}
	return tree, tx.Bucket(bucketMeta).Put(keyTree, encodeTree(tree))
}

// tree is the tree as it is now.
func (g *grower) tree() (tlog.Tree, error) {
	root, err := tlog.TreeHash(g.size, g)
	return tlog.Tree{N: g.size, Hash: root}, err
}

func encodeTree(t tlog.Tree) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(t.N)), t.Hash[:]...)
}

// loadTree makes the root anew from the tiles, and holds it against the one that was saved with the last records.
func (j *Journal) loadTree(tx *bbolt.Tx) error {
	if j.last == 0 {
		return nil
	}
	tree, err := newGrower(tx, int64(j.last)).tree()
	if err == nil && !bytes.Equal(tx.Bucket(bucketMeta).Get(keyTree), encodeTree(tree)) {
		err = fmt.Errorf("its tiles for %d records do not make the root that was saved", j.last)
	}
	if err != nil {
		return problem.New(problem.Unverified, "the journal's Merkle tree was altered or is damaged: %w", err).WithHint("%s", altered)
	}
	j.tree = tree
	return nil
}

// Tree returns the size and the root of the Merkle tree over all records. Its root is zero when there is none.
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
		return problem.New(problem.Unverified, "the journal's Merkle tree was altered or is damaged, at record %d or soon after: %w", from, err).WithHint("%s", altered)
	}
	for i, stored := range rows {
		if tlog.RecordHash(stored) != hashes[i] {
			return problem.New(problem.Unverified, "record %d of the journal was altered or is damaged: it is not the leaf that the Merkle tree has", from+uint64(i)).
				WithHint("%s", altered)
		}
	}
	return nil
}

const altered = "keep the file to find out what happened; then move it away and start again: a new one is made from the stream"

// Tiles reads the tree's tiles. It is a tlog.TileReader for tlog.TileHashReader, which checks what it reads against a
// root: the tiles themselves are not to be trusted. It may be used concurrently.
func (j *Journal) Tiles() tlog.TileReader { return tileReader{j} }

type tileReader struct{ journal *Journal }

// Height implements tlog.TileReader.
func (tileReader) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader: the tiles are saved already.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader. A tile that has grown since is cut to the width that is asked for.
func (r tileReader) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	err = r.journal.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketTiles)
		for _, t := range tiles {
			d, err := cutTile(t, bucket.Get(tileKey(t)))
			if err != nil {
				return err
			}
			data = append(data, bytes.Clone(d))
		}
		return nil
	})
	return data, err
}

// cutTile returns of a stored tile, which may have grown since, as much as is asked for.
func cutTile(t tlog.Tile, stored []byte) ([]byte, error) {
	if len(stored) < t.W*tlog.HashSize {
		return nil, fmt.Errorf("journal: tile %s is missing or short: it has %d bytes", t.Path(), len(stored))
	}
	return stored[:t.W*tlog.HashSize], nil
}
