package ledger

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"muster/events/problem"
)

// A cause is one of those for which a ledger takes no statements. Several may hold at once; the
// first of them is told.
type cause int

const (
	damaged    cause = iota // the journal is: found after the start, and for good
	held                    // whoever runs the server has it wait: see Ledger.Hold
	unwritable              // what the log is kept in cannot be written: see Ledger.Unwritable
	trouble                 // journal and log could not be brought to the same end
	silent                  // the log does not answer, and nothing was recorded since
	away                    // nobody has asked the log to append, and it could not
	clock                   // this server's is wrong, or that of the log or of the last record
	causes
)

// A health is whether statements can be taken now, and why not. It is the one place where that
// changes, and logs each change once, however many commands meet it.
type health struct {
	last   func() uint64 // the last record in the journal
	log    *slog.Logger
	turned func(taking bool) // hears of each change, too

	each [causes]atomic.Pointer[problem.Problem] // nil for what does not hold
	now  atomic.Pointer[problem.Problem]         // the first of them

	changing sync.Mutex
	since    time.Time // when statements were taken last
}

// err returns why no statement can be taken now, nil while they are.
func (h *health) err() error {
	if p := h.now.Load(); p != nil {
		return p
	}
	return nil
}

// of returns the problem of one cause, nil where it does not hold.
func (h *health) of(c cause) error {
	if p := h.each[c].Load(); p != nil {
		return p
	}
	return nil
}

// set says that a cause holds, and why.
func (h *health) set(c cause, why *problem.Problem) { h.change(c, why, true) }

// clear says that a cause does not hold any more.
func (h *health) clear(c cause) { h.change(c, nil, true) }

// forget says that a cause is not known to hold any more, as far as anybody can tell who has not
// tried to record anything.
func (h *health) forget(c cause) { h.change(c, nil, false) }

func (h *health) change(c cause, why *problem.Problem, sure bool) {
	if why == nil && h.each[c].Load() == nil { // as with nearly every commit
		return
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	h.each[c].Store(why)
	was, now := h.now.Load(), h.first()
	h.now.Store(now)
	switch {
	case was == nil && now == nil:
	case was == nil:
		h.since = time.Now()
		h.log.Error("the ledger takes no statements", h.reasons(now)...)
		h.turned(false)
	case now == nil:
		how := "the ledger takes statements again"
		if !sure {
			how = "the ledger tries to take statements again: none was recorded yet"
		}
		h.log.Warn(how, "last", h.last(), "after", time.Since(h.since).Round(time.Millisecond))
		h.turned(true)
	case was.Detail != now.Detail:
		h.log.Error("the ledger takes no statements, for another reason", h.reasons(now)...)
	}
}

func (h *health) first() *problem.Problem {
	for c := range h.each {
		if p := h.each[c].Load(); p != nil {
			return p
		}
	}
	return nil
}

// reasons are the attributes of a line. The hint of a problem is for the submitter; where somebody
// must look after the server, it is for whoever reads the log.
func (h *health) reasons(why *problem.Problem) []any {
	told := []any{"why", why.Detail, "last", h.last()}
	var parted *divergence
	var w *waiting
	switch {
	case errors.As(why, &parted):
		return append(told, "sequence", parted.sequence, "remedy", why.Hint)
	case errors.As(why, &w):
		return append(told, "remedy", why.Hint)
	case why == h.each[damaged].Load() && why.Hint != "", why == h.each[clock].Load(),
		why == h.each[held].Load(), why == h.each[unwritable].Load():
		return append(told, "remedy", why.Hint)
	}
	return told
}
