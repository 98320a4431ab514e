package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/events"
)

// A listener hears server-sent events.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
	id    string // of the last event, as it was sent
}

// listen opens a stream. The client has seen the event of an id, "" for none.
func (s *testServer) listen(path, seen string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+Root+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if seen != "" {
		req.Header.Set("Last-Event-ID", seen)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%s: %s %s", path, resp.Status, resp.Header)
	}
	return &listener{t: s.t, lines: bufio.NewScanner(resp.Body), stop: cancel}
}

// hear returns the next event.
func (l *listener) hear(data any) (id, name string) {
	l.t.Helper()
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			l.id = value
			id, _, _ = strings.Cut(value, "-")
		case "event":
			name = value
		case "data":
			if err := json.Unmarshal([]byte(value), data); err != nil {
				l.t.Fatal(err)
			}
		case "":
			if name != "" {
				return id, name
			}
		}
	}
	l.t.Fatalf("the stream ended: %v", l.lines.Err())
	return "", ""
}

// Records come as they are made, each once, also to a client that was away.
func TestLiveRecords(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	last := l.Last()
	all := s.listen("/records/events?from=1", "")
	for want := uint64(1); want <= last; want++ {
		var r Record
		id, name := all.hear(&r)
		equal(t, "record", fmt.Sprint(id, " ", name, " ", r.Sequence),
			fmt.Sprint(want, " record ", want))
		equal(t, "stored", r.Stored, string(l.records[want-1].Stored))
	}
	fresh := s.listen("/records/events?nation=GBR", "")
	l.offer("FRA", 1)
	seq := l.offer("GBR", 2).seq
	var r Record
	id, _ := fresh.hear(&r)
	equal(t, "only what is new and passes", id, number(seq))
	fresh.stop()
	away := l.offer("GBR", 3).seq
	id, _ = s.listen("/records/events?nation=GBR", number(seq)).hear(&r)
	equal(t, "after coming back", id, number(away))
}

// Coverage is told once, and then when a line changes.
func TestLiveCoverage(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	heard := s.listen("/coverage/events?role=ground", "")
	var c CoverageChange
	first, name := heard.hear(&c)
	equal(t, "event", name, "coverage")
	equal(t, "all lines", len(c.Lines), 1)
	before := c.Lines[0].Supply
	// changes nothing of ground
	l.offer("GBR", 5, func(o *events.PledgeOffered) { o.Role, o.Unit = "air", "aircraft" })
	seq := l.offer("GBR", 7).seq
	c = CoverageChange{}
	id, _ := heard.hear(&c)
	equal(t, "id", id, number(seq))
	n, _ := before.Number()
	equal(t, "supply", c.Lines[0].Supply.String(), number(n+7))
	equal(t, "as of", c.AsOf, seq)

	c = CoverageChange{}
	id, _ = s.listen("/coverage/events?role=ground", first).hear(&c)
	equal(t, "what changed while away", fmt.Sprint(id, " ", len(c.Lines)), fmt.Sprint(seq, " 1"))
}

// When a day begins, it is told, and so it is to a client that was told of another day.
func TestLiveMidnight(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	var now atomic.Int64
	now.Store(today.UnixNano())
	s.service.Now = func() time.Time { return time.Unix(0, now.Load()) }
	s.service.heartbeat = time.Millisecond
	heard := s.listen("/coverage/events", "")
	fixed := s.listen("/coverage/events?on=2026-01-20", "")
	var c CoverageChange
	seen, _ := heard.hear(&c)
	equal(t, "on", c.On, 2026_01_20)
	all := len(c.Lines)
	fixed.hear(&c)
	now.Store(today.AddDate(0, 0, 1).UnixNano())
	c = CoverageChange{}
	id, _ := heard.hear(&c)
	equal(t, "after midnight", fmt.Sprint(id, " ", c.On), seen+" 2026-01-21")
	c = CoverageChange{}
	s.listen("/coverage/events", seen).hear(&c)
	equal(t, "told anew", fmt.Sprint(c.On, " ", len(c.Lines)), fmt.Sprint("2026-01-21 ", all))
	seq := l.offer("GBR", 7).seq
	id, _ = fixed.hear(&c)
	equal(t, "of one day, only a record makes an event", id, number(seq))
}

