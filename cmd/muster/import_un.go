package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/peacekeeping"
	"muster/ledger/intake/reconcile"
	"muster/projections/web"
)

func (a *app) importUNCmd() *cobra.Command {
	var dryRun bool
	var gone, reason string
	c := &cobra.Command{
		Use:   "un FILE",
		Short: "Import the UN's monthly contributions to peace operations",
		Long: `Read uniformed contributions to UN peace operations, as published by month,
contributor and mission, clean them, and record what changed from month to month: strength
observed, reported, and returned. Importing the same file again records nothing.

A month that is published again with another number becomes a correction of what was recorded, and
a file of the newest month alone goes on from there. What somebody has corrected in the ledger is
not turned back by a file that has not changed. A contribution that is recorded, and that the file
does not have at all, is listed and stays as it is; or --gone says that it was never to be said
(strike), or has gone home by the file's last month (return). What is more than another number, such as
forces that were never there between two months that are recorded, is refused before anything is
said; and so is what the ledger would not take, as far as that rests on what is recorded: the
operations, and the first word about each contribution to one that is there.`,
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := reconcile.CheckChoice("gone", gone, peacekeeping.GoneChoices)
			if err != nil {
				return err
			}
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			declared, unasked := imported.AskOnce(
				func(o events.Operation) (events.Organisations, error) {
					return a.organisations(cmd.Context(), o)
				})
			h, err := peacekeeping.Read(bytes.NewReader(data), declared)
			if err := cmp.Or(unasked(), err); err != nil {
				return err
			}
			h.Gone, h.Reason = reconcile.Choice(gone), reason
			return a.importHistory(cmd.Context(), h, dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be recorded, and record nothing")
	c.Flags().StringVar(&gone, "gone", string(reconcile.Leave),
		"what becomes of contributions that the file does not have: leave, strike, return")
	c.Flags().StringVar(&reason, "reason", "",
		"why, in what strikes (default: that the file does not have it)")
	return c
}

// becomes says what becomes of what a file does not have.
var becomes = map[reconcile.Choice]string{reconcile.Leave: string(imported.LeftAsRecorded),
	reconcile.Strike: "struck, as never said", reconcile.Return: "returned"}

// An importedHistory is what became of a file of history.
type importedHistory struct {
	DryRun   bool     `json:"dry_run"`
	Cleaned  []string `json:"cleaned"`
	Recorded int      `json:"recorded"`
	Before   int      `json:"recorded_before"`
	// Restated is how many statements of Recorded mend one that was recorded before, and Gone are
	// the contributions that are recorded and not in the file.
	Restated int                 `json:"restated"`
	Gone     []peacekeeping.Gone `json:"gone,omitempty"`
}

func (a *app) importHistory(ctx context.Context, h *peacekeeping.History, dryRun bool) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	known, err := a.knownPledges(ctx, "")
	if err != nil {
		return err
	}
	says, err := h.Restate(known, s.origin, "")
	if err != nil {
		return err
	}
	if err := checkAll(ctx, s, says.Alone(known)); err != nil {
		return err
	}
	f := newBuilder(known)
	done := importedHistory{DryRun: dryRun, Cleaned: h.Report.Lines(), Gone: says.Gone}
	l := listing{done, web.Table{Head: []string{"month", "statements", "recorded", "before",
		"restated"}, Above: append(done.Cleaned, "")}}
	total := 0
	for i := range says.Steps {
		step := &says.Steps[i]
		recorded, before := 0, step.Before
		total += step.Statements()
		if !dryRun {
			n, again, err := f.submitWaves(ctx, s, step.Waves)
			recorded, before = n, before+again
			if err != nil {
				return afterSome(err, done.Recorded+recorded, count(says.Steps))
			}
			a.progress("%s: %s", step.Date, english.Several(done.Recorded+done.Before, "statement"))
		}
		done.Recorded += recorded
		done.Before += before
		done.Restated += step.Restated
		l.Add(map[string]any{"month": step.Date, "statements": step.Statements() + step.Before,
			"recorded": recorded, "recorded_before": before, "restated": step.Restated},
			step.Date.String(), fmt.Sprint(step.Statements()+step.Before), fmt.Sprint(recorded),
			fmt.Sprint(before), fmt.Sprint(step.Restated))
	}
	a.progress("")
	if err := a.checkReceipts(ctx); err != nil {
		return err
	}
	l.answer = done
	l.Below = []string{fmt.Sprintf("%s recorded now, %d recorded before.",
		english.Several(done.Recorded, "statement"), done.Before)}
	if dryRun {
		l.Below = []string{fmt.Sprintf("%s would be recorded. Nothing was done.",
			english.Several(total, "statement"))}
	}
	if done.Restated > 0 {
		l.Below = append(l.Below, fmt.Sprintf("%d of them mend what was recorded before.",
			done.Restated))
	}
	for _, gone := range done.Gone {
		l.Below = append(l.Below, fmt.Sprintf("not in the file, and %s: %s of %s in %s, %s",
			becomes[h.Gone], gone.Role, gone.Nation, gone.Operation, gone.Pledge))
	}
	return l.write(a.format, a.stdout)
}

func count(steps []peacekeeping.Step) (n int) {
	for i := range steps {
		n += steps[i].Statements()
	}
	return n
}

// knownPledges reads what is recorded of the pledges of an operation, "" for all.
func (a *app) knownPledges(ctx context.Context, o events.Operation) (*reconcile.Known, error) {
	known := reconcile.NewKnown()
	_, err := a.takeRecords(ctx, o, known.Take)
	return known, err
}

// takeRecords has each record about an operation taken, "" for all, in their order. It returns the
// last record that there was.
func (a *app) takeRecords(ctx context.Context, o events.Operation,
	take func(events.Record)) (last uint64, err error) {
	parameters := map[string]string{"limit": "10000"}
	if o != "" {
		parameters["operation"] = string(o)
	}
	for page, err := range a.recordPages(ctx, parameters) {
		if err != nil {
			return 0, err
		}
		for _, r := range page.Records {
			rec, err := events.ParseRecord(r.Sequence, []byte(r.Stored))
			if err != nil {
				return 0, err
			}
			take(rec)
		}
		last = page.AsOf
	}
	return last, nil
}
