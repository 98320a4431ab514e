package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/natsd"
	"muster/ledger/stream"
	"muster/ledger/stream/filestore"
)

// A NATS server mends its files by leaving out what it does not like, and may hang over the rest.
// So the files of the embedded one are looked at before it is started, all of them, and held
// against the journal. What can be done then:
//
//	nothing is wrong            the NATS server starts on them
//	the end is torn or lost,    the same, without its index: it leaves out what broke off, and the
//	after a crash               journal puts back what it has of that
//	its index alone is wrong    it is set aside, and the NATS server makes it anew
//	anything else               the journal takes what the stream has beyond it, and is checked; then
//	                            the files are set aside, and the stream is made anew
//
// Where the stream has whole records that neither the journal has nor it can take, or whole records
// of another history, nobody but a person can say which of the two is right: the server stops, and
// is told with --restore-stream.

// A finding is what the files of the embedded stream are like.
type finding struct {
	filestore.State
	journal uint64 // its last record
	// differs is the first message that is not what the journal has, as it is in the stream; its
	// sequence is 0 for none.
	differs ledger.Message
	crashed bool // the journal was not closed
}

// streamStore is where the embedded NATS server keeps the stream.
func (s *Server) streamStore() filestore.Store {
	return filestore.Store{Dir: natsd.StreamDir(s.natsDir(), stream.DefaultName),
		Stream: stream.DefaultName, Prefix: events.SubjectPrefix}
}

func (s *Server) natsDir() string { return filepath.Join(s.cfg.Dir, NATSFolder) }

