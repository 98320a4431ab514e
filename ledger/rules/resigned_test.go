package rules_test

import (
	"crypto/rand"
	"encoding/binary"
	"testing"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"golang.org/x/mod/sumdb/note"

	"muster/events"
)

// A nonced signer signs with a random nonce, as some browsers do: each of its signatures is another
// one.
type nonced struct {
	note.Signer
	secret voi.PrivateKey
}

// Sign implements note.Signer.
func (n nonced) Sign(msg []byte) ([]byte, error) {
	return n.secret.Sign(rand.Reader, msg, &voi.Options{AddedRandomness: true})
}

// resigned returns what ruleSigner's key with the seed signs again.
func resigned(t *testing.T, by *events.Signer, seed uint32, s events.Signed) events.Signed {
	t.Helper()
	text, err := events.Marshal(s.Statement)
	if err != nil {
		t.Fatal(err)
	}
	secret := voi.NewKeyFromSeed(binary.BigEndian.AppendUint32(make([]byte, voi.SeedSize-4), seed))
	msg, err := note.Sign(&note.Note{Text: string(text) + "\n"}, nonced{by, secret})
	if err != nil {
		t.Fatal(err)
	}
	again, err := events.ParseSigned(msg)
	if err != nil || string(again.Note) == string(s.Note) {
		t.Fatalf("signed again the note is the same: %v", err)
	}
	return again
}
