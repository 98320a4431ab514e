package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	b := newTab(t, faulty(t, url, &instead))
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
}

// faulty stands before a server, and answers to statements, which the server has taken, with what
// it is told to.
func faulty(t *testing.T, server string, instead *atomic.Pointer[http.HandlerFunc]) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = to.Host
		answer := instead.Load()
		if r.URL.Path != intake.Path || answer == nil {
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
