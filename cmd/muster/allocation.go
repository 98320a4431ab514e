package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

func (a *app) allocationCmd() *cobra.Command {
	return group("allocation", "What is set against which requirement (coordinators)",
		a.allocationMakeCmd(), a.allocationReleaseCmd(), a.allocationProposeCmd(),
		a.allocationApplyCmd())
}

func (a *app) allocationMakeCmd() *cobra.Command {
	var f stepFlags
	var quantity, from, until string
	c := &cobra.Command{
		Use:   "make PLEDGE REQUIREMENT",
		Short: "Set so much of a pledge against a requirement",
		Long: `Set so much of a pledge against one line of the statement of requirements: without
--quantity the most that is free of it on each of its days, and without --from and --until for the days of the
pledge. From then on the pledge counts where it is allocated, and what is not allocated of it
counts nowhere.`,
		Example: "  muster allocation make 01KAQ… ground-west --quantity 800",
		Args:    args("PLEDGE", "REQUIREMENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				step, unit, err := a.step(cmd, s, f, args[0])
				if err != nil {
					return nil, err
				}
				st := &events.AllocationMade{PledgeStep: step, Line: events.Line(args[1])}
				st.Type, st.Unit = "allocation.made", unit
				return st, a.setAllocation(cmd.Context(), st, quantity, from, until)
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&quantity, "quantity", "",
		"how much of it (default: what is free on the first day)")
	c.Flags().StringVar(&from, "from", "",
		"the first day (default: the pledge's, or the effective date when that is later)")
	c.Flags().StringVar(&until, "until", "", "the last day (default: the pledge's)")
	return c
}

// setAllocation fills in the days and the quantity of an allocation, from the pledge where they
// were not given.
func (a *app) setAllocation(ctx context.Context, st *events.AllocationMade, quantity, from,
	until string) error {
	p, err := a.pledge(ctx, st.Pledge.String(), st.Effective)
	if err != nil {
		return err
	}
	if st.From, err = dateOr("from", from, max(p.From, st.Effective)); err != nil {
		return err
	}
	if st.Until, err = dateOr("until", until, p.Until); err != nil {
		return err
	}
	if quantity != "" {
		said, err := events.ParseAmount(quantity)
		if err != nil {
			return problem.OfFields(
				[]problem.Field{{Location: "quantity", Value: quantity, Message: err.Error()}})
		}
		st.Quantity = said.In(p.Unit).Quantity
		return nil
	}
	c, err := a.courseOf(ctx, st.Pledge.String(), st.Effective)
	if err != nil {
		return err
	}
	n, known := c.free(st.Window)
	if !known || n <= 0 {
		until := "on"
		if st.Until != 0 {
			until = "to " + st.Until.String()
		}
		return usage("nothing that is known is free of the pledge %s on every day from %s %s",
			p.ID, st.From, until).
			WithHint("say how much with --quantity, for other days with --from and --until, or " +
				"release an allocation first")
	}
	st.Quantity = p.Unit.Of(n)
	return nil
}

func (a *app) allocationReleaseCmd() *cobra.Command {
	var f stepFlags
	c := &cobra.Command{
		Use:   "release PLEDGE [ALLOCATION]",
		Short: "End an allocation: its forces are free again",
		Long: `End an allocation from --effective on. Name it by its pledge and, where that has
several, its id or its requirement; or by its id alone.`,
		Example: "  muster allocation release 01KAQ… ground-west",
		Args: func(cmd *cobra.Command, got []string) error {
			if len(got) == 0 {
				return args("PLEDGE")(cmd, got)
			}
			return atMost(2)(cmd, got)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				step, _, err := a.step(cmd, s, f, args[0])
				if len(args) == 1 && problem.Is(err, problem.NotFound) {
					step, err = a.stepOfAllocation(cmd, s, f, args[0], err)
					args = append(args, args[0])
				}
				if err != nil {
					return nil, err
				}
				st := &events.AllocationReleased{PledgeStep: step}
				st.Type = "allocation.released"
				st.Allocation, err = a.allocation(cmd.Context(), step, args[1:])
				return st, err
			})
		},
	}
	f.register(c)
	return c
}

// stepOfAllocation makes the step for the pledge that has an allocation with this id; where none
// has, the error is as it was.
func (a *app) stepOfAllocation(cmd *cobra.Command, s *speaker, f stepFlags, id string,
	notThere error) (events.PledgeStep, error) {
	all, err := a.allPledges(cmd.Context(), a.askToSign, map[string]string{"on": f.effective})
	if err != nil {
		return events.PledgeStep{}, err
	}
	for _, p := range all.Pledges {
		if slices.ContainsFunc(p.Allocations, func(a projections.Allocation) bool {
			return a.ID.String() == strings.ToUpper(id) || hasPart(a.ID, id)
		}) {
			step, _, err := a.step(cmd, s, f, p.ID.String())
			return step, err
		}
	}
	return events.PledgeStep{}, notThere
}

// allocation finds the allocation of a pledge that a person means by its id, by its requirement, or
// by nothing where it is the only one.
func (a *app) allocation(ctx context.Context, step events.PledgeStep,
	named []string) (events.ID, error) {
	if len(named) == 1 {
		if id, err := events.ParseID(strings.ToUpper(named[0])); err == nil {
			return id, nil
		}
	}
	p, err := a.pledge(ctx, step.Pledge.String(), step.Effective)
	if err != nil {
		return events.ID{}, err
	}
	meant := slices.DeleteFunc(p.Allocations, func(one projections.Allocation) bool {
		return len(named) == 1 && string(one.Line) != named[0] && !hasPart(one.ID, named[0])
	})
	if len(meant) == 1 && len(named) == 1 && string(meant[0].Line) != named[0] {
		a.shortened = append(a.shortened, fmt.Sprintf("%s is the allocation %s of the pledge %s",
			named[0], meant[0].ID, inShort(p)))
	}
	if len(meant) != 1 {
		return events.ID{}, problem.New(problem.NotFound,
			"%d allocations of the pledge %s could be meant on %s", len(meant), p.ID,
			step.Effective).
			WithHint("name one by its id, as it is listed by: muster pledge show %s --json", p.ID)
	}
	return meant[0].ID, nil
}
