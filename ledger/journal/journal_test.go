package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"muster/events"
	"muster/events/build"
	"muster/events/problem"
	"muster/ledger/seeded"
)

// someRecords makes records from one sequence to another, of statements that a founder signed.
func someRecords(t *testing.T, from, to uint64) []events.Record {
	t.Helper()
	ids := make([]events.ID, to-from+1)
	for i := range ids {
		ids[i] = events.NewID()
	}
	return recordsOf(t, from, ids)
}

// recordsOf makes records from a sequence on, of statements that have these ids.
func recordsOf(t *testing.T, from uint64, ids []events.ID) (all []events.Record) {
	t.Helper()
	secret, key, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	founder, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		n := from + uint64(i)
		s, err := events.Sign(&events.LedgerFounded{Founder: key,
			Title:  fmt.Sprintf("ledger %d", n),
			Header: events.Header{Type: "ledger.founded", ID: id, Ledger: "muster.example/test"}},
			founder)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := events.NewRecord(n, time.Now(), "test", s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

// opened opens a journal, which is closed with the test.
func opened(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // it may be closed already
	return j
}

// filled makes a journal with n records, and closes it.
func filled(t *testing.T, n uint64) (path string, all []events.Record) {
	t.Helper()
	path, all = filepath.Join(t.TempDir(), "journal.db"), someRecords(t, 1, n)
	j := opened(t, path)
	if err := errors.Join(j.Append(all), j.Close()); err != nil {
		t.Fatal(err)
	}
	return path, all
}

// holds checks that the journal holds these records, byte for byte, and finds each by its id.
func holds(t *testing.T, j *Journal, want []events.Record) {
	t.Helper()
	if j.Last() != uint64(len(want)) {
		t.Fatalf("the last record is %d, not %d", j.Last(), len(want))
	}
	n := 0
	for rec, err := range j.Records(1) {
		if err != nil || rec.Sequence != uint64(n+1) ||
			string(rec.Stored) != string(want[n].Stored) {
			t.Fatalf("record %d: %v\n%s\n%s", n+1, err, rec.Stored, want[n].Stored)
		}
		sequence, ok, err := j.Find(rec.Statement.Head().ID)
		if err != nil || !ok || sequence != rec.Sequence {
			t.Fatalf("record %d is found by its id at %d, %t, %v", rec.Sequence, sequence, ok, err)
		}
		n++
	}
	if n != len(want) {
		t.Fatalf("%d records were read, and not %d", n, len(want))
	}
}

func TestAppendReadReopen(t *testing.T) {
	path, all := filepath.Join(t.TempDir(), "journal.db"), someRecords(t, 1, 2*chunk+7)
	j := opened(t, path)
	holds(t, j, nil)
	if _, ok, err := j.Find(all[0].Statement.Head().ID); ok || err != nil {
		t.Errorf("an empty journal finds an id: %t, %v", ok, err)
	}
	for part := range slices.Chunk(all, 500) {
		if err := j.Append(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Append(nil); err != nil {
		t.Errorf("appending nothing: %v", err)
	}
	holds(t, j, all)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, opened(t, path), all)
}

// Ids come in any order: who makes a statement has a clock of his own.
func TestIDsInAnyOrder(t *testing.T) {
	var ids, others []events.ID
	for i := range 60 {
		id, err := events.IDAt(uint64(1_800_000_000_000+i/2), [10]byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			others = append(others, id)
		} else {
			ids = append(ids, id)
		}
	}
	random := seeded.New(t)
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	all := recordsOf(t, 1, ids)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	j.foldAfter = 7
	look := func(j *Journal) {
		t.Helper()
		holds(t, j, all[:j.Last()])
		for _, id := range append(others, ids[j.Last():]...) {
			if at, ok, err := j.Find(id); ok || err != nil {
				t.Fatalf("of %d records, one has the id %s, which none has: %d, %v",
					j.Last(), id, at, err)
			}
		}
	}
	for i := range all {
		if err := j.Append(all[i : i+1]); err != nil {
			t.Fatal(err)
		}
		look(j)
		again := recordsOf(t, uint64(i)+2, ids[random.IntN(i+1):][:1])
		if err := j.Append(again); err == nil ||
			!strings.Contains(err.Error(),
				"the id "+again[0].Statement.Head().ID.String()+" of record") {
			t.Fatalf("an id a second time: %v", err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	look(opened(t, path))
}

func TestRecordsFromAnywhere(t *testing.T) {
	path, all := filled(t, chunk+2)
	j := opened(t, path)
	for _, from := range []uint64{0, 1, 2, chunk, chunk + 1, chunk + 2, chunk + 3, 1 << 40} {
		var got []uint64
		for rec, err := range j.Records(from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rec.Sequence)
		}
		want := max(0, len(all)-int(max(from, 1))+1)
		if len(got) != want || want > 0 && got[0] != max(from, 1) {
			t.Errorf("from %d: %d records, and not %d: %v", from, len(got), want,
				got[:min(3, len(got))])
		}
	}
	for rec := range j.Records(1) { // whoever has enough may stop
		if rec.Sequence == 3 {
			break
		}
	}
}

func TestRecordThatIsNotThere(t *testing.T) {
	path, _ := filled(t, 3)
	j := opened(t, path)
	for _, n := range []uint64{0, 4, 1 << 63} {
		_, err := j.Record(n)
		if !problem.Is(err, problem.NotFound) ||
			err.Error() != fmt.Sprintf("there is no record %d: the last is 3", n) {
			t.Errorf("record %d: %v", n, err)
		}
	}
}

// A batch is taken as a whole or not at all.
func TestAppendAllOrNothing(t *testing.T) {
	path, all := filled(t, 3)
	j := opened(t, path)
	more := someRecords(t, 4, 6)
	again := more[2]
	again.Signed = all[1].Signed // its id is there already
	for name, batch := range map[string][]events.Record{
		"a gap":             {more[0], more[2]},
		"not the next one":  {more[1]},
		"one that is there": {all[2]},
		"an id twice":       {more[0], more[1], again},
	} {
		if err := j.Append(batch); err == nil {
			t.Errorf("%s was taken", name)
		}
		holds(t, j, all)
	}
	if err := j.Append(more); err != nil {
		t.Fatal(err)
	}
	holds(t, j, append(all, more...))
}

func TestWait(t *testing.T) {
	path, _ := filled(t, 3)
	j := opened(t, path)
	if err := j.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := j.Wait(ended, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for what does not come: %v", err)
	}
	woken := make(chan error, 1)
	go func() { woken <- j.Wait(t.Context(), 4) }()
	for _, rec := range someRecords(t, 4, 5) {
		if err := j.Append([]events.Record{rec}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-woken; err != nil || j.Last() != 5 {
		t.Errorf("woken at %d: %v", j.Last(), err)
	}
}

// Only one process has a journal open, and whoever comes second is told what to do.
func TestOpenTwice(t *testing.T) {
	path, _ := filled(t, 3)
	j := opened(t, path)
	for name, open := range map[string]func(string) (*Journal, error){"to write": Open,
		"to read": OpenReadOnly} {
		_, err := open(path)
		if !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), "another process has the journal") ||
			problem.From(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if reader.Last() != 3 {
		t.Errorf("the reader sees %d records", reader.Last())
	}
	if err := reader.Append(someRecords(t, 4, 4)); err == nil || reader.Last() != 3 {
		t.Errorf("a journal that was opened to read was written: %v", err)
	}
}

func TestOpenWhatIsNotThere(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "journal.db")
	if _, err := OpenReadOnly(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a missing file to read: %v", err)
	}
	if _, err := Open(filepath.Join(missing, "journal.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a file in a missing folder: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened as a journal")
	}
}

// edit changes a journal file as nobody may.
func edit(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// A journal of a later form is refused, with the program that it needs, and nothing is changed.
// That of the first form becomes one of today's, which programs of the first form refuse: also the
// one that had no tree yet.
func TestForms(t *testing.T) {
	path, all := filled(t, 3)
	put := func(key []byte, value string) {
		t.Helper()
		edit(t, path, func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(key, []byte(value))
		})
	}
	put(keyVersion, "3")
	put(keyProgram, "7.0.1")
	for _, open := range []func(string) (*Journal, error){Open, OpenReadOnly} {
		_, err := open(path)
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), `form "3"`) ||
			!strings.Contains(problem.From(err).Hint, "start muster 7.0.1") {
			t.Errorf("a journal of a later form: %v", err)
		}
	}
	for _, noTree := range []bool{false, true} {
		put(keyVersion, formFirst)
		edit(t, path, func(tx *bbolt.Tx) error {
			meta := tx.Bucket(bucketMeta)
			if !noTree {
				return meta.Delete(keyProgram)
			}
			return errors.Join(meta.Delete(keyTree), tx.DeleteBucket(bucketTiles))
		})
		j := opened(t, path)
		holds(t, j, all)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		edit(t, path, func(tx *bbolt.Tx) error {
			meta := tx.Bucket(bucketMeta)
			if form, by := meta.Get(keyVersion), meta.Get(keyProgram); string(form) != formNow ||
				string(by) != build.Version() {
				t.Errorf("opened, it has the form %q of %q", form, by)
			}
			return nil
		})
	}
	edit(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(bucketMeta).Delete(keyTree), tx.DeleteBucket(bucketTiles))
	})
	if _, err := Open(path); !problem.Is(err, problem.Unverified) {
		t.Errorf("a journal of today's form without its tree: %v", err)
	}
}

func TestNoJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	edit(t, path, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("something else"))
		return err
	})
	if _, err := OpenReadOnly(path); err == nil ||
		!strings.Contains(err.Error(), "this is no journal") {
		t.Errorf("another program's file: %v", err)
	}
}

