package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/intake"
)

// A dry run gives nobody a signature under a statement: whoever hears what is sent can record
// nothing of it.
func TestDryRunSendsNothingThatCanBeRecorded(t *testing.T) {
	t.Parallel()
	to, err := url.Parse(demoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent [][]byte
	through := httputil.NewSingleHostReverseProxy(to)
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, intake.Path) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			sent = append(sent, body)
			mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(spy.Close)
	round, err := os.ReadFile("demo/isaf-2009.csv") // which is recorded with another number
	changed := filepath.Join(t.TempDir(), "isaf-2009.csv")
	if err == nil {
		err = os.WriteFile(changed, bytes.Replace(round, []byte("125"), []byte("127"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(demoPages.dir, "demo")
	founder, paris := filepath.Join(folder, server.FounderFile),
		filepath.Join(folder, "keys", "FRA-demo.key")
	for _, line := range []string{
		"pledge offer --operation mnf-u --nation FRA --role ground --quantity 30 --key " + paris,
		"pledge withdraw --operation mnf-u --nation FRA --key " + paris,
		"import csv " + changed + " --map demo/isaf-2009.map.yaml --changed corrected --key " +
			founder,
	} {
		before := len(sent)
		var out, errs bytes.Buffer
		code := run(append(strings.Fields(line), "--dry-run", "--url", spy.URL),
			strings.NewReader(""), &out, &errs)
		if len(sent) == before {
			t.Errorf("muster %s asks nothing: exit code %d\n%s%s", line, code, &out, &errs)
		}
	}
	for _, body := range sent {
		if s, err := events.ParseSigned(body); err == nil {
			t.Errorf("a signed %s was sent", s.Statement.Head().Type)
		}
		if s, err := events.ParseDraft(body); err != nil || !s.IsDraft() {
			t.Errorf("what was sent is no draft: %v\n%s", err, body)
		}
	}
}
