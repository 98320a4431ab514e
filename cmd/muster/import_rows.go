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
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
	"muster/projections/web"
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

	all []intake.Receipt
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
	}
	if recording {
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

// check signs everything and asks whether each pledge would be recorded. It returns what would be
// refused, each cause once; the error is no refusal. What is said of a pledge later follows from
// its beginning, which the package round has looked at, but for who may say it.
func (in *importer) check(ctx context.Context) (*problem.Problem, error) {
	working, beside := errgroup.WithContext(ctx)
	working.SetLimit(importers)
	for i := range in.chains {
		if beside.Err() != nil {
			break
		}
		working.Go(func() error { return in.checkOne(beside, &in.chains[i]) })
	}
	if err := cmp.Or(working.Wait(), context.Cause(ctx)); err != nil {
		return nil, err
	}
	var faults sheet.Faults
	hint, rows := "", 0
	for i := range in.chains {
		c := &in.chains[i]
		first := &in.rows[c.said[0].Row]
		first.Warnings = c.checked.Warnings
		for _, w := range first.Warnings {
			first.What += "; warning: " + w.String()
		}
		if c.refused == nil {
			continue
		}
		if c.refused.Code == idTaken {
			hint = saidOtherwise(c.said[0].Statement.Head().ID)
		}
		for _, said := range c.said {
			if row := &in.rows[said.Row]; row.Refused == nil {
				rows++
				f := problem.Field{Message: c.refused.Detail}
				if c.refused.Code == idTaken {
					f.Message = "is recorded already, with another key or in other words"
				}
				faults.Add(row.place(), f)
				f.Location = row.place()
				row.What += "; refused: " + f.Message
				row.Refused = []problem.Field{f}
			}
		}
	}
	fields := faults.Fields()
	if len(fields) == 0 {
		return nil, nil
	}
	p := problem.New(problem.Conflict, "%d of %d rows would be refused, so nothing was "+
		"recorded: %s", rows, len(in.rows), fields[0])
	p.Fields, p.Hint = fields, hint
	return p, nil
}

func (in *importer) checkOne(ctx context.Context, c *chain) (err error) {
	needs := needed(c.said[0].Statement)
	for _, n := range needs {
		if p, refused := in.none.Load(n); refused {
			c.refused = p.(*problem.Problem)
			return nil
		}
	}
	c.signed = make([]events.Signed, len(c.said))
	for i, said := range c.said {
		if c.signed[i], err = events.Sign(said.Statement, in.signer); err != nil {
			return err
		}
		if said.Statement.Head().Type == "pledge.accepted" && in.signer.Key().Party() != events.HQ {
			c.refused = problem.New(problem.NotAllowed, "that a pledge is accepted, which comes "+
				"before confirmed and deployed, the coordinators say: leave out the rung and what "+
				"is deployed, or let a coordinator import the file")
		}
	}
	c.checked, err = in.to.Check(ctx, c.signed[0])
	if unknown(err) || ctx.Err() != nil {
		return cmp.Or(err, ctx.Err()) // which is no refusal
	}
	if err != nil {
		c.refused = problem.From(err)
	}
	for _, n := range needs {
		if err != nil && n.code == c.refused.Code {
			in.none.Store(n, c.refused)
		}
	}
	return nil
}

// A need is what must be there for all rows that name it, and the code of the refusal where it is
// not: the ledger is asked once for a file that names an operation which it does not have. What was
// recorded before cannot be among these rows.
type need struct {
	code      string
	operation events.Operation
	role      events.Role
	unit      events.Unit
}

// needed returns what an offer needs.
func needed(st events.Statement) []need {
	o, offered := st.(*events.PledgeOffered)
	if !offered {
		return nil
	}
	return []need{{code: "operation-unknown", operation: o.Operation},
		{code: "role-unknown", operation: o.Operation, role: o.Role},
		{code: "unit-not-of-role", operation: o.Operation, role: o.Role, unit: o.Unit}}
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

// idTaken is the code of the rule that an id is of one statement. What is imported has the id of
// its row: so it was imported before, by another key or in other words.
const idTaken = "id-taken"

// saidOtherwise says what to do about a row that was imported before in other words.
func saidOtherwise(pledge events.ID) string {
	return fmt.Sprintf("such a row was imported before, with another key, mapping or version, "+
		"and what is recorded stays and counts once: leave the row out, or amend the pledge "+
		"where the row is right now: muster pledge show %s", pledge)
}

func (a *app) printRows(ctx context.Context, in *importer, dryRun bool) error {
	l := listing{map[string]any{"dry_run": dryRun, "rows": in.rows, "counts": in.counts},
		web.Table{Head: []string{"line", "what", "sequence"}}}
	recorded, again, refused, unshown := 0, 0, 0, 0
	for _, r := range in.rows {
		last := ""
		switch {
		case r.Refused != nil:
			refused++
			last = "refused"
		case r.Receipt != nil && r.Receipt.Again:
			again++
			last = fmt.Sprintf("%d (before)", r.Receipt.Sequence)
		case r.Receipt != nil:
			recorded++
			last = fmt.Sprint(r.Receipt.Sequence)
		case r.Before > 0 && r.Kind == reconcile.Unchanged:
			again++
			last = fmt.Sprintf("%d (before)", r.Before)
		}
		if r.Refused != nil && refused > sheet.Shown && a.format == "table" {
			unshown++
			continue
		}
		l.Add(r, strings.TrimPrefix(r.place(), "line "), r.What, last)
	}
	if unshown > 0 {
		l.Below = []string{fmt.Sprintf("… and %s more that are refused: each cause is told below",
			english.Several(unshown, "row"))}
	}
	if dryRun {
		l.Below = append(l.Below, fmt.Sprintf("%s would be recorded, %d refused. Nothing was done.",
			english.Several(in.saying(), "row"), refused))
		if refused == 0 {
			if err := a.addPreview(ctx, &l, in.statements()); err != nil {
				return err
			}
		}
	} else {
		l.Below = append(l.Below, fmt.Sprintf("%s: %d recorded now, %d recorded before.",
			english.Several(in.inFile(), "row"), recorded, again))
		if refused > 0 {
			l.Below = append(l.Below, fmt.Sprintf("%d refused, and returned.", refused))
		}
	}
	if c := in.counts; c != nil && c.Changed+c.Unchanged+c.Gone+c.Alike > 0 {
		l.Below = append(l.Below, fmt.Sprintf(
			"Of the rows, %d are new, %d changed, %d unchanged, %d gone, %d refused.", c.New,
			c.Changed+c.Alike, c.Unchanged, c.Gone, refused))
	}
	a.warnOfRows(in.rows)
	return l.write(a.format, a.stdout)
}

// inFile is how many rows are in the file, and saying how many of which something is said.
func (in *importer) inFile() (n int) {
	for i := range in.rows {
		if in.rows[i].Line > 0 {
			n++
		}
	}
	return n
}

func (in *importer) saying() (n int) {
	saying := map[int]bool{}
	for _, c := range in.chains {
		for _, said := range c.said {
			if in.rows[said.Row].Refused == nil {
				saying[said.Row] = true
			}
		}
	}
	return len(saying)
}

// statements are those that would be recorded, in an order in which they could be.
func (in *importer) statements() (all []events.Statement) {
	for _, c := range in.chains {
		if c.refused == nil && c.signed != nil {
			for _, s := range c.signed {
				all = append(all, s.Statement)
			}
		}
	}
	return all
}

// warnOfRows says how many rows name what no requirement has.
func (a *app) warnOfRows(rows []importedRow) {
	n := 0
	for _, r := range rows {
		if r.Warnings != nil {
			n++
		}
	}
	if n > 0 {
		fmt.Fprintf(a.stderr,
			"muster: warning: rows with an area or a line that no requirement has: %d of %d; "+
				"each says which\n", n, len(rows))
	}
}
