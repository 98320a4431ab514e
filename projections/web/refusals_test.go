package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/access"
)

// Every refusal of the ledger's rules is told in words of each language, by its code.
func TestRefusalsHaveWords(t *testing.T) {
	codes, err := os.ReadFile("../../ledger/rules/testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	words, err := os.ReadFile("page/words/refusals.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(codes)) {
		code, _, _ := strings.Cut(line, " ")
		if !strings.Contains(string(words), "\nrefusal."+code+"\n") {
			t.Errorf("there are no words for refusal.%s", code)
		}
	}
}

// What the rules refuse is told in the reader's language.
func TestRefusalsInFrench(t *testing.T) {
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	pages := c.pages(s, c.testLog)
	s.service.Reads = access.ReadOpen
	for path, form := range map[string]url.Values{
		"/desk?lang=fr": {"act": {"pledge.confirmed"}, "pledge": {c.fra.id.String()}},
		"/submit?lang=fr": {"type": {"pledge.confirmed"}, "pledge": {c.fra.id.String()},
			"effective": {"2026-02-01"}, "id": {events.NewID().String()}},
	} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), "est offert\u00a0: «\u00a0engagement "+
			"confirmé\u00a0» suppose un engagement accepté") ||
			strings.Contains(w.Body.String(), "only one that") {
			t.Errorf("%s: %d\n%s", path, w.Code, w.Body)
		}
	}
}
