package web

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"muster/events/problem"
)

// Slots bound how much is done at a time: so much in all, and of that a share for one client. Who
// asks for more waits, first for the client's own share and only then for all others', so that the
// queue of one client is never before another one's.
type Slots struct {
	what     string        // has a slot, for messages: "questions"
	patience time.Duration // how long a request waits for a slot; 0 for not at all
	share    int64
	all      *semaphore.Weighted

	mu      sync.Mutex
	clients map[string]*shareOf

	overShare, overAll *atomic.Uint64
}

// A shareOf is one client's share of slots, while it asks for any.
type shareOf struct {
	slots *semaphore.Weighted
	users int64 // requests that have a slot or wait for one
}

func (b *Bites) slots(what string, total, share int64, patience time.Duration) *Slots {
	return &Slots{what: what, patience: patience, share: share, all: semaphore.NewWeighted(total),
		clients: map[string]*shareOf{}, overShare: &b.Share, overAll: &b.Slots}
}

// Acquire takes a slot for a client and returns what gives it back, or says why there is none.
func (s *Slots) Acquire(ctx context.Context, client string) (release func(), err error) {
	return s.AcquireSome(ctx, client, 1)
}

// AcquireSome is Acquire for what takes several slots at once, and no more than one client's share.
func (s *Slots) AcquireSome(ctx context.Context, client string, n int64) (release func(),
	err error) {
	own := s.enter(client)
	if own == nil {
		return nil, s.refuse(s.overShare, problem.Busy,
			"this client has %d %s under way, and more waiting", s.share, s.what)
	}
	waiting, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if !s.take(waiting, own.slots, n) {
		s.leave(client, own)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, s.refuse(s.overShare, problem.Busy,
			"this client has %d %s under way: no more are taken of one client", s.share, s.what)
	}
	if !s.take(waiting, s.all, n) {
		own.slots.Release(n)
		s.leave(client, own)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, s.refuse(s.overAll, problem.Unavailable,
			"the server has as many %s under way as it takes", s.what)
	}
	return sync.OnceFunc(func() {
		s.all.Release(n)
		own.slots.Release(n)
		s.leave(client, own)
	}), nil
}

// take waits for so many of the slots, or does not where nobody is to wait.
func (s *Slots) take(ctx context.Context, from *semaphore.Weighted, n int64) bool {
	if s.patience == 0 {
		return from.TryAcquire(n)
	}
	return from.Acquire(ctx, n) == nil
}

// enter returns a client's share, nil when too many of its requests wait already.
func (s *Slots) enter(client string) *shareOf {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.clients[client]
	if own == nil {
		own = &shareOf{slots: semaphore.NewWeighted(s.share)}
		s.clients[client] = own
	}
	if own.users >= s.share+maxQueue {
		return nil
	}
	own.users++
	return own
}

// leave forgets a client that asks for nothing any more.
func (s *Slots) leave(client string, own *shareOf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(s.clients, client)
	}
}

func (s *Slots) refuse(bite *atomic.Uint64, k problem.Kind, format string, args ...any) error {
	bite.Add(1)
	return problem.New(k, format, args...).WithHint("ask again in %d seconds", retryAfter)
}

// retryAfter is after how many seconds a client is told to come back.
const retryAfter = 5

var retryAfterText = fmt.Sprint(retryAfter)

// openSlots makes the slots of a service: see the table of limits.
func (s *Service) openSlots() {
	b := s.Bites
	s.slots.short = b.slots("questions", questionSlots, questionShare, maxSlotWait)
	s.slots.long = b.slots("long questions", longSlots, longShare, maxSlotWait)
	s.slots.statements = b.slots("statements", statementSlots, statementShare, maxSlotWait)
	s.slots.files = b.slots("long lists as files", fileSlots, fileShare, maxSlotWait)
	s.slots.waits = b.slots("waits for a record", waitSlots, waitShare, 0)
	s.slots.streams = b.slots("live streams", MaxStreams, streamShare, 0)
	s.slots.bodies = b.slots("long bodies", bodySlots, bodyShare, maxSlotWait)
	s.slots.messages = b.slots("questions over NATS", messageSlots, messageShare, 0)
}
