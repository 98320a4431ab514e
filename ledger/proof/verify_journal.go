package proof

import (
	"context"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A JournalFile is a journal's file that nobody has open, also a damaged one, as a
// [muster/ledger/journal.File] reads it. It is an interface so that this package, which an auditor
// imports to verify a server or a bundle, links no database.
type JournalFile interface {
	// Each calls yield with each record, in the file's order, until yield returns false.
	Each(yield func(sequence uint64, stored []byte) bool) error
	// IDs returns under which sequence the file's index has each id.
	IDs() (map[events.ID]uint64, error)
	// Meta returns the tree and the signed checkpoint that were saved with the records, nil for
	// none.
	Meta() (tree *tlog.Tree, checkpoint []byte, err error)
	// Tiles reads the tiles of the tree.
	Tiles() (tlog.TileReader, error)
}

// OfJournal makes a Source of a journal's file, which name names for people. Nothing is written.
// The caller closes the file after the verification.
func OfJournal(name string, f JournalFile) Source {
	entries := func(context.Context) iter.Seq2[Entry, error] { return entriesOfJournal(f) }
	src := Source{Name: name, Entries: entries}
	tree, checkpoint, err := f.Meta()
	if err == nil {
		src.Tree, src.Checkpoint, src.NoCheckpoint = tree, checkpoint,
			"this server has not signed one"
	}
	if src.Tree != nil {
		src.Size = src.Tree.N
	}
	tiles, tilesErr := f.Tiles()
	if tilesErr == nil {
		src.Tiles = tiles
	}
	index := func(_ context.Context, found Found, r *Report) (*Fault, error) {
		return checkIndex(f, found, r), nil
	}
	src.Also = append(src.Also, metaIsSound(err, tilesErr), index)
	return src
}

func entriesOfJournal(f JournalFile) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		more := true
		err := f.Each(func(sequence uint64, stored []byte) bool {
			if stored == nil { // which a folder withholds from nobody
				stored = []byte{}
			}
			more = yield(Entry{Sequence: sequence, Stored: stored}, nil)
			return more
		})
		if err != nil && more {
			yield(Entry{}, err)
		}
	}
}

// metaIsSound tells what could not be read of the file beside the records.
func metaIsSound(errs ...error) Extra {
	return func(_ context.Context, _ Found, r *Report) (*Fault, error) {
		for _, err := range errs {
			if err != nil {
				f := &Fault{Check: "file", What: problem.From(err).Detail}
				r.Add("file", Failed, "%s", f)
				return f, nil
			}
		}
		return nil, nil
	}
}

// checkIndex holds the journal's index of ids against the records: a wrong one would let a
// statement be recorded twice.
func checkIndex(f JournalFile, found Found, r *Report) *Fault {
	ids, err := f.IDs()
	var fault *Fault
	switch {
	case err != nil:
		fault = &Fault{Check: "index", What: problem.From(err).Detail}
	case !found.Whole():
		r.Add("index", NotChecked,
			"the index of the statements' ids can only be compared where all records are good")
		return nil
	default:
		fault = compareIDs(ids, found)
	}
	if fault != nil {
		r.Add("index", Failed, "%s", fault)
	} else {
		r.Add("index", Verified,
			"the index of the statements' ids holds every one of them, and no other")
	}
	return fault
}

func compareIDs(ids map[events.ID]uint64, found Found) *Fault {
	for id, sequence := range ids {
		if at, ok := found.SequenceOf(id); !ok || at != sequence {
			return &Fault{Check: "index",
				What: fmt.Sprintf("the index of the statements' ids says that %s is record %d, "+
					"and it is not", id, sequence)}
		}
	}
	if uint64(len(ids)) != found.Records() {
		return &Fault{Check: "index",
			What: fmt.Sprintf("the index of the statements' ids holds %d of %d", len(ids),
				found.Records())}
	}
	return nil
}

// An Extra looks at what only one kind of source has. It adds its checks to the report itself, and
// returns the first fault that it has found. The error is for what cannot be looked at.
type Extra func(ctx context.Context, found Found, r *Report) (*Fault, error)

// Found is what a verification has found in the records, for an Extra.
type Found struct{ v *verifier }

// Records returns how many there were without a gap.
func (f Found) Records() uint64 { return uint64(f.v.tree.size) }

// Whole reports whether every record was read and is good.
func (f Found) Whole() bool { return f.v.fault == nil && !f.v.broken }

// Is reports whether stored is the record with the sequence, byte for byte, and false for known
// when there was none.
func (f Found) Is(sequence uint64, stored []byte) (same, known bool) {
	leaf, known := f.v.tree.leaf(sequence)
	return known && leaf == tlog.RecordHash(stored), known
}

// Has reports whether an entry is the record with its sequence, or its leaf hash.
func (f Found) Has(e Entry) bool {
	leaf, known := f.v.tree.leaf(e.Sequence)
	return known && leaf == e.leaf()
}

// SequenceOf returns which record's statement has an id.
func (f Found) SequenceOf(id events.ID) (uint64, bool) {
	sequence, ok := f.v.ids[id]
	return sequence, ok
}
