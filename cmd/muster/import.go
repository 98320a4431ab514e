package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/intake/peacekeeping"
	"muster/ledger/intake/round"
	"muster/projections/web"
)

func (a *app) importCmd() *cobra.Command {
	return group("import", "Bring in what others have published", a.importCSVCmd(), a.importUNCmd())
}

func (a *app) importCSVCmd() *cobra.Command {
	var mapFile string
	var columns, always map[string]string
	var dryRun bool
	c := &cobra.Command{
		Use:   "csv FILE",
		Short: "Import a pledging round: a spreadsheet of offers, saved as CSV",
		Long: `Read a CSV file with a head, in which each row is an offer, and record the offers. A small mapping file says which
column is what, what holds for every row, and what the file's words for units stand for; flags add to it. Every row is
checked before the first is recorded: when one is refused, nothing is. Importing the same file again records nothing.

The field release says who may read a pledge: public (everybody), coalition (every nation, the
coordinators and the readers cleared for it) or coordinators (they, the readers cleared as they
are, and the nation itself). It is never narrowed; ` + whereOpen + ".",
		Example: `  muster import csv round.csv --map round.map.yaml --dry-run
  muster import csv round.csv --column nation=country --column quantity=offered --always operation=mnf-u --always role=ground --always unit=personnel --always from=2026-03-01 --always effective=2026-01-10`,
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := mapping(mapFile, columns, always)
			if err != nil {
				return err
			}
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			return a.importRound(cmd.Context(), data, m, dryRun)
		},
	}
	c.Flags().StringVar(&mapFile, "map", "", "the mapping file (YAML)")
	c.Flags().StringToStringVar(&columns, "column", nil,
		"which column holds the field, as `FIELD=COLUMN`")
	c.Flags().StringToStringVar(&always, "always", nil,
		"what holds for every row, as `FIELD=VALUE`")
	c.Flags().Lookup("column").DefValue, c.Flags().Lookup("always").DefValue = "", "" // not "[]"
	c.Flags().BoolVar(&dryRun, "dry-run", false,
		"say row by row what would be recorded, and record nothing")
	return c
}

func mapping(file string, columns, always map[string]string) (m round.Mapping, err error) {
	if file != "" {
		data, err := readInput(file)
		if err != nil {
			return m, err
		}
		if m, err = round.ReadMapping(file, data); err != nil {
			return m, err
		}
	}
	for field, column := range columns {
		err = errors.Join(err, m.SetColumn(field, column))
	}
	for field, value := range always {
		err = errors.Join(err, m.SetAlways(field, value))
	}
	return m, err
}

// An importedRow is what became of a row of the file.
type importedRow struct {
	Line     int             `json:"line"`
	What     string          `json:"what"`
	Refused  []problem.Field `json:"refused,omitempty"`
	Warnings []problem.Field `json:"warnings,omitempty"`
	Receipt  *intake.Receipt `json:"receipt,omitempty"`
}

func (a *app) importRound(ctx context.Context, data []byte, m round.Mapping, dryRun bool) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	r, err := round.Read(data, m, s.origin)
	if r == nil {
		return err
	}
	rows := make([]importedRow, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = importedRow{Line: row.Line, What: row.Sentence, Refused: row.Problems}
	}
	var signed []events.Signed
	if err == nil {
		signed, err = a.checkRows(ctx, s, r.Rows, rows)
	}
	if err == nil && !dryRun {
		err = recordRows(ctx, s, signed, rows)
	}
	if err == nil {
		err = a.checkReceipts(ctx)
	}
	if len(r.Unused) > 0 {
		fmt.Fprintf(a.stderr, "muster: these columns are not used: %s\n",
			strings.Join(r.Unused, ", "))
	}
	if err != nil && !dryRun {
		return err
	}
	var offers []events.Statement
	for _, one := range signed {
		offers = append(offers, one.Statement)
	}
	return errors.Join(a.printRows(ctx, rows, dryRun, offers), err)
}

