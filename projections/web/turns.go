package web

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Turns are what questions have while they calculate. There is one fewer than processors, so that
// one is always there for statements and for whatever else comes. Go's scheduler looks for what has
// come over the network where a processor has nothing to do; while all have a question, it does so
// every ten milliseconds, and a statement waits as long at each step.
//
// A turn is given back while a question waits for a record, or for its client to read.
type turns struct {
	free chan struct{} // has an entry for each that nobody has; those who wait are served in order
}

func newTurns(n int) *turns {
	t := &turns{make(chan struct{}, n)}
	for range n {
		t.free <- struct{}{}
	}
	return t
}

// processors are the turns of all services of the process.
var processors = newTurns(max(1, runtime.GOMAXPROCS(0)-1))

// A turn is that of one question. The zero value is of one that needs none.
type turn struct {
	of *turns // nil for none

	mu     sync.Mutex
	wanted bool // between take and give
	has    bool // wanted, and not waited for in vain
	since  time.Time
}

// take waits until the question has its turn, or for as long as its patience goes: then it goes on
// all the same, since those who have one may be stuck.
func (t *turn) take(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wanted = t.of != nil; t.wanted {
		t.await(ctx)
	}
}

// give gives the turn back, and reports whether there was one, or one was waited for.
func (t *turn) give() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release()
	was := t.wanted
	t.wanted = false
	return was
}

// pass lets those go first who wait for a turn, where this question has had its own for a while.
func (t *turn) pass(ctx context.Context) {
	if !t.mu.TryLock() {
		return // another goroutine of the question does this
	}
	defer t.mu.Unlock()
	if t.wanted && time.Since(t.since) >= turnTime {
		t.release()
		t.await(ctx)
	}
}

func (t *turn) await(ctx context.Context) {
	late := time.NewTimer(turnPatience)
	defer late.Stop()
	select {
	case <-t.of.free:
		t.has = true
	case <-late.C:
	case <-ctx.Done(): // it ends where it looks at its context next
	}
	t.since = time.Now()
}

func (t *turn) release() {
	if t.has {
		t.has = false
		t.of.free <- struct{}{}
	}
}
