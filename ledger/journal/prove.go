package journal

import (
	"fmt"

	"filippo.io/torchwood"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// Hashes of the tree never change once they are there, so what was read is kept. It was read from
// tiles that nobody has checked: every proof made of it is itself checked before anybody gets it,
// and what is left over from a damaged tile is thrown away.

// maxHashes is how many hashes are kept for proofs, 64 bytes each.
const maxHashes = 1 << 16

// through is a tlog.HashReader that reads through from, and keeps what it has read.
func through(kept *lru.Cache[int64, tlog.Hash], from tlog.HashReader) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		all := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hash, ok := kept.Get(index)
			if !ok {
				read, err := from.ReadHashes([]int64{index})
				if err != nil {
					return nil, err
				}
				hash = read[0]
				kept.Add(index, hash)
			}
			all[i] = hash
		}
		return all, nil
	})
}

// Prove returns the stored bytes of a record, and the proof that they are a leaf of the tree of a
// signed checkpoint, with that checkpoint in it (C2SP tlog-proof): of one that witnesses have
// signed, where one covers the record, and else of the last one. The error is a problem: of kind
// Unavailable while there is no checkpoint that covers the record, and of kind Unverified when the
// file is damaged.
func (j *Journal) Prove(sequence uint64) (stored, proof []byte, err error) {
	stored, p, signed, err := j.prove(sequence)
	if err != nil {
		return nil, nil, err
	}
	return stored, torchwood.FormatProof(int64(sequence)-1, p, signed), nil
}

func (j *Journal) prove(sequence uint64) (stored []byte, proof tlog.RecordProof,
	checkpoint []byte, err error) {
	signed := j.signed()
	if sequence == 0 || sequence > uint64(signed.N) {
		return nil, nil, nil,
			problem.New(problem.Unavailable, "there is no checkpoint yet that covers record %d",
				sequence)
	}
	if c, ok := j.cosigned(int64(sequence)); ok && c.N <= signed.N {
		signed = c
	}
	if stored, err = j.stored(sequence); err != nil {
		return nil, nil, nil, err
	}
	proof, err = j.proven(signed.Tree, sequence, stored)
	return stored, proof, signed.signed, err
}

// proven returns the proof that the stored bytes of a record are its leaf of a tree, and has
// checked it.
func (j *Journal) proven(tree tlog.Tree, sequence uint64,
	stored []byte) (proof tlog.RecordProof, err error) {
	recent := j.recently()
	err = j.view(func(tx *bbolt.Tx) (err error) {
		proof, err = tlog.ProveRecord(tree.N, int64(sequence)-1,
			through(j.hashes, recentHashes{recent, hashesIn(tx)}))
		return err
	})
	if err == nil {
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, int64(sequence)-1, tlog.RecordHash(stored))
	}
	if err != nil {
		j.hashes.Purge()
		return nil, problem.New(problem.Unverified,
			"record %d of the journal, or the Merkle tree above it, was altered or is damaged: %w",
			sequence, err).WithHint("%s", putBack)
	}
	return proof, nil
}

// maxRoots is how many roots of earlier trees are kept. Statements name the tree that their signers
// have seen, and many have seen the same.
const maxRoots = 1 << 12

// RootAt returns the root that the tree had when it was of the given size, from 1 to that of now.
// It has been checked against the tree as it is.
func (j *Journal) RootAt(size int64) (tlog.Hash, error) {
	root, ok := j.roots.Get(size)
	if ok {
		return root, nil
	}
	tree := j.Tree()
	if size < 1 || size > tree.N {
		return root, problem.New(problem.NotFound, "the tree has %d records, and never had %d",
			tree.N, size)
	}
	root, err := tlog.TreeHash(size, tlog.TileHashReader(tree, j.Tiles()))
	if err != nil {
		return root, problem.New(problem.Unverified,
			"the journal's Merkle tree was altered or is damaged: %w", err).WithHint("%s", putBack)
	}
	j.roots.Add(size, root)
	return root, nil
}

// LeafHashes returns the hashes of records in the tree (RFC 6962, section 2.1), which tell nothing
// of what is in them. They have been checked against the tree as it is.
func (j *Journal) LeafHashes(sequences []uint64) ([]tlog.Hash, error) {
	tree, indexes := j.Tree(), make([]int64, len(sequences))
	for i, n := range sequences {
		if n < 1 || int64(n) > tree.N {
			return nil, problem.New(problem.NotFound, "there is no record %d: the last is %d", n,
				tree.N)
		}
		indexes[i] = tlog.StoredHashIndex(0, int64(n)-1)
	}
	if len(indexes) == 0 {
		return nil, nil
	}
	hashes, err := tlog.TileHashReader(tree, j.Tiles()).ReadHashes(indexes)
	if err != nil {
		return nil, problem.New(problem.Unverified,
			"the journal's Merkle tree was altered or is damaged: %w", err).WithHint("%s", putBack)
	}
	return hashes, nil
}

// Tile returns a tile of the tree as C2SP tlog-tiles has it, of hashes, or of records (level -1),
// checked against the tree. The error is a problem of kind NotFound for a tile that is not wholly
// within the last signed checkpoint.
func (j *Journal) Tile(t tlog.Tile) ([]byte, error) {
	signed := j.signed()
	if !within(t, signed.N) {
		return nil, problem.New(problem.NotFound, "there is no %s: the checkpoint is of %d records",
			torchwood.TilePath(t), signed.N).
			WithHint("ask for the tiles that the checkpoint covers (C2SP tlog-tiles)")
	}
	if t.L == -1 {
		return j.entries(t)
	}
	data, err := tlog.ReadTileData(t, tlog.TileHashReader(signed.Tree, j.Tiles()))
	if err != nil {
		return nil, problem.New(problem.Unverified,
			"the journal's Merkle tree was altered or is damaged: %w", err).WithHint("%s", putBack)
	}
	return data, nil
}

// within reports whether a tile, of which the form is right, is there in a tree of a size.
func within(t tlog.Tile, size int64) bool {
	level := max(t.L, 0)
	if level > 62/TileHeight || t.N < 0 || t.W < 1 {
		return false
	}
	there := size >> (level * TileHeight)
	return t.N < 1<<(62-TileHeight) && t.N<<TileHeight+int64(t.W) <= there
}

func (j *Journal) entries(t tlog.Tile) (data []byte, err error) {
	rows, err := j.rows(uint64(t.N)<<TileHeight+1, int64(t.W))
	if err == nil && len(rows) < t.W {
		err = fmt.Errorf("journal: of %d records from %d on, %d are there", t.W,
			t.N<<TileHeight+1, len(rows))
	}
	for _, stored := range rows {
		if err == nil {
			data, err = torchwood.AppendTileEntry(data, stored)
		}
	}
	return data, err
}
