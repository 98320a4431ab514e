package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
)

// A form that is sent when the session has ended says so, asks to sign in, and keeps all that was
// filled in; sent again as it stands, it is answered as if nothing had been. It is never answered
// as if the one who sends it had not known what only members may read.
func TestFormsOutliveTheSession(t *testing.T) {
	t.Parallel()
	c := newConfidence(t)
	s := newServer(t, c.testLog)
	pages := c.pages(s, c.testLog)
	who := access.Reader{Key: c.key("HQ/founder").Key(), Role: events.Coordinator,
		View: events.CoordinatorsView}
	send := func(path string, form url.Values, who access.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r.WithContext(access.WithReader(r.Context(), who)))
		return w
	}
	hidden := regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	action := regexp.MustCompile(`<form method="post" action="([^"]+)" class="world" hx-boost`)
	for path, form := range map[string]url.Values{
		"/desk?operation=quiet": {"act": {"pledge.accepted"}, "pledge": {c.fra.id.String(),
			c.dnk.id.String()}, "reason": {"agreed <in> \"camera\""}},
		"/submit?lang=fr": {"type": {"pledge.withdrawn"}, "pledge": {c.fra.id.String()},
			"reason": {"a vote"}, "effective": {"2026-02-01"},
			"id": {"01K00000000000000000000000"}},
	} {
		if code := send(path, form, who).Code; code != http.StatusOK {
			t.Fatalf("%s: %d", path, code)
		}
		form.Set("who", "HQ/founder")
		kept := send(path, form, access.Reader{})
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		early := httptest.NewRecorder() // where the browser still has what was a session
		s.service.RefusePage(early, r, problem.New(problem.SignedOut, "it has ended").
			WithCode(SessionEnded))
		for said, w := range map[string]*httptest.ResponseRecorder{"as nobody": kept,
			"with an old cookie": early} {
			body := w.Body.String()
			again := url.Values{}
			for _, found := range hidden.FindAllStringSubmatch(body, -1) {
				again.Add(found[1], unescaped(found[2]))
			}
			to := action.FindStringSubmatch(body)
			if w.Code != http.StatusUnauthorized || !strings.Contains(body, `id="again"`) ||
				!strings.Contains(body, `href="/session`) || to == nil ||
				w.Header().Get("Cache-Control") != "no-store" ||
				again.Encode() != form.Encode() || unescaped(to[1]) != path {
				t.Fatalf("%s, %s: %d, %v, %q\n%s", path, said, w.Code, to, again, body)
			}
			if strings.Contains(body, "no operation") {
				t.Errorf("%s, %s: the form was answered", path, said)
			}
			if code := send(unescaped(to[1]), again, who).Code; code != http.StatusOK {
				t.Errorf("%s, %s: sent again: %d", path, said, code)
			}
		}
	}
	// Each form that a member is shown says whose it is.
	for _, path := range []string{"/pledges", "/shortfalls", "/pledges/" + c.fra.id.String(),
		"/submit"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r.WithContext(access.WithReader(r.Context(), who)))
		forms := regexp.MustCompile(`<form method="post" action="/(desk|submit)`).
			FindAllString(w.Body.String(), -1)
		if whose := strings.Count(w.Body.String(), `name="who" value="HQ/founder"`); whose == 0 ||
			whose != len(forms) {
			t.Errorf("%s: %d of %d forms say whose they are", path, whose, len(forms))
		}
	}
	// Where everybody reads all, nobody need sign in.
	s.service.Reads = access.ReadOpen
	form := url.Values{"act": {"pledge.accepted"}, "pledge": {c.fra.id.String()},
		"who": {"HQ/founder"}}
	equal(t, "open", send("/desk", form, access.Reader{}).Code, http.StatusOK)
}

func unescaped(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&amp;", "&").Replace(text)
}
