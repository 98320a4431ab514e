package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
)

func (a *app) allocationApplyCmd() *cobra.Command {
	var f stepFlags
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Make the allocations of a plan: what is there already stays",
		Long: `Make the allocations that a CSV file lists, one in a row: its columns
pledge, requirement, quantity, from and until, as "muster allocation propose -o csv" prints them;
of its other columns, unit, nation, operation and role have to be those of the pledge, and the
rest is for people. Rows can be changed and left out. Without a quantity it is what is free of the
pledge on all the days, beside the other rows; without days, those of the pledge. Rows of one
pledge are summed. What is allocated so already is recognised, whenever it takes effect, so that
the same plan can be applied again; where a row without days meets another allocation of its
pledge to the requirement, it is refused.`,
		Example: "  muster allocation apply plan.csv --dry-run\n" +
			"  muster allocation apply plan.csv --yes",
		Args: args("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := readPlan(args[0])
			if err != nil {
				return err
			}
			return a.applyAllocations(cmd.Context(), &f, args[0], rows)
		},
	}
	f.register(c)
	return c
}

// applyAllocations makes the allocations of the rows that are not there yet.
func (a *app) applyAllocations(ctx context.Context, f *stepFlags, path string,
	rows []*planRow) error {
	s, err := a.speaker(ctx)
	if err != nil {
		return err
	}
	on, err := dateOr("effective", f.effective, today())
	if err != nil {
		return err
	}
	if err := a.readCourses(ctx, path, rows, on); err != nil {
		return err
	}
	// Those that say most first: what leaves something open gets what they leave.
	byWords := slices.Clone(rows)
	slices.SortStableFunc(byWords, func(a, b *planRow) int {
		return cmp.Compare(b.says(), a.says())
	})
	for _, row := range byWords {
		row.there = row.course.claim(row)
	}
	for _, open := range []bool{false, true} {
		for _, row := range rows {
			if row.there || row.quantity.IsZero() != open {
				continue
			}
			if err := row.allocate(s, f); err != nil {
				return ofRow(path, row, err)
			}
		}
	}
	b := &batch{app: a, speaker: s}
	for _, row := range rows {
		if row.there {
			b.leaveOut(row.course.first(),
				fmt.Sprintf("%s, line %d, to %s", path, row.number, row.line))
		} else {
			b.add(*row.course.first(), row.st)
		}
	}
	return b.submit(ctx, f.dryRun)
}

// readCourses finds the pledges of the rows, each once, and reads the rows.
func (a *app) readCourses(ctx context.Context, path string, rows []*planRow, on events.Date) error {
	byText, byID := map[string]*course{}, map[events.ID]*course{}
	for _, row := range rows {
		text := row.said["pledge"]
		c := byText[text]
		if c == nil {
			var err error
			if c, err = a.courseOf(ctx, text, on); err != nil {
				return ofRow(path, row, err)
			}
			id := c.first().ID
			if byID[id] == nil {
				byID[id] = c
			}
			c = byID[id]
			byText[text] = c
		}
		row.course = c
		if err := row.read(c.first()); err != nil {
			return ofRow(path, row, err)
		}
	}
	return nil
}

// allocate makes the statement of a row that is not there yet, after those before it.
func (r *planRow) allocate(s *speaker, f *stepFlags) error {
	c := r.course
	p := c.first()
	if o := c.other(r.line); o != nil && r.from == 0 && r.until == 0 {
		return problem.New(problem.Conflict, "%s of the pledge %s are set against %s already, %s, "+
			"by the allocation %s, and the row does not say its days", o.Quantity, p.ID, o.Line,
			o.Span(), o.ID).
			WithHint("to set more against it, write from and until in the row; to change what is "+
				"set against it, release that first: muster allocation release %s %s", p.ID, o.ID)
	}
	step, err := f.step(s, p)
	if err != nil {
		return err
	}
	st := &events.AllocationMade{PledgeStep: step, Line: r.line, Window: r.window()}
	st.Type, st.Unit, st.Quantity = "allocation.made", p.Unit, r.quantity
	free, known := c.free(st.Window)
	beside := c.beside(st.Window)
	n, _ := r.quantity.Number()
	switch {
	case r.quantity.IsZero() && free > 0:
		st.Quantity = p.Unit.Of(free)
	case r.quantity.IsZero(), known && n > free && len(beside) > 0:
		return r.notFree(known, free, beside)
	} // of one row alone the ledger says so
	r.st = st
	c.made = append(c.made, r)
	return nil
}

// notFree says that a row asks for more of its pledge than is free of it beside other rows.
func (r *planRow) notFree(known bool, free int64, beside []*planRow) error {
	p := r.course.first()
	if !known {
		return problem.New(problem.Conflict,
			"how much the pledge %s is of is not known on all days of the row", p.ID).
			WithHint("ask the nation to say how much it is, or take the row out")
	}
	text := fmt.Sprintf("of the pledge %s, %s are free %s", p.ID, p.Unit.Of(max(0, free)),
		r.window().Span())
	if len(beside) > 0 {
		all := make([]string, len(beside))
		for i, one := range beside {
			all[i] = one.String()
		}
		text += " beside " + strings.Join(all, ", ")
	}
	return problem.New(problem.Conflict, "%s; this is %s", text, r).
		WithHint("write less in one of the rows, take one out, or release an allocation first")
}

// ofRow says in which row of a plan something is wrong.
func ofRow(path string, row *planRow, err error) error {
	p := *problem.From(err)
	p.Detail = fmt.Sprintf("%s, line %d: %s", path, row.number, p.Detail)
	return &p
}
