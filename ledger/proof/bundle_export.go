package proof

import (
	"context"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// ExportLedger writes a bundle of the whole ledger: every record of the source that its checkpoint covers. The records are
// written as they come and not kept; that they are those of the checkpoint is known at the end, and a bundle that is not
// good never gets its last line. It returns how many records there are. The key is what the bundle will claim.
func ExportLedger(ctx context.Context, w io.Writer, src Source, key TrustedKey, progress func(done, of int64)) (uint64, error) {
	c, err := checkpointToExport(src, key)
	if err != nil {
		return 0, err
	}
	b := writeBundle(w, BundleHead{Key: key.Verifier, Checkpoint: src.Checkpoint})
	t, err := growTree(ctx, src, c.N, progress, func(e Entry) error {
		b.record(e.Sequence, e.Stored)
		return nil
	})
	if err == nil {
		err = isTree(t, c)
	}
	if err != nil {
		return b.records, err
	}
	return b.records, b.end()
}

// checkpointToExport opens the source's checkpoint, which must be good.
func checkpointToExport(src Source, key TrustedKey) (*Checkpoint, error) {
	if src.Checkpoint == nil {
		return nil, problem.New(problem.Unavailable, "%s has no checkpoint, and without one a bundle proves nothing", src.Name).
			WithHint("start the server once, so that it signs one")
	}
	c, err := openCheckpoint(src.Checkpoint, key)
	if err != nil {
		return nil, problem.New(problem.Unverified, "the checkpoint of %s is not good: %w", src.Name, err)
	}
	return c, nil
}

// growTree reads a source up to a size, in order, and makes the tree over it.
func growTree(ctx context.Context, src Source, size int64, progress func(done, of int64), yield func(Entry) error) (*tree, error) {
	t := &tree{}
	for e, err := range src.Entries(ctx) {
		if t.size == size {
			break // what was recorded since is not covered
		}
		if err == nil && e.Sequence != uint64(t.size)+1 {
			err = problem.New(problem.Unverified, "record %d is missing in %s: record %d follows", t.size+1, src.Name, e.Sequence)
		}
		if err == nil {
			err = yield(e)
		}
		if err != nil {
			return t, err
		}
		t.add(tlog.RecordHash(e.Stored))
		if progress != nil && t.size%1024 == 0 {
			progress(t.size, size)
		}
	}
	return t, ctx.Err()
}

func isTree(t *tree, c *Checkpoint) error {
	root, ok := t.root(c.N)
	if !ok || root != c.Hash {
		return problem.New(problem.Unverified, "the %d records are not those that the checkpoint covers", t.size).
			WithHint("see which is wrong: muster verify FOLDER")
	}
	return nil
}

// ExportPledge writes a bundle of what was said about one pledge: its records and those that say who might sign what (the
// founding, and every member admitted or revoked), each with its inclusion proof. It reads the whole source, and keeps in
// memory what it writes and 64 bytes for each record. The error is a problem of kind NotFound when there is no such pledge.
func ExportPledge(ctx context.Context, w io.Writer, src Source, pledge events.ID, key TrustedKey, progress func(done, of int64)) (uint64, error) {
	c, err := checkpointToExport(src, key)
	if err != nil {
		return 0, err
	}
	var kept []Entry
	found := false
	t, err := growTree(ctx, src, c.N, progress, func(e Entry) error {
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
		return 0, err
	}
	if !found {
		return 0, problem.New(problem.NotFound, "no record is about a pledge %s", pledge).WithHint("see the pledges with their ids: muster pledge list")
	}
	b := writeBundle(w, BundleHead{Pledge: pledge, Key: key.Verifier, Checkpoint: src.Checkpoint})
	for _, e := range kept {
		p, err := tlog.ProveRecord(c.N, int64(e.Sequence)-1, t)
		if err != nil {
			return b.records, err
		}
		b.record(e.Sequence, e.Stored)
		b.proof(e.Sequence, formatProof(int64(e.Sequence)-1, p, nil))
	}
	return b.records, b.end()
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
