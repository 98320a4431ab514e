package projections

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/events"
)

// A roll has what a sorted list would have, in whatever order pledges come, and every copy of it
// stays as it was, or goes on by itself.
func TestRoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type pair struct {
			roll  roll
			model []*pledge
		}
		var now pair
		var kept []pair
		watched := false
		next := uint16(0)
		for range rapid.IntRange(0, 4*rollPage).Draw(t, "steps") {
			pl := &pledge{}
			next++
			id := next << 2
			if rapid.IntRange(0, 3).Draw(t, "order") == 0 {
				id = rapid.Uint16Min(1).Draw(t, "id")
			}
			pl.id[0], pl.id[1] = byte(id>>8), byte(id)
			at, there := findByID(now.model, pl.id)
			now.model = slices.Clone(now.model)
			if there {
				now.roll = now.roll.own()
				now.roll.replace(pl)
				now.model[at] = pl
			} else {
				now.roll.add(pl, watched)
				now.model = slices.Insert(now.model, at, pl)
			}
			if rapid.IntRange(0, 99).Draw(t, "share") == 0 {
				watched = true
				kept = append(kept, now)
				other := now.roll.own() // which goes on apart
				other.add(&pledge{id: events.ID{255, 255, 1}}, true)
			}
		}
		for _, was := range append(kept, now) {
			if got := slices.Collect(was.roll.all()); !slices.Equal(got, was.model) {
				t.Fatalf("%d pledges, of %d, or others", len(got), len(was.model))
			}
			var id events.ID
			id[0] = rapid.Byte().Draw(t, "after")
			at, found := findByID(was.model, id)
			if found {
				at++
			}
			if got := slices.Collect(was.roll.after(id)); !slices.Equal(got, was.model[at:]) {
				t.Fatalf("after %x: %d pledges, of %d", id[0], len(got), len(was.model)-at)
			}
		}
	})
}
