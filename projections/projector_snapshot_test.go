package projections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"muster/events"
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

// sameInside fails unless two pictures are the same to the last member, but for what they keep to be faster.
func sameInside(t tb, got, want *Picture) {
	t.Helper()
	kept := map[string]bool{"dates": true, "coverages": true}
	options := cmp.Options{cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true }), cmp.FilterPath(func(path cmp.Path) bool {
		member, ok := path.Last().(cmp.StructField)
		if !ok {
			return false
		}
		switch path.Index(-2).Type() {
		case reflect.TypeFor[Picture]():
			return kept[member.Name()]
		case reflect.TypeFor[desk]():
			return member.Name() != "plan"
		case reflect.TypeFor[pledge](): // what was published first plays no part any more
			return member.Name() == "begun" || member.Name() == "published"
		case reflect.TypeFor[operation](), reflect.TypeFor[line](): // it is compared by itself
			return member.Name() == "published"
		case reflect.TypeFor[numbering[kind]](): // whose keys have pointers
			return member.Name() != "names"
		case reflect.TypeFor[numbering[events.Nation]](), reflect.TypeFor[index](), reflect.TypeFor[vocabulary]():
			return member.Name() == "mu"
		case reflect.TypeFor[records.Codec]():
			return member.Name() != "data" && member.Name() != "number" && member.Name() != "recorded"
		}
		return false
	}, cmp.Ignore())}
	// Operations and pledges name each other: of the one only the name is compared, while the other is.
	operation := cmp.Comparer(func(a, b *operation) bool { return a.name == b.name })
	theLine := cmp.Comparer(func(a, b *line) bool {
		return a == b || a != nil && b != nil && a.operation == b.operation && a.name == b.name
	})
	thePledge := cmp.Comparer(func(a, b *pledge) bool { return a.id == b.id })
	same := func(got, want any, options ...cmp.Option) {
		t.Helper()
		if diff := cmp.Diff(want, got, options...); diff != "" {
			t.Fatalf("%.4000s", diff)
		}
	}
	same(got, want, options, operation, theLine)
	same(got.operations, want.operations, options, thePledge)
	for i, pl := range want.pledges {
		same(got.pledges[i].now(), pl.now(), options, operation, theLine)
	}
	for name, o := range want.operations {
		same(got.operations[name].now(), o.now(), options, thePledge, theLine)
		for line, l := range o.now().lines {
			same(got.operations[name].now().lines[line].now(), l.now(), options)
		}
	}
	for i, k := range got.kinds.names {
		equal(t, "the number of a kind", got.kinds.of(k), i)
	}
}

// What is read from a snapshot is the picture that was written, and it goes on from there as the one that was folded row by row does.
func TestSnapshotKeepsThePicture(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		path := filepath.Join(must[string](t)(os.MkdirTemp(dir, "")), "projections.db")
		for at := uint64(0); at < s.Last(); at++ {
			at = rapid.Uint64Range(at, s.Last()).Draw(t, "closed at")
			p := snapping(t, path, s.upTo(at))
			p.snapped = 0 // so that it is worth another
			closeIt(t, p)
			equal(t, "fingerprint", whole(t, p.picture), whole(t, s.pictureUpTo(at)))
			if diff := cmp.Diff(s.pictureUpTo(at).inside(), p.picture.inside()); diff != "" {
				t.Fatal(diff)
			}
			again := snapping(t, path, s.upTo(at))
			equal(t, "made of the snapshot of", again.snapped, at)
			sameInside(t, again.picture, p.picture)
			closeIt(t, again)
		}
	})
	l := newAllKinds(t)
	path := filepath.Join(dir, "projections.db")
	p := snapping(t, path, l)
	closeIt(t, p)
	again := snapping(t, path, l)
	equal(t, "made of the snapshot of", again.snapped, l.Last())
	sameInside(t, again.picture, p.picture)
	closeIt(t, again)
}

// Snapshots are written when there is much that they would save, and what is written goes on in the store as before.
func TestSnapshotsAreWrittenSeldom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := newAllKinds(t)
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

// Whatever is wrong with a snapshot, it is thrown away, and the picture is built from the first record.
func TestUnsoundSnapshotIsThrownAway(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "projections.db")
	l := newAllKinds(t)
	closeIt(t, snapping(t, path, l))
	sound, store := must[[]byte](t)(os.ReadFile(snapshotPath(path))), must[[]byte](t)(os.ReadFile(path))
	want := whole(t, l.picture())
	thrown := func(what string, data []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(snapshotPath(path), data, 0o600), os.WriteFile(path, store, 0o600)); err != nil {
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
	thrown("another ledger's", must[[]byte](t)(os.ReadFile(snapshotPath(filepath.Join(dir, "other.db")))))
	longer := newAllKinds(t)
	longer.offer("FRA", 1)
	closeIt(t, snapping(t, filepath.Join(dir, "longer.db"), longer))
	thrown("one of more records", must[[]byte](t)(os.ReadFile(snapshotPath(filepath.Join(dir, "longer.db")))))
}

