package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/mirror"
	"muster/ledger/proof"
	"muster/projections"
	"muster/projections/web"
)

func (a *app) replayCmd() *cobra.Command {
	var to uint64
	var against, view string
	c := &cobra.Command{
		Use:   "replay [DIR|FILE]",
		Short: "Fold the records from the first one on, and print the fingerprint of the picture",
		Long: `Read the records from the first one on, fold them into the picture that all answers
come from, and print its fingerprint: a hash that is the same on every machine that has folded the
same records. The records come from the journal in the folder DIR, which no server may be using,
from the mirror in DIR, from the bundle FILE, or else from the server's log.

With --against, the fingerprint is compared with the one that a server gives for the same record.
When they differ, the first record as of which they do is named, and the exit code is 8.

With --view, the picture is that of those who may not read all, such as coalition; that of a
bundle is of those whom it is for.

What a folder or a bundle holds is folded as it is. Whether it is what was signed, and whether it
keeps the rules, is verified with muster verify. The same is true of a server's log: whose an
organisation's name is must follow from the records that are folded, and those are not verified;
where they do not tell, give its code.`,
		Example: `  muster replay --to 4711
  muster replay copy-of-the-ledger --against https://muster.example`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, as, err := a.replay(cmd.Context(), args, to, view)
			if err == nil && len(args) == 0 {
				err = isNameOf(p, view, as)
			}
			if err != nil {
				return err
			}
			return a.printReplay(cmd.Context(), p, as, against)
		},
	}
	c.Flags().Uint64Var(&to, "to", 0, "the last record to fold (default: the last there is)")
	c.Flags().StringVar(&view, "view", "",
		"the picture of those who may read no more: public, coalition, or a nation or an "+
			"organisation by its code or name")
	c.Flags().StringVar(&against, "against", "", "the address of a server to compare with")
	return c
}

// replay folds the records of a folder's journal, a bundle, or else of the server's log, as those
// read them who have a view. It returns the view, which a bundle may name.
func (a *app) replay(ctx context.Context, from []string, to uint64, view string) (
	*projections.Picture, events.View, error) {
	r, err := a.recordsOf(ctx, from, view)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = r.close() }() // of what was only read
	p, err := a.fold(ctx, r, to)
	return p, r.view, err
}

func (a *app) fold(ctx context.Context, r replayable, to uint64) (*projections.Picture, error) {
	last := r.last
	if to > last {
		return nil, problem.New(problem.NotFound, "%s %s to replay, and no record %d",
			english.ThereIs(int(last)), english.Several(last, "record"), to)
	}
	if to == 0 {
		to = last
	}
	shown := a.bar("replaying", to)
	defer shown.end()
	return projections.Replay(ctx, r.records, to, shown.at)
}

// A replayable is what is replayed: all records that there are, as those read them who have a view.
type replayable struct {
	records iter.Seq2[events.Record, error]
	last    uint64
	view    events.View // "" for all
	close   func() error
}

func closeNothing() error { return nil }

// recordsOf returns the records of a folder or bundle, or of the server where none is named.
func (a *app) recordsOf(ctx context.Context, from []string, view string) (replayable, error) {
	if len(from) == 0 {
		as, err := a.viewAsked(ctx, view)
		if err != nil {
			return replayable{}, err
		}
		return a.recordsOfServer(ctx, as)
	}
	if info, err := os.Stat(from[0]); err == nil && info.Mode().IsRegular() {
		return a.recordsOfBundle(ctx, from[0], view)
	}
	if mirror.Is(from[0]) {
		src, _, err := mirror.OfFolder(from[0])
		if err != nil {
			return replayable{}, err
		}
		return recordsOfSource(ctx, src, view)
	}
	path := filepath.Join(from[0], server.JournalFile)
	if _, err := readInput(path); err != nil {
		return replayable{}, err
	}
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		return replayable{}, err
	}
	r, err := replayable{j.Records(1), j.Last(), "", j.Close}.seenAs(ctx, view)
	if err != nil {
		err = errors.Join(err, j.Close())
	}
	return r, err
}

// recordsOfServer returns the records of the server's log, as those read them who have a view:
// without one, whoever asks.
func (a *app) recordsOfServer(ctx context.Context, view events.View) (replayable, error) {
	if v, err := a.visitor(); err == nil && view == "" {
		if view, err = viewOf(ctx, v); err != nil {
			return replayable{}, err
		}
	}
	var l web.Ledger
	err := a.ask(ctx, "ledger", map[string]string{"view": string(view)}, &l)
	return replayable{a.serverRecords(ctx, view), l.Sequence, view, closeNothing}, err
}

