package main

import (
	"context"
	"iter"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/projections"
)

// A reading folds the records of a source while somebody else reads and verifies them, as often as
// that is. What it makes of them holds where they were found good.
type reading struct {
	picture *projections.Picture
	err     error // why there is none
}

// foldedWhileRead has the records of a source folded, up to its checkpoint.
func foldedWhileRead(src *proof.Source) *reading {
	f := &reading{}
	entries, size := src.Entries, uint64(0)
	if c, err := proof.ReadCheckpoint(src.Checkpoint); err == nil {
		size = uint64(c.N)
	}
	src.Entries = func(ctx context.Context) iter.Seq2[proof.Entry, error] {
		return func(yield func(proof.Entry, error) bool) {
			f.picture, f.err = projections.NewPicture(), nil
			for e, err := range entries(ctx) {
				if err == nil && e.Sequence <= size {
					f.fold(e)
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
	return f
}

// fold takes a record in, or the place of one that is withheld.
func (f *reading) fold(e proof.Entry) {
	if f.err != nil {
		return
	}
	rec := events.Record{Sequence: e.Sequence}
	if e.Stored != nil {
		rec, f.err = events.ParseRecord(e.Sequence, e.Stored)
	}
	if f.err == nil {
		f.err = f.picture.Apply(rec)
	}
}

// checkName has a name looked for in the records of a source while they are read: what it returns
// refuses the source where it is not of the view of whom the name means, and is called when the
// records were verified. What is no name needs no reading.
func checkName(src *proof.Source, named string) func() error {
	if _, ok := viewNamed(named); ok {
		return func() error { return nil }
	}
	view, f := src.View, foldedWhileRead(src)
	return func() error {
		if f.err != nil {
			return f.err
		}
		return isNameOf(f.picture, named, view)
	}
}

// isNameOf refuses a view that a server has taken a name for where the records that were folded
// tell that the name is another one's, or nobody's.
func isNameOf(p *projections.Picture, named string, view events.View) error {
	if _, ok := viewNamed(named); ok {
		return nil
	}
	v, err := p.WithCodes().ParseView(named)
	switch {
	case err != nil:
		return problem.New(problem.Unverified, "the server takes %q for %s, and no record that "+
			"was read says whose name that is", named, whose(view)).
			WithCode(proof.NotSigned).
			WithHint("give the code of the organisation after --view, in the place of its name")
	case v != view:
		return problem.New(problem.Unverified, "the server takes %q for %s, and by the records it "+
			"is %s", named, whose(view), whose(v)).
			WithCode(proof.NotSigned).
			WithHint("do not rely on this server, or on what stands before it")
	}
	return nil
}

// viewVerifiedAt is viewAt for a name, which is looked for in the records of the server as those
// see them who have the view: they are read and verified for it, and not kept.
func (a *app) viewVerifiedAt(ctx context.Context, url, named string, keys []string) (events.View,
	error) {
	src, err := a.ofServerIn(ctx, url, named)
	if err != nil {
		return "", err
	}
	view, isOf := src.View, checkName(&src, named)
	src.Tiles = nil // the tree is made of the records
	r, err := proof.Verify(ctx, src, proof.Options{Progress: a.verifyProgress(),
		Key: proof.TrustedKey{Verifier: signerAmong(keys, src.Checkpoint),
			Why: "is the one that was met"}})
	a.progress("")
	switch {
	case err != nil:
		return "", cannotVerify(err)
	case !r.OK:
		return "", problem.New(problem.Unverified, "verification failed: %s", r.Fault).
			WithCode(r.Fault.Code).
			WithHint("change nothing, and see: muster verify %s --view %s", url, view)
	}
	return view, isOf()
}
