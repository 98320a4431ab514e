package server

import (
	"encoding/json"
	"html"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"muster/projections/access"
	"muster/projections/web"
)

// Everything that somebody can come to below a base, as nobody and as somebody who has signed in,
// leads to what is below it: each address in a page, each header, and what documents say of where
// the server is.
func TestNothingLeavesTheBase(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other: the run without the race detector does it")
	}
	c := newConfidence(t, Config{Base: "/muster", Read: access.ReadMembers})
	walk := walker{confidence: c, seen: map[string]bool{}}
	walk.from(append(c.reached(), "GET /", "GET /tile", "GET /pledges?nation=",
		"GET /session?said=out", "GET /api/v1/records.csv?limit=1", "GET /api/v1/nowhere"))
	cookie := web.Base("/muster").CookieName() + "=" + c.signIn("HQ/founder")
	walk.seen = map[string]bool{}
	walk.headers = []string{"Cookie", cookie, "Accept", "text/html"}
	walk.from([]string{"GET /", "GET /pledges?nation=", "GET /no-such-page",
		"GET /api/v1/records.csv?limit=1"})
	if len(walk.seen) < 60 {
		t.Errorf("the walk came to %d addresses alone", len(walk.seen))
	}
	if walk.links == 0 || walk.linked == 0 {
		t.Errorf("it saw %d addresses in pages, and %d in headers", walk.links, walk.linked)
	}
}

// A walker follows what it is shown.
type walker struct {
	*confidence
	headers       []string
	seen          map[string]bool
	links, linked int // what it saw in pages, and in headers
}

// maxWalk bounds a walk: pages lead to others of their kind without end.
const maxWalk = 250

var (
	attribute  = regexp.MustCompile(`[\w:-]+="(/[^"]*)"`)
	aHash      = regexp.MustCompile(`^[A-Za-z0-9+/]{43}=$`) // which may begin as an address does
	headerLink = regexp.MustCompile(`^<([^>]*)>`)
	cookiePath = regexp.MustCompile(`Path=([^;]*)`)
)

func (w *walker) from(queue []string) {
	for ; len(queue) > 0 && len(w.seen) < maxWalk; queue = queue[1:] {
		if _, at, _ := strings.Cut(queue[0], " "); w.seen[kindOf(at)] {
			continue
		} else if strings.HasPrefix(queue[0], "GET") {
			w.seen[kindOf(at)] = true
		}
		rec, _ := w.serve(queue[0], w.headers...)
		for _, name := range []string{"Location", "Hx-Redirect", "Link", "Content-Location"} {
			for _, to := range rec.Header().Values(name) {
				if m := headerLink.FindStringSubmatch(to); m != nil {
					to = m[1]
				}
				w.linked++
				w.holds(queue[0], name, to)
			}
		}
		for _, set := range rec.Header().Values("Set-Cookie") {
			if m := cookiePath.FindStringSubmatch(set); m == nil || m[1] != "/muster" {
				w.t.Errorf("%s sets the cookie %s", queue[0], set)
			}
		}
		text := rec.Body.String()
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			for _, m := range attribute.FindAllStringSubmatch(text, -1) {
				to := html.UnescapeString(m[1])
				if aHash.MatchString(to) {
					continue
				}
				w.links++
				if w.holds(queue[0], m[0], to) {
					queue = append(queue, "GET "+strings.TrimPrefix(to, "/muster"))
				}
			}
		}
		host := "http://" + w.listener.Addr().String()
		for _, part := range strings.Split(text, host)[1:] {
			if !strings.HasPrefix(part, "/muster") {
				w.t.Errorf("%s says the server is at %s%.40s", queue[0], host, part)
			}
		}
	}
}

// holds reports whether an address is below the base, with what it leads back to.
func (w *walker) holds(does, where, to string) bool {
	u, err := url.Parse(to)
	then := ""
	if err == nil {
		then = u.Query().Get("then")
	}
	if err != nil || !strings.HasPrefix(u.Path, "/muster/") ||
		then != "" && !strings.HasPrefix(then, "/muster/") {
		w.t.Errorf("%s leads out of the base: %s %s", does, where, to)
		return false
	}
	return true
}

