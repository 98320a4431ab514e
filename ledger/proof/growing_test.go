package proof

import (
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events/problem"
)

// What is verified piece by piece, however it is cut, is what is verified at once: the same tree
// where nothing is wrong, and the same fault where something is.
func TestGrowing(t *testing.T) {
	good := newHistory(t).offers(40)
	forged := newHistory(t).offers(20)
	forged.say(forged.offer(7), testSigner(t, "FRA/lyon")) // who was never admitted
	forged.offers(10)
	twice := newHistory(t).offers(20)
	again := twice.records[10]
	again.Sequence = uint64(len(twice.records)) + 1
	twice.records = append(twice.records, again)
	twice.tree = tree{}
	for _, rec := range twice.records {
		twice.tree.add(tlog.RecordHash(rec.Stored))
	}
	twice.offers(5)
	sources := map[string]struct {
		h       *history
		entries []Entry
	}{"all is well": {good, good.entries()}, "some are withheld": {good, good.without(5, 6, 30)},
		"a stranger has signed": {forged, forged.entries()}, "a record is there twice": {twice,
			twice.entries()}}
	for what, s := range sources {
		t.Run(what, func(t *testing.T) {
			r := verified(t, s.h.source(s.entries), s.h.trusted())
			rapid.Check(t, func(rt *rapid.T) {
				g := NewGrowing()
				var err error
				for rest := s.entries; len(rest) > 0 && err == nil; {
					n := rapid.IntRange(1, len(rest)).Draw(rt, "n")
					err = g.Add(t.Context(), rest[:n])
					rest = rest[n:]
				}
				root, _ := g.Grown().Root(g.Grown().Size())
				switch {
				case r.Fault == nil && (err != nil || root.String() != r.Root ||
					g.Withheld() != r.Withheld || g.Origin() != r.Origin):
					rt.Fatalf("%v, %s instead of %s", err, root, r.Root)
				case r.Fault != nil && (!problem.Is(err, problem.Unverified) ||
					problem.From(err).Detail != "verification failed: "+r.Fault.String()):
					rt.Fatalf("%v instead of %s", err, r.Fault)
				case r.Fault != nil && g.Add(t.Context(), good.entries()[:1]) != err:
					rt.Fatal("it goes on after a fault")
				}
			})
		})
	}
}

// A tree that was handed out stays as it was while more is added.
func TestGrown(t *testing.T) {
	h := newHistory(t).offers(300)
	g, entries := NewGrowing(), h.entries()
	var before []Grown
	for part := range slices.Chunk(entries, 70) {
		if err := g.Add(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		before = append(before, g.Grown())
	}
	for _, b := range before {
		root, ok := b.Root(b.Size())
		want, _ := h.tree.root(b.Size())
		leaf, there := b.Leaf(uint64(b.Size()))
		if !ok || root != want || !there || leaf != entries[b.Size()-1].leaf() {
			t.Errorf("of %d records: %v, %v", b.Size(), root, leaf)
		}
		if _, ok := b.Leaf(uint64(b.Size()) + 1); ok {
			t.Errorf("of %d records there is one more", b.Size())
		}
	}
}
