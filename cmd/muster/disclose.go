package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
)

// releaseToday says what a release does until reading is restricted.
const releaseToday = "it is recorded, but reading is not restricted yet: everybody who reaches the server can read it"

// releaseFlags say who may read a pledge.
type releaseFlags struct {
	release      string
	releasableTo []string
}

func (f *releaseFlags) register(c *cobra.Command, usage string) {
	c.Flags().StringVar(&f.release, "release", "", usage)
	c.Flags().StringSliceVar(&f.releasableTo, "releasable-to", nil,
		"the nations that may see it too, where it is released to the coordinators, such as GBR,NOR")
}

// set fills in who may read the terms, and returns what cannot be read.
func (f *releaseFlags) set(c *cobra.Command, t *events.PledgeTerms) (bad []problem.Field) {
	if c.Flags().Changed("release") {
		t.Release, t.ReleasableTo = events.Release(f.release), nil
	}
	if !c.Flags().Changed("releasable-to") {
		return nil
	}
	t.ReleasableTo = nil
	for i, name := range f.releasableTo {
		n, ok := events.FindNation(strings.TrimSpace(name))
		if !ok {
			bad = append(bad, problem.Field{Location: fmt.Sprintf("releasable_to[%d]", i),
				Value:   name,
				Message: "is no nation that is known here: write its three-letter code, such as GBR"})
		}
		t.ReleasableTo = append(t.ReleasableTo, n)
	}
	return bad
}

func (a *app) pledgeDiscloseCmd() *cobra.Command {
	var releases releaseFlags
	var effective string
	var dryRun bool
	c := &cobra.Command{
		Use:   "disclose ID --release RELEASE",
		Short: "Open a pledge to more than could read it so far",
		Long: `Open a pledge to more than could read it so far. It is restated as it stands, with what hangs on it: who
could not read it before meets it there, and what was said before stays closed to them. What was read cannot
be taken back, so nothing is ever narrowed; and what was said before is not corrected any more.`,
		Example: "  muster pledge disclose 01KAQ… --release coalition\n" +
			"  muster pledge disclose 01KAQ… --release coordinators --releasable-to GBR,NOR",
		Args: args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if releases.release == "" {
				return usage("--release is missing: say who may read the pledge from now on: public, coalition, or coordinators with --releasable-to")
			}
			return a.submitOne(cmd.Context(), dryRun, func(s *speaker) (events.Statement, error) {
				st := &events.PledgeDisclosed{Header: s.head("pledge.disclosed")}
				var err error
				if st.Effective, err = dateOr("effective", effective, today()); err != nil {
					return nil, err
				}
				p, err := a.pledge(cmd.Context(), args[0], st.Effective)
				if err != nil {
					return nil, err
				}
				st.Pledge, st.Upon, st.Place = p.ID, uponOf(p),
					events.Place{Operation: p.Operation, Nation: p.Nation}
				st.PledgeTerms, st.Standing = p.Terms(), p.Standing()
				return st, withFields(st, st.Unit, releases.set(cmd, &st.PledgeTerms))
			})
		},
	}
	releases.register(c, "who may read it from now on: public, coalition or coordinators (required); "+releaseToday)
	c.Flags().StringVar(&effective, "effective", "",
		"the date from which this holds (default: today)")
	c.Flags().BoolVar(&dryRun, "dry-run", false,
		"print what would be signed and what it would change, and send nothing")
	return c
}
