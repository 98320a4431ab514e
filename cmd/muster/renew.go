package main

import (
	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections"
)

func (a *app) pledgeRenewCmd() *cobra.Command {
	var f stepFlags
	var expires string
	c := &cobra.Command{
		Use:   "renew ID... --expires DATE",
		Short: "Let a pledge stand longer than it was to",
		Long: "Set another last day on which a pledge stands. A pledge that has lapsed is " +
			"not renewed: offer it anew.",
		Example: "  muster pledge renew 01KAQ… --expires 2026-12-31",
		Args:    f.chosen.manyIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			until, err := dateOr("expires", expires, 0)
			if err != nil {
				return err
			}
			return a.sayOf(cmd.Context(), &f.chosen, f.dryRun, f.effective, args, pledgeVerb{
				applies: func(p *projections.Pledge) bool { return p.Expires != 0 },
				said: func(p *projections.Pledge) bool {
					return p.Expires == until && until != 0
				},
				make: func(s *speaker, p *projections.Pledge) (events.Statement, error) {
					step, err := f.step(s, p)
					step.Type = "pledge.renewed"
					return &events.PledgeRenewed{PledgeStep: step, Expires: until}, err
				}})
		},
	}
	f.register(c)
	f.chosen.register(c)
	c.Flags().StringVar(&expires, "expires", "", "the last day on which it stands then (required)")
	return c
}
