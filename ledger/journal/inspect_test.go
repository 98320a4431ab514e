package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"muster/events/problem"
)

func TestInspect(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	path, all := filled(t, 700)
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err0 := f.Each(func(sequence uint64, stored []byte) bool {
		if sequence != all[n].Sequence || !bytes.Equal(stored, all[n].Stored) {
			t.Fatalf("record %d: sequence %d", n+1, sequence)
		}
		n++
		return true
	})
	ids, err1 := f.IDs()
	tree, _, err2 := f.Meta()
	tiles, err3 := f.Tiles()
	if err := errors.Join(err0, err1, err2, err3, f.Close()); err != nil {
		t.Fatal(err)
	}
	j, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if n != 700 || len(ids) != 700 || ids[all[9].Statement.Head().ID] != 10 || tree == nil ||
		*tree != j.Tree() {
		t.Errorf("%d records, %d ids, the tree %v", n, len(ids), tree)
	}
	leaf, err := tlog.TileHashReader(*tree, tiles).ReadHashes([]int64{tlog.StoredHashIndex(0, 600)})
	if err != nil || leaf[0] != tlog.RecordHash(all[600].Stored) {
		t.Errorf("the tiles do not hold the leaf of record 601: %v", err)
	}
}

func TestInspectWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	if _, err := Inspect(filepath.Join(dir, "journal.db")); !problem.Is(err, problem.NotFound) {
		t.Errorf("no file: %v", err)
	}
	path, _ := filled(t, 3)
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(path); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "another process has the journal") {
		t.Errorf("a file that is in use: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.Each(func(uint64, []byte) bool { return true })
	if !problem.Is(err, problem.Unverified) ||
		!strings.Contains(err.Error(), "it does not begin as a journal does") {
		t.Errorf("garbage: %v", err)
	}
}
