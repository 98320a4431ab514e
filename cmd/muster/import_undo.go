package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/projections/web"
)

func (a *app) importUndoCmd() *cobra.Command {
	var how undoing
	c := &cobra.Command{
		Use:   "undo NAME --reason WHY",
		Short: "Take off all that came from one import, as never said",
		Long: `Strike every pledge that came from the imports of this name: from then on it was
never made, and counts nowhere; what was known before stays as it was, and the records stay to be seen. What others
have said of one, as that it was accepted, goes with it, and is named. While something of one is
allocated, that is refused: a coordinator releases it first, with "muster allocation release". What
these imports have said of pledges that came from elsewhere, as a form does when it amends or
withdraws one, is struck, too, and what they have corrected is turned back. The first word about
each pledge is checked before anything is said: when one is refused, nothing is done. The file can
be imported again afterwards.

What cannot be taken off is named, and then nothing is done, unless --good says that the rest is: a
pledge from elsewhere that was struck is so for good, and what others have amended since rests on
what the import has said.`,
		Example: `  muster log --import kiel-tracker
  muster import undo kiel-tracker --reason "it was the wrong release" --dry-run`,
		Args: args("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := reconcile.CheckName(args[0]); err != nil {
				return err
			}
			if how.reason == "" {
				return usage("--reason is missing: say why it was never to be said")
			}
			return a.undoImport(cmd.Context(), args[0], how)
		},
	}
	c.Flags().StringVar(&how.reason, "reason", "", "what was wrong (required)")
	c.Flags().BoolVar(&how.dryRun, "dry-run", false,
		"say what would be struck, and strike nothing")
	c.Flags().BoolVar(&how.good, "good", false,
		"take off what can be, and name what stays")
	return c
}

// undoing is how an import is undone.
type undoing struct {
	reason       string
	dryRun, good bool
}

func (a *app) undoImport(ctx context.Context, name string, how undoing) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	known, err := a.knownPledges(ctx, "")
	if err != nil {
		return err
	}
	all := known.Undo(reconcile.Options{Ledger: s.origin, Name: name, Reason: how.reason})
	if len(all) == 0 {
		return problem.New(problem.NotFound, "nothing is recorded that came from the import %s, "+
			"and holds still", name).WithHint("see where a pledge came from: `muster pledge show "+
			"ID`; and all that has come by that name: `muster log --import %s`", name)
	}
	stays := notUndone(all)
	if stays != nil && !how.good && !how.dryRun {
		return stays
	}
	var first []events.Statement
	var waves [][]events.Statement
	for _, u := range all {
		for i, st := range u.Statements {
			if i == 0 {
				first = append(first, st)
			}
			if i == len(waves) {
				waves = append(waves, nil)
			}
			waves[i] = append(waves[i], st)
		}
	}
	if err := checkAll(ctx, s, first); err != nil {
		return err
	}
	recorded, total := 0, 0
	for _, wave := range waves {
		total += len(wave)
	}
	if !how.dryRun {
		recorded, _, err = newBuilder(known).submitWaves(ctx, s, waves)
		if err != nil {
			return afterSome(err, recorded, total)
		}
		if err := a.checkReceipts(ctx); err != nil {
			return err
		}
	}
	err = undone(name, all, how.dryRun).write(a.format, a.stdout)
	if err == nil && stays != nil && !how.good {
		return stays
	}
	return err
}

// notUndone says what cannot be taken off, nil for nothing.
func notUndone(all []reconcile.Undone) *problem.Problem {
	var fields []problem.Field
	for _, u := range all {
		if u.Stays != "" {
			fields = append(fields, problem.Field{Location: "pledge " + u.ID.String(),
				Message: u.Stays})
		}
	}
	if fields == nil {
		return nil
	}
	return problem.New(problem.Conflict, "not all that came from the import can be taken off, so "+
		"nothing was done").WithFields(fields).
		WithHint("with --good, all else is taken off, and these stay as they are; " +
			"see them first: --dry-run")
}

// undone lists what was taken off, and what stays.
func undone(name string, all []reconcile.Undone, dryRun bool) listing {
	struck, others, stays := 0, 0, 0
	var rows []any
	l := listing{Table: web.Table{Head: []string{"pledge", "nation", "operation", "role", "what"}}}
	for _, u := range all {
		what := u.StruckWith().String()
		switch {
		case u.Import == name:
			struck++
		case len(u.Statements) > 0:
			others += len(u.Statements)
			what = english.Several(len(u.Statements), "statement") + " taken off"
		default:
			what = ""
		}
		if u.Stays != "" {
			stays++
			what = strings.TrimPrefix(what+"; "+u.Stays, "; ")
		}
		rows = append(rows, map[string]any{"pledge": u.ID, "nation": u.Nation,
			"operation": u.Operation, "role": u.Role, "what": what})
		l.Add(rows[len(rows)-1], u.ID.String(), string(u.Nation), string(u.Operation),
			string(u.Role), what)
	}
	l.answer = map[string]any{"dry_run": dryRun, "name": name, "struck": struck,
		"taken_off": others, "stays": stays, "pledges": rows}
	form := "%s struck."
	if dryRun {
		form = "%s would be struck. Nothing was done."
	}
	what := english.Several(struck, "pledge")
	if others > 0 {
		what += ", and " + english.Several(others, "statement") + " about others,"
	}
	l.Below = []string{fmt.Sprintf(form, what)}
	if stays > 0 {
		l.Below = append(l.Below, fmt.Sprintf("Not all can be taken off of %s.",
			english.Several(stays, "pledge")))
	}
	return l
}
