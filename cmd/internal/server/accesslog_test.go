package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"muster/events/problem"
)

// A stuck disk takes nothing until it is let go.
type stuck struct {
	free chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.Buffer.Write(p)
}

func (s *stuck) Close() error { return nil }

// A short disk takes so many bytes at a time, until it is given more.
type short struct {
	room int
	bytes.Buffer
}

func (s *short) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.room -= n
	s.Buffer.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (s *short) Close() error { return nil }

// accounted counts the lines of an access log, and what it says of those that it lacks.
func accounted(t *testing.T, text string) (lines, lost int) {
	t.Helper()
	for line := range strings.Lines(text) {
		var l struct {
			Lost *int
			What string
		}
		switch err := json.Unmarshal([]byte(line), &l); {
		case err != nil: // the beginning of one that was lost
		case l.Lost != nil:
			lost += *l.Lost
		case l.What != "":
			lines++
		}
	}
	return lines, lost
}

// Nobody waits for a disk that takes nothing, and every line is there or counted. The log takes no
// longer to end than it may: that time is not this machine's, which may stand still.
func TestAccessLogNeverWaits(t *testing.T) { synctest.Test(t, accessLogNeverWaits) }

func accessLogNeverWaits(t *testing.T) {
	disk := &stuck{free: make(chan struct{})}
	var said bytes.Buffer
	l := newAccessLogTo(disk, "access.log", slog.New(slog.NewTextHandler(&said, nil)))
	const each, askers = accessQueue, 3
	var asking sync.WaitGroup
	for range askers {
		asking.Go(func() {
			for range each {
				l.add(accessEntry{What: "/"})
			}
		})
	}
	asking.Wait()
	close(disk.free)
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	lines, lost := accounted(t, disk.String())
	if lost < askers*each-2*accessQueue || lines+lost != askers*each {
		t.Errorf("%d lines and %d lost are not %d", lines, lost, askers*each)
	}
	if n := strings.Count(said.String(), "slower than what is asked"); n != 1 {
		t.Errorf("that lines are lost was said %d times: %s", n, &said)
	}
	if !strings.Contains(said.String(), "were lost") {
		t.Errorf("how many were lost was not said: %s", &said)
	}
	l.add(accessEntry{What: "/"}) // and nothing breaks afterwards
}

// Whoever reads the log on a terminal reads what was asked, and nothing of it acts.
func TestAccessLogShowsWhatActs(t *testing.T) {
	to := &short{room: 1 << 20}
	l := newAccessLogTo(to, "-", slog.New(slog.DiscardHandler))
	const asked = "/\u009b2J\u202e?a=\x1b]0;x\a\x7f"
	l.add(accessEntry{What: asked})
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	line := to.String()
	var e accessEntry
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.What != asked {
		t.Errorf("%v: it was asked %q, not %q", err, asked, e.What)
	}
	if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), problem.Acts) {
		t.Errorf("a line of the log acts: %q", line)
	}
}

// Wherever a disk is full within a line, the lines that follow are whole, and what is lost is
// counted.
func TestAccessLogOnAFullDisk(t *testing.T) {
	line, err := json.Marshal(accessEntry{What: "/"})
	if err != nil {
		t.Fatal(err)
	}
	for room := range 3 * (len(line) + 1) {
		disk := &short{room: room}
		var said bytes.Buffer
		l := &accessLog{to: disk, log: slog.New(slog.NewTextHandler(&said, nil)),
			lines: make(chan []byte)}
		for range 5 {
			l.write(append(bytes.Clone(line), '\n'))
		}
		disk.room = 1 << 20
		l.write(append(bytes.Clone(line), '\n'))
		if lines, lost := accounted(t, disk.String()); lines+lost != 6 || l.lost.Load() != 0 {
			t.Fatalf("with room for %d bytes, %d lines and %d lost are not 6:\n%s", room,
				lines, lost, disk)
		}
		if n := strings.Count(said.String(), "cannot be written"); n != 1 {
			t.Errorf("it was said %d times: %s", n, &said)
		}
	}
}

// What cannot be opened is told where it was typed.
func TestAccessLogCannotBeOpened(t *testing.T) {
	_, err := newAccessLog(t.TempDir(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "--access-log") ||
		!errors.Is(err, syscall.EISDIR) {
		t.Errorf("%v", err)
	}
}

// No token is repeated that somebody has put into an address.
func TestShownWhat(t *testing.T) {
	token := strings.Repeat("aZ9-_", 9)[:43]
	for what, want := range map[string]string{
		"/api/v1/coverage?operation=mnf-u":    "/api/v1/coverage?operation=mnf-u",
		"/?session=" + token:                  "/?session=…",
		"/?a=" + token + "&b=" + token:        "/?a=…&b=…",
		"/" + token + "/":                     "/…/",
		token:                                 "…",
		"muster.x " + `{"t":"` + token + `"}`: `muster.x {"t":"…"}`,
		"/pledges/01KAQ7Z0V4T5W9J8M3N2P6R1XC": "/pledges/01KAQ7Z0V4T5W9J8M3N2P6R1XC",
		"/?root=" + strings.Repeat("ab", 32):  "/?root=" + strings.Repeat("ab", 32),
	} {
		if got := shownWhat(what); got != want {
			t.Errorf("%q is shown as %q", what, got)
		}
	}
	if got := shownWhat(strings.Repeat("é", maxShownWhat)); len(got) > maxShownWhat+len("…") {
		t.Errorf("%d bytes are shown", len(got))
	}
}
