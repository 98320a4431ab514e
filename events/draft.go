package events

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// draftTitle is the line before a statement that is to be checked only. A statement is a JSON
// object on one line, so that nobody takes the two for one.
const draftTitle = "muster check v1\n"

// MaxDraftBytes is the most bytes that a draft may have: those of a statement, and its first line.
const MaxDraftBytes = MaxBytes + len(draftTitle)

// SignDraft signs a statement so that a server can say whether it would record it, and cannot
// record it: the signature is over "muster check v1" and the statement, which no reader takes for a
// statement. See FORMAT.md, "Asking without saying".
func SignDraft(s Statement, with *Signer) (Signed, error) {
	text, err := Marshal(s)
	if err != nil {
		return Signed{}, err
	}
	msg, err := note.Sign(&note.Note{Text: draftTitle + string(text) + "\n"}, with)
	if err != nil {
		return Signed{}, fmt.Errorf("signing: %w", err)
	}
	if len(msg) > MaxDraftBytes {
		return Signed{}, tooLarge(len(msg))
	}
	return Signed{s, msg, with.Name(), with.KeyHash()}, nil
}

// ParseDraft reads what is to be checked only: a draft, or a signed statement, as [ParseSigned]
// does.
func ParseDraft(msg []byte) (Signed, error) {
	plain, isDraft := bytes.CutPrefix(msg, []byte(draftTitle))
	if !isDraft {
		return ParseSigned(msg)
	}
	if err := plainText(plain); err != nil {
		return Signed{}, err
	}
	n, err := splitNote(msg)
	if err != nil {
		return Signed{}, err
	}
	if len(n.text) <= len(draftTitle) {
		return Signed{}, syntax("the draft has no statement").WithHint(noteHint)
	}
	s, err := Parse(n.text[len(draftTitle) : len(n.text)-1])
	if err != nil {
		return Signed{}, err
	}
	return Signed{s, msg, string(n.name), n.hash}, nil
}

// IsDraft reports whether the signature is under a draft. Nobody may record it.
func (s Signed) IsDraft() bool { return bytes.HasPrefix(s.Note, []byte(draftTitle)) }

// errDraft is that somebody would record a draft.
func errDraft() error {
	return syntax("what is signed is a draft of a statement, which is checked, and never recorded").
		WithHint("sign the statement itself to have it recorded")
}
