package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/projections/projector"
	"muster/projections/web"
)

func (a *app) rebuildCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "Build all projections anew from the journal, and say whether they are the same",
		Long: `Build the pictures that questions are answered from anew, from the first record, and
compare them with those that were kept. With --data and no server running there, the folder's
files are read, and what differs is replaced; otherwise the server does it. The exit code is 10
when there was a difference.`,
		Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.rebuild(cmd.Context())
			if err != nil {
				return err
			}
			return a.printRebuilding(r)
		},
	}
}

func (a *app) rebuild(ctx context.Context) (r web.Rebuilding, err error) {
	if a.data == "" || a.url != "" || a.nats.Given() {
		return r, a.ask(ctx, "rebuild", nil, &r)
	}
	path := filepath.Join(a.data, server.JournalFile)
	if _, err := readInput(path); err != nil {
		return r, err
	}
	j, err := journal.OpenReadOnly(path)
	if problem.Is(err, problem.Unavailable) { // a server runs on the folder: it does the work
		return r, a.ask(ctx, "rebuild", nil, &r)
	}
	if err != nil {
		return r, err
	}
	defer j.Close()
	r.Rebuilding, err = projector.Rebuild(ctx, filepath.Join(a.data, server.ProjectionsFile), j)
	return r, err
}

func (a *app) printRebuilding(r web.Rebuilding) error {
	if err := (listing{r, web.RebuildTable(r)}).write(a.format, a.stdout); err != nil {
		return err
	}
	if !r.Identical() {
		return exitWith(problem.Differs.Exit)
	}
	return nil
}
