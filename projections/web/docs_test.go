package web

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The docs page tells every question with its parameters and answer, has no script, and loads
// nothing but its own stylesheet.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	mux := http.NewServeMux()
	if err := HandleDocs(mux, *s.api.OpenAPI()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	load := func(path string) (string, http.Header) {
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", path, resp.Status, err)
		}
		return string(body), resp.Header
	}
	page, header := load("/docs")
	equal(t, "policy", header.Get("Content-Security-Policy"), DocsPolicy)
	for question, path := range paths {
		for _, want := range []string{`id="` + question + `"`, "GET " + Root + path, "nats req muster." + question} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not tell %q", want)
			}
		}
	}
	if regexp.MustCompile(`(?i)<script|<style|style=|\son[a-z]+="|<img|<iframe|javascript:`).MatchString(page) {
		t.Error("the page has a script or a style of its own")
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if to := m[1]; !strings.HasPrefix(to, "#") && to != "/docs.css" && to != "/openapi.json" {
			t.Errorf("the page leads elsewhere: %s", to)
		} else if anchor := strings.TrimPrefix(to, "#"); anchor != to && !strings.Contains(page, `id="`+anchor+`"`) {
			t.Errorf("the page has no %s", to)
		}
	}
	style, header := load("/docs.css")
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") ||
		!strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Error("the stylesheet loads from elsewhere")
	}
}

// Every command of the docs page asks the address at which its reader has reached the server, and
// nothing that a reader's browser may say of it is a command of its own.
func TestDocsAskTheServer(t *testing.T) {
	t.Parallel()
	s := newServer(t, newTestLog(t))
	mux := http.NewServeMux()
	if err := HandleDocs(mux, *s.api.OpenAPI()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, proto, server string }{
		{"muster.example", "", "http://muster.example"},
		{"[::1]:8080", "", "http://[::1]:8080"},
		{"muster.example", "https", "https://muster.example"},
		{"muster.example", "javascript", "http://muster.example"},
		{"localhost:'$(echo x)`echo y`\"<b>", "", "http://localhost:'$(echo x)`echo y`\"<b>"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/docs", nil)
		r.Host = c.host
		r.Header.Set("X-Forwarded-Proto", c.proto)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "<b>") {
			t.Errorf("%s: the page has an element of the reader's", c.host)
		}
		commands := regexp.MustCompile(`(?m)^(?:<pre><code>)?(curl .*?)(?:</code>.*)?$`).
			FindAllStringSubmatch(w.Body.String(), -1)
		// Two streams, preview, which can be posted, and signing in.
		equal(t, "commands", len(commands), len(paths)+3+4)
		for _, m := range commands[:6] {
			// What a shell makes of the end of the line is one address.
			shell := exec.Command("sh", "-c", `curl() { printf '%s\n' "$@"; }; `+html.UnescapeString(m[1]))
			said, err := shell.Output()
			lines := strings.Split(strings.TrimSuffix(string(said), "\n"), "\n")
			address := lines[len(lines)-1]
			if err != nil || !strings.HasPrefix(address, c.server+Root+"/") {
				t.Errorf("%s: curl is to ask %q, %v", c.host, address, err)
			}
		}
	}
}
