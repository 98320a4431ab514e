package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) replayCmd() *cobra.Command {
	var to uint64
	var against string
	c := &cobra.Command{
		Use:   "replay [DIR]",
		Short: "Fold the records from the first one on, and print the fingerprint of the picture",
		Long: `Read the records from the first one on, fold them into the picture that all answers come from, and print its
fingerprint: a hash that is the same on every machine that has folded the same records. The records come from the journal in
the folder DIR, which no server may be using, or without it from the server's log.

With --against, the fingerprint is compared with the one that a server gives for the same record. When they differ, the first
record as of which they do is named, and the exit code is 8.`,
		Example: `  muster replay --to 4711
  muster replay copy-of-the-ledger --against https://muster.example`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.replay(cmd.Context(), args, to)
			if err != nil {
				return err
			}
			return a.printReplay(cmd.Context(), p, against)
		},
	}
	c.Flags().Uint64Var(&to, "to", 0, "the last record to fold (default: the last there is)")
	c.Flags().StringVar(&against, "against", "", "the address of a server to compare with")
	return c
}

// replay folds the records of a folder's journal, or else of the server's log.
func (a *app) replay(ctx context.Context, dir []string, to uint64) (*projections.Picture, error) {
	records, last, done, err := a.recordsOf(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if to > last {
		return nil, problem.New(problem.NotFound, "%s %s to replay, and no record %d",
			english.ThereIs(int(last)), english.Several(last, "record"), to)
	}
	if to == 0 {
		to = last
	}
	shown := a.bar("replaying", to)
	defer shown.end()
	return projections.Replay(ctx, records, to, shown.at)
}

// recordsOf returns all records, how many they are, and what to call when they were read.
func (a *app) recordsOf(ctx context.Context, dir []string) (iter.Seq2[events.Record, error], uint64, func(), error) {
	if len(dir) == 0 {
		var l web.Ledger
		err := a.ask(ctx, "ledger", nil, &l)
		return a.serverRecords(ctx), l.Sequence, func() {}, err
	}
	path := filepath.Join(dir[0], server.JournalFile)
	if _, err := readInput(path); err != nil {
		return nil, 0, nil, err
	}
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		return nil, 0, nil, err
	}
	return j.Records(1), j.Last(), func() { _ = j.Close() }, nil
}

// serverRecords yields the records of the server's log, page by page, each as it is stored.
func (a *app) serverRecords(ctx context.Context) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for from := uint64(1); ; {
			var page web.Records
			if err := a.ask(ctx, "records", map[string]string{"from": strconv.FormatUint(from, 10), "limit": "10000"}, &page); err != nil {
				yield(events.Record{}, err)
				return
			}
			for _, r := range page.Records {
				if rec, err := events.ParseRecord(r.Sequence, []byte(r.Stored)); !yield(rec, err) || err != nil {
					return
				}
			}
			from = page.Next
			if page.Next > page.AsOf {
				return
			}
		}
	}
}

// A replayed is the outcome of a replay.
type replayed struct {
	projections.Fingerprints
	// Against is the server that it was compared with, and Parted the first record as of which the two differ, 0 for none.
	Against string `json:"against,omitempty"`
	Parted  uint64 `json:"parted,omitempty"`
}

func (a *app) printReplay(ctx context.Context, p *projections.Picture, against string) error {
	f, err := p.Fingerprint(ctx, 0)
	if err != nil {
		return err
	}
	r := replayed{Fingerprints: f, Against: against}
	if against != "" {
		client, err := a.asking(against)
		if err != nil {
			return err
		}
		if r.Parted, err = parting(ctx, p, client); err != nil {
			return err
		}
	}
	t := web.FingerprintTable(f)
	t.Below = []string{fmt.Sprintf("Replayed %s: the fingerprint is %s.", english.Several(f.AsOf, "record"), f.Whole)}
	switch {
	case r.Parted > 0:
		t.Below = append(t.Below, fmt.Sprintf("NOT the same as at %s: the two part at record %d.", against, r.Parted))
	case against != "":
		t.Below = append(t.Below, fmt.Sprintf("The same as at %s.", against))
	}
	if err := (listing{r, t}).write(a.format, a.stdout); err != nil {
		return err
	}
	if r.Parted > 0 {
		return exitWith(problem.Unverified.Exit)
	}
	return nil
}

// parting returns the first record as of which the picture is not what a server says.
func parting(ctx context.Context, p *projections.Picture, server web.Client) (uint64, error) {
	var theirs web.Ledger
	if err := server.Ask(ctx, "ledger", nil, &theirs); err != nil {
		return 0, err
	}
	if theirs.Sequence < p.Sequence() {
		return 0, problem.New(problem.NotFound, "%s has %s, and %d were replayed", server.URL,
			english.Several(theirs.Sequence, "record"), p.Sequence()).
			WithHint("compare what both have: --to %d", theirs.Sequence)
	}
	return p.Parting(ctx, p.Sequence(), func(asOf uint64) (string, error) {
		var f projections.Fingerprints
		err := server.Ask(ctx, "fingerprint", map[string]string{"as_of": strconv.FormatUint(asOf, 10)}, &f)
		return f.Whole, err
	})
}
