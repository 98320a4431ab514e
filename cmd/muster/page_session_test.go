package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// signsIn opens a key file on the page of signing in, and presses the button.
func (b *tab) signsIn(key string) {
	b.t.Helper()
	b.wait("document.getElementById('session-key')")
	b.chooseFile("#session-key", key)
	b.wait("!document.getElementById('session-begin').disabled")
	b.click("#session-begin")
}

// listen calls hear with each address that the tab asks for.
func (b *tab) listen(hear func(address string)) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			hear(e.Request.URL)
		}
	}); err != nil {
		b.t.Fatal(err)
	}
}

// newKeyFile makes a key that nobody has admitted.
func newKeyFile(t *testing.T, name string) string {
	t.Helper()
	u := newUser(t)
	u.content(t, "key", "new", name)
	return filepath.Join(u.dir, strings.ReplaceAll(name, "/", "-")+".key")
}

// key returns the file of a key of the demo.
func (c confided) key(name string) string {
	if name == "founder" {
		return filepath.Join(c.dir, "founder.key")
	}
	return filepath.Join(c.dir, "keys", name+"-demo.key")
}

// cookies returns the cookies that the tab has for the server.
func (b *tab) cookies() []*network.Cookie {
	b.t.Helper()
	return call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.url}}).Cookies
}

// has gives the tab a cookie for the server.
func (b *tab) has(token string) {
	b.t.Helper()
	call(b, network.SetCookie, network.SetCookieParams{Name: "__Host-muster", Value: token,
		URL: b.url, Path: "/", Secure: new(true), HTTPOnly: new(true),
		SameSite: network.CookieSameSiteStrict})
}

// posts sends an empty form from the page that the tab shows.
func (b *tab) posts(to string) {
	b.t.Helper()
	eval[bool](b, `(() => {
		const f = document.createElement("form")
		f.method = "post"; f.action = %s; document.body.append(f); f.submit()
		return true
	})()`, quoted(to))
}

// Who may not read a page is asked to sign in, and comes to the page then; who one is stands on
// every page, until one signs out. Then nothing is left of what was shown: going back leads to the
// page of signing in, and drafts are gone.
func TestPageSignIn(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "members")
	b := newTab(t, c.url)
	b.open("/pledges?nation=GBR&lang=en")
	b.says("#said", "for members of the ledger")
	const asked = "/session?lang=en&said=needed&then=%2Fpledges%3Fnation%3DGBR%26lang%3Den"
	if at := b.address(); at != asked {
		t.Errorf("one is asked to sign in at %s", at)
	}
	b.says("main", "Whoever runs this server")
	b.shot("sign-in")
	b.axe()
	b.chooseFile("#session-key", filepath.Join(c.dir, "checkpoint.key"))
	b.says("#session-problem", "")
	b.signsIn(newKeyFile(t, "EST/tallinn"))
	b.says("#session-problem", "no member of this ledger has this key")
	b.shot("sign-in-refused")
	b.axe()
	b.signsIn(c.key("GBR"))
	b.wait("location.pathname === '/pledges'")
	b.says("main", "700,700,700 ships")
	b.says(".who", "GBR/demo")
	b.says("#counted", "released to the United Kingdom")
	if n := eval[int](b, "document.querySelectorAll('#counted a').length"); n > 0 {
		t.Error("one can leave the widest view that one has")
	}
	if told := eval[string](b, "document.cookie"); told != "" {
		t.Errorf("a script reads the cookie: %s", told)
	}
	b.click("nav a[href^='/mine']")
	b.says("h1", "United Kingdom")
	b.says("tr[data-due=condition-open] th", "us")
	b.shot("mine-signed-in")
	b.axe()
	b.open("/session")
	b.says("#who", "national liaison, United Kingdom")
	b.shot("session")
	b.axe()
	b.open("/?view=FRA")
	b.says(".problem", "GBR/demo may ask for")
	b.open("/submit")
	b.wait("document.querySelector('form[data-kept]')")
	b.fill("#f-note", "a draft")
	b.keepsOfAnother()
	b.open("/pledges/" + c.id)
	b.says("main", "hush-hush")
	b.click(".who button")
	b.says("#said", "You have signed out.")
	b.axe()
	if left := b.cookies(); len(left) > 0 {
		t.Errorf("a cookie is left: %v", left)
	}
	b.keptOfAnother()
	b.backTellsNothing(c, 3)
}

