package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/server"
	"muster/events/build"
	"muster/ledger/intake"
)

// The server records a statement, and all its answers are lost on the way. The command keeps the
// very bytes that it signed, says so, and sending them again gives the first receipt: nothing was
// pledged twice.
func TestAnswersAreLost(t *testing.T) {
	dir := t.TempDir()
	s, err := server.Start(t.Context(), server.Config{Dir: dir, Listen: "127.0.0.1:0",
		Name: "a", Title: "test", Version: build.Version(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	plan, err := filepath.Abs("demo/mnf-u.plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	muster := func(url string, args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		code = run(append(args, "--url", url, "--data", dir, "--nats", "", "--key", ""),
			strings.NewReader(""), &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, _, stderr := muster(s.URL(), "plan", "apply", plan); code != 0 {
		t.Fatal(stderr)
	}
	for what, c := range map[string]struct {
		lost http.HandlerFunc
		exit int
	}{
		"the connection ends": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, 7},
		"502": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "bad gateway", http.StatusBadGateway)
		}, 7},
		"500": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "a fault", http.StatusInternalServerError)
		}, 1},
		"499":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(499) }, 1},
		"rubbish":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>") }, 1},
		"no receipt": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }, 8},
	} {
		t.Run(what, func(t *testing.T) {
			t.Chdir(t.TempDir())
			answersAreLost(t, s, muster, losing(t, s.URL(), c.lost), c.exit)
		})
	}
}

func answersAreLost(t *testing.T, s *server.Server,
	muster func(url string, args ...string) (int, string, string), losing string, exit int) {
	before := s.Journal.Last()
	code, _, stderr := muster(losing, "pledge", "offer", "--operation", "mnf-u",
		"--nation", "ITA", "--role", "sea", "--quantity", "4")
	kept, err := filepath.Glob("muster-*.note")
	if err != nil || len(kept) != 1 || code != exit ||
		!strings.Contains(stderr, " submit "+kept[0]) {
		t.Fatalf("exit code %d, kept %v, %v: %s", code, kept, err, stderr)
	}
	code, stdout, stderr := muster(s.URL(), "submit", kept[0])
	if code != 0 || !strings.Contains(stdout, fmt.Sprint(before+1)) ||
		!strings.Contains(stdout, "was recorded before") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	if last := s.Journal.Last(); last != before+1 {
		t.Fatalf("%d records were made, want 1", last-before)
	}
}

// losing is a proxy to the server that loses the answer to every statement, and says instead what
// lost does.
func losing(t *testing.T, to string, lost http.HandlerFunc) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != intake.Path {
			pass.ServeHTTP(w, r)
			return
		}
		if resp, err := http.Post(to+r.URL.Path, r.Header.Get("Content-Type"), r.Body); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		lost(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
