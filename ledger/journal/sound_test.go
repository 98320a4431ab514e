package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/seeded"
)

// isDamaged checks that a file is refused as a person needs it: which file, what is wrong, what to
// do.
func isDamaged(t *testing.T, path, what string) {
	t.Helper()
	for _, open := range []func(string) (*Journal, error){Open, OpenReadOnly} {
		_, err := open(path)
		if !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), path+" is damaged: ") ||
			!strings.Contains(err.Error(), what) {
			t.Fatalf("the file is damaged (%s), and the error is %v", what, err)
		}
		if !strings.Contains(problem.From(err).Hint, "delete nothing") {
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
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRecords).Delete(sequenceKey(7))
	})
	isDamaged(t, path, "record 7 is missing")
}

// What a file says of itself is read as it was written, or not at all: a key that is another, as by
// one bit, is not one that is missing. That goes for whoever opens it, and for who inspects it.
func TestDamagedMeta(t *testing.T) {
	path, _ := filled(t, 3)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(what string, change func(tx *bbolt.Tx) error) {
		t.Helper()
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		edit(t, path, change)
		for _, open := range []func(string) (*Journal, error){Open, OpenReadOnly} {
			j, err := open(path)
			if err == nil {
				t.Errorf("%s: it is opened: %v", what, j.Close())
				continue
			}
			p := problem.From(err)
			if p.Kind != problem.Unverified && p.Kind != problem.Unavailable ||
				!strings.Contains(p.Hint, "delete nothing") {
				t.Errorf("%s: %v (%s)", what, err, p.Hint)
			}
		}
		f, err := Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		_, _, meta := f.Meta()
		_, ids := f.IDs()
		records := f.Each(func(uint64, []byte) bool { return true })
		if err := f.Close(); err != nil || meta == nil && ids == nil && records == nil {
			t.Errorf("%s: inspecting it shows nothing of that: %v", what, err)
		}
	}
	for _, key := range metaKeys {
		damaged(string(key)+", flipped", func(tx *bbolt.Tx) error {
			meta := tx.Bucket(bucketMeta)
			value := bytes.Clone(meta.Get(key))
			other := bytes.Clone(key)
			other[len(other)-1] ^= 1
			return errors.Join(meta.Delete(key), meta.Put(other, value))
		})
	}
	damaged("open is neither yes nor no", func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyOpen, []byte("yet"))
	})
	damaged("no form", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyVersion) })
	for _, bucket := range [][]byte{bucketRecords, bucketIDs} {
		damaged("no bucket "+string(bucket), func(tx *bbolt.Tx) error {
			return tx.DeleteBucket(bucket)
		})
	}
}

// A journal that was closed lists its free pages, and one that was not does without.
func TestListOfFreePages(t *testing.T) {
	path, all := filepath.Join(t.TempDir(), "journal.db"), someRecords(t, 1, 302)
	j := opened(t, path)
	appendTo(t, j, all[:300])
	folds(t, j)
	appendTo(t, j, all[300:301])
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if !listsFree(t, path) {
		t.Fatal("no free pages are listed")
	}
	j = opened(t, path)
	appendTo(t, j, all[301:])
	folds(t, j)
	if listsFree(t, path) {
		t.Error("a fold has listed the free pages too")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, opened(t, path), all)
}

// listsFree reads from the newer of a file's two metas whether free pages are listed.
func listsFree(t *testing.T, path string) (lists bool) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newest := uint64(0)
	for _, at := range []int{0, os.Getpagesize()} {
		meta := file[at+16:]
		if tx := binary.NativeEndian.Uint64(meta[48:]); tx >= newest {
			newest, lists = tx, binary.NativeEndian.Uint64(meta[32:]) != math.MaxUint64
		}
	}
	return lists
}

// However a disk spoils the file, the journal is refused, or what it gives is an error or what was
// written; and nothing hangs, breaks, or takes memory without end. Every region of the file has its
// turn. The work is done by another process, that may have little memory.
func TestAnyDamage(t *testing.T) {
	times := 1000
	if testing.Short() {
		times = 150
	}
	if os.Getenv(spoilTimes) != "" {
		testAnyDamage(t, times)
		return
	}
	limit := "ulimit -v 4000000; "
	if raceDetector { // which takes terabytes of addresses
		limit = ""
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", limit+`exec "$0" "$@"`, os.Args[0],
		"-test.run=^TestAnyDamage$", "-test.timeout=4m",
		fmt.Sprintf("-test.short=%t", testing.Short()))
	cmd.Env = append(os.Environ(), spoilTimes+"=yes", "GOGC=100", "GOMEMLIMIT=256MiB")
	if said, err := cmd.CombinedOutput(); err != nil { // where it hangs, it says where
		t.Errorf("%v:\n%.9000s", err, said)
	}
}

const spoilTimes = "MUSTER_TEST_SPOIL"

func testAnyDamage(t *testing.T, times int) {
	path, all := filled(t, 300)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used, cores, seed := int(neededSize(t, path)), runtime.GOMAXPROCS(0), seeded.New(t).Uint64()
	var refused atomic.Int64
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			path := fmt.Sprint(path, c)
			for i := c; i < times; i += cores {
				random := rand.New(rand.NewPCG(seed, uint64(i))) // however many cores there are
				if err := os.WriteFile(path, spoil(random, good, used, used*i/times),
					0o600); err != nil {
					t.Error(err)
				}
				if !givesWhatWasWritten(t, path, all) {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if refused.Load() < int64(times)/8 {
		t.Errorf("only %d of %d spoilt files were refused: the damage is not enough to show "+
			"anything", refused.Load(), times)
	}
}

// givesWhatWasWritten opens a file that may be spoilt and reads all there is: every record is the
// one that was written, or an error. It reports whether there was none.
func givesWhatWasWritten(t *testing.T, path string, all []events.Record) bool {
	j, err := Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = j.Close() }() // it may be spoilt
	n := 0
	for rec, err := range j.Records(1) {
		if err != nil {
			return false
		}
		if n >= len(all) || string(rec.Stored) != string(all[n].Stored) ||
			rec.Sequence != all[n].Sequence {
			t.Errorf("record %d is not the one that was written:\n%s", n+1, rec.Stored)
			return false
		}
		n++
	}
	return true
}

// spoil returns a copy of a file in which a bit, a few bytes, the head of a page or a whole page is
// another, most often at a place that is given.
func spoil(random *rand.Rand, good []byte, used, at int) []byte {
	bad := append([]byte(nil), good...)
	page := os.Getpagesize()
	switch random.IntN(8) {
	default:
		bad[at] ^= 1 << random.IntN(8)
	case 0:
		for range 1 + random.IntN(8) {
			bad[random.IntN(used)] ^= byte(1 + random.IntN(255))
		}
	case 1: // the head of a page, where bbolt keeps what it trusts
		copy(bad[at/page*page:],
			[]byte{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		bad[at/page*page+8+random.IntN(60)] ^= byte(1 + random.IntN(255))
	case 2:
		clear(bad[at/page*page : (at/page+1)*page])
	case 3:
		copy(bad[at/page*page:], bad[random.IntN(used/page)*page:][:page])
	}
	return bad
}
