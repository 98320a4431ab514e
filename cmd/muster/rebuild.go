package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/events/problem"
	"muster/ledger/journal"
	"muster/projections"
)

func (a *app) rebuildCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "Build all projections anew from the journal, and say whether they are the same",
		Long: `Build the pictures that questions are answered from anew, from the first record, and compare them with those that were
kept. With --data and no server running there, the folder's files are read, and what differs is replaced; otherwise the
server does it. The exit code is 10 when there was a difference.`,
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

func (a *app) rebuild(ctx context.Context) (r projections.Rebuilding, err error) {
	if a.data == "" || a.url != "" || a.nats != "" {
		return r, a.ask(ctx, "rebuild", nil, &r)
	}
	path := filepath.Join(a.data, journalFile)
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
	return projections.Rebuild(ctx, filepath.Join(a.data, projectionsFile), j)
}

func (a *app) printRebuilding(r projections.Rebuilding) error {
	l := listing{answer: r, head: []string{"projection", "entries", "identical", "fingerprint"}}
	for _, p := range r.Each {
		l.add(p, p.Name, fmt.Sprint(p.Entries), yesNo(p.Identical), p.Rebuilt)
	}
	switch {
	case r.Discarded != "":
		l.below = []string{"What was kept could not be compared: " + r.Discarded}
	case r.Identical():
		l.below = []string{fmt.Sprintf("Rebuilt from %d records: identical.", r.AsOf)}
	default:
		l.below = []string{fmt.Sprintf("Rebuilt from %d records: NOT identical.", r.AsOf)}
	}
	if err := l.write(a.format, a.stdout); err != nil {
		return err
	}
	if !r.Identical() {
		return exitWith(problem.Differs.Exit)
	}
	return nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}
