package session

import (
	"encoding/base64"
	"strings"
	"time"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// Title is the first line of every note. No statement begins so.
const Title = "muster session v1"

// The bounds of a note.
const (
	MaxBytes = 2048           // of a note, its signature included
	MaxTime  = 12 * time.Hour // from its beginning to its end
	minNonce = 16             // bytes, so that no server can mean another's by chance
	maxNonce = 96             // bytes
)

// A Note is what a member signs to sign in.
type Note struct {
	Origin events.Origin // of the ledger
	// Address is the server's, as [Address] or [NATSAddress] returns it.
	Address string
	// From and Until are when the session may begin and when it ends, in whole seconds.
	From, Until time.Time
	Nonce       string // of the server, in base 64 for addresses without padding
}

// Text returns the lines that are signed.
func (n Note) Text() string {
	return strings.Join([]string{Title, string(n.Origin), n.Address, timeText(n.From),
		timeText(n.Until), n.Nonce, ""}, "\n")
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Sign returns the note with a member's signature. The error is a [problem.Problem] when a server
// would refuse the form of what is signed.
func (n Note) Sign(with *events.Signer) ([]byte, error) {
	if _, err := parseText(n.Text()); err != nil {
		return nil, err
	}
	return events.SignText(n.Text(), with)
}

// A Signed is a note with the signature that it came with.
type Signed struct {
	Note

	text events.SignedText
}

// Parse reads a note in the one form that it has, and checks neither whose signature it is nor what
// the note says. It keeps msg, which must not be changed afterwards. The error is a
// [problem.Problem].
func Parse(msg []byte) (Signed, error) {
	if len(msg) > MaxBytes {
		return Signed{}, problem.New(problem.TooLarge,
			"the note has %d bytes: at most %d are taken", len(msg), MaxBytes)
	}
	text, err := events.ParseSignedText(msg)
	if err != nil {
		return Signed{}, malformed("%w", err)
	}
	n, err := parseText(text.Text)
	return Signed{n, text}, err
}

// By returns which key is meant to have signed.
func (s Signed) By() events.KeyID { return s.text.By }

// VerifiedBy checks the signature, and that it is key's.
func (s Signed) VerifiedBy(key events.Key) error { return s.text.VerifiedBy(key) }

// malformed is the refusal of what is no note to sign in with.
func malformed(format string, args ...any) *problem.Problem {
	return problem.New(problem.Usage, "this signs nobody in: %w", phrase.Errorf(format, args...)).
		WithHint(`let "muster" or the page sign it, or see "Signing in" in events/FORMAT.md`)
}

// parseText reads the lines that are signed. All that does not come out the same again is refused.
func parseText(text string) (Note, error) {
	lines := strings.Split(text, "\n")
	switch {
	case lines[0] != Title:
		return Note{}, malformed("its first line must be %s", Title)
	case len(lines) != 7:
		return Note{}, malformed("it must have six lines, and has %d", len(lines)-1)
	}
	n := Note{Origin: events.Origin(lines[1]), Address: lines[2], Nonce: lines[5]}
	var fields []problem.Field
	wrong := func(bad bool, name, value, message string) {
		if bad {
			fields = append(fields, problem.FieldSaid(name, problem.Shorten(value),
				phrase.Text(message).Phrase()))
		}
	}
	var ok [2]bool
	n.From, ok[0] = parseTime(lines[3])
	n.Until, ok[1] = parseTime(lines[4])
	length := n.Until.Sub(n.From)
	wrong(!n.Origin.Valid(), "origin", lines[1], "write the origin of the ledger")
	wrong(!validAddress(n.Address, n.Origin), "address", lines[2],
		"write the server's address, such as https://muster.example, in lower case, without a "+
			"path and without the scheme's own port")
	wrong(!ok[0], "from", lines[3], "write when the session begins, such as 2026-11-23T02:23:00Z")
	wrong(!ok[1], "until", lines[4], "write when the session ends, such as 2026-11-23T14:23:00Z")
	wrong(ok == [2]bool{true, true} && (length <= 0 || length > MaxTime), "until", lines[4],
		"write a time after from, and at most 12 hours after it")
	wrong(!validNonce(n.Nonce), "nonce", lines[5], "write the nonce that the server has given")
	return n, problem.OfFields(fields)
}

// parseTime reads a time in UTC and whole seconds, as timeText writes it.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil && timeText(t) == s
}

// validNonce reports whether s is base 64 for addresses, without padding and without loose bits.
func validNonce(s string) bool {
	data, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && minNonce <= len(data) && len(data) <= maxNonce &&
		base64.RawURLEncoding.EncodeToString(data) == s
}
