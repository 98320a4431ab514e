package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// An address that is too long is refused before anybody reads it, and nothing repeats it.
func TestLongAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	long := strings.Repeat("a", 20_000)
	for _, path := range []string{"/api/v1/coverage?x=" + long, "/api/v1/coverage.csv?x=" + long,
		"/api/v1/records/events?x=" + long,
		"/api/v1/coverage/events?without=" + long, "/api/v1/pledges/" + long,
		"/?x=" + long, "/" + long} {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		p := problem.Decode(resp.StatusCode, body)
		if resp.StatusCode != http.StatusRequestURITooLong || len(body) > 1000 || p.Hint == "" {
			t.Errorf("%.40s: %d, %d bytes: %.300s", path, resp.StatusCode, len(body), body)
		}
	}
	equal(t, "counted", s.service.Bites.Address.Load(), 7)
	if p := s.request("coverage", `{"without":"`+long+`"}`).
		problem(t); !strings.Contains(p.Detail, "at most 4096 are taken") {
		t.Errorf("over NATS: %v", p)
	}
	equal(t, "counted over NATS", s.service.Bites.Address.Load(), 8)
}

// A list has each word once, and so many at most.
func TestLongLists(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	c := asked[Coverage](s, "coverage", "without="+strings.Repeat("FRA,", 600)+"FRA")
	equal(t, "each once", fmt.Sprint(c.WhatIf.Without), "[FRA]")
	var words []string
	for i := range MaxList + 1 {
		words = append(words, fmt.Sprint("w", i))
	}
	p := s.ask("coverage", "discharge="+strings.Join(words, ",")).problem(t)
	equal(t, "too many", located(p), "discharge")
	if want := "has 301 words, and at most 300 are taken"; p.Fields[0].Message != want {
		t.Error(p.Fields[0].Message)
	}
	equal(t, "strength", fmt.Sprint(asked[projections.Strength](s, "strength",
		"by=role,role,nation,role").By), "[role nation]")
}

