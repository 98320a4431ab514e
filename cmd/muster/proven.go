package main

import (
	"context"
	"fmt"
	"os"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/proof"
)

// A proven submitter believes no receipt that does not prove what it says.
type proven struct {
	intake.Submitter
	contact *contact
}

// Submit implements intake.Submitter.
func (p proven) Submit(ctx context.Context, s events.Signed) (intake.Receipt, error) {
	r, err := p.Submitter.Submit(ctx, s)
	if err != nil {
		return r, err
	}
	in, err := receiptOf(r, s, p.contact).Check(p.contact.keys...)
	if err == nil {
		err = saysTheSame(r, in.Record)
	}
	if err != nil {
		return r, problem.New(problem.Unverified, "the server says that the statement is record %d, and does not prove it: %w", r.Sequence, err).
			WithHint("do not rely on it: ask another server of the ledger, or another member, whether the statement %s is there", s.Statement.Head().ID)
	}
	p.contact.tell(in.Checkpoint)
	return r, nil
}

// receiptOf makes the receipt that can be kept of the one that the server gave. The record is put together from what was
// sent, so that the server cannot have recorded anything else.
func receiptOf(r intake.Receipt, s events.Signed, c *contact) proof.Receipt {
	return proof.Receipt{Record: append([]byte(r.Envelope+"\n"), s.Note...), Proof: []byte(r.Proof), Key: c.keys[0]}
}

// saysTheSame compares what a receipt says beside its proof with what was proved.
func saysTheSame(r intake.Receipt, rec events.Record) error {
	head := rec.Statement.Head()
	if r.Sequence != rec.Sequence || r.LeafIndex+1 != rec.Sequence || r.Recorded != rec.Recorded.Format(events.RecordedForm) || r.By != rec.By || r.ID != head.ID || r.Type != head.Type {
		return fmt.Errorf("what is proved is record %d, recorded %s by %s", rec.Sequence, rec.Recorded.Format(events.RecordedForm), rec.By)
	}
	return nil
}

// tell notes the largest checkpoint that a receipt was under.
func (c *contact) tell(next proof.Checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next.N > c.told.N {
		c.told = next
	}
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

// submitProven submits one statement, and returns when its receipt is proved and saved. Signer is the key that signed it, ""
// when that is not known.
func (a *app) submitProven(ctx context.Context, to intake.Submitter, s events.Signed, signer events.Key) (intake.Receipt, error) {
	r, err := submitAgain(ctx, to, s)
	if err == nil {
		err = a.settle(ctx)
	}
	if err != nil || a.receiptFile == "" {
		return r, err
	}
	saved := receiptOf(r, s, a.contact)
	saved.Signer = signer
	for _, key := range a.contact.keys { // the one that has signed this checkpoint
		if _, err := saved.Check(key); err == nil {
			saved.Key = key
		}
	}
	if err := os.WriteFile(a.receiptFile, saved.Text(), 0o644); err != nil {
		return r, fmt.Errorf("the statement is recorded as %d, but its receipt was not saved: %w", r.Sequence, err)
	}
	fmt.Fprintf(a.stderr, "muster: the receipt is in %s: check it with muster receipt %s\n", a.receiptFile, a.receiptFile)
	return r, nil
}
