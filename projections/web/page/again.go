package page

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/events/problem"
	"muster/projections/web"
)

// A form that is sent after its session has ended is answered by nobody's leave: what the public
// may read would be told as if it were the sender's own, and what was filled in would be gone. The
// page Again says so instead, and keeps all of the form, to be sent once more.

// An againPage keeps a form until its sender has signed in again.
type againPage struct {
	*frame
	// Action is where the form was sent, and Sent all that it says.
	Action string
	Sent   []hidden
}

// againKind is that page, which no address leads to.
var againKind = pageKind{Name: "again"}

// whoField is the unseen field in which a form names the key of whom it was shown to.
const whoField = "who"

// errEnded is told to whoever sends a form as somebody who has not signed in any more.
var errEnded = problem.New(problem.SignedOut, "the session has ended").WithCode(web.SessionEnded)

// hasGone reports whether a form was shown to somebody who has signed in, and comes from nobody.
func (f *frame) hasGone(who string) bool {
	return who != "" && f.CanSignIn() && !f.IsOpen() && !f.Who().SignedIn()
}

// keepForm answers a form whose session has ended with all that it says, and reports whether a
// form was sent.
func (p *Pages) keepForm(w http.ResponseWriter, r *http.Request) bool {
	base := web.BaseOf(r.Context())
	at := string(base) + r.URL.RequestURI()
	if r.Method != http.MethodPost || !slices.Contains([]string{"/desk", "/submit"}, r.URL.Path) ||
		!isOwnPath(base, at) {
		return false
	}
	bare := r.Clone(r.Context())
	bare.URL = &url.URL{Path: "/",
		RawQuery: url.Values{"lang": {p.words.speakerFor(r).Lang}}.Encode()}
	f, _ := p.frame(bare, againKind, url.Values{"lang": {p.words.speakerFor(r).Lang}})
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	form, err := readForm(f, r)
	if err != nil {
		return false
	}
	kept := &againPage{frame: f, Action: at}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			kept.Sent = append(kept.Sent, hidden{name, value})
		}
	}
	p.write(w, f, http.StatusUnauthorized, againKind.Name, kept)
	return true
}

// Filled is what somebody has filled in or ticked.
func (a *againPage) Filled() (all []hidden) {
	for _, one := range a.Sent {
		if strings.TrimSpace(one.Value) != "" && !slices.Contains(words(
			"id after seen_size seen_root "+whoField), one.Name) {
			all = append(all, one)
		}
	}
	return all
}
