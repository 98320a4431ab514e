package projections

import (
	"context"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// A picture that readers have stays as it was, whatever comes after it: at the end each answers as
// a picture does that has never seen more. Half of them are asked beside the writer already, which
// the race detector watches.
func TestPicturesStayAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t)
		p := NewPicture()
		p.watched = true
		var shown []Picture
		var readers sync.WaitGroup
		for range rapid.IntRange(5, 25).Draw(t, "records") {
			s.tell()
			for _, rec := range s.All[p.Sequence():] {
				if err := p.Apply(rec); err != nil {
					t.Fatal(err)
				}
			}
			picture := *p
			shown = append(shown, picture)
			if len(shown)%2 == 0 {
				readers.Go(func() { read(&picture) })
			}
		}
		readers.Wait()
		for i := range shown {
			alone := s.pictureUpTo(shown[i].Sequence())
			for _, m := range []Moment{{On: day(9)}, {On: day(20), Rung: Indicated}} {
				if got, want := s.everything(&shown[i], m), s.everything(alone, m); got != want {
					t.Fatalf("the picture of record %d has become another:\n%s\nand was\n%s",
						shown[i].Sequence(), got, want)
				}
			}
		}
	})
}

// read asks a picture questions that look at all it has.
func read(p *Picture) {
	ctx, m := context.Background(), Moment{On: day(9)}
	_, _ = p.Coverage(ctx, m, CoverageFilter{})
	_, _ = p.Coverage(ctx, m, CoverageFilter{Brief: true})
	_, _ = p.Nation(ctx, m, "FRA", "")
	_, _ = p.Review(ctx, m, Filter{})
	if len(p.pledges) > 0 {
		_, _ = p.Versions(ctx, m, p.pledges[0].id)
	}
	_, _ = p.Opening(m, "")
	_, _ = p.Fingerprint(ctx, 0)
}
