package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
)

// importing is how a file of rows is imported.
type importing struct {
	read         func([]byte, round.Mapping, events.Origin) (*round.Round, error)
	dryRun, good bool
	returned     string // the file that is written back, if any
	comparing
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
	from, err := os.Stat(read)
	to, bad := os.Stat(how.returned)
	if err == nil && bad == nil && os.SameFile(from, to) {
		return usage("--returned would write over the file that is read: name another one")
	}
	return nil
}

// An importedRow is what became of a row of the file.
type importedRow struct {
	Line     int             `json:"line"`
	Column   string          `json:"column,omitempty"`
	What     string          `json:"what"`
	Refused  []problem.Field `json:"refused,omitempty"`
	Warnings []problem.Field `json:"warnings,omitempty"`
	Receipt  *intake.Receipt `json:"receipt,omitempty"`
	// Kind is what the row is beside what is recorded, and Changes what it says otherwise. Before
	// is the first record of its pledge, where that is recorded.
	Kind    reconcile.Kind     `json:"kind,omitzero"`
	Changes []reconcile.Change `json:"changes,omitempty"`
	Before  uint64             `json:"before,omitzero"`
	// Receipts are those of all that the row says, where that is more than one statement.
	Receipts []intake.Receipt `json:"receipts,omitempty"`

	all  []intake.Receipt
	gone string // what is gone, without what becomes of it
}

// An importer imports the rows of a file.
type importer struct {
	*speaker
	rows   []importedRow
	chains []chain
	counts *reconcile.Counts // nil before the rows were compared with what is recorded
	none   sync.Map          // by what is not there: the refusal of all that needs it
}

// A chain is what the file says of one pledge, signed.
type chain struct {
	said   round.Chain
	signed []events.Signed
	// What the ledger said of the first statement, when it was asked.
	checked intake.Checked
	refused *problem.Problem
}

func newImporter(s *speaker, r *round.Round) *importer {
	in := &importer{speaker: s, rows: make([]importedRow, len(r.Rows))}
	for i, row := range r.Rows {
		in.rows[i] = importedRow{Line: row.Line, Column: row.Of, What: row.Sentence,
			Refused: row.Problems}
	}
	for _, said := range r.Chains() {
		in.chains = append(in.chains, chain{said: said})
	}
	return in
}

func (a *app) importRound(ctx context.Context, data []byte, m round.Mapping,
	how importing) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	r, wrong := how.read(data, m, s.origin)
	if r == nil {
		return wrong
	}
	known, err := a.knownPledges(ctx, operationOf(r))
	if err != nil {
		return err
	}
	if len(m.Key) > 0 && known.HasStruck() { // whose ids are not used again
		m.IDs = func(key []string) events.ID { return known.Next(s.origin, m.Name, key) }
		r, wrong = how.read(data, m, s.origin)
	}
	a.tellUnread(r)
	in := newImporter(s, r)
	notKnown, asked := in.reconcile(known, r, how.options(s, &m))
	wrong = in.all(wrong, notKnown)
	some := how.good && in.refused() > 0 // and what is wrong are rows
	if asked != nil {
		wrong = cmp.Or(wrong, asked)
	} else if wrong == nil || some {
		refusals, err := in.check(ctx)
		if err != nil {
			return err
		}
		wrong = in.all(wrong, refusals)
	}
	if wrong != nil && how.returned != "" {
		if err := in.giveBack(r.Table, how); err != nil {
			return err
		}
	}
	recording := !how.dryRun && asked == nil && (wrong == nil || how.good && in.refused() > 0)
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

// tellUnread says what of the file is not used.
func (a *app) tellUnread(r *round.Round) {
	if len(r.Unused) > 0 {
		fmt.Fprintf(a.stderr, "muster: these columns are not used: %s\n",
			problem.Line(strings.Join(r.Unused, ", ")))
	}
	for _, left := range r.Left {
		fmt.Fprintf(a.stderr, "muster: left out, %s: %d (%s)\n", problem.Line(left.Why),
			len(left.Lines), lines(left.Lines))
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

// refused is how many rows are refused.
func (in *importer) refused() (n int) {
	for _, r := range in.rows {
		if r.Refused != nil {
			n++
		}
	}
	return n
}

func (r *importedRow) place() string {
	if r.Line == 0 {
		return string(reconcile.Gone)
	}
	return sheet.Row{Line: r.Line, Of: r.Column}.Place()
}

// all puts together what the file and what the ledger is against, where some rows are recorded all
// the same.
func (in *importer) all(file error, ledger *problem.Problem) error {
	if file == nil && ledger == nil {
		return nil
	}
	p := problem.From(file)
	if p == nil {
		return ledger
	}
	q := *p
	if ledger != nil {
		q.Fields = append(slices.Clone(p.Fields), ledger.Fields...)
		q.Hint = cmp.Or(q.Hint, ledger.Hint)
	}
	return &q
}

// returned says that the others are recorded, where some rows are refused.
func (in *importer) returned(wrong error, how importing) error {
	p := problem.From(wrong)
	if p == nil {
		return nil
	}
	q := *p
	q.Detail = fmt.Sprintf("%d of %d rows are refused, and are in %s; the others are recorded",
		in.refused(), len(in.rows), how.returned)
	q.Hint = cmp.Or(q.Hint, "mend them there, and import that file")
	return &q
}

// record records the chains of which nothing is refused: a short file in its order, a long one many
// at a time.
func (in *importer) record(ctx context.Context) error {
	var done atomic.Int64
	total := 0
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	if len(in.chains) <= importers {
		working.SetLimit(1)
	}
	for i := range in.chains {
		c := &in.chains[i]
		if c.refused != nil {
			continue
		}
		total += len(c.said)
		working.Go(func() error {
			for i, said := range c.said {
				if beside.Err() != nil {
					return nil // another one has failed, and says why
				}
				r, err := submitAgain(beside, in.to, c.signed[i])
				if err != nil {
					return err
				}
				done.Add(1)
				in.rows[said.Row].recorded(r)
			}
			return nil
		})
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return afterSome(err, int(done.Load()), total)
	}
	return nil
}

// recorded notes a receipt of what the row says.
func (r *importedRow) recorded(receipt intake.Receipt) {
	r.all = append(r.all, receipt)
	if len(r.all) > 1 {
		r.Receipts = r.all
	}
	if r.Receipt == nil || r.Receipt.Again && !receipt.Again {
		r.Receipt = &receipt
	}
}

// giveBack writes the file back, with what is wrong beside its rows.
func (in *importer) giveBack(t *sheet.Table, how importing) error {
	wrong := map[int][]string{}
	for _, r := range in.rows {
		for _, f := range r.Refused {
			text := f.Message
			if f.Location != "" && f.Location != r.place() {
				text = f.String()
			}
			if r.Column != "" {
				text = r.Column + ": " + text
			}
			wrong[r.Line] = append(wrong[r.Line], text)
		}
	}
	return files.Replace(how.returned, 0o600, t.Returned(wrong, how.good))
}
