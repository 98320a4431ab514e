package main

import (
	"context"
	"time"

	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/proof"
)

// copyAgain is what to do with a copy without its tail.
const copyAgain = "if the server that it is from is there, this copy is not needed: make " +
	"another with: " +
	"muster backup DIR; if it is not, keep this one, and look for the files journal.db.tail0 and " +
	"journal.db.tail1, which belong beside it"

// wholeness looks whether the newest records of a journal can be missing: a copy of its file alone,
// taken while a server wrote it, verifies without them. A journal that is a copy may be whole, and
// nothing in it tells what came later.
func wholeness(f *journal.File) proof.Extra {
	return func(_ context.Context, _ proof.Found, r *proof.Report) (*proof.Fault, error) {
		copied, is, err := f.Copied()
		restored, err2 := f.Restored()
		for _, err := range []error{err, err2} {
			if err != nil {
				fault := &proof.Fault{Check: "copy", What: problem.From(err).Detail}
				r.Add("copy", proof.Failed, "%s", fault)
				return fault, nil
			}
		}
		for _, c := range restored {
			r.Add("copy", proof.NotChecked, "this journal was %s; that this may be lost was "+
				"accepted at %s", c, c.Accepted.Format(time.RFC3339))
		}
		if is && copied.NoTail {
			fault := &proof.Fault{Check: "tail", What: "the journal is " + copied.String()}
			r.Add("tail", proof.Failed, "%s", fault)
			return fault, nil
		}
		if is {
			r.Add("copy", proof.NotChecked, "this is %s", copied)
		}
		reportTail(f, r)
		return nil, nil
	}
}

func reportTail(f *journal.File, r *proof.Report) {
	switch f.State() {
	case journal.Closed:
		r.Add("tail", proof.Verified, "the journal was closed in good order, and has no tail")
	case journal.LeftOpen:
		r.Add("tail", proof.Verified, "the journal was not closed, and its tail is beside it, "+
			"with the newest %s", english.Several(uint64(f.InTail()), "record"))
		r.CannotShow = append(r.CannotShow, "that its tail was copied at the same moment as the "+
			"rest of it, if this is a copy (make one with `muster backup DIR`)")
	default:
		r.Add("tail", proof.NotChecked, "an older program has written the journal: if it was "+
			"copied while a server ran, its newest records, in its tail, may be missing")
	}
}
