package journal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"muster/events"
	"muster/events/problem"
)

const testOrigin = "muster.example/test"

// A testKey signs checkpoints, and counts how often.
type testKey struct {
	signer   note.Signer
	verifier note.Verifier
	signed   int
}

func newTestKey(t testing.TB) *testKey {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	k := &testKey{}
	var err1, err2 error
	k.signer, err1 = note.NewSigner(secret)
	k.verifier, err2 = note.NewVerifier(public)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *testKey) sign(tree tlog.Tree) ([]byte, error) {
	k.signed++
	return note.Sign(&note.Note{Text: torchwood.Checkpoint{Origin: testOrigin,
		Tree: tree}.String()}, k.signer)
}

// opens checks a checkpoint with another implementation than that which made it.
func (k *testKey) opens(t *testing.T, signed []byte) tlog.Tree {
	t.Helper()
	c, _, n, err := log.ParseCheckpoint(signed, testOrigin, k.verifier)
	if err != nil || len(n.Sigs) != 1 {
		t.Fatalf("%v:\n%s", err, signed)
	}
	return tlog.Tree{N: int64(c.Size), Hash: tlog.Hash(c.Hash)}
}

func appendTo(t *testing.T, j *Journal, records []events.Record) {
	t.Helper()
	if err := j.Append(records); err != nil {
		t.Fatal(err)
	}
}

// folds waits until the bbolt file has all that was committed.
func folds(t testing.TB, j *Journal) {
	t.Helper()
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.foldAll(); err != nil {
		t.Fatal(err)
	}
}

// Every commit signs once, however many records it has, and the file gives back what was signed.
func TestEachCommitSignsItsTree(t *testing.T) {
	all, key := manyRecords(t, 40), newTestKey(t)
	path := filepath.Join(t.TempDir(), "journal.db")
	j := opened(t, path)
	if err := j.SignCheckpoints(key.sign); err != nil || j.Checkpoint() != nil {
		t.Fatalf("an empty journal has the checkpoint %s, %v", j.Checkpoint(), err)
	}
	for i, end := range []int{1, 2, 20, 40} {
		appendTo(t, j, all[j.Last():end])
		if tree := key.opens(t, j.Checkpoint()); tree != j.Tree() || tree.N != int64(end) ||
			key.signed != i+1 {
			t.Fatalf("after %d records the checkpoint is of %d, signed %d times", end,
				tree.N, key.signed)
		}
	}
	last := j.Checkpoint()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = opened(t, path)
	if !bytes.Equal(j.Checkpoint(), last) {
		t.Errorf("opened again, the checkpoint is\n%s\nand was\n%s", j.Checkpoint(), last)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, checkpoint, err := f.Meta(); err != nil || !bytes.Equal(checkpoint, last) {
		t.Errorf("inspected, the checkpoint is\n%s\n%v", checkpoint, err)
	}
}

// A journal that is older than the signing is signed as a whole when the signing begins.
func TestSigningBeginsWithWhatIsThere(t *testing.T) {
	all, key := manyRecords(t, 3), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	appendTo(t, j, all[:2])
	if err := j.SignCheckpoints(key.sign); err != nil || key.opens(t, j.Checkpoint()) != j.Tree() {
		t.Fatalf("%v:\n%s", err, j.Checkpoint())
	}
	appendTo(t, j, all[2:])
	if tree := key.opens(t, j.Checkpoint()); tree != j.Tree() || tree.N != 3 {
		t.Errorf("the checkpoint is of %d records", tree.N)
	}
}

// When the commit fails, or the signing, there is neither the records nor a checkpoint of them.
func TestRecordsAndTheirCheckpointAreCommittedTogether(t *testing.T) {
	all, key := manyRecords(t, 3), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all[:1])
	before := j.Checkpoint()
	signing := j.sign
	j.sign = func(tlog.Tree) ([]byte, error) { return nil, errors.New("the key is gone") }
	if err := j.Append(all[1:2]); err == nil || j.Last() != 1 ||
		!bytes.Equal(j.Checkpoint(), before) {
		t.Errorf("without a signature: %v, %d records, the checkpoint\n%s", err, j.Last(),
			j.Checkpoint())
	}
	j.sign = signing
	// record 2 is missing
	if err := j.Append(all[2:]); err == nil || !bytes.Equal(j.Checkpoint(), before) {
		t.Errorf("with a gap: %v, the checkpoint\n%s", err, j.Checkpoint())
	}
	appendTo(t, j, all[1:])
	if tree := key.opens(t, j.Checkpoint()); tree.N != 3 {
		t.Errorf("the checkpoint is of %d records", tree.N)
	}
}

