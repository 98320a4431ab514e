package main

import (
	"slices"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections"
)

func (a *app) pledgeDiscloseCmd() *cobra.Command {
	var releases releaseFlags
	var effective string
	var dryRun bool
	chosen := &chosenFlags{}
	c := &cobra.Command{
		Use:   "disclose ID... --release RELEASE",
		Short: "Open a pledge to more than could read it so far",
		Long: `Open a pledge to more than could read it so far. It is restated as it stands, with
what hangs on it: who could not read it before meets it there, and what was said before stays
closed to them. What was read cannot be taken back, so nothing is ever narrowed; and what was said
before is not corrected any more.`,
		Example: "  muster pledge disclose 01KAQ… --release coalition\n" +
			"  muster pledge disclose 01KAQ… --release coordinators --releasable-to GBR,NOR",
		Args: chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if releases.release == "" {
				return usage("--release is missing: say who may read the pledge from now on: " +
					"public, coalition, or coordinators with --releasable-to")
			}
			return a.sayOf(cmd.Context(), chosen, dryRun, effective, args, pledgeVerb{
				said: func(p *projections.Pledge) bool {
					t := p.Terms()
					return a.findReaders(cmd.Context(), &releases, p.Operation) == nil &&
						releases.set(cmd, &t) == nil && t.Release == p.Release &&
						slices.Equal(t.ReleasableTo, p.ReleasableTo)
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					return a.disclosure(cmd, s, p.ID, effective, &releases)
				}})
		},
	}
	chosen.register(c)
	releases.register(c, "who may read it from now on (required): "+releaseHelp)
	c.Flags().StringVar(&effective, "effective", "",
		"the date from which this holds (default: today)")
	c.Flags().BoolVar(&dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
	return c
}

// disclosure restates a pledge as it stands, for those who may read it from now on.
func (a *app) disclosure(cmd *cobra.Command, s *speaker, id events.ID, effective string,
	releases *releaseFlags) (events.Statement, error) {
	st := &events.PledgeDisclosed{Header: s.head("pledge.disclosed")}
	var err error
	if st.Effective, err = dateOr("effective", effective, today()); err != nil {
		return nil, err
	}
	p, err := a.pledge(cmd.Context(), id.String(), st.Effective)
	if err == nil {
		err = a.findReaders(cmd.Context(), releases, p.Operation)
	}
	if err != nil {
		return nil, err
	}
	st.Pledge, st.Upon, st.Place = p.ID, uponOf(p),
		events.Place{Operation: p.Operation, Nation: p.Nation}
	st.PledgeTerms, st.Standing = p.Terms(), p.Standing()
	return st, withFields(st, st.Unit, releases.set(cmd, &st.PledgeTerms))
}
