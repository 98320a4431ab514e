package web

import (
	"net/http"
	"testing"
	"time"

	"muster/events"
)

// fetch asks with what the client has already, and returns the status, the tag, the caching and the
// body.
func (s *testServer) fetch(path, has string) (status int, tag, caching, body string) {
	s.t.Helper()
	given := http.Header{}
	if has != "" {
		given.Set("If-None-Match", has)
	}
	status, header, body := s.send(http.MethodGet, s.url+Root+path, given, nil)
	return status, header.Get("ETag"), header.Get("Cache-Control"), body
}

// Whoever has an answer is told so for as long as the answer is the same, and not a record longer.
func TestETag(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := number(l.Last())
	for path, pinned := range map[string]bool{ // whether a record changes nothing
		"/coverage": false, "/coverage.csv": false, "/coverage?on=2026-01-04": false,
		"/pledges": false, "/ledger": false, "/records": false,
		"/coverage?as_of=" + last + "&on=2026-01-04": true, "/strength?as_of=" + last: true,
		"/nations/FRA": false, "/nations/FRA.csv": false, "/fingerprint": false,
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
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	seen := map[string]string{}
	note := func(what, tag string) {
		if other, ok := seen[tag]; ok || tag == "" {
			t.Errorf("%s has the tag of %s", what, other)
		}
		seen[tag] = what
	}
	for _, path := range []string{"/coverage", "/coverage.csv", "/coverage?role=air",
		"/coverage?without=FRA", "/strength", "/nations/FRA", "/nations/GBR"} {
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
	// Which pass on with the clock.
	for _, path := range []string{"/coverage?as_of=-1h", "/diff?from=-1h", "/diff?from=1&to=-1h"} {
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

// What is asked again while nothing has changed is not made again, a problem is not kept, and a new
// record makes another answer.
func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	l := newTestLog(t)
	s := newServer(t, l)
	a := s.service.kept
	for _, path := range []string{"/coverage", "/pledges.csv", "/ledger"} {
		_, tag, _, made := s.fetch(path, "")
		for end := time.Now().Add(patient); !a.change(tag,
			"as it was kept"); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the answer of %s was not kept", path)
			}
		}
		if status, same, _, again := s.fetch(path, ""); status != http.StatusOK || same != tag ||
			again != "as it was kept" {
			t.Errorf("%s, asked again: %d, %s:\n%s", path, status, same, again)
		}
		l.say("HQ/founder", &events.MemberAdmitted{Header: head("member.admitted"),
			Key: l.key("FRA/" + path[1:4]).Key(), Role: events.Liaison})
		if err := s.projector.WaitFor(t.Context(), l.Last()); err != nil {
			t.Fatal(err)
		}
		if _, other, _, now := s.fetch(path, ""); other == tag ||
			now == "as it was kept" || made == "" {
			t.Errorf("%s, after another record: %s:\n%s", path, other, now)
		}
	}
	if status, tag, _, _ := s.fetch("/coverage?on=never",
		""); status != http.StatusUnprocessableEntity || tag != "" || a.change("", "") {
		t.Errorf("a problem: %d, %s, or it was kept", status, tag)
	}
}

// change changes what is kept of a tag, and reports whether anything is.
func (c *responseCache) change(tag, body string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kept.Get(tag)
	found.body = []byte(body)
	if ok {
		c.kept.Add(tag, found)
	}
	return ok
}
