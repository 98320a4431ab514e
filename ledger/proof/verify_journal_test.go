package proof

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/journal"
	"muster/ledger/seeded"
)

// journalOf writes records into a journal's file.
func journalOf(t testing.TB, records []events.Record) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Append(records), j.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func verifyJournal(t testing.TB, path string) (Report, error) {
	f, err := journal.Inspect(path)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	return Verify(t.Context(), OfJournal("the test's journal", f), Options{})
}

// edited changes the file as somebody would who has read how it is made.
func edited(t *testing.T, path string, edit func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600,
		&bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(edit), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func sequenceKey(n uint64) []byte { return []byte{0, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)} }

func TestJournal(t *testing.T) {
	h := newHistory(t).offers(600)
	if r, err := verifyJournal(t, journalOf(t, h.records)); err != nil || !r.OK ||
		r.Records != 603 {
		t.Fatal(err, describe(r))
	} else if o := outcomes(r); o["tiles"] != Verified || o["index"] != Verified ||
		o["tree"] != Verified || o["checkpoint"] != NotChecked {
		t.Error(describe(r))
	}
	for name, c := range map[string]struct {
		edit        func(tx *bbolt.Tx) error
		sequence    uint64
		check, says string
	}{
		"a record removed": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("records")).Delete(sequenceKey(300))
		},
			300, "records", "it is missing: record 301 follows"},
		"two records swapped": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("records"))
			x, y := slices.Clone(b.Get(sequenceKey(300))), slices.Clone(b.Get(sequenceKey(301)))
			return errors.Join(b.Put(sequenceKey(300), y), b.Put(sequenceKey(301), x))
		}, 300, "tree", "it was altered or is damaged"},
		"a record inserted": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("records"))
			for n := uint64(603); n >= 300; n-- {
				if err := b.Put(sequenceKey(n+1), slices.Clone(b.Get(sequenceKey(n)))); err != nil {
					return err
				}
			}
			return b.Put(sequenceKey(300), h.records[9].Stored)
		}, 300, "tree", "it was altered or is damaged"},
		"the last records cut off": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("records")).Delete(sequenceKey(603))
		},
			603, "records", "it is missing: the root that was saved with the records is of 603 " +
				"records, and here are 602"},
		"an id that leads elsewhere": {func(tx *bbolt.Tx) error {
			id := h.records[9].Statement.Head().ID
			return tx.Bucket([]byte("ids")).Put(id[:], sequenceKey(11))
		}, 0, "index", "is record 11, and it is not"},
		"a tile": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("tiles"))
			k, v := b.Cursor().First()
			v = slices.Clone(v)
			v[77] ^= 1
			return b.Put(k, v)
		}, 0, "tiles", "tile/0/000 of the Merkle tree is not the one that the records make"},
		"the saved root": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("meta"))
			v := slices.Clone(b.Get([]byte("tree")))
			v[20] ^= 1
			return b.Put([]byte("tree"), v)
		}, 0, "tree", "the first 603 records make the root"},
	} {
		path := journalOf(t, h.records)
		edited(t, path, c.edit)
		r, err := verifyJournal(t, path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f := r.Fault; f == nil || f.Sequence != c.sequence || f.Check != c.check ||
			!strings.Contains(f.What, c.says) || outcomes(r)[c.check] != Failed {
			t.Errorf("%s: %+v\n%s", name, r.Fault, describe(r))
		}
	}
}

// Who can write the journal's file, and knows how, can make a tree that fits. The rules still
// notice.
func TestForgedJournal(t *testing.T) {
	h := newHistory(t).offers(20)
	h.say(h.revocation(h.paris), h.founder)
	h.offers(1)
	r, err := verifyJournal(t, journalOf(t, h.records))
	if err != nil || r.Fault == nil || r.Fault.Sequence != 25 || r.Fault.Code != "revoked" ||
		!strings.Contains(r.Fault.What, "was revoked by record 24") {
		t.Errorf("%v, %+v", err, r.Fault)
	}
	if o := outcomes(r); o["tree"] != Verified || o["rules"] != Failed {
		t.Errorf("%v", o)
	}
}

// Whatever bit of the file is another, in every region of it: it is noticed, or it was a bit that
// means nothing.
func TestEveryRegionOfAJournal(t *testing.T) {
	t.Parallel()
	times := 1000
	if testing.Short() {
		times = 150
	}
	h := newHistory(t).offers(37)
	good := journalOf(t, h.records)
	whole, err := verifyJournal(t, good)
	if err != nil || !whole.OK {
		t.Fatal(err, describe(whole))
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cores, seed := runtime.GOMAXPROCS(0), seeded.New(t).Uint64()
	var noticed atomic.Int64
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			path := fmt.Sprint(good, c)
			for i := c; i < times; i += cores {
				random := rand.New(rand.NewPCG(seed, uint64(i))) // however many cores there are
				bad, at := slices.Clone(data), len(data)*i/times+random.IntN(len(data)/times)
				bad[at] ^= 1 << random.IntN(8)
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Error(err)
				}
				switch r, err := verifyJournal(t, path); {
				case err != nil || !r.OK:
					noticed.Add(1)
				case r.Root != whole.Root || r.Records != whole.Records:
					t.Errorf("byte %d: it is called good, and has %d records with the root %s", at,
						r.Records, r.Root)
				}
			}
		})
	}
	wg.Wait()
	if noticed.Load() < int64(times)/8 {
		t.Errorf("only %d of %d were noticed: the damage is not enough to show anything",
			noticed.Load(), times)
	}
}

func TestJournalInUse(t *testing.T) {
	path := journalOf(t, newHistory(t).records)
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := verifyJournal(t, path); !problem.Is(err, problem.Unavailable) {
		t.Errorf("%v", err)
	}
}
