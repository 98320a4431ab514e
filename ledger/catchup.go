package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"muster/events"
	"muster/events/problem"
)

// A divergence is a difference between journal and log that does not heal by waiting.
type divergence struct {
	sequence uint64
	what     string
	remedy   string
}

func (d *divergence) Error() string { return fmt.Sprintf("at sequence %d %s", d.sequence, d.what) }

const (
	remedyParted = "nothing was written: find out which of the two was altered or put back from an old copy, and put the right one in its place"
	remedyRecord = "something that is not Muster has published into the ledger's subjects: take that right away in NATS, and begin the stream anew from the journal"
)

// reconcile brings journal and log to the same end before the first statement is taken: where the log is behind it gets
// back what it lost, where it is ahead the journal follows, and where they part the ledger does not start.
func (l *Ledger) reconcile(ctx context.Context) error {
	last, err := l.cfg.Log.Last(ctx)
	if err != nil {
		return problem.New(problem.Unavailable, "the ledger's log cannot be used: %w", err).
			WithHint("if messages are lost: the journal has every record, so move the stream away and start again, and it is put back")
	}
	have := l.cfg.Journal.Last()
	if common := min(last, have); common > 0 {
		if err := l.compare(ctx, common); err != nil {
			return err
		}
	}
	if last < have {
		if err := l.putBack(ctx, last+1); err != nil {
			return err
		}
	}
	if err := l.catchUp(ctx); err != nil {
		var d *divergence
		if errors.As(err, &d) {
			return problem.New(problem.Unavailable, "the ledger cannot start: %w", err).WithHint("%s", d.remedy)
		}
		return err
	}
	return nil
}

var errEnough = errors.New("enough was read")

// compare looks whether journal and log hold the same at their last common sequence. When they do not, it goes through
// both from the beginning to say where they part.
func (l *Ledger) compare(ctx context.Context, common uint64) error {
	same, err := l.sameAt(ctx, common, common)
	if err != nil || same == 0 {
		return err
	}
	parted, err := l.sameAt(ctx, 1, common)
	if err != nil {
		return err
	}
	d := &divergence{parted, "the journal and the stream hold different records", remedyParted}
	return problem.New(problem.Unavailable, "the ledger cannot start: %w", d).WithHint("%s", d.remedy)
}

// sameAt returns the first sequence in from..to at which journal and log differ, or 0.
func (l *Ledger) sameAt(ctx context.Context, from, to uint64) (parted uint64, err error) {
	err = l.cfg.Log.Read(ctx, from, func(m Message) error {
		rec, err := l.cfg.Journal.Record(m.Sequence)
		if err != nil {
			return err
		}
		if !bytes.Equal(rec.Stored, m.Data) {
			parted = m.Sequence
			return errEnough
		}
		if m.Sequence == to {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return parted, err
}

// putBack appends to the log, from a sequence on, what the journal has and the log lost.
func (l *Ledger) putBack(ctx context.Context, from uint64) error {
	var acks []Ack
	var before Ack
	settle := func() error {
		for _, a := range acks {
			if err := a.Wait(); err != nil && !errors.Is(err, ErrLostRace) { // another server may be putting back the same
				return problem.New(problem.Unavailable, "putting back into the log what it lost: %w", err)
			}
		}
		acks = acks[:0]
		return nil
	}
	for rec, err := range l.cfg.Journal.Records(from) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		before = l.cfg.Log.Append(message(rec), before)
		acks = append(acks, before)
		if len(acks) == maxFlying {
			if err := settle(); err != nil {
				return err
			}
		}
	}
	if err := settle(); err != nil {
		return err
	}
	return l.compare(ctx, l.cfg.Journal.Last())
}

func message(rec events.Record) Message {
	return Message{rec.Sequence, events.Subject(rec.Statement), rec.Stored}
}

// How many records of other servers are committed in one transaction.
const followBatch = 1024

// catchUp takes into the state and the journal what the log has and they have not: what other servers have appended, and
// what this one has without learning of it. Everything is checked as if it had been submitted here.
func (l *Ledger) catchUp(ctx context.Context) error {
	var batch []events.Record
	commit := func() error {
		if err := l.cfg.Journal.Append(batch); err != nil {
			return err
		}
		batch = batch[:0]
		return nil
	}
	if err := l.rewind(); err != nil {
		return err
	}
	err := l.cfg.Log.Read(ctx, l.state.Last()+1, func(m Message) error {
		rec, err := l.admitMessage(m)
		if err != nil {
			return err
		}
		if batch = append(batch, rec); len(batch) == followBatch {
			return commit()
		}
		return nil
	})
	return errors.Join(err, commit()) // what was good before a fault is kept
}

// rewind makes sure that the state ends where the journal ends. It does unless a commit failed after the log had answered.
func (l *Ledger) rewind() error {
	if l.state.Last() == l.cfg.Journal.Last() {
		return nil
	}
	l.state = NewState()
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

// admitMessage checks a message that another server has appended as strictly as a submission: its form, its signature, the
// rules, its subject and its time. What does not pass is no record, and stops the ledger.
func (l *Ledger) admitMessage(m Message) (events.Record, error) {
	wrong := func(err error) (events.Record, error) {
		return events.Record{}, &divergence{m.Sequence, "the stream holds what is no record: " + err.Error(), remedyRecord}
	}
	rec, err := events.ParseRecord(m.Sequence, m.Data)
	if err != nil {
		return wrong(err)
	}
	if want := events.Subject(rec.Statement); want != m.Subject {
		return wrong(fmt.Errorf("its subject is %s, and should be %s", m.Subject, want))
	}
	key, err := l.verify(rec.Signed)
	if err == nil {
		err = Decide(l.state, key, rec.Statement)
	}
	if err == nil {
		err = l.apply(rec)
	}
	if err != nil {
		return wrong(err)
	}
	return rec, nil
}
