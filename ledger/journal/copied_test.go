package journal

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// copiedIn is what who only looks at a file is told of its being a copy.
func copiedIn(t *testing.T, path string) (c Copied, ok bool) {
	t.Helper()
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if c, ok, err = f.Copied(); err != nil {
		t.Fatal(err)
	}
	return c, ok
}

// A copy of the file alone, taken while it was written, says that it has no tail: to who looks at
// it, reads it, or writes it, until somebody has said what that means.
func TestCopyWithoutItsTail(t *testing.T) {
	all := someRecords(t, 1, 30)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	j.foldAfter = 10
	for _, rec := range all {
		appendTo(t, j, all[rec.Sequence-1:rec.Sequence])
	}
	alone := copyFile(t, path)
	c, ok := copiedIn(t, alone)
	if !ok || !c.NoTail || c.Records == 0 || c.Records >= 30 {
		t.Fatalf("a copy without its tail is told as %+v, %t", c, ok)
	}
	reader, err := OpenReadOnly(alone)
	if err != nil {
		t.Fatal(err)
	}
	if is, ok := reader.Copied(); !ok || is != c {
		t.Errorf("who reads it is told %+v, %t", is, ok)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it does not forget when it was closed in good order
		writer := opened(t, alone)
		if is, ok := writer.Copied(); !ok || is != c {
			t.Errorf("who writes it is told %+v, %t", is, ok)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		if is, ok := copiedIn(t, alone); !ok || is != c {
			t.Errorf("who looks at it again is told %+v, %t", is, ok)
		}
	}
	settled(t, alone, c)
}

// settled settles a copy as lost, and looks what is to be seen of that.
func settled(t *testing.T, path string, c Copied) {
	t.Helper()
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	j := opened(t, path)
	if err := errors.Join(j.Settle(now), j.Close()); err != nil {
		t.Fatal(err)
	}
	if is, ok := copiedIn(t, path); ok {
		t.Errorf("settled, it is told as %+v", is)
	}
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	restored, err := f.Restored()
	c.Accepted = now
	if diff := cmp.Diff([]Copied{c}, restored); err != nil || diff != "" {
		t.Errorf("what it came from (-want +got):\n%s%v", diff, err)
	}
}

// What a crash leaves, what was closed in good order, and what was copied with its tail, are no
// copies.
func TestNoCopies(t *testing.T) {
	all := someRecords(t, 1, 30)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	appendTo(t, j, all)
	left := crash(t, j, path).put(t)
	if c, ok := copiedIn(t, left); ok {
		t.Errorf("what a crash has left is told as %+v", c)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if c, ok := copiedIn(t, copyFile(t, path)); ok {
		t.Errorf("a file that was closed is told as %+v", c)
	}
}

// A marked copy stays one until it is settled; where another copy has given what was missing,
// nothing of that is left to be seen.
func TestMarkedCopy(t *testing.T) {
	path, all := filled(t, 7)
	j := opened(t, path)
	want := Copied{Records: 7, At: time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)}
	other := Copied{Records: 3, NoTail: true}
	if err := errors.Join(j.MarkCopy(want), j.MarkCopy(other), j.Close()); err != nil {
		t.Fatal(err)
	}
	if c, ok := copiedIn(t, path); !ok || c != want {
		t.Errorf("it is told as %+v, %t", c, ok)
	}
	_, there := snapped(t, opened(t, path))
	if c, ok := there.Copied(); !ok || c != want {
		t.Errorf("a copy of the copy is told as %+v, %t", c, ok)
	}
	holds(t, there, all)
	if err := errors.Join(there.Settle(time.Time{}), there.Settle(time.Now())); err != nil {
		t.Fatal(err)
	}
	if c, ok := there.Copied(); ok {
		t.Errorf("settled, it is told as %+v", c)
	}
}
