package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// written writes the parts of a snapshot into a new folder, and returns the journal's path there.
func written(t *testing.T, s *Snapshot) (path string) {
	t.Helper()
	dir := t.TempDir()
	for _, p := range s.Parts() {
		var data bytes.Buffer
		if err := p.Write(&data); err != nil || int64(data.Len()) != p.Size {
			t.Fatalf("%s: %d bytes of %d, %v", p.Name, data.Len(), p.Size, err)
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, Name)
}

// snapped takes a snapshot of a journal, and opens what it makes elsewhere.
func snapped(t *testing.T, j *Journal) (of tlog.Tree, there *Journal) {
	t.Helper()
	s, err := j.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	path := written(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Tree, opened(t, path)
}

// Whatever is folded and whatever is in the tail, a snapshot has all that was committed, signed.
func TestSnapshot(t *testing.T) {
	all := manyRecords(t, 200)
	plain := plainHashes(t, all)
	key := newTestKey(t)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	j.foldAfter = 20
	unsigned := all[:3]
	appendTo(t, j, unsigned)
	_, there := snapped(t, j)
	holds(t, there, unsigned)
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	size, inTail := len(unsigned), int64(0)
	for _, n := range append([]int{0}, someCommits...) {
		appendTo(t, j, all[size:size+n])
		size += n
		tree, there := snapped(t, j)
		holds(t, there, all[:size])
		hasRoot(t, there, plain, size)
		if tree != j.Tree() {
			t.Errorf("with %d records, the snapshot says that it is of %d", size, tree.N)
		}
		if tree := key.opens(t, there.Checkpoint()); tree != j.Tree() {
			t.Errorf("with %d records, the snapshot is signed for %d", size, tree.N)
		}
		if _, is := there.Copied(); is {
			t.Error("what was copied with its tail says that it has none")
		}
		recent := j.recently()
		inTail = max(inTail, int64(len(recent.records)))
	}
	if inTail < 20 {
		t.Errorf("at most %d records were in the tail: this shows little", inTail)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	_, there = snapped(t, reader)
	holds(t, there, all[:size])
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
}

// More records than one frame takes wait to be folded, and so does a new checkpoint of a tree that
// is in the file already.
func TestSnapshotOfManyFrames(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, with very many records")
	}
	const n = 2*foldAfter + 7
	all := manyRecords(t, n)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	j.foldAfter = n + 1
	appendTo(t, j, all)
	key := newTestKey(t)
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	_, there := snapped(t, j)
	holds(t, there, all)
	if tree := key.opens(t, there.Checkpoint()); tree != j.Tree() {
		t.Errorf("signed for %d records", tree.N)
	}
	j.writing.Lock()
	err := j.foldAll()
	j.writing.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	other := newTestKey(t)
	if err := j.SignCheckpoints(other.sign); err != nil {
		t.Fatal(err)
	}
	_, there = snapped(t, j)
	holds(t, there, all)
	if tree := other.opens(t, there.Checkpoint()); tree != j.Tree() {
		t.Errorf("signed with the new key for %d records", tree.N)
	}
}

// Beside a writer, each snapshot has all that was committed before it was taken.
func TestSnapshotBesideCommits(t *testing.T) {
	all := manyRecords(t, 3000)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	j.foldAfter = 50
	key := newTestKey(t)
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all[:3])
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := 3; i < len(all); i += 3 {
			if err := j.Append(all[i : i+3]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	snapshots := 0
	for more := true; more; snapshots++ {
		select {
		case <-done:
			more = false
		default:
		}
		before := j.Last()
		tree, there := snapped(t, j)
		if there.Last() < before || tree != there.Tree() {
			t.Fatalf("%d records were committed, the snapshot says that it has %d, and has %d",
				before, tree.N, there.Last())
		}
		holds(t, there, all[:there.Last()])
		if tree := key.opens(t, there.Checkpoint()); tree != there.Tree() {
			t.Fatalf("of %d records, %d are signed for", there.Last(), tree.N)
		}
		if err := there.Close(); err != nil {
			t.Fatal(err)
		}
	}
	writer.Wait()
	if snapshots < 5 {
		t.Errorf("only %d snapshots were taken beside the writer", snapshots)
	}
}

// copyFile copies a file to another folder, and returns its path there.
func copyFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := errors.Join(err, os.WriteFile(to, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	return to
}
