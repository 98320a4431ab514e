package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/ledger"
	"muster/ledger/natsd"
	"muster/ledger/proof"
	"muster/ledger/stream"
)

// streamOf looks at the stream in a data folder, the first copy of the records, and holds it
// against the journal, which is the second. A NATS server mends its files when it starts, so that
// it is given a copy of them, in a temporary folder.
func (a *app) streamOf(dir string) proof.Extra {
	return func(ctx context.Context, found proof.Found, r *proof.Report) (*proof.Fault, error) {
		from := filepath.Join(dir, server.NATSFolder)
		if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
			r.Add("stream", proof.NotChecked,
				"there is no stream in the folder: it may be on a NATS cluster, which was not "+
					"looked at")
			return nil, nil
		}
		a.progress("copying the stream")
		to, err := os.MkdirTemp("", "muster-verify-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(to)
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			r.Add("stream", proof.NotChecked, "the stream could not be copied to be looked at: %v",
				err)
			return nil, ctx.Err()
		}
		c := &streamComparison{found: found}
		err = c.read(ctx, to)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if c.fault == nil && err != nil {
			c.fault = &proof.Fault{Check: "stream",
				What: "the stream's copy of the records is damaged: " + err.Error()}
		}
		c.report(r)
		return c.fault, nil
	}
}

// A streamComparison holds a stream against the records that were verified.
type streamComparison struct {
	found proof.Found
	last  uint64 // in the stream
	same  uint64
	more  uint64 // that the journal does not have
	fault *proof.Fault
}

var errParted = errors.New("the copies part")

func (c *streamComparison) read(ctx context.Context, dir string) error {
	srv, err := natsd.Start(natsd.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { _ = srv.Shutdown() }() // of a copy
	nc, err := srv.Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	s, err := stream.Open(ctx, nc, stream.Config{})
	if err != nil {
		return err
	}
	defer s.Close()
	if c.last, err = s.Last(ctx); err != nil || c.last == 0 {
		return err
	}
	if err := s.Read(ctx, 1, c.take); !errors.Is(err, errParted) {
		return err
	}
	return nil
}

func (c *streamComparison) take(m ledger.Message) error {
	same, known := c.found.Is(m.Sequence, m.Data)
	what := ""
	switch {
	case !known:
		c.more++
		return nil
	case !same:
		what = "the stream holds another record here than the journal"
	default:
		if rec, err := events.ParseRecord(m.Sequence, m.Data); err == nil &&
			events.Subject(rec.Statement) != m.Subject {
			what = fmt.Sprintf("it lies in the stream under the subject %s, and belongs under %s",
				m.Subject, events.Subject(rec.Statement))
		}
	}
	if what != "" {
		c.fault = &proof.Fault{Sequence: m.Sequence, Check: "stream", What: what}
		return errParted
	}
	c.same++
	return nil
}

func (c *streamComparison) report(r *proof.Report) {
	switch {
	case c.fault != nil:
		r.Add("stream", proof.Failed, "%s", c.fault)
	case c.last < c.found.Records():
		r.Add("stream", proof.Verified,
			"the stream holds the same, and lacks the last %s: the server puts back what it "+
				"lacks when it starts",
			english.Several(c.found.Records()-c.last, "record"))
	case c.more > 0:
		r.Add("stream", proof.Verified,
			"the stream holds the same, and %d more, which were not looked at: the server takes "+
				"them into the journal when it starts", c.more)
	default:
		r.Add("stream", proof.Verified, "the stream holds the same %s, each under its subject",
			english.Several(c.same, "record"))
	}
}
