package proof

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/english"
	"muster/events/problem"
)

// ParseKey checks that text is a checkpoint key: a verifier key of C2SP signed-note, as `muster
// serve` prints it.
func ParseKey(text string) (string, error) {
	text = strings.TrimSpace(text)
	if _, err := CheckpointVerifier(text); err != nil {
		return "", problem.New(problem.Usage, "%w", err).
			WithHint("give it as the server prints it: NAME+HASH+BASE64")
	}
	return text, nil
}

// KeyOfSecret returns the key whose signatures a secret checkpoint key makes.
func KeyOfSecret(secret string) (string, error) {
	s, err := NewCheckpointSigner(secret)
	if err != nil {
		return "", err
	}
	return s.Key(), nil
}

// otherSignatures says that there are more than the one that was verified.
func (c Checkpoint) otherSignatures() string {
	if c.Others == 0 {
		return ""
	}
	return fmt.Sprintf("; beside it, %s that no key was given for",
		english.Several(uint64(c.Others), "signature"))
}

// openCheckpoint opens a checkpoint with a key; without one it only reads it, and nothing is
// proven.
func openCheckpoint(signed []byte, key TrustedKey) (*Checkpoint, error) {
	if key.Verifier == "" {
		return readCheckpoint(signed)
	}
	v, err := CheckpointVerifier(key.Verifier)
	if err != nil {
		return nil, err
	}
	c, err := OpenCheckpoint(signed, key.Verifier)
	if err != nil {
		return nil, fmt.Errorf("it does not carry the signature of %s: %w", KeyID(v), err)
	}
	return &c, nil
}

func readCheckpoint(signed []byte) (*Checkpoint, error) {
	c, err := ReadCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// openCheckpoints opens the source's checkpoint, where a fault is the source's, and that of
// Options.Since, where it is the caller's.
func (v *verifier) openCheckpoints() (err error) {
	if v.opts.Since != nil {
		if v.since, err = openCheckpoint(v.opts.Since, v.opts.Key); err != nil {
			return problem.New(problem.Invalid, "the checkpoint to begin with: %w", err).
				WithHint("give the file of a checkpoint of this ledger, as GET /checkpoint " +
					"answers it")
		}
	}
	if v.src.Checkpoint != nil {
		if v.checkpoint, err = openCheckpoint(v.src.Checkpoint, v.opts.Key); err != nil {
			v.checkpointFault = &Fault{Check: "checkpoint",
				What: "the checkpoint is not good: " + err.Error()}
			// What it says can still be held against the records.
			v.checkpoint, _ = readCheckpoint(v.src.Checkpoint)
		}
	}
	return nil
}

// compareTree holds the tree that was made from the records against one that is named, and notes
// the first difference.
func (v *verifier) compareTree(ctx context.Context, named tlog.Tree, what, check string) {
	if named.N > v.tree.size {
		if !v.broken {
			v.blame(&Fault{Sequence: uint64(v.tree.size) + 1, Check: "records",
				What: fmt.Sprintf("it is missing: %s is of %d records, and here are %d", what,
					named.N, v.tree.size)})
		}
		v.findAltered(ctx, named, what)
		return
	}
	root, _ := v.tree.root(named.N)
	if root == named.Hash || v.findAltered(ctx, named, what) {
		return
	}
	v.blameWhole(&Fault{Check: check,
		What: fmt.Sprintf("the first %d records make the root %s, and %s has %s: some record "+
			"was altered, put in or left out", named.N, root, what, named.Hash)})
}

// blameWhole notes a fault that has no place. One that has a place is told first.
func (v *verifier) blameWhole(f *Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.whole = append(v.whole, f)
}

// findAltered looks for the first record that is not the leaf that a tree has, with the help of the
// source's tiles, which are themselves checked against the tree's root. It reports whether it has
// found one.
func (v *verifier) findAltered(ctx context.Context, named tlog.Tree, what string) bool {
	if v.src.Tiles == nil {
		return false
	}
	leaves := tlog.TileHashReader(named, v.src.Tiles)
	end := min(named.N, v.tree.size)
	for from := int64(0); from < end && ctx.Err() == nil; from += tileWidth {
		indexes := make([]int64, min(tileWidth, end-from))
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, from+int64(i))
		}
		hashes, err := leaves.ReadHashes(indexes)
		if err != nil {
			return false // the tiles are altered too, and show nothing
		}
		for i, h := range hashes {
			if h != v.tree.hashes[indexes[i]] {
				v.blameAltered(uint64(from)+uint64(i)+1, what)
				return true
			}
		}
	}
	return false
}

// blameAltered notes a record that is not the one in the tree. That is told before what is wrong in
// its text.
func (v *verifier) blameAltered(sequence uint64, what string) {
	f := &Fault{Sequence: sequence, Check: "tree",
		What: "it was altered or is damaged: it is not the record that " + what + " covers"}
	if sequence == v.bad.Load() {
		f.Code = v.fault.Code
		f.What += "; and " + v.fault.What
		v.fault, v.newer = f, nil
		return
	}
	v.blame(f)
}

// compareTiles holds every tile that the source has against the tree that the records make.
func (v *verifier) compareTiles(ctx context.Context) (n int, f *Fault, err error) {
	const together = 32
	tiles := tlog.NewTiles(tileHeight, 0, v.treeToServe())
	for from := 0; from < len(tiles) && ctx.Err() == nil; from += together {
		some := tiles[from:min(from+together, len(tiles))]
		data, err := v.src.Tiles.ReadTiles(some)
		if err != nil {
			return n, &Fault{Check: "tiles", What: "the tiles of the Merkle tree cannot be read: " +
				err.Error()}, nil
		}
		for i, t := range some {
			want, err := tlog.ReadTileData(t, &v.tree)
			if err != nil {
				return n, nil, err
			}
			if string(want) != string(data[i]) {
				return n, &Fault{Check: "tiles",
					What: fmt.Sprintf("the tile %s of the Merkle tree is not the one that the "+
						"records make", tilePath(t))}, nil
			}
			n++
		}
	}
	return n, nil, ctx.Err()
}

// treeToServe is the size of the tree that the source's tiles are of.
func (v *verifier) treeToServe() int64 {
	switch {
	case v.src.Tree != nil:
		return min(v.src.Tree.N, v.tree.size)
	case v.checkpoint != nil:
		return min(v.checkpoint.N, v.tree.size)
	}
	return v.tree.size
}
