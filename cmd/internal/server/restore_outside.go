package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"muster/events/english"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/stream"
)

// The stream of an outside NATS server or cluster is made anew only where a person asks for it,
// with --restore-stream, since other servers rest on it as well. Whoever starts with the flag
//
//	reads all of the stream, and goes on as ever where that is what the journal has
//	takes into the journal what goes on from it
//	gives up what does not only where it is told --restored-as-of, too
//	holds every record of the journal against its tree
//	hears all other servers, and waits while one was not heard or has more
//	keeps a copy of the stream in its folder, and makes it anew
//
// So of the servers that are started with it, the one with the longest journal makes the stream
// anew, and the others find it whole.

// An outsideFinding is what the stream of an outside NATS server is like.
type outsideFinding struct {
	created time.Time // when it was made
	last    uint64    // its last message
	known   uint64    // the last that is a record, or is lost: the others are of somebody else
	lacks   uint64    // the first that cannot be read; 0 for none
	// differs is the first message that is not what the journal has; its sequence is 0 for none.
	differs ledger.Message
	untaken error // why the journal cannot take in what goes on from it; nil where it has
}

func (f *outsideFinding) isWhole() bool {
	return f.lacks == 0 && f.differs.Sequence == 0 && f.untaken == nil
}

// what says what is wrong.
func (f *outsideFinding) what() (err error) {
	if f.lacks > 0 {
		err = fmt.Errorf("message %d of %d is lost", f.lacks, f.last)
	}
	if f.differs.Sequence > 0 {
		err = errors.Join(err, fmt.Errorf("message %d is not what the journal has",
			f.differs.Sequence))
	}
	if f.lacks > 0 && errors.Is(f.untaken, errGap) { // which has been said
		return err
	}
	return errors.Join(err, f.untaken)
}

// errGap is that the stream has lost the message with which the journal would go on.
var errGap = errors.New("a message is lost")

// lookOutside has the journal take in what of the stream goes on from it, and compares all of both.
// What looks damaged is looked at twice: a node may have been behind.
func (s *Server) lookOutside(ctx context.Context) (f outsideFinding, err error) {
	for range 2 {
		if f, err = s.compareOutside(ctx); err == nil && f.last > s.Journal.Last() {
			untaken := s.takeOutside(ctx, f)
			f, err = s.compareOutside(ctx)
			f.untaken = untaken
		}
		if err != nil || f.isWhole() {
			break
		}
		select {
		case <-time.After(agreePause):
		case <-ctx.Done():
			return f, ctx.Err()
		}
	}
	if err != nil && ctx.Err() == nil && problem.Of(err) == nil {
		err = problem.New(problem.Unavailable, "the stream cannot be read: %w", err).
			WithHint("see that the NATS nodes run, reach each other and have chosen who leads, " +
				"and start this server again: nothing was written")
	}
	return f, err
}

func (s *Server) compareOutside(ctx context.Context) (f outsideFinding, err error) {
	if f.created, err = s.Stream.Created(ctx); err != nil {
		return f, err
	}
	next, have := uint64(1), s.Journal.Last()
	f.last, err = s.Stream.Salvage(ctx, next, func(m ledger.Message) error {
		if m.Sequence != next {
			f.lacks, f.known = cmp.Or(f.lacks, next), m.Sequence-1
		}
		next = m.Sequence + 1
		if m.Sequence > have {
			if s.prepared.IsRecord(m) {
				f.known = m.Sequence
			}
			return nil
		}
		f.known = m.Sequence
		if f.differs.Sequence > 0 {
			return nil
		}
		same, err := s.prepared.Has(m)
		if err == nil && !same {
			f.differs = m
		}
		return err
	})
	if err == nil && next <= f.last {
		f.lacks, f.known = cmp.Or(f.lacks, next), f.last
	}
	return f, err
}

