package ledger

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/events/problem"
)

// What the appender does when the log has said no, or nothing, and to find out by itself that it is
// well again. All of it runs in the appender's goroutine.

// beatEvery is how often the log is asked whether it can be reached, and peers that have not
// answered.
const beatEvery = 2 * time.Second

// reach looks whether the clocks agree, and whether the log can be appended to, where it tells:
// those who go by Healthy shall not have to wait for somebody who submits.
func (l *Ledger) reach() {
	l.tellClock()
	log, tells := l.cfg.Log.(Reachable)
	if !tells {
		return
	}
	if err := log.Reached(); err != nil {
		l.health.set(away, l.failure(err))
	} else {
		l.health.clear(away)
	}
}

// follow takes in what other servers have appended.
func (l *Ledger) follow() {
	l.behind = true
	if time.Now().After(l.retryAt) {
		l.recover(l.flush())
	}
}

// hear asks the peers again, if there is still something to be asked.
func (l *Ledger) hear() {
	var parted *divergence
	if l.doubt != nil && l.behind && !errors.As(l.Healthy(), &parted) {
		l.recover(l.flush())
	}
}

// heal looks whether the log is well again, when nobody submits: those who go by Healthy would not.
// Whether it takes records again, only a record can tell; so after a while it counts as well. That
// two histories have parted does not heal by waiting.
func (l *Ledger) heal() {
	if time.Since(l.silentAt) >= saveEvery {
		l.health.forget(silent)
	}
	var parted *divergence
	if l.behind && !errors.As(l.Healthy(), &parted) {
		l.follow()
	}
}

// flush waits until the committer has dealt with everything in flight, and returns what could not
// be committed, in order.
func (l *Ledger) flush() []*group {
	l.send()
	reply := make(chan []*group, 1)
	l.queue <- &group{barrier: reply}
	failed := <-reply
	select { // the fault that led here, or that came on the way, is dealt with
	case <-l.faults:
	default:
	}
	l.behind = l.behind || failed != nil
	return failed
}

func entriesOf(groups []*group) (entries []*entry) {
	for _, g := range groups {
		entries = append(entries, g.entries...)
	}
	return entries
}

// recover takes back from the state what could not be committed, learns what the log holds instead,
// and decides again.
func (l *Ledger) recover(groups []*group) {
	failed := entriesOf(groups)
	for _, e := range slices.Backward(failed) {
		if e.isRecord() {
			e.undo()
		}
	}
	clear(l.inFlight)
	l.before = nil
	l.underWay.Store(0) // what is not in the journal now comes there only when it is read again
	if err := l.catchUpUnbroken(context.Background()); err != nil {
		l.behind = true
		l.health.set(trouble, l.failure(err))
		l.retryAt = time.Now().Add(retryAfter)
		for _, e := range failed {
			e.command.answer(Receipt{}, l.Healthy())
		}
		return
	}
	l.behind, l.retryAt = false, time.Time{}
	l.health.clear(trouble)
	if silence := silenceOf(groups); silence != nil {
		l.giveUp(failed, l.failure(silence))
		return
	}
	for _, e := range failed {
		if e.command.attempts++; e.command.attempts > maxAttempts {
			e.command.answer(Receipt{}, l.failure(ErrLostRace))
			continue
		}
		l.decide(e.command, true) // it may be recorded by now: then its first receipt answers it
		if len(l.group) == groupMost {
			l.send()
		}
	}
	l.send()
}

// silenceOf counts for which commands the log gave no answer, and returns the error when that was
// too often for one of them. A log that can be read and yet does not answer may have no space left.
func silenceOf(failed []*group) (silence error) {
	for _, g := range failed {
		if g.ack == nil {
			continue
		}
		err := g.ack.Wait()
		if err == nil || errors.Is(err, ErrLostRace) {
			continue
		}
		for _, e := range g.entries {
			if !e.isRecord() {
				continue
			}
			if e.command.silence++; e.command.silence >= maxSilence && silence == nil {
				silence = err
			}
		}
	}
	return silence
}

// giveUp answers commands that the log does not take, but for those that turn out to be recorded.
func (l *Ledger) giveUp(failed []*entry, why *problem.Problem) {
	why = why.WithHint("send the same statement again later: it counts once; if this lasts, " +
		"look whether the NATS server has space left on its disk, and start it anew if it is not " +
		"the one inside this program")
	l.health.set(silent, why)
	l.silentAt = time.Now()
	for _, e := range failed {
		if answered, _ := l.known(e.command); !answered {
			e.command.answer(Receipt{}, why)
		}
	}
}

// How long commands are refused at once after the log could not be read, before it is tried again.
const retryAfter = 500 * time.Millisecond

// Unheard is the code of a problem of kind Unavailable: nothing is recorded until the other servers
// of a cluster were heard, which may be in a moment.
const Unheard = "others-unheard"

// failure tells a submitter why nothing can be recorded now.
func (l *Ledger) failure(err error) *problem.Problem {
	var d *divergence
	if errors.As(err, &d) {
		return problem.New(problem.Unavailable, "the ledger has stopped: %w", err).
			WithHint("%s", d.remedy)
	}
	var w *waiting
	if errors.As(err, &w) {
		return problem.New(problem.Unavailable, "nothing is recorded until other servers were "+
			"heard: %w", err).WithCode(Unheard).WithHint("%s", w.remedy)
	}
	return problem.New(problem.Unavailable, "nothing can be recorded now: %w", err).
		WithHint("send the same statement again in a moment: it counts once, however often it " +
			"is sent")
}
