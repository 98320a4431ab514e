package projections

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/events"
	"muster/events/compact"
	"muster/projections/records"
)

// sameInside fails unless two pictures are the same to the last member, but for what they keep to
// be faster.
func sameInside(t tb, got, want *Picture) {
	t.Helper()
	kept := map[string]bool{"dates": true, "coverages": true}
	options := cmp.Options{cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool {
		return true
	}), cmp.FilterPath(func(path cmp.Path) bool {
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
		case reflect.TypeFor[numbering[events.Nation]](), reflect.TypeFor[index](),
			reflect.TypeFor[vocabulary]():
			return member.Name() == "mu"
		case reflect.TypeFor[compact.Codec]():
			return member.Name() != "data" && member.Name() != "number" &&
				member.Name() != "recorded"
		}
		return false
	}, cmp.Ignore())}
	// Operations and pledges name each other: of the one only the name is compared, while the other
	// is.
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

// readBack writes a picture into a file of a folder, and opens what was written.
func readBack(t tb, dir string, p *Picture) (*Snapshot, *os.File) {
	t.Helper()
	f := must[*os.File](t)(os.CreateTemp(dir, ""))
	leaf := [sha256.Size]byte{1, 2, 3}
	if err := p.WriteSnapshot(f, leaf); err != nil {
		t.Fatal(err)
	}
	s := must[*Snapshot](t)(OpenSnapshot(f, must[os.FileInfo](t)(f.Stat()).Size()))
	equal(t, "sequence", s.Sequence(), p.Sequence())
	equal(t, "leaf", s.Leaf(), leaf)
	return s, f
}

// What is read from a snapshot is the picture that was written, and it goes on from there as the
// one that was folded row by row does.
func TestSnapshotKeepsThePicture(t *testing.T) {
	if testing.Short() {
		t.Skip("one after the other: there is no race to find")
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := NewPicture()
		for at := uint64(0); at < s.Last(); at++ {
			at = rapid.Uint64Range(at, s.Last()).Draw(t, "written at")
			if err := p.Load(records.Batches(s.upTo(at), p.Sequence()+1), 0); err != nil {
				t.Fatal(err)
			}
			equal(t, "fingerprint", whole(t, p), whole(t, s.pictureUpTo(at)))
			if diff := cmp.Diff(s.pictureUpTo(at).inside(), p.inside()); diff != "" {
				t.Fatal(diff)
			}
			written, f := readBack(t, dir, p)
			again := must[*Picture](t)(written.Picture())
			sameInside(t, again, p)
			p = again
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
	p := newAllKinds(t).picture()
	written, f := readBack(t, dir, p)
	defer f.Close()
	sameInside(t, must[*Picture](t)(written.Picture()), p)
}

// A part whose sum is right and which says what cannot be makes no picture that panics, or none at
// all.
func TestSnapshotPartsThatCannotBe(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other, very often")
	}
	was := newAllKinds(t).picture()
	sound, f := readBack(t, t.TempDir(), was)
	defer f.Close()
	equal(t, "fingerprint", whole(t, must[*Picture](t)(sound.Picture())), whole(t, was))
	refused := 0
	try := func(part int, data []byte) {
		s := *sound
		s.plan = planned{coder: compact.NewReader(sound.plan.coder.Bytes()), rows: sound.plan.rows}
		s.parts = slices.Clone(sound.parts)
		s.parts[part] = writtenPart{bytes.NewReader(data), 0, int64(len(data)), sumOf(data)}
		p, err := s.Picture()
		if err != nil {
			refused++
			return
		}
		for _, pl := range p.pledges {
			_ = pl.at(&Basis{AsOf: p.Sequence(), On: 2026_06_01}, new(standing))
		}
		p.each(&Basis{AsOf: p.Sequence() - 1, On: 2026_06_01}, func(v *version) {
			_, _ = p.pledges[v.pledge], p.kinds.names[v.promisedKind]
		})
	}
	for part := 1; part < len(sound.parts); part++ {
		data := make([]byte, sound.parts[part].size)
		if _, err := f.ReadAt(data, sound.parts[part].at); err != nil {
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

// What a snapshot says of every kind of statement is frozen. When this fails, a row does something
// else to a picture, or is written in another way: see snapshotForm.
func TestSnapshotIsFrozen(t *testing.T) {
	queried, _, _, _ := newQueried(t)
	var all bytes.Buffer
	for _, p := range []*Picture{newAllKinds(t).picture(), queried.picture()} {
		for i, write := range snapshotOf(p, [sha256.Size]byte{}).of(p) {
			c := compact.NewWriter(0)
			write(c)
			fmt.Fprintf(&all, "part %d\n%s", i, hex.Dump(c.Bytes()))
		}
	}
	golden(t, fmt.Sprintf("snapshot-%d.golden", snapshotForm), all.String())
}
