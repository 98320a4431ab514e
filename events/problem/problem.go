// Package problem is the one table of what can go wrong, and the one form in which it is told.
//
// Every face of Muster (HTTP, NATS, the command line) refuses in the same words: a [Kind] fixes the
// HTTP status, the exit code and the title; a [Problem] adds what happened this time, the remedy,
// and every field that is wrong. Its JSON is problem+json (RFC 9457), and it is an error, so that
// it travels through Go code like any other.
package problem

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/events/phrase"
)

// A Kind is a row of the table: how each face reports this sort of problem.
type Kind struct {
	Slug   string // stable name, part of the problem's type URI
	Title  string // short and the same every time
	Status int    // HTTP status; also the NATS micro service's error code, as decimal text
	Exit   int    // exit code of the command line
}

// The table. Slugs are stable: rows are added, never renamed.
var (
	Internal    = Kind{"internal", "Something went wrong inside Muster", 500, 1}
	Usage       = Kind{"usage", "The request cannot be understood", 400, 2}
	NotFound    = Kind{"not-found", "There is no such thing", 404, 3}
	NotAllowed  = Kind{"not-allowed", "The signer may not say this", 403, 4}
	Conflict    = Kind{"conflict", "A rule of the ledger refuses this", 409, 5}
	Syntax      = Kind{"syntax", "The statement is not well formed", 400, 6}
	TooLarge    = Kind{"too-large", "The statement is too large", 413, 6}
	Invalid     = Kind{"invalid", "Some fields are wrong", 422, 6}
	TooMuch     = Kind{"too-much", "The question costs more than one answer may", 422, 6}
	Unavailable = Kind{"unavailable", "The ledger cannot answer now", 503, 7}
	Busy        = Kind{"busy", "Too much is asked at a time", 429, 7}
	Unverified  = Kind{"unverified", "Verification failed", 502, 8}
	Misdirected = Kind{"misdirected", "This server is not the one that was named", 421, 7}
	SignedOut   = Kind{"unauthenticated", "The server does not know who asks", 401, 4}
	NotReadable = Kind{"not-readable", "This may be read by others only", 403, 4}
	Differs     = Kind{"differs", "There are differences", 409, 10}
)

var kinds = []Kind{Internal, Usage, NotFound, NotAllowed, Conflict, Syntax, TooLarge, Invalid,
	TooMuch, Unavailable, Busy, Unverified, Misdirected, SignedOut,
	NotReadable, Differs}

// Kinds returns all rows of the table.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the row with the given slug, and Internal for a slug that this version does not
// know.
func KindOf(slug string) Kind {
	for _, k := range kinds {
		if k.Slug == slug {
			return k
		}
	}
	return Internal
}

// A Field says what is wrong with one member of a statement or one parameter of a request.
type Field struct {
	// Location is the member's name, dotted for nested members ("until", "seen.size",
	// "roles[2].units[0]").
	Location string `json:"location"`
	// Message says what is wrong and what to write instead, as one sentence without a capital or a
	// full stop.
	Message string `json:"message"`
	// Value is what was given, shortened, where showing it helps.
	Value string `json:"value,omitempty"`

	at, said phrase.Phrase // the location, where it is one, and the message
}

// FieldOf returns what is wrong with one member or parameter, its message formatted as by
// fmt.Sprintf. Value is what was given, or "".
func FieldOf(location, value, format string, args ...any) Field {
	return FieldSaid(location, value, phrase.Of(format, args...))
}

// FieldSaid is [FieldOf] with a message that is made already.
func FieldSaid(location, value string, message phrase.Phrase) Field {
	return Field{Location: location, Value: value, Message: message.String(), said: message}
}

// FieldAt is [FieldSaid] of a place that is told in each language, such as a line of a file.
func FieldAt(place phrase.Phrase, value string, message phrase.Phrase) Field {
	f := FieldSaid(place.String(), value, message)
	f.at = place
	return f
}

// At returns the location, to be told in other languages; as it stands where it is a name.
func (f Field) At() phrase.Phrase {
	if f.at.String() == f.Location {
		return f.at
	}
	return phrase.Verbatim(f.Location)
}

// Said returns what the message is made of, so that it can be told in other languages. Of a problem
// that came over the wire it is the message alone, in English.
func (f Field) Said() phrase.Phrase { return saidOr(f.said, f.Message) }

// Phrase returns what [Field.String] says.
func (f Field) Phrase() phrase.Phrase {
	if f.Value == "" {
		return phrase.Of("%s: %s", f.At(), f.Said())
	}
	return phrase.Of("%s %s: %s", f.At(), strconv.QuoteToGraphic(f.Value), f.Said())
}

// String says the field, what was given for it, and what is wrong with that.
func (f Field) String() string {
	if f.Value == "" {
		return f.Location + ": " + f.Message
	}
	return f.Location + " " + strconv.QuoteToGraphic(f.Value) + ": " + f.Message
}

// URNPrefix starts the type URI of every problem; the slug of its Kind follows.
const URNPrefix = "urn:muster:problem:"

