package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"muster/cmd/internal/files"
	"muster/cmd/internal/hooks"
	"muster/cmd/internal/server"
	"muster/events/problem"
)

// tellFlags name those whom a server tells what is recorded: a file of hooks, and views.
func tellFlags(c *cobra.Command, file *string, changed *[]string) {
	c.Flags().StringVar(file, "hooks", "",
		"the file of the addresses that are told what is recorded, by signed requests (webhooks): "+
			"JSON, see \"Webhooks\" in the README (default: nobody is told)")
	c.Flags().StringArrayVar(changed, "changed", nil,
		"a view whose records are told over NATS, one sentence each, on muster.changed.VIEW.…; "+
			"with =NKEY,… behind it, to these guests of the embedded NATS server alone (may be "+
			"repeated; default: none)")
	section(c, "Who is told", "hooks", "changed")
}

// changedOf reads which views are told, and to whom.
func changedOf(cfg *server.Config, changed []string) error {
	for _, text := range changed {
		p, err := server.ParsePublication(text)
		if err != nil {
			return usage("--changed: %w", err).
				WithHint("write a view, such as public, or a view and who may listen: FRA=UA…")
		}
		cfg.Changed = append(cfg.Changed, p)
	}
	return nil
}

// hooksOf reads that file, which has secrets.
func hooksOf(cfg *server.Config, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return problem.New(problem.Usage, "--hooks: %w", err).
			WithHint("name a file that this server may read")
	}
	if cfg.Hooks, err = hooks.Parse(data); err != nil {
		p := *problem.From(err)
		p.Detail = fmt.Sprintf("--hooks %s: %s", file, p.Detail)
		return &p
	}
	if warning := files.Exposed(file); warning != "" {
		cfg.Log.Warn(warning)
	}
	return nil
}
