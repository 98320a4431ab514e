package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/events/problem"
	"muster/ledger/intake/form"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
)

func (a *app) importCmd() *cobra.Command {
	return group("import", "Bring in what others have published", a.importCSVCmd(),
		a.importXLSXCmd(), a.importUNCmd(), a.importGuessCmd(), a.importUndoCmd())
}

func (a *app) importCSVCmd() *cobra.Command {
	return a.importRowsCmd(importing{}, &cobra.Command{
		Use:   "csv FILE",
		Short: "Import a pledging round: a spreadsheet of offers, saved as CSV",
		Long: `Read a CSV file with a head, in which each row is an offer, and record the offers. A small
mapping file says which column is what, what holds for every row, and what the file's words stand
for ("muster help mapping" tells all of it); flags add to it, and "muster import guess FILE" writes
a first one. Every row is checked before the first is recorded: when one is refused, nothing is,
unless --good is given. What is wrong is told once for each cause, with the rows that have it, and
--returned writes the file back with a column "problem". Importing the same file again records
nothing.

The field release says who may read a pledge: public (everybody), coalition (every nation, the
coordinators and the readers cleared for it) or coordinators (they, the readers cleared as they
are, and the nation itself). It is never narrowed; ` + whereOpen + ".",
		Example: `  muster import csv round.csv --map round.map.yaml --dry-run
  muster import csv round.csv --column nation=country --column quantity=offered --always operation=mnf-u --always role=ground --always unit=personnel --always from=2026-03-01 --always effective=2026-01-10`,
	})
}

func (a *app) importXLSXCmd() *cobra.Command {
	return a.importRowsCmd(importing{isBook: true}, &cobra.Command{
		Use:   "xlsx FILE",
		Short: "Import a form that was filled in, or another workbook (XLSX) of offers",
		Long: `Read a form that "muster sheet new" has written, and record what was changed in it: a cell
that was changed amends its pledge, a row that was added is an offer, and what the form does not
have any more is left as recorded, or what --gone says. What somebody else has changed in the ledger
since stays; what both have changed is shown and asked, until --changed says that the form holds.
The same form again records nothing. Its columns and sheets may have been moved, and LibreOffice may
have saved it.

Of another workbook, read a sheet, in which each row below a head is an offer, as "import csv" does
with a CSV file: the same mapping says what the columns and words mean, and under sheet which sheet
it is. Days are dates, and numbers have all their digits, whatever they are shown as. Rows and
columns that the sheet hides, as a filter does, are read like the others, and named. A hidden sheet
is read if the mapping names it; of the same columns as the one that is read, it is said to be left
out.

A workbook that is damaged, cut, crafted or huge is refused before anything is read from it.
--returned FILE.xlsx writes the workbook back with a column "problem"; a file of another name is
CSV.`,
		Example: `  muster import xlsx mnf-u-fra.xlsx --dry-run
  muster import xlsx round.xlsx --map round.map.yaml --dry-run`,
	})
}

// importRowsCmd completes a command that imports the rows of a file.
func (a *app) importRowsCmd(how importing, c *cobra.Command) *cobra.Command {
	var mapFile string
	var columns, always map[string]string
	c.Args = args("FILE")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		m, err := mapping(mapFile, columns, always)
		if err != nil {
			return err
		}
		data, err := readInput(args[0])
		if err != nil {
			return err
		}
		if err := how.Choices.Check(); err != nil {
			return err
		}
		if how.Name != "" {
			m.Name = how.Name
		}
		if err := how.mayReturn(args[0]); err != nil {
			return err
		}
		f, err := how.open(data, m)
		if err != nil {
			return err
		}
		return a.importRound(cmd.Context(), f, how)
	}
	registerChoices(c, &how.Choices)
	c.Flags().StringVar(&mapFile, "map", "", "the mapping file (YAML)")
	c.Flags().StringToStringVar(&columns, "column", nil,
		"which column holds the field, as `FIELD=COLUMN`")
	c.Flags().StringToStringVar(&always, "always", nil,
		"what holds for every row, as `FIELD=VALUE`")
	c.Flags().Lookup("column").DefValue, c.Flags().Lookup("always").DefValue = "", "" // not "[]"
	c.Flags().BoolVar(&how.dryRun, "dry-run", false,
		"say row by row what would be recorded, and record nothing")
	c.Flags().StringVar(&how.returned, "returned", "",
		"write the file back to `FILE`, with what is wrong beside each row")
	c.Flags().BoolVar(&how.good, "good", false,
		"record the rows that can be recorded, and return only the others")
	return c
}

// registerChoices registers how the rows of a file are compared with what is recorded.
func registerChoices(c *cobra.Command, how *imported.Choices) {
	fl := c.Flags()
	fl.StringVar(&how.Changed, "changed", string(reconcile.Ask),
		"what it means that a row is otherwise than recorded: ask (stop, and show them), "+
			"corrected (it was wrong), amended (the world has changed); new (rows that are not "+
			"recorded and resemble a pledge are other ones), also beside another: corrected,new")
	fl.StringVar(&how.Gone, "gone", string(reconcile.Leave),
		"what becomes of what the file does not have any more: leave, strike (it was never to be "+
			"said), withdraw; it is left where a row is refused, which may be what is gone")
	fl.StringVar(&how.Name, "name", "",
		"the name of the import, by which it is found and undone (default: the mapping's)")
	fl.StringVar(&how.Reason, "reason", "",
		"why, in what corrects or withdraws (default: that it was published so)")
}

func (a *app) importGuessCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "guess FILE",
		Short: "Write a first mapping for a file of offers",
		Long: `Look at a CSV file or a workbook of offers, and print a mapping for it, with a
question mark wherever somebody has to look: which column is what, how numbers and dates are
written, which rows are no offers, what a workbook hides, and which of its sheets is meant where
several have the same columns. Where a ledger is named (MUSTER_DATA, --url or --nats), the
organisations that its operations declare are known by their names, as nations are; else no server
is asked. Nothing is recorded. All that a mapping can say is told by "muster help mapping".`,
		Example: `  muster import guess round.csv > round.map.yaml
  muster import csv round.csv --map round.map.yaml --dry-run`,
		Args: args("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			if s, err := form.Open(data); err != nil {
				return err
			} else if s != nil {
				return usage("%s is a form, whose columns are known by their tags: it needs no "+
					"mapping", args[0]).WithHint("muster import xlsx %s --dry-run", args[0])
			}
			declared, err := a.allOrganisations(cmd.Context())
			if err != nil { // without which a mapping can be written, too
				fmt.Fprintf(a.stderr, "muster: which organisations are declared is not known: %s\n",
					problem.Line(err.Error()))
			}
			text, err := round.Guess(filepath.Base(args[0]), data, declared)
			if err == nil {
				_, err = fmt.Fprint(a.stdout, text)
			}
			return err
		},
	}
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

// progress overwrites one line of the terminal; elsewhere it says nothing. An empty text clears the
// line.
func (a *app) progress(format string, args ...any) {
	if fancy(a.stderr) {
		fmt.Fprint(own(a.stderr), "\r\033[K")
		fmt.Fprintf(a.stderr, format, args...)
	}
}
