// Package policy reads which witnesses a ledger has, and how many of them are asked for, as C2SP
// tlog-policy writes it:
//
//	log muster.example/berlin+1a2b3c4d+Aet…                        a checkpoint key of the ledger
//	witness paris witness.mod.example/fra+5e6f7a8b+BAe… https://…  its name here, its key, where
//	witness oslo witness.mod.example/nor+9c0d1e2f+BDc… https://…   it is asked
//	witness rome witness.mod.example/ita+3a4b5c6d+BFg… https://…
//	group all-three 2 paris oslo rome                              any two of them
//	quorum all-three                                               what is asked for, or none
//
// torchwood has a reader of such files, too. It tells nobody the witnesses and their addresses,
// takes one key for two witnesses, and asks for the signatures of all the logs that are named,
// where one is enough. So the lines are read here, and the keys, the cosignatures and the counting
// are torchwood's.
package policy

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"muster/events/problem"
	"muster/ledger/proof"
)

// A Policy is a file that was read. It is not changed, so that it may be used concurrently.
type Policy struct {
	// Logs are the checkpoint keys of the ledger; none where they are known from elsewhere.
	Logs []Log
	// Witnesses are all that the file names, in its order, whether or not the quorum counts them.
	Witnesses []Witness

	quorum torchwood.Policy // nil where nobody is asked for
	least  int              // how few witnesses can make the quorum
}

// A Log is a server of the ledger.
type Log struct {
	Key string // its checkpoint key
	URL string // "" where the file has none
}

// A Witness is one that the policy names.
type Witness struct {
	Name string // in this file, and nowhere else
	Key  string // as [muster/ledger/witness.Witness.Key] has it
	URL  string // where it is asked, "" where the file has none

	verifier *torchwood.CosignatureVerifier
}

// KeyID names the witness's key as its signatures do: "witness.mod.example/fra+5e6f7a8b".
func (w Witness) KeyID() string { return proof.KeyID(w.verifier) }

// Read reads the file of a policy. The error is a problem that names the line.
func Read(file string) (*Policy, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, problem.New(problem.Usage, "the policy: %w", err).
			WithHint("name the file that says which witnesses there are (C2SP tlog-policy)")
	}
	defer f.Close()
	text := make([]byte, maxBytes+1)
	n, err := readFull(f, text)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "the policy %s: %w", file, err)
	}
	return Parse(text[:n])
}

// Needs is how few witnesses can be enough; 0 where nobody is asked for.
func (p *Policy) Needs() int { return p.least }

// Knows reports whether a checkpoint key is one of those that the policy names, or it names none.
func (p *Policy) Knows(checkpointKey string) bool {
	return len(p.Logs) == 0 || slices.ContainsFunc(p.Logs, func(l Log) bool {
		return l.Key == strings.TrimSpace(checkpointKey)
	})
}

// Enough reports whether these witnesses, by their names in the policy, are as many as it asks for.
func (p *Policy) Enough(names ...string) bool {
	var all []note.Signature
	for _, w := range p.Witnesses {
		if slices.Contains(names, w.Name) {
			all = append(all, note.Signature{Name: w.verifier.Name(), Hash: w.verifier.KeyHash()})
		}
	}
	return p.enough(all)
}

func (p *Policy) enough(verified []note.Signature) bool {
	return p.quorum == nil || p.quorum.Check("", verified) == nil
}

// A Cosignature is that of a witness, and it was verified.
type Cosignature struct {
	Witness string    `json:"witness" doc:"Its name in the policy"`
	Key     string    `json:"key" doc:"The name and the hash of its key"`
	At      time.Time `json:"at" doc:"When it has signed, by its own clock, in seconds"`
}

// A Witnessed is what the witnesses of a policy have signed of a checkpoint. Its JSON members are
// added to, never renamed.
type Witnessed struct {
	By     []Cosignature `json:"by" doc:"The witnesses that have signed, in the policy's order"`
	Of     int           `json:"of" doc:"How many witnesses the policy names"`
	Needs  int           `json:"needs" doc:"How few of them can be enough; 0 where none is asked for"`
	Enough bool          `json:"enough" doc:"Whether as many have signed as are asked for"`
}

// String is what there is to say: "witnessed by 2 of 3", with what is missing.
func (w Witnessed) String() string {
	said := fmt.Sprintf("witnessed by %d of %d", len(w.By), w.Of)
	if len(w.By) == 0 {
		said = fmt.Sprintf("not witnessed by any of %d", w.Of)
	}
	if !w.Enough {
		said += fmt.Sprintf(": the policy asks for more, at least %d", w.Needs)
	}
	return said
}

// First and Last are the times of the earliest and of the latest cosignature, zero without any.
func (w Witnessed) First() (at time.Time) {
	for i, c := range w.By {
		if i == 0 || c.At.Before(at) {
			at = c.At
		}
	}
	return at
}

// Outside returns the earliest cosignature, and true where a record of the tree has a recorded time
// that is later by more than [proof.Skew]: a witness can have signed for no record that was not
// there.
func (w Witnessed) Outside(recorded time.Time) (c Cosignature, late bool) {
	first := w.First()
	for _, c := range w.By {
		if c.At.Equal(first) {
			return c, recorded.After(first.Add(proof.Skew))
		}
	}
	return c, false
}

// Witnessed verifies the cosignatures of a checkpoint that are those of the policy's witnesses;
// others are passed over. That a checkpoint key of the ledger has signed it, the caller has
// verified. The error is of what is no signed note, or has a witness's signature that is wrong.
func (p *Policy) Witnessed(signed []byte) (Witnessed, error) {
	w := Witnessed{Of: len(p.Witnesses), Needs: p.least, By: []Cosignature{}}
	n, err := note.Open(signed, p.verifiers())
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unverified):
		w.Enough = p.enough(nil)
		return w, nil
	case err != nil:
		return w, fmt.Errorf("the signatures of the witnesses: %w", err)
	}
	for _, witness := range p.Witnesses {
		for _, s := range n.Sigs {
			if s.Name != witness.verifier.Name() || s.Hash != witness.verifier.KeyHash() {
				continue
			}
			at, err := torchwood.CosignatureTimestamp(s)
			if err != nil {
				return w, fmt.Errorf("the time of the witness %s: %w", witness.Name, err)
			}
			w.By = append(w.By, Cosignature{witness.Name, witness.KeyID(), time.Unix(at, 0).UTC()})
		}
	}
	w.Enough = p.enough(n.Sigs)
	return w, nil
}

func (p *Policy) verifiers() note.Verifiers {
	all := make([]note.Verifier, len(p.Witnesses))
	for i, w := range p.Witnesses {
		all[i] = w.verifier
	}
	return note.VerifierList(all...)
}
