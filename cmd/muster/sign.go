package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"muster/events"
)

// signCmd signs what another program has prepared, such as the page does for whoever uses it
// without JavaScript. It asks no server.
func (a *app) signCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a statement that is in a file, and print the signed note",
		Long: `Sign one statement, which is a line of JSON (events/FORMAT.md), with the key of
--key, and print the signed note. Nothing is sent: that is what "muster submit" is for. A
statement that lies in a file can be recorded whenever somebody submits it; --not-after says until
when.`,
		Example: "  muster sign statement.json --key FRA-paris.key > statement.note\n  muster " +
			"submit statement.note",
		Args: args("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := readInput(args[0])
			if err != nil {
				return err
			}
			st, err := events.Parse(bytes.TrimSpace(text))
			if err != nil {
				return err
			}
			signer, err := a.signer()
			if err != nil {
				return err
			}
			a.deadline.head(st.Head())
			signed, err := events.Sign(st, signer)
			if err == nil {
				_, err = exact(a.stdout).Write(signed.Note)
			}
			return err
		},
	}
}
