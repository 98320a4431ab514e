package events

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// A Signed is a statement with the signed note (C2SP signed-note) that it came in. It is what a
// liaison sends.
type Signed struct {
	Statement Statement
	// Note is the signed note, byte for byte as it was sent. It is hashed and stored as it is and
	// never written anew.
	Note []byte
	// KeyName and KeyHash say which key is meant to have signed. Until VerifiedBy has said so,
	// nothing is proven.
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

// ParseSigned reads a signed note that holds one statement and exactly one signature. It checks the
// form and not the signature. It keeps msg, which must not be changed afterwards. The error is a
// [problem.Problem].
func ParseSigned(msg []byte) (Signed, error) {
	if err := plainText(msg); err != nil {
		return Signed{}, err
	}
	n, err := splitNote(msg)
	if err != nil {
		return Signed{}, err
	}
	if bytes.HasPrefix(n.text, []byte(draftTitle)) {
		return Signed{}, errDraft()
	}
	s, err := Parse(n.text[:len(n.text)-1])
	if err != nil {
		return Signed{}, err
	}
	return Signed{s, msg, string(n.name), n.hash}, nil
}

const noteHint = "let `muster` sign it, or see events/FORMAT.md"

// splitNote takes a note with one signature apart, without checking that.
func splitNote(msg []byte) (oneSigned, error) {
	if n, ok := cutNote(msg); ok {
		return n, nil
	}
	_, err := note.Open(msg, note.VerifierList()) // which tells what is wrong
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		if lines := bytes.Count(msg[len(unverified.Note.Text)+1:], []byte("\n")); lines != 1 {
			return oneSigned{}, syntax("the note has %d signatures: send exactly one", lines)
		}
		return oneSigned{}, syntax(
			"the signature is not in canonical base 64: send it as it was made").WithHint(noteHint)
	}
	return oneSigned{}, syntax(
		"this is no signed note: send a line of JSON, an empty line, and a line of signature " +
			"that begins with an em dash").
		WithHint(noteHint)
}

// oneSigned is a note with one signature: what was signed, with the line feed that ends it, and by
// which key. Its bytes are those of the note.
type oneSigned struct {
	text []byte
	name []byte
	hash uint32
	sig  []byte
}

// cutNote takes apart a note with one signature, in the one base 64 that it has: the same bytes
// again, and not the same signature in other base 64. It is what [note.Open] takes, in a tenth of
// the time: nearly all of a statement's form is that of the JSON in it. The text must be plain: see
// plainText.
func cutNote(msg []byte) (n oneSigned, ok bool) {
	end := bytes.LastIndex(msg, []byte("\n\n")) + 1
	if end == 0 {
		return n, false
	}
	line, dash := bytes.CutPrefix(msg[end+1:], []byte("— "))
	line, rest, whole := bytes.Cut(line, []byte("\n"))
	name, encoded, _ := bytes.Cut(line, []byte(" "))
	sig, err := canonical.AppendDecode(make([]byte, 0, 72), encoded)
	if !dash || !whole || len(rest) > 0 || len(name) == 0 || bytes.ContainsFunc(name, notInName) ||
		err != nil || len(sig) < 5 {
		return n, false
	}
	return oneSigned{msg[:end], name, binary.BigEndian.Uint32(sig), sig[4:]}, true
}

// notInName says which characters a key's name cannot have (C2SP signed-note).
func notInName(r rune) bool { return r == '+' || unicode.IsSpace(r) }

// canonical is base 64 without loose bits.
var canonical = base64.StdEncoding.Strict()

// canonicalBase64 returns the one way to write what s encodes, and "" for what encodes nothing.
func canonicalBase64(s string) string {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(data)
}

// ErrSignature is what VerifiedBy and VerifiedWith return, wrapped, for a signature that is not the
// key's.
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
	return verified(s.Note, s.SignedBy(), v)
}

// verified checks that a note is signed by the key that it names, and that v is this key's.
func verified(msg []byte, by KeyID, v note.Verifier) error {
	if v.Name() != by.Name || v.KeyHash() != by.Hash {
		return fmt.Errorf("%w: %s has not signed this", ErrSignature, v.Name())
	}
	n, ok := cutNote(msg)
	if !ok || string(n.name) != by.Name || n.hash != by.Hash || !v.Verify(n.text, n.sig) {
		return fmt.Errorf("%w: it does not fit the text and the key %s", ErrSignature, v.Name())
	}
	return nil
}

// SaysTheSame reports whether the two are one statement of one key, byte for byte: sent again, or
// signed again by software that signs with a random nonce (RFC 8032 allows any), so that only the
// signatures differ. A draft says the same as its statement. It verifies neither.
func (s Signed) SaysTheSame(other Signed) bool {
	a, ok := cutNote(s.Note)
	b, same := cutNote(other.Note)
	title := []byte(draftTitle)
	return ok && same && s.SignedBy() == other.SignedBy() &&
		bytes.Equal(bytes.TrimPrefix(a.text, title), bytes.TrimPrefix(b.text, title))
}

// KeyID names a key as a signature does: its name and the first four bytes of its hash.
type KeyID struct {
	Name string
	Hash uint32
}

// ID returns how signatures name the key, and false for what has not the form of a key. It takes
// the hash as it is written, which Verifier compares with the key.
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

// String returns the key as its name and its hash.
func (id KeyID) String() string {
	return fmt.Sprintf("%s+%08x", id.Name, id.Hash)
}
