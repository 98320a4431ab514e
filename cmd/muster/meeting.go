package main

import (
	"github.com/spf13/cobra"

	"muster/events"
	"muster/projections/web"
)

func (a *app) meetingCmd() *cobra.Command {
	return group("meeting", "Meetings, whose names stand for what was recorded by then",
		a.meetingCloseCmd(), a.meetingListCmd())
}

func (a *app) meetingCloseCmd() *cobra.Command {
	var f stepFlags
	c := &cobra.Command{
		Use:   "close NAME",
		Short: "Give a name to all that is recorded up to now (coordinators)",
		Long: `Close a meeting: from then on its name stands for all that was recorded up to this
statement, and with it, wherever a record or a time can be named. It changes nothing else.`,
		Example: `  muster meeting close "FGC 4"
  muster diff --from "FGC 4"
  muster coverage --as-of "FGC 4"`,
		Args: args("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			on, err := dateOr("effective", f.effective, today())
			if err != nil {
				return err
			}
			return a.submitOne(cmd.Context(), f.dryRun, func(s *speaker) (events.Statement, error) {
				return &events.MeetingClosed{Header: s.head("meeting.closed"),
					Dated: events.Dated{Effective: on}, Name: args[0], Note: f.reason}, nil
			})
		},
	}
	f.registerDated(c)
	c.Flags().StringVar(&f.reason, "note", "", "a note for people")
	c.Flags().Lookup("effective").Usage = "the day on which the meeting ended (default: today)"
	return c
}

func (a *app) meetingListCmd() *cobra.Command {
	return questionCmd(a, question{
		name: "meetings", use: "list",
		short: "The meetings that were closed, and at which record",
		flags: []string{"as-of"},
	}, web.MeetingsTable)
}
