package boltpages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// filled writes a file with so many items in a bucket that there are branches, in two transactions,
// so that some pages are free, and these are listed.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistArrayType})
	if err != nil {
		t.Fatal(err)
	}
	for part := range 2 {
		err = errors.Join(err, db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("numbers"))
			for i := range 1000 {
				key := binary.BigEndian.AppendUint64(nil, uint64(1000*part+i))
				err = errors.Join(err, b.Put(key, bytes.Repeat(key, 10)))
			}
			return err
		}))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// anything is a check that every item passes.
func anything(string) func(Item) error { return nil }

// refused checks that neither way to open a file takes it, and that the error says why.
func refused(t *testing.T, path, why string) {
	t.Helper()
	for _, readOnly := range []bool{true, false} {
		db, err := Open(path, bbolt.Options{ReadOnly: readOnly}, anything)
		if err == nil {
			err = db.Close()
			t.Errorf("a damaged file was opened, and then %v: %s", err, why)
		} else if !strings.Contains(err.Error(), why) {
			t.Errorf("the error is %v, and should say: %s", err, why)
		}
	}
}

// pagesOf reads where a file's pages begin, and the file.
func pagesOf(t *testing.T, path string) (*Pages, []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	p, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return p, data
}

// Every item is walked to, in the order of the keys, and passes the check once.
func TestWalk(t *testing.T) {
	path := filled(t)
	next := uint64(0)
	inOrder := func(i Item) error {
		if binary.BigEndian.Uint64(i.Key) != next ||
			!bytes.Equal(i.Value, bytes.Repeat(i.Key, 10)) {
			return fmt.Errorf("%x is no item %d", i.Key, next)
		}
		next++
		return nil
	}
	p, _ := pagesOf(t, path)
	buckets, err := p.Buckets()
	if err == nil {
		err = p.Walk(buckets["numbers"], inOrder)
	}
	if err != nil || next != 2000 {
		t.Errorf("%d items: %v", next, err)
	}
	next = 0
	db, err := Open(path, bbolt.Options{ReadOnly: true}, func(bucket string) func(Item) error {
		if bucket != "numbers" {
			t.Errorf("there is no bucket %q", bucket)
		}
		return inOrder
	})
	if err != nil || next != 2000 {
		t.Fatalf("%d items: %v", next, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	failing := errors.New("it fails")
	_, err = Open(path, bbolt.Options{}, func(string) func(Item) error {
		return func(Item) error { return failing }
	})
	if !errors.Is(err, failing) {
		t.Errorf("an item that does not pass: %v", err)
	}
}

// A branch that leads back to itself is no place to go to: bbolt would go around for ever.
func TestCircle(t *testing.T) {
	path := filled(t)
	p, data := pagesOf(t, path)
	circles := 0
	for at := 2 * p.size; at+p.size <= int64(len(data)); at += p.size {
		page, number := data[at:at+p.size], uint64(at/p.size)
		isBranch := native.Uint16(page[8:]) == branchPage && native.Uint16(page[10:]) > 0
		if isBranch && native.Uint64(page) == number {
			native.PutUint64(page[pageHead+8:], number)
			circles++
		}
	}
	if circles == 0 {
		t.Fatal("the file has no branches: it is too small to show anything")
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, path, "is no place to go to")
}

// A list of free pages with a page that is in use is damage: bbolt would write over it.
func TestListedAsFree(t *testing.T) {
	path := filled(t)
	p, good := pagesOf(t, path)
	at := int64(p.free)*p.size + pageHead
	if p.free == noFreePages || native.Uint16(good[at-pageHead+10:]) == 0 {
		t.Fatal("no free pages are listed")
	}
	for _, number := range []uint64{p.root, p.free, 1, 1 << 40} {
		bad := bytes.Clone(good)
		native.PutUint64(bad[at:], number)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, path, fmt.Sprintf("it lists the page %d as free", number))
	}
}
