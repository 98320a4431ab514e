package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Clients can have lines written to the log as often as they like: a request that panics, a TLS
// handshake that breaks off, an answer that NATS may not deliver. So that no client fills a disk
// with them, or hides in them what somebody should see, each message is told logBurst times, then
// once in logEvery, and with how many more there were. The message is the same whoever caused it:
// what varies is in the attributes.
const (
	logBurst = 10
	logEvery = 10 * time.Second
)

// sparing returns a logger that tells so much of each message, to log.
func sparing(log *slog.Logger) *slog.Logger {
	return slog.New(sparingHandler{log.Handler(), &messages{by: map[message]*told{}}})
}

// sparedBy returns how many lines a logger that sparing has made has not told.
func sparedBy(log *slog.Logger) uint64 {
	return log.Handler().(sparingHandler).messages.spared.Load()
}

// A sparingHandler hands on to the handler what is not too much.
type sparingHandler struct {
	slog.Handler
	messages *messages
}

type messages struct {
	spared atomic.Uint64 // lines that were not told
	mu     sync.Mutex
	by     map[message]*told // as many as the program has
}

type message struct {
	level slog.Level
	text  string
}

// A told message is one that was told before.
type told struct {
	limit *rate.Limiter
	more  int // were not told since
}

// Handle implements slog.Handler.
func (h sparingHandler) Handle(ctx context.Context, r slog.Record) error {
	if !h.messages.take(message{r.Level, r.Message}, h.Handler) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// take reports whether to tell a message now. Of what is not told, how often it was is told in a
// while.
func (m *messages) take(what message, to slog.Handler) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.by[what]
	if one == nil {
		one = &told{limit: rate.NewLimiter(rate.Every(logEvery), logBurst)}
		m.by[what] = one
	}
	if one.more == 0 && one.limit.Allow() {
		return true
	}
	m.spared.Add(1)
	if one.more++; one.more == 1 {
		time.AfterFunc(logEvery, func() { m.tellMore(what, to) })
	}
	return false
}

// tellMore tells how often a message was not told.
func (m *messages) tellMore(what message, to slog.Handler) {
	m.mu.Lock()
	one := m.by[what]
	more := one.more
	one.more = 0
	m.mu.Unlock()
	slog.New(to).Log(context.Background(), what.level, what.text, "more", more)
}

// WithAttrs implements slog.Handler.
func (h sparingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparingHandler{h.Handler.WithAttrs(attrs), h.messages}
}

// WithGroup implements slog.Handler.
func (h sparingHandler) WithGroup(name string) slog.Handler {
	return sparingHandler{h.Handler.WithGroup(name), h.messages}
}

// A lineLog is a writer for a log.Logger: what others write of clients becomes one message.
type lineLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l lineLog) Write(line []byte) (int, error) {
	l.log.Warn("http: a connection", "says", string(line))
	return len(line), nil
}