// takeOutside has the journal follow what goes on from it, and says why it does not follow all.
// Where the stream holds another history, nothing of it goes on from this one.
func (s *Server) takeOutside(ctx context.Context, f outsideFinding) error {
	if f.differs.Sequence > 0 && s.prepared.IsRecord(f.differs) {
		return nil
	}
	_, err := s.prepared.Follow(func(from uint64, yield func(ledger.Message) error) error {
		next := from
		_, err := s.Stream.Salvage(ctx, from, func(m ledger.Message) error {
			if m.Sequence != next {
				return errGap
			}
			next++
			return yield(m)
		})
		return err
	})
	return err
}

// restoreOutside does what the head of this file says, where it is asked for.
func (s *Server) restoreOutside(ctx context.Context) error {
	if s.natsd != nil || !s.cfg.RestoreStream {
		return nil
	}
	var gone time.Time // since when there is no stream; zero where there is one
	for {
		err := s.restoreOnce(ctx)
		switch {
		case errors.Is(err, stream.ErrRenewed):
			gone = time.Time{}
		case !stream.IsGone(err) || !gone.IsZero() && time.Since(gone) > goneMost:
			return err
		case gone.IsZero():
			gone = time.Now()
		}
		select {
		case <-time.After(agreePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// goneMost is how long there may be no stream, while another server makes it anew.
const goneMost = 30 * time.Second

// restoreOnce returns nil when the stream is whole, or was made anew here, and otherwise why not.
func (s *Server) restoreOnce(ctx context.Context) error {
	f, err := s.lookOutside(ctx)
	if err != nil || f.isWhole() {
		return err
	}
	s.cfg.Log.Error("the stream is damaged", "what", f.what(), "messages", f.last,
		"journal", s.Journal.Last())
	if err := s.checkOutside(ctx, f); err != nil {
		return err
	}
	if renewed, err := s.awaitAgreement(ctx, f); err != nil || renewed {
		return cmp.Or(err, stream.ErrRenewed)
	}
	return s.renewOutside(ctx, f)
}

// checkOutside returns nil where nothing would be lost with a damaged stream but what a person has
// given up, and the journal is whole.
func (s *Server) checkOutside(ctx context.Context, f outsideFinding) error {
	last := s.Journal.Last()
	if last == 0 {
		return problem.New(problem.Unavailable, "the stream cannot be made anew: the journal here "+
			"has no record").WithHint("start a server of the ledger that has the records with " +
			"--restore-stream; this one follows it then, without that flag")
	}
	if f.known > last && s.cfg.RestoredAsOf != last {
		return s.beyond(f, last)
	}
	if err := s.prepared.CheckJournal(ctx); err != nil {
		return problem.New(problem.Unavailable, "the ledger cannot start: both copies are "+
			"damaged: the journal (%w), and the stream (%v)", err, f.what()).
			WithHint("change nothing, and copy the folder: a backup of the journal, put in its " +
				"place, gets from the stream what it lacks; or start another server of the " +
				"ledger, whose journal is whole, with --restore-stream")
	}
	if err := s.checkWhole(); err != nil {
		return err
	}
	if c, ok := s.Journal.Copied(); ok {
		settle, err := s.fromCopyOf(c, f.last)
		if err != nil {
			return err
		}
		return settle()
	}
	return nil
}

// beyond refuses to give up what the stream has and the journal cannot take in.
func (s *Server) beyond(f outsideFinding, last uint64) error {
	return problem.New(problem.Unavailable, "the ledger cannot start: the stream tells of %s, and "+
		"the journal here has %d, and cannot take in the others: %w",
		english.Several(f.known, "record"), last, f.what()).
		WithHint("nothing was given up. Start another server of the ledger that has more with "+
			"--restore-stream, or put the newest copy of this journal in its place, with its "+
			"tail. Where nothing has them, the records after %d are lost: start once with "+
			"--restore-stream --restored-as-of %d, which keeps a copy of the stream, and tell "+
			"the members", last, last)
}

// agreePause is how long after other servers were asked in vain they are asked again.
const agreePause = time.Second

// awaitAgreement returns when all other servers agree that no journal reaches further than this
// one's, or when one of them has made the stream anew.
func (s *Server) awaitAgreement(ctx context.Context, f outsideFinding) (renewed bool, err error) {
	if s.peers == nil {
		return false, nil
	}
	said := ""
	for {
		err := s.prepared.Agree(ctx, s.peers)
		if err == nil || !ledger.IsWaiting(err) {
			return false, err
		}
		if said != err.Error() {
			said = err.Error()
			s.cfg.Log.Error("the damaged stream is not made anew yet", "why", err, "remedy",
				"start all servers of the ledger with --restore-stream: the one with the longest "+
					"journal makes it anew; only where a server and its journal are gone for "+
					"good, name it with --without: what only that journal holds is lost then")
		}
		select {
		case <-time.After(agreePause):
		case <-ctx.Done():
			return false, ctx.Err()
		}
		created, err := s.Stream.Created(ctx)
		if err != nil || !created.Equal(f.created) {
			return err == nil, err
		}
	}
}

// whileThere returns a context that ends when another server has made the stream anew, of which no
// more pieces come then, and whether it has. It is to be asked once.
func (s *Server) whileThere(ctx context.Context, f outsideFinding) (there context.Context,
	gone func() bool) {
	there, end := context.WithCancel(ctx)
	looked, renewed := make(chan struct{}), false
	go func() {
		defer close(looked)
		for there.Err() == nil {
			created, err := s.Stream.Created(there)
			if err == nil && !created.Equal(f.created) {
				renewed = true
				end()
			}
			select {
			case <-time.After(agreePause):
			case <-there.Done():
			}
		}
	}()
	return there, func() bool {
		end()
		<-looked
		return renewed
	}
}

// isRenewed reports whether another server has deleted the stream, or made it anew, which is why no
// copy of it could be made. NATS tells of the pieces that they cannot be read some time before it
// tells that the stream is gone.
func (s *Server) isRenewed(ctx context.Context, f outsideFinding) bool {
	for range 3 {
		created, err := s.Stream.Created(ctx)
		if stream.IsGone(err) || err == nil && !created.Equal(f.created) {
			return true
		}
		select {
		case <-time.After(agreePause):
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// renewOutside keeps a copy of the damaged stream, and makes it anew. What the journal has is put
// back when the ledger opens, which asks the other servers again before.
func (s *Server) renewOutside(ctx context.Context, f outsideFinding) error {
	there, gone := s.whileThere(ctx, f)
	to, err := s.aside(f.what(), func(to string) error {
		err := s.Stream.Backup(there, to)
		if err != nil { // half a copy is none
			err = errors.Join(err, os.RemoveAll(to))
		}
		return err
	})
	if gone() || err != nil && s.isRenewed(ctx, f) {
		return stream.ErrRenewed
	}
	if err != nil {
		return problem.New(problem.Unavailable, "the damaged stream is not made anew: %w", err).
			WithHint("see that the folder %s has space, and that this server's user in NATS may "+
				"publish to $JS.SNAPSHOT.ACK.>, and start again: nothing was deleted",
				filepath.Clean(s.cfg.Dir))
	}
	last := s.Journal.Last()
	if f.known > last {
		s.cfg.Log.Error("the damaged stream tells of records that the journal does not have: they "+
			"are given up", "from", last+1, "to", f.known, "kept", to)
	}
	if f.known > last {
		if err := s.giveUp(journal.Copied{Records: last}); err != nil {
			return err
		}
	}
	if err := s.Stream.Renew(ctx, f.created); err != nil {
		return err
	}
	s.cfg.Log.Error("the stream was damaged: a copy of it is kept, and it is made anew from the "+
		"journal, which is whole", "what", f.what(), "kept", to, "records", last)
	return nil
}
