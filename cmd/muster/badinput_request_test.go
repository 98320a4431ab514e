package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
)

// What is wrong with the request itself, and not with a statement in it.
func TestBadRequests(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newTarget(t)
	good, before := s.with(t, "", ""), s.recorded(t)
	for _, bad := range []struct {
		method, path, contentType string
		body                      []byte
		status                    int
		says                      string
	}{
		{"POST", intake.Path, intake.ContentType, nil, 400, "body is required"},
		{"POST", intake.Path + "?force=true", intake.ContentType, good, 422, "force"},
		{"POST", intake.Path, "application/json", good, 400, "and a signed statement is text"},
		{"POST", intake.Path, "multipart/form-data; boundary=x", good, 400,
			"and a signed statement is text"},
		{"POST", intake.Path, intake.ContentType, make([]byte, 10<<20), 413, "bytes"},
		{"POST", intake.Path + "/check", intake.ContentType, make([]byte, 10<<20), 413, "bytes"},
		{"POST", intake.Path + "/check", intake.ContentType, []byte("hello"), 400,
			"no signed note"},
		{"GET", "/api/v1/coverage?colour=blue", "", nil, 400, "colour"},
		{"GET", "/api/v1/coverage?as_of=yesterday", "", nil, 422, "as_of"},
		{"GET", "/api/v1/coverage?as_of=0", "", nil, 422, "as_of"},
		{"GET", "/api/v1/coverage?as_of=-1", "", nil, 422, "as_of"},
		{"GET", "/api/v1/coverage?on=2026-13-01", "", nil, 422, "on"},
		{"GET", "/api/v1/coverage?on=2026-11-23&rung=sworn", "", nil, 422, "rung"},
		{"GET", "/api/v1/coverage?operation=*", "", nil, 422, "operation"},
		{"GET", "/api/v1/coverage?role=GROUND", "", nil, 422, "role"},
		{"GET", "/api/v1/pledges?nation=Francce", "", nil, 422, "nation"},
		{"GET", "/api/v1/pledges?limit=-1", "", nil, 422, "limit"},
		{"GET", "/api/v1/pledges?limit=x", "", nil, 422, "limit"},
		{"GET", "/api/v1/records?limit=1e3", "", nil, 422, "limit"},
		{"GET", "/api/v1/records?limit=99999999999999999999", "", nil, 422, "limit"},
		{"GET", "/api/v1/records?from=-5", "", nil, 422, "from"},
		{"GET", "/api/v1/records?wait=-1", "", nil, 422, "wait"},
		{"GET", "/api/v1/strength?by=colour", "", nil, 400, "by"},
		{"GET", "/api/v1/strength?min_seq=x", "", nil, 422, "min_seq"},
		{"GET", "/api/v1/pledges/not-an-id", "", nil, 422, "id"},
		{"GET", "/api/v1/pledges/01KAQ7Z0V4T5W9J8M3N2P6R1XC", "", nil, 404,
			"01KAQ7Z0V4T5W9J8M3N2P6R1XC"},
		{"GET", "/api/v1/operations/none", "", nil, 404, "none"},
	} {
		name := fmt.Sprintf("%s %s %s", bad.method, bad.path, bad.contentType)
		req := request(t, bad.method, s.url+bad.path, bytes.NewReader(bad.body))
		if bad.contentType != "" {
			req.Header.Set("Content-Type", bad.contentType)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Run(name, func(t *testing.T) {
			if p := problemIn(t, resp, bad.status); !strings.Contains(p.Error(), bad.says) ||
				p.Detail == "" {
				t.Errorf("it says %q, and should name %s", p.Error(), bad.says)
			}
		})
	}
	for _, bad := range [][3]string{{"GET", intake.Path, "POST"}, {"PUT", intake.Path, "POST"},
		{"DELETE", "/api/v1/records", "GET"}} {
		resp, err := http.DefaultClient.Do(request(t, bad[0], s.url+bad[1], nil))
		if err != nil || resp.StatusCode != 405 ||
			!strings.Contains(resp.Header.Get("Allow"), bad[2]) {
			t.Errorf("%s %s: %v, %v", bad[0], bad[1], resp, err)
		}
	}
	if status, _ := get(t, s.url+"/api/v1/nothing"); status != 404 {
		t.Errorf("what is not there is answered with %d", status)
	}
	if after := s.recorded(t); after != before {
		t.Errorf("%d records were appended", after-before)
	}
	if resp, err := http.Post(s.url+intake.Path, intake.ContentType, bytes.NewReader(good)); err !=
		nil || resp.StatusCode != 201 {
		t.Errorf("a good request after all: %v, %v", resp, err)
	}
	s.stop(t)
}

// A body whose length nobody has told is not read to its end either.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	s := newTarget(t)
	before := s.recorded(t)
	req := request(t, "POST", s.url+intake.Path, io.LimitReader(zeros{}, 1<<40))
	req.Header.Set("Content-Type", intake.ContentType)
	resp, err := http.DefaultClient.Do(req)
	if err == nil { // else the server has hung up, which is an answer as well
		problemIn(t, resp, problem.TooLarge.Status)
	}
	if after := s.recorded(t); after != before {
		t.Errorf("%d records were appended", after-before)
	}
	s.stop(t)
}

// Whoever asks over NATS says where the answer goes. Not even so does a guest get anything into the
// ledger's subjects, where it would be no record and would stop every server.
func TestNoAnswerIntoTheLog(t *testing.T) {
	t.Parallel()
	s := newTarget(t)
	before := s.recorded(t)
	event := events.Subject(s.c.offer(t).Statement)
	for _, ask := range []string{"muster.coverage", "muster.submit", "muster.check", "$SRV.PING",
		"$SRV.INFO.muster", "$SRV.STATS.muster"} {
		if err := s.nc.PublishRequest(ask, event, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	// By now the others have been answered.
	if _, err := s.nc.Request("muster.coverage", []byte("{}"), patience); err != nil {
		t.Fatal(err)
	}
	if r, err := s.client().Submit(t.Context(), s.c.offer(t)); err != nil ||
		r.Sequence != before+1 {
		t.Errorf("a good statement afterwards: %+v, %v", r, err)
	}
	s.stop(t)
	if n := len(streamIn(t, s.dir)); n != int(before)+1 {
		t.Errorf("the stream holds %d messages, and there are %d records", n, before+1)
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
