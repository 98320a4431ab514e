package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events"
)

// foundCmd signs the statement that a ledger begins with. It asks no server: there is none yet.
func (a *app) foundCmd() *cobra.Command {
	var origin, title string
	var seconds int
	c := &cobra.Command{
		Use:   "found",
		Short: "Sign the statement that a ledger begins with, wherever the founder's key is",
		Long: `Sign the statement that founds a ledger, with the key of --key, and print the
signed note. It names the key as that of the first coordinator, whose name begins with HQ/.
Nothing is sent, and the key stays where it is: whoever keeps the server is given the note alone,
and starts it with "muster serve --founding FILE".

With --seconds 1, nobody admits or revokes a key alone: another coordinator seconds it (muster
member second). As long as there is only one coordinator, that one still does; so admit the others
first.`,
		Example: "  muster key new HQ/staff\n  muster found --key HQ-staff.key --origin " +
			"muster.example/berlin > founding.note\n  muster serve --data ./ledger --founding " +
			"founding.note",
		Args: args(),
		RunE: func(*cobra.Command, []string) error {
			signer, err := a.signer()
			if err != nil {
				return err
			}
			st := &events.LedgerFounded{Header: events.Header{Type: "ledger.founded",
				ID: events.NewID(), Ledger: events.Origin(origin)}, Title: title,
				Founder: signer.Key(), Seconds: seconds}
			if origin == "" {
				st.Ledger = server.OriginOf(signer)
			}
			a.deadline.head(st.Head())
			signed, err := events.Sign(st, signer)
			if err != nil {
				return err
			}
			if _, err := exact(a.stdout).Write(signed.Note); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "muster: this founds the ledger %s, with the coordinator %s; "+
				"its server begins with: muster serve --founding FILE\n", st.Ledger, signer.Name())
			return nil
		},
	}
	c.Flags().StringVar(&origin, "origin", "",
		"the ledger's name for ever, such as muster.example/berlin (default: made from the key)")
	c.Flags().IntVar(&seconds, "seconds", 0,
		"how many coordinators beside the signer it takes to admit and to revoke a key, for ever; "+
			"with 1 or more, a nation's liaison must second each further key of the nation")
	c.Flags().StringVar(&title, "title", "A coalition's pledges", "what the ledger is for")
	return c
}
