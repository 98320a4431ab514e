package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections/web"
)

func (a *app) scopeCmd() *cobra.Command {
	return group("scope", "What a nation is ready to give", a.scopeDeclareCmd(), a.scopeListCmd())
}

func (a *app) scopeDeclareCmd() *cobra.Command {
	var operation, nation, effective, note string
	var unlimited, dryRun bool
	c := &cobra.Command{
		Use:   "declare ROLE...",
		Short: `Declare the only roles that a nation is ready to fill, such as "intelligence"`,
		Long: `Declare the only roles that a nation is ready to fill in an operation. An offer
outside it is refused until the nation declares another scope, or --unlimited.`,
		Example: "  muster scope declare intelligence --operation mnf-u --nation CAN",
		RunE: func(cmd *cobra.Command, args []string) error {
			on, err := dateOr("effective", effective, today())
			if err != nil {
				return err
			}
			return a.submitOne(cmd.Context(), dryRun, func(s *speaker) (events.Statement, error) {
				at := events.Place{Operation: events.Operation(operation)}
				at.Nation, err = a.nationOr(cmd.Context(), at.Operation, nation, s)
				if err != nil {
					return nil, err
				}
				st := &events.ScopeDeclared{Header: s.head("scope.declared"),
					Dated: events.Dated{Effective: on}, Unlimited: unlimited, Note: note,
					Place: at}
				for _, r := range args {
					st.Roles = append(st.Roles, events.Role(r))
				}
				return st, nil
			})
		},
	}
	c.Flags().StringVar(&operation, "operation", "", "the operation")
	c.Flags().StringVar(&nation, "nation", "", "the nation (default: the key's)")
	c.Flags().BoolVar(&unlimited, "unlimited", false, "lift an earlier limit")
	c.Flags().StringVar(&note, "note", "", "a note for people")
	c.Flags().StringVar(&effective, "effective", "",
		"the date from which this holds (default: today)")
	c.Flags().BoolVar(&dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
	return c
}

func (a *app) scopeListCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "scopes", use: "list",
		short: "The scopes that nations have declared",
		flags: []string{"operation", "nation", "on-as-is", "as-of"},
	}, web.ScopesTable)
}

// appliesOn is how --on is written.
const appliesOn = "what applies on this date, such as 2026-11-23, today, +30d or -2w, or in a " +
	"month (2027-06) or a range such as 2026-01-01..2026-06-30"

// withoutVariant takes off what tells apart, after the name of a flag, what --help says of it for
// some questions.
func withoutVariant(name string) string {
	for _, v := range []string{"-date", "-all", "-opening", "-as-is", "-days", "-call"} {
		if flag, ok := strings.CutSuffix(name, v); ok {
			return flag
		}
	}
	return name
}

// flagTexts are the flags that questions share, and what --help says of them.
var flagTexts = map[string]string{
	"operation": "only this operation, such as mnf-u",
	"nation":    "only this nation, such as FRA",
	"role":      "only this role, such as ground",
	"rung": "count pledges from this rung on: indicated, offered, accepted, confirmed, deployed " +
		"(default: offered)",
	"rung-all": "only pledges from this rung on: indicated, offered, accepted, confirmed, " +
		"deployed (default: all)",
	"on":       appliesOn + " (default: today; with --as-of, the day of its last record)",
	"on-as-is": appliesOn + " (default: today; with --as-of, the day of its last record)",
	"on-opening": appliesOn + " (default: today; with --as-of, the day of its last record; and " +
		"where nothing has begun by then, its first day; today is always today)",
	"on-days": "the days, such as 2026-01-01..2026-12-31, or the first of them; today is always " +
		"today (default: as --from and --until say)",
	"as-of": "what was known then: a sequence, a time, a date, or the name of a meeting " +
		"(default: all there is)",
	"state": "only pledges that are live, ahead, withdrawn, declined, lapsed, returned or struck " +
		"(default: all but struck)",
	"by": "what to group by: nation, role, operation, separated by commas (default: nation)",
	"type": "only this kind of statement, such as pledge.offered, or pledge for all about " +
		"pledges",
	"signer": "only what the key of this name has signed, such as FRA/paris",
	"import": "only what came from the import of this name, such as kiel-tracker",
	"from":   "from this record on: a sequence, a time or a date (default: 1)",

	"without":             "what if: leave out what these nations pledge, such as FRA,GBR",
	"without-conditional": "what if: leave out what hangs on an open condition",
	"without-caveated":    "what if: leave out what is restricted by a caveat",
	"discharge": "what if: these conditions have happened, by name or kind, such as " +
		"cease-fire",
	"line":      "only this requirement, such as ground-west",
	"reference": "only pledges with this number of the nation's own, exactly",
	"from-date": "the first day (default: that of --on; else today, or with --as-of the day of " +
		"its last record; and where nothing has begun by then, the first day of what begins)",
	"until": "the last day, at most 20 years later (default: that of --on, or a year " +
		"after the first)",
	"step":        "change (where something changes), day, week or month (default: change)",
	"by-role":     "tell the strength of operations by role",
	"by-nation":   "tell each nation's by itself",
	"days":        "recorded more than so many days after the effective date (default: 30)",
	"within":      "what lapses or ends within so many days, 0 for today (default: 30)",
	"within-call": "also within so many days of the call",
	"only":        "only nations that give this role and no other, such as intelligence",
	"to":          "with what was known then: a sequence, a time or a date (default: all there is)",
	"from-on":     "compare what applies on this date (default: as --on)",
	"to-on":       "with what applies on this date (default: as --on)",
	"view": "what those would be told who may read no more: public, coalition, or a nation's " +
		"code (default: all that you may read)",
	"differences": "only what the rung asked, or what is supposed, makes another than it is",
}

// switches are the flags that need no value.
var switches = []string{"without-conditional", "without-caveated", "differences",
	"by-role", "by-nation"}

// whatIf are the flags of a question that has an answer for another world than the one as it is.
var whatIf = []string{"without", "without-conditional", "without-caveated", "discharge"}

// stringFlags gives a command flags that become the parameters of a question. With on, or for
// what-if, come those that suppose something; not with on-as-is.
func stringFlags(c *cobra.Command, into map[string]*string, names ...string) {
	if slices.ContainsFunc(names, func(n string) bool {
		return n != "on-as-is" && withoutVariant(n) == "on"
	}) {
		names = append(slices.Clone(names), "what-if")
	}
	if i := slices.Index(names, "what-if"); i >= 0 {
		names = slices.Replace(slices.Clone(names), i, i+1, whatIf...)
	}
	for _, name := range names {
		text := flagTexts[name]
		name = withoutVariant(name)
		value := c.Flags().String(name, "", text)
		into[strings.ReplaceAll(name, "-", "_")] = value
		f := c.Flags().Lookup(name)
		if slices.Contains(switches, name) {
			f.Value, f.NoOptDefVal = (*switchFlag)(value), "true"
		}
	}
}

// A switchFlag is a flag that needs no value. What is given is read by the server, as any
// parameter.
type switchFlag string

func (s *switchFlag) Set(value string) error { *s = switchFlag(value); return nil }
func (s *switchFlag) String() string         { return string(*s) }
func (s *switchFlag) Type() string           { return "bool" }

// values are the parameters that the flags name.
func values(flags map[string]*string) map[string]string {
	all := map[string]string{}
	for name, value := range flags {
		all[name] = *value
	}
	return all
}
