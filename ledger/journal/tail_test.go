package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

// A disk is what a crash leaves: the bbolt file and the two of the tail, nil for one that is not
// there.
type disk struct {
	file    []byte
	tail    [2][]byte
	records int // that the bbolt file has
}

// crash returns what is on the disk now, while no fold is under way.
func crash(t *testing.T, j *Journal, path string) (d disk) {
	t.Helper()
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.folding != nil {
		j.endFold()
	}
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return data
	}
	return disk{read(path), [2][]byte{read(tailPaths(path)[0]), read(tailPaths(path)[1])},
		int(j.recently().since)}
}

// put writes the disk into a folder of its own.
func (d disk) put(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	for i, path := range append([]string{path}, tailPaths(path)...) {
		if data := [][]byte{d.file, d.tail[0], d.tail[1]}[i]; data != nil {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return path
}

// ends are the sizes of the tree in the frames of a tail, and first where the first of them begins.
func (d disk) ends(t *testing.T) (first int, ends []int) {
	t.Helper()
	for _, data := range d.tail {
		frames, _, err := parseFrames(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			if len(ends) == 0 || int(f.before) < first {
				first = int(f.before)
			}
			ends = append(ends, int(f.tree.N))
		}
	}
	return first, ends
}

// tailing makes a journal that signs, with so many commits of some records each, folded now and
// then, and returns what was on the disk after each.
func tailing(t *testing.T, all []events.Record,
	commits []int) (key *testKey, after []disk, j *Journal) {
	t.Helper()
	key = newTestKey(t)
	path := filepath.Join(t.TempDir(), "journal.db")
	j = opened(t, path)
	j.foldAfter = 20
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	for _, n := range commits {
		appendTo(t, j, all[j.Last():int(j.Last())+n])
		after = append(after, crash(t, j, path))
	}
	return key, after, j
}

var someCommits = []int{1, 3, 10, 7, 1, 30, 2, 2, 25, 5, 1, 1, 40, 3, 3}

// After a crash all that was committed is there, read as ever, proved and signed; and a journal
// that is only read, or looked into, has it too.
func TestAfterACrash(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	all := manyRecords(t, 200)
	plain := plainHashes(t, all)
	key, after, _ := tailing(t, all, someCommits)
	inTail, size := 0, 0
	for i, d := range after {
		size += someCommits[i]
		inTail = max(inTail, size-d.records)
		path := d.put(t)
		looked(t, path, all[:size])
		reader, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, reader, all[:size])
		hasRoot(t, reader, plain, size)
		if err := reader.Append(all[size : size+1]); err == nil {
			t.Error("who only reads has written")
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		j := opened(t, path)
		holds(t, j, all[:size])
		hasRoot(t, j, plain, size)
		if tree := key.opens(t, j.Checkpoint()); tree != j.Tree() {
			t.Errorf("after commit %d the checkpoint is of %d records", i+1, tree.N)
		}
		if now := crash(t, j, path); now.records != size || len(now.tail[0])+len(now.tail[1]) > 0 {
			t.Errorf("opened again, the file has %d of %d records, and the tail %d bytes",
				now.records, size, len(now.tail[0])+len(now.tail[1]))
		}
		appendTo(t, j, all[size:size+1])
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for _, path := range tailPaths(path) {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a closed journal has the tail %s (%v)", path, err)
			}
		}
		holds(t, opened(t, path), all[:size+1])
	}
	if inTail < 30 {
		t.Errorf("at most %d records were in the tail: this shows little", inTail)
	}
}

func hasRoot(t *testing.T, j *Journal, plain tlog.HashReader, size int) {
	t.Helper()
	tree := j.Tree()
	if want, err := tlog.TreeHash(int64(size), plain); err != nil || tree.N != int64(size) ||
		tree.Hash != want {
		t.Fatalf("the tree is %d %s, want %d %s, %v", tree.N, tree.Hash, size, want, err)
	}
	leaf := tlog.StoredHashIndex(0, tree.N-1)
	if hashes, err := tlog.TileHashReader(tree, j.Tiles()).
		ReadHashes([]int64{0, leaf}); err != nil || len(hashes) != 2 {
		t.Fatalf("the tiles of %d records: %v", size, err)
	}
}

// looked checks what who looks into the files finds.
func looked(t *testing.T, path string, want []events.Record) {
	t.Helper()
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	n := 0
	err = f.Each(func(sequence uint64, stored []byte) bool {
		if sequence != uint64(n)+1 || !bytes.Equal(stored, want[n].Stored) {
			t.Fatalf("record %d: sequence %d", n+1, sequence)
		}
		n++
		return true
	})
	if err != nil {
		t.Fatalf("record %d: %v", n+1, err)
	}
	tree, signed, err := f.Meta()
	if err != nil || n != len(want) || tree.N != int64(n) {
		t.Fatalf("%d of %d records, a tree of %v, %v", n, len(want), tree, err)
	}
	if c, err := readCheckpoint(signed); err != nil || c.Tree != *tree {
		t.Errorf("the checkpoint is of %d records, %v", c.N, err)
	}
	tiles, err := f.Tiles()
	if err != nil {
		t.Fatal(err)
	}
	if root, err := tlog.TreeHash(tree.N, tlog.TileHashReader(*tree, tiles)); err != nil ||
		root != tree.Hash {
		t.Errorf("the tiles make the root %s, and not %s: %v", root, tree.Hash, err)
	}
	ids, err := f.IDs()
	if err != nil || len(ids) != n {
		t.Errorf("%d of %d ids, %v", len(ids), n, err)
	}
	for i, r := range want {
		if ids[r.Statement.Head().ID] != uint64(i)+1 {
			t.Errorf("the id of record %d leads to %d", i+1, ids[r.Statement.Head().ID])
		}
	}
}

// A crash may come when the records were folded and the tail was not emptied yet; and somebody may
// put back another copy of the bbolt file. Whatever tail meets whatever file: all that both have is
// there, or it is said that one does not go on from the other.
func TestAnyTailBehindAnyFile(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	all := manyRecords(t, 200)
	_, after, _ := tailing(t, all, someCommits)
	gaps, joined := 0, 0
	for i := range after {
		for k := range after {
			d := disk{after[i].file, after[k].tail, after[i].records}
			first, ends := d.ends(t)
			want := d.records
			for _, end := range ends {
				want = max(want, end)
			}
			path := d.put(t)
			j, err := Open(path)
			switch {
			case len(ends) > 0 && first > d.records:
				gaps++
				if !problem.Is(err, problem.Unverified) ||
					!strings.Contains(err.Error(), "does not go on from") ||
					problem.From(err).Hint == "" {
					t.Errorf("file %d with tail %d: %v", i, k, err)
				}
				continue
			case err != nil:
				t.Fatalf("file %d with tail %d: %v", i, k, err)
			}
			joined++
			holds(t, j, all[:want])
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if gaps == 0 || joined == 0 {
		t.Errorf("%d gaps and %d that go together: this shows little", gaps, joined)
	}
}

// Where the bbolt file was taken away, a tail that begins with the first record makes it anew. With
// another none is made, however often: what was folded would be lost.
func TestTailWithoutItsFile(t *testing.T) {
	all := manyRecords(t, 200)
	_, after, _ := tailing(t, all, someCommits)
	young, old := after[1], after[len(after)-1]
	if first, ends := old.ends(t); first == 0 || len(ends) == 0 {
		t.Fatalf("the tail has %d commits behind record %d", len(ends), first)
	}
	young.file, old.file = nil, nil
	j := opened(t, young.put(t))
	holds(t, j, all[:4])
	path := old.put(t)
	for range 2 {
		_, err := Open(path)
		if !problem.Is(err, problem.Unverified) || !strings.Contains(err.Error(), "is not there") ||
			!strings.Contains(problem.From(err).Hint, "Put back journal.db") {
			t.Errorf("a tail without its file: %v", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a new file was made (%v)", err)
		}
	}
	for i, path := range tailPaths(path) {
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, old.tail[i]) {
			t.Errorf("the tail is not what it was: %v", err)
		}
	}
	whole := after[len(after)-1]
	if err := os.WriteFile(path, whole.file, 0o600); err != nil { // as the hint says
		t.Fatal(err)
	}
	size := 0
	for _, n := range someCommits {
		size += n
	}
	holds(t, opened(t, path), all[:size])
}

// When what is in the tail cannot be folded at the start, as on a full disk, it stays where it is,
// and is there when it can be.
func TestTailThatCannotBeFolded(t *testing.T) {
	all := manyRecords(t, 30)
	_, after, _ := tailing(t, all, []int{3, 2, 4})
	d := after[2]
	path := d.put(t)
	edit(t, path, func(tx *bbolt.Tx) error { // whatever keeps the fold from going on
		id := all[4].Statement.Head().ID
		return tx.Bucket(bucketIDs).Put(id[:], sequenceKey(99))
	})
	for range 2 {
		if _, err := Open(path); err == nil ||
			!strings.Contains(err.Error(), "is that of record 99") {
			t.Fatalf("opened with %v", err)
		}
		if now, err := os.ReadFile(tailPaths(path)[0]); err != nil || !bytes.Equal(now, d.tail[0]) {
			t.Fatalf("the tail is not what it was: %v", err)
		}
	}
	edit(t, path, func(tx *bbolt.Tx) error {
		id := all[4].Statement.Head().ID
		return tx.Bucket(bucketIDs).Delete(id[:])
	})
	holds(t, opened(t, path), all[:9])
}

// A write that has failed, or its sync, leaves nothing behind: what was in the file before goes
// into the bbolt file, and the tail goes on in another file.
func TestFailedWrite(t *testing.T) {
	all, key := manyRecords(t, 60), newTestKey(t)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	for what, flag := range map[string]int{
		tailPaths(path)[0]: os.O_RDONLY, // it cannot be written
		os.DevNull:         os.O_RDWR,   // it cannot be synced
	} {
		appendTo(t, j, all[j.Last():j.Last()+4])
		bad, err := os.OpenFile(what, flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		was, active := j.Last(), j.tail.active
		good := j.tail.files[active]
		before, err := good.Stat()
		if err != nil {
			t.Fatal(err)
		}
		j.tail.files[active] = bad
		if err := j.Append(all[was : was+3]); err == nil || j.Last() != was {
			t.Fatalf("%s: %d records, %v", what, j.Last(), err)
		}
		holds(t, j, all[:was])
		f := frame{before: int64(was), tree: tlog.Tree{N: int64(was) + 1},
			records: [][]byte{all[50].Stored}} // as if it had been written and not synced
		if _, err := good.WriteAt(f.append(nil), j.tail.size[active]); err != nil {
			t.Fatal(err)
		}
		appendTo(t, j, all[was:was+3])
		if now, err := os.Stat(tailPaths(path)[active]); err != nil || os.SameFile(now, before) {
			t.Errorf("%s: the tail goes on in the file for which it failed (%v)", what, err)
		}
		if since := j.recently().since; since != int64(was) {
			t.Errorf("%s: the bbolt file has %d records of %d", what, since, was)
		}
		again := opened(t, crash(t, j, path).put(t))
		holds(t, again, all[:was+3])
		if err := errors.Join(good.Close(), again.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever a power cut leaves of the last commit, it was acknowledged to nobody, and all before it
// is there.
func TestTornCommit(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	all := manyRecords(t, 30)
	_, after, _ := tailing(t, all, []int{3, 2, 4})
	d := after[2]
	frames, _, err := parseFrames(d.tail[0])
	if err != nil || len(frames) != 3 || len(d.tail[1]) > 0 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	whole, begin := d.tail[0], len(after[1].tail[0])
	check := func(what string, torn []byte) {
		t.Helper()
		d.tail[0] = torn
		path := d.put(t)
		j := opened(t, path)
		holds(t, j, all[:5])
		appendTo(t, j, all[5:7])
		d := crash(t, j, path)
		again := opened(t, d.put(t))
		holds(t, again, all[:7])
		if t.Failed() {
			t.Fatalf("torn: %s", what)
		}
		if err := errors.Join(j.Close(), again.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for end := begin; end < len(whole); end += 1 + (len(whole)-begin)/40 {
		check(fmt.Sprintf("cut at %d", end), whole[:end])
		check(fmt.Sprintf("zeros from %d on", end),
			append(bytes.Clone(whole[:end]), make([]byte, len(whole)-end)...))
		garbled := bytes.Clone(whole)
		garbled[end] ^= 0x10
		check(fmt.Sprintf("another byte at %d", end), garbled)
	}
}

// What was altered in a commit that is not the last is told, and nothing is thrown away; nor is
// what was altered with its sum.
func TestDamagedTail(t *testing.T) {
	all := manyRecords(t, 30)
	_, after, _ := tailing(t, all, []int{3, 2, 4})
	good, second := after[2], len(after[0].tail[0])
	flip := func(at int, sum bool) []byte {
		data := bytes.Clone(good.tail[0])
		data[at] ^= 1
		body := data[second+frameHead : len(after[1].tail[0])]
		if sum {
			binary.BigEndian.PutUint32(data[second+len(frameMagic)+4:],
				crc32.Checksum(body, castagnoli))
		}
		return data
	}
	root, checkpoint, record := second+frameHead+20, second+frameHead+frameFixed+20,
		len(after[1].tail[0])-200
	for what, data := range map[string][]byte{
		"its magic": flip(second, false), "its length": flip(second+5, false),
		"its CRC": flip(second+9, false), "its root": flip(root, false),
		"a record": flip(record, false), "its root, and its sum": flip(root, true),
		"its checkpoint, and its sum": flip(checkpoint, true),
		"a record, and its sum":       flip(record, true),
	} {
		d := good
		d.tail[0] = data
		path := d.put(t)
		for _, open := range []func(string) (*Journal, error){Open, OpenReadOnly} {
			_, err := open(path)
			if !problem.Is(err, problem.Unverified) ||
				!strings.Contains(err.Error(), tailPaths(path)[0]) ||
				!strings.Contains(problem.From(err).Hint, "delete nothing") {
				t.Errorf("%s was altered: %v", what, err)
			}
		}
		if now, err := os.ReadFile(tailPaths(path)[0]); err != nil || !bytes.Equal(now, data) {
			t.Errorf("%s was altered, and the tail is not what it was: %v", what, err)
		}
		// With its sum, who looks has to compute the tree.
		if n := readable(t, path); !strings.Contains(what, "sum") && n != 3 {
			t.Errorf("%s was altered in the second commit: who looks into it finds %d records "+
				"before it, and not 3", what, n)
		}
	}
}

// readable returns how many records there are before what is damaged.
func readable(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	err = f.Each(func(uint64, []byte) bool {
		n++
		return true
	})
	if err != nil {
		if _, _, err := f.Meta(); !problem.Is(err, problem.Unverified) {
			t.Errorf("of itself it says %v", err)
		}
	}
	return n
}

// The last commit of the file that is not written any more was acknowledged before the other was
// begun: it is not torn but damaged.
func TestDamagedEndOfTheOlderFile(t *testing.T) {
	all := manyRecords(t, 200)
	key := newTestKey(t)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all[:4])
	appendTo(t, j, all[4:9])
	d := crash(t, j, path)
	j.tail.turn()
	appendTo(t, j, all[9:12])
	both := crash(t, j, path)
	holds(t, opened(t, both.put(t)), all[:12])
	d.tail, d.records = both.tail, 0
	older := 1 - j.tail.active
	for what, newer := range map[string][]byte{"a whole commit": both.tail[1-older],
		"a torn one": both.tail[1-older][:100]} {
		d.tail[older], d.tail[1-older] = bytes.Clone(both.tail[older]), newer
		d.tail[older][len(d.tail[older])-300] ^= 1
		if _, err := Open(d.put(t)); !problem.Is(err, problem.Unverified) {
			t.Errorf("with %s in the newer file: %v", what, err)
		}
	}
}

// Who reads beside commits and folds sees each record that was committed, whichever place it is in.
func TestReadingBesideFolds(t *testing.T) {
	const most = 1500
	all, key := manyRecords(t, most), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	j.db.NoSync, j.foldAfter = true, 50
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		for at := 0; at < most; at += 3 {
			if err := j.Append(all[at : at+3]); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for seen := uint64(0); seen < most; {
		if err := j.Wait(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		from := max(seen, 60) - 59 // some that were read before
		for rec, err := range j.Records(from) {
			if err != nil || rec.Sequence != from || !bytes.Equal(rec.Stored, all[from-1].Stored) {
				t.Fatalf("record %d is %d: %v", from, rec.Sequence, err)
			}
			if at, ok, err := j.Find(rec.Statement.Head().ID); err != nil || !ok || at != from {
				t.Fatalf("record %d is found at %d, %t, %v", from, at, ok, err)
			}
			from++
		}
		if seen = from - 1; seen == 0 {
			t.Fatal("no record is there after the wait for one")
		}
		if _, _, err := j.Prove(seen); err != nil {
			t.Fatal(err)
		}
		if tree := key.opens(t, j.Checkpoint()); tree.N < int64(seen) {
			t.Fatalf("%d records are there, and the checkpoint is of %d", seen, tree.N)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if since := j.recently().since; since < most/2 {
		t.Errorf("%d of %d records were folded: this shows little", since, most)
	}
}