// recordsOfBundle returns the records of the bundle of a ledger.
func (a *app) recordsOfBundle(ctx context.Context, path string,
	view string) (replayable, error) {
	src, err := proof.OfBundle(path)
	if err != nil {
		return replayable{}, err
	}
	return recordsOfSource(ctx, src, view)
}

// recordsOfSource returns the records of a bundle, or of a mirror's folder.
func recordsOfSource(ctx context.Context, src proof.Source, named string) (replayable, error) {
	r := replayable{parsed(ctx, src), uint64(src.Size), src.View, closeNothing}
	if named == "" || src.View == "" {
		return r.seenAs(ctx, named)
	}
	view, err := viewIn(ctx, r.records, named)
	if err == nil && view != src.View {
		err = usage("%s is of %s: leave --view out", src.Name, whose(src.View))
	}
	return r, err
}

// seenAs is seenIn with a view as somebody has named it.
func (r replayable) seenAs(ctx context.Context, named string) (replayable, error) {
	view, err := viewIn(ctx, r.records, named)
	if err != nil {
		return r, err
	}
	return r.seenIn(ctx, view)
}

// seenIn leaves nothing but the places of what those may not read who have a view.
func (r replayable) seenIn(ctx context.Context, view events.View) (replayable, error) {
	if view == "" {
		return r, nil
	}
	labels, err := projections.Replay(ctx, r.records, 0, nil)
	if err != nil {
		return r, err
	}
	all := r.records
	r.view = view
	r.records = func(yield func(events.Record, error) bool) {
		for rec, err := range all {
			if label, known := labels.Label(rec.Sequence); err == nil &&
				!(known && label.OpenTo(view)) {
				rec = events.Record{Sequence: rec.Sequence}
			}
			if !yield(rec, err) {
				return
			}
		}
	}
	return r, nil
}

// serverRecords yields the records of the server's log, page by page, each as it is stored. Of a
// record that is withheld from the view it yields the place: the page goes on behind it.
func (a *app) serverRecords(ctx context.Context, view events.View) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		from := uint64(1)
		for page, err := range a.recordPages(ctx, map[string]string{"from": "1", "limit": "10000",
			"view": string(view)}) {
			if err != nil {
				yield(events.Record{}, err)
				return
			}
			for _, r := range page.Records {
				for ; from < r.Sequence; from++ {
					if !yield(events.Record{Sequence: from}, nil) {
						return
					}
				}
				from++
				if rec, err := events.ParseRecord(r.Sequence, []byte(r.Stored)); !yield(rec,
					err) || err != nil {
					return
				}
			}
			for ; from < page.Next; from++ {
				if !yield(events.Record{Sequence: from}, nil) {
					return
				}
			}
		}
	}
}

// A replayed is the outcome of a replay.
type replayed struct {
	projections.Fingerprints
	// Against is the server that it was compared with, and Parted the first record as of which the
	// two differ, 0 for none.
	Against string `json:"against,omitempty"`
	Parted  uint64 `json:"parted,omitempty"`
}

func (a *app) printReplay(ctx context.Context, p *projections.Picture, view events.View,
	against string) error {
	f, err := p.Fingerprint(ctx, 0)
	if err != nil {
		return err
	}
	f.View = view
	r := replayed{Fingerprints: f, Against: against}
	if against != "" {
		client, err := a.asking(against)
		if err != nil {
			return err
		}
		if r.Parted, err = parting(ctx, p, view, client); err != nil {
			return err
		}
	}
	t := web.FingerprintTable(f)
	in := ""
	if view != "" {
		in = ", as the view " + string(view) + " has them"
	}
	t.Below = []string{fmt.Sprintf("Replayed %s%s: the fingerprint is %s.",
		english.Several(f.AsOf, "record"), in, f.Whole)}
	switch {
	case r.Parted > 0:
		t.Below = append(t.Below, fmt.Sprintf("NOT the same as at %s: the two part at record %d.",
			against, r.Parted))
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
func parting(ctx context.Context, p *projections.Picture, view events.View, server web.Client) (
	uint64, error) {
	var theirs web.Ledger
	if err := server.Ask(ctx, "ledger", map[string]string{"view": string(view)},
		&theirs); err != nil {
		return 0, err
	}
	if theirs.Sequence < p.Sequence() {
		return 0, problem.New(problem.NotFound, "%s has %s, and %d were replayed", server.URL,
			english.Several(theirs.Sequence, "record"), p.Sequence()).
			WithHint("compare what both have: --to %d", theirs.Sequence)
	}
	return p.Parting(ctx, p.Sequence(), func(asOf uint64) (string, error) {
		var f projections.Fingerprints
		err := server.Ask(ctx, "fingerprint",
			map[string]string{"as_of": strconv.FormatUint(asOf, 10),
				"view": string(view)}, &f)
		return f.Whole, err
	})
}
