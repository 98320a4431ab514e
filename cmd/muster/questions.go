package main

import (
	"math"
	"slices"

	"github.com/spf13/cobra"

	"muster/projections"
	"muster/projections/web"
)

// The commands that ask one question and show the rows of the answer.

func (a *app) gapsCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "gaps", use: "gaps",
		short: "Which requirements are not met, the most urgent first",
		long: `List the requirements that are not met on a date: essential ones first,
then by priority, by the date from which they are short, and by how much is missing. Beside each
stands what could fill it, and why it does not count yet.`,
		flags: []string{"operation", "role", "on-opening", "rung", "as-of"},
	}, web.GapsTable)
}

func (a *app) timelineCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "timeline", use: "timeline",
		short: "How requirements are met over time, and the hand-overs between rotations",
		long: `Show for each requirement what is required and what is there, over a range
of dates: at the dates where something changes, or by day, week or month. Each step is shown by
its worst day, which stands beside it, so that a dip of one day does not hide in a month. Below
stand the rotations, and how many days lie between those who leave and those who relieve them.`,
		example: "  muster timeline --operation mnf-u --from 2026-03-01 --until 2028-02-29 " +
			"--step month",
		flags: []string{"operation", "role", "line", "on-days", "from-date", "until", "step",
			"rung", "as-of"},
	}, web.TimelineTable)
}

func (a *app) rotationsCmd() *cobra.Command {
	var gapOver int
	c := questionCmd(a, question{
		name: "timeline", use: "rotations",
		short: "The hand-overs between rotations, and the days between them with nobody there",
		long: `List the hand-overs from a pledge to the one that relieves it, in a range
of dates, with how many days lie between: 0 where the one begins on the day after the other has
ended, and less where both are there for a while. --gap-over 0 lists those alone that leave a gap.`,
		example: "  muster rotations --from 2027-01-01 --until 2028-12-31 --gap-over 0",
		flags: []string{"operation", "role", "line", "on-days", "from-date", "until", "rung",
			"as-of"},
		narrow: func(answer any) {
			t := answer.(*projections.Timeline)
			t.HandOvers = slices.DeleteFunc(t.HandOvers, func(h projections.HandOver) bool {
				return h.Days <= gapOver
			})
		},
	}, web.RotationsTable)
	c.Flags().IntVar(&gapOver, "gap-over", math.MinInt,
		"only those with more than so many days between (default: all)")
	c.Flags().Lookup("gap-over").DefValue = ""
	return c
}

func (a *app) dependenceCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "dependence", use: "dependence",
		short: "What one nation holds alone, or to 80 or 50 percent",
		flags: []string{"operation", "nation", "role", "by-role", "on-opening", "rung", "as-of"},
	}, web.DependenceTable)
}

func (a *app) hangingCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "hanging", use: "hanging",
		short: "Supply that hangs on a condition or a caveat, grouped by it",
		flags: []string{"operation", "nation", "role", "on-opening", "rung", "as-of"},
	}, web.HangingTable)
}

func (a *app) readinessCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "readiness", use: "readiness",
		short:   "What can move within so many days of the call",
		example: "  muster readiness --within 15 --operation mnf-u",
		flags: []string{"within-call", "operation", "nation", "role", "by-nation", "on-opening",
			"rung", "as-of"},
	}, web.ReadinessTable)
}

func (a *app) reviewCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "review", use: "review",
		short: "What does not fit: pledges without a line, overdrawn allocations, broken rotations",
		long: `Look for what does not fit on a date: allocations that a later amendment
has overdrawn, or whose requirement is gone; pledges that match several requirements or none, or
are allocated in part; rotations of which one side is gone; forces that are also pledged
elsewhere; and requirements with more than they need. Each with what would mend it, and the
records that it rests on.`,
		flags: []string{"operation", "nation", "role", "on-opening", "rung", "as-of"},
	}, web.ReviewTable)
}

func (a *app) dueCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "due", use: "due",
		short: "What lapses or ends soon, and what waits for whom, and since when",
		long: `List what waits for the coordinators (an offer without an answer), for its
nation (accepted and not confirmed, with no condition open) or for a condition, each with the date
since which it does; what lapses, or ends without a relief, within so many days; and which
admissions and revocations of keys wait for a second word of yours.`,
		flags: []string{"within", "operation", "nation", "role", "on", "as-of"},
	}, web.DueTable)
}

func (a *app) nationCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "nation", use: "nation CODE", argument: "nation",
		short: "Everything about one nation: what it gives, and what of that was counted where",
		flags: []string{"operation", "on-opening", "rung", "as-of"},
	}, web.NationTable)
}

func (a *app) nationsCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "nations", use: "nations",
		short:   "Which nations give what, in short",
		example: "  muster nations --only intelligence",
		flags:   []string{"only", "operation", "on-opening", "rung", "as-of"},
	}, web.NationsTable)
}

func (a *app) lateCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "late", use: "late",
		short: "What was recorded about pledges long after the date from which it holds",
		long: `What was recorded about pledges long after the date from which it holds: it has
changed what is known of days that had passed. What was said of requirements, and when, is in the
log: muster log --type requirement.revised.`,
		example: "  muster late --days 14",
		flags:   []string{"days", "operation", "nation", "role", "as-of"},
	}, web.LateTable)
}

func (a *app) correctionsCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "corrections", use: "corrections",
		short: "What was corrected, by whom and why",
		flags: []string{"operation", "nation", "role", "as-of"},
	}, web.CorrectionsTable)
}

func (a *app) deliveryCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "delivery", use: "delivery",
		short: "What was pledged and what was delivered, by nation, and how long it took",
		flags: []string{"operation", "nation", "role", "on-as-is", "as-of"},
	}, web.DeliveryTable)
}

func (a *app) countedCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "counted", use: "counted RECORD", argument: "record",
		short: "What was counted where for one record: as of the record, and now",
		long: `Say for one record, by its sequence as the receipt tells it, where its
pledge counts at each rung, or why it does not: as it was known right after the record, and now;
while its first day lies ahead, for that day.`,
		flags: []string{"on", "as-of"},
	}, web.CountedTable)
}
