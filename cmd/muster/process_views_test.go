package main

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/ledger/proof"
)

// entriesOf takes a tile of what is released apart, and withStubs puts it together again.
func entriesOf(t *testing.T, tile []byte) (all []proof.Entry) {
	t.Helper()
	for len(tile) > 0 {
		stored, leaf, rest, err := proof.CutReleased(tile)
		if err != nil {
			t.Error(err)
			return nil
		}
		all = append(all, proof.Entry{Sequence: uint64(len(all)) + 1, Stored: stored, Leaf: leaf})
		tile = rest
	}
	return all
}

func withStubs(t *testing.T, all []proof.Entry) (tile []byte) {
	t.Helper()
	var err error
	for _, e := range all {
		if e.Stored == nil {
			tile = proof.AppendWithheld(tile, e.Leaf)
		} else if tile, err = proof.AppendReleased(tile, e.Stored); err != nil {
			t.Error(err)
		}
	}
	return tile
}

// Who may read all finds out a server that withholds what it must show, or shows what it must not;
// whoever reads a view alone finds what does not fit the tree, or the rest of what is read.
func TestVerifyViewsFindsLies(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	c := begin(t, p)
	private, open := c.offerOf(900), c.offerOf(400)
	private.Release = events.CoordinatorsOnly
	var stored []byte
	for _, st := range []*events.PledgeOffered{private, open} {
		if _, err := p.client().Submit(t.Context(), signed(t, st, c.paris)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range p.records(t) {
		if r.Sequence == 4 {
			stored = []byte(r.Stored)
		}
	}
	var lie atomic.Pointer[func(all []proof.Entry)]
	url := between(t, p.url, func(path string, body []byte) []byte {
		change := lie.Load()
		if change == nil || !strings.HasPrefix(path, "/tile/released/") {
			return body
		}
		all := entriesOf(t, body)
		(*change)(all)
		return withStubs(t, all)
	})
	withhold := func(n int) func([]proof.Entry) {
		return func(all []proof.Entry) { all[n-1] = all[n-1].Withhold() }
	}
	for name, c := range map[string]struct {
		lie         func(all []proof.Entry)
		views, view string // what they say
	}{
		"nothing": {nil, "verified     views       each view is shown what the labels",
			"1 record of 5 could not be read in the view coalition"},
		"an offer is withheld": {withhold(5),
			"record 5: it is withheld from the view coalition without a " +
				"label that says so: it is for the coalition", "2 records of 5 could not be read"},
		"a member is withheld": {withhold(3),
			"record 3: it is withheld from the view public without a " +
				"label that says so: it is for the public", "is not a member of this ledger"},
		"a confidence is shown": {func(all []proof.Entry) { all[3].Stored = stored },
			"record 4: the view public is shown it, though it is for the coordinators FRA",
			"which are all"},
		"another leaf hash": {func(all []proof.Entry) { all[3].Leaf = tlog.Hash{} },
			"record 4: the view public is shown another record, or the leaf hash of another",
			"record 4: it was altered or is damaged"},
	} {
		lie.Store(nil)
		if c.lie != nil {
			lie.Store(&c.lie)
		}
		code, out, said := says(t, "verify", url, "--views")
		want := 8
		if c.lie == nil {
			want = 0
		}
		if code != want || !strings.Contains(out, c.views) {
			t.Errorf("%s: --views ends with %d, and says\n%s%s", name, code, out, said)
		}
		if _, out, said := says(t, "verify", url, "--view",
			"coalition"); !strings.Contains(out, c.view) {
			t.Errorf("%s: --view coalition says\n%s%s", name, out, said)
		}
	}
}
