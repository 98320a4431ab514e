package proof

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// judge takes a batch in order: each record's place, its leaf, and, as long as nothing was found
// wrong, what it says. After a fault it only adds leaves, so that the report can say whether the
// tree, at least, is the one that was signed.
func (v *verifier) judge(b *batch) {
	b.keys = make([]events.Key, 0, len(b.records))
	for i, e := range b.entries {
		if !v.follows(e) {
			return
		}
		v.tree.add(b.leaves[i])
		if e.Stored == nil {
			v.withheld++
		}
		switch {
		case v.opts.treeOnly || e.Sequence > v.bad.Load():
		case i < len(b.records):
			b.keys = append(b.keys, v.judgeRecord(b.records[i], e.Subject))
		case problem.Is(b.err, problem.Unavailable):
			v.blameNewer(e.Sequence, b.err)
		default:
			v.blame(&Fault{Sequence: e.Sequence, Check: "records", What: whatOf(e.Sequence, b.err)})
		}
	}
}

// follows looks whether a record has the next sequence. When it has not, what comes later has no
// place in the tree.
func (v *verifier) follows(e Entry) bool {
	want := uint64(v.tree.size) + 1
	if e.Sequence == want || v.broken {
		return !v.broken
	}
	v.broken = true
	what := fmt.Sprintf("it is missing: record %d follows", e.Sequence)
	if e.Sequence < want {
		what = fmt.Sprintf("it is missing: a record that calls itself %d stands in its place",
			e.Sequence)
	}
	v.blame(&Fault{Sequence: want, Check: "records", What: what})
	return false
}

// judgeRecord replays one record: whether it may be there at all. It returns the key that must have
// signed it, "" when the signature is not to be verified.
func (v *verifier) judgeRecord(rec events.Record, subject string) events.Key {
	if rec.Statement == nil {
		v.blameAny(v.passOver(rec.Sequence))
		return ""
	}
	v.leaps.see(rec, v.state.Recorded())
	key, fault := v.mayFollow(rec, subject)
	if fault != nil {
		fault.Sequence = rec.Sequence
		v.blame(fault)
		return ""
	}
	v.ids[rec.Statement.Head().ID] = rec.Sequence
	if v.first == "" {
		v.first = rec.Recorded.Format(events.RecordedForm)
	}
	if v.since != nil && rec.Sequence <= uint64(v.since.N) {
		return ""
	}
	v.signers[rec.SignedBy()] = true
	return key
}

func (v *verifier) mayFollow(rec events.Record, subject string) (events.Key, *Fault) {
	if want := events.Subject(rec.Statement); subject != "" && subject != want {
		return "", &Fault{Check: "records",
			What: fmt.Sprintf("it lies under the subject %s, and its statement belongs under %s",
				subject, want)}
	}
	if what := v.bounded.late(rec); what != "" {
		return "", &Fault{Check: "times", What: what}
	}
	head := rec.Statement.Head()
	if before, ok := v.ids[head.ID]; ok {
		return "", &Fault{Check: "rules", Code: "id-taken",
			What: fmt.Sprintf("its id %s is that of record %d", head.ID, before)}
	}
	if head.Seen != nil {
		v.seen++
		if what := v.tree.disagrees(*head.Seen, rec.Sequence); what != "" {
			return "", &Fault{Check: "seen", Code: "other-history", What: what}
		}
	}
	key, err := v.decide(rec)
	if err == nil {
		err = rules.InTime(rec.Statement, rec.Recorded)
	}
	if err != nil {
		p := problem.From(err)
		return "", &Fault{Check: "rules", Code: p.Code, What: p.Detail}
	}
	v.unheard = heard(v.unheard, v.state.State, rec.Sequence, rec)
	if err := v.state.Apply(rec); err != nil {
		return "", &Fault{Check: "records", What: whatOf(rec.Sequence, err)}
	}
	return key, nil
}

// decide asks the rules of the ledger, with the roster as it stood before the record.
func (v *verifier) decide(rec events.Record) (events.Key, error) {
	if founded, ok := rec.Statement.(*events.LedgerFounded); ok {
		return founded.Founder, rules.Decide(v.state.State, founded.Founder, rec.Statement)
	}
	key, known := v.state.KeyOf(rec.SignedBy())
	if !known && v.state.Last() > 0 {
		return "", rules.NotAdmitted(rec.SignedBy())
	}
	whole, err := v.state.Decide(key, rec.Statement)
	if !whole && err == nil {
		v.inPart++
	}
	return key, err
}

// A tree is the Merkle tree over the records so far, every hash of it: 64 bytes a record. The order
// is that of package tlog.
type tree struct {
	size   int64
	hashes []tlog.Hash
}

func (t *tree) add(leaf tlog.Hash) {
	hashes, err := tlog.StoredHashesForRecordHash(t.size, leaf, t)
	if err != nil {
		panic(err) // ReadHashes has all that tlog may ask for
	}
	t.hashes = append(t.hashes, hashes...)
	t.size++
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("the tree of %d records has no hash %d", t.size, index)
		}
		hashes[i] = t.hashes[index]
	}
	return hashes, nil
}

// root returns the root of the tree as it was with the given size.
func (t *tree) root(size int64) (tlog.Hash, bool) {
	if size < 0 || size > t.size {
		return tlog.Hash{}, false
	}
	root, err := tlog.TreeHash(size, t)
	return root, err == nil
}

// leaf returns the leaf hash of a record.
func (t *tree) leaf(sequence uint64) (tlog.Hash, bool) {
	if sequence == 0 || sequence > uint64(t.size) {
		return tlog.Hash{}, false
	}
	return t.hashes[tlog.StoredHashIndex(0, int64(sequence)-1)], true
}

// disagrees says what is wrong with the tree that a statement claims to have seen, "" when nothing
// is.
func (t *tree) disagrees(seen events.Seen, sequence uint64) string {
	root, ok := t.root(seen.Size)
	switch {
	case !ok || uint64(seen.Size) >= sequence:
		return fmt.Sprintf("its signer has seen a ledger of %d records, and this one had %d then",
			seen.Size, sequence-1)
	case root.String() != seen.Root:
		return fmt.Sprintf("its signer has seen another ledger: the first %d records had the "+
			"root %s there, and have %s here", seen.Size, seen.Root, root)
	}
	return ""
}