// putCheckpoint writes a checkpoint into a closed file, as if it had been signed there.
func putCheckpoint(t *testing.T, path string, signed []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(keyCheckpoint, signed)
		}), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What was signed once binds: a file that does not go on from it is not opened, and both trees are
// named.
func TestAnotherHistoryThanTheSignedOneIsNotOpened(t *testing.T) {
	key := newTestKey(t)
	for name, c := range map[string]struct {
		tree tlog.Tree
		want string
	}{
		"fewer records": {tlog.Tree{N: 9, Hash: tlog.RecordHash(nil)},
			"the last checkpoint signed is of 9 records with the root " +
				"bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=, and the journal has 5 records " +
				"with the root "},
		"another root": {tlog.Tree{N: 4, Hash: tlog.RecordHash(nil)},
			"the last checkpoint signed is of 4 records with the root " +
				"bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=, and the journal has 5 records " +
				"with the root "},
	} {
		path, _ := filled(t, 5)
		signed, err := key.sign(c.tree)
		if err != nil {
			t.Fatal(err)
		}
		putCheckpoint(t, path, signed)
		j, err := Open(path)
		if !problem.Is(err, problem.Unverified) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = j.Close()
		}
	}
}

func TestCheckpointOfSomebodyElseIsNotReplaced(t *testing.T) {
	all, key := manyRecords(t, 60), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	put := func(checkpoint []byte) {
		err := j.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(keyCheckpoint, checkpoint)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, j, all[:1])
	folds(t, j)
	first := j.Checkpoint()
	put([]byte("another"))
	j.foldAfter = 1
	appendTo(t, j, all[1:2]) // goes into the tail, and is to be folded with the next
	_ = j.Append(all[2:3])   // which begins to fold
	for begun := time.Now(); j.Append(all[j.Last():j.Last()+1]) == nil; {
		if j.Last() > 50 || time.Since(begun) > 20*time.Second {
			t.Fatalf("a checkpoint that somebody else had put there holds up nothing: there are "+
				"%d records", j.Last())
		}
	}
	last := j.Last()
	err := j.db.View(func(tx *bbolt.Tx) error {
		if got := tx.Bucket(bucketMeta).Get(keyCheckpoint); string(got) != "another" {
			return fmt.Errorf("it was written over: %s", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := j.Append(all[last : last+1]); err == nil ||
		!strings.Contains(err.Error(), "somebody else has signed") {
		t.Errorf("it goes on: %v", err)
	}
	put(first)
	appendTo(t, j, all[last:last+1])
}

// Inclusion and consistency are proved as another implementation has them, for every size: in trees
// that are small or end with a tile for every record, and in the others for each eleventh.
func TestEveryProofAgainstAnotherImplementation(t *testing.T) {
	most := 300
	if testing.Short() {
		most = 70
	}
	all, key, hasher := manyRecords(t, most), newTestKey(t), rfc6962.DefaultHasher
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	j.db.NoSync, j.foldAfter = true, 7 // so that some are in the file and some in the tail
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	var trees []tlog.Tree
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(testOrigin),
		torchwood.SingleVerifierPolicy(key.verifier))
	for size := uint64(1); size <= uint64(most); size++ {
		appendTo(t, j, all[size-1:size])
		tree := key.opens(t, j.Checkpoint())
		trees = append(trees, tree)
		for sequence := uint64(1); sequence <= size; sequence++ {
			each := size <= 100 || size > 250 && size <= 260
			if (testing.Short() || !each) && sequence%11 != size%11 && sequence != size {
				continue
			}
			stored, p, checkpoint, err := j.prove(sequence)
			if err != nil || !bytes.Equal(stored, all[sequence-1].Stored) ||
				!bytes.Equal(checkpoint, j.Checkpoint()) {
				t.Fatalf("record %d of %d: %v", sequence, size, err)
			}
			if _, text, err := j.Prove(sequence); err != nil ||
				torchwood.VerifyProof(policy, tlog.RecordHash(stored), text) != nil {
				t.Fatalf("record %d of %d, as text: %v\n%s", sequence, size, err, text)
			}
			if err := proof.VerifyInclusion(hasher, sequence-1, size, hasher.HashLeaf(stored),
				hashesOf(p), tree.Hash[:]); err != nil {
				t.Fatalf("record %d of %d: %v", sequence, size, err)
			}
		}
		reader := tlog.TileHashReader(tree, j.Tiles())
		for _, old := range trees {
			if testing.Short() && uint64(old.N)%11 != size%13 {
				continue
			}
			root, err := j.RootAt(old.N)
			if err != nil || root != old.Hash {
				t.Fatalf("the root of %d records, of %d, is %s, %v", old.N, size, root, err)
			}
			p, err := tlog.ProveTree(tree.N, old.N, reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyConsistency(hasher, uint64(old.N), size, hashesOf(p), old.Hash[:],
				tree.Hash[:]); err != nil {
				t.Fatalf("from %d to %d: %v", old.N, size, err)
			}
		}
	}
}

func hashesOf[P ~[]tlog.Hash](p P) (all [][]byte) {
	for _, h := range p {
		all = append(all, bytes.Clone(h[:]))
	}
	return all
}

func TestNoProofBeyondTheCheckpoint(t *testing.T) {
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	appendTo(t, j, manyRecords(t, 2))
	for _, sequence := range []uint64{0, 1, 3} {
		if _, _, err := j.Prove(sequence); !problem.Is(err, problem.Unavailable) {
			t.Errorf("record %d, without a checkpoint: %v", sequence, err)
		}
	}
	for _, size := range []int64{-1, 0, 3} {
		if root, err := j.RootAt(size); !problem.Is(err, problem.NotFound) {
			t.Errorf("the root of %d records: %s, %v", size, root, err)
		}
	}
}

// The hash of a record is that of its bytes; of what is not there, there is none.
func TestLeafHashes(t *testing.T) {
	all, j := manyRecords(t, 5), opened(t, filepath.Join(t.TempDir(), "journal.db"))
	appendTo(t, j, all)
	hashes, err := j.LeafHashes([]uint64{5, 1})
	if err != nil || !slices.Equal(hashes, []tlog.Hash{tlog.RecordHash(all[4].Stored),
		tlog.RecordHash(all[0].Stored)}) {
		t.Errorf("%v, %v", hashes, err)
	}
	if hashes, err := j.LeafHashes(nil); len(hashes) > 0 || err != nil {
		t.Errorf("of none: %v, %v", hashes, err)
	}
	for _, n := range []uint64{0, 6} {
		if _, err := j.LeafHashes([]uint64{n}); !problem.Is(err, problem.NotFound) {
			t.Errorf("record %d: %v", n, err)
		}
	}
}

// A damaged tile gives no proof, and once it is mended nothing of it is left over.
func TestProofOfADamagedTile(t *testing.T) {
	all, key := manyRecords(t, 8), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all)
	folds(t, j)
	flip := func() {
		err := j.db.Update(func(tx *bbolt.Tx) error {
			at := tileKey(tlog.Tile{H: TileHeight})
			data := bytes.Clone(tx.Bucket(bucketTiles).Get(at))
			data[40] ^= 1
			return tx.Bucket(bucketTiles).Put(at, data)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	flip()
	for _, sequence := range []uint64{1, 8} {
		if _, _, err := j.Prove(sequence); !problem.Is(err, problem.Unverified) {
			t.Errorf("record %d: %v", sequence, err)
		}
	}
	if _, err := j.RootAt(3); !problem.Is(err, problem.Unverified) {
		t.Errorf("the root of 3 records: %v", err)
	}
	if _, err := j.LeafHashes([]uint64{2}); !problem.Is(err, problem.Unverified) {
		t.Errorf("the hash of record 2: %v", err)
	}
	if _, err := j.Tile(tlog.Tile{H: TileHeight, W: 8}); !problem.Is(err, problem.Unverified) {
		t.Errorf("the tile itself: %v", err)
	}
	flip()
	if _, _, err := j.Prove(1); err != nil {
		t.Error(err)
	}
}

func TestTilesWithinTheCheckpoint(t *testing.T) {
	all, key := manyRecords(t, 300), newTestKey(t)
	j := opened(t, filepath.Join(t.TempDir(), "journal.db"))
	if err := j.SignCheckpoints(key.sign); err != nil {
		t.Fatal(err)
	}
	appendTo(t, j, all)
	for _, path := range []string{"tile/0/000", "tile/0/000.p/1", "tile/0/001.p/44",
		"tile/0/001.p/7", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
		"tile/entries/000.p/255"} {
		tile, err := torchwood.ParseTilePath(path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := j.Tile(tile)
		if err != nil || tile.L >= 0 && len(data) != tile.W*tlog.HashSize {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
		for i := 0; tile.L < 0 && i < tile.W; i++ {
			var entry []byte
			if entry, data, err = torchwood.ReadTileEntry(data); err != nil ||
				!bytes.Equal(entry, all[int(tile.N)*256+i].Stored) {
				t.Fatalf("%s, entry %d: %v", path, i, err)
			}
		}
	}
	for _, path := range []string{"tile/0/001", "tile/0/001.p/45", "tile/0/002.p/1",
		"tile/1/000.p/2", "tile/2/000.p/1", "tile/7/000.p/1", "tile/8/000.p/1", "tile/63/000.p/1",
		"tile/entries/001", "tile/entries/x999/x999/x999/x999/x999/999.p/1"} {
		tile, err := torchwood.ParseTilePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := j.Tile(tile); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
}