// A client that comes back to another ledger is told so: at once where it says which one it has
// left, and else when the record that it has seen does not come. It never waits in silence.
func TestLiveOfAnotherLedger(t *testing.T) {
	t.Parallel()
	l := newRound(t)
	s := newServer(t, l.testLog)
	s.service.lag = 10 * time.Millisecond
	first := told[Ledger](s, "ledger", "").First
	other := told[Ledger](newServer(t, newRound(t).testLog), "ledger", "").First
	if len(first) != 64 || first == other {
		t.Fatalf("the ledgers are told by %s and %s", first, other)
	}
	ask := func(path, seen string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, s.url+Root+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Last-Event-ID", seen)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	beyond := number(l.Last() + 5)
	for _, stream := range []string{"/records/events", "/coverage/events"} {
		for _, test := range []struct {
			query, seen, says string
			status            int
		}{
			{"?ledger=" + other, "1", "this is another ledger", http.StatusConflict},
			{"?ledger=" + other, "", "this is another ledger", http.StatusConflict},
			{"", beyond, "and is another one, or this server lags far behind", http.StatusConflict},
			{"?ledger=" + first, beyond, "this server lags", http.StatusServiceUnavailable},
			{"?ledger=x", "1", "write the hash", http.StatusUnprocessableEntity},
		} {
			status, body := ask(stream+test.query, test.seen)
			if status != test.status || !strings.Contains(body, test.says) {
				t.Errorf("%s%s after %s: %d %s", stream, test.query, test.seen, status, body)
			}
		}
		s.listen(stream+"?ledger="+first, number(l.Last())).stop()

		// A client that says no more than the id of the last event comes back to a ledger as long.
		ours, theirs := "1-"+first[:12], "1-"+other[:12]
		s.listen(stream, ours).stop()
		for id, says := range map[string]string{theirs: "this is another ledger",
			"1-x": "none of this server's"} {
			if status, body := ask(stream, id); status == http.StatusOK ||
				!strings.Contains(body, says) {
				t.Errorf("%s after %s: %d %s", stream, id, status, body)
			}
		}
		if status, body := ask(stream, number(l.Last()+5)+"-"+first[:12]); status !=
			http.StatusServiceUnavailable {
			t.Errorf("%s on a server that lags: %d %s", stream, status, body)
		}
	}
	s.service.lag = patient // a record that comes in time is waited for
	heard := make(chan *listener, 1)
	seen := l.Last() + 2
	go func() { heard <- s.listen("/records/events", number(seen)) }()
	s.waiting(seen-1, 1)
	l.offer("GBR", 6)
	l.offer("GBR", 7)
	next := l.offer("GBR", 8).seq
	var r Record
	id, _ := soon(t, heard).hear(&r)
	equal(t, "what comes after a lag", id, number(next))
	again := s.listen("/records/events?from=1", "")
	again.hear(&r)
	equal(t, "the id of an event", again.id, "1-"+first[:12])
}

func TestLiveRefuses(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	for path, want := range map[string]int{"/records/events?type=cheese": 400,
		"/coverage/events?rung=top&on=x": 422, "/coverage/events?as_of=3": 400,
		"/records/events?limit=3": 400} {
		status, _, _, body := s.fetch(path, "")
		if status != want || !strings.Contains(body, `"errors"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for i := range MaxStreams {
		if _, err := s.service.slots.streams.Acquire(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	status, _, _, body := s.fetch("/records/events", "")
	if status != http.StatusServiceUnavailable ||
		!strings.Contains(body, "as many live streams under way as it takes") {
		t.Errorf("too many: %d %s", status, body)
	}
}

// When the server stops, streams end.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	s := newServer(t, newRound(t).testLog)
	heard := s.listen("/records/events", "")
	s.service.Stop()
	for heard.lines.Scan() {
	}
	if err := heard.lines.Err(); err != nil {
		t.Error(err)
	}
}