// keepsOfAnother has the browser keep for another ledger what it keeps for this one, and of both a
// signed note, by the name that older pages have given those of all ledgers.
func (b *tab) keepsOfAnother() {
	b.t.Helper()
	b.fill("#heading", "FGC 5")
	eval[bool](b, `(() => {
		const origin = document.querySelector(".whose code").textContent, another = "other.example"
		for (const store of [localStorage, sessionStorage]) {
			for (const [name, value] of Object.entries(store)) {
				store.setItem(name.replace(origin, another), value)
			}
		}
		const note = (ledger) => JSON.stringify({ ledger }) + "\n\n— FRA/paris AAAA\n"
		sessionStorage.setItem("muster.note-kept", JSON.stringify([note(origin), note(another)]))
		localStorage.setItem("muster.draft pledge.offered", "{}")
		return true
	})()`)
}

// keptOfAnother looks at what is left of that after signing out: what is of the other ledger.
func (b *tab) keptOfAnother() {
	b.t.Helper()
	names := eval[[]string](b, "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
	for _, name := range names {
		if name != "muster.note-kept" && !strings.Contains(name, "other.example") {
			b.t.Errorf("the browser keeps %q", name)
		}
	}
	if len(names) != 3 {
		b.t.Errorf("the browser keeps %q, not a draft, a heading and a note", names)
	}
	notes := eval[[]string](b, `JSON.parse(sessionStorage.getItem("muster.note-kept") ?? "[]")`)
	if len(notes) != 1 || !strings.HasPrefix(notes[0], `{"ledger":"other.example"}`) {
		b.t.Errorf("of the signed notes it keeps %q", notes)
	}
}

// backTellsNothing goes back so many pages after signing out, and finds nothing of the secret where
// nobody may read without signing in.
func (b *tab) backTellsNothing(c confided, pages int) {
	b.t.Helper()
	for range pages {
		eval[bool](b, "history.back(), true")
		b.wait("location.pathname !== '/session' || document.getElementById('sign-in')")
		b.wait("document.readyState === 'complete' && document.getElementById('sign-in')")
		page := strings.ReplaceAll(eval[string](b, "document.documentElement.outerHTML"),
			"/pledges/"+c.id, "") // where one was, which is in the address that one comes back to
		if told := c.told(strings.ReplaceAll(page, "%2Fpledges%2F"+c.id, "")); told != nil {
			b.t.Fatalf("going back shows %q", told)
		}
	}
}

// A liaison lands on the page of its country, and a coordinator on the coverage. Without JavaScript
// the page says how the program does it, and signing out works.
func TestPageSignInLands(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "released")
	b := newTab(t, c.url, narrow)
	b.open("/")
	b.says("#counted", "released to everybody")
	b.click(".who a")
	b.says("main", "only what is released to everybody can be read here")
	b.shot("sign-in-narrow")
	b.signsIn(c.key("GBR"))
	b.says("h1", "United Kingdom")
	b.shot("mine-signed-in-narrow")
	b.axe()
	b.click(".who a")
	b.click("main a[href^='/feeds']")
	b.says("main", "You have no feed")
	b.click("#feed-form button")
	b.says("#made", "/due.ics")
	b.says("table", "United Kingdom")
	b.fits()
	b.shot("feeds-narrow")
	b.axe()
	b.click(".who button")
	b.says("#said", "signed out")
	b.open("/session?lang=fr")
	b.shot("sign-in-fr")
	b.axe()
	b.signsIn(c.key("founder"))
	b.says("h1", "Couverture")
	b.says(".who", "HQ/founder")
	b.says(".foot", "Compté\u00a0: tout")
	b.fill("#view", "coalition")
	b.says("#counted", "la coalition")
	b.open("/verify?view=coalition&lang=fr")
	b.says("main", "il contrôle la place dans l’arbre, et rien d’autre.")
	b.axe()
	if said := b.commands(t, c.key("founder"), []string{" --view coalition", " --key KEY.key"},
		nil); strings.Count(said, "could not be read in the view coalition") != 2 {
		t.Errorf("the commands are not of the view: %s", said)
	}
	b.open("/verify?lang=en")
	b.says("main", "KEY.key is the key file with which you have signed in")
	if said := b.commands(t, c.key("founder"), []string{" --key KEY.key"},
		[]string{"--view"}); strings.Contains(said, "could not be read") {
		t.Errorf("the commands do not read what the reader does: %s", said)
	}

	still := newTab(t, c.url, noScript, dark)
	still.open("/session")
	still.says(".nojs", "muster session --key KEY.key --url "+c.url)
	still.shot("sign-in-noscript")
	still.has(b.cookies()[0].Value)
	still.open("/pledges/" + c.id)
	still.says("main", "hush-hush")
	b.open("/pledges?operation=mnf-u")
	b.click("tbody tr:nth-child(1) [name=pledge]")
	still.click(".who button")
	still.says("#said", "You have signed out.")
	b.says("#said", "Your session has ended")

	// What was ticked is ticked again, and what was filled in is kept.
	b.signsIn(c.key("founder"))
	b.says("#choose", "Ticked: 1")
	b.click("#choose [value='pledge.accepted']")
	b.says(".sum", "Accept: 1 statement")
	still.has(b.cookies()[0].Value)
	still.open("/session")
	still.click(".who button")
	still.says("#said", "You have signed out.")
	b.fill("#d-reason", "as agreed")
	b.click("#desk-form button")
	b.says("#again", "nothing that you filled in is lost")
	b.says("#kept", "as agreed")
	b.shot("again")
	b.axe()
	other := newTab(t, c.url)
	other.open("/session")
	other.signsIn(c.key("founder"))
	other.says(".who", "HQ/founder")
	b.has(other.cookies()[0].Value)
	b.click("main .primary")
	b.says("#review-title", "What you sign")
	b.wait("document.querySelector('pre').textContent.includes('as agreed')")
}

