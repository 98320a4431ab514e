package server

import (
	"cmp"
	"context"
	"strings"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
	"muster/ledger/intake/sheet"
	"muster/projections"
	"muster/projections/web"
	"muster/projections/web/page"
)

// What a page brings in at most. The program takes far more, and works it out by itself.
const (
	importRows    = 5_000
	importUnzips  = 16 << 20
	importRecords = 250_000 // that are compared with it
	importSays    = projections.MaxPreview
	importMaps    = 32 << 10 // bytes of a mapping
)

// importBound is what a table and its mapping may ask for: a few seconds of work at most.
var importBound = round.Bound{Cells: 1_000_000, Steps: 1_000_000_000}

// wordsOfThePage are what is chosen on the page, as it says it.
var wordsOfThePage = imported.Words{Changed: map[reconcile.Choice]phrase.Text{
	reconcile.Corrected: "choose “it was wrong before”",
	reconcile.Amended:   "choose “the world has changed”"},
	Gone: map[reconcile.Choice]phrase.Text{reconcile.Strike: "“was never to be said”",
		reconcile.Withdraw: "“is withdrawn”"},
	Leave: "choose “stays as recorded” for what the file does not have any more"}

// beyond says that the program brings in what the page does not.
func beyond(format string, args ...any) error {
	return problem.New(problem.TooLarge, format, args...).
		WithHint("bring it in with the program: `muster import xlsx FILE`, or " +
			"`muster import csv FILE`")
}

// planImport says what a file comes to for somebody who is answered by a service: beside what that
// one may read, and by the ledger's rules. It records nothing, and keeps nothing of the file.
func (s *Server) planImport(ctx context.Context, as *web.Service,
	given page.ImportFile) (plan page.ImportPlan, err error) {
	f, choices, err := s.openImport(ctx, given)
	if err != nil {
		return wrongImport(err), nil
	}
	f.Declares(func(o events.Operation) (events.Organisations, error) {
		p, err := as.Plan(ctx, &web.PlanQuery{Operation: o})
		if problem.Is(err, problem.NotFound) {
			err = nil // which is refused by itself
		}
		return p.Catalogue.Organisations, err
	})
	r, wrong := f.Read(s.Ledger.Origin())
	if err := ctx.Err(); err != nil { // nobody waits for it any more
		return plan, err
	}
	if r == nil {
		return wrongImport(wrong), nil
	}
	if len(r.Rows) > importRows {
		return plan, beyond("the file has %d rows, and a page takes %d", len(r.Rows), importRows)
	}
	if err := choices.MayBeGone(r.Table); err != nil {
		return wrongImport(err), nil
	}
	with, err := s.recordedFor(ctx, as, f, f.Operation(r))
	if err != nil {
		return plan, err
	}
	for _, left := range r.Left {
		plan.Left = append(plan.Left, phrase.Of("left out, %s: %d", left.Why, len(left.Lines)))
	}
	plan.Unused, plan.Hidden = r.Unused, r.Hidden.Said()
	b, wrong := f.Compare(r, wrong, with, choices)
	wrong = imported.Wrong(wrong, b.NotSaid)
	if b.Asked != nil && wrong == nil {
		wrong, plan.Choose = b.Asked, true
	}
	some := given.Good && b.Asked == nil && b.Refused() > 0 // and what is wrong are rows
	if wrong == nil || some {
		if err := s.checkImport(ctx, as.View(), b, given.Seen); err != nil {
			return plan, err
		}
		wrong = imported.Wrong(wrong, b.Refusals())
		some = given.Good && b.Refused() > 0
	}
	plan.Rows = shownRows(b)
	if plan.Wrong = problem.From(wrong); plan.Wrong != nil {
		plan.ReturnedName = returnedName(given.Name, r.Table.IsBook())
		plan.Returned, err = b.Returned(r.Table.IsBook(), given.Good, given.Tell)
		if err != nil || !some {
			return plan, err
		}
	}
	for i := range b.Chains {
		if b.Chains[i].Refused != nil {
			continue
		}
		for _, said := range b.Chains[i].Said {
			plan.Said = append(plan.Said, page.FileSaid{Row: said.Row, Statement: said.Statement})
		}
	}
	if len(plan.Said) > importSays {
		return plan, beyond("the file makes %d statements, and a page signs %d", len(plan.Said),
			importSays)
	}
	return plan, nil
}

// wrongImport is a file of which nothing can be shown but what is wrong with it.
func wrongImport(err error) page.ImportPlan {
	return page.ImportPlan{FileComes: page.FileComes{Wrong: problem.From(err)}}
}

