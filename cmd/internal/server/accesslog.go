package server

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
)

// An accessEntry is a line of the access log: who has asked what, and was told how much. It has
// neither a header nor a body of the request, and no token.
type accessEntry struct {
	Time    string            `json:"time"`
	Who     string            `json:"who"` // the name of the key; "" for who had not signed in
	Role    events.MemberRole `json:"role,omitempty"`
	Client  string            `json:"client"` // an address, or a NATS inbox
	Face    string            `json:"face"`   // http or nats
	Method  string            `json:"method"`
	What    string            `json:"what"`
	View    string            `json:"view"` // "" where no view was needed, or none was given
	Status  int               `json:"status"`
	Bytes   int64             `json:"bytes"`
	MS      int64             `json:"ms"`
	Refused string            `json:"refused,omitempty"` // the code or the kind of the problem
}

// A lostEntry is a line that stands where others were lost.
type lostEntry struct {
	Time string `json:"time"`
	Lost uint64 `json:"lost"`
}

// How many lines wait for a disk that is slow, and how long the end of the server waits for it.
const (
	accessQueue = 8192
	accessDrain = 2 * time.Second
)

// An accessLog is written by a goroutine of its own, so that no request waits for a disk: lines
// that it cannot take or write are lost, counted and told of.
type accessLog struct {
	path string // "-" for the standard error
	log  *slog.Logger

	lines   chan []byte
	reopens chan struct{}
	done    chan struct{}
	lost    atomic.Uint64 // that were not told of yet
	ever    atomic.Uint64 // that were lost

	closing sync.RWMutex
	closed  bool

	// Of the goroutine alone.
	to     io.WriteCloser
	failed bool // the last line could not be written
	broken bool // it was in part
}

// newAccessLog opens the file, or the standard error for "-".
func newAccessLog(path string, log *slog.Logger) (*accessLog, error) {
	l := &accessLog{path: path, log: log}
	to, err := l.open()
	if err != nil {
		return nil, problem.New(problem.Usage, "--access-log: %w", err).
			WithHint("name a file in a folder that this server may write to, or - for the " +
				"standard error")
	}
	return newAccessLogTo(to, path, log), nil
}

func newAccessLogTo(to io.WriteCloser, path string, log *slog.Logger) *accessLog {
	l := &accessLog{path: path, log: log, lines: make(chan []byte, accessQueue), to: to,
		reopens: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *accessLog) open() (io.WriteCloser, error) {
	if l.path == "-" {
		return keptOpen{os.Stderr}, nil
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if warning := files.Exposed(l.path); err == nil && warning != "" {
		l.log.Warn(warning)
	}
	return f, err
}

// keptOpen is not this log's to close.
type keptOpen struct{ io.Writer }

// Close implements io.Closer.
func (keptOpen) Close() error { return nil }

// add adds a line, and never waits.
func (l *accessLog) add(e any) {
	line, err := json.Marshal(e)
	if err != nil {
		l.lose(1)
		return
	}
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return
	}
	select {
	case l.lines <- append([]byte(problem.InJSON(string(line))), '\n'):
	default:
		if l.lose(1) == 1 {
			l.log.Warn("the access log is slower than what is asked: lines of it are lost",
				"file", l.path)
		}
	}
}

// lose counts lines that are lost, and returns how many are that were not told of yet.
func (l *accessLog) lose(lines uint64) uint64 {
	l.ever.Add(lines)
	return l.lost.Add(lines)
}

// lostLines is how many were lost since the start.
func (l *accessLog) lostLines() uint64 {
	if l == nil {
		return 0
	}
	return l.ever.Load()
}

// reopen opens the file anew: the old one was moved away.
func (l *accessLog) reopen() {
	select {
	case l.reopens <- struct{}{}:
	default: // it will be, already
	}
}

// close writes what waits, for a while.
func (l *accessLog) close() error {
	l.closing.Lock()
	l.closed = true
	l.closing.Unlock()
	close(l.lines)
	select {
	case <-l.done:
	case <-time.After(accessDrain):
		l.log.Warn("the end of the access log could not be written in time", "file", l.path)
	}
	return nil
}

func (l *accessLog) run() {
	defer close(l.done)
	for {
		select {
		case line, more := <-l.lines:
			if !more {
				l.tellLost()
				_ = l.to.Close()
				return
			}
			l.write(line)
		case <-l.reopens:
			l.openAnew()
		}
	}
}

// openAnew goes on with the old file when there is no new one.
func (l *accessLog) openAnew() {
	to, err := l.open()
	if err != nil {
		l.log.Error("the access log cannot be opened anew: it goes on in the old file",
			"file", l.path, "error", err)
		return
	}
	_ = l.to.Close()
	l.to, l.broken = to, false
}

// maxAccessWrite is how much is written in one go.
const maxAccessWrite = 64 << 10

// write writes a line, with those that wait behind it.
func (l *accessLog) write(lines []byte) {
	for len(lines) < maxAccessWrite {
		select {
		case line, more := <-l.lines:
			if more {
				lines = append(lines, line...)
				continue
			}
		default:
		}
		break
	}
	l.tellLost()
	l.lose(uint64(bytes.Count(l.put(lines), []byte("\n"))))
}

// tellLost says in the log, where lines are missing, how many.
func (l *accessLog) tellLost() {
	n := l.lost.Load()
	line, err := json.Marshal(lostEntry{accessTime(time.Now()), n})
	if n == 0 || err != nil || len(l.put(append(line, '\n'))) > 0 {
		return
	}
	l.lost.Add(-n)
	l.log.Warn("lines of the access log were lost", "lines", n, "file", l.path)
}

// put writes whole lines, and returns what it could not write of them.
func (l *accessLog) put(lines []byte) (rest []byte) {
	n, err := 0, error(nil)
	if l.broken { // which is not counted again
		n, err = l.to.Write([]byte{'\n'})
		l.broken = n == 0
	}
	n = 0
	if err == nil {
		n, err = l.to.Write(lines)
	}
	if n > 0 {
		l.broken = lines[n-1] != '\n'
	}
	switch {
	case err == nil && l.failed:
		l.log.Warn("the access log can be written again", "file", l.path)
	case err != nil && !l.failed:
		l.log.Error("the access log cannot be written: the server goes on, and counts what is lost",
			"file", l.path, "error", err)
	}
	l.failed = err != nil
	return bytes.TrimPrefix(lines[n:], []byte{'\n'}) // a line that lacks but its end is there
}

func accessTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
