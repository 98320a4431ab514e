package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/ledger/intake/round"
)

func (a *app) importCmd() *cobra.Command {
	return group("import", "Bring in what others have published", a.importCSVCmd(),
		a.importXLSXCmd(), a.importUNCmd(), a.importGuessCmd(), a.importUndoCmd())
}

func (a *app) importCSVCmd() *cobra.Command {
	return a.importRowsCmd(round.Read, &cobra.Command{
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
	return a.importRowsCmd(round.ReadXLSX, &cobra.Command{
		Use:   "xlsx FILE",
		Short: "Import a pledging round: a workbook (XLSX) of offers",
		Long: `Read a sheet of a workbook, in which each row below a head is an offer, and record the offers, as
"import csv" does with a CSV file: the same mapping says what the columns and words mean, and under
sheet which sheet it is. Days are dates, and numbers have all their digits, whatever they are shown
as. A workbook that is damaged, cut, crafted or huge is refused before anything is read from it;
--returned writes CSV.`,
		Example: `  muster import xlsx round.xlsx --map round.map.yaml --dry-run`,
	})
}

// importRowsCmd completes a command that imports the rows of a file.
func (a *app) importRowsCmd(read func([]byte, round.Mapping, events.Origin) (*round.Round, error),
	c *cobra.Command) *cobra.Command {
	var mapFile string
	var columns, always map[string]string
	how := importing{read: read}
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
		if err := how.comparing.check(); err != nil {
			return err
		}
		if how.name != "" {
			m.Name = how.name
		}
		if err := how.mayReturn(args[0]); err != nil {
			return err
		}
		return a.importRound(cmd.Context(), data, m, how)
	}
	how.comparing.register(c)
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

func (a *app) importGuessCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "guess FILE",
		Short: "Write a first mapping for a file of offers",
		Long: `Look at a CSV file or a workbook of offers, and print a mapping for it, with a
question mark wherever somebody has to look: which column is what, how numbers and dates are
written, which rows are no offers. It asks no server and records nothing. All that a mapping can
say is told by "muster help mapping".`,
		Example: `  muster import guess round.csv > round.map.yaml
  muster import csv round.csv --map round.map.yaml --dry-run`,
		Args: args("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			text, err := round.Guess(filepath.Base(args[0]), data)
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
