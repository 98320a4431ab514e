package server

import (
	"cmp"
	"context"

	"muster/cmd/internal/planned"
	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/plan"
	"muster/projections/web"
	"muster/projections/web/page"
)

// planAsker asks what an operation is and needs of what somebody may read.
func planAsker(as *web.Service) planned.Asker {
	return func(ctx context.Context, o events.Operation, asOf uint64,
		on events.Date) (web.Plan, error) {
		return as.Plan(ctx, &web.PlanQuery{Operation: o,
			MomentQuery: web.MomentQuery{AsOf: web.Instant{Sequence: asOf}, On: on}})
	}
}

// writePlan writes a plan file of what somebody may read.
func writePlan(ctx context.Context, as *web.Service, o events.Operation, asOf uint64,
	on events.Date) ([]byte, error) {
	ledger, err := as.Ledger(ctx, &web.LedgerQuery{})
	if err != nil {
		return nil, err
	}
	return planned.Written(ctx, planAsker(as), o, ledger.Origin, asOf, on)
}

// planFile says what a plan file comes to for somebody who is answered by a service: beside what
// that one may read, and by the ledger's rules. It records nothing, and keeps nothing of the file.
func (s *Server) planFile(ctx context.Context, as *web.Service,
	sent page.SentFile) (all page.PlanComes, err error) {
	name := sent.Name
	if name == "" {
		name = "the file"
	}
	p, err := plan.Read(name, sent.Data)
	if err != nil {
		all.Wrong = problem.From(err)
		return all, ctx.Err()
	}
	if len(p.Requirements) > importRows {
		return all, planBeyond("the file has %d lines, and a page takes %d", len(p.Requirements),
			importRows)
	}
	comes, err := planned.Changes(ctx, planAsker(as), p, s.Ledger.Origin(),
		events.DateOf(s.Questions.Now()))
	switch kind := problem.From(err); {
	case err == nil:
	case kind.Kind == problem.Conflict, kind.Kind == problem.Invalid:
		all.Wrong = kind
		return all, nil
	default:
		return all, err
	}
	if n := len(comes.Changes); n > importSays {
		return all, planBeyond("the file makes %d statements, and a page signs %d", n, importSays)
	}
	all.Operation, all.Effective, all.AsOf = p.Operation.Operation, comes.Effective, comes.AsOf
	all.Rows, all.Said = planRows(comes)
	return all, s.checkPlan(ctx, as.View(), &all, sent.Seen)
}

// planBeyond says that the program takes what the page does not.
func planBeyond(format string, args ...any) error {
	return problem.New(problem.TooLarge, format, args...).
		WithHint("apply it with the program: `muster plan apply FILE`")
}

// planRows are the operation and each line as a page shows them: in the order of the file, and then
// what is cancelled. What is said is in the order in which it must be recorded.
func planRows(c planned.Comes) (rows []page.FileRow, said []page.FileSaid) {
	changes, kept := map[events.Line]plan.Change{}, map[events.Line]plan.Kept{}
	for _, change := range c.Changes {
		changes[change.Line] = change
	}
	for _, k := range c.Kept {
		kept[k.Line] = k
	}
	at := map[events.Line]int{}
	row := func(line events.Line) {
		at[line] = len(rows)
		rows = append(rows, planRow(line, changes, kept))
	}
	row("")
	for _, r := range c.Plan.Requirements {
		row(r.Line)
	}
	for _, change := range c.Changes {
		if _, has := at[change.Line]; !has {
			row(change.Line)
		}
		said = append(said, page.FileSaid{Row: at[change.Line], Statement: change.Statement})
	}
	for _, k := range c.Kept {
		if _, has := at[k.Line]; !has {
			row(k.Line)
		}
	}
	return rows, said
}

// planRow is what becomes of a line, "" for the operation itself.
func planRow(line events.Line, changes map[events.Line]plan.Change,
	kept map[events.Line]plan.Kept) page.FileRow {
	r := page.FileRow{Place: phrase.Verbatim(string(line)), Kind: "unchanged"}
	k, stays := kept[line]
	if stays {
		r.Kind = map[plan.Stays]string{plan.Changed: "kept", plan.Added: "added",
			plan.Cancelled: "ended"}[k.Stays]
	}
	if change, is := changes[line]; is {
		r.Kind = map[string]string{plan.Add: "new", plan.Revise: "changed",
			plan.Cancel: "cancelled"}[change.Verb]
		for _, d := range change.Differs {
			r.Changes = append(r.Changes, planChange(d))
		}
	}
	for _, d := range k.Differs {
		change := planChange(d)
		change.Stays = change.Is
		if d.Is == "" {
			change.Stays = phrase.Verbatim("–")
		}
		r.Changes = append(r.Changes, change)
	}
	return r
}

// planChange is a term that is otherwise, as a page shows it.
func planChange(d plan.Difference) page.FileChange {
	return page.FileChange{Field: phrase.Verbatim(d.Term), Of: d.Of, Was: phrase.Verbatim(d.Was),
		Is: phrase.Verbatim(d.Is)}
}

// checkPlan asks the rules of what is to be said. What rests on a change of the operation, which is
// not recorded yet, they cannot be asked of: a line of a role that it adds.
func (s *Server) checkPlan(ctx context.Context, view events.View, all *page.PlanComes,
	seen *events.Seen) error {
	var wrong []problem.Field
	rests := false
	for _, said := range all.Said {
		st := said.Statement
		st.Head().Seen = seen
		switch st.(type) {
		case *events.OperationOpened, *events.OperationRevised:
			rests = true
		case *events.RequirementIssued, *events.RequirementRevised:
			if rests {
				continue
			}
		}
		err := s.Ledger.CheckUnsigned(ctx, view, st)
		switch p := problem.From(err); {
		case err == nil:
		case p.Kind == problem.Conflict, p.Kind == problem.Invalid, p.Kind == problem.NotAllowed,
			p.Kind == problem.NotFound:
			row := &all.Rows[said.Row]
			row.Refused = append(row.Refused, page.FileRefusal{Cause: p.Phrase()})
			wrong = append(wrong, problem.FieldSaid(cmp.Or(row.Place.String(),
				"operation"), "", p.Phrase()))
		default:
			return err
		}
	}
	if err := problem.OfFields(wrong); err != nil {
		all.Wrong, all.Said = problem.From(err), nil
	}
	return nil
}
