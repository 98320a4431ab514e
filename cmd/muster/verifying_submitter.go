package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
)

// A verifyingSubmitter believes no receipt that does not prove what it says.
type verifyingSubmitter struct {
	intake.Submitter
	contact *contact
	keys    func(events.KeyID) (events.Key, error) // of those who sign
}

// Submit implements intake.Submitter.
func (p verifyingSubmitter) Submit(ctx context.Context, s events.Signed) (intake.Receipt, error) {
	r, err := p.Submitter.Submit(ctx, s)
	if err != nil {
		return r, err
	}
	sent := s
	if r.Note != "" {
		s, err = p.signedAgain(r, s)
	}
	var rec events.Record
	if err == nil {
		rec, err = recordOf(r, s)
	}
	var c proof.Checkpoint
	if err == nil {
		c, err = proof.CheckIncluded(rec, []byte(r.Proof), p.contact.open)
	}
	var told *problem.Problem
	if errors.As(err, &told) && told.Kind == problem.Unverified {
		return r, told
	}
	if err != nil {
		return r, problem.New(problem.Unverified,
			"the server says that the statement is record %d, and does not prove it: %w",
			r.Sequence, err).
			WithHint("do not rely on it: ask another server of the ledger, or another member, "+
				"whether the statement %s is there", sent.Statement.Head().ID)
	}
	p.contact.tell(c)
	return r, nil
}

// Check implements intake.Submitter. Only a draft is sent: what a server has a signature for, it
// can record.
func (p verifyingSubmitter) Check(ctx context.Context, s events.Signed) (intake.Checked, error) {
	if !s.IsDraft() {
		return intake.Checked{}, errors.New("what is to be checked is signed for good")
	}
	return p.Submitter.Check(ctx, s)
}

// signedAgain returns what the server says that it has recorded of a statement that was signed
// again: it must be the same, and the signature that of its signer.
func (p verifyingSubmitter) signedAgain(r intake.Receipt,
	sent events.Signed) (events.Signed, error) {
	recorded, err := events.ParseSigned([]byte(r.Note))
	if err != nil {
		return recorded, err
	}
	if !recorded.SaysTheSame(sent) {
		return recorded, errors.New("what it has recorded is not what was sent")
	}
	key, err := p.keys(sent.SignedBy())
	if err != nil {
		return recorded, err // which says what to do
	}
	return recorded, recorded.VerifiedBy(key)
}

// recordOf puts the record together from what was sent, so that the server cannot have recorded
// anything else, and makes sure that the receipt says of it what the record says itself.
func recordOf(r intake.Receipt, s events.Signed) (events.Record, error) {
	stored := append([]byte(r.Envelope+"\n"), s.Note...)
	recorded, err := time.Parse(events.RecordedForm, r.Recorded)
	if err != nil {
		return events.Record{}, fmt.Errorf("the receipt's time %.50q is none", r.Recorded)
	}
	rec, err := events.NewRecord(r.Sequence, recorded, r.By, s)
	// A newer server may say more in the envelope.
	if err == nil && !bytes.Equal(rec.Stored, stored) {
		rec, err = events.ParseRecord(r.Sequence, stored)
	}
	if err != nil {
		return rec, err
	}
	head := rec.Statement.Head()
	if !bytes.Equal(rec.Note, s.Note) || r.LeafIndex+1 != rec.Sequence ||
		r.Recorded != rec.Recorded.Format(events.RecordedForm) || r.By != rec.By ||
		r.ID != head.ID || r.Type != head.Type {
		return rec, fmt.Errorf("the record is %s, %s, recorded %s by %s", head.Type, head.ID,
			rec.Recorded.Format(events.RecordedForm), rec.By)
	}
	return rec, nil
}

// receiptOf makes the receipt that can be kept of the one that the server gave.
func receiptOf(r intake.Receipt, s events.Signed, key string) proof.Receipt {
	record := append([]byte(r.Envelope+"\n"), r.RecordedNote(s)...)
	return proof.Receipt{Record: record, Proof: []byte(r.Proof), Key: key}
}

// maxOpened is how many checkpoints are kept that were verified: many receipts come under the same.
const maxOpened = 64

// open verifies a checkpoint, unless it is one of those that were verified before.
func (c *contact) open(signed []byte) (proof.Checkpoint, error) {
	if known, ok := c.opened.Get(string(signed)); ok {
		return known, nil
	}
	next, err := proof.OpenCheckpoint(signed, c.keys...)
	if err != nil {
		return next, err
	}
	c.opened.Add(string(signed), next)
	return next, nil
}

// tell notes a checkpoint that a receipt was under.
func (c *contact) tell(next proof.Checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == nil {
		c.told = map[string]proof.Checkpoint{}
	}
	c.told[string(next.Signed)] = next
}

// saw is what a statement says that its signer has seen.
func (c *contact) saw() *events.Seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen.N == 0 {
		return nil
	}
	return &events.Seen{Size: c.seen.N, Root: c.seen.Hash.String()}
}

// submitVerified submits one statement, and returns when its receipt is proved and saved. Signer is
// the key that signed it, "" when that is not known.
func (a *app) submitVerified(ctx context.Context, to intake.Submitter, s events.Signed,
	signer events.Key) (intake.Receipt, error) {
	r, err := submitAgain(ctx, to, s)
	if err == nil {
		err = a.checkReceipts(ctx)
	}
	if err != nil || a.receiptFile == "" {
		return r, err
	}
	saved := receiptOf(r, s, "")
	for _, key := range a.contact.keys { // the one that has signed this checkpoint
		if _, err := saved.Check(key); err == nil {
			saved.Key, saved.Signer = key, signer
		}
	}
	if err := saveReceipt(a.receiptFile, saved.Text()); err != nil {
		return r, fmt.Errorf("the statement is recorded as %d, but its receipt was not saved: %w",
			r.Sequence, err)
	}
	a.receiptSaved = true
	fmt.Fprintf(a.stderr, "muster: the receipt is in %s: check it with: muster receipt %s\n",
		a.receiptFile, a.receiptFile)
	return r, nil
}

// saveReceipt writes a receipt, also over an older one, and over nothing else than a file.
func saveReceipt(path string, text []byte) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is there already, and is no ordinary file", path)
	}
	return files.Replace(path, 0o644, text)
}
