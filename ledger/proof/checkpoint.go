package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

// A Checkpoint says how many records a ledger has and what root their Merkle tree has (C2SP
// tlog-checkpoint).
type Checkpoint struct {
	// Origin is the ledger that it is of.
	Origin string
	// Tree is how many records there are, and the root of their tree.
	tlog.Tree
	// Signed is the note with its signatures, byte for byte as it came.
	Signed []byte
	// By is the key whose signature was verified, as signatures name it:
	// "muster.example/berlin+1a2b3c4d". It is "" when nothing was verified.
	By string
	// Others counts the further signatures, which nobody looked at: those of other servers and of
	// cosigners.
	Others int
}

// MaxCheckpoint is the most bytes that a checkpoint may have, with all its signatures.
const MaxCheckpoint = 64 << 10

// OpenCheckpoint reads a signed checkpoint. One of the keys, in the text form of C2SP signed-note,
// must be named as the checkpoint's origin and must have signed it; other signatures may stand
// beside. The error wraps [note.UnverifiedNoteError] when none of the keys has signed.
func OpenCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %d bytes: it is too long", len(signed))
	}
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		v, err := CheckpointVerifier(key)
		if err != nil {
			return Checkpoint{}, err
		}
		verifiers[i] = v
	}
	// keeps in Sigs those of the keys alone
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	i := slices.IndexFunc(n.Sigs, func(s note.Signature) bool { return s.Name == c.Origin })
	if i < 0 {
		return Checkpoint{}, fmt.Errorf("it is of %.100q, and signed for %s", c.Origin,
			n.Sigs[0].Name)
	}
	c.Signed = bytes.Clone(signed)
	c.By = fmt.Sprintf("%s+%08x", n.Sigs[i].Name, n.Sigs[i].Hash)
	c.Others = len(n.Sigs) + len(n.UnverifiedSigs) - 1
	return c, nil
}

// maxSize is the largest tree that a checkpoint may claim: nobody could write as many records in a
// thousand years, and calculating with sizes near the largest number that there is never ends.
const maxSize = 1e15 - 1

// parseCheckpoint reads the text of a checkpoint, which may have further lines, none of them empty.
// It takes no form of the first three but the one that checkpoints are written in, and of a tree
// without records no root but the one that it has (RFC 6962, section 2.1).
func parseCheckpoint(text string) (Checkpoint, error) {
	var c log.Checkpoint
	more, err := c.Unmarshal([]byte(text))
	if err != nil || c.Size > maxSize || len(c.Hash) != tlog.HashSize ||
		string(c.Marshal())+string(more) != text || strings.Contains("\n"+string(more), "\n\n") {
		return Checkpoint{}, errors.New("malformed checkpoint")
	}
	tree := tlog.Tree{N: int64(c.Size), Hash: tlog.Hash(c.Hash)}
	if tree.N == 0 && tree.Hash != sha256.Sum256(nil) {
		return Checkpoint{}, errors.New("malformed checkpoint: it has no records, " +
			"and the root of a tree that has some")
	}
	return Checkpoint{Origin: c.Origin, Tree: tree}, nil
}

// ReadCheckpoint reads a signed checkpoint without verifying any signature: what it says is
// nobody's word yet.
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %d bytes: it is too long", len(signed))
	}
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, errors.New("this is no checkpoint: it is no signed note")
	}
	c, err := parseCheckpoint(unverified.Note.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("this is no checkpoint: %w", err)
	}
	c.Signed, c.Others = bytes.Clone(signed), len(unverified.Note.UnverifiedSigs)
	return c, nil
}

// CheckpointVerifier reads a checkpoint key, "muster.example/berlin+1a2b3c4d+Aet…". Its name is the
// ledger's origin: the key of a statement is refused.
func CheckpointVerifier(key string) (note.Verifier, error) {
	v, err := events.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("the checkpoint key %.100q is no key", key)
	}
	if !events.Origin(v.Name()).Valid() {
		return nil, fmt.Errorf(
			"the key %.100s is no checkpoint key: those are named after a ledger, such as "+
				"muster.example/berlin", v.Name())
	}
	return v, nil
}

// KeyID names a checkpoint key as signatures do: "muster.example/berlin+1a2b3c4d".
func KeyID(v note.Verifier) string { return fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash()) }

// A CheckpointSigner signs checkpoints with a server's secret key. It may be used concurrently.
type CheckpointSigner struct {
	signer   note.Signer
	verifier string
}

// NewCheckpointKey makes the secret key of a server, in the form of C2SP signed-note that
// NewCheckpointSigner reads.
func NewCheckpointKey(origin events.Origin) (secret string, err error) {
	if !origin.Valid() {
		return "", fmt.Errorf("%.100q is no origin of a ledger", string(origin))
	}
	secret, _, err = note.GenerateKey(rand.Reader, string(origin))
	return secret, err
}

// NewCheckpointSigner reads a secret checkpoint key. White space around it is ignored.
func NewCheckpointSigner(secret string) (*CheckpointSigner, error) {
	secret = strings.TrimSpace(secret)
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("no secret checkpoint key: %w", err)
	}
	if !events.Origin(signer.Name()).Valid() {
		return nil, fmt.Errorf(
			"the secret key of %.100s is not for checkpoints: theirs is named after a ledger",
			signer.Name())
	}
	// note.NewSigner has checked the form: "PRIVATE+KEY+name+hash+" and base 64 of the algorithm
	// and the seed.
	data, err := base64.StdEncoding.DecodeString(strings.SplitN(secret, "+", 5)[4])
	if err != nil {
		return nil, fmt.Errorf("no secret checkpoint key: %w", err)
	}
	public := ed25519.NewKeyFromSeed(data[1:]).Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), public)
	return &CheckpointSigner{signer, verifier}, err
}

// Origin returns the ledger that the key is for.
func (s *CheckpointSigner) Origin() events.Origin { return events.Origin(s.signer.Name()) }

// Key returns the public half, for whoever verifies.
func (s *CheckpointSigner) Key() string { return s.verifier }

// Sign makes the checkpoint of a tree. It takes about 25 µs.
func (s *CheckpointSigner) Sign(t tlog.Tree) ([]byte, error) {
	text := log.Checkpoint{Origin: s.signer.Name(), Size: uint64(t.N), Hash: t.Hash[:]}.Marshal()
	return note.Sign(&note.Note{Text: string(text)}, s.signer)
}