// What is stored comes as it was stored, as many records as were asked for and are there, and
// checked.
func TestStored(t *testing.T) {
	path, records := filled(t, 5)
	j := opened(t, path)
	for _, test := range []struct {
		from     uint64
		most     int
		first, n int
	}{{1, 5, 1, 5}, {0, 2, 1, 2}, {2, 100, 2, 4}, {5, 1, 5, 1}, {6, 3, 6, 0}, {9, 3, 9, 0},
		{1, 0, 1, 0}} {
		stored, _, err := j.Stored(test.from, test.most, nil)
		if err != nil || len(stored) != test.n {
			t.Errorf("from %d at most %d: %d records, %v", test.from, test.most, len(stored), err)
		}
		for i := range stored {
			if want := records[test.first-1+i].Stored; !bytes.Equal(stored[i], want) {
				t.Errorf("from %d: the record %d is %s, want %s", test.from, test.first+i,
					stored[i], want)
			}
		}
	}
	_, room, _ := j.Stored(1, 5, nil)
	again, used, err := j.Stored(2, 1, room)
	if err != nil || &used[0] != &room[0] || &again[0][0] != &room[0] ||
		!bytes.Equal(again[0], records[1].Stored) {
		t.Errorf("in the same room: %q, %v", again, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRecords).Put(sequenceKey(3), records[3].Stored)
	})
	if _, _, err := opened(t, path).Stored(2, 3, nil); !problem.Is(err, problem.Unverified) {
		t.Errorf("an altered record: %v", err)
	}
}
