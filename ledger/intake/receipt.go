// Package intake takes signed statements from outside: by HTTP POST, by the NATS micro service, and
// the clients of both.
//
// What is sent is the signed note itself, as text. What comes back is a [Receipt], or a problem in
// the form of [muster/events/problem], whose table gives the HTTP status, the NATS error code and
// the exit code at once.
package intake

import (
	"bytes"
	"context"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
)

// A Submitter takes signed statements: a [ledger.Ledger], or a client of one. It may be called
// concurrently.
type Submitter interface {
	// Submit returns when the statement is recorded for good, or with a problem.
	Submit(ctx context.Context, s events.Signed) (Receipt, error)
	// Check says what Submit would say now, and records nothing. There is no error where Submit
	// would give a receipt. What is checked need be no more than a draft (events.SignDraft), which
	// cannot be recorded.
	Check(ctx context.Context, s events.Signed) (Checked, error)
}

// A Listener is a Submitter that hears, too, of what was sent to be submitted or checked and is no
// statement, which never comes to it otherwise.
type Listener interface {
	Malformed(ctx context.Context, check bool, err error)
}

// A Receipt says that a statement is recorded. Its JSON members are added to, never renamed.
type Receipt struct {
	Sequence  uint64      `json:"sequence" doc:"The record's place in the ledger, from 1 on"`
	LeafIndex uint64      `json:"leaf_index" doc:"Its place in the Merkle tree: the sequence less one"`
	Recorded  string      `json:"recorded" doc:"When it was recorded: RFC 3339, UTC, microseconds"`
	ID        events.ID   `json:"id" doc:"The statement's id"`
	Type      events.Type `json:"type" doc:"What kind of statement it is"`
	By        string      `json:"by" doc:"The server that recorded it"`
	Again     bool        `json:"again" doc:"Whether it was recorded before, and this is its first receipt"`
	Envelope  string      `json:"envelope,omitempty" doc:"The record's first line: with a line feed and the signed note (as recorded) behind it, it is the record, byte for byte as it is a leaf of the Merkle tree"`
	Note      string      `json:"note,omitempty" doc:"The signed note as it was recorded, where it is not the one that was sent: the same statement, and another signature of the same key"`
	Proof     string      `json:"proof,omitempty" doc:"The proof that the record is in the ledger, with the server's checkpoint (C2SP tlog-proof)"`
	// Warnings are no part of what is proven.
	Warnings []problem.Field `json:"warnings,omitempty" doc:"What is odd about the statement, which was recorded all the same"`
}

// RecordedNote returns the signed note that was recorded, of a statement that was sent.
func (r Receipt) RecordedNote(sent events.Signed) []byte {
	if r.Note == "" {
		return sent.Note
	}
	return []byte(r.Note)
}

func receiptOf(r ledger.Receipt) Receipt {
	return Receipt{Sequence: r.Sequence, LeafIndex: r.Sequence - 1,
		Recorded: r.Recorded.Format(events.RecordedForm), ID: r.ID, Type: r.Type, By: r.By,
		Again: r.Again}
}

// prove adds the proof to the receipt of what was sent. A record stays recorded when the journal
// cannot prove it: then the receipt has none, and whoever checks it will say so.
func (r *Receipt) prove(l *ledger.Ledger, sent events.Signed) {
	stored, proof, err := l.Prove(r.Sequence)
	if err != nil {
		return
	}
	envelope, note, _ := bytes.Cut(stored, []byte("\n"))
	r.Envelope, r.Proof = string(envelope), string(proof)
	if !bytes.Equal(note, sent.Note) {
		r.Note = string(note)
	}
}

// Of makes a Submitter of a ledger.
func Of(l *ledger.Ledger) Submitter { return local{l} }

type local struct{ ledger *ledger.Ledger }

func (l local) Submit(ctx context.Context, s events.Signed) (Receipt, error) {
	r, err := l.ledger.Submit(ctx, s)
	if err != nil {
		return Receipt{}, err
	}
	receipt := receiptOf(r)
	receipt.prove(l.ledger, s)
	return receipt, nil
}

func (l local) Check(ctx context.Context, s events.Signed) (Checked, error) {
	err := l.ledger.Check(ctx, s)
	return Checked{OK: err == nil}, err
}

// How long a server works on one statement before it answers that the outcome is not known.
const submitTimeout = 30 * time.Second

// submit reads a note from outside and submits it.
func submit(ctx context.Context, to Submitter, note []byte) (r Receipt, err error) {
	err = reading(ctx, to, false, note, func(ctx context.Context, s events.Signed) (err error) {
		r, err = to.Submit(ctx, s)
		return err
	})
	return r, err
}

// A Checked is the answer to a check that found nothing to refuse.
type Checked struct {
	OK       bool            `json:"ok" doc:"Always true: what would be refused is answered with a problem"`
	Warnings []problem.Field `json:"warnings,omitempty" doc:"What is odd about the statement, which may be recorded all the same"`
}

func check(ctx context.Context, to Submitter, note []byte) (c Checked, err error) {
	err = reading(ctx, to, true, note, func(ctx context.Context, s events.Signed) (err error) {
		c, err = to.Check(ctx, s)
		return err
	})
	return c, err
}

func reading(ctx context.Context, to Submitter, check bool, note []byte,
	then func(context.Context, events.Signed) error) error {
	// A statement keeps its bytes, also when whoever sent it hangs up and the request's buffer is
	// used again.
	parse := events.ParseSigned
	if check {
		parse = events.ParseDraft
	}
	s, err := parse(bytes.Clone(note))
	if err != nil {
		if l, listens := to.(Listener); listens {
			l.Malformed(ctx, check, err)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	return then(ctx, s)
}
