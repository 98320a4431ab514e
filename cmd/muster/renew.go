package main

import (
	"github.com/spf13/cobra"

	"muster/events"
)

func (a *app) pledgeRenewCmd() *cobra.Command {
	var f stepFlags
	var expires string
	c := &cobra.Command{
		Use:   "renew ID --expires DATE",
		Short: "Let a pledge stand longer than it was to",
		Long: "Set another last day on which a pledge stands. A pledge that has lapsed is " +
			"not renewed: offer it anew.",
		Example: "  muster pledge renew 01KAQ… --expires 2026-12-31",
		Args:    args("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				step, _, err := a.step(cmd, s, f, args[0])
				if err != nil {
					return nil, err
				}
				st := &events.PledgeRenewed{PledgeStep: step}
				st.Type = "pledge.renewed"
				st.Expires, err = dateOr("expires", expires, 0)
				return st, err
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&expires, "expires", "", "the last day on which it stands then (required)")
	return c
}
