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

// hookFlag names the file of those whom a server tells what is recorded.
func hookFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "hooks", "",
		"the file of the addresses that are told what is recorded, by signed requests (webhooks): "+
			"JSON, see \"Webhooks\" in the README (default: nobody is told)")
	section(c, "Who is told", "hooks")
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
