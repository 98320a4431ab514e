package events

import (
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A SignedText is a text that an event key has signed and that is no statement, such as that with
// which a member signs in. No such text can be taken for a statement, nor a statement for one:
// a statement is a JSON object, and [SignText] and [ParseSignedText] refuse what begins like one.
type SignedText struct {
	// Text is what was signed, with the line feed that ends it.
	Text string
	// By is the key that is meant to have signed. Until VerifiedBy has said so, nothing is proven.
	By KeyID

	note []byte
}

// SignText signs lines of text, each with a line feed at its end.
func SignText(text string, with *Signer) ([]byte, error) {
	if likeStatement(text) {
		return nil, syntax("the text begins like a statement: sign that with Sign")
	}
	return note.Sign(&note.Note{Text: text}, with)
}

// ParseSignedText reads a signed note with exactly one signature, which it does not check. It keeps
// msg, which must not be changed afterwards. The error is a [problem.Problem].
func ParseSignedText(msg []byte) (SignedText, error) {
	if err := plainText(msg); err != nil {
		return SignedText{}, err
	}
	n, err := splitNote(msg)
	if err != nil {
		return SignedText{}, err
	}
	if likeStatement(string(n.text)) {
		return SignedText{}, syntax("this is a statement, and another text was expected")
	}
	return SignedText{string(n.text), KeyID{string(n.name), n.hash}, msg}, nil
}

// VerifiedBy checks the signature, and that it is key's.
func (t SignedText) VerifiedBy(key Key) error {
	v, err := key.Verifier()
	if err != nil {
		return err
	}
	return verified(t.note, t.By, v)
}

// likeStatement reports whether a text could be a statement, or a text with one in front.
func likeStatement(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "{") }
