package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) coverageCmd() *cobra.Command {
	q := map[string]*string{}
	c := &cobra.Command{
		Use:   "coverage",
		Short: "Which requirements are met, by whom, and what cannot be counted",
		Long: `Show each requirement line in force on a date: what is required, what is pledged for it, what is missing, and who
gives it. Apart from that, and never in it, stands what cannot be counted, each with the reason.`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c web.Coverage
			if err := a.ask(cmd.Context(), "coverage", values(q), &c); err != nil {
				return err
			}
			if n := len(c.NotCounted); n > 0 && (a.format == "csv" || a.format == "ndjson") {
				fmt.Fprintf(a.stderr, "muster: %s cannot be counted and not in these rows: see -o table or json\n", several(n, "pledge"))
			}
			return coverageListing(c).write(a.format, a.stdout)
		},
	}
	stringFlags(c, q, "operation", "role", "on", "rung", "as-of")
	return c
}

// A coverageRow is a line of coverage as programs read it: one flat row.
type coverageRow struct {
	projections.LineCoverage
	projections.Basis
}

func coverageListing(c web.Coverage) listing {
	l := listing{answer: c, head: []string{"operation", "requirement", "role", "area", "required", "supply", "gap", "unit", "fill", "who", "remarks"}}
	for _, n := range c.Notes {
		l.above = append(l.above, noteLines(n.Operation, n.Title, n.Note)...)
	}
	l.above = append(l.above, fmt.Sprintf("Coverage %s.", basis(c.Basis)), "")
	for _, line := range c.Lines {
		l.add(coverageRow{line, c.Basis}, string(line.Operation), string(line.Line), string(line.Role), string(line.Area), line.Required.String(), line.Supply.String(),
			line.Gap.String(), string(line.Unit), fmt.Sprintf("%d%%", line.Fill), who(line.Who), remarks(line))
	}
	if len(c.Lines) == 0 {
		l.below = []string{"No requirement is in force on this date."}
	}
	if len(c.NotCounted) > 0 {
		l.more = []listing{notCounted(c.NotCounted)}
	}
	return l
}

func notCounted(all []projections.NotCounted) listing {
	l := listing{above: []string{"Not counted, and why:"}, head: []string{"operation", "nation", "role", "quantity", "unit", "reason", "pledge"}}
	for _, n := range all {
		l.add(n, string(n.Operation), string(n.Nation), string(n.Role), n.Quantity.String(), string(n.Unit), n.Sentence, n.Pledge.String())
	}
	return l
}

func who(shares []projections.Share) string {
	names := make([]string, len(shares))
	for i, s := range shares {
		names[i] = fmt.Sprintf("%s %s", s.Nation, s.Quantity)
	}
	return strings.Join(names, ", ")
}

// remarks are what a coordinator must know of a line besides its numbers.
func remarks(l projections.LineCoverage) string {
	var all []string
	if l.Essential {
		all = append(all, "essential")
	}
	if n, ok := l.Conditional.Number(); ok && n > 0 {
		all = append(all, fmt.Sprintf("%s hang on conditions", l.Conditional))
	}
	if l.Unknown > 0 {
		all = append(all, fmt.Sprintf("%d of unknown size beside it", l.Unknown))
	}
	if d := l.Dependence; d != nil {
		if d.Level == projections.Alone {
			all = append(all, fmt.Sprintf("%s alone", d.Nation))
		} else {
			all = append(all, fmt.Sprintf("%s %d%%", d.Nation, d.Percent))
		}
	}
	return strings.Join(all, "; ")
}

// basis says what an answer rests on: no total is shown without it.
func basis(b projections.Basis) string {
	s := ""
	if b.On != 0 {
		s = "on " + b.On.String()
	}
	if !b.Rung.IsZero() {
		s += fmt.Sprintf(", from the rung %q up", b.Rung.String())
	}
	s += fmt.Sprintf(", as of record %d", b.AsOf)
	if !b.Recorded.IsZero() {
		s += fmt.Sprintf(" (%s UTC)", b.Recorded.UTC().Format("2006-01-02 15:04:05"))
	}
	return strings.TrimPrefix(s, ", ")
}

// several writes a number of things: "1 pledge", "2 pledges".
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// wrap breaks a text into lines of at most so many characters.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func (a *app) strengthCmd() *cobra.Command {
	q := map[string]*string{}
	c := &cobra.Command{
		Use:   "strength",
		Short: "What is pledged or deployed, summed only within a unit",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s projections.Strength
			if err := a.ask(cmd.Context(), "strength", values(q), &s); err != nil {
				return err
			}
			return strengthListing(s).write(a.format, a.stdout)
		},
	}
	stringFlags(c, q, "operation", "nation", "role", "on", "rung", "as-of", "by")
	return c
}

// A strengthRow is a row of strength with what it rests on.
type strengthRow struct {
	projections.StrengthRow
	projections.Basis
}

func strengthListing(s projections.Strength) listing {
	l := listing{answer: s, head: append(slices.Clone(s.By), "quantity", "unit", "pledges", "beside it")}
	l.above = []string{fmt.Sprintf("Strength %s.", basis(s.Basis)), ""}
	for _, r := range s.Rows {
		l.add(strengthRow{r, s.Basis}, append(groupCells(s.By, r), r.Quantity.String(), string(r.Unit), fmt.Sprint(r.Pledges), beside(r))...)
	}
	for _, t := range s.Totals {
		l.below = append(l.below, fmt.Sprintf("Total: %s %s in %s%s.", t.Quantity, t.Unit, several(t.Pledges, "pledge"), prefixed("; beside it ", beside(t))))
	}
	if len(s.Rows) == 0 {
		l.below = []string{"Nothing is there on this date."}
	}
	return l
}

func groupCells(by []string, r projections.StrengthRow) []string {
	cells := make([]string, len(by))
	for i, name := range by {
		switch name {
		case "operation":
			cells[i] = string(r.Operation)
		case "nation":
			cells[i] = string(r.Nation)
		case "role":
			cells[i] = string(r.Role)
		case "unit":
			cells[i] = string(r.Unit)
		}
	}
	return cells
}

// beside says what is not in the sum.
func beside(r projections.StrengthRow) string {
	var all []string
	for _, q := range []struct {
		n    events.Quantity
		what string
	}{{r.Reserve, "in reserve"}, {r.Conditional, "of it hang on conditions"}} {
		if n, ok := q.n.Number(); ok && n > 0 {
			all = append(all, q.n.String()+" "+q.what)
		}
	}
	for _, c := range []struct {
		n    int
		what string
	}{{r.Unknown, "of unknown size"}, {r.ReserveUnknown, "in reserve of unknown size"}, {r.Failed, "whose condition has failed"}} {
		if c.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(all, ", ")
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
