package access

import (
	"context"
	"slices"
	"time"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// A Reading says who may read what on a server.
type Reading string

// What a server can be told.
const (
	// ReadOpen lets whoever reaches the server read all.
	ReadOpen Reading = "open"
	// ReadReleased shows the view of the public to those who have not signed in, and each member
	// its own.
	ReadReleased Reading = "released"
	// ReadMembers shows nothing to those who have not signed in, but what proves that the ledger
	// was not changed.
	ReadMembers Reading = "members"
)

// ParseReading reads it as somebody writes it, and false where it is none.
func ParseReading(text string) (Reading, bool) {
	switch r := Reading(text); r {
	case ReadOpen, ReadReleased, ReadMembers:
		return r, true
	}
	return "", false
}

// A Reader is somebody who asks. The zero Reader has not signed in.
type Reader struct {
	// Key is the member's, "" for who has not signed in.
	Key events.Key
	// Role is what it was admitted as.
	Role events.MemberRole
	// View is the widest that it may ask for.
	View events.View
	// Until is when its session ends at the latest.
	Until time.Time
}

// SignedIn reports whether it is known who asks.
func (r Reader) SignedIn() bool { return r.Key != "" }

type readerKey struct{}

// WithReader returns a context in which the reader asks.
func WithReader(ctx context.Context, r Reader) context.Context {
	NoteReader(ctx, r)
	return context.WithValue(ctx, readerKey{}, r)
}

// ReaderOf returns who asks in a context.
func ReaderOf(ctx context.Context) Reader {
	r, _ := ctx.Value(readerKey{}).(Reader)
	return r
}

// Widest returns the widest view that a reader may ask for, or the problem that it may ask for none
// before it has signed in.
func (reading Reading) Widest(r Reader) (events.View, error) {
	switch {
	case reading == ReadOpen:
		return events.CoordinatorsView, nil
	case r.SignedIn():
		return r.View, nil
	case reading == ReadReleased:
		return events.PublicView, nil
	}
	return "", problem.New(problem.SignedOut, "this server is read by members of the ledger alone").
		WithHint("sign in: with --key FILE on the command line, and in the browser on the page " +
			"Sign in")
}

// Choose returns the view in which a reader is answered: the one that it asks for, which may be no
// wider than its widest; without one, its widest.
func (reading Reading) Choose(r Reader, asked events.View) (events.View, error) {
	widest, err := reading.Widest(r)
	switch {
	case err != nil:
		return "", err
	case asked == "":
		return widest, nil
	case asked.Within(widest):
		return asked, nil
	}
	who := phrase.Of("who has not signed in")
	if r.SignedIn() {
		who = phrase.Verbatim(r.Key.Name())
	}
	return "", problem.OfField(problem.NotReadable, problem.FieldOf("view",
		string(asked), "%s may ask for %s: leave it out, or sign in with a key that may read it",
		who, phrase.List(phrase.And, Narrower(widest)...)))
}

// Narrower returns the views that are within one, which is first. Within the coordinators' are all
// nations', too, which are not listed.
func Narrower(widest events.View) (all []events.View) {
	for _, v := range []events.View{widest, events.CoalitionView, events.PublicView} {
		if v.Within(widest) && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}