// What an address cannot hold can be posted, and is answered as over the two other ways.
func TestPostedPreview(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	many, err := Parameters(
		map[string]string{"statements": "[" + strings.Repeat(l.withdrawal()+",", 99) +
			l.withdrawal() + "]"})
	if err != nil || len(many) < MaxAddress {
		t.Fatalf("%d bytes, %v", len(many), err)
	}
	given := map[string]string{"statements": l.withdrawal(), "on": "2026-02-01"}
	var posted projections.Preview
	if err := (Client{URL: s.url}).Ask(t.Context(), "preview", given, &posted); err != nil {
		t.Fatal(err)
	}
	same := asked[projections.Preview](s, "preview",
		"on=2026-02-01&statements="+url.QueryEscape(l.withdrawal()))
	equal(t, "posted", jsonOf(t, posted), jsonOf(t, same))
	for body, want := range map[string]int{string(many): 200, `{"x":1}`: 422, "[]": 400} {
		resp, err := http.Post(s.url+Root+"/preview", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%.60s: %d %.200s", body, resp.StatusCode, got)
		}
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One client has its share, and waits for no other's; all together have no more than there is.
func TestSlots(t *testing.T) {
	t.Parallel()
	var b Bites
	s := b.slots("questions", 3, 2, 0)
	take := func(client string) func() {
		t.Helper()
		release, err := s.Acquire(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	refused := func(client string, k problem.Kind) {
		t.Helper()
		if _, err := s.Acquire(t.Context(), client); !problem.Is(err, k) ||
			problem.From(err).Hint == "" {
			t.Errorf("%s: %v", client, err)
		}
	}
	first, second := take("a"), take("a")
	refused("a", problem.Busy)
	third := take("b")
	refused("b", problem.Unavailable)
	first()
	first() // gives back no more than it took
	take("b")
	refused("a", problem.Unavailable)
	second()
	third()
	take("a")
	equal(t, "over the share", b.Share.Load(), 1)
	equal(t, "over all", b.Slots.Load(), 2)
}

// Who waits for a slot waits behind nobody's queue but the own, and no longer than is told.
func TestSlotsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Bites
		s := b.slots("questions", 2, 1, patient)
		release, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var queue sync.WaitGroup
		ctx, leave := context.WithCancelCause(t.Context())
		for range maxQueue {
			queue.Go(func() {
				if _, err := s.Acquire(ctx, "a"); !errors.Is(err, errGone) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		equal(t, "who has a slot or waits", s.users("a"), 1+maxQueue)
		if _, err := s.Acquire(t.Context(), "a"); !problem.Is(err, problem.Busy) {
			t.Errorf("one more in the queue: %v", err)
		}
		begun := time.Now()
		other, err := s.Acquire(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "another has waited", time.Since(begun), 0)
		other()
		leave(errGone)
		queue.Wait()
		release()
		equal(t, "clients that are forgotten", len(s.clients), 0)
		brief := b.slots("questions", 1, 1, time.Millisecond)
		if _, err := brief.Acquire(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		begun = time.Now()
		if _, err := brief.Acquire(t.Context(), "b"); !problem.Is(err, problem.Unavailable) {
			t.Errorf("waited: %v", err)
		}
		equal(t, "it has waited", time.Since(begun), time.Millisecond)
	})
}

var errGone = errors.New("the client has gone")

func (s *Slots) users(client string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own := s.clients[client]; own != nil {
		return own.users
	}
	return 0
}

// A refusal for want of a slot says when to come back; other clients, and who only looks at health,
// are answered meanwhile.
func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	s.service.slots.short = s.service.Bites.slots("questions", 2, 1, 0)
	release, err := s.service.slots.short.Acquire(t.Context(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.url + Root + "/coverage")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	equal(t, "status", resp.StatusCode, http.StatusTooManyRequests)
	equal(t, "retry", resp.Header.Get("Retry-After"), "5")
	if a := s.overNATS("coverage", ""); a.status != http.StatusOK {
		t.Errorf("over NATS, where another client asks: %d", a.status)
	}
	if a := s.overHTTP("diff", "from=3"); a.status != http.StatusOK {
		t.Errorf("a long question, which has slots of its own: %d %s", a.status, a.body)
	}
	release()
	equal(t, "then", s.overHTTP("coverage", "").status, http.StatusOK)
}

// Who waits for a record holds no slot meanwhile, whichever way of waiting it is.
func TestWaitingHoldsNoSlot(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.slots.short = s.service.Bites.slots("questions", 2, 1, patient)
	next := l.Last() + 1
	polled := s.askTogether("records", fmt.Sprintf("from=%d&wait=60", next))
	s.waiting(next-1, 2) // on both faces
	behind := s.askTogether("coverage", fmt.Sprintf("min_seq=%d", next))
	for s.service.slots.waits.users("127.0.0.1") < 2 {
		time.Sleep(time.Millisecond)
	}
	heard := s.listen("/coverage/events", "")
	equal(t, "meanwhile", s.ask("coverage", "").status, http.StatusOK)
	l.offer("GBR", 7)
	for _, c := range []<-chan answer{polled, behind} {
		equal(t, "told", soon(t, c).status, http.StatusOK)
	}
	_ = heard
}

// Streams have a share for each client, too.
func TestStreamsOfOneClient(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for range streamShare {
		if _, err := s.service.slots.streams.Acquire(t.Context(), "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
	}
	status, _, _, body := s.fetch("/records/events", "")
	if status != http.StatusTooManyRequests || !strings.Contains(body, "live streams") {
		t.Errorf("%d %s", status, body)
	}
}

// A panic is an answer and a line in the log, on both faces, and the next question is answered.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	var said syncBuffer
	s.service.Log = slog.New(slog.NewTextHandler(&said, nil))
	now := s.service.Now
	s.service.Now = func() time.Time { panic("no clock") }
	a := s.overNATS("coverage", "")
	equal(t, "over NATS", a.status, http.StatusInternalServerError)
	a = s.overHTTP("coverage", "")
	equal(t, "over HTTP", a.status, http.StatusInternalServerError)
	if p := a.problem(t); strings.Contains(p.Detail, "clock") {
		t.Errorf("the client is told what is for the log: %s", a.body)
	}
	equal(t, "as CSV", firstOf(s.getCSV("/coverage.csv")), http.StatusInternalServerError)
	equal(t, "live", firstOf(s.getCSV("/coverage/events")), http.StatusInternalServerError)
	s.service.Now = now
	equal(t, "then", s.ask("coverage", "").status, http.StatusOK)
	equal(t, "counted", s.service.Bites.Panicked.Load(), 4)
	if log := said.String(); strings.Count(log, `panic="no clock"`) != 4 ||
		!strings.Contains(log, "guard_test.go") {
		t.Errorf("the log says %s", log)
	}
}

func firstOf(status int, _, _ string) int { return status }

// A syncBuffer may be written and read at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(data)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A question ends when its time is over, when its client goes, and some moments after the server
// stops; and says why.
func TestQuestionsEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	ctx, cancel := s.service.within(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if err := s.service.WhyEnded(ctx, ctx.Err()); !problem.Is(err, problem.TooMuch) ||
		problem.From(err).Hint == "" {
		t.Errorf("its time is over: %v", err)
	}
	equal(t, "counted", s.service.Bites.Time.Load(), 1)
	gone, leave := context.WithCancel(t.Context())
	ctx, cancel = s.service.within(gone, time.Hour)
	defer cancel()
	leave()
	<-ctx.Done()
	ctx, cancel = s.service.within(t.Context(), time.Hour)
	defer cancel()
	s.service.Stop()
	select {
	case <-ctx.Done():
	case <-time.After(patient):
		t.Fatal("a question goes on, and the server has stopped")
	}
	if err := s.service.WhyEnded(ctx, fmt.Errorf("it was given up: %w", ctx.Err())); !problem.Is(
		err, problem.Unavailable) {
		t.Errorf("the server stops: %v", err)
	}
}

// Who does not read what he was sent loses it, and the slot that it holds.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	var g *guarded
	ended := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g = &guarded{ResponseWriter: w, control: http.NewResponseController(w)}
		g.bounded, g.begun = true, time.Now().Add(-slowest-time.Hour)
		_, err := g.Write(make([]byte, 1<<20))
		ended <- err
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := soon(t, ended); err == nil {
		t.Error("it was written, long after its time")
	}
	if n, _ := io.Copy(io.Discard, bufio.NewReader(conn)); n > 4096 {
		t.Errorf("%d bytes were read", n)
	}
}

// Clients are told apart by what nobody has many of.
func TestClientOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{"192.0.2.1:80": "192.0.2.1",
		"[::ffff:192.0.2.1]:80":     "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[fe80::1%eth0]:80": "fe80::/64",
		"@": "@", "": ""} {
		equal(t, remote, (&Service{}).clientOf(&http.Request{RemoteAddr: remote}), want)
	}
	var s Service
	for _, text := range []string{"192.0.2.1", "10.0.0.0/8", "2001:db8::1"} {
		proxy, err := ParseProxy(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Proxies = append(s.Proxies, proxy)
	}
	for passed, want := range map[string]string{"198.51.100.7": "198.51.100.7",
		"203.0.113.9, 198.51.100.7": "198.51.100.7",
		"198.51.100.7, 10.1.2.3":    "198.51.100.7", "": "192.0.2.1", "garbage": "192.0.2.1",
		"198.51.100.7, garbage": "192.0.2.1",
		"10.1.2.3":              "10.1.2.3", "2001:db8:5::6, 2001:db8::1": "2001:db8:5::/64"} {
		r := &http.Request{RemoteAddr: "192.0.2.1:80",
			Header: http.Header{"X-Forwarded-For": {passed}}}
		equal(t, passed, s.clientOf(r), want)
		r.RemoteAddr = "192.0.2.2:80" // which nobody has told of
		equal(t, passed, s.clientOf(r), "192.0.2.2")
	}
}

// The names of long questions are those of questions.
func TestWorkOf(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog).service
	for _, name := range longQuestions {
		if paths[name] != "/"+name {
			t.Errorf("%s is asked at %s", name, paths[name])
		}
	}
	for path, want := range map[string]*Slots{"/": s.slots.short,
		Root + "/coverage.csv": s.slots.short, Root + "/diff.csv": s.slots.long,
		Root + "/pledges/diff": s.slots.short, "/compare": s.slots.long,
		Root + "/records?wait=1": s.slots.waits, Root + "/records.csv?wait=1": s.slots.waits,
		Root + "/records": s.slots.short, Root + "/statements/check": s.slots.statements,
		"/healthz": nil, Root + "/records/events": nil, Root + "/rebuild": nil} {
		if got := s.workOf(httptest.NewRequest(http.MethodGet, path, nil)).slots; got != want {
			t.Errorf("%s has %+v", path, got)
		}
	}
	for _, path := range []string{"/statements/batch", "/statements/check/batch"} {
		does := s.workOf(httptest.NewRequest(http.MethodPost, Root+path, nil))
		if does.slots != s.slots.statements || does.places != events.MaxBatch {
			t.Errorf("%s takes %d places of %v", path, does.places, does.slots)
		}
	}
}

// A batch counts as its statements do, and no more: a client that sends batches without an end has
// its share of what is under way, and another's single statement is worked on at once.
func TestBatchesLeaveRoom(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	s.service.slots.statements.patience = 0
	working, end := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(s.service.Guard(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {
			select {
			case working <- struct{}{}:
				<-end
			case <-end:
			}
		})))
	defer srv.Close()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer close(end)
	post := func(from, path string, statements int) (status int) {
		dial := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c := &http.Client{Transport: &http.Transport{DialContext: dial.DialContext,
			DisableKeepAlives: true}}
		body := `{"statements": [` + strings.TrimSuffix(strings.Repeat(`"{\"n\"}",`,
			statements), ",") + `]}`
		resp, err := c.Post(srv.URL+Root+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	taken := func(from, path string, statements int) {
		t.Helper()
		clients.Go(func() {
			equal(t, fmt.Sprint(from, " sends ", statements), post(from, path, statements), 200)
		})
		soon(t, working)
	}
	for range 2 {
		taken("127.0.0.2", "/statements/batch", 2)
	}
	for range statementShare/events.MaxBatch - 1 {
		taken("127.0.0.2", "/statements/check/batch", events.MaxBatch)
	}
	equal(t, "one more full batch", post("127.0.0.2", "/statements/batch", events.MaxBatch), 429)
	taken("127.0.0.2", "/statements/batch", events.MaxBatch-4)
	equal(t, "one statement more", post("127.0.0.2", "/statements", 1), 429)
	taken("127.0.0.3", "/statements", 1)
	taken("127.0.0.3", "/statements/batch", events.MaxBatch)
}

// Who sends a body slowly holds up nobody, whatever he asks, and however much he has sent.
func TestSlowBodiesHoldNoSlot(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	const head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
		"1000000\r\n\r\n"
	for _, start := range []string{"POST /api/v1/preview HTTP/1.1\r\n" + head,
		"POST /submit HTTP/1.1\r\n" + head,
		"POST /api/v1/statements HTTP/1.1\r\n" + head, "GET /api/v1/coverage HTTP/1.1\r\n" + head,
		"POST /api/v1/preview HTTP/1.1\r\n" + head + strings.Repeat(" ", shortBody)} {
		for range bodyShare {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, start, "{")
		}
	}
	for s.service.slots.bodies.users("127.0.0.1") < bodyShare {
		time.Sleep(time.Millisecond)
	}
	for _, slots := range []*Slots{s.service.slots.short, s.service.slots.long,
		s.service.slots.statements} {
		equal(t, "who sends has taken of "+slots.what, slots.users("127.0.0.1"), 0)
	}
	equal(t, "a long question", s.ask("timeline", "").status, http.StatusOK)
	s.service.Stop()
	for s.service.slots.bodies.users("127.0.0.1") > 0 { // who stops does not wait for them
		time.Sleep(time.Millisecond)
	}
}

// Who does not read does not hold up a server that stops, whether it is a stream or a list.
func TestStopLeavesWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	begun, ended := make(chan struct{}, 2), make(chan error, 2)
	srv := httptest.NewServer(
		s.service.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			control := http.NewResponseController(w)
			begun <- struct{}{}
			for {
				if err := control.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
					t.Error(err)
				}
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					ended <- err
					return
				}
			}
		})))
	defer srv.Close()
	for _, path := range []string{"/api/v1/records/events", "/api/v1/records.csv"} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
		soon(t, begun)
	}
	s.service.Stop()
	soon(t, ended)
	soon(t, ended)
}

// What was read ahead is answered as it is, and what is too long is refused.
func TestBodiesAreWhole(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	for _, size := range []int{1000, shortBody - 1, shortBody, shortBody + 1, MaxBody, MaxBody + 1,
		3 * MaxBody} {
		given, err := Parameters(map[string]string{"statements": "[" + l.withdrawal() + "]"})
		if err != nil {
			t.Fatal(err)
		}
		body := append(bytes.Repeat([]byte(" "), size-len(given)), given...)
		// The latter in chunks.
		for _, sent := range []io.Reader{bytes.NewReader(body),
			io.MultiReader(bytes.NewReader(body))} {
			resp, err := http.Post(s.url+Root+"/preview", "application/json", sent)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			taken := resp.StatusCode == http.StatusOK
			equal(t, fmt.Sprint(size, " bytes are taken"), taken, size <= MaxBody)
		}
	}
	equal(t, "all are done", s.service.slots.bodies.users("127.0.0.1"), 0)
}
