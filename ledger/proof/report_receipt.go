package proof

import (
	"cmp"
	"fmt"
	"strings"

	"muster/events"
)

// Checkpoint returns the signed checkpoint in the receipt's proof, nil when there is none. Nothing
// in it is verified.
func (r Receipt) Checkpoint() []byte {
	_, _, signed, err := readProof(r.Proof)
	if err != nil {
		return nil
	}
	return signed
}

// compareAlone holds a checkpoint against those that are known, without the records of its tree:
// those of the same size tell, and of others nobody can say without a server whether one goes on
// from the other.
func (r *Report) compareAlone(c Checkpoint, known []Checkpoint) {
	if c.By == "" {
		return
	}
	same, largest := false, int64(0)
	for _, k := range known {
		if k.N == c.N && k.Hash != c.Hash {
			r.Other = otherOfSize(k, c)
			f := &Fault{Check: "known", Code: "other-history",
				What: "it is of another history than was seen before: " + r.Other.What}
			r.Add("known", Failed, "%s", f)
			r.Fault = cmp.Or(r.Fault, f)
			return
		}
		same, largest = same || k.N == c.N, max(largest, k.N)
	}
	switch {
	case same:
		r.Add("known", Verified, "the tree is one that was seen before")
	case largest > 0:
		r.Add("known", NotChecked, "the tree of %d records was not compared with that of %d that "+
			"was seen before: a server can show whether one goes on from the other: muster "+
			"checkpoint --compare FILE URL", c.N, largest)
	default:
		r.Add("known", NotChecked,
			"it was not compared: nothing else was seen of this ledger before")
	}
}

// VerifyReceipt verifies the text of a receipt, as [Receipt.Check] does, and reports it as a bundle
// of one record. The key in the receipt is used, as its own claim, when the options have none.
func VerifyReceipt(name string, text []byte, o Options) Report {
	failed := func(check string, err error) Report {
		f := &Fault{Check: check, What: err.Error()}
		r := Report{Of: name, Fault: f}
		r.Add(check, Failed, "%s", f)
		return r
	}
	receipt, err := ReadReceipt(text)
	if err != nil {
		return failed("file", fmt.Errorf("the receipt is damaged: %w", err))
	}
	if o.Key.Verifier == "" {
		o.Key = TrustedKey{Verifier: receipt.Key, Claimed: true, Why: "is the receipt's own claim"}
	}
	found, err := receipt.Check(o.Key.Verifier)
	if err != nil {
		return failed("proofs", err)
	}
	rec, c := found.Record, found.Checkpoint
	at := rec.Recorded.Format(events.RecordedForm)
	line, _, _ := strings.Cut(string(rec.Note), "\n")
	head := rec.Statement.Head()
	r := Report{Of: name, OK: true, Origin: head.Ledger, Records: 1, FirstRecorded: at,
		LastRecorded: at, Checkpoint: covered(&c, o.Key),
		Said: []Said{{rec.Sequence, at, head.Type, head.ID, rec.SignedBy().String(), line}}}
	r.Add("proofs", Verified, "record %d has its place in the tree of %d records with the root %s",
		rec.Sequence, c.N, c.Hash)
	r.Add("checkpoint", Verified, "%s has signed for the tree; the key %s%s", c.By, o.Key.Why,
		c.otherSignatures())
	r.compareAlone(c, o.Known)
	if receipt.Signer != "" {
		r.Add("signatures", Verified,
			"the statement is signed with the key that the receipt names, %s", receipt.Signer)
	} else {
		r.Add("signatures", NotChecked,
			"the receipt does not name the key of %s, who has signed the statement", rec.SignedBy())
	}
	r.Add("roster", NotChecked,
		"whether the signer was a member takes more records: muster export bundle FILE --pledge ID")
	r.Add("rules", NotChecked,
		"whether the statement was allowed takes the records of the whole ledger")
	r.OK = r.Fault == nil
	r.CannotShow = cannotShow(name, o.Key, &c)
	return r
}
