package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"muster/events"
	"muster/events/problem"
)

// A Comparison says that journal and log held the same records, byte for byte, each under its
// subject and its id, and the journal's each as its tree has it.
type Comparison struct {
	Through uint64    // the last record that was compared; 0 when nothing was yet
	At      time.Time // when it was, by this server's clock
}

// Compared returns the last comparison of the whole journal with the whole log since this server
// has started in which nothing was wrong, whoever has asked for it: [Ledger.Compare], or the scrub.
func (l *Ledger) Compared() Comparison {
	if c := l.compared.Load(); c != nil {
		return *c
	}
	return Comparison{}
}

// Compare reads journal and log from the first record to the last, and returns when every record
// was found to be the same in both. The error is a problem: of kind Unverified where they part. It
// may be called while statements are taken: what comes meanwhile is not compared. It reads the
// whole log, at about 200,000 records a second.
func (l *Ledger) Compare(ctx context.Context) (Comparison, error) {
	c, err := l.compare(ctx, func(time.Duration, uint64) error { return nil })
	if c.Through > 0 || err == nil {
		return c, err
	}
	var differs *difference
	switch {
	case errors.Is(err, ctx.Err()):
		return c, problem.New(problem.Unavailable, "comparing was given up: %w",
			err).WithHint("try again when the server has less to do")
	case errors.As(err, &differs):
		return c, problem.New(problem.Unverified, "%w", err).WithHint("%s", remedyParted)
	case errors.Is(err, ErrLost):
		return c, problem.New(problem.Unverified, "%w", err).WithHint("%s", remedyLost)
	case problem.Is(err, problem.Unverified):
		return c, problem.From(err)
	}
	return c, l.failure(err)
}

// A difference is a message of the log that is not what the journal has, though that is as the tree
// has it.
type difference struct{ Message }

func (d *difference) Error() string {
	return fmt.Sprintf("the journal and the stream hold different records at sequence %d",
		d.Sequence)
}

// compareAtOnce is how many records are compared before rest is called.
const compareAtOnce = 1024

// compare compares all that journal and log have now. Rest is called after some records each, with
// the time that they took and the sequence of the last, and ends the comparison with its error.
func (l *Ledger) compare(ctx context.Context,
	rest func(took time.Duration, at uint64) error) (c Comparison, err error) {
	last, err := l.cfg.Log.Last(ctx)
	if err != nil {
		return c, err
	}
	last = min(last, l.cfg.Journal.Last())
	for next := uint64(1); next <= last; {
		begun := time.Now()
		to := min(next+compareAtOnce-1, last)
		if err := l.compareSome(ctx, next, to); err != nil {
			return c, err
		}
		if err := rest(time.Since(begun), to); err != nil {
			return c, err
		}
		next = to + 1
	}
	c = Comparison{last, l.cfg.Clock()}
	if last > 0 {
		l.compared.Store(&c)
	}
	return c, nil
}

// compareSome compares the records from..to.
func (l *Ledger) compareSome(ctx context.Context, from, to uint64) error {
	met := from - 1
	err := l.cfg.Log.Read(ctx, from, func(m Message) error {
		if err := l.compareOne(m); err != nil {
			return err
		}
		if met = m.Sequence; met == to {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return nil
	case err == nil && met < to:
		return fmt.Errorf("%w: the stream has lost its records from %d on", ErrLost, met+1)
	}
	return err
}

func (l *Ledger) compareOne(m Message) error {
	rec, err := l.cfg.Journal.Record(m.Sequence)
	if err == nil {
		err = l.cfg.Journal.CheckIndex(rec)
	}
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	if !bytes.Equal(rec.Stored, m.Data) || m.Subject != events.Subject(rec.Statement) {
		return &difference{m}
	}
	return nil
}
