package journal

import (
	"bytes"
	"errors"
	"fmt"

	"filippo.io/torchwood"
	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

// The last checkpoint that this server has signed lies in the file too. Each commit signs the tree
// that it makes, and the checkpoint goes to the disk with its records, at once: so there is no
// second fsync, no record that is safe and not covered, and no moment between the two at which a
// crash could do harm. A signature that was made for a commit that then failed, or grew, was never
// shown to anybody: what is shown is what was committed.

// keyCheckpoint is where in the bucket meta the last signed checkpoint lies, as it was signed.
var keyCheckpoint = []byte("checkpoint")

// A signed checkpoint, and the tree that it is of.
type signedTree struct {
	tlog.Tree
	signed []byte
}

// loadCheckpoint makes sure that the tree as it was found is the one that this server has signed,
// or extends it: an older file, or another history, must not be signed for.
func (j *Journal) loadCheckpoint(tx *bbolt.Tx) error {
	signed := bytes.Clone(tx.Bucket(bucketMeta).Get(keyCheckpoint))
	if signed == nil {
		return nil
	}
	c, err := readCheckpoint(signed)
	if err != nil {
		return fmt.Errorf("the last checkpoint that was signed is damaged: %w", err)
	}
	if c.N > j.tree.N {
		return otherThanSigned(c.Tree, j.tree)
	}
	root, err := tlog.TreeHash(c.N, hashesIn(tx))
	if err != nil {
		return err
	}
	if root != c.Hash {
		return otherThanSigned(c.Tree, j.tree)
	}
	j.checkpoint, j.folded = signedTree{c.Tree, signed}, signed
	return nil
}

func readCheckpoint(signed []byte) (torchwood.Checkpoint, error) {
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return torchwood.Checkpoint{}, errors.New("it is no signed note")
	}
	return torchwood.ParseCheckpoint(unverified.Note.Text)
}

func otherThanSigned(signed, found tlog.Tree) error {
	return problem.New(problem.Unverified,
		"the journal does not go on from what this server has signed: the last checkpoint "+
			"signed is of %d records with the root %s, and the journal has %d records with the "+
			"root %s",
		signed.N, signed.Hash, found.N, found.Hash).
		WithHint("%s", putBack)
}

// SignCheckpoints makes every commit from now on sign the tree that it makes, and signs the tree as
// it is, unless this has been done. Sign is called while a commit is under way, by one goroutine at
// a time.
func (j *Journal) SignCheckpoints(sign func(tlog.Tree) ([]byte, error)) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.sign = sign
	tree := j.Tree()
	if tree.N == 0 {
		return nil
	}
	if err := j.makeRoom(); err != nil {
		return err
	}
	next, err := j.signNext(tree)
	if err == nil && !bytes.Equal(next.signed, j.signed().signed) {
		err = j.write(nil, j.edge.again(), &sealed{tree, next})
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// checkSigned makes sure, before a transaction writes, that the checkpoint in the file is the one
// that this process has put there last.
func (j *Journal) checkSigned(tx *bbolt.Tx) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !bytes.Equal(tx.Bucket(bucketMeta).Get(keyCheckpoint), j.folded) {
		return errors.New("somebody else has signed a checkpoint in this file")
	}
	return nil
}

// signNext signs a tree that a commit makes. The tree goes on from what was signed last, since
// loadCheckpoint has seen it so and nothing but a Batch has written since.
func (j *Journal) signNext(tree tlog.Tree) (signedTree, error) {
	last := j.signed()
	if j.sign == nil {
		return last, nil
	}
	if tree.N < last.N || tree.N == last.N && tree.Hash != last.Hash {
		return last, otherThanSigned(last.Tree, tree)
	}
	signed, err := j.sign(tree)
	if err != nil {
		return last, fmt.Errorf("signing the checkpoint: %w", err)
	}
	return signedTree{tree, signed}, nil
}

// Signed returns the last signed checkpoint that is on the disk, and nil when none was signed. It
// is not to be changed.
func (j *Journal) Signed() []byte { return j.signed().signed }

// Checkpoint returns the last signed checkpoint that is on the disk, with the signatures of those
// witnesses that have signed it too, and nil when none was signed. It is not to be changed.
func (j *Journal) Checkpoint() []byte {
	signed := j.signed()
	if c, ok := j.cosigned(signed.N); ok && c.Tree == signed.Tree {
		return c.signed
	}
	return signed.signed
}

// Witnessed returns the largest checkpoint that witnesses have signed, as many as are asked for
// where that is so of any; nil where none have. It is not to be changed.
func (j *Journal) Witnessed() []byte {
	c, _ := j.cosigned(1)
	return c.signed
}

// CosignedBy has what is shown and proved from now on carry the signatures of witnesses. Best
// returns the best checkpoint of at least so many records that has some: its tree must be one that
// this journal has signed. It is called for every proof, by several goroutines at a time.
func (j *Journal) CosignedBy(best func(least int64) (tree tlog.Tree, signed []byte, ok bool)) {
	j.witnesses.Store(&best)
}

// cosigned returns the best checkpoint of at least so many records, if there is one.
func (j *Journal) cosigned(least int64) (c signedTree, ok bool) {
	best := j.witnesses.Load()
	if best == nil {
		return c, false
	}
	c.Tree, c.signed, ok = (*best)(least)
	return c, ok
}

// signed returns the last signed checkpoint with its tree.
func (j *Journal) signed() signedTree {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.checkpoint
}