// Somebody whose key is revoked while a page is open is shown nothing more.
func TestPageSessionEnds(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "released")
	b := newTab(t, c.url)
	b.open("/session?then=%2Flog")
	b.signsIn(c.key("GBR"))
	b.says("#r57", "secret-vote")
	u := newUser(t)
	u.content(t, "member", "revoke", c.key("GBR"), "--reason", "lost", "--key", c.key("founder"),
		"--url", c.url)
	b.says("#said", "Your session has ended")
	if left := b.cookies(); len(left) > 0 {
		t.Errorf("a cookie is left: %v", left)
	}
	if at := b.address(); at != "/session?said=ended&then=%2Flog" {
		t.Errorf("one is asked to sign in at %s", at)
	}
	b.open("/pledges/" + c.id)
	b.says("main", "There is no such thing.")
}

// Signing in leads to no other server.
func TestPageSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "members")
	for _, then := range []string{"//evil.example", "https://evil.example/", `/\evil.example`,
		`\\evil.example`, "/\t/evil.example", "evil.example", "javascript:alert(1)",
		"/%0a//evil.example\n"} {
		status, page := get(t, c.url+"/session?then="+url.QueryEscape(then))
		if status != 422 || strings.Contains(page, "evil.example") ||
			strings.Contains(page, "data-then=") {
			t.Errorf("%q: %d\n%.2000s", then, status, page)
		}
	}
	for _, path := range []string{"/pledges?nation=FRA", "//evil.example", "/nothing",
		"/log?token=x"} {
		req, _ := http.NewRequest("GET", c.url, nil)
		req.URL.Opaque = path
		resp, err := staying.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		to, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || to.Host != "" || strings.HasPrefix(to.Query().Get("then"), "//") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
}

// An attacker is another origin, on a host of its own and on another port of the server's own host,
// where browsers send the cookie along.
func attackers(t *testing.T) (all []string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>elsewhere</title><p>elsewhere")
	}))
	t.Cleanup(s.Close)
	return []string{strings.Replace(s.URL, "127.0.0.1", "localhost", 1), s.URL}
}

// What others try with the browser of somebody who is signed in: to fix the cookie, to have it say
// or end something, and to read what it reads. No address has the token in it.
func TestPageSessionThreats(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "released")
	b := newTab(t, c.url)
	fixed := strings.Repeat("A", 43)
	b.has(fixed)
	var mu sync.Mutex
	var asked []string
	b.listen(func(address string) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, address)
	})
	b.open("/pledges")
	b.says("#said", "Your session has ended")
	b.signsIn(c.key("GBR"))
	b.says("main", "700,700,700 ships")
	all := b.cookies()
	if len(all) != 1 || all[0].Value == fixed || !all[0].HTTPOnly || !all[0].Secure ||
		all[0].SameSite != network.CookieSameSiteStrict || all[0].Path != "/" ||
		all[0].Name != "__Host-muster" {
		t.Fatalf("the cookie is %+v", all)
	}
	token := all[0].Value
	for _, from := range attackers(t) {
		b.open(from + "/") // a link from elsewhere is followed without the cookie, which is noticed
		eval[bool](b, `(() => {
			const a = document.createElement("a")
			a.href = %s; document.body.append(a); a.click()
			return true
		})()`, quoted(c.url+"/pledges/"+c.id))
		b.says(".who", "GBR/demo")
		b.says("main", "hush-hush")
		b.open(from + "/")
		b.says("p", "elsewhere")
		tries := eval[[]string](b, attack, c.url, c.id)
		if want := slices.Repeat([]string{"refused"}, len(tries)); !slices.Equal(tries, want) {
			t.Errorf("%s has done: %q", from, tries)
		}
		for _, form := range []string{"/session", "/submit", "/verify", "/api/v1/session",
			"/api/v1/statements"} {
			b.open(from + "/")
			b.posts(c.url + form)
			b.wait("location.origin !== %s && document.readyState === 'complete'", quoted(from))
			if said := eval[string](b, "document.documentElement.outerHTML"); c.told(said) != nil {
				t.Errorf("%s posts a form to %s and tells %q", from, form, c.told(said))
			}
		}
		b.open("/pledges/" + c.id)
		b.says(".who", "GBR/demo") // nobody has signed it out
	}
	b.mu.Lock()
	b.said = nil // the browser tells on the console what it has refused elsewhere
	b.mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
	for _, address := range asked {
		if strings.Contains(address, token) {
			t.Errorf("the token is in an address: %s", address)
		}
	}
	for _, name := range []string{"token", "session"} {
		if status, _ := get(t, c.url+"/pledges?"+name+"="+token); status != 400 {
			t.Errorf("a page takes %s in its address: %d", name, status)
		}
	}
}

