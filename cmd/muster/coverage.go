package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/projections/web"
)

// A question is a command that asks one and shows the rows of the answer.
type question struct {
	name                      string // of the question, as the server knows it
	use, short, long, example string
	// The parameter that the command's one argument is, "" when it has none.
	argument string
	flags    []string          // those that become parameters; see flagTexts
	always   map[string]string // parameters that are always given
	// Whether the command ends with the exit code for differences; nil for never.
	differs func(answer any) bool
	// narrow leaves out of the answer, which it has a pointer to, what was not asked; nil for
	// nothing.
	narrow func(answer any)
}

// questionCmd makes the command of a question, whose answer of type A has rows.
func questionCmd[A any](a *app, q question, table func(A) web.Table) *cobra.Command {
	given := map[string]*string{}
	c := &cobra.Command{Use: q.use, Short: q.short, Long: q.long, Example: q.example, Args: args()}
	if q.argument != "" {
		c.Args = args(strings.Fields(q.use)[1])
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		parameters := values(given)
		if q.argument != "" {
			parameters[q.argument] = args[0]
			if q.argument == "id" {
				whole, err := a.wholeID(cmd.Context(), args[0], a.ask)
				if err != nil {
					return err
				}
				parameters["id"] = whole
			}
		}
		maps.Copy(parameters, q.always)
		var answer A
		if err := a.ask(cmd.Context(), q.name, parameters, &answer); err != nil {
			return err
		}
		if q.narrow != nil {
			q.narrow(&answer)
		}
		err := a.write(listing{answer, table(answer)})
		if err == nil && q.differs != nil && q.differs(answer) {
			return exitWith(10)
		}
		return err
	}
	stringFlags(c, given, append(slices.Clone(q.flags), "view")...)
	a.rowFlags(c)
	return c
}

// rowFlags are those of a command that lists rows.
func (a *app) rowFlags(c *cobra.Command) {
	c.Flags().StringVar(&a.sortBy, "sort", "",
		"sort the rows by this column; with - before it, the largest first (not in JSON)")
	c.Flags().IntVar(&a.top, "top", 0, "only so many of the rows (not in JSON; default: all)")
}

func (a *app) coverageCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "coverage", use: "coverage",
		short: "Which requirements are met, by whom, and what cannot be counted",
		long: `Show each requirement line in force on a date: what is required, what is pledged for it, what is missing, and who
gives it; and beside that what is there from each rung up. Of what is in place, the strength
last reported counts at the rung deployed, and what was pledged at those below. Apart from that,
and never in it, stands what cannot be counted, each with the reason.`,
		flags: []string{"operation", "role", "on-opening", "rung", "as-of", "differences"},
	}, web.CoverageTable)
}

func (a *app) strengthCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "strength", use: "strength",
		short: "What is pledged or deployed, summed only within a unit",
		flags: []string{"operation", "nation", "role", "on-opening", "rung", "as-of", "by"},
	}, web.StrengthTable)
}
