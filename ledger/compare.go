package ledger

import (
	"context"
	"errors"
	"time"

	"muster/events/problem"
)

// A Comparison says that journal and log held the same records, byte for byte.
type Comparison struct {
	Through uint64    // the last record that was compared; 0 when nothing was yet
	At      time.Time // when it was, by this server's clock
}

// Compared returns the last comparison of the whole journal with the whole log since this server
// has started.
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
	last, err := l.cfg.Log.Last(ctx)
	if err != nil {
		return Comparison{}, l.failure(err)
	}
	last = min(last, l.cfg.Journal.Last())
	if last > 0 {
		parted, whole, err := l.sameAt(ctx, 1, last)
		switch {
		case err != nil && errors.Is(err, ctx.Err()):
			return Comparison{}, problem.New(problem.Unavailable, "comparing was given up: %w",
				err).WithHint("try again when the server has less to do")
		case err != nil:
			return Comparison{}, l.failure(err)
		case parted > 0:
			return Comparison{}, problem.New(problem.Unverified,
				"the journal and the stream hold different records at sequence %d", parted).
				WithHint("%s", remedyParted)
		case !whole:
			return Comparison{}, problem.New(problem.Unverified,
				"the stream has lost records before %d", last+1).
				WithHint("start the server again: it puts back what the journal has")
		}
	}
	c := &Comparison{last, l.cfg.Clock()}
	l.compared.Store(c)
	return *c, nil
}
