package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/proof"
)

// verifyFile verifies a bundle, a journal or a receipt.
func (a *app) verifyFile(ctx context.Context, path string, o proof.Options, l looks) (
	proof.Report, error) {
	begin, err := beginningOf(path)
	if err != nil {
		return proof.Report{}, problem.New(problem.Unavailable, "reading %s: %w", path, err)
	}
	switch {
	case proof.IsBundle(begin):
		return a.verifyBundle(ctx, path, o, l.view)
	case journal.IsFile(begin):
		if l.namesLess() {
			return proof.Report{},
				usage("a journal holds all records, and is verified whole: leave --view out")
		}
		return a.verifyJournal(ctx, "the journal "+path, path, o, keyOfFolder(filepath.Dir(path)))
	case !proof.IsReceipt(begin):
		return proof.Report{},
			problem.New(problem.Unverified,
				"%s is no bundle and no receipt: it does not begin as one", path).
				WithHint("make a bundle with: muster export bundle FILE")
	case o.Since != nil:
		return proof.Report{}, usage("--since is for a whole ledger, and %s is a receipt", path)
	case l.namesLess():
		return proof.Report{}, usage("--view is for a ledger, and %s is a receipt", path)
	}
	return a.verifyReceipt(path, o)
}

// verifyBundle verifies a bundle. That it is of the view that was named is known before where its
// first lines can tell, and afterwards where its records do.
func (a *app) verifyBundle(ctx context.Context, path string, o proof.Options, view string) (
	proof.Report, error) {
	head, err := proof.ReadBundleHead(path)
	if err == nil {
		if err := isOfView(path, head, view); err != nil {
			return proof.Report{}, err
		}
		err = a.trustIn(&o, head.Checkpoint, claimOf(head.Key, "is the bundle's own claim"))
	}
	// The report will say that it is damaged.
	if err != nil && !problem.Is(err, problem.Unverified) {
		return proof.Report{}, err
	}
	if err := a.boundTimes(&o, head.Checkpoint); err != nil {
		return proof.Report{}, err
	}
	r, err := proof.VerifyBundle(ctx, path, o)
	if err == nil {
		err = a.witnessedReport(&r, head.Checkpoint, nil)
	}
	if err == nil {
		err = a.hold(sourceIsOf, r, head.Checkpoint, o.Key.Verifier)
	}
	if err == nil && r.OK {
		err = isOfViewNamed(ctx, path, head, view)
	}
	return r, err
}

// isOfView refuses a bundle of which the first lines tell that it is not of the view that somebody
// has named. What may name an organisation is left to [isOfViewNamed].
func isOfView(path string, head proof.BundleHead, named string) error {
	v, ok := viewNamed(named)
	switch {
	case named == "":
		return nil
	case !head.Pledge.IsZero():
		return usage("the bundle %s is of one pledge: leave --view out", path)
	case ok && !isOrganisations(v) && v != head.View:
		return usage("the bundle %s is of %s: leave --view out", path, whose(head.View))
	}
	return nil
}

// isOfViewNamed is isOfView for what may name an organisation, of which the records tell: they are
// folded for it, and must have been verified.
func isOfViewNamed(ctx context.Context, path string, head proof.BundleHead, named string) error {
	if v, ok := viewNamed(named); ok && !isOrganisations(v) {
		return nil
	}
	src, err := proof.OfBundle(path)
	if err != nil {
		return err
	}
	v, err := viewIn(ctx, parsed(ctx, src), named)
	if err == nil && v != head.View {
		err = usage("the bundle %s is of %s: leave --view out", path, whose(head.View))
	}
	return err
}

func (a *app) verifyReceipt(path string, o proof.Options) (proof.Report, error) {
	text, err := readInput(path)
	if err != nil {
		return proof.Report{}, err
	}
	receipt, err := proof.ReadReceipt(text)
	if err == nil {
		if err := a.trustIn(&o, receipt.Checkpoint(),
			claimOf(receipt.Key, "is the receipt's own claim")); err != nil {
			return proof.Report{}, err
		}
	}
	r := proof.VerifyReceipt("the receipt "+path, text, o)
	if err := a.witnessedReport(&r, receipt.Checkpoint(), nil); err != nil {
		return r, err
	}
	return r, a.hold(receiptIsOf, r, receipt.Checkpoint(), o.Key.Verifier)
}

// beginningOf returns the first bytes of a file that may be long.
func beginningOf(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	begin := make([]byte, 64)
	n, err := io.ReadFull(file, begin)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return begin[:n], err
}
