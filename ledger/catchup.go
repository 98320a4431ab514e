package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// A divergence is a difference between journal and log that does not heal by waiting.
type divergence struct {
	sequence uint64
	what     string
	remedy   string
}

func (d *divergence) Error() string { return fmt.Sprintf("at sequence %d %s", d.sequence, d.what) }

const (
	remedyAway = "see that the NATS nodes run, reach each other and have chosen who leads, and " +
		"start this server again: nothing was written"
	remedyLost = "change nothing in the folder. A stream of the server's own is made anew by " +
		"itself. Of an outside NATS server or cluster: where no node has the messages any more, " +
		"start all servers of the ledger once with --restore-stream: the one with the longest " +
		"journal takes in what goes on from it, keeps a copy of the stream, and makes it anew"
	remedyParted = "nothing was written: find out which of the two was altered or put back from " +
		"an old copy, and put the right one in its place; where the journal is right, start all " +
		"servers of the ledger once with --restore-stream: they make sure that they agree, keep " +
		"a copy of the stream, and make it anew from the journal"
	remedyRecord = "something that is not Muster has published into the ledger's subjects: take " +
		"that right away in NATS, and start all servers of the ledger once with " +
		"--restore-stream, which keeps a copy of the stream and makes it anew from the journal"
	remedyJournals = "nothing was written: find out which of the two was altered, put back from " +
		"an old copy, or wrote on without the other, and keep both folders: what only one of " +
		"them holds is nowhere else"
)

// reconcile brings journal and log to the same end before the first statement is taken: where the
// log is behind it gets back what it lost, where it is ahead the journal follows, and where they
// part the ledger does not start. To wait for other servers is no error.
func (l *Ledger) reconcile(ctx context.Context) error {
	if _, err := l.cfg.Log.Last(ctx); err != nil {
		remedy := remedyAway
		if errors.Is(err, ErrLost) {
			remedy = remedyLost
		}
		return problem.New(problem.Unavailable, "the ledger's log cannot be used: %w", err).
			WithHint("%s", remedy)
	}
	err := l.catchUp(ctx)
	if l.waiting {
		l.behind = true
		l.health.set(trouble, l.failure(err))
		return nil
	}
	var d *divergence
	if errors.As(err, &d) {
		return problem.New(problem.Unavailable, "the ledger cannot start: %w", err).
			WithHint("%s", d.remedy)
	}
	if p := problem.From(err); p != nil && p.Kind == problem.Internal {
		return problem.New(problem.Unavailable, "the ledger cannot start: %w", err).
			WithHint("leave the journal as it is. If the log has lost what this journal does " +
				"not have: start another server of the ledger that has it, which puts it back, " +
				"and then this one again")
	}
	return err
}

var errEnough = errors.New("enough was read")

// parting goes through journal and log from the beginning to say where they part.
func (l *Ledger) parting(ctx context.Context, to uint64) error {
	parted, _, err := l.sameAt(ctx, 1, to)
	if err != nil || parted == 0 {
		return err
	}
	return &divergence{parted, "the journal and the stream hold different records", remedyParted}
}

// sameAt returns the first sequence in from..to at which journal and log differ, or 0, and whether
// the log goes to to.
func (l *Ledger) sameAt(ctx context.Context, from,
	to uint64) (parted uint64, whole bool, err error) {
	err = l.cfg.Log.Read(ctx, from, func(m Message) error {
		same, err := l.inJournal(m)
		if err != nil {
			return err
		}
		if !same {
			parted = m.Sequence
		}
		if whole = m.Sequence == to; whole || !same {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return parted, whole, err
}

// inJournal reports whether the journal has the message at its sequence, byte for byte.
func (l *Ledger) inJournal(m Message) (bool, error) {
	rec, err := l.cfg.Journal.Record(m.Sequence)
	return err == nil && bytes.Equal(rec.Stored, m.Data), err
}

// putBack appends to the log what the journal has and the log has lost, after making sure that what
// it still has is the same. Other servers may be doing the same at the same time.
func (l *Ledger) putBack(ctx context.Context) error {
	have := l.cfg.Journal.Last()
	last, err := l.cfg.Log.Last(ctx)
	if err != nil {
		return err
	}
	if left := min(last, have); left > 0 {
		if err := l.meetAt(ctx, left); err != nil {
			return err
		}
	}
	if err := l.appendFrom(last + 1); err != nil {
		return err
	}
	return l.meetAt(ctx, have)
}

// meetAt looks whether journal and log hold the same at a sequence, and if not, where they part.
func (l *Ledger) meetAt(ctx context.Context, at uint64) error {
	parted, whole, err := l.sameAt(ctx, at, at)
	switch {
	case err != nil:
		return err
	case parted > 0:
		return l.parting(ctx, at)
	case !whole:
		return fmt.Errorf("%w: record %d", ErrLost, at)
	}
	return nil
}

// appendFrom appends to the log the journal's records from a sequence on.
func (l *Ledger) appendFrom(from uint64) error {
	var group []Message
	var before Ack
	send := func() error { // and look what became of the group before
		ack := before
		before, group = l.cfg.Log.Append(group, before), nil
		return landed(ack)
	}
	for rec, err := range l.cfg.Journal.Records(from) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if group = append(group, message(rec)); len(group) == groupMost {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(group) > 0 {
		if err := send(); err != nil {
			return err
		}
	}
	return landed(before)
}

// landed waits for the answer to what was put back, if anything was.
func landed(ack Ack) error {
	if ack == nil {
		return nil
	}
	// Another server may be putting back the same.
	if err := ack.Wait(); err != nil && !errors.Is(err, ErrLostRace) {
		return fmt.Errorf("putting back into the log what it lost: %w", err)
	}
	return nil
}

func message(rec events.Record) Message {
	return Message{rec.Sequence, events.Subject(rec.Statement), rec.Stored}
}

// catchUp takes into the state and the journal what the log has and they have not: what other
// servers have appended, and what this one has without learning of it. Everything is checked as if
// it had been submitted here. Reading begins with the journal's last record, since a log that holds
// another one there tells another history; and a log that has lost that record gets back what it
// lost, from the longest journal that there is.
func (l *Ledger) catchUp(ctx context.Context) error {
	if err := l.rewind(); err != nil {
		return err
	}
	have := l.state.Last()
	met := have == 0
	f := newFollower(l)
	err := l.cfg.Log.Read(ctx, max(have, 1), func(m Message) error {
		if met {
			return f.take(m)
		}
		same, err := l.inJournal(m)
		met = same
		if err == nil && !same {
			return errEnough
		}
		return err
	})
	err = f.end(err)
	switch {
	case errors.Is(err, errEnough):
		return l.parting(ctx, have)
	case err != nil:
		return err
	case met:
		l.lookBack(l.state.Last() < l.told)
		return l.certain(ctx)
	}
	l.lookBack(true)
	if err := l.certain(ctx); err != nil {
		return err
	}
	return l.putBack(ctx)
}

// rewind makes sure that the state ends where the journal ends. It does unless a commit failed
// after the log had answered.
func (l *Ledger) rewind() error {
	if l.state.Last() == l.cfg.Journal.Last() {
		return nil
	}
	l.state = rules.NewState()
	for rec, err := range l.cfg.Journal.Records(1) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if err := l.apply(rec); err != nil {
			return err
		}
	}
	return nil
}
