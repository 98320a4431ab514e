package intake_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/natsd"
)

// Between a client and the server there may be others, who answer as they like. The client always
// knows whether its statement may have been recorded.
func TestHTTPClientAndStrangers(t *testing.T) {
	s := newBench(t).admission(t)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		kind   problem.Kind
		says   string
	}{
		"a proxy without a server": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>", http.StatusBadGateway)
		}, problem.Unavailable, "status 502"},
		"a login page": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>", http.StatusUnauthorized)
		}, problem.Internal, "status 401"},
		"a page that is no answer": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, problem.Internal, "the answer from"},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, `{"sequence":`)
		}, problem.Unavailable, "broke off"},
		"nothing at all": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, problem.Unavailable, "no answer"},
	} {
		srv := httptest.NewServer(test.answer)
		_, err := intake.HTTPClient{URL: srv.URL}.Submit(t.Context(), s)
		if p := problem.From(err); p == nil || p.Kind != test.kind ||
			!strings.Contains(p.Detail, test.says) {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close()
	}
	if _, err := (intake.HTTPClient{URL: "http://127.0.0.1:1"}).Submit(t.Context(),
		s); !problem.Is(err, problem.Unavailable) || problem.From(err).Hint == "" {
		t.Errorf("no server: %v", err)
	}
	if _, err := (intake.HTTPClient{URL: "://"}).Submit(t.Context(), s); !problem.Is(err,
		problem.Usage) {
		t.Errorf("no address: %v", err)
	}
}

func TestNATSClientAlone(t *testing.T) {
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Shutdown() }()
	nc, err := nats.Connect(srv.URL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c, s := intake.NATSClient{Conn: nc}, newBench(t).admission(t)
	if _, err := c.Submit(t.Context(), s); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "no Muster server answers") {
		t.Errorf("no server: %v", err)
	}
	mute, err := srv.ConnectService()
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if _, err := mute.Subscribe("muster.submit", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := mute.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Submit(ctx, s); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(problem.From(err).Hint, "send the same statement again") {
		t.Errorf("a server that does not answer: %v", err)
	}
	s.Note = make([]byte, 2<<20)
	if _, err := c.Submit(t.Context(), s); !problem.Is(err, problem.TooLarge) {
		t.Errorf("two megabytes: %v", err)
	}
}

// A body that says of itself that it is something else is not looked at.
func TestContentType(t *testing.T) {
	b := newBench(t)
	url, s := b.overHTTP(t).URL+strings.TrimPrefix(intake.Path, "/"), b.admission(t)
	for ct, want := range map[string]int{"application/json": 400, "text/html": 400,
		"multipart/form-data; boundary=x": 400, "text": 400,
		"text/plain": 201, "text/plain; charset=utf-8": 200, "TEXT/PLAIN": 200,
		"application/octet-stream": 200, "": 200} {
		if want == 200 {
			if _, err := b.ledger.Submit(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		note := s.Note
		if want == 201 {
			note = b.admission(t).Note
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url,
			strings.NewReader(string(note)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header["Content-Type"] = []string{ct}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body) // the status says enough
		resp.Body.Close()
		if resp.StatusCode != want || want == 400 && !strings.Contains(string(body),
			"Content-Type: text/plain") {
			t.Errorf("%q: %d %s", ct, resp.StatusCode, body)
		}
	}
}
