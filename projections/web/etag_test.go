package web

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// fetch asks with what the client has already, and returns the status, the tag, the caching and the body.
func (s *testServer) fetch(path, has string) (status int, tag, caching, body string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+Root+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if has != "" {
		req.Header.Set("If-None-Match", has)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("ETag"), resp.Header.Get("Cache-Control"), string(data)
}

// Whoever has an answer is told so for as long as the answer is the same, and not a record longer.
func TestETag(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := number(l.Last())
	for path, pinned := range map[string]bool{ // whether a record changes nothing
		"/coverage": false, "/coverage.csv": false, "/coverage?on=2026-01-04": false, "/pledges": false, "/ledger": false, "/records": false,
		"/coverage?as_of=" + last + "&on=2026-01-04": true, "/strength?as_of=" + last: true, "/nations/FRA": false, "/nations/FRA.csv": false, "/fingerprint": false,
		"/coverage?as_of=2026-01-19": false, "/timeline": false,
	} {
		status, tag, _, body := s.fetch(path, "")
		if status != http.StatusOK || len(tag) != 34 {
			t.Fatalf("%s: %d %s", path, status, tag)
		}
		for _, has := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			status, again, _, empty := s.fetch(path, has)
			if status != http.StatusNotModified || again != tag || empty != "" {
				t.Errorf("%s with %s: %d %s %q", path, has, status, again, empty)
			}
		}
		if status, _, _, _ := s.fetch(path, `"other"`); status != http.StatusOK {
			t.Errorf("%s: %d for whoever has another answer", path, status)
		}
		if err := s.projector.WaitFor(t.Context(), l.offer("GBR", 5).seq); err != nil {
			t.Fatal(err)
		}
		status, after, _, later := s.fetch(path, tag)
		if changed := status == http.StatusOK && after != tag; changed == pinned {
			t.Errorf("%s: %d, another tag %v after a record", path, status, after != tag)
		}
		if pinned {
			if _, _, _, same := s.fetch(path, ""); same != body {
				t.Errorf("%s: another answer with the same tag: %s", path, later)
			}
		}
	}
}

// Different questions, parameters, forms, days and ledgers never share a tag; a problem has none.
func TestETagsDiffer(t *testing.T) {
	l := newRound(t)
	s := newServer(t, l.testLog)
	seen := map[string]string{}
	note := func(what, tag string) {
		if other, ok := seen[tag]; ok || tag == "" {
			t.Errorf("%s has the tag of %s", what, other)
		}
		seen[tag] = what
	}
	for _, path := range []string{"/coverage", "/coverage.csv", "/coverage?role=air", "/coverage?without=FRA", "/strength", "/nations/FRA", "/nations/GBR"} {
		_, tag, caching, _ := s.fetch(path, "")
		note(path, tag)
		equal(t, path, caching, "private, no-cache")
	}
	_, _, forever, _ := s.fetch("/coverage?as_of=5&on=2026-01-04", "")
	equal(t, "of what has passed", forever, "private, max-age=86400")
	_, fresh, _, _ := s.fetch("/coverage?min_seq=1", "")
	equal(t, "waiting for what is there", seen[fresh], "/coverage")
	s.service.Now = func() time.Time { return today.AddDate(0, 0, 1) }
	_, tomorrow, _, _ := s.fetch("/coverage", "")
	note("tomorrow", tomorrow)
	other := newServer(t, newRound(t).testLog)
	_, elsewhere, _, _ := other.fetch("/coverage", "")
	note("another ledger", elsewhere)
	for _, path := range []string{"/coverage?as_of=-1h", "/diff?from=-1h", "/diff?from=1&to=-1h"} { // which pass on with the clock
		_, tag, _, _ := s.fetch(path, "")
		equal(t, path, tag, "")
	}
	status, tag, caching, _ := s.fetch("/coverage?role=none", "*")
	if status != http.StatusNotFound || tag != "" || caching != "no-store" {
		t.Errorf("a problem: %d %q %q", status, tag, caching)
	}
	status, tag, caching, _ = s.fetch("/coverage?role=none", "")
	if status != http.StatusNotFound || tag != "" || caching != "no-store" {
		t.Errorf("a problem: %d %q %q", status, tag, caching)
	}
}

// What is asked again while nothing has changed is answered with the same bytes without being made again, and a new record makes another.
func TestKeptAnswers(t *testing.T) {
	l := newTestLog(t)
	s := newServer(t, l)
	for _, path := range []string{"/coverage", "/pledges.csv", "/ledger"} {
		address := s.url + Root + path
		first, again := bodyOf(t, address), bodyOf(t, address)
		if first != again {
			t.Errorf("%s: asked again it is\n%s\nand was\n%s", path, again, first)
		}
	}
	before := len(s.service.kept.kept)
	if before == 0 {
		t.Error("nothing was kept")
	}
	bodyOf(t, s.url+Root+"/coverage")
	if len(s.service.kept.kept) != before {
		t.Error("what was kept was made again")
	}
	if resp, err := http.Get(s.url + Root + "/coverage?on=never"); err != nil || resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%v, %v", resp, err)
	}
	if len(s.service.kept.kept) != before {
		t.Error("a problem was kept")
	}
}

func bodyOf(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s (%v)", address, resp.Status, err)
	}
	return resp.Header.Get("Content-Type") + resp.Header.Get("ETag") + string(body)
}
