package projections

import (
	"context"
	"strings"
	"testing"

	"muster/events/problem"
)

func TestReplay(t *testing.T) {
	l := newAllKinds(t)
	var told []uint64
	p := must[*Picture](t)(Replay(context.Background(), l.Records(1), 7, func(seq uint64) {
		told = append(told, seq)
	}))
	equal(t, "up to", p.Sequence(), 7)
	equal(t, "progress", len(told), 7)
	equal(t, "whole", must[*Picture](t)(Replay(context.Background(), l.Records(1), 0, nil)).
		Sequence(), l.Last())
	if _, err := Replay(context.Background(), l.Records(1), l.Last()+1, nil); !problem.Is(err,
		problem.NotFound) {
		t.Errorf("beyond the last: %v", err)
	}
	if _, err := Replay(context.Background(), l.Records(2), 0, nil); err == nil ||
		!strings.Contains(err.Error(), "record 2 does not follow record 0") {
		t.Errorf("not from the first: %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Replay(gone, l.Records(1), 0, nil); !problem.Is(err, problem.Unavailable) {
		t.Errorf("given up: %v", err)
	}
}

// Wherever two histories part, the first record that is another is named.
func TestParting(t *testing.T) {
	l := newAllKinds(t)
	mine := l.picture()
	last := l.Last()
	for at := range last {
		other := newAllKinds(t)
		other.All[at].Recorded = other.All[at].Recorded.Add(1000) // one microsecond later
		theirs := other.picture()
		asked := 0
		parted := must[uint64](t)(mine.Parting(t.Context(), last,
			func(asOf uint64) (string, error) {
				asked++
				return must[Fingerprints](t)(theirs.Fingerprint(t.Context(), asOf)).Whole, nil
			}))
		equal(t, "parted at", parted, at+1)
		if asked > 8 {
			t.Errorf("%d questions for %d records", asked, last)
		}
	}
	alike := must[uint64](t)(mine.Parting(t.Context(), last, func(asOf uint64) (string, error) {
		return whole(t, l.pictureUpTo(asOf)), nil
	}))
	equal(t, "alike", alike, 0)
}
