package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"muster/ledger/intake"
)

// After a fault nobody knows whether a statement is recorded: the page does not say that nothing
// was, keeps what was signed, and sends the same bytes again, which count once. What the ledger
// itself refuses is refused.
func TestPageFaultAfterTheRecord(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	var instead atomic.Pointer[http.HandlerFunc]
	other := serving(t, filepath.Join(t.TempDir(), "other"), "--base-path", "/other", "--origin",
		"other.example/ledger")
	b := newTab(t, faulty(t, url, other.url, &instead))
	fault := func(status int, contentType, body string) *http.HandlerFunc {
		f := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
		return &f
	}
	const told = `{"type":"urn:muster:problem:unavailable","detail":"the ledger is away"}`
	lost := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	offerByForm(b, "9")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "FRA-demo.key"))
	for _, one := range []struct {
		instead *http.HandlerFunc
		says    string
	}{
		{fault(502, "text/html", "<h1>Bad Gateway</h1>"), "answered with a fault (502)"},
		{fault(503, "application/problem+json", told), "the ledger is away"},
		{fault(500, "application/json", `{}`), "answered with a fault (500)"},
		{fault(404, "text/html", "<p>"), "answered with a fault (404)"},
		{fault(200, "text/html", "<p>welcome"), "does not prove it"},
		{&lost, "No answer from the server"},
	} {
		instead.Store(one.instead)
		b.wait("!document.getElementById('sign-send').disabled")
		b.click("#sign-send")
		b.says("#sign-problem", one.says)
		b.says("#sign-problem", "It is not known whether it was recorded.")
		b.says("#sign-problem", "press again")
		if said := b.text("#content"); strings.Contains(said, "Nothing was recorded") ||
			strings.Contains(said, "Recorded as record") {
			t.Errorf("%s: the page says\n%s", one.says, said)
		}
	}
	b.shot("submit-fault")
	b.axe()
	note := filepath.Join(t.TempDir(), "kept.note")
	b.download("#signed-note", note)
	if out, _ := newUser(t).content(t, "submit", note, "--url", url); !strings.Contains(out,
		"recorded before") {
		t.Errorf("the statement that was kept is recorded as\n%s", out)
	}
	instead.Store(nil)
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record 56")
	b.says("#sign-done", "It was recorded before")
	if eval[string](b, "document.getElementById('sign-problem').textContent") != "" {
		t.Error("what was not known is still said")
	}

	// On the desk, too, what was signed stays to be saved when the form is shown again.
	instead.Store(&lost)
	b.open("/pledges/" + pledgeOf(t, url, "GBR", "air"))
	b.click(".acts [value='pledge.accepted']")
	b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-problem", "No answer from the server")
	b.fill("#d-reason", "as agreed")
	eval[bool](b, "window.before = true")
	b.click("#desk-form button")
	b.wait("!window.before") // the form is shown again
	b.says("#kept-notes", "it is not known whether they are recorded")
	b.axe()
	b.download("#kept-notes a", note)
	if out, _ := newUser(t).content(t, "submit", note, "--url", url); !strings.Contains(out,
		"recorded before") {
		t.Errorf("the statement of the desk is recorded as\n%s", out)
	}
	b.besideAnother(note)
	instead.Store(nil)
	faultInABatch(b, url, dir, &instead)
	other.stop(t)
}

// faultInABatch signs several statements at once, which go in one request: where it is not
// answered, what became of each is unknown, and sent again they count once. What the ledger refuses
// of them is told at its row, in the language of the page.
func faultInABatch(b *tab, url, dir string, instead *atomic.Pointer[http.HandlerFunc]) {
	b.t.Helper()
	var asked atomic.Bool
	lost := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(true)
		if r.URL.Path != intake.BatchPath {
			b.t.Errorf("several statements are sent to %s", r.URL.Path)
		}
		panic(http.ErrAbortHandler)
	})
	declined := pledgeOf(b.t, url, "FRA", "ground")
	b.open("/pledges?operation=mnf-u&lang=fr&on=2190-01-01")
	b.click("[data-all=pledge]")
	b.click("#choose [value='pledge.accepted']")
	b.says(".sum", "Accepter")
	all := eval[int](b, "document.querySelectorAll('tr[data-say]').length")
	newUser(b.t).content(b.t, "pledge", "decline", declined, "--reason", "as agreed", "--url", url,
		"--key", filepath.Join(dir, "founder.key"))
	instead.Store((*http.HandlerFunc)(&lost))
	b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-problem", "Pas de réponse")
	count := func(state string) int {
		return eval[int](b, "document.querySelectorAll('tr[data-became=%s]').length", state)
	}
	if unknown := count("unknown"); unknown != all || !asked.Load() || all < 3 {
		b.t.Errorf("of %d statements %d are not known to be recorded", all, unknown)
	}
	b.shot("desk-batch-fault")
	instead.Store(nil)
	b.click("#desk-send")
	b.wait("document.getElementById('desk-done').dataset.done")
	if is, refused := count("recorded"), count("refused"); is != all-1 || refused != 1 {
		b.t.Errorf("of %d statements %d are recorded and %d refused", all, is, refused)
	}
	b.says("tr[data-became=refused]", "décliné")
	b.shot("desk-batch")
	b.axeBy(otherRules)
}

// besideAnother looks at what the browser has kept of one ledger from that of another, which is
// below /other of the same host: nothing of it is there, also where an older page has kept a note
// by a name that says no ledger. The one that the note is for still shows it.
func (b *tab) besideAnother(note string) {
	b.t.Helper()
	shows := func(at, draft string, kept bool) {
		b.t.Helper()
		b.open(at)
		b.wait("document.querySelector('form[data-kept]')")
		if got := eval[string](b, "document.getElementById('f-note').value"); got != draft {
			b.t.Errorf("%s has the draft %q, not %q", at, got, draft)
		}
		if is := eval[bool](b, "!document.getElementById('kept-notes').hidden"); is != kept {
			b.t.Errorf("%s shows what was signed: %t", at, is)
		}
	}
	shows("/submit", "", true)
	b.fill("#f-note", "half a thought")
	shows("/other/submit", "", false)
	text, err := os.ReadFile(note)
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, `(() => {
		sessionStorage.clear()
		sessionStorage.setItem("muster.note-kept", JSON.stringify([%s]))
		return true
	})()`, quoted(string(text)))
	shows("/other/submit", "", false)
	shows("/submit", "half a thought", true)
}

// faulty stands before two servers, the other of which is below /other. It answers to statements,
// which the first has taken, with what it is told to.
func faulty(t *testing.T, server, other string, instead *atomic.Pointer[http.HandlerFunc]) string {
	t.Helper()
	before := func(server string) (string, http.Handler) {
		to, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		to.Path = ""
		return to.Host, httputil.NewSingleHostReverseProxy(to)
	}
	host, pass := before(server)
	otherHost, passOther := before(other)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/other/") {
			r.Host = otherHost
			passOther.ServeHTTP(w, r)
			return
		}
		r.Host = host
		answer := instead.Load()
		if r.URL.Path != intake.Path && r.URL.Path != intake.BatchPath || answer == nil {
			pass.ServeHTTP(w, r)
			return
		}
		taken := httptest.NewRecorder()
		pass.ServeHTTP(taken, r)
		if taken.Code != http.StatusOK && taken.Code != http.StatusCreated {
			t.Errorf("the server has answered %d: %s", taken.Code, taken.Body)
		}
		(*answer)(w, r)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}