// lookAtFiles reads the stream's files, and compares them with the journal.
func (s *Server) lookAtFiles(ctx context.Context) (f finding, err error) {
	f.journal, f.crashed = s.Journal.Last(), s.Journal.Crashed()
	next, stop := iter.Pull2(s.Journal.Unchecked(1))
	defer stop()
	f.State, err = s.streamStore().Read(ctx, func(m filestore.Message) error {
		sequence, stored, ok := next()
		if !ok || f.differs.Sequence > 0 {
			return nil
		}
		if sequence != m.Sequence || !bytes.Equal(stored, m.Data) {
			f.differs = ledger.Message{Sequence: m.Sequence, Subject: m.Subject,
				Data: bytes.Clone(m.Data)}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		err = problem.New(problem.Unavailable, "the embedded stream's files: %w", err).
			WithHint("give the server's user the right to read and write all in %s", s.natsDir())
	}
	return f, err
}

// mendBefore mends the stream's files before the embedded NATS server is started on them. It waits
// for the ledger where there is something to mend.
func (s *Server) mendBefore(ctx context.Context, prepared func() error) error {
	if s.cfg.NATS.Given() {
		return nil
	}
	f, err := s.lookAtFiles(ctx)
	if err != nil || f.isWhole() && f.hasAll() {
		return err
	}
	if err := prepared(); problem.Is(err, problem.Unverified) {
		return damagedJournal(ctx, f, err)
	} else if err != nil {
		return err
	}
	return s.mendFiles(ctx, f)
}

// renewStream makes the stream of the running NATS server anew, which has not kept it.
func (s *Server) renewStream(ctx context.Context, why error) error {
	return s.natsd.RestartAfter(func() error {
		f, err := s.lookAtFiles(ctx)
		if err != nil {
			return err
		}
		f.Damage, f.Torn = errors.Join(why, f.Damage), false
		return s.mendFiles(ctx, f)
	})
}

// isWhole reports whether the files are as they should be, so far as they go.
func (f *finding) isWhole() bool { return f.State.IsWhole() && f.differs.Sequence == 0 }

// hasAll reports whether the stream goes as far as the journal.
func (f *finding) hasAll() bool { return f.Last >= f.journal }

// onlyEnd reports whether nothing is wrong that a crash may not leave: the end of the stream is
// torn or lost.
func (f *finding) onlyEnd() bool {
	return f.crashed && f.differs.Sequence == 0 && (f.Damage == nil || f.Torn)
}

// onlyIndex reports whether nothing is wrong but the index, which knows no message that is lost.
func (f *finding) onlyIndex() bool {
	return f.differs.Sequence == 0 && f.Damage == nil && f.Indexed <= f.Last
}

// same is how far the stream's messages are what the journal has, or go on from that.
func (f *finding) same() uint64 {
	if f.differs.Sequence > 0 {
		return f.differs.Sequence - 1
	}
	return f.Last
}

// known is the highest message that the files tell of.
func (f *finding) known() uint64 { return max(f.Last, f.Highest, f.Indexed) }

// what says what is wrong.
func (f *finding) what() error {
	if f.differs.Sequence > 0 {
		return errors.Join(fmt.Errorf("message %d is not what the journal has",
			f.differs.Sequence), f.Damage, f.Index)
	}
	return errors.Join(f.Damage, f.Index)
}

// inFlightMost is more messages than a server has in flight when it is killed: so many may be in
// the stream, and in no journal, and were acknowledged to nobody.
const inFlightMost = 16384

// mendFiles does what the table above says. The ledger must be prepared by then. NATS does not run.
func (s *Server) mendFiles(ctx context.Context, f finding) error {
	switch {
	case f.isWhole():
		return nil
	case f.onlyEnd():
		s.cfg.Log.Warn("the end of the stream was lost or torn in a crash", "what", f.what(),
			"whole", f.Last, "journal", f.journal)
		return s.dropIndex()
	case f.onlyIndex():
		return s.setIndexAside(f)
	}
	if err := s.checkDiffering(f); err != nil {
		return err
	}
	if err := s.takeBeyond(ctx, f); err != nil {
		return err
	}
	if err := s.prepared.CheckJournal(ctx); err != nil {
		return damagedJournal(ctx, f, err)
	}
	return s.setStreamAside(f)
}

// checkDiffering looks at the message that is not what the journal has: it may be the journal that
// is wrong, or nothing says which of them is.
func (s *Server) checkDiffering(f finding) error {
	if f.differs.Sequence == 0 {
		return nil
	}
	if _, err := s.Journal.Record(f.differs.Sequence); err != nil {
		return err
	}
	if s.prepared.IsRecord(f.differs) && !s.cfg.RestoreStream {
		return problem.New(problem.Unavailable, "the ledger cannot start: at sequence %d the "+
			"journal and the stream hold different records", f.differs.Sequence).
			WithHint("nothing was written: find out which of the two was altered or put back from "+
				"an old copy, and put the right one in its place; where that is the journal, "+
				"start once with --restore-stream, which keeps the other stream in %s*",
				filepath.Join(s.cfg.Dir, damagedPrefix))
	}
	return nil
}

// takeBeyond has the journal follow what of the stream goes on from it, and refuses to give up what
// does not.
func (s *Server) takeBeyond(ctx context.Context, f finding) (err error) {
	last := f.journal
	if f.same() > last {
		last, err = s.prepared.Follow(s.readFiles(ctx, f.same()))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	lost := f.known() - min(f.known(), last)
	if err == nil && (lost == 0 || f.crashed && lost <= inFlightMost) || s.cfg.RestoreStream {
		return nil
	}
	if err == nil {
		err = f.what()
	}
	return problem.New(problem.Unavailable, "the ledger cannot start: the stream is damaged "+
		"behind message %d, and has records up to %d, of which the journal has %d: %w", f.same(),
		f.known(), last, err).
		WithHint("nothing was given up: if the journal is an old copy, put the newest one in its "+
			"place, with its tail; to go on with the %d records that can be read, and without "+
			"those after them, move %s away, which remembers more, and start once with "+
			"--restore-stream: the damaged stream is kept", last, ProjectionsFile)
}

// readFiles returns what reads the stream's files from a message to another.
func (s *Server) readFiles(ctx context.Context,
	to uint64) func(from uint64, yield func(ledger.Message) error) error {
	return func(from uint64, yield func(ledger.Message) error) error {
		_, err := s.streamStore().Read(ctx, func(m filestore.Message) error {
			if m.Sequence < from || m.Sequence > to {
				return nil
			}
			return yield(ledger.Message{Sequence: m.Sequence, Subject: m.Subject,
				Data: bytes.Clone(m.Data)})
		})
		return err
	}
}

// damagedJournal says what to do about a journal that is damaged. Where the stream is whole by
// itself, and has all, a copy of the journal gets from it what it lacks; else neither copy is
// whole, and what one of them lacks, the other may have.
func damagedJournal(ctx context.Context, f finding, journal error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f.State.IsWhole() && f.hasAll() {
		return journal
	}
	why := f.what()
	if !f.hasAll() {
		why = errors.Join(why, fmt.Errorf("it has %d records, and the journal %d", f.Last,
			f.journal))
	}
	return problem.New(problem.Unavailable, "the ledger cannot start: both copies are damaged: "+
		"the journal (%w), and the stream (%v)", journal, why).
		WithHint("change nothing, and copy the folder: a backup of the journal, or another " +
			"server's, put in its place, gets from the stream what it lacks")
}
