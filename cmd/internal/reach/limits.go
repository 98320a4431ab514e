package reach

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"muster/events/problem"
)

// Limits are what a server, or what stands before it, may take of whoever asks it: else one that
// sends a byte a second, or sends without end, holds a command for ever. The zero value is none.
type Limits struct {
	// Requests is how many are sent at most, 0 for any number.
	Requests int64
	// Begin is how long an answer may take to begin. It is longer than a question may take.
	Begin time.Duration
	// An answer that has begun sends Least bytes in each Window, or ends.
	Window time.Duration
	Least  int64
}

// Usual are the limits of a command that asks. Each answer has 200 bytes a second at least, as over
// the slowest of satellites.
var Usual = Limits{Requests: 2000, Begin: 100 * time.Second, Window: 20 * time.Second,
	Least: 4 << 10}

// maxAnswerHeader is the most bytes of an answer's headers.
const maxAnswerHeader = 256 << 10

// limited keeps the limits. It may be used concurrently.
type limited struct {
	http.RoundTripper
	Limits
	sent *atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if n := l.sent.Add(1); l.Requests > 0 && n > l.Requests {
		return nil, problem.New(problem.Unavailable,
			"the server has answered %d times, and there is no end of it", l.Requests).
			WithHint("do not rely on it: is there a Muster server at this address, and nothing " +
				"else in between?")
	}
	ctx, stop := context.WithCancelCause(req.Context())
	resp, err := l.RoundTripper.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop(nil)
		return nil, err
	}
	b := &steadyBody{ReadCloser: resp.Body, ctx: ctx, stop: stop, limits: l.Limits}
	if l.Window > 0 {
		b.mu.Lock()
		b.watch = time.AfterFunc(l.Window, b.look)
		b.mu.Unlock()
	}
	resp.Body = b
	return resp, nil
}

// errTooSlow is why a body was ended.
var errTooSlow = errors.New("the answer is too slow")

// A steadyBody ends an answer that does not go on.
type steadyBody struct {
	io.ReadCloser
	ctx    context.Context
	stop   context.CancelCauseFunc
	limits Limits
	came   atomic.Int64 // bytes since the last look

	mu    sync.Mutex
	watch *time.Timer
	ended bool
}

// look ends a body of which too little has come since the last look.
func (b *steadyBody) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	if b.came.Swap(0) < b.limits.Least {
		b.stop(errTooSlow)
		return
	}
	b.watch.Reset(b.limits.Window)
}

// Read implements io.Reader.
func (b *steadyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.came.Add(int64(n))
	if err != nil && err != io.EOF && context.Cause(b.ctx) == errTooSlow {
		err = problem.New(problem.Unavailable,
			"the server sends its answer too slowly: less than %d bytes in %v",
			b.limits.Least, b.limits.Window).
			WithHint("ask again; if this lasts, something between here and the server holds " +
				"answers back, or the server does")
	}
	if err != nil {
		b.end()
	}
	return n, err
}

// Close implements io.Closer.
func (b *steadyBody) Close() error {
	b.end()
	err := b.ReadCloser.Close()
	b.stop(nil)
	return err
}

func (b *steadyBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.watch != nil {
		b.watch.Stop()
	}
}