// openImport looks what was given.
func (s *Server) openImport(ctx context.Context, given page.ImportFile) (f *imported.File,
	c imported.Choices, err error) {
	c = imported.Choices{Changed: given.Changed, Gone: given.Gone, Reason: given.Reason,
		Words: wordsOfThePage}
	if err = c.Check(); err != nil {
		return nil, c, err
	}
	isBook := sheet.IsXLSX(given.Data)
	if isBook {
		if err = sheet.UnzipsWithin(given.Data, importUnzips); err != nil {
			return nil, c, err
		}
	}
	var m round.Mapping
	if len(given.Mapping) > importMaps {
		return nil, c, beyond("the mapping has %d KB, and a page takes %d", len(given.Mapping)>>10,
			importMaps>>10)
	}
	if len(given.Mapping) > 0 {
		if m, err = round.ReadMapping("the mapping", given.Mapping); err != nil {
			return nil, c, err
		}
	}
	m.Bound = importBound
	m.Bound.Ended = ctx.Err
	f, err = imported.Open(given.Data, isBook, m, events.DateOf(s.Questions.Now()))
	return f, c, err
}

// recordedFor takes in what somebody may read of what the file may restate.
func (s *Server) recordedFor(ctx context.Context, as *web.Service, f *imported.File,
	o events.Operation) (*imported.Recorded, error) {
	with := f.NewRecorded(s.Ledger.Origin(), events.DateOf(s.Questions.Now()))
	last, taken := as.Source.Last(), 0
	for rec, err := range as.Source.Records(1) {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		if rec.Stored == nil { // which may not be read
			continue
		}
		if _, of := events.About(rec.Statement); o != "" && of != o {
			continue
		}
		if taken++; taken > importRecords {
			return nil, beyond("more than %d records are to be compared with it",
				importRecords)
		}
		with.Take(f, rec)
	}
	return with, f.Whole(last)
}

// checkImport asks the rules of what is to be said, as far as each chain is checked by itself.
func (s *Server) checkImport(ctx context.Context, view events.View, b *imported.Batch,
	seen *events.Seen) error {
	for i := range b.Chains {
		c := &b.Chains[i]
		for at := range c.Said {
			st := c.Said[at].Statement
			st.Head().Seen = seen
			if c.Refused != nil || !b.IsToBeChecked(c, at) {
				continue
			}
			err := s.Ledger.CheckUnsigned(ctx, view, st)
			switch p := problem.From(err); {
			case err == nil:
			case p.Kind == problem.Conflict, p.Kind == problem.Invalid,
				p.Kind == problem.NotAllowed, p.Kind == problem.NotFound:
				c.Refuse(at, p)
			default:
				return err
			}
		}
	}
	return nil
}

// refusalsOf says why a row is refused: the same words for all rows that have a cause.
func refusalsOf(r *imported.Row) (all []page.FileRefusal) {
	for _, f := range r.Refused {
		one := page.FileRefusal{Cause: f.Said(), Value: f.Value}
		if f.Location != "" && f.Location != r.Place().String() {
			one.Cause = phrase.Of("%s: %s", reconcile.FieldName(f.Location), f.Said())
		}
		all = append(all, one)
	}
	return all
}

// shownRows are the rows as a page shows them.
func shownRows(b *imported.Batch) []page.FileRow {
	all := make([]page.FileRow, len(b.Rows))
	for i := range b.Rows {
		r := &b.Rows[i]
		row := page.FileRow{Place: r.Place(), What: r.What, Kind: string(r.Kind), Asked: r.Asked,
			Refused: refusalsOf(r)}
		if r.Kind == reconcile.Alike {
			row.Alike = r.Pledge.String()
		}
		if row.Kind == "" {
			row.Kind = "new"
		}
		if len(r.Changes) > 0 { // which are shown cell by cell
			row.What = r.Sentence
		}
		for _, c := range r.Changes {
			row.Changes = append(row.Changes, shownChange(c))
		}
		all[i] = row
	}
	return all
}

// shownChange is a cell that is otherwise, as a page shows it.
func shownChange(c reconcile.Change) page.FileChange {
	change := page.FileChange{Field: c.Named(), Was: c.Cell(c.Was), Is: c.Cell(c.Is)}
	if c.Base != nil {
		change.Base = c.Cell(cmp.Or(*c.Base, "–"))
	}
	if c.Stays != nil {
		change.Stays = c.Cell(cmp.Or(*c.Stays, "–"))
	}
	return change
}

// returnedName is the name of a file that comes back: never that of the one that was sent.
func returnedName(name string, isBook bool) string {
	end := ".csv"
	if isBook {
		end = ".xlsx"
	}
	name = strings.TrimSuffix(name[strings.LastIndexAny(name, `/\`)+1:], end)
	return cmp.Or(name, "file") + "-problems" + end
}