// Another ledger's snapshot under the rows of this one is no part of it.
func TestOtherSnapshotUnderRows(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "projections.db")
	l := newAllKinds(t)
	closeIt(t, snapping(t, path, l.upTo(20)))
	closeIt(t, must[*Projector](t)(open(context.Background(), path, l, 1000)))
	other := newTestLedger(t)
	for range l.Last() {
		other.offer("FRA", 1)
	}
	closeIt(t, snapping(t, filepath.Join(dir, "other.db"), other.upTo(20)))
	if err := os.Rename(snapshotPath(filepath.Join(dir, "other.db")), snapshotPath(path)); err != nil {
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
	l := newAllKinds(t)
	for _, at := range []uint64{l.Last(), 20} {
		closeIt(t, must[*Projector](t)(open(context.Background(), path, l.upTo(20), 1000)))
		old := must[[]byte](t)(os.ReadFile(path))
		closeIt(t, snapping(t, path, l.upTo(at)))
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, last := range []uint64{at, l.Last(), l.Last()} { // the second adds rows, which the third reads
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
	l := newAllKinds(t)
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

// A part whose sum is right and which says what cannot be makes no picture that panics, or none at all.
func TestSnapshotPartsThatCannotBe(t *testing.T) {
	was := newAllKinds(t).picture()
	path := filepath.Join(t.TempDir(), "snapshot")
	if err := writeSnapshot(path, was.Sequence(), [sha256.Size]byte{}, was); err != nil {
		t.Fatal(err)
	}
	sound := must[*snapshot](t)(openSnapshot(path))
	defer sound.close()
	equal(t, "fingerprint", whole(t, must[*Picture](t)(sound.picture())), whole(t, was))
	refused := 0
	try := func(part int, data []byte) {
		s := *sound
		s.plan = planned{coder: records.NewReader(sound.plan.coder.Bytes()), rows: sound.plan.rows}
		s.parts = slices.Clone(sound.parts)
		s.parts[part] = writtenPart{bytes.NewReader(data), 0, int64(len(data)), sumOf(data)}
		p, err := s.picture()
		if err != nil {
			refused++
			return
		}
		for _, pl := range p.pledges {
			_ = pl.at(&Basis{AsOf: p.Sequence(), On: 2026_06_01}, new(standing))
		}
		p.each(&Basis{AsOf: p.Sequence() - 1, On: 2026_06_01}, func(v *version) { _, _ = p.pledges[v.pledge], p.kinds.names[v.promisedKind] })
	}
	for part := 1; part < len(sound.parts); part++ {
		data := make([]byte, sound.parts[part].size)
		if _, err := sound.file.ReadAt(data, sound.parts[part].at); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(data); at += 1 + at%7 {
			for _, flip := range []byte{0x01, 0x80, 0xFF} {
				changed := bytes.Clone(data)
				changed[at] ^= flip
				try(part, changed)
			}
			try(part, data[:at])
		}
	}
	equal(t, "some were refused", refused > 1000, true)
}

// The store keeps no rows that a snapshot has.
func TestSnapshotStandsForItsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "projections.db")
	l := newAllKinds(t)
	closeIt(t, snapping(t, path, l.upTo(20)))
	closeIt(t, must[*Projector](t)(open(context.Background(), path, l, 1000)))
	s := must[*store](t)(openStore(path))
	var keys []string
	if err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRows).ForEach(func(k, _ []byte) error { keys = append(keys, fmt.Sprint(k[7])); return nil })
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
	l := newAllKinds(t)
	p := snapping(t, path, l)
	closeIt(t, p)
	p.picture.pledges[0].now().facts[0].effective++ // as a fault in the program might have it
	if err := writeSnapshot(snapshotPath(path), p.store.saved.cursor, p.store.saved.leaf, p.picture); err != nil {
		t.Fatal(err)
	}
	r := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	equal(t, "identical", r.Identical(), false)
	equal(t, "replaced", r.Replaced, true)
	again := must[Rebuilding](t)(Rebuild(context.Background(), path, l))
	equal(t, "identical now", again.Identical() && !again.Replaced, true)
}

// What a snapshot says of every kind of statement is frozen. When this fails, a row does something else to a picture, or is written in
// another way: see snapshotForm.
func TestSnapshotIsFrozen(t *testing.T) {
	p := newAllKinds(t).picture()
	var all bytes.Buffer
	for i, write := range snapshotOf(p, p.Sequence(), [sha256.Size]byte{}).of(p) {
		c := records.NewWriter(0)
		write(c)
		fmt.Fprintf(&all, "part %d\n%s", i, hex.Dump(c.Bytes()))
	}
	golden(t, fmt.Sprintf("snapshot-%d.golden", snapshotForm), all.String())
}
