package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/projections/web"
)

func (a *app) pledgeCorrectCmd() *cobra.Command {
	f := &termFlags{}
	var reason string
	var strike bool
	c := &cobra.Command{
		Use:   "correct RECORD --reason WHY",
		Short: "Mend a record that was wrong when it was made",
		Long: `Mend one record about a pledge, by its sequence: we wrote it wrong. (When the world has changed, amend the pledge.) What the flags
name is corrected, and the rest of the record stays as it was said. With --strike it was never to be said. From then on the record counts as
corrected, in its own place; what was known before stays as it was, and both records stay to be seen.`,
		Example: `  muster pledge correct 17 --quantity 1200 --reason "a digit was missing"
  muster pledge correct 21 --strike --reason "it was another pledge"`,
		Args: args("RECORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strike && !changesTerms(cmd) && !cmd.Flags().Changed("effective") {
				return usage("muster pledge correct corrects nothing so").WithHint("say what is right, such as --quantity or --effective, or --strike what was never so")
			}
			return a.sayOne(cmd.Context(), f.dryRun, func(s *session) (events.Statement, error) {
				wrong, err := a.record(cmd.Context(), args[0])
				if err != nil {
					return nil, err
				}
				return correction(cmd, s, f, wrong, reason, strike)
			})
		},
	}
	f.register(c)
	c.Flags().Lookup("effective").Usage = "the date from which the record should have held (default: its own)"
	c.Flags().StringVar(&reason, "reason", "", "what was wrong")
	c.Flags().BoolVar(&strike, "strike", false, "it should never have been recorded")
	return c
}

// record asks for one record, by its sequence.
func (a *app) record(ctx context.Context, sequence string) (events.Record, error) {
	n, err := strconv.ParseUint(sequence, 10, 64)
	if err != nil || n == 0 {
		return events.Record{}, usage("%q is no record: write its sequence, as muster log and muster pledge show tell it", sequence)
	}
	var page web.Records
	if err := a.ask(ctx, "records", map[string]string{"from": sequence, "limit": "1"}, &page); err != nil {
		return events.Record{}, err
	}
	if len(page.Records) == 0 {
		return events.Record{}, problem.New(problem.NotFound, "there is no record %d yet", n)
	}
	return events.ParseRecord(page.Records[0].Sequence, []byte(page.Records[0].Stored))
}

// correction makes the statement that mends a record.
func correction(cmd *cobra.Command, s *session, f *termFlags, wrong events.Record, reason string, strike bool) (*events.PledgeCorrected, error) {
	head := wrong.Statement.Head()
	said, ok := wrong.Statement.(interface{ On() events.Date })
	if !ok || !slices.Contains([]string{"pledge", "condition", "caveat", "allocation"}, head.Type.Subject()) {
		return nil, usage("record %d is a %s, and only records about pledges are corrected", wrong.Sequence, head.Type)
	}
	nation, operation := events.About(wrong.Statement)
	st := &events.PledgeCorrected{Header: s.head("pledge.corrected"), Place: events.Place{Operation: operation, Nation: nation},
		Pledge: events.Thing(wrong.Statement), Corrects: head.ID, Struck: strike, Reason: reason}
	var err error
	if st.Effective, err = dateOr("effective", f.effective, said.On()); err != nil || strike {
		return st, err
	}
	return st, f.correctContent(cmd, st, wrong.Statement)
}

// correctContent corrects the terms or the strength that a statement has, as the flags say.
func (f *termFlags) correctContent(cmd *cobra.Command, st *events.PledgeCorrected, wrong events.Statement) error {
	if !changesTerms(cmd) {
		return nil
	}
	switch wrong := wrong.(type) {
	case *events.PledgeIndicated:
		st.Terms = &wrong.PledgeTerms
	case *events.PledgeOffered:
		st.Terms = &wrong.PledgeTerms
	case *events.PledgeAmended:
		st.Terms = &wrong.PledgeTerms
	case *events.PledgeDeployed:
		st.Strength = &wrong.Strength
	case *events.PledgeReported:
		st.Strength = &wrong.Strength
	case *events.PledgeObserved:
		st.Strength = &wrong.Strength
	default:
		return usage("a %s says nothing but its date: correct --effective, or --strike it", wrong.Head().Type)
	}
	if st.Terms != nil {
		return withFields(st, st.Terms.Unit, f.set(cmd, st.Terms))
	}
	var said events.PledgeTerms
	bad := f.set(cmd, &said)
	if !said.Quantity.IsZero() {
		st.Strength.Quantity = said.Quantity
	}
	return withFields(st, st.Strength.Unit, bad)
}
