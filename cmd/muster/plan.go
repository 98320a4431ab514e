package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/plan"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) planCmd() *cobra.Command {
	return group("plan", "An operation's roles and requirements", a.planApplyCmd(), a.planShowCmd())
}

func (a *app) planApplyCmd() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make an operation's roles and requirements what a plan file says (YAML or JSON)",
		Long: `Compare a plan file with the ledger, and add, revise and cancel what differs.
Applying it again changes nothing. With --dry-run it says what it would do, and does nothing.`,
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

// applyPlan makes the changes that a plan file asks for, or only says them.
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
	effective := p.Effective
	if effective == 0 {
		effective = today()
	}
	ask := a.askToSign // what is revised or cancelled is not chosen on a server's word
	if dryRun {
		ask = a.ask
	}
	now, err := currentPlan(ctx, ask, p.Operation.Operation, effective)
	if err != nil {
		return nil, err
	}
	changes, err := plan.Changes(p, now, today(), s.origin, events.NewID)
	if err != nil {
		return nil, err
	}
	done := make([]planChange, 0, len(changes))
	for _, c := range changes {
		change := planChange{Change: c.Verb, What: c.Sentence, statement: c.Statement}
		if !dryRun {
			c.Statement.Head().Seen = s.contact.saw()
			r, err := s.say(ctx, c.Statement)
			if err != nil {
				return nil, afterSome(err, len(done), len(changes))
			}
			change.Receipt = &r
		}
		done = append(done, change)
	}
	return done, a.checkReceipts(ctx)
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

// currentPlan asks what the ledger has of an operation on the date from which changes would hold,
// which may be nothing.
func currentPlan(ctx context.Context, ask asker, o events.Operation,
	on events.Date) (plan.Current, error) {
	now := plan.Current{Lines: map[events.Line]events.RequirementTerms{},
		Cancelled: map[events.Line]bool{}}
	w, err := planOn(ctx, ask, o, on)
	if problem.Is(err, problem.NotFound) {
		return now, nil
	}
	if err != nil {
		return now, err
	}
	// A line that is cancelled from a later day on cannot come back either.
	ever, err := planOn(ctx, ask, o, endOfTime)
	if err != nil {
		return now, err
	}
	for _, r := range ever.Requirements {
		now.Cancelled[r.Line] = r.State == projections.Cancelled
	}
	terms := w.Catalogue.Terms()
	now.Operation = &terms
	for _, r := range w.Requirements {
		if !now.Cancelled[r.Line] {
			now.Lines[r.Line] = r.Terms()
		}
	}
	return now, nil
}

// endOfTime is the last date that can be asked about.
const endOfTime events.Date = 2199_12_31

// An asker asks a question, as [app.ask] and [app.askToSign] do.
type asker func(ctx context.Context, question string, parameters map[string]string,
	answer any) error

func planOn(ctx context.Context, ask asker, o events.Operation,
	on events.Date) (w web.Plan, err error) {
	err = ask(ctx, "plan", map[string]string{"operation": string(o), "on": on.String()}, &w)
	return w, err
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

func (a *app) planShowCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "plan", use: "show OPERATION", argument: "operation",
		short: "An operation's roles and requirement lines",
		flags: []string{"on-as-is", "as-of"},
	}, web.PlanTable)
}
