package projector

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"muster/events/problem"
	"muster/projections/records"
)

// openAt opens a projector and closes it with the test.
func openAt(t *testing.T, path string, source records.Source) *Projector {
	t.Helper()
	p := must[*Projector](t)(Open(context.Background(), path, source))
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// edit changes a closed store.
func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db := must[*bbolt.DB](t)(bbolt.Open(path, 0o600, nil))
	defer db.Close()
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
}

// Whatever is wrong with a saved file, it is thrown away, and the picture is built from the first
// record.
func TestUnsoundFileIsThrownAway(t *testing.T) {
	meta := func(key, value []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(key, value) })
		}
	}
	// The only segment gives way to another, or is moved, and the sum to one that fits.
	rows := func(change func(segment []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return forge(tx, sequenceKey(1), change) })
		}
	}
	of := func(rows ...records.Row) func([]byte) []byte {
		return func([]byte) []byte { return records.Encode(rows).Data }
	}
	overwrite := func(at int64, junk []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f := must[*os.File](t)(os.OpenFile(path, os.O_RDWR, 0))
			defer f.Close()
			if _, err := f.WriteAt(junk, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		why   string
	}{
		{"an older form", meta(keyForm, []byte("0")), `stored form "0"`},
		{"a newer form", meta(keyForm, []byte("99")), `stored form "99"`},
		{"a cursor beyond the rows", meta(keyCursor, sequenceKey(1000)), "the cursor says 1000"},
		{"a broken cursor", meta(keyCursor, []byte{1}), "not whole"},
		{"another record at the cursor", meta(keyLeaf, make([]byte, 32)), "another history"},
		{"a changed sum", meta(keySum, make([]byte, 32)), "changed"},
		{"a changed row", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				b := tx.Bucket(bucketRows)
				return b.Put(sequenceKey(1),
					bytes.Replace(b.Get(sequenceKey(1)), []byte("illustrative"),
						[]byte("illustratiVe"), 1))
			})
		}, "changed"},
		{"a segment cut off", rows(func(s []byte) []byte { return s[:len(s)-1] }),
			"the segment of record 1: the saved rows are damaged at row"},
		{"a row with an unknown member", rows(func(s []byte) []byte { s[7] = 0xFF; return s }),
			"at row 1"},
		{"a row of an unknown kind", rows(of(records.Row{Type: "pledge.lost", Recorded: 1})),
			"pledge.lost"},
		{"a row about nothing", rows(of(records.Row{Type: "pledge.accepted", Recorded: 1})),
			"which no record before it began"},
		{"a missing row", rows(func(s []byte) []byte {
			all, _ := records.Decode(nil, s)
			return records.Encode(all[:len(all)-1]).Data
		}), "rows are saved, and the cursor says"},
		{"a moved segment", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				b := tx.Bucket(bucketRows)
				return errors.Join(b.Put(sequenceKey(2), bytes.Clone(b.Get(sequenceKey(1)))),
					b.Delete(sequenceKey(1)))
			})
		}, "does not follow"},
		{"a strange key", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket(bucketRows).Put([]byte("key"),
					[]byte("value"))
			})
		}, "has the key"},
		{"a missing mark", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketMeta) })
		}, "cannot be used"},
		{"no bbolt file at all", func(t *testing.T, path string) {
			overwrite(0,
				bytes.Repeat([]byte("junk"), 4096))(t, path)
		}, "cannot be used"},
		{"an empty page", func(t *testing.T, path string) {
			if err := os.Truncate(path, 5); err != nil {
				t.Fatal(err)
			}
		}, "cannot be used"},
		{"junk in its pages", overwrite(2*4096, bytes.Repeat([]byte{0xA5}, 30*4096)),
			"cannot be used"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "projections.db")
			l := allKinds(t)
			if err := must[*Projector](t)(Open(context.Background(), path, l)).Close(); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, path)
			p := openAt(t, path, l)
			why := fmt.Sprint(p.Discarded())
			one, other, _ := strings.Cut(test.why, "|")
			if !errors.Is(p.Discarded(), errUnsound) || !strings.Contains(why, one) &&
				(other == "" || !strings.Contains(why, other)) {
				t.Errorf("thrown away because: %s; want %q", why, test.why)
			}
			equal(t, "fingerprint", whole(t, p.picture), whole(t, l.picture()))
		})
	}
}

// A file that comes back sound after it was thrown away is used the next time.
func TestRebuiltFileIsUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	if err := os.WriteFile(path, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, discarded := range []bool{true, false} {
		p := must[*Projector](t)(Open(context.Background(), path, l))
		equal(t, "thrown away", p.Discarded() != nil, discarded)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A file of another ledger's history, or of more of it than there is, is thrown away.
func TestOtherHistoryIsThrownAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	if err := must[*Projector](t)(Open(context.Background(), path, l)).Close(); err != nil {
		t.Fatal(err)
	}
	p := must[*Projector](t)(Open(context.Background(), path, l.upTo(10)))
	if why := fmt.Sprint(p.Discarded()); !strings.Contains(why, "and there are 10") {
		t.Errorf("of more than there is: %s", why)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	other := newTestLedger(t)
	for range 20 {
		other.offer("FRA", 1)
	}
	if why := fmt.Sprint(openAt(t, path, other).Discarded()); !strings.Contains(why,
		"in which record 10 is another") {
		t.Errorf("of another history: %s", why)
	}
}

// What keeps the file from being reached is no reason to throw it away.
func TestUnreachableFileIsKept(t *testing.T) {
	dir := t.TempDir()
	l := allKinds(t)
	path := filepath.Join(dir, "projections.db")
	openAt(t, path, l)
	_, err := Open(context.Background(), path, l)
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(),
		"another process has") {
		t.Errorf("a file that is in use: %v", err)
	}
	if _, err := Open(context.Background(), dir, l); err == nil || errors.Is(err, errUnsound) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(context.Background(), filepath.Join(dir, "none", "projections.db"),
		l); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// Only what is new is written: full segments stay as they are, and the tail is written again.
func TestSaveAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	s := must[*store](t)(openStore(path))
	defer s.close()
	fake := func(rows int, data string) records.Segment {
		return records.Segment{Rows: rows,
			Data: []byte(data)}
	}
	save := func(tail records.Segment, full ...records.Segment) {
		if err := s.save(full, tail, [32]byte{}); err != nil {
			t.Fatal(err)
		}
	}
	save(fake(1, "tail"), fake(2, "full"))
	edit := func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRows).Put(sequenceKey(1),
			[]byte("as it was"))
	}
	if err := s.db.Update(edit); err != nil {
		t.Fatal(err)
	}
	save(fake(2, "longer tail"))
	save(records.Segment{}, fake(3, "full tail"))
	save(fake(1, "new tail"))
	var all []string
	if err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRows).ForEach(func(k, v []byte) error {
			all = append(all, fmt.Sprintf("%d %s", binary.BigEndian.Uint64(k), v))
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", strings.Join(all, ", "), "1 as it was, 3 full tail, 6 new tail")
	equal(t, "cursor", s.saved.cursor, 6)
	equal(t, "sum", s.saved.sum,
		chain(chain(chain([32]byte{}, []byte("full")), []byte("full tail")), []byte("new tail")))
}