// kindOf is an address without the values of its parameters.
func kindOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	names := u.Path
	for _, name := range []string{"open", "show", "type", "view", "said", "then", "lang"} {
		if u.Query().Has(name) {
			names += " " + name
		}
	}
	return names
}

// Outside of the base nothing is answered, and what is written otherwise than as a path below it
// leads to it.
func TestOutsideOfTheBase(t *testing.T) {
	c := newConfidence(t, Config{Base: "/muster", Hosts: []string{"muster.example"}})
	ask := func(at string) answered {
		t.Helper()
		resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}).Get("http://" + c.listener.Addr().String() + at)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return answered{Response: resp}
	}
	for _, at := range []string{"/", "/healthz", "/api/v1/ledger", "/musters", "/static/muster.js",
		"/muster/../healthz", "/muster/%2e%2e/healthz"} {
		if a := ask(at); a.StatusCode != http.StatusNotFound ||
			a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is answered: %s %v", at, a.Status, a.Header)
		}
	}
	for at, to := range map[string]string{"/muster": "/muster/", "//muster/log": "/muster/log",
		"/muster//log?from=2": "/muster/log?from=2", "/muster/./": "/muster/"} {
		if a := ask(at); a.StatusCode != http.StatusTemporaryRedirect ||
			a.Header.Get("Location") != to {
			t.Errorf("%s leads to %q: %s", at, a.Header.Get("Location"), a.Status)
		}
	}
	for _, at := range []string{"/muster%2flog", "/muster%2Flog", "/%6duster/log",
		"/%6duster%2flog"} {
		if a := ask(at); a.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %q: %s", at, a.Header.Get("Location"), a.Status)
		}
	}
	for _, then := range []string{"/log", "/musters", "/muster/../log", "/muster/%2e%2e/log"} {
		if a := c.ask("GET", "/session?then="+url.QueryEscape(then), ""); a.StatusCode !=
			http.StatusUnprocessableEntity {
			t.Errorf("signing in leads to %s: %s", then, a.Status)
		}
	}
	if a := c.ask("GET", "/log", "", "Host", "other.example"); a.StatusCode !=
		http.StatusMisdirectedRequest {
		t.Errorf("another host is answered: %s", a.Status)
	}
}

// A session is one of the base alone: its cookie is sent nowhere else, and what other servers of
// the same host know by another name is no token here. The document of the API says the same.
func TestSessionBelowTheBase(t *testing.T) {
	c := newConfidence(t, Config{Base: "/muster", Read: access.ReadMembers})
	a := c.ask("POST", "/api/v1/session", c.note("FRA/paris", c.address()),
		"Content-Type", "text/plain", "Muster-Cookie", "1")
	if len(a.Cookies()) != 1 {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	set := a.Cookies()[0]
	if set.Name != "__Secure-muster" || set.Path != "/muster" || set.Domain != "" ||
		!set.Secure || !set.HttpOnly || set.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %s", set.Raw)
	}
	if a := c.ask("GET", "/mine", "", "Cookie", set.Name+"="+set.Value); a.StatusCode != 200 {
		t.Errorf("the cookie is not taken: %s", a.Status)
	}
	if a := c.ask("GET", "/mine", "", "Cookie", "__Host-muster="+set.Value); a.StatusCode == 200 {
		t.Error("a cookie of the whole host is taken")
	}
	var document struct {
		Servers    []struct{ URL string }
		Components struct {
			SecuritySchemes map[string]struct{ Name string }
		}
	}
	text := c.ask("GET", "/openapi.json", "").body
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	if s := document.Servers; len(s) != 1 || s[0].URL != "/muster" {
		t.Errorf("the document is of the servers %+v", s)
	}
	if name := document.Components.SecuritySchemes["cookie"].Name; name != set.Name {
		t.Errorf("the document's cookie is %q", name)
	}
}

// The scripts of the pages know of the server what their own address tells: none has a path of it
// that begins at the host.
func TestScriptsStayBelowTheBase(t *testing.T) {
	dir := os.DirFS("../../../projections/web/page/static")
	names, err := fs.Glob(dir, "*.js")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	rooted := regexp.MustCompile("[\"'`]/[a-z][^\"'`]*")
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "htmx") {
			continue
		}
		for _, found := range rooted.FindAllString(string(text), -1) {
			t.Errorf("%s begins at the host: %s", path.Base(name), found)
		}
	}
}
