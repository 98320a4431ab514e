package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where a server does not say who may read what, or what stands before it does not pass that on, no
// view is guessed: there is no answer, and nothing is kept. A tree, which any web server can show,
// is verified all the same.
func TestNoViewIsGuessed(t *testing.T) {
	t.Parallel()
	at := demoServer(t)
	to, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(demoPages.dir, "demo", "keys", "FRA-demo.key")
	for what, door := range map[string]http.HandlerFunc{
		"none": http.NotFound,
		"one that is out of order": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		},
	} {
		through := httputil.NewSingleHostReverseProxy(to)
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, sessionPath) {
				door(w, r)
				return
			}
			through.ServeHTTP(w, r)
		}))
		t.Cleanup(proxy.Close)
		folder := filepath.Join(t.TempDir(), "mirror")
		types := func(args ...string) (int, string, string) {
			var out, errs bytes.Buffer
			code := run(args, strings.NewReader(""), &out, &errs)
			return code, out.String(), errs.String()
		}
		for _, line := range []string{"log --verify", "coverage --verify --on 2026-04-01",
			"pledge list --key " + key, "session", "replay"} {
			args := append(strings.Fields(line), "--url", proxy.URL)
			if code, out, errs := types(args...); code != 7 || out != "" {
				t.Errorf("with %s, muster %s: exit code %d\n%.500s%s", what, line, code, out, errs)
			}
		}
		if code, _, errs := types("mirror", proxy.URL, folder, "--once"); code != 7 {
			t.Errorf("with %s, muster mirror: exit code %d\n%s", what, code, errs)
		}
		if _, err := os.Stat(filepath.Join(folder, "mirror.json")); !os.IsNotExist(err) {
			t.Errorf("with %s a mirror says what it is of: %v", what, err)
		}
		code, out, errs := types("verify", proxy.URL)
		if whole := what == "none"; whole != (code == 0) || !whole && code != 7 {
			t.Errorf("with %s, muster verify: exit code %d\n%s%s", what, code, out, errs)
		}
	}
}
