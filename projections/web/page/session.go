package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/web"
)

// The page on which one signs in and out. The note is signed in the browser (static/session.js)
// with a key that this server never sees; the browser then has a cookie that no script can read.

// A sessionPage says who one is, and lets one sign in or out.
type sessionPage struct {
	*frame
	// Said is why one is here, among the words of session.said; "" where one came by oneself.
	Said string
	// Then is where one wanted to go, a path of this server; "" for nowhere.
	Then string
	// View is the widest that may be asked for, "" where nothing may be read.
	View events.View
}

// saids are the reasons to be on the page of signing in.
var saids = []string{"needed", "ended", "out"}

// session answers the page of signing in. It has nothing of the ledger in it.
func (p *Pages) session(f *frame) (any, error) {
	s := &sessionPage{frame: f, Said: f.Get("said"), Then: f.Get("then"), View: f.own()}
	if s.Said != "" && !slices.Contains(saids, s.Said) {
		return nil, f.oneOf("said", s.Said, strings.Join(saids, ", "))
	}
	if s.Then != "" && !isOwnPath(f.base, s.Then) {
		f.values.Del("then") // no link on the page repeats it
		return nil, f.ofFields(problem.Invalid,
			[]problem.Field{f.field("then", "", "problem.then")})
	}
	return s, nil
}

// isOwnPath reports whether an address is one of this server's, whichever it is: a path below its
// base, and nothing that a browser could take for another host.
func isOwnPath(base web.Base, address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && u.Opaque == "" &&
		base.Holds(u.Path) &&
		strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") &&
		!strings.ContainsAny(address, "\\\uFFFD") // the latter in the place of control characters
}

// serveSignOut ends the session, and has the browser forget the pages that it has shown.
func (p *Pages) serveSignOut(w http.ResponseWriter, r *http.Request) {
	p.Service.SignOut(w, r)
	to := url.Values{"said": {"out"}}
	if lang := r.URL.Query().Get("lang"); lang != "" {
		to.Set("lang", p.words.speakerFor(r).Lang)
	}
	http.Redirect(w, r, signInAt(r, to), http.StatusSeeOther)
}

// signInAt is the address of the page on which one signs in.
func signInAt(r *http.Request, with url.Values) string {
	return string(web.BaseOf(r.Context())) + web.SignInPath + "?" + with.Encode()
}

// askToSignIn leads to the page of signing in, from where one comes back. What was filled in stays.
func (p *Pages) askToSignIn(w http.ResponseWriter, r *http.Request, why *problem.Problem) {
	if p.keepForm(w, r) {
		return
	}
	to := url.Values{"said": {"needed"}}
	if why.Code == web.SessionEnded {
		to.Set("said", "ended")
	}
	base := web.BaseOf(r.Context())
	if at := r.URL.RequestURI(); at != "/" && isOwnPath(base, string(base)+at) {
		to.Set("then", string(base)+at)
	}
	if r.URL.Query().Has("lang") {
		to.Set("lang", p.words.speakerFor(r).Lang)
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("HX-Request") == "true" { // a script that would put the answer into its page
		w.Header().Set("HX-Redirect", signInAt(r, to))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, signInAt(r, to), http.StatusSeeOther)
}

// Who is who looks at the page.
func (f *frame) Who() access.Reader { return access.ReaderOf(f.ctx) }

// CanSignIn reports whether one can sign in to this server.
func (f *frame) CanSignIn() bool { return f.pages.Service.Sessions != nil }

// SignIn is where one signs in, and comes back from.
func (f *frame) SignIn() any {
	here := string(f.Here("lang", ""))
	if f.Kind.Name == "session" || f.Kind.path == "" || here == f.Path("/") {
		here = ""
	}
	return f.address(web.SignInPath, f.only("lang"), []any{"then", here, "view", ""})
}

// SignOut is where the form of signing out leads.
func (f *frame) SignOut() any {
	return f.address(web.SignInPath, f.only("lang"), []any{"view", ""})
}

// Minute writes a time to the minute.
func (f *frame) Minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Reading is who may read what on this server.
func (f *frame) Reading() access.Reading { return f.pages.Service.Reads }

// Origin names the ledger, which its checkpoints tell everybody who can sign in.
func (f *frame) Origin() events.Origin {
	if f.CanSignIn() {
		return f.pages.Service.Sessions.Origin
	}
	return f.Ledger.Origin
}

// Server is this server's address, as commands are given it.
func (f *frame) Server() string { return web.ReachedAt(f.request) }

// Party is the nation of the key, "" for the coordinators.
func (s *sessionPage) Party() events.Nation { return s.nationality() }

// MayRead says what somebody who has signed in may read.
func (s *sessionPage) MayRead() string {
	switch {
	case s.IsOpen():
		return s.T("session.may.all")
	case s.View == events.CoordinatorsView:
		return s.T("session.may.coordinators")
	}
	return s.T("session.may.released", s.ViewName(s.View))
}

// MayBeKnown reports whether somebody could have signed in who does not seem to: a browser leaves
// the cookie out when a link from elsewhere has led here.
func (f *frame) MayBeKnown() bool {
	return f.CanSignIn() && !f.IsOpen() && !f.Who().SignedIn() && f.HasClocks()
}
