package projections

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"muster/events/problem"
)

// A Budget bounds what one question may cost, with all the questions that it is made of. A member
// that is zero bounds nothing. How long it may take is the deadline of its context.
type Budget struct {
	// Rows is how many pledges, versions of pledges and days of requirement lines are looked at.
	// A million take from 10 milliseconds to some tenths of a second, by what is asked of each.
	Rows int
	// Bytes is how much memory the answer takes until it is written, roughly.
	Bytes int
	// Pool is what all questions together may take; nil for no bound.
	Pool *Pool
}

// A Pool bounds how much memory all answers that are made at a time take together, so that one may
// be large while not all are. It may be used concurrently.
type Pool struct {
	Most int64 // bytes
	used atomic.Int64
}

// WithBudget returns a context in which the questions asked cost no more than b together. One that
// would cost more ends with a [problem.TooMuch] that says how to ask for less, and one for which
// there is no room beside others with a [problem.Unavailable]. What it takes of the pool goes back
// when ctx ends.
func WithBudget(ctx context.Context, b Budget) context.Context {
	m := &meter{budget: b}
	if b.Pool != nil {
		context.AfterFunc(ctx, m.giveBack)
	}
	return context.WithValue(ctx, meterKey{}, m)
}

type meterKey struct{}

// A meter counts what a question costs while it is answered, and says when it has to end: because
// the one who asked has gone, the time is over, or the budget is used up. It belongs to the one
// goroutine that answers.
//
// What loops over rows spends them as it goes and leaves its loop when spend says no; the question
// then answers with err, and what was counted up to there is thrown away.
type meter struct {
	ctx         context.Context
	budget      Budget
	rows, bytes int
	mu          sync.Mutex
	taken       int64 // of the pool
	// What was taken is given back: a question that has not noticed yet takes no more.
	over    bool
	look    int  // after how many rows the context is looked at again
	locked  bool // a lock is held: see whileLocked
	stopped error
}

// lookEvery is how many rows pass between two looks at the context. There a question gives way to
// whatever else can run, and whoever has made the context may have it wait for its turn.
const lookEvery = 1024

// meterOf returns the meter of the question that ctx is of.
func meterOf(ctx context.Context) *meter {
	m, ok := ctx.Value(meterKey{}).(*meter)
	if !ok {
		m = &meter{}
	}
	m.ctx = ctx
	m.check()
	return m
}

// metered returns the picture for one question, which ctx meters.
func (p *Picture) metered(ctx context.Context) *Picture {
	other := *p
	other.meter = meterOf(ctx)
	return &other
}

// spend counts rows, and reports whether to go on. What is done without a question is not metered.
func (m *meter) spend(rows int) bool {
	if m == nil {
		return true
	}
	m.rows += rows
	if m.look -= rows; m.look <= 0 {
		m.check()
	}
	return m.stopped == nil
}

// How many bytes a row of an answer takes, with the names, the sentence and the records that belong
// to it, and what is thrown away while it is made: measured with 20,000 pledges, and rounded up.
const (
	countedRow  = 512     // a pledge that counts
	answerRow   = 1 << 10 // a pledge, or what is said of one
	comparedRow = 4 << 10 // a pledge at two moments, with all that has changed it
)

// hold counts rows of an answer, of so many bytes each, and reports whether to go on.
func (m *meter) hold(rows, each int) bool { return m.keep(rows*each) && m.spend(rows*foldCost) }

// keep counts bytes that an answer takes, and reports whether to go on.
func (m *meter) keep(bytes int) bool {
	if m == nil {
		return true
	}
	m.bytes += bytes
	if m.budget.Bytes > 0 && m.bytes > m.budget.Bytes {
		m.check()
	}
	if pool := m.budget.Pool; pool != nil && m.stopped == nil {
		if m.take(pool, int64(bytes)) > pool.Most && bytes > 0 {
			m.stopped = problem.New(problem.Unavailable,
				"the server makes other large answers now").
				WithHint("ask again in a moment, or for less")
		}
	}
	return m.stopped == nil
}

// take takes bytes of the pool, and returns how many are taken of it in all.
func (m *meter) take(pool *Pool, bytes int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return 0
	}
	m.taken += bytes
	return pool.used.Add(bytes)
}

// giveBack gives back what was taken of the pool.
func (m *meter) giveBack() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.budget.Pool.used.Add(-m.taken)
	m.over = true
}

// letGo takes back what was kept since so many bytes were: an answer of which little was needed.
func (m *meter) letGo(before int) { m.keep(before - m.bytes) }

// check looks whether the question has to end.
func (m *meter) check() {
	m.look = lookEvery
	if !m.locked {
		runtime.Gosched()
	}
	switch {
	case m.stopped != nil:
	case !m.locked && m.ctx.Err() != nil:
		m.stopped = ending(m.ctx)
	case m.budget.Rows > 0 && m.rows > m.budget.Rows:
		m.stopped = tooMuch("it would look at more than %d rows", m.budget.Rows)
	case m.budget.Bytes > 0 && m.bytes > m.budget.Bytes:
		m.stopped = tooMuch("its answer would take more than %d MB", m.budget.Bytes>>20)
	}
}

// whileLocked does something with a lock that other questions want, for one pass over the rows. The
// context is not looked at meanwhile: whoever waits for the lock may have the turn.
func (m *meter) whileLocked(do func()) {
	if m == nil {
		do()
		return
	}
	m.locked = true
	defer func() { m.locked = false }()
	do()
}

// err returns why the question has to end, nil while it may go on.
func (m *meter) err() error { return m.stopped }

// ending says why a context has ended: as who ended it says, or that its time is over.
func ending(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return tooMuch("it takes longer than it may")
	}
	return cause
}

func tooMuch(format string, args ...any) error {
	return problem.New(problem.TooMuch, "this question costs too much: %s",
		fmt.Sprintf(format, args...)).
		WithHint("ask for less") // whoever knows the question says of what
}
