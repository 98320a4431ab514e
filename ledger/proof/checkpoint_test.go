package proof_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/proof"
)

const checkpointOrigin = "muster.example/berlin"

func newCheckpointSigner(t *testing.T, origin events.Origin) *proof.CheckpointSigner {
	t.Helper()
	secret, err := proof.NewCheckpointKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := proof.NewCheckpointSigner(secret + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keyID(t *testing.T, key string) string {
	t.Helper()
	v, err := proof.CheckpointVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	return proof.KeyID(v)
}

var someTree = tlog.Tree{N: 7, Hash: tlog.RecordHash([]byte("some records"))}

func signedTree(t *testing.T, s *proof.CheckpointSigner, tree tlog.Tree) []byte {
	t.Helper()
	signed, err := s.Sign(tree)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestCheckpointIsSignedByOneOfTheKeys(t *testing.T) {
	a, b := newCheckpointSigner(t, checkpointOrigin), newCheckpointSigner(t, checkpointOrigin)
	signed := signedTree(t, a, someTree)
	for _, keys := range [][]string{{a.Key()}, {b.Key(), a.Key()}} {
		c, err := proof.OpenCheckpoint(signed, keys...)
		if err != nil || c.Tree != someTree || c.Origin != checkpointOrigin ||
			c.By != keyID(t, a.Key()) || c.Others != 0 {
			t.Errorf("%+v, %v", c, err)
		}
	}
	var unverified *note.UnverifiedNoteError
	for _, keys := range [][]string{{b.Key()}, nil} {
		if c, err := proof.OpenCheckpoint(signed, keys...); !errors.As(err, &unverified) {
			t.Errorf("with keys that have not signed: %+v, %v", c, err)
		}
	}
	if c, err := proof.ReadCheckpoint(signed); err != nil || c.Tree != someTree || c.By != "" {
		t.Errorf("read without a key: %+v, %v", c, err)
	}
}

// Servers that share a ledger, and cosigners, add lines: a reader that knows one of the keys is
// content.
func TestCheckpointMayHaveMoreSignatures(t *testing.T) {
	a, b := newCheckpointSigner(t, checkpointOrigin), newCheckpointSigner(t, checkpointOrigin)
	other := signedTree(t, b, someTree)
	_, line, _ := strings.Cut(string(other), "\n\n")
	signed := append(signedTree(t, a, someTree), line...)
	for _, key := range []string{a.Key(), b.Key()} {
		if c, err := proof.OpenCheckpoint(signed, key); err != nil || c.Others != 1 {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

func TestCheckpointOfAnotherOriginIsNotTheKeys(t *testing.T) {
	a := newCheckpointSigner(t, checkpointOrigin)
	secret, err := proof.NewCheckpointKey("muster.example/paris")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(signedTree(t, a, someTree)), "\n\n")
	// The words are Berlin's, and the signature is Paris's.
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	paris, err := proof.NewCheckpointSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][]string{{paris.Key()}, {a.Key()}, {a.Key(), paris.Key()}} {
		if c, err := proof.OpenCheckpoint(signed, keys...); err == nil {
			t.Errorf("accepted: %+v", c)
		}
	}
}

func TestNoByteOfACheckpointMayChange(t *testing.T) {
	a := newCheckpointSigner(t, checkpointOrigin)
	signed := signedTree(t, a, someTree)
	for i := range signed {
		altered := append([]byte(nil), signed...)
		altered[i] ^= 1
		if c, err := proof.OpenCheckpoint(altered, a.Key()); err == nil && c.Tree != someTree {
			t.Errorf("byte %d was changed, and the checkpoint accepted: %q", i, altered)
		}
	}
}

// A server's key must not be made to sign for a nation, nor a nation's for a server.
func TestEventKeysAndCheckpointKeysAreNotTakenForEachOther(t *testing.T) {
	secret, key, err := events.NewKey("FRA/paris")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.NewCheckpointSigner(secret); err == nil {
		t.Error("an event key became a checkpoint signer")
	}
	if _, err := proof.CheckpointVerifier(string(key)); err == nil {
		t.Error("an event key became a checkpoint verifier")
	}
	paris, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "FRA/paris\n7\n" + someTree.Hash.String() + "\n"},
		paris)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := proof.OpenCheckpoint(signed, string(key)); err == nil {
		t.Errorf("a checkpoint that an event key has signed was accepted: %+v", c)
	}

	server := newCheckpointSigner(t, checkpointOrigin)
	if events.ValidKeyName(checkpointOrigin) {
		t.Error("an origin is a valid name of an event key")
	}
	st := &events.MemberAdmitted{Header: events.Header{Type: "member.admitted", ID: events.NewID(),
		Ledger: checkpointOrigin}, Key: events.Key(server.Key()), Role: events.Liaison}
	if _, err := events.Marshal(st); err == nil {
		t.Error("a checkpoint key was admitted as a member's")
	}
}

// What a checkpoint says has one form: nobody may sign the same tree in two texts. Further lines
// may follow.
func TestCheckpointHasOneForm(t *testing.T) {
	secret, err := proof.NewCheckpointKey(checkpointOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := proof.KeyOfSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	hash := someTree.Hash.String() + "\n"
	for text, good := range map[string]bool{
		checkpointOrigin + "\n7\n" + hash:                         true,
		checkpointOrigin + "\n7\n" + hash + "more\nand more\n":    true,
		checkpointOrigin + "\n7\n" + hash + "more\n\nand more\n":  false,
		checkpointOrigin + "\n7\n" + hash + "\nmore\n":            false,
		checkpointOrigin + "\n07\n" + hash:                        false,
		checkpointOrigin + "\n+7\n" + hash:                        false,
		checkpointOrigin + "\n-7\n" + hash:                        false,
		checkpointOrigin + "\n9223372036854775808\n" + hash:       false,
		checkpointOrigin + "\n7\n" + hash[:40] + "\n":             false,
		checkpointOrigin + "\n7\n" + hash[:20] + "\r" + hash[20:]: false,
		checkpointOrigin + "\n7\n":                                false,
		"\n7\n" + hash:                                            false,
		"muster.example/paris\n7\n" + hash:                        false,
	} {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := proof.OpenCheckpoint(signed, key); (err == nil) != good ||
			good && c.Tree != someTree {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

// A size that nobody could have reached is refused before anything is calculated with it: to prove
// something in a tree of 2^62 and more would never end.
func TestCheckpointOfAnImpossibleSize(t *testing.T) {
	s := newCheckpointSigner(t, checkpointOrigin)
	for size, taken := range map[int64]bool{1: true, 999_999_999_999_999: true,
		1_000_000_000_000_000: false, 1 << 62: false, 1<<62 + 1: false, math.MaxInt64: false} {
		signed := signedTree(t, s, tlog.Tree{N: size, Hash: someTree.Hash})
		_, opened := proof.OpenCheckpoint(signed, s.Key())
		_, read := proof.ReadCheckpoint(signed)
		if (opened == nil) != taken || (read == nil) != taken {
			t.Errorf("size %d: opened: %v, read: %v", size, opened, read)
		}
	}
}

// A tree without records has one root, and a checkpoint that says another is none, whoever signs
// it.
func TestCheckpointOfAnEmptyTree(t *testing.T) {
	s := newCheckpointSigner(t, checkpointOrigin)
	empty, err := tlog.TreeHash(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for root, ok := range map[tlog.Hash]bool{empty: true, {}: false, {1}: false} {
		signed, err := s.Sign(tlog.Tree{Hash: root})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proof.OpenCheckpoint(signed, s.Key()); (err == nil) != ok {
			t.Errorf("opened with the root %v: %v", root, err)
		}
		if _, err := proof.ReadCheckpoint(signed); (err == nil) != ok {
			t.Errorf("read with the root %v: %v", root, err)
		}
	}
}

// A key for which anybody can sign is no checkpoint key, nor one that libraries read differently:
// not of the ledger, and not of a witness.
func TestUnsoundCheckpointKeys(t *testing.T) {
	for what, public := range map[string][]byte{
		"of small order": append([]byte{1}, make([]byte, 31)...),
		"beyond p":       append([]byte{0xf0}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)} {
		key, err := note.NewEd25519VerifierKey("muster.example/berlin", public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proof.ParseKey(key); err == nil {
			t.Errorf("%s: %s is taken", what, key)
		}
		if _, err := proof.OpenCheckpoint(nil, key); err == nil ||
			!strings.Contains(err.Error(), "is no key") {
			t.Errorf("%s: a checkpoint is opened with %s: %v", what, key, err)
		}
	}
}
