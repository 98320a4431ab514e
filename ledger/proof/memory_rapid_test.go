package proof

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events"
)

// A forked ledger has two histories: their first records are the same, and the keys of its servers
// sign both.
type forked struct {
	signers []*CheckpointSigner
	shared  int64
	trees   [2]tree
}

const forkedSize = 40

func newForked(t *testing.T, rt *rapid.T) *forked {
	f := &forked{shared: rapid.Int64Range(0, forkedSize-1).Draw(rt, "shared")}
	for range 2 {
		secret, err := NewCheckpointKey(testOrigin)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewCheckpointSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		f.signers = append(f.signers, s)
	}
	for h := range f.trees {
		for i := range int64(forkedSize) {
			text := fmt.Sprint(i)
			if i >= f.shared {
				text += fmt.Sprintf(" of history %d", h)
			}
			f.trees[h].add(tlog.RecordHash([]byte(text)))
		}
	}
	return f
}

// checkpoint is what a server has signed for the first n records of a history.
func (f *forked) checkpoint(t *testing.T, history, server int, n int64) Checkpoint {
	root, _ := f.trees[history].root(n)
	signed, err := f.signers[server].Sign(tlog.Tree{N: n, Hash: root})
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckpoint(signed, f.signers[server].Key())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fetch reads the tiles of a history.
func (f *forked) fetch(history int) Fetcher {
	return func(_ context.Context, path string) ([]byte, error) {
		tile, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(path, "tile/"))
		if err != nil {
			return nil, err
		}
		return tlog.ReadTileData(tile, &f.trees[history])
	}
}

// meets is a contact with a server that shows a checkpoint. What is older than what was seen is not
// let by, and waits where it could not be compared.
func meets(ctx context.Context, m Memory, c Checkpoint, key string, fetch Fetcher) error {
	known, err := m.Of(events.Origin(c.Origin))
	if err == nil {
		err = known.CheckExtended(ctx, c, fetch)
	}
	var older *OlderState
	if errors.As(err, &older) && older.NotCompared != nil {
		if _, held := m.Hold(c, key); held != nil {
			return held
		}
	}
	if err == nil {
		err = m.Saw(c, known)
	}
	return err
}

// No sequence of receipts, bundles, files and servers lets two histories stand: of what was let by,
// the next contact with a server whose tree is large enough tells that two do not fit.
func TestNoSequenceLetsTwoHistoriesStand(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f, m := newForked(t, rt), Memory{Dir: t.TempDir()}
		trusted := rapid.IntRange(0, 3).Draw(rt, "when the keys are trusted")
		var let [2]bool // of the records where they differ, something was let by
		sizes := [2]map[int64]bool{{}, {}}
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if step == trusted {
				for _, s := range f.signers {
					if err := m.Trust(s.Key()); err != nil {
						rt.Fatal(err)
					}
				}
			}
			history := rapid.IntRange(0, 1).Draw(rt, "history")
			server := rapid.IntRange(0, 1).Draw(rt, "server")
			if step < trusted { // of a key that is not trusted, only its own words count
				server = 0
			}
			c := f.checkpoint(t, history, server, rapid.Int64Range(1, forkedSize).Draw(rt, "size"))
			var err error
			if step >= trusted && rapid.Bool().Draw(rt, "of a server") {
				err = meets(t.Context(), m, c, f.signers[server].Key(), f.fetch(history))
			} else {
				_, err = m.Hold(c, f.signers[server].Key())
			}
			var other *OtherHistory
			var older *OlderState
			if err != nil && !errors.As(err, &other) && !errors.As(err, &older) {
				rt.Fatal(err)
			}
			if older != nil && older.NotCompared != nil {
				err = nil // it is remembered
			}
			if c.N <= f.shared {
				continue
			}
			if err == nil && sizes[1-history][c.N] {
				rt.Fatalf("two trees of %d records were let by", c.N)
			}
			if err == nil {
				let[history], sizes[history][c.N] = true, true
			}
		}
		if !let[0] || !let[1] {
			return
		}
		for _, s := range f.signers {
			if err := m.Trust(s.Key()); err != nil {
				rt.Fatal(err)
			}
		}
		for history := range f.trees {
			var other *OtherHistory
			c := f.checkpoint(t, history, 0, forkedSize)
			if err := meets(t.Context(), m, c, f.signers[0].Key(),
				f.fetch(history)); !errors.As(err, &other) {
				rt.Fatalf("both histories were let by, and the server of history %d after that: %v",
					history, err)
			}
		}
	})
}

// As long as there is one history, nothing is held to be two, in whatever order its checkpoints
// come by.
func TestOneHistoryIsNeverTwo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f, m := newForked(t, rt), Memory{Dir: t.TempDir()}
		for _, s := range f.signers {
			if err := m.Trust(s.Key()); err != nil {
				rt.Fatal(err)
			}
		}
		now := [2]int64{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			server := rapid.IntRange(0, 1).Draw(rt, "server")
			known, err := m.Of(testOrigin)
			if err != nil {
				rt.Fatal(err)
			}
			last, _ := known.Last()
			key := f.signers[server].Key()
			if own, _ := known.LastBy(f.checkpoint(t, 0, server, 1).By); own.N > 1 &&
				rapid.Bool().Draw(rt, "of a server that went back") {
				c := f.checkpoint(t, 0, server, rapid.Int64Range(1, own.N-1).Draw(rt, "size"))
				var older *OlderState
				if err := meets(t.Context(), m, c, key, f.fetch(0)); !errors.As(err, &older) ||
					older.NotCompared != nil {
					rt.Fatal(err)
				}
				continue
			}
			if rapid.Bool().Draw(rt, "of a server") {
				now[server] = max(last.N, now[server],
					rapid.Int64Range(1, forkedSize).Draw(rt, "size"))
				err = meets(t.Context(), m, f.checkpoint(t, 0, server, now[server]), key,
					f.fetch(0))
			} else {
				c := f.checkpoint(t, 0, server, rapid.Int64Range(1, forkedSize).Draw(rt, "size"))
				now[server] = max(now[server], c.N)
				_, err = m.Hold(c, key)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		c := f.checkpoint(t, 0, 0, forkedSize)
		if err := meets(t.Context(), m, c, f.signers[0].Key(), f.fetch(0)); err != nil {
			rt.Fatal(err)
		}
		if known, err := m.Of(testOrigin); err != nil || len(known.Waiting) > 0 {
			rt.Fatalf("%d checkpoints still wait: %v", len(known.Waiting), err)
		}
	})
}

// What cannot be kept is not let by: more checkpoints than may wait are refused.
func TestNoMoreWaitThanAreKept(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes a thousand files")
	}
	secret, err := NewCheckpointKey(testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewCheckpointSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := Memory{Dir: t.TempDir()}
	for n := range int64(MaxWaiting + 1) {
		signed, err := s.Sign(tlog.Tree{N: n + 1, Hash: tlog.RecordHash([]byte{byte(n)})})
		if err != nil {
			t.Fatal(err)
		}
		c, err := OpenCheckpoint(signed, s.Key())
		if err != nil {
			t.Fatal(err)
		}
		was, err := m.Hold(c, s.Key())
		if full := n == MaxWaiting; full != (err != nil) || !full && was != NotCompared {
			t.Fatalf("checkpoint %d: %q, %v", n+1, was, err)
		}
	}
}
