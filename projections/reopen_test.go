package projections_test

import (
	"context"
	"errors"
	"fmt"
	"muster/projections"
	"muster/projections/projector"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// Saved and opened again at any records, the picture is what folding all records at once gives.
func TestReopenEqualsFold(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := projections.NewStory(t)
		folder, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "projections.db")
		for at := uint64(0); at < s.Last(); {
			at = rapid.Uint64Range(at, s.Last()).Draw(t, "reopened at")
			p, err := projector.Open(context.Background(), path, s.UpTo(at))
			if err != nil {
				t.Fatal(err)
			}
			if p.Discarded() != nil {
				t.Fatalf("the saved file was thrown away: %v", p.Discarded())
			}
			got, want := "", projections.Whole(t, projections.PictureUpTo(s, at))
			err = p.View(func(shown *projections.Picture) error {
				got = projections.Whole(t, shown)
				return nil
			})
			if err = errors.Join(err, p.Close()); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("at record %d: the fingerprint is %s, and a straight fold's is %s",
					at, got, want)
			}
			at++
		}
	})
}

// What a start costs without saved projections, apart from reading and hashing the journal, and
// with them.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int{100_000, 1_000_000} {
		l := projections.StoreLedger(b, records/20, records)
		path := filepath.Join(b.TempDir(), "projections.db")
		open := func(b *testing.B) {
			runtime.GC()
			b.StartTimer()
			p, err := projector.Open(context.Background(), path, l)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			if p.Sequence() != uint64(records) || p.Discarded() != nil {
				b.Fatalf("record %d; %v", p.Sequence(), p.Discarded())
			}
			if err := p.Close(); err != nil {
				b.Fatal(err)
			}
		}
		perRecord := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		}
		b.Run(fmt.Sprintf("%d-records/from-the-first", records), func(b *testing.B) {
			b.StopTimer()
			for range b.N {
				_ = os.Remove(path + ".snapshot")
				_ = os.Remove(path)
				open(b)
			}
			perRecord(b)
		})
		b.Run(fmt.Sprintf("%d-records/saved", records), func(b *testing.B) {
			b.StopTimer()
			for range b.N {
				open(b)
			}
			perRecord(b)
		})
	}
}