// attack is what a page from elsewhere tries: of each, whether it was refused.
const attack = `(async (server, id) => {
	const refused = (p) => p.then(() => "done", () => "refused")
	const loads = (tag, name, path) => new Promise((done) => {
		const e = document.createElement(tag)
		e.onload = () => done("done " + tag + " " + path); e.onerror = () => done("refused")
		e[name] = server + path
		document.body.append(e)
	})
	const all = { credentials: "include" }
	return [
		await refused(fetch(server + "/pledges/" + id, all)),
		await refused(fetch(server + "/api/v1/pledges/" + id, all)),
		await refused(fetch(server + "/api/v1/pledges.csv", all)),
		await refused(fetch(server + "/api/v1/session", { ...all, method: "DELETE" })),
		await refused(fetch(server + "/api/v1/session",
			{ ...all, method: "POST", headers: { "Muster-Cookie": "1" } })),
		await loads("script", "src", "/api/v1/coverage"),
		await loads("script", "src", "/static/muster.js"),
		await loads("img", "src", "/static/muster.svg"),
		await loads("img", "src", "/pledges/" + id),
	]
})(%q, %q)`

// A proxy that takes headers away makes nobody another: without the cookie one has not signed in,
// and without what tells where a request is from, the cookie is still not sent from elsewhere.
func TestPageSessionBehindStrippingProxy(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "released")
	b := newTab(t, c.url)
	b.open("/session")
	b.signsIn(c.key("GBR"))
	b.says("h1", "United Kingdom")
	b.open(stripping(t, c.url, "Cookie") + "/pledges/" + c.id)
	b.says("main", "There is no such thing.")
	b.says(".who", "Sign in")
	blind := stripping(t, c.url, "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Origin")
	b.open(attackers(t)[0] + "/")
	b.posts(blind + "/session")
	b.wait("location.origin === %s && document.readyState === 'complete'", quoted(blind))
	b.says(".who", "GBR/demo") // whom the page finds by itself, and then shows itself anew
	b.open("/pledges/" + c.id)
	b.says(".who", "GBR/demo")
}

// stripping is a proxy that takes headers of requests away.
func stripping(t *testing.T, server string, names ...string) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		for _, name := range names {
			r.Out.Header.Del(name)
		}
	}})
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// Answers to somebody who is signed in are kept by nobody, signing out has the browser forget, and
// a page from elsewhere can load nothing.
func TestSessionHeaders(t *testing.T) {
	t.Parallel()
	c := newRestricted(t, "released")
	b := newTab(t, c.url)
	b.open("/session")
	b.signsIn(c.key("GBR"))
	b.says("h1", "United Kingdom")
	asks := func(method, path string) http.Header {
		t.Helper()
		req, err := http.NewRequest(method, c.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", "__Host-muster="+b.cookies()[0].Value)
		resp, err := staying.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header
	}
	for _, path := range []string{"/", "/mine", "/session", "/log", "/nothing",
		"/pledges/" + c.id} {
		if h := asks("GET", path); h.Get("Cache-Control") != "no-store" ||
			!strings.Contains(strings.Join(h.Values("Vary"), ", "), "Cookie") {
			t.Errorf("%s: %s, Vary: %s", path, h.Get("Cache-Control"), h.Values("Vary"))
		}
	}
	h := asks("POST", "/session")
	if gone := h.Get("Set-Cookie"); h.Get("Clear-Site-Data") != `"cache"` ||
		!strings.HasPrefix(gone, "__Host-muster=; ") || !strings.Contains(gone, "Max-Age=0") {
		t.Errorf("signing out says %v", h)
	}
	for _, path := range []string{"/", "/mine", "/session", "/api/v1/coverage",
		"/api/v1/pledges.csv",
		"/api/v1/session", "/checkpoint", "/static/muster.js", "/docs", "/nothing"} {
		resp, err := http.Get(c.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: others may read it: %s", path, got)
		}
	}
}
