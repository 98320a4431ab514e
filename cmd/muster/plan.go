package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"muster/cmd/internal/planned"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/plan"
	"muster/projections/web"
)

func (a *app) planCmd() *cobra.Command {
	return group("plan", "An operation's roles and requirements", a.planApplyCmd(),
		a.planExportCmd(), a.planShowCmd())
}

func (a *app) planApplyCmd() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make an operation's roles and requirements what a plan file says (YAML or JSON)",
		Long: `Compare a plan file with the ledger, and add, revise and cancel what differs.
Applying it again changes nothing. With --dry-run it says what it would do, and does nothing.

A file that "muster plan export" has written knows what it was written from: what others have
changed since, and the file has not, stays as they said it, and is told.`,
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			changes, err := a.applyPlan(cmd.Context(), args[0], data, dryRun)
			if err != nil {
				return err
			}
			return a.printChanges(cmd.Context(), changes, dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false,
		"say what would be done and what it would change, and do nothing")
	return c
}

// readInput reads a file that a command was given.
func readInput(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, problem.New(problem.NotFound, "the file %s is not there", path)
	}
	if err != nil {
		return nil, problem.New(problem.Usage, "reading %s: %w", path, err)
	}
	return data, nil
}

// A planChange is a change to the plan, with its receipt when it was made.
type planChange struct {
	Change  string          `json:"change"`
	What    string          `json:"what"`
	Receipt *intake.Receipt `json:"receipt,omitempty"`

	statement events.Statement
}

// applyPlan makes the changes that a plan file asks for, or only says them; and says what others
// have changed meanwhile, which stays.
func (a *app) applyPlan(ctx context.Context, name string, data []byte,
	dryRun bool) ([]planChange, error) {
	p, err := plan.Read(name, data)
	if err != nil {
		return nil, err
	}
	s, err := a.speaker(ctx)
	if err != nil {
		return nil, err
	}
	ask := a.askToSign // what is revised or cancelled is not chosen on a server's word
	if dryRun {
		ask = a.ask
	}
	comes, err := planned.Changes(ctx, planAsker(ask), p, s.origin, today())
	if err != nil {
		return nil, err
	}
	for _, k := range comes.Kept {
		fmt.Fprintln(a.stderr, "muster: "+k.Sentence)
	}
	if dryRun {
		if err := checkPlan(ctx, s, comes.Changes); err != nil {
			return nil, err
		}
	}
	done := make([]planChange, 0, len(comes.Changes))
	for _, c := range comes.Changes {
		change := planChange{Change: c.Verb, What: c.Sentence, statement: c.Statement}
		if !dryRun {
			c.Statement.Head().Seen = s.contact.saw()
			r, err := s.say(ctx, c.Statement)
			if err != nil {
				return nil, afterSome(err, len(done), len(comes.Changes))
			}
			change.Receipt = &r
		}
		done = append(done, change)
	}
	return done, a.checkReceipts(ctx)
}

// checkPlan asks whether the changes would be recorded. Where the operation itself changes, that is
// asked of it alone: whether the others would, is known when it is as they need it.
func checkPlan(ctx context.Context, s *speaker, changes []plan.Change) error {
	if len(changes) > 0 && changes[0].Line == "" {
		draft, err := events.SignDraft(changes[0].Statement, s.signer)
		if err == nil {
			_, err = s.to.Check(ctx, draft)
		}
		return err
	}
	all := make([]events.Statement, len(changes))
	for i, c := range changes {
		all[i] = c.Statement
	}
	return checkAll(ctx, s, all)
}

// afterSome says, of a list that broke off, how much of it was done.
func afterSome(err error, done, all int) error {
	p := *problem.From(err)
	if done > 0 {
		p.Detail = fmt.Sprintf("%s (%d of %d were recorded before that, and stay)",
			p.Detail, done, all)
	}
	return &p
}

// planAsker asks a server what an operation is and needs.
func planAsker(ask askFunc) planned.Asker {
	return func(ctx context.Context, o events.Operation, asOf uint64,
		on events.Date) (w web.Plan, err error) {
		asked := map[string]string{"operation": string(o), "on": on.String()}
		if asOf != 0 {
			asked["as_of"] = fmt.Sprint(asOf)
		}
		return w, ask(ctx, "plan", asked, &w)
	}
}

func (a *app) printChanges(ctx context.Context, changes []planChange, dryRun bool) error {
	l := listing{map[string]any{"dry_run": dryRun, "changes": changes},
		web.Table{Head: []string{"change", "what", "sequence"}}}
	var statements []events.Statement
	for _, c := range changes {
		statements = append(statements, c.statement)
		sequence := ""
		if c.Receipt != nil {
			sequence = fmt.Sprint(c.Receipt.Sequence)
		}
		l.Add(c, c.Change, c.What, sequence)
	}
	switch {
	case len(changes) == 0:
		l.Below = []string{"The ledger says what the plan says: nothing to do."}
	case dryRun:
		l.Below = []string{fmt.Sprintf("%s would be made. Nothing was done.",
			english.Several(len(changes), "change"))}
		if err := a.addPreview(ctx, &l, statements); err != nil {
			return err
		}
	}
	return l.write(a.format, a.stdout)
}

func (a *app) planExportCmd() *cobra.Command {
	var on string
	c := &cobra.Command{
		Use:   "export OPERATION",
		Short: "Write an operation's plan as a file, to be changed and applied",
		Long: `Write an operation's roles, organisations and requirement lines as a plan file, to
standard output. Applied as it is (muster plan apply), it changes nothing; applied with changes, it
changes those alone.`,
		Example: "  muster plan export mnf-u > mnf-u.yaml",
		Args:    args("OPERATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			day, err := dateOr("on", on, today())
			if err != nil {
				return err
			}
			s, err := a.meet(cmd.Context())
			if err != nil {
				return err
			}
			data, err := planned.Written(cmd.Context(), planAsker(a.ask),
				events.Operation(args[0]), s.origin, 0, day)
			if err == nil {
				_, err = a.stdout.Write(data)
			}
			return err
		},
	}
	c.Flags().StringVar(&on, "on", "", "the day on which it is so (default: today)")
	return c
}

func (a *app) planShowCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "plan", use: "show OPERATION", argument: "operation",
		short: "An operation's roles and requirement lines",
		flags: []string{"on-as-is", "as-of"},
	}, web.PlanTable)
}
