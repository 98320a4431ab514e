package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections"
	"muster/projections/web"
)

// submitOne signs one statement, submits it, and prints the receipt.
func (a *app) submitOne(ctx context.Context, dryRun bool,
	make func(*speaker) (events.Statement, error)) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	st, err := make(s)
	if err != nil {
		return err
	}
	if err := a.agreeToShortened(s, st, dryRun); err != nil {
		return err
	}
	if dryRun {
		return a.checkOne(ctx, s, st)
	}
	signed, err := events.Sign(st, s.signer)
	if err != nil {
		return err
	}
	r, err := a.submitVerified(ctx, s.to, signed, s.signer.Key())
	if unknown(err) {
		return unsent(signed, err)
	}
	if err != nil {
		return err
	}
	return a.receiptOf(ctx, r, st)
}

// receiptOf prints the receipt of a statement, and to people who can read that.
func (a *app) receiptOf(ctx context.Context, r intake.Receipt, st events.Statement) error {
	if a.format != "table" {
		return a.receipts(nil, r)
	}
	return a.receipts(append(a.readers(ctx, st), a.waits(ctx, st)...), r)
}

// unknown reports whether a statement may be recorded although submitting it has failed. Then no
// refusal of the ledger was answered, but a fault, nothing, or a receipt that does not prove it; or
// somebody on the way has spoken.
func unknown(err error) bool {
	p := problem.Of(err)
	return p != nil && p.Kind.Status >= http.StatusInternalServerError
}

// unsent keeps a signed statement of which nobody knows whether it was recorded, so that these very
// bytes are sent again: the same command would sign another statement, and might pledge twice.
func unsent(s events.Signed, why error) error {
	file := "muster-" + s.Statement.Head().ID.String() + ".note"
	if err := files.Replace(file, 0o600, s.Note); err != nil {
		return errors.Join(why, fmt.Errorf("and the signed statement could not be kept: %w", err))
	}
	hint := fmt.Sprintf("it may be recorded or not, and the signed statement is in %s: do not "+
		"type the command again, but: muster submit %s", file, file)
	p := problem.From(why)
	if p.Kind == problem.Unverified && p.Hint != "" {
		hint = p.Hint + "; " + hint
	}
	return p.WithHint("%s", hint)
}

func (a *app) submitCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "submit FILE",
		Short: "Submit a signed statement that is in a file; what was recorded already counts once",
		Args:  args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			note, err := readInput(args[0])
			if err != nil {
				return err
			}
			s, err := events.ParseSigned(note)
			if err != nil {
				return err
			}
			to, err := a.submitter(cmd.Context())
			if err != nil {
				return err
			}
			r, err := a.submitVerified(cmd.Context(), to, s, "")
			if err != nil {
				return err
			}
			return a.receiptOf(cmd.Context(), r, s.Statement)
		},
	}
}

// checkOne asks whether a statement would be recorded, and prints it unsigned, with what it would
// change.
func (a *app) checkOne(ctx context.Context, s *speaker, st events.Statement) error {
	text, err := events.Marshal(st)
	if err != nil {
		return err
	}
	draft, err := events.SignDraft(st, s.signer)
	if err != nil {
		return err
	}
	checked, err := s.to.Check(ctx, draft)
	if err != nil {
		return err
	}
	a.warn(checked.Warnings)
	effect, err := a.preview(ctx, st)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr,
		"muster: this would be recorded, signed by %s; nothing was sent that can be recorded\n",
		s.signer.Name())
	for _, line := range a.readers(ctx, st) {
		fmt.Fprintf(a.stderr, "muster: %s\n", line)
	}
	switch a.format {
	case "json":
		return writeJSON(a.stdout,
			map[string]any{"statement": json.RawMessage(text), "preview": effect})
	case "table":
		if _, err := fmt.Fprintf(a.stdout, "%s\n", text); err != nil {
			return err
		}
	}
	return listing{effect, web.PreviewTable(effect)}.write(a.format, a.stdout)
}

// addPreview adds to what a dry run of several statements prints what they would change; of very
// many, nothing.
func (a *app) addPreview(ctx context.Context, l *listing, statements []events.Statement) error {
	if len(statements) == 0 || len(statements) > projections.MaxPreview {
		return nil
	}
	effect, err := a.preview(ctx, statements...)
	if err != nil {
		return err
	}
	l.answer.(map[string]any)["preview"] = effect
	t := web.PreviewTable(effect)
	l.Beside = append(l.Beside, web.Table{Below: t.Below, Beside: t.Beside})
	return nil
}

// preview asks what statements would change.
func (a *app) preview(ctx context.Context,
	statements ...events.Statement) (effect projections.Preview, err error) {
	texts := make([]json.RawMessage, len(statements))
	for i, st := range statements {
		if texts[i], err = events.Marshal(st); err != nil {
			return effect, err
		}
	}
	list, err := json.Marshal(texts)
	if err != nil {
		return effect, err
	}
	return effect, a.question(ctx, "preview", map[string]string{"statements": string(list)},
		&effect)
}

// receipts prints receipts, with what there is to say below them.
func (a *app) receipts(below []string, all ...intake.Receipt) error {
	l := listing{all, web.Table{Head: []string{"sequence", "recorded", "type", "id"}}}
	if len(all) == 1 {
		l.answer = all[0]
	}
	by, err := a.witnessedSoFar(all)
	if err != nil {
		return err
	}
	if len(by) == 1 {
		l.answer = by[0]
	} else if len(by) > 1 {
		l.answer = by
	}
	for i, r := range all {
		a.warn(r.Warnings)
		row := any(r)
		if len(by) > 0 {
			row = by[i]
		}
		l.Add(row, fmt.Sprint(r.Sequence), r.Recorded, string(r.Type), r.ID.String())
		if r.Again && a.format == "table" {
			l.Below = append(l.Below,
				fmt.Sprintf("%s was recorded before: this is its first receipt", r.ID))
		}
	}
	if len(by) > 0 && a.format == "table" {
		l.Below = append(l.Below, "recorded, and so far "+fewest(by).Witnessed.String()+
			"; what is witnessed later says: muster receipt FILE --at URL --renew")
	}
	l.Below = append(l.Below, below...)
	return l.write(a.format, a.stdout)
}

// warn tells what is odd about a statement, which was recorded, or would be, all the same.
func (a *app) warn(warnings []problem.Field) {
	for _, w := range warnings {
		fmt.Fprintf(a.stderr, "muster: warning: %s\n", problem.Line(w.String()))
	}
}

func today() events.Date { return events.DateOf(time.Now()) }

// dateOr reads a date from a flag, or takes the other when the flag is empty.
func dateOr(flag, value string, other events.Date) (events.Date, error) {
	if value == "" {
		return other, nil
	}
	d, err := events.ParseDate(value)
	if err != nil {
		return 0, usage("--%s: %w", flag, err)
	}
	return d, nil
}