// A Problem is one refusal or failure. The zero value is not useful: use New.
// It is not changed after it was returned, so it may be shared between goroutines.
type Problem struct {
	Kind Kind
	// Code names the rule that refused, from the append-only list in package ledger/rules, or ""
	// when the Kind says all.
	Code string
	// Detail is a sentence for the person who caused the problem.
	Detail string
	// Hint says what to do next; it may be empty.
	Hint string
	// Fields lists every field that is wrong, all at once.
	Fields []Field

	said, hinted phrase.Phrase // Detail and Hint
	cause        error
}

// New returns a problem of kind k, its detail formatted as by fmt.Sprintf. With %w the wrapped
// error becomes its cause.
func New(k Kind, format string, args ...any) *Problem {
	err := fmt.Errorf(format, args...)
	return &Problem{Kind: k, Detail: err.Error(), cause: errors.Unwrap(err),
		said: phrase.As(err.Error(), format, args...)}
}

// WithCode returns a copy of p that carries the code of a rule.
func (p *Problem) WithCode(code string) *Problem { q := *p; q.Code = code; return &q }

// WithHint returns a copy of p that says what to do next.
func (p *Problem) WithHint(format string, args ...any) *Problem {
	q := *p
	q.hinted = phrase.Of(format, args...)
	q.Hint = q.hinted.String()
	return &q
}

// In returns a copy of p whose detail names the file that it is about.
func (p *Problem) In(file string) *Problem {
	q := *p
	q.said = phrase.Of("%s: %s", file, p.Said())
	q.Detail = q.said.String()
	return &q
}

// Said returns what the detail is made of, so that it can be told in other languages. Of a problem
// that came over the wire it is the detail alone, in English.
func (p *Problem) Said() phrase.Phrase { return saidOr(p.said, p.Detail) }

// Hinted returns what the hint is made of, as [Problem.Said].
func (p *Problem) Hinted() phrase.Phrase { return saidOr(p.hinted, p.Hint) }

// Phrase returns what [Problem.Error] says.
func (p *Problem) Phrase() phrase.Phrase {
	all := p.Said()
	for i, f := range p.Listed() {
		if i == 0 {
			all = phrase.Of("%s: %s", all, f)
		} else {
			all = phrase.Of("%s; %s", all, f)
		}
	}
	return all
}

// saidOr returns what a text is made of, where it still says that.
func saidOr(said phrase.Phrase, text string) phrase.Phrase {
	if said.String() == text && !said.IsZero() || text == "" {
		return said
	}
	return phrase.English(text)
}

// OfFields returns the problem of a statement or request whose fields are wrong, or nil when there
// are none.
func OfFields(fields []Field) error {
	switch len(fields) {
	case 0:
		return nil
	case 1:
		return OfField(Invalid, fields[0])
	}
	p := New(Invalid, "%d fields are wrong", len(fields))
	p.Fields = fields
	return p
}

// Listed returns the fields that are told below the detail: none where the detail tells the only
// one.
func (p *Problem) Listed() []Field {
	if p == nil || len(p.Fields) == 1 && strings.Contains(p.Detail, p.Fields[0].Message) {
		return nil
	}
	return p.Fields
}

// WithFields returns a copy of p with the fields that are wrong. A single one is told with the
// detail; several are listed below it.
func (p *Problem) WithFields(fields []Field) *Problem {
	q := *p
	q.Fields = fields
	if len(fields) == 1 {
		q.said = phrase.Of("%s: %s", p.Said(), fields[0].Phrase())
		q.Detail = q.said.String()
	}
	return &q
}

// OfField returns the problem of one field that is wrong.
func OfField(k Kind, f Field) *Problem {
	return &Problem{Kind: k, Detail: f.String(), Fields: []Field{f}, said: f.Phrase()}
}

// Error is the detail with all the fields, on one line.
func (p *Problem) Error() string {
	fields := p.Listed()
	if len(fields) == 0 {
		return p.Detail
	}
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.String()
	}
	return p.Detail + ": " + strings.Join(all, "; ")
}

// AllFields returns the fields that are wrong; there are none in a nil problem.
func (p *Problem) AllFields() []Field {
	if p == nil {
		return nil
	}
	return p.Fields
}

// Unwrap returns the error that the problem was made from, if any.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus is the HTTP status; with it huma answers a Problem as it is.
func (p *Problem) GetStatus() int { return p.Kind.Status }

// ContentType turns JSON into problem+json, as RFC 9457 asks.
func (p *Problem) ContentType(ct string) string {
	return strings.Replace(ct, "application/json", "application/problem+json", 1)
}

// Of returns the Problem in err's chain, or nil where there is none.
func Of(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// From returns the Problem in err's chain, or wraps err as an internal one. From(nil) is nil.
func From(err error) *Problem {
	if err == nil {
		return nil
	}
	if p := Of(err); p != nil {
		return p
	}
	return &Problem{Kind: Internal, Detail: err.Error(), cause: err}
}

// Is reports whether err is a problem of kind k.
func Is(err error, k Kind) bool {
	var p *Problem
	return errors.As(err, &p) && p.Kind == k
}
