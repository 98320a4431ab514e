package journal

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
)

// manyRecords makes n records that follow each other.
func manyRecords(t testing.TB, n int) []events.Record {
	t.Helper()
	secret, _, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]events.Record, n)
	for i := range all {
		s, err := events.Sign(
			&events.MemberRevoked{Header: events.Header{Type: "member.revoked", ID: events.NewID(),
				Ledger: "muster.example/test"},
				Key: signer.Key(), Reason: fmt.Sprint("reason ", i)}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if all[i], err = events.NewRecord(uint64(i)+1, time.Unix(int64(i), 0), "test",
			s); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// plainHashes is the whole tree in memory, hash by hash: what the tiles must agree with.
func plainHashes(t *testing.T, all []events.Record) tlog.HashReaderFunc {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, rec := range all {
		hashes, err := tlog.StoredHashes(int64(i), rec.Stored, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	return read
}

// However the records come in batches, and however often the file is opened anew, the root is that
// of the plain tree, and the tiles prove each record and each earlier tree.
func TestTreeOfTiles(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, with very many records")
	}
	const most = 700 // three tiles, the last of them partial
	all := manyRecords(t, most)
	plain := plainHashes(t, all)
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), fmt.Sprint(time.Now().UnixNano(), ".db"))
		j, err := Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = j.Close() }() // the test's folder goes with it
		for size := 0; size < most; {
			n := min(rapid.IntRange(1, 300).Draw(rt, "batch"), most-size)
			if err := j.Append(all[size : size+n]); err != nil {
				rt.Fatal(err)
			}
			size += n
			if rapid.IntRange(0, 3).Draw(rt, "open anew") == 0 {
				if err := j.Close(); err != nil {
					rt.Fatal(err)
				}
				if j, err = Open(path); err != nil {
					rt.Fatal(err)
				}
			}
			checkTree(rt, j, all, plain, size)
		}
	})
}

func checkTree(t *rapid.T, j *Journal, all []events.Record, plain tlog.HashReader, size int) {
	tree := j.Tree()
	want, err := tlog.TreeHash(int64(size), plain)
	if err != nil || tree.N != int64(size) || tree.Hash != want {
		t.Fatalf("the tree is %d %s, want %d %s, %v", tree.N, tree.Hash, size, want, err)
	}
	tiles := tlog.TileHashReader(tree, j.Tiles())
	leaf := rapid.Int64Range(0, tree.N-1).Draw(t, "leaf")
	proof, err := tlog.ProveRecord(tree.N, leaf, tiles)
	if err == nil {
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, leaf, tlog.RecordHash(all[leaf].Stored))
	}
	if err != nil {
		t.Fatalf("leaf %d of %d: %v", leaf, tree.N, err)
	}
	older := rapid.Int64Range(1, tree.N).Draw(t, "older")
	olderRoot, err := tlog.TreeHash(older, plain)
	if err != nil {
		t.Fatal(err)
	}
	consistent, err := tlog.ProveTree(tree.N, older, tiles)
	if err == nil {
		err = tlog.CheckTree(consistent, tree.N, tree.Hash, older, olderRoot)
	}
	if err != nil {
		t.Fatalf("tree of %d in tree of %d: %v", older, tree.N, err)
	}
}

// An altered tile is noticed: at the right edge when the file is opened, elsewhere when it is read,
// by tlog's reader.
func TestAlteredTiles(t *testing.T) {
	all := manyRecords(t, 300)
	for name, place := range map[string]int64{"whole tile": 0, "right edge": 1} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			alteredTile(t, path, all, tlog.Tile{H: TileHeight, N: place})
			j, err := Open(path)
			if place == 1 {
				if err == nil || !strings.Contains(err.Error(), "do not make the root") {
					t.Fatalf("opened with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = j.Close() }() // the test's folder goes with it
			if _, err := tlog.ProveRecord(300, 5,
				tlog.TileHashReader(j.Tree(), j.Tiles())); err == nil {
				t.Fatal("a proof was made from an altered tile")
			}
		})
	}
}

// alteredTile makes a journal and turns one bit in a tile of it.
func alteredTile(t *testing.T, path string, all []events.Record, tile tlog.Tile) {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all)
	folds(t, j)
	err = errors.Join(j.db.Update(func(tx *bbolt.Tx) error {
		tiles := tx.Bucket(bucketTiles)
		data := bytes.Clone(tiles.Get(tileKey(tile)))
		data[20*tlog.HashSize] ^= 1
		return tiles.Put(tileKey(tile), data)
	}), j.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// A record that was altered in the file is never returned, neither by itself nor in its row.
func TestAlteredRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // the test's folder goes with it
	all := manyRecords(t, 300)
	appendTo(t, j, all)
	folds(t, j)
	err = j.db.Update(func(tx *bbolt.Tx) error {
		forged := bytes.Replace(all[199].Stored, []byte("reason 199"), []byte("reason 999"), 1)
		return tx.Bucket(bucketRecords).Put(sequenceKey(200), forged)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Record(200); !problem.Is(err, problem.Unverified) ||
		!strings.Contains(err.Error(), "record 200 of the journal was altered") {
		t.Errorf("by itself: %v", err)
	}
	n := 0
	for _, each := range j.Records(1) {
		if err = each; err == nil {
			n++
		}
	}
	if !problem.Is(err, problem.Unverified) || n != 0 { // they are read and checked many at a time
		t.Errorf("in its row, after %d others: %v", n, err)
	}
	if _, err := j.Record(199); err != nil {
		t.Errorf("the record before: %v", err)
	}
}
