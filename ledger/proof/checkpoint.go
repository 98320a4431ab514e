package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
)

// A Checkpoint says how many records a ledger has and what root their Merkle tree has (C2SP tlog-checkpoint).
type Checkpoint struct {
	torchwood.Checkpoint
	// Signed is the note with its signatures, byte for byte as it came.
	Signed []byte
	// By is the key whose signature was verified, as signatures name it: "muster.example/berlin+1a2b3c4d". It is "" when
	// nothing was verified.
	By string
	// Others counts the further signatures, which nobody looked at: those of other servers and of cosigners.
	Others int
}

// maxCheckpoint is the most bytes that a checkpoint may have, with all its signatures.
const maxCheckpoint = 64 << 10

// OpenCheckpoint reads a signed checkpoint. One of the keys, in the text form of C2SP signed-note, must be named as the
// checkpoint's origin and must have signed it; other signatures may stand beside. The error wraps
// [note.UnverifiedNoteError] when none of the keys has signed.
func OpenCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %d bytes: it is too long", len(signed))
	}
	policies := make([]torchwood.Policy, len(keys))
	for i, key := range keys {
		v, err := CheckpointVerifier(key)
		if err != nil {
			return Checkpoint{}, err
		}
		policies[i] = torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(v.Name()), torchwood.SingleVerifierPolicy(v))
	}
	if len(keys) == 0 { // an empty group would be satisfied by nothing at all
		_, err := note.Open(signed, note.VerifierList())
		return Checkpoint{}, err
	}
	c, n, err := torchwood.VerifyCheckpoint(signed, torchwood.ThresholdPolicy(1, policies...))
	if err != nil {
		return Checkpoint{}, err
	}
	i := slices.IndexFunc(n.Sigs, func(s note.Signature) bool { return s.Name == c.Origin })
	by := fmt.Sprintf("%s+%08x", n.Sigs[i].Name, n.Sigs[i].Hash)
	return Checkpoint{c, bytes.Clone(signed), by, len(n.Sigs) + len(n.UnverifiedSigs) - 1}, nil
}

// ReadCheckpoint reads a signed checkpoint without verifying any signature: what it says is nobody's word yet.
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("a checkpoint of %d bytes: it is too long", len(signed))
	}
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, errors.New("this is no checkpoint: it is no signed note")
	}
	c, err := torchwood.ParseCheckpoint(unverified.Note.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("this is no checkpoint: %w", err)
	}
	return Checkpoint{c, bytes.Clone(signed), "", len(unverified.Note.UnverifiedSigs)}, nil
}

// CheckpointVerifier reads a checkpoint key, "muster.example/berlin+1a2b3c4d+Aet…". Its name is the ledger's origin: the
// key of a statement is refused.
func CheckpointVerifier(key string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("the checkpoint key %.100q is no key", key)
	}
	if !events.Origin(v.Name()).Valid() {
		return nil, fmt.Errorf("the key %.100s is no checkpoint key: those are named after a ledger, such as muster.example/berlin", v.Name())
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

// NewCheckpointKey makes the secret key of a server, in the form of C2SP signed-note that NewCheckpointSigner reads.
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
		return nil, fmt.Errorf("the secret key of %.100s is not for checkpoints: theirs is named after a ledger", signer.Name())
	}
	// note.NewSigner has checked the form: "PRIVATE+KEY+name+hash+" and base 64 of the algorithm and the seed.
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
	text := torchwood.Checkpoint{Origin: s.signer.Name(), Tree: t}.String()
	return note.Sign(&note.Note{Text: text}, s.signer)
}
