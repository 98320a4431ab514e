package proof

import (
	"context"
	"errors"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// Exported says what is in a bundle.
type Exported struct {
	Records  uint64      // that can be read
	Withheld uint64      // of the ledger's others, how many the bundle names
	View     events.View // of those who may read it, "" for all
}

// ExportLedger writes a bundle of the whole ledger: every record of the source that its checkpoint
// covers, or a line in the place of each that may not be read. The records are written as they come
// and not kept; that they are those of the checkpoint is known at the end, and a bundle that is not
// good never gets its last line. The key is what the bundle will claim.
//
// The source of a view is read from its first record to the first that is withheld before that,
// since a bundle from which nothing is withheld is that of those who read all.
func ExportLedger(ctx context.Context, w io.Writer, src Source, key TrustedKey,
	progress func(done, of int64)) (x Exported, err error) {
	c, err := checkpointToExport(src, key)
	if err == nil {
		x.View, err = withholding(ctx, src, c.N)
	}
	if err != nil {
		return x, err
	}
	b := writeBundle(w, BundleHead{View: x.View, Key: key.Verifier, Checkpoint: src.Checkpoint})
	t, err := growTree(ctx, src, c.N, progress, func(e Entry) error {
		b.entry(e)
		return nil
	})
	if err == nil {
		err = isTree(t, c)
	}
	x.Records, x.Withheld = b.records, b.withheld
	if err != nil {
		return x, err
	}
	return x, b.end()
}

// withholding returns the view of a source if it withholds a record from it, "" when it has them
// all.
func withholding(ctx context.Context, src Source, size int64) (events.View, error) {
	if src.View == "" {
		return "", nil
	}
	var found events.View
	_, err := growTree(ctx, src, size, nil, func(e Entry) error {
		if e.Stored == nil {
			found = src.View
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return found, err
}

var errFound = errors.New("found")

// checkpointToExport opens the source's checkpoint, which must be good.
func checkpointToExport(src Source, key TrustedKey) (*Checkpoint, error) {
	if src.Checkpoint == nil {
		return nil, problem.New(problem.Unavailable,
			"%s has no checkpoint, and without one a bundle proves nothing", src.Name).
			WithHint("start the server once, so that it signs one")
	}
	c, err := openCheckpoint(src.Checkpoint, key)
	if err != nil {
		return nil, problem.New(problem.Unverified, "the checkpoint of %s is not good: %w",
			src.Name, err)
	}
	return c, nil
}

// growTree reads a source up to a size, in order, and makes the tree over it.
func growTree(ctx context.Context, src Source, size int64, progress func(done, of int64),
	yield func(Entry) error) (*tree, error) {
	t := &tree{}
	for e, err := range src.Entries(ctx) {
		if t.size == size {
			break // what was recorded since is not covered
		}
		if err == nil && e.Stored == nil && src.View == "" {
			err = problem.New(problem.NotReadable, "record %d of %s may not be read",
				e.Sequence, src.Name).
				WithHint("say which view it is that you may read: --view coalition")
		}
		if err == nil && e.Sequence != uint64(t.size)+1 {
			err = problem.New(problem.Unverified, "record %d is missing in %s: record %d follows",
				t.size+1, src.Name, e.Sequence)
		}
		if err == nil {
			err = yield(e)
		}
		if err != nil {
			return t, err
		}
		t.add(e.leaf())
		if progress != nil && t.size%1024 == 0 {
			progress(t.size, size)
		}
	}
	return t, ctx.Err()
}

func isTree(t *tree, c *Checkpoint) error {
	root, ok := t.root(c.N)
	if !ok || root != c.Hash {
		return problem.New(problem.Unverified,
			"the %d records are not those that the checkpoint covers", t.size).
			WithHint("see which is wrong: muster verify FOLDER")
	}
	return nil
}

// ExportPledge writes a bundle of what was said about one pledge: its records and those that say
// who might sign what (the founding, and every record about members), each with its inclusion
// proof. It reads the whole source, and keeps in memory what it writes and 64 bytes for each
// record. The error is a problem of kind NotFound when there is no such pledge.
func ExportPledge(ctx context.Context, w io.Writer, src Source, pledge events.ID, key TrustedKey,
	progress func(done, of int64)) (x Exported, err error) {
	c, err := checkpointToExport(src, key)
	if err != nil {
		return x, err
	}
	var kept []Entry
	found := false
	t, err := growTree(ctx, src, c.N, progress, func(e Entry) error {
		if e.Stored == nil {
			x.View = src.View
			return nil
		}
		rec, err := events.ParseRecord(e.Sequence, e.Stored)
		if err != nil {
			return err
		}
		about := isAbout(rec.Statement, pledge)
		found = found || about
		if about || isOfRoster(rec.Statement) {
			kept = append(kept, Entry{Sequence: e.Sequence, Stored: slices.Clone(e.Stored)})
		}
		return nil
	})
	if err == nil {
		err = isTree(t, c)
	}
	if err != nil {
		return x, err
	}
	if !found {
		return x, problem.New(problem.NotFound, "no record is about a pledge %s", pledge).
			WithHint("see the pledges with their ids: muster pledge list")
	}
	b := writeBundle(w, BundleHead{Pledge: pledge, View: x.View, Key: key.Verifier,
		Checkpoint: src.Checkpoint})
	for _, e := range kept {
		p, err := tlog.ProveRecord(c.N, int64(e.Sequence)-1, t)
		if err != nil {
			return x, err
		}
		b.record(e.Sequence, e.Stored)
		b.proof(e.Sequence, formatProof(int64(e.Sequence)-1, p, nil))
	}
	x.Records = b.records
	return x, b.end()
}

// isAbout reports whether a statement is part of a pledge's life.
func isAbout(st events.Statement, pledge events.ID) bool {
	thing, ok := st.(interface{ Thing() events.ID })
	return ok && thing.Thing() == pledge
}

// isOfRoster reports whether a statement says who may sign what.
func isOfRoster(st events.Statement) bool {
	about := st.Head().Type.Subject()
	return about == "ledger" || about == "member"
}
