package events

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A Signed is a statement with the signed note (C2SP signed-note) that it came in. It is what a liaison sends.
type Signed struct {
	Statement Statement
	// Note is the signed note, byte for byte as it was sent. It is hashed and stored as it is and never written anew.
	Note []byte
	// KeyName and KeyHash say which key is meant to have signed. Until VerifiedBy has said so, nothing is proven.
	KeyName string
	KeyHash uint32
}

// Sign marshals s and signs it.
func Sign(s Statement, with *Signer) (Signed, error) {
	text, err := Marshal(s)
	if err != nil {
		return Signed{}, err
	}
	msg, err := note.Sign(&note.Note{Text: string(text) + "\n"}, with)
	if err != nil {
		return Signed{}, fmt.Errorf("signing: %w", err)
	}
	if len(msg) > MaxBytes {
		return Signed{}, tooLarge(len(msg))
	}
	return Signed{s, msg, with.Name(), with.KeyHash()}, nil
}

// ParseSigned reads a signed note that holds one statement and exactly one signature. It checks the form and not the
// signature. It keeps msg, which must not be changed afterwards. The error is a [problem.Problem].
func ParseSigned(msg []byte) (Signed, error) {
	if err := plainText(msg); err != nil {
		return Signed{}, err
	}
	text, sig, err := splitNote(msg)
	if err != nil {
		return Signed{}, err
	}
	s, err := Parse(text)
	if err != nil {
		return Signed{}, err
	}
	return Signed{s, msg, sig.Name, sig.Hash}, nil
}

const noteHint = "let `muster` sign it, or see events/FORMAT.md"

// splitNote opens a note with one signature, without checking it, into the line of JSON and the signature.
func splitNote(msg []byte) ([]byte, note.Signature, error) {
	_, err := note.Open(msg, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return nil, note.Signature{}, syntax("this is no signed note: send a line of JSON, an empty line, and a line of signature that begins with an em dash").
			WithHint(noteHint)
	}
	n := unverified.Note
	if lines := bytes.Count(msg[len(n.Text)+1:], []byte("\n")); lines != 1 {
		return nil, note.Signature{}, syntax("the note has %d signatures: send exactly one", lines)
	}
	// One statement has one form: the same bytes again, and not the same signature in other base 64.
	sig := n.UnverifiedSigs[0]
	if sig.Base64 != canonicalBase64(sig.Base64) {
		return nil, note.Signature{}, syntax("the signature is not in canonical base 64: send it as it was made").WithHint(noteHint)
	}
	return []byte(n.Text[:len(n.Text)-1]), sig, nil
}

// canonicalBase64 returns the one way to write what s encodes, and "" for what encodes nothing.
func canonicalBase64(s string) string {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(data)
}

// ErrSignature is what VerifiedBy and VerifiedWith return, wrapped, for a signature that is not the key's.
var ErrSignature = errors.New("the signature is wrong")

// VerifiedBy checks the signature with the standard library's Ed25519, and that it is key's.
// It takes about 50 µs, and may be called concurrently.
func (s Signed) VerifiedBy(key Key) error {
	v, err := key.Verifier()
	if err != nil {
		return err
	}
	return s.VerifiedWith(v)
}

// VerifiedWith is VerifiedBy for a key that was made a verifier before, such as a [ReadyKey].
func (s Signed) VerifiedWith(v note.Verifier) error {
	if v.Name() != s.KeyName || v.KeyHash() != s.KeyHash {
		return fmt.Errorf("%w: %s has not signed this", ErrSignature, v.Name())
	}
	if text, sig, ok := s.cut(); !ok || !v.Verify(text, sig) {
		return fmt.Errorf("%w: it does not fit the statement and the key %s", ErrSignature, v.Name())
	}
	return nil
}

// cut returns what was signed, which ends with a line feed, and the signature. The note has the one line of signature that ParseSigned
// has found in it, or what it returns is false.
func (s Signed) cut() (text, sig []byte, ok bool) {
	end := bytes.LastIndex(s.Note, []byte("\n\n")) + 1
	line, ok := bytes.CutPrefix(s.Note[min(end+1, len(s.Note)):], []byte("— "+s.KeyName+" "))
	if !ok || end == 0 {
		return nil, nil, false
	}
	line, rest, ok := bytes.Cut(line, []byte("\n"))
	sig, err := base64.StdEncoding.AppendDecode(make([]byte, 0, 72), line)
	if !ok || len(rest) > 0 || err != nil || len(sig) < 4 || binary.BigEndian.Uint32(sig) != s.KeyHash {
		return nil, nil, false
	}
	return s.Note[:end], sig[4:], true
}

// KeyID names a key as a signature does: its name and the first four bytes of its hash.
type KeyID struct {
	Name string
	Hash uint32
}

// ID returns how signatures name the key, and false for what has not the form of a key. It takes the hash as it is written, which
// Verifier compares with the key.
func (k Key) ID() (KeyID, bool) {
	name, rest, _ := strings.Cut(string(k), "+")
	hash, _, ok := strings.Cut(rest, "+")
	n, err := strconv.ParseUint(hash, 16, 32)
	if !ok || err != nil || len(hash) != 8 {
		return KeyID{}, false
	}
	return KeyID{name, uint32(n)}, true
}

// SignedBy returns which key the statement claims.
func (s Signed) SignedBy() KeyID { return KeyID{s.KeyName, s.KeyHash} }

func (id KeyID) String() string {
	return fmt.Sprintf("%s+%08x", id.Name, id.Hash)
}
