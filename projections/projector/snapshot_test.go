package projector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"muster/projections/records"
)

// snapping opens a projector that saves a snapshot whenever it is closed.
func snapping(t tb, path string, source records.Source) *Projector {
	t.Helper()
	return must[*Projector](t)(open(context.Background(), path, source, 1))
}

func closeIt(t tb, p *Projector) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// Snapshots are written when there is much that they would save, and what is written goes on in the
// store as before.
func TestSnapshotsAreWrittenSeldom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	var snapped []uint64
	for at := uint64(1); at <= l.Last(); at++ {
		p := must[*Projector](t)(open(context.Background(), path, l.upTo(at), 10))
		closeIt(t, p)
		equal(t, "thrown away", p.Discarded() != nil, false)
		equal(t, "fingerprint", whole(t, p.picture), whole(t, l.upTo(at).picture()))
		if n := len(snapped); p.snapped > 0 && (n == 0 || snapped[n-1] != p.snapped) {
			snapped = append(snapped, p.snapped)
		}
	}
	equal(t, "written at", fmt.Sprint(snapped[:3]), "[10 20 30]")
	p := &Projector{snapAfter: 10, snapped: 800}
	equal(t, "less than an eighth", p.isWorthSnap(899), false)
	equal(t, "an eighth", p.isWorthSnap(900), true)
}

// Whatever is wrong with a snapshot, it is thrown away, and the picture is built from the first
// record.
func TestUnsoundSnapshotIsThrownAway(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "projections.db")
	l := allKinds(t)
	closeIt(t, snapping(t, path, l))
	sound, store := must[[]byte](t)(os.ReadFile(snapshotPath(path))),
		must[[]byte](t)(os.ReadFile(path))
	want := whole(t, l.picture())
	thrown := func(what string, data []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(snapshotPath(path), data, 0o600),
			os.WriteFile(path, store, 0o600)); err != nil {
			t.Fatal(err)
		}
		p := must[*Projector](t)(open(context.Background(), path, l, 1000))
		if !errors.Is(p.Discarded(), errUnsound) || whole(t, p.picture) != want {
			t.Fatalf("%s: %v", what, p.Discarded())
		}
		if _, err := os.Stat(snapshotPath(path)); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: it is still there: %v", what, err)
		}
		if err := p.store.close(); err != nil {
			t.Fatal(err)
		}
	}
	for at := 0; at < len(sound); at += 1 + at/64 {
		changed := bytes.Clone(sound)
		changed[at] ^= 0x10
		thrown(fmt.Sprintf("byte %d is another", at), changed)
		thrown(fmt.Sprintf("it is cut off at byte %d", at), sound[:at])
	}
	other := newTestLedger(t)
	for range l.Last() {
		other.offer("FRA", 1)
	}
	closeIt(t, snapping(t, filepath.Join(dir, "other.db"), other.upTo(l.Last())))
	thrown("another ledger's",
		must[[]byte](t)(os.ReadFile(snapshotPath(filepath.Join(dir, "other.db")))))
	longer := allKinds(t)
	longer.offer("FRA", 1)
	closeIt(t, snapping(t, filepath.Join(dir, "longer.db"), longer))
	thrown("one of more records",
		must[[]byte](t)(os.ReadFile(snapshotPath(filepath.Join(dir, "longer.db")))))
}

// Another ledger's snapshot under the rows of this one is no part of it.
func TestOtherSnapshotUnderRows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "projections.db")
	l := allKinds(t)
	closeIt(t, snapping(t, path, l.upTo(20)))
	closeIt(t, must[*Projector](t)(open(context.Background(), path, l, 1000)))
	other := newTestLedger(t)
	for range l.Last() {
		other.offer("FRA", 1)
	}
	closeIt(t, snapping(t, filepath.Join(dir, "other.db"), other.upTo(20)))
	if err := os.Rename(snapshotPath(filepath.Join(dir, "other.db")),
		snapshotPath(path)); err != nil {
		t.Fatal(err)
	}
	p := must[*Projector](t)(open(context.Background(), path, l, 1000))
	equal(t, "thrown away", errors.Is(p.Discarded(), errUnsound), true)
	equal(t, "fingerprint", whole(t, p.picture), whole(t, l.picture()))
	closeIt(t, p)
}

// A power cut after the snapshot was written and before the store forgot its rows costs nothing.
func TestSnapshotBesideOldRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	for _, at := range []uint64{l.Last(), 20} {
		closeIt(t, must[*Projector](t)(open(context.Background(), path, l.upTo(20), 1000)))
		old := must[[]byte](t)(os.ReadFile(path))
		closeIt(t, snapping(t, path, l.upTo(at)))
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		// The second adds rows, which the third reads.
		for _, last := range []uint64{at, l.Last(), l.Last()} {
			p := must[*Projector](t)(open(context.Background(), path, l.upTo(last), 1000))
			equal(t, "thrown away", p.Discarded() != nil, false)
			equal(t, "made of the snapshot of", p.snapped, at)
			equal(t, "fingerprint", whole(t, p.picture), whole(t, l.upTo(last).picture()))
			closeIt(t, p)
		}
		if err := discard(path); err != nil {
			t.Fatal(err)
		}
	}
}

// What could not be saved is tried again, and what is not saved is not said to be.
func TestSnapshotThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "projections.db")
	l := allKinds(t)
	p := snapping(t, path, l.upTo(20))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := p.save(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is no folder: %v", err)
	}
	p.source = l
	if err := p.catchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	equal(t, "saved", p.store.saved.cursor, 0)
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	closeIt(t, p)
	again := must[*Projector](t)(open(context.Background(), path, l, 1000))
	equal(t, "made of the snapshot of", again.snapped, l.Last())
	equal(t, "fingerprint", whole(t, again.picture), whole(t, l.picture()))
	closeIt(t, again)
}

// The store keeps no rows that a snapshot has.
func TestSnapshotStandsForItsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	closeIt(t, snapping(t, path, l.upTo(20)))
	closeIt(t, must[*Projector](t)(open(context.Background(), path, l, 1000)))
	s := must[*store](t)(openStore(path))
	var keys []string
	if err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRows).ForEach(func(k, _ []byte) error {
			keys = append(keys, fmt.Sprint(k[7]))
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, "segments", strings.Join(keys, ","), "21")
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

// A rebuilding is compared with what the snapshot says, and takes its place too.
func TestRebuildFindsAWrongSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := allKinds(t)
	p := snapping(t, path, l)
	closeIt(t, p)
	other := newTestLedger(t) // as a fault in the program might have it
	for other.Last() < l.Last() {
		other.offer("FRA", 1)
	}
	leaf := p.store.saved.leaf
	if err := writeSnapshot(snapshotPath(path), leaf, other.picture()); err != nil {
		t.Fatal(err)
	}
	r := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	equal(t, "identical", r.Identical(), false)
	equal(t, "replaced", r.Replaced, true)
	again := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	equal(t, "identical now", again.Identical() && !again.Replaced, true)
}
