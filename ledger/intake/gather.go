package intake

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
)

const (
	// requestsAtATime is how many requests of a Gatherer are under way, of each kind. A server
	// works on as many full batches of one client.
	requestsAtATime = 4
	// gatheredBytes is the most bytes of the notes in a batch, unless a single one has more: a
	// server reads so much of any request, also where it waits with longer ones.
	gatheredBytes = 48 << 10
	// aloneAtATime is how many statements of a batch are sent at a time to a server that takes no
	// batches.
	aloneAtATime = 16
)

// A Gatherer is a Submitter that sends what waits to be submitted, or checked, at a time in few
// requests: where one statement comes by itself, it goes by itself, and where many callers wait,
// what has gathered goes when an earlier request is answered. Each caller has the answer to its own
// statement. Of a server that is older and takes no batches it asks the same one by one.
//
// It may be called concurrently, and is meant to be. Who submits after the answer to another
// statement finds that recorded, as ever.
type Gatherer struct {
	submits lane[Receipt]
	checks  lane[Checked]
}

// Gather returns a Gatherer that sends to a server.
func Gather(to Batcher) *Gatherer {
	return &Gatherer{lane[Receipt]{one: to.Submit, many: to.SubmitBatch},
		lane[Checked]{one: to.Check, many: to.CheckBatch}}
}

// Submit implements [Submitter].
func (g *Gatherer) Submit(ctx context.Context, s events.Signed) (Receipt, error) {
	return g.submits.do(ctx, s)
}

// Check implements [Submitter].
func (g *Gatherer) Check(ctx context.Context, s events.Signed) (Checked, error) {
	return g.checks.do(ctx, s)
}

// A lane is where statements wait that are sent to the same end.
type lane[T any] struct {
	one  func(context.Context, events.Signed) (T, error)
	many func(context.Context, []events.Signed) ([]Outcome[T], error)

	older atomic.Bool // the server takes no batches

	mu       sync.Mutex
	waiting  []*waiter[T]
	underWay int
}

// A waiter waits for the answer to a statement.
type waiter[T any] struct {
	ctx    context.Context
	signed events.Signed
	done   chan struct{} // is closed when there is the answer
	answer T
	err    error
}

func (w *waiter[T]) end(answer T, err error) {
	w.answer, w.err = answer, err
	close(w.done)
}

func (l *lane[T]) do(ctx context.Context, s events.Signed) (answer T, err error) {
	w := &waiter[T]{ctx: ctx, signed: s, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	if l.underWay < requestsAtATime {
		l.underWay++
		go l.work()
	}
	l.mu.Unlock()
	select {
	case <-w.done:
		return w.answer, w.err
	case <-ctx.Done():
		return answer, problem.New(problem.Unavailable, "no answer was waited for: %w",
			context.Cause(ctx)).WithHint("%s", askAgain)
	}
}

// work sends what waits until nothing does.
func (l *lane[T]) work() {
	for {
		next := l.next()
		if len(next) == 0 {
			return
		}
		l.send(next)
	}
}

// next takes what is sent next, in its order: nothing ends the work.
func (l *lane[T]) next() (batch []*waiter[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes := 0
	for len(l.waiting) > 0 && len(batch) < events.MaxBatch {
		w := l.waiting[0]
		if bytes += len(w.signed.Note); bytes > gatheredBytes && len(batch) > 0 {
			break
		}
		l.waiting = l.waiting[1:]
		if w.ctx.Err() == nil { // else nobody waits any more
			batch = append(batch, w)
		}
	}
	if len(batch) == 0 {
		l.underWay--
	}
	return batch
}

func (l *lane[T]) send(batch []*waiter[T]) {
	if len(batch) == 1 || l.older.Load() {
		l.sendAlone(batch)
		return
	}
	all := make([]events.Signed, len(batch))
	for i, w := range batch {
		all[i] = w.signed
	}
	ctx, end := ofAll(batch)
	outcomes, err := l.many(ctx, all)
	end()
	switch {
	case problem.Is(err, problem.NotFound):
		l.older.Store(true)
		l.sendAlone(batch)
	case problem.Is(err, problem.TooLarge): // the request, or what answers it
		l.sendAlone(batch)
	default:
		answerAll(batch, outcomes, err)
	}
}

// sendAlone sends statements one by one, some at a time.
func (l *lane[T]) sendAlone(batch []*waiter[T]) {
	var working errgroup.Group
	working.SetLimit(aloneAtATime)
	for _, w := range batch {
		working.Go(func() error {
			w.end(l.one(w.ctx, w.signed))
			return nil
		})
	}
	_ = working.Wait() // each error was answered
}

// ofAll returns the context of a request that is for several: it ends when none of them waits.
func ofAll[T any](batch []*waiter[T]) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(batch[0].ctx))
	var waiting atomic.Int64
	waiting.Store(int64(len(batch)))
	stops := make([]func() bool, len(batch))
	for i, w := range batch {
		stops[i] = context.AfterFunc(w.ctx, func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// answerAll gives each who waits what became of its statement.
func answerAll[T any](batch []*waiter[T], outcomes []Outcome[T], err error) {
	if err == nil && len(outcomes) != len(batch) {
		err = problem.New(problem.Internal, "the server was sent %d statements, and has answered "+
			"%d", len(batch), len(outcomes)).WithHint("%s", askAgain)
	}
	for i, w := range batch {
		var none T
		switch {
		case err != nil:
			w.end(none, err)
		case outcomes[i].Problem != nil:
			w.end(none, outcomes[i].Problem)
		case outcomes[i].Answer != nil:
			w.end(*outcomes[i].Answer, nil)
		default:
			w.end(none, problem.New(problem.Internal, "the server has answered nothing to one of "+
				"the statements that it was sent").WithHint("%s", askAgain))
		}
	}
}
