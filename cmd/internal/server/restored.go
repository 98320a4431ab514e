package server

import (
	"context"
	"fmt"
	"time"

	"muster/events/problem"
	"muster/ledger/journal"
)

// A journal that says that it is a copy lacks what was acknowledged after it was made, and perhaps
// nobody else has that either. A server that went on from it would give the lost records' sequences
// to others, and sign for them with the key that has signed for the lost ones. So it starts only
// where the stream has all that the copy has, since then the journal follows it; or where somebody
// has said that the rest is lost.

// fromCopy decides that, before the stream is given anything of the journal, and returns what is to
// be done when both are at the same end.
func (s *Server) fromCopy(ctx context.Context) (settle func() error, err error) {
	c, ok := s.Journal.Copied()
	if !ok {
		return func() error { return nil }, nil
	}
	last, err := s.Stream.Last(ctx)
	if err != nil {
		return nil, problem.New(problem.Unavailable,
			"the journal is %s; and whether the stream has that cannot be seen: %w", c, err).
			WithHint("mend the stream, or bring back what holds it; start again then")
	}
	return s.fromCopyOf(c, last)
}

// fromCopyOf decides it of a stream with so many messages.
func (s *Server) fromCopyOf(c journal.Copied, last uint64) (settle func() error, err error) {
	switch {
	case last > 0 && last >= c.Records, s.Journal.Last() > c.Records: // it has followed one
		return func() error {
			s.cfg.Log.Warn("the journal was restored, and the stream has what was missing",
				"restored", c.Records, "now", s.Journal.Last())
			return s.Journal.Settle(time.Time{})
		}, nil
	case s.cfg.RestoredAsOf == c.Records && c.Records > 0:
		return func() error { return nil }, s.giveUp(c)
	}
	return nil, s.lacking(c, last)
}

// lacking says that nothing is known to have what came after a copy.
func (s *Server) lacking(c journal.Copied, last uint64) error {
	if asOf := s.cfg.RestoredAsOf; asOf > 0 {
		return problem.New(problem.Usage,
			"--restored-as-of says record %d, and the journal is %s", asOf, c).
			WithHint("find out which copy this is before you go on from it")
	}
	has := "is empty"
	if last > 0 {
		has = fmt.Sprintf("ends with record %d", last)
	}
	return problem.New(problem.Unavailable,
		"the journal is %s. Nor is it in the stream, which %s: nothing was written", c, has).
		WithHint("bring what has it: start another server of the ledger first, or put back the "+
			"stream (the folder nats of the lost server), or a newer backup. "+lostForGood,
			c.Records, c.Records)
}

// lostForGood is what is left to do where nothing has what came after a record.
const lostForGood = "Where nothing has them, the records after %d are lost: start once with " +
	"--restored-as-of %d, and tell the members; whoever has seen a lost record will refuse this " +
	"server, and is right"

// giveUp goes on from a copy without what came later, as somebody has accepted, and notes that in
// the journal.
func (s *Server) giveUp(c journal.Copied) error {
	of := []any{"record", c.Records}
	if !c.At.IsZero() {
		of = append(of, "taken", c.At)
	}
	s.cfg.Log.Warn("the ledger goes on from a copy: what was acknowledged after it is lost, "+
		"unless another server or a stream has it still", of...)
	s.saved = 0 // which is of what is lost
	if err := s.Journal.MarkCopy(c); err != nil {
		return err
	}
	return s.Journal.Settle(time.Now())
}
