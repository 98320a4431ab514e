package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/events/problem"
	"muster/projections"
)

func TestClient(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for _, c := range []Client{{URL: s.url}, {URL: s.url + "/", HTTP: &http.Client{}}} {
		var life PledgeLife
		given := map[string]string{"id": l.swe.id.String(),
			"as_of": "2026-01-02T01:00:00+01:00", "on": ""}
		if err := c.Ask(t.Context(), "pledge", given, &life); err != nil {
			t.Fatal(err)
		}
		equal(t, "as of", life.AsOf, 13)
		equal(t, "nation", life.Pledge.Nation, "SWE")
		var plan Plan
		if err := c.Ask(t.Context(), "plan", map[string]string{"operation": "force"},
			&plan); err != nil || plan.Catalogue.Operation != "force" {
			t.Errorf("%v, %+v", err, plan)
		}
	}
}

// What a person types for a part of a path stays that part, and what the server refuses comes back
// as its problem.
func TestClientEscapes(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for _, id := range []string{"a/b", "..", ".", "...", "../members", "a/../../members", "%2E%2E",
		"a?b=c", "a#b", "a b", "é", "{id}", "{operation}", "a\x00b", "+", ";"} {
		for question, name := range map[string]string{"pledge": "id", "plan": "operation"} {
			err := Client{URL: s.url}.Ask(t.Context(), question,
				map[string]string{name: id}, &struct{}{})
			p := problem.From(err)
			if p.Kind != problem.Invalid || located(p) != name || p.Fields[0].Value != id {
				t.Errorf("%s %q: %+v", question, id, p)
			}
		}
	}
}

func TestClientMisused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "127.0.0.1:8080", "localhost:8080", "ftp://127.0.0.1",
		"http://", "://", "http://a b", "/data"} {
		err := Client{URL: address}.Ask(t.Context(), "ledger", nil, &Ledger{})
		if p := problem.From(err); p.Kind != problem.Usage || p.Hint == "" {
			t.Errorf("%q: %v", address, err)
		}
	}
	for question, name := range map[string]string{"pledge": "id", "plan": "operation"} {
		for _, given := range []map[string]string{nil, {name: ""}} {
			err := Client{URL: "http://127.0.0.1:1"}.Ask(t.Context(), question, given, &struct{}{})
			if p := problem.From(err); p.Kind != problem.Invalid || located(p) != name {
				t.Errorf("%s: %v", question, err)
			}
		}
	}
}

// What stands between may answer anything.
func TestClientBehindAProxy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		kind   problem.Kind
		says   string
	}{
		"a gateway": {func(w http.ResponseWriter) {
			w.WriteHeader(502)
			fmt.Fprint(w, "<html>Bad Gateway</html>")
		}, problem.Unavailable, "status 502"},
		"a log-in": {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>Who are you?</html>") },
			problem.Unavailable, "none of Muster's"},
		"nothing": {func(http.ResponseWriter) {}, problem.Unavailable, "none of Muster's"},
		"a list": {func(w http.ResponseWriter) { fmt.Fprint(w, "[]") }, problem.Unavailable,
			"none of Muster's"},
		"two answers": {func(w http.ResponseWriter) { fmt.Fprint(w, "{}{}") }, problem.Unavailable,
			"none of Muster's"},
		"a refusal": {func(w http.ResponseWriter) {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"error":"no"}`)
		}, problem.Internal, "status 403"},
		"half an answer": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"as_of":1`)
		}, problem.Unavailable, "broke off"},
		"no connection": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
			problem.Unavailable, "no answer from http"},
		"a problem": {func(w http.ResponseWriter) {
			w.WriteHeader(409)
			fmt.Fprint(w, `{"type":"urn:muster:problem:conflict","detail":"it is so","hint":"wait"}`)
		}, problem.Conflict, "it is so"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			test.answer(w)
		}))
		err := Client{URL: srv.URL}.Ask(t.Context(), "members", nil, &projections.Roster{})
		srv.Close()
		if p := problem.From(err); p.Kind != test.kind || !strings.Contains(p.Detail, test.says) ||
			p.Hint == "" {
			t.Errorf("%s: %s, %v, hint %q", name, p.Kind.Slug, err, p.Hint)
		}
	}
}

func TestClientWithoutServer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	err := Client{URL: srv.URL}.Ask(t.Context(), "ledger", nil, &Ledger{})
	if p := problem.From(err); p.Kind != problem.Unavailable ||
		!strings.Contains(p.Hint, "muster serve") {
		t.Errorf("%v", err)
	}
}

// Who has interrupted is told so, whether the answer has not begun or has not ended.
func TestClientInterrupted(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.ResponseWriter){
		"before the answer": func(http.ResponseWriter) {},
		"in the answer": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"as_of":1`)
			w.(http.Flusher).Flush()
		},
	} {
		arrived := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			close(arrived)
			<-r.Context().Done()
		}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		err := Client{URL: srv.URL}.Ask(ctx, "records", map[string]string{"wait": "60"}, &Records{})
		srv.Close()
		if !errors.Is(err, context.Canceled) || !problem.Is(err, problem.Unavailable) ||
			strings.Contains(problem.From(err).Hint, "start it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	data, err := Parameters(map[string]string{"limit": "5", "on": "", "nation": `"<F>"`})
	if err != nil || string(data) != `{"limit":"5","nation":"\"\u003cF\u003e\""}` {
		t.Errorf("%s, %v", data, err)
	}
	if data, err := Parameters(nil); err != nil || string(data) != "{}" {
		t.Errorf("%s, %v", data, err)
	}
}
