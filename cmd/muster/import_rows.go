package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
)

// importing is how a file of rows is imported.
type importing struct {
	isBook       bool // the command reads workbooks
	dryRun, good bool
	returned     string // the file that is written back, if any
	imported.Choices
}

// mayReturn refuses to return nothing where some rows are left, and to write over the file that is
// read.
func (how *importing) mayReturn(read string) error {
	if how.good && how.returned == "" {
		return usage("--good records some of the rows: --returned is missing, the file for the " +
			"others")
	}
	if how.returned == "" {
		return nil
	}
	if isXLSX(how.returned) && !how.isBook {
		return usage("a file of CSV comes back as CSV: name a file with --returned that does not " +
			"end in .xlsx")
	}
	from, err := os.Stat(read)
	to, bad := os.Stat(how.returned)
	if err == nil && bad == nil && os.SameFile(from, to) {
		return usage("--returned would write over the file that is read: name another one")
	}
	return nil
}

// An importedRow is what became of a row of the file.
type importedRow struct {
	imported.Row
	receipts
}

// receipts are those of what a row says: the first, or all where that is more than one statement.
type receipts struct {
	Receipt  *intake.Receipt  `json:"receipt,omitempty"`
	Receipts []intake.Receipt `json:"receipts,omitempty"`

	all []intake.Receipt
}

// An importer imports the rows of a file.
type importer struct {
	*speaker
	*imported.Batch
	receipts []receipts // of the rows, by their places
	none     sync.Map   // by what is not there: the refusal of all that needs it
}

func newImporter(s *speaker, b *imported.Batch) *importer {
	return &importer{speaker: s, Batch: b, receipts: make([]receipts, len(b.Rows))}
}

// told are the rows with their receipts.
func (in *importer) told() []importedRow {
	all := make([]importedRow, len(in.Rows))
	for i := range all {
		all[i] = importedRow{in.Rows[i], in.receipts[i]}
	}
	return all
}

func (a *app) importRound(ctx context.Context, f *imported.File, how importing) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	f.Declares(func(o events.Operation) (events.Organisations, error) {
		return a.organisations(ctx, o)
	})
	r, wrong := f.Read(s.origin)
	if r == nil {
		return wrong
	}
	if err := how.MayBeGone(r.Table); err != nil {
		return err
	}
	with, err := a.recorded(ctx, f, r, s.origin)
	if err != nil {
		return err
	}
	a.tellUnread(r)
	b, wrong := f.Compare(r, wrong, with, how.Choices)
	in := newImporter(s, b)
	wrong = imported.Wrong(wrong, b.NotSaid)
	some := how.good && b.Refused() > 0 // and what is wrong are rows
	if b.Asked != nil {
		if wrong == nil {
			wrong = b.Asked
		}
	} else if wrong == nil || some {
		refusals, err := in.check(ctx)
		if err != nil {
			return err
		}
		wrong = imported.Wrong(wrong, refusals)
	}
	if wrong != nil && how.returned != "" {
		if err := in.giveBack(how); err != nil {
			return err
		}
	}
	recording := !how.dryRun && b.Asked == nil && (wrong == nil || how.good && b.Refused() > 0)
	if recording {
		if err := in.record(ctx); err != nil {
			return err
		}
		wrong = in.returned(wrong, how)
	}
	if wrong == nil || recording {
		if err := a.checkReceipts(ctx); err != nil {
			return err
		}
	}
	if !recording && !how.dryRun {
		return wrong
	}
	return errors.Join(a.printRows(ctx, in, how.dryRun), wrong)
}

// tellUnread says what of the file is not used, and what its sheet hides.
func (a *app) tellUnread(r *round.Round) {
	if len(r.Unused) > 0 {
		fmt.Fprintf(a.stderr, "muster: these columns are not used: %s\n",
			problem.Line(strings.Join(r.Unused, ", ")))
	}
	for _, left := range r.Left {
		fmt.Fprintf(a.stderr, "muster: left out, %s: %d (%s)\n", problem.Line(left.Why.String()),
			len(left.Lines), lines(left.Lines))
	}
	for _, said := range r.Hidden.Said() {
		fmt.Fprintf(a.stderr, "muster: %s\n", problem.Line(said.String()))
	}
}

// lines names the first of several lines.
func lines(all []int) string {
	const most = 10
	var b strings.Builder
	b.WriteString("line")
	if len(all) > 1 {
		b.WriteString("s")
	}
	for i, n := range all[:min(len(all), most)] {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %d", n)
	}
	if len(all) > most {
		b.WriteString(", …")
	}
	return b.String()
}

// returned says that the others are recorded, where some rows are refused.
func (in *importer) returned(wrong error, how importing) error {
	p := problem.From(wrong)
	if p == nil {
		return nil
	}
	q := *p
	q.Detail = fmt.Sprintf("%d of %d rows are refused, and are in %s; the others are recorded",
		in.Refused(), in.InFile(), how.returned)
	q.Hint = cmp.Or(q.Hint, "mend them there, and import that file")
	if how.Gone != string(reconcile.Leave) {
		q.Hint += "; nothing that is gone was touched, since a row that is refused may be it: " +
			"for --gone " + how.Gone + ", mend the same rows in the whole file, and import that " +
			"one again"
	}
	return &q
}

// record records the chains of which nothing is refused: a short file in its order, a long one many
// at a time.
func (in *importer) record(ctx context.Context) error {
	var done atomic.Int64
	total := 0
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	if len(in.Chains) <= events.MaxBatch {
		working.SetLimit(1)
	}
	for i := range in.Chains {
		c := &in.Chains[i]
		if c.Refused != nil {
			continue
		}
		total += len(c.Said)
		working.Go(func() error {
			for _, said := range c.Said {
				if beside.Err() != nil {
					return nil // another one has failed, and says why
				}
				signed, err := events.Sign(said.Statement, in.signer)
				if err != nil {
					return err
				}
				r, err := submitAgain(beside, in.to, signed)
				if err != nil {
					return err
				}
				done.Add(1)
				in.receipts[said.Row].add(r)
			}
			return nil
		})
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return afterSome(err, int(done.Load()), total)
	}
	return nil
}

// add notes a receipt of what the row says.
func (r *receipts) add(receipt intake.Receipt) {
	r.all = append(r.all, receipt)
	if len(r.all) > 1 {
		r.Receipts = r.all
	}
	if r.Receipt == nil || r.Receipt.Again && !receipt.Again {
		r.Receipt = &receipt
	}
}

// giveBack writes the file back, with what is wrong beside its rows.
func (in *importer) giveBack(how importing) error {
	data, err := in.Returned(isXLSX(how.returned), how.good, phrase.Phrase.String)
	if err != nil {
		return err
	}
	return files.Replace(how.returned, 0o600, data)
}
