package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/intake/form"
	"muster/ledger/intake/reconcile"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) sheetCmd() *cobra.Command {
	return group("sheet", "Workbooks in which liaisons fill in pledges", a.sheetNewCmd())
}

func (a *app) sheetNewCmd() *cobra.Command {
	var operation, nation string
	c := &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a workbook (XLSX) with a nation's pledges, to change them and add others",
		Long: `Write a form: a workbook with the nation's pledges to an operation as they are
recorded, room for new ones, drop-downs with the roles, units, requirements and areas of the plan,
and dates and numbers that the spreadsheet checks. Beside that it shows the requirements, with what
is missing, and examples. Without --nation it has the pledges of all nations that you may read.

When it is filled in, "muster import xlsx FILE" records what was changed. Leave the hidden sheet and
the ids as they are: by them it is known what was changed here and what in the ledger. A pledge that
is recorded to end on a later day is in it until then, and can be corrected, but not amended. The
file is OPERATION-NATION.xlsx unless you name one; it is never written over another one, and only
its owner may read it.`,
		Example: `  muster sheet new --operation mnf-u --nation FRA
  muster import xlsx mnf-u-fra.xlsx --dry-run`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if operation == "" {
				return usage("--operation is missing: a form is of one operation")
			}
			var of events.Nation
			if nation != "" {
				var err error
				if of, err = a.nationNamed(cmd.Context(), events.Operation(operation),
					"nation", nation); err != nil {
					return err
				}
			}
			file := strings.ToLower(strings.TrimSuffix(operation+"-"+string(of), "-")) + ".xlsx"
			if len(args) > 0 {
				file = args[0]
			}
			return a.newSheet(cmd.Context(), file, events.Operation(operation), of)
		},
	}
	c.Flags().StringVar(&operation, "operation", "", "the operation, such as mnf-u")
	c.Flags().StringVar(&nation, "nation", "", "the nation, or the organisation, whose pledges "+
		"it has, such as FRA")
	return c
}

// A newSheet is what sheet new has done.
type newSheet struct {
	File      string           `json:"file"`
	Import    string           `json:"import"` // its name
	Operation events.Operation `json:"operation"`
	Nation    events.Nation    `json:"nation,omitzero"`
	Pledges   int              `json:"pledges"`
	Lines     int              `json:"lines"`
	Record    uint64           `json:"record"`
	View      events.View      `json:"view,omitzero"`
}

func (a *app) newSheet(ctx context.Context, file string, o events.Operation,
	n events.Nation) error {
	c, err := a.formOf(ctx, o, n)
	if err != nil {
		return err
	}
	err = a.writeFileOrOutput(file, func(w io.Writer) error { return form.Write(w, *c) })
	if err != nil || file == "-" {
		return err
	}
	done := newSheet{File: file, Import: c.Name, Operation: o, Nation: n, Pledges: len(c.Pledges),
		Lines: len(c.Lines), Record: c.Record, View: c.View}
	l := listing{done, web.Table{Head: []string{"file", "pledges", "requirements", "record",
		"import"}, Below: []string{"When it is filled in: muster import xlsx " + file +
		" --dry-run"}}}
	l.Add(done, file, english.Several(done.Pledges, "pledge"),
		english.Several(done.Lines, "requirement"), fmt.Sprint(done.Record), done.Import)
	return l.write(a.format, a.stdout)
}

// formOf is a form with what is recorded, all of it as of one record.
func (a *app) formOf(ctx context.Context, o events.Operation,
	n events.Nation) (*form.Content, error) {
	s, err := a.meet(ctx)
	if err != nil {
		return nil, err
	}
	known := reconcile.NewKnown()
	c := &form.Content{Form: form.Form{Name: form.NewName(o, n), Ledger: s.origin, Operation: o,
		Nation: n}}
	if c.Record, err = a.takeRecords(ctx, o, known.Take); err != nil {
		return nil, err
	}
	// It is sent to the nation: so it says what that may read, whoever makes it.
	asked := map[string]string{"operation": string(o), "as_of": fmt.Sprint(c.Record),
		"view": string(n)}
	var plan web.Plan
	if err := a.ask(ctx, "plan", asked, &plan); err != nil {
		return nil, notTheirs(err, n)
	}
	var coverage projections.Coverage
	if err := a.ask(ctx, "coverage", asked, &coverage); err != nil {
		return nil, err
	}
	c.Title, c.Roles, c.View = plan.Catalogue.Title, plan.Catalogue.Roles, plan.View
	c.Organisations = plan.Catalogue.Organisations
	c.On, c.Recorded = coverage.On, cmp.Or(coverage.Recorded, time.Unix(0, 0))
	c.Lines = linesOf(plan.Requirements, coverage.Lines)
	for _, p := range known.All() {
		if p.Operation != o || n != "" && p.Nation != n || !p.HoldsOn(c.On) || p.Observed {
			continue
		}
		c.Pledges = append(c.Pledges, form.Pledge{ID: p.ID, Place: p.Place,
			Terms: p.TermsOn(c.On), Revision: p.Last, Ends: p.EndedOn})
	}
	slices.SortStableFunc(c.Pledges, func(a, b form.Pledge) int {
		return cmp.Or(cmp.Compare(a.Nation, b.Nation), cmp.Compare(a.Terms.Role, b.Terms.Role))
	})
	return c, nil
}

// notTheirs says of a refusal to show what a nation may read that the form is what asks for it.
func notTheirs(err error, n events.Nation) error {
	if p := problem.From(err); n == "" || p.Kind != problem.NotReadable {
		return err
	}
	return problem.New(problem.NotReadable, "a form of %s (%s) shows what %s may read, which you "+
		"may not", n.Named(), n, n.Named()).WithHint("leave out --nation, and the form has the " +
		"pledges that you may read; or make it with a key of that nation or of the coordinators: " +
		"--key FILE")
}

// linesOf puts the coverage of the requirements beside them, of those that are in force.
func linesOf(all []projections.Requirement, covered []projections.LineCoverage) []form.Line {
	var lines []form.Line
	for _, r := range all {
		if r.State == projections.Cancelled || r.State == projections.Over {
			continue
		}
		l := form.Line{Line: r.Line, Role: r.Role, Area: r.Area, Unit: r.Unit, Priority: r.Priority,
			Essential: r.Essential, Window: r.Window, Required: r.Required, Note: r.Note}
		i := slices.IndexFunc(covered, func(c projections.LineCoverage) bool {
			return c.Line == r.Line
		})
		if i >= 0 {
			l.Supply, l.Gap = covered[i].Supply, covered[i].Gap
		}
		lines = append(lines, l)
	}
	return lines
}
