package ledger

import (
	"context"
	"errors"
	"time"

	"muster/events/problem"
)

// The scrub reads all of journal and log and compares them, again and again, for what nobody asks
// for can be damaged for years without being noticed. It begins when the server has started.

const (
	// scrubEvery is how long after one comparison has begun the next one does. Each is done within
	// that time, so that what is whole was whole an hour ago at the latest.
	scrubEvery = 30 * time.Minute
	// scrubRest is how many times as long as the scrub reads it rests, where there is time for it.
	scrubRest = 9
	// scrubRetry is how long after a comparison that could not be made the next one begins.
	scrubRetry = 10 * time.Second
	// scrubSure is how long after the log was found damaged it is looked at once more.
	scrubSure = time.Second
)

// A Scrubbing says how the scrub goes.
type Scrubbing struct {
	// Whole is when journal and log were last found to be whole and the same, as
	// [Ledger.Compared] has it.
	Whole Comparison
	// Running says that they are being read, and At is the last record that was compared.
	Running bool
	At      uint64
	// Problem is what was wrong when they were read last; nil for nothing.
	Problem *problem.Problem
}

// Scrubbing returns how the scrub goes.
func (l *Ledger) Scrubbing() Scrubbing {
	s := Scrubbing{}
	if now := l.scrubbing.Load(); now != nil {
		s = *now
	}
	s.Whole = l.Compared()
	return s
}

// scrub compares until ctx ends.
func (l *Ledger) scrub(ctx context.Context) {
	for ctx.Err() == nil {
		begun := time.Now()
		next := begun.Add(l.cfg.ScrubEvery)
		if !l.scrubOnce(ctx, next) {
			next = time.Now().Add(min(scrubRetry, l.cfg.ScrubEvery))
		}
		rest(ctx, time.Until(next))
	}
}

// scrubOnce compares journal and log, and sees to what is wrong. It is done by a time where it can
// be, and reports whether they were compared.
func (l *Ledger) scrubOnce(ctx context.Context, by time.Time) bool {
	last := l.cfg.Journal.Last()
	was := l.Scrubbing().Problem
	l.scrubbing.Store(&Scrubbing{Running: true, Problem: was})
	_, err := l.compare(ctx, func(took time.Duration, at uint64) error {
		l.scrubbing.Store(&Scrubbing{Running: true, At: at, Problem: was})
		left := max(1, (max(last, at)-at)/compareAtOnce)
		rest(ctx, min(scrubRest*took, time.Until(by)/time.Duration(left)-took))
		return ctx.Err()
	})
	if isInLog(err) { // the log may have lost its end meanwhile, and have been given it back
		rest(ctx, min(scrubSure, l.cfg.ScrubEvery))
		_, err = l.compare(ctx, func(time.Duration, uint64) error { return ctx.Err() })
	}
	if err == nil || ctx.Err() != nil {
		l.scrubbing.Store(&Scrubbing{})
		return true
	}
	p := l.scrubbed(ctx, err)
	l.scrubbing.Store(&Scrubbing{Problem: p})
	return false
}

// rest waits, and returns earlier when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// scrubbed sees to what the scrub has found: a log that is damaged is mended where it can be, and
// otherwise nothing is taken any more. What only could not be read now is read again.
func (l *Ledger) scrubbed(ctx context.Context, found error) *problem.Problem {
	switch {
	case problem.Is(found, problem.Unverified): // the journal is damaged
		p := problem.From(found)
		l.health.set(damaged, p)
		return p
	case !isInLog(found):
		return l.failure(found)
	case errors.Is(found, ErrLost) && l.isBehind(ctx):
		l.nudge() // it has lost its end, and is given that back
		return l.failure(found)
	}
	var differs *difference
	another := errors.As(found, &differs) && l.isRecord(differs.Message) // of another history
	p := problem.New(problem.Unavailable, "the stream is damaged: %w", found).
		WithHint("%s", remedyDamaged)
	l.cfg.Faults.Error("the scrub has found the stream damaged", "what", found)
	if l.cfg.Mend != nil && !another {
		err := l.cfg.Mend(ctx, found)
		if err == nil {
			l.Renewed()
			return p
		}
		l.cfg.Faults.Error("the damaged stream could not be made anew", "why", err)
	}
	l.health.set(damaged, p)
	return p
}

const remedyDamaged = "nothing more is recorded until somebody has looked: keep all files; a " +
	"server with a stream of its own makes that anew from its journal when it is started again; " +
	"of a cluster, see to the NATS node that the log names, and where no node has what is lost, " +
	"start all servers of the ledger once with --restore-stream: they keep a copy of the stream " +
	"and make it anew from the longest journal"

// isInLog reports whether an error of a comparison is that the log is damaged.
func isInLog(err error) bool {
	var differs *difference
	return errors.As(err, &differs) || errors.Is(err, ErrLost)
}

// isBehind reports whether the log ends before the journal, and has lost nothing else.
func (l *Ledger) isBehind(ctx context.Context) bool {
	last, err := l.cfg.Log.Last(ctx)
	return err == nil && last < l.cfg.Journal.Last()
}

// nudge has the appender look what the log has.
func (l *Ledger) nudge() {
	select {
	case l.nudges <- struct{}{}:
	default:
	}
}
