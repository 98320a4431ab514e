package main

import (
	"github.com/spf13/cobra"

	"muster/projections"
	"muster/projections/web"
)

func (a *app) diffCmd() *cobra.Command {
	c := questionCmd(a, question{
		name: "diff", use: "diff",
		short: "What two moments differ in, and which records made it so",
		long: `Compare two moments: what each requirement asks for and gets, how each pledge counts, and the sums by nation and role; each
difference with the records that made it, who signed them and why, or with the day on which something began, ended or lapsed by itself.

--from and --to are places in the record: what was known then. --from-on and --to-on are dates: what applied then, as far as is known.
Without --on, each moment is about the day of its last record, or about today.

The exit code is 10 when anything differs, and 0 when nothing does.`,
		example: "  muster diff --from 120 --to 180\n  muster diff --from-on 2026-02-28 --to-on " +
			"2026-03-31 --operation mnf-u",
		flags: []string{"from", "to", "on", "from-on", "to-on", "operation", "nation",
			"role", "rung"},
		differs: func(answer any) bool { d := answer.(projections.Diff); return !d.IsZero() },
	}, web.DiffTable)
	c.Flags().Lookup("from").Usage =
		"compare what was known then: a sequence, a time, a date, or the name of a meeting, " +
			"such as \"FGC 4\" (default: as --to)"
	c.Flags().Lookup("on").Usage = "what applies on this date, at both moments (default: " +
		"today; with --from or --to, the day of its last record; and where nothing has begun by " +
		"then, its first day, at both; today is always today)"
	return c
}

func (a *app) explainCmd() *cobra.Command {
	return group("explain", "Open a number into the records that make it", questionCmd(a, question{
		name: "explain", use: "coverage REQUIREMENT", argument: "line",
		always:  map[string]string{"what": "coverage"},
		short:   "What a requirement's supply is made of, and what is not counted and why",
		example: "  muster explain coverage ground-west --on 2026-04-01",
		flags:   []string{"operation", "on-opening", "rung", "as-of"},
	}, web.ExplainTable), questionCmd(a, question{
		name: "explain", use: "strength", always: map[string]string{"what": "strength"},
		short:   "What a sum of strength is made of, and what is not in it and why",
		example: "  muster explain strength --nation FRA --role ground --rung confirmed",
		flags:   []string{"operation", "nation", "role", "on-opening", "rung", "as-of"},
	}, web.ExplainTable))
}

func (a *app) pledgeHistoryCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "versions", use: "history ID", argument: "id",
		short: "One pledge on both clocks: what was known of it from when to when, and for " +
			"which days it holds",
		long: `Show each version of a pledge: the record from which it was known and the one that has replaced it, the days on which it holds, what
it says, and who has made it known. A correction or a late record replaces what was known of days that had passed, and hides nothing.`,
		flags: []string{"as-of"},
	}, web.VersionsTable)
}
