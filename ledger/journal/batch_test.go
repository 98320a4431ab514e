package journal

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However often a batch is sealed on its way, dropped, or begun again, what is committed is the
// plain tree, and signed.
func TestBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	const most = 600
	all, key := manyRecords(t, most), newTestKey(t)
	plain := plainHashes(t, all)
	rapid.Check(t, func(rt *rapid.T) {
		j, err := Open(filepath.Join(t.TempDir(), fmt.Sprint(time.Now().UnixNano(), ".db")))
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = j.Close() }() // the test's folder goes with it
		j.foldAfter = rapid.IntRange(1, 300).Draw(rt, "fold after")
		if err := j.SignCheckpoints(key.sign); err != nil {
			rt.Fatal(err)
		}
		for size := 0; size < most; {
			b, err := j.Begin()
			if err != nil {
				rt.Fatal(err)
			}
			n := min(rapid.IntRange(0, 200).Draw(rt, "records"), most-size)
			for _, rec := range all[size : size+n] {
				if err := b.Add(rec); err != nil {
					rt.Fatal(err)
				}
				if rapid.IntRange(0, 20).Draw(rt, "seal") == 0 {
					if err := b.Seal(); err != nil {
						rt.Fatal(err)
					}
				}
			}
			if rapid.IntRange(0, 3).Draw(rt, "drop") == 0 {
				b.Drop()
			} else {
				if err := b.Commit(); err != nil {
					rt.Fatal(err)
				}
				b.Drop() // changes nothing any more
				size += n
			}
			if size > 0 {
				checkTree(rt, j, all, plain, size)
				if tree := key.opens(t, j.Checkpoint()); tree != j.Tree() {
					rt.Fatalf("the checkpoint is of %d records, and there are %d", tree.N, size)
				}
			}
		}
	})
}

// Whoever reads beside a batch sees nothing of it before it is committed.
func TestABatchIsSeenWhenItIsCommitted(t *testing.T) {
	path, all := filled(t, 3)
	j := opened(t, path)
	b, err := j.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Drop()
	more := someRecords(t, 4, 4)
	if err := b.Add(more[0]); err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(); err != nil {
		t.Fatal(err)
	}
	holds(t, j, all)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, j, append(all, more...))
}
