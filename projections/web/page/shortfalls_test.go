package page

import (
	"testing"

	"muster/projections"
)

// The page tells of some of what could fill a gap, and of how many more there are.
func TestWhatCouldFillIsBounded(t *testing.T) {
	for there, more := range map[int]int{0: 0, 1: 0, 20: 0, 21: 1, 900: 880} {
		got := (&shortfalls{}).CouldFill(
			projections.Gap{Could: make([]projections.NotCounted, there)})
		if len(got.Shown) != there-more || got.More != more {
			t.Errorf("of %d it tells %d and that there are %d more", there,
				len(got.Shown), got.More)
		}
	}
}