// checkRows signs every offer and asks whether it would be recorded: all that would be refused is
// told, and nothing sent.
func (a *app) checkRows(ctx context.Context, s *speaker, offers []round.Row,
	rows []importedRow) ([]events.Signed, error) {
	signed := make([]events.Signed, len(offers))
	var refused []problem.Field
	hint := ""
	for i, o := range offers {
		one, err := events.Sign(o.Offer, s.signer)
		if err != nil {
			return nil, err
		}
		signed[i] = one
		checked, err := s.to.Check(ctx, signed[i])
		if unknown(err) {
			return nil, err // which is no refusal
		}
		rows[i].Warnings = checked.Warnings
		for _, w := range checked.Warnings {
			rows[i].What += "; warning: " + w.String()
		}
		if err != nil {
			f := problem.Field{Location: fmt.Sprintf("line %d", o.Line),
				Message: problem.From(err).Detail}
			rows[i].What += "; refused: " + f.Message
			rows[i].Refused = []problem.Field{f}
			refused = append(refused, f)
			if problem.From(err).Code == idTaken {
				hint = saidOtherwise(o.Offer.ID)
			}
		}
	}
	if refused == nil {
		return signed, nil
	}
	p := problem.New(problem.Conflict,
		"%d of %d rows would be refused, so nothing was recorded: %s", len(refused),
		len(offers), refused[0])
	p.Fields, p.Hint = refused, hint
	return nil, p
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

func recordRows(ctx context.Context, s *speaker, signed []events.Signed, rows []importedRow) error {
	for i := range signed {
		r, err := s.to.Submit(ctx, signed[i])
		if err != nil {
			return afterSome(err, i, len(signed))
		}
		rows[i].Receipt = &r
	}
	return nil
}

func (a *app) printRows(ctx context.Context, rows []importedRow, dryRun bool,
	offers []events.Statement) error {
	l := listing{map[string]any{"dry_run": dryRun, "rows": rows},
		web.Table{Head: []string{"line", "what", "sequence"}}}
	recorded, again, refused := 0, 0, 0
	for _, r := range rows {
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
		}
		l.Add(r, fmt.Sprint(r.Line), r.What, last)
	}
	if dryRun {
		l.Below = []string{fmt.Sprintf("%s would be recorded, %d refused. Nothing was done.",
			english.Several(len(rows)-refused, "row"), refused)}
		if err := a.addPreview(ctx, &l, offers); err != nil {
			return err
		}
	} else {
		l.Below = []string{fmt.Sprintf("%s: %d recorded now, %d recorded before.",
			english.Several(len(rows), "row"), recorded, again)}
	}
	a.warnOfRows(rows)
	return l.write(a.format, a.stdout)
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

func (a *app) importUNCmd() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "un FILE",
		Short: "Import the UN's monthly contributions to peace operations",
		Long: `Read uniformed contributions to UN peace operations, as published by month, contributor and mission, clean them, and
record what changed from month to month: strength observed, reported, and returned. Importing the same file again records
nothing.`,
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			h, err := peacekeeping.Read(bytes.NewReader(data))
			if err != nil {
				return err
			}
			return a.importHistory(cmd.Context(), h, dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be recorded, and record nothing")
	return c
}

// An importedHistory is what became of a file of history.
type importedHistory struct {
	DryRun   bool     `json:"dry_run"`
	Cleaned  []string `json:"cleaned"`
	Recorded int      `json:"recorded"`
	Before   int      `json:"recorded_before"`
}

func (a *app) importHistory(ctx context.Context, h *peacekeeping.History, dryRun bool) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	f, err := a.builder(ctx, s)
	if err != nil {
		return err
	}
	months := h.Statements(s.origin, "")
	done := importedHistory{DryRun: dryRun, Cleaned: h.Report.Lines()}
	l := listing{done, web.Table{Head: []string{"month", "statements", "recorded", "before"},
		Above: append(done.Cleaned, "")}}
	for _, m := range months {
		recorded, before := 0, 0
		if !dryRun {
			if recorded, before, err = f.submitMonth(ctx, s, m.Statements); err != nil {
				return afterSome(importedBefore(err), done.Recorded+done.Before+recorded+before,
					count(months))
			}
			a.progress("%s: %s", m.Date, english.Several(done.Recorded+done.Before, "statement"))
		}
		done.Recorded += recorded
		done.Before += before
		l.Add(map[string]any{"month": m.Date, "statements": len(m.Statements), "recorded": recorded,
			"recorded_before": before},
			m.Date.String(), fmt.Sprint(len(m.Statements)), fmt.Sprint(recorded),
			fmt.Sprint(before))
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
			english.Several(count(months), "statement"))}
	}
	return l.write(a.format, a.stdout)
}

// importedBefore says what to do about history that was imported before by somebody else.
func importedBefore(err error) error {
	p := problem.Of(err)
	if p == nil || p.Code != idTaken {
		return err
	}
	return p.WithHint("this history was imported before, with another key or in other words, " +
		"and what is recorded stays and counts once: go on with the key that imported it: " +
		"muster import un FILE --key KEY; who that was: muster log --type pledge.observed")
}

func count(months []peacekeeping.Month) (n int) {
	for _, m := range months {
		n += len(m.Statements)
	}
	return n
}

// progress overwrites one line of the terminal; elsewhere it says nothing. An empty text clears the
// line.
func (a *app) progress(format string, args ...any) {
	if fancy(a.stderr) {
		fmt.Fprint(own(a.stderr), "\r\033[K")
		fmt.Fprintf(a.stderr, format, args...)
	}
}
