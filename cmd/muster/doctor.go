package main

import (
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/internal/doctor"
	"muster/projections/web"
)

func (a *app) doctorCmd() *cobra.Command {
	within := 7 * 24 * time.Hour
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a server and its folder are well",
		Long: `Look at the data folder that --data names, and at the server that runs there, if one
does: whether it takes statements, where it listens, its certificate, the stream and its replicas,
the journal, clocks, permissions, the disk and how fast it is, and how old the last backup is.
Each line says what to do. The exit code is 0 where nothing is bad, and 1 otherwise; what cannot
be seen is said, and is not bad. Nothing is changed.`,
		Example: "  muster doctor --data /var/lib/muster\n  muster doctor -o json",
		Args:    args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.data == "" {
				return usage("which data folder is to be looked at?").
					WithHint("name it with --data or MUSTER_DATA")
			}
			f, err := doctor.Look(cmd.Context(), a.data, within)
			if err != nil {
				return err
			}
			r := doctor.Check(f)
			t := web.Table{Head: []string{"outcome", "check", "text", "do"}}
			for _, f := range r.Findings {
				t.Add(f, string(f.Outcome), f.Check, f.Text, f.Do)
			}
			if err := (listing{r, t}).write(a.format, a.stdout); err != nil {
				return err
			}
			if !r.OK {
				return exitWith(1)
			}
			return nil
		},
	}
	c.Flags().DurationVar(&within, "backup-within", within,
		"how old the last backup may be, such as 26h")
	return c
}
