package projector

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"muster/events/problem"
	"muster/projections/records"
)

// saved makes a store of the ledger's records and returns its path.
func saved(t *testing.T, l *testLedger) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "projections.db")
	if err := must[*Projector](t)(Open(context.Background(), path, l)).Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRebuildIsIdentical(t *testing.T) {
	l := allKinds(t)
	path := saved(t, l)
	asOf := l.Last()
	l.offer("PRT", 9) // not saved yet, and no difference
	r := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	if !r.Identical() || r.Replaced || r.Discarded != "" || r.AsOf != asOf {
		t.Errorf("%+v", r)
	}
	var entries []string
	for _, one := range r.Each {
		entries = append(entries, fmt.Sprint(one.Name, " ", one.Entries))
	}
	equal(t, "projections", strings.Join(entries, ", "),
		"roster 3, operations 2, scopes 1, requirements 3, pledges 10, coverage 15")
	if _, err := os.Stat(path + ".rebuilt"); err == nil {
		t.Error("the rebuilt file was left behind")
	}
}

// A saved file that is whole in itself and yet wrong is found and replaced.
func TestRebuildFindsWhatDiffers(t *testing.T) {
	l := allKinds(t)
	path := saved(t, l)
	edit(t, path, func(tx *bbolt.Tx) error {
		return forge(tx, sequenceKey(1), func(data []byte) []byte {
			rows := must[[]records.Row](t)(records.Decode(nil, data))
			for i := range rows {
				if rows[i].Number == 4010 {
					rows[i].Number = 4011
				}
			}
			return records.Encode(rows).Data
		})
	})
	r := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	var differ []string
	for _, one := range r.Each {
		if !one.Identical {
			differ = append(differ, one.Name)
		}
	}
	equal(t, "differ", strings.Join(differ, " "), "pledges")
	equal(t, "replaced", r.Replaced, true)
	again := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	equal(t, "identical now", again.Identical() && !again.Replaced, true)
	equal(t, "fingerprint", whole(t, openAt(t, path, l).picture), whole(t, l.picture()))
}

// forge changes a segment and makes the sum fit.
func forge(tx *bbolt.Tx, key []byte, change func([]byte) []byte) error {
	b := tx.Bucket(bucketRows)
	if err := b.Put(key, change(bytes.Clone(b.Get(key)))); err != nil {
		return err
	}
	var sum [32]byte
	err := b.ForEach(func(_, v []byte) error { sum = chain(sum, v); return nil })
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keySum, sum[:])
}

func TestRebuildOfNothingUsable(t *testing.T) {
	l := allKinds(t)
	dir := t.TempDir()
	junk, empty := filepath.Join(dir, "junk.db"), filepath.Join(dir, "empty.db")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := must[*store](t)(openStore(empty)).close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none.db"), junk, empty} {
		r := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
		if r.Identical() || !r.Replaced || r.Discarded == "" || r.Each[0].Saved != "" {
			t.Errorf("%s: %+v", path, r)
		}
		again := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
		equal(t, "identical now", again.Identical(), true)
	}
}

func TestRebuildWantsTheFileForItself(t *testing.T) {
	l := allKinds(t)
	path := filepath.Join(t.TempDir(), "projections.db")
	openAt(t, path, l)
	if _, err := Rebuild(context.Background(), path, l); !problem.Is(err, problem.Unavailable) {
		t.Errorf("a file that is in use: %v", err)
	}
}
