package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The docs page tells every question with its parameters and answer, has no script, and loads nothing but its own stylesheet.
func TestDocs(t *testing.T) {
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
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Error("the stylesheet loads from elsewhere")
	}
}
