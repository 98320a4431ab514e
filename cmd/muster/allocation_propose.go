package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/english"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) allocationProposeCmd() *cobra.Command {
	q := map[string]*string{}
	var match, effective string
	c := &cobra.Command{
		Use:   "propose --operation OP",
		Short: "Propose allocations that close the most urgent gaps",
		Long: `Propose allocations of what is pledged and counts nowhere until it is
allocated, since it fits several requirements, or since a part of it is allocated already. It goes
greedily, which is not always the best there could be: the most urgent requirement first
(essential, priority, fill), and for each the pledges that name it, then those for its area, then
those that hang on nothing, fit the fewest others, have come furthest, and are the largest. Each
row says why. An allocation has the days that the pledge and the requirement have in common. Of a
range of dates, the gaps of each day on which something changes are closed, the earliest first.

With --match line it sets against each requirement the pledges that name it, up to what it needs,
also where they count for it already.

Nothing is allocated: that does "muster allocation apply", with what this prints as CSV. The same
records give the same plan.`,
		Example: `  muster allocation propose --operation mnf-u --on 2027-01-01..2027-12-31
  muster allocation propose --operation mnf-u --on 2027-03-01 -o csv > plan.csv
  muster allocation apply plan.csv --dry-run`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			by := projections.Matching(match)
			if by != projections.MatchArea && by != projections.MatchLine {
				return usage("--match %s: write area or line", match)
			}
			if *q["operation"] == "" {
				return usage("--operation is missing: say for which operation")
			}
			from, err := dateOr("effective", effective, today())
			if err != nil {
				return err
			}
			return a.propose(cmd.Context(), &projections.Proposer{By: by, From: from}, values(q))
		},
	}
	stringFlags(c, q, "operation", "role", "on-opening", "rung")
	c.Flags().StringVar(&match, "match", "area",
		"area: what fits by its area and counts nowhere so far; line: what names the requirement")
	c.Flags().StringVar(&effective, "effective", "",
		"the first day that an allocation may have (default: today)")
	return c
}

// propose asks for what the proposals rest on, and prints them.
func (a *app) propose(ctx context.Context, p *projections.Proposer, asked map[string]string) error {
	var c projections.Coverage
	if err := a.ask(ctx, "coverage", asked, &c); err != nil {
		return err
	}
	if err := a.allocatable(ctx, p, asked["operation"]); err != nil {
		return err
	}
	days, err := a.daysOfChange(ctx, &c, asked)
	if err != nil {
		return err
	}
	last := c
	for _, day := range days {
		asked["on"] = day.String()
		last = projections.Coverage{}
		if err := a.ask(ctx, "coverage", asked, &last); err != nil {
			return err
		}
		p.Day(&last)
	}
	return a.write(proposals(p, &c))
}

// allocatable gives a proposer the pledges that can be allocated from its first day on.
func (a *app) allocatable(ctx context.Context, p *projections.Proposer, operation string) error {
	all, err := a.allPledges(ctx, a.ask, map[string]string{"operation": operation,
		"on": p.From.String(), "rung": projections.Offered.String(),
		"state": string(projections.Live)})
	p.Pledges = map[events.ID]projections.Pledge{}
	for _, one := range all.Pledges {
		if one.Presence != events.Reserve && !one.Observed {
			p.Pledges[one.ID] = one
		}
	}
	return err
}

// daysOfChange are the days asked on which something changes: the first, and of a range those
// after it.
func (a *app) daysOfChange(ctx context.Context, c *projections.Coverage,
	asked map[string]string) ([]events.Date, error) {
	if !c.IsRange() {
		return []events.Date{c.On}, nil
	}
	var t projections.Timeline
	err := a.ask(ctx, "timeline", map[string]string{"operation": asked["operation"],
		"role": asked["role"], "rung": asked["rung"], "from": c.On.String(),
		"until": c.Until.String()}, &t)
	days := []events.Date{c.On}
	for _, l := range t.Lines {
		for _, point := range l.Points {
			days = append(days, point.From)
		}
	}
	slices.Sort(days)
	return slices.Compact(days), err
}

// planHead are the columns of a plan of allocations, of which apply needs the first of each name.
var planHead = []string{"pledge", "requirement", "quantity", "from", "until", "unit", "nation",
	"operation", "role", "gap on", "lacks before", "lacks after", "why"}

// proposals lists what is proposed.
func proposals(p *projections.Proposer, c *projections.Coverage) listing {
	all := p.All
	if all == nil {
		all = []projections.Proposed{}
	}
	l := listing{map[string]any{"basis": c.Basis, "match": p.By, "allocations": all},
		web.Table{Basis: &c.Basis, Head: planHead}}
	lines := map[events.Line]bool{}
	for _, one := range all {
		lines[one.Line] = true
		l.Add(one, one.Pledge.String(), string(one.Line), one.Quantity.String(), one.From.String(),
			one.Until.String(), string(one.Unit), string(one.Nation), string(one.Operation),
			string(one.Role), one.On.String(), one.Before.String(), one.After.String(), one.Why)
	}
	l.Below = []string{fmt.Sprintf("%s for %s, %s. Nothing was allocated.",
		english.Several(len(all), "allocation"), english.Several(len(lines), "requirement"),
		c.Basis)}
	if len(all) == 0 {
		l.Below = append(l.Below, "Nothing that waits for an allocation would close a gap; what "+
			"could fill it says: muster gaps --operation "+string(proposedFor(c)))
	}
	if c.On < p.From {
		l.Below = append(l.Below, fmt.Sprintf("Allocations would begin on %s at the earliest; to "+
			"have them begin with the day asked, here and with apply: --effective %s.", p.From,
			c.On))
	}
	return l
}

// proposedFor is the operation of an answer about one.
func proposedFor(c *projections.Coverage) events.Operation {
	if len(c.Lines) > 0 {
		return c.Lines[0].Operation
	}
	return "OP"
}
