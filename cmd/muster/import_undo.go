package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/reconcile"
	"muster/projections/web"
)

func (a *app) importUndoCmd() *cobra.Command {
	var reason string
	var dryRun bool
	c := &cobra.Command{
		Use:   "undo NAME --reason WHY",
		Short: "Take off all that came from one import, as never said",
		Long: `Strike every pledge that came from the imports of this name: from then on it was
never made, and counts nowhere; what was known before stays as it was, and the records stay to be
seen. What is allocated of one is released first. All is checked before the first is struck: when
one is refused, nothing is done. The file can be imported again afterwards.`,
		Example: `  muster log --import kiel-tracker
  muster import undo kiel-tracker --reason "it was the wrong release" --dry-run`,
		Args: args("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := reconcile.CheckName(args[0]); err != nil {
				return err
			}
			if reason == "" {
				return usage("--reason is missing: say why it was never to be said")
			}
			return a.undoImport(cmd.Context(), args[0], reason, dryRun)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "what was wrong (required)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be struck, and strike nothing")
	return c
}

func (a *app) undoImport(ctx context.Context, name, reason string, dryRun bool) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	known, err := a.knownPledges(ctx, "")
	if err != nil {
		return err
	}
	pledges := known.Of(name)
	if len(pledges) == 0 {
		return problem.New(problem.NotFound, "no pledge is recorded that came from the import %s",
			name).WithHint("see where a pledge came from: muster pledge show ID")
	}
	opt := reconcile.Options{Ledger: s.origin, Name: name, Reason: reason}
	all := make([]events.Statement, len(pledges))
	for i, p := range pledges {
		all[i] = reconcile.Struck(p, opt)
	}
	if err := checkAll(ctx, s, all); err != nil {
		return err
	}
	l := listing{map[string]any{"dry_run": dryRun, "name": name, "struck": len(all)},
		web.Table{Head: []string{"pledge", "nation", "operation", "role"}}}
	for _, p := range pledges {
		l.Add(map[string]any{"pledge": p.ID, "nation": p.Nation, "operation": p.Operation,
			"role": p.Role}, p.ID.String(), string(p.Nation), string(p.Operation), string(p.Role))
	}
	l.Below = []string{fmt.Sprintf("%s would be struck. Nothing was done.",
		english.Several(len(all), "pledge"))}
	if !dryRun {
		recorded, _, err := newBuilder(known).submitAll(ctx, s, all)
		if err != nil {
			return afterSome(err, recorded, len(all))
		}
		l.Below = []string{fmt.Sprintf("%s struck.", english.Several(recorded, "pledge"))}
		if err := a.checkReceipts(ctx); err != nil {
			return err
		}
	}
	return l.write(a.format, a.stdout)
}

// checkAll asks of all statements whether they would be recorded, and tells all that would not.
func checkAll(ctx context.Context, s *speaker, all []events.Statement) error {
	var refused []problem.Field
	hint := ""
	for _, st := range all {
		signed, err := events.Sign(st, s.signer)
		if err != nil {
			return err
		}
		_, err = s.to.Check(ctx, signed)
		if unknown(err) {
			return err // which is no refusal
		}
		if err != nil {
			p := problem.From(err)
			refused = append(refused, problem.Field{Location: events.Thing(st).String(),
				Message: p.Detail})
			hint = p.Hint
		}
	}
	if refused == nil {
		return nil
	}
	p := problem.New(problem.Conflict, "%d of %s would be refused, so nothing was done: %s",
		len(refused), english.Several(len(all), "statement"), refused[0])
	p.Fields, p.Hint = refused, hint
	return p
}
