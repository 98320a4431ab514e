package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"muster/events"
	"muster/events/problem"
)

// isDamaged checks that a file is refused as a person needs it: which file, what is wrong, what to do.
func isDamaged(t *testing.T, path, what string) {
	t.Helper()
	for _, open := range []func(string) (*Journal, error){Open, OpenReadOnly} {
		_, err := open(path)
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), path+" is damaged: ") || !strings.Contains(err.Error(), what) {
			t.Fatalf("the file is damaged (%s), and the error is %v", what, err)
		}
		if !strings.Contains(problem.From(err).Hint, "move the file away") {
			t.Errorf("no remedy: %q", problem.From(err).Hint)
		}
	}
}

func TestCutOff(t *testing.T) {
	path, _ := filled(t, 300)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	needs := neededSize(t, path)
	for _, size := range []int64{needs - 1, needs / 2, 3 * int64(os.Getpagesize())} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		isDamaged(t, path, "it was cut off")
	}
	for _, size := range []int64{int64(os.Getpagesize()), 100, 1} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		isDamaged(t, path, "")
	}
	if info.Size() < needs {
		t.Errorf("the file had %d bytes and needs %d", info.Size(), needs)
	}
}

func neededSize(t *testing.T, path string) (size int64) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	return size
}

func TestGarbage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	for _, text := range []string{"hello", strings.Repeat("0123456789abcdef", 4096)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		isDamaged(t, path, "")
	}
}

func TestMissingRecord(t *testing.T) {
	path, _ := filled(t, 300)
	edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(bucketRecords).Delete(sequenceKey(7)) })
	isDamaged(t, path, "record 7 is missing")
}

// However a disk spoils the file, the journal is refused, or what it gives is an error or what was written.
func TestAnyDamage(t *testing.T) {
	path, all := filled(t, 300)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random, refused := rand.New(rand.NewPCG(1, 2)), 0
	used := int(neededSize(t, path))
	for i := range 120 {
		path, spoilt := fmt.Sprint(path, i), spoil(random, good, used)
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path)
		if err != nil {
			refused++
			continue
		}
		readSpoilt(t, j, all)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	if refused < 15 {
		t.Errorf("only %d of 120 spoilt files were refused: the damage is not enough to show anything", refused)
	}
}

// spoil returns a copy of a file in which a few bytes, or a whole page, or what follows some place, are others.
func spoil(random *rand.Rand, good []byte, used int) []byte {
	bad := append([]byte(nil), good...)
	at, page := random.IntN(used), os.Getpagesize()
	switch random.IntN(4) {
	case 0:
		for range 1 + random.IntN(8) {
			bad[random.IntN(used)] ^= byte(1 + random.IntN(255))
		}
	case 1: // the head of a page, where bbolt keeps what it trusts
		copy(bad[at/page*page:], []byte{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		bad[at/page*page+8+random.IntN(60)] ^= byte(1 + random.IntN(255))
	case 2:
		clear(bad[at/page*page : (at/page+1)*page])
	case 3:
		copy(bad[at/page*page:], bad[random.IntN(used/page)*page:][:page])
	}
	return bad
}

// readSpoilt reads all there is. A value may be spoilt, which is for signatures and hashes to find out; what the records say
// of their place may not.
func readSpoilt(t *testing.T, j *Journal, all []events.Record) {
	t.Helper()
	n := uint64(0)
	for rec, err := range j.Records(1) {
		if err != nil {
			return
		}
		if n++; rec.Sequence != n {
			t.Errorf("record %d has the sequence %d", n, rec.Sequence)
		}
	}
	if n > uint64(len(all)) {
		t.Errorf("%d records were written, and %d read", len(all), n)
	}
}
