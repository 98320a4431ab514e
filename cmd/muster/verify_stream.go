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
	"muster/ledger/stream/filestore"
)

// streamOf looks at the stream in a data folder, the first copy of the records, and holds it
// against the journal, which is the second. It reads the files: a NATS server would mend them, or
// hang over what is wrong.
func (a *app) streamOf(dir string) proof.Extra {
	return func(ctx context.Context, found proof.Found, r *proof.Report) (*proof.Fault, error) {
		nats := filepath.Join(dir, server.NATSFolder)
		if _, err := os.Stat(nats); errors.Is(err, os.ErrNotExist) {
			r.Add("stream", proof.NotChecked,
				"there is no stream in the folder: it may be on a NATS cluster, which was not "+
					"looked at")
			return nil, nil
		}
		a.progress("reading the stream")
		c := &streamComparison{found: found}
		err := c.read(ctx, nats)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.Add("stream", proof.NotChecked, "the stream could not be read: %v", err)
			return nil, nil
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

// read reads the stream's files. What a crash has torn at its end is left out, as the server does.
func (c *streamComparison) read(ctx context.Context, nats string) error {
	store := filestore.Store{Dir: natsd.StreamDir(nats, stream.DefaultName),
		Stream: stream.DefaultName, Prefix: events.SubjectPrefix}
	state, err := store.Read(ctx, func(m filestore.Message) error {
		return c.take(ledger.Message{Sequence: m.Sequence, Subject: m.Subject, Data: m.Data})
	})
	c.last = state.Last
	if errors.Is(err, errParted) {
		return nil
	}
	if err == nil && state.Damage != nil && !state.Torn {
		c.fault = &proof.Fault{Check: "stream",
			What: "the stream's copy of the records is damaged: " + state.Damage.Error()}
	}
	return err
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
