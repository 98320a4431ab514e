package page

import (
	"testing"

	"muster/events"
	"muster/projections"
)

// Zooming and shifting lead from days that can be asked for to days that can be asked for.
func TestDays(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want days
	}{
		{"a day, zoomed in", days{2026_06_01, 2026_06_01}.zoomed(true),
			days{2026_06_01, 2026_06_01}},
		{"a day, zoomed out", days{2026_06_01, 2026_06_01}.zoomed(false),
			days{2026_06_01, 2026_06_02}},
		{"a week, zoomed in", days{2026_06_01, 2026_06_07}.zoomed(true),
			days{2026_06_03, 2026_06_05}},
		{"a week, earlier", days{2026_06_01, 2026_06_07}.shifted(-1), days{2026_05_29, 2026_06_04}},
		{"a day, later", days{2026_06_01, 2026_06_01}.shifted(1), days{2026_06_02, 2026_06_02}},
		{"the first days, earlier", days{1900_01_01, 1900_01_31}.shifted(-1),
			days{1900_01_01, 1900_01_31}},
		{"the last days, zoomed out", days{2199_12_01, 2199_12_31}.zoomed(false),
			days{2199_11_16, 2199_12_31}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if n := (days{2010_01_01, 2029_12_31}.zoomed(false)).count(); n != projections.MaxTimeline {
		t.Errorf("twenty years, zoomed out, are %d days, want the %d that a time line has", n,
			projections.MaxTimeline)
	}
}

// Where nobody says which days, those around the date looked at are shown, or the range looked at.
func TestDaysAround(t *testing.T) {
	for _, c := range []struct {
		on, until events.Date
		want      days
	}{
		{2026_07_01, 0, days{2026_04_01, 2028_03_31}},
		{2026_01_31, 0, days{2025_10_01, 2027_09_30}},
		{2026_01_01, 2026_06_30, days{2026_01_01, 2026_06_30}},
		{2026_07_01, events.LastDate, days{2026_04_01, 2028_03_31}},
		{events.FirstDate, 2026_07_01, days{2026_04_01, 2028_03_31}},
		{1900_01_01, 0, days{1900_01_01, 1901_09_30}},
	} {
		if got := daysAround(&projections.Basis{On: c.on, Until: c.until}); got != c.want {
			t.Errorf("around %v..%v: %v, want %v", c.on, c.until, got, c.want)
		}
	}
	if n := daysAround(&projections.Basis{On: 1950_01_01, Until: 2050_01_01}).
		count(); n != projections.MaxTimeline {
		t.Errorf("a century is shown as %d days", n)
	}
}

// A scale ends above all that is shown, at a round number, and has few of them.
func TestScale(t *testing.T) {
	for _, c := range []struct {
		unit     events.Unit
		n        int64
		most     int64
		steps    int
		whatever string
	}{
		{"personnel", 15_000, 15_000, 3, "a round number is the end"},
		{"personnel", 15_001, 20_000, 4, "beyond it comes the next"},
		{"team", 0, 1, 1, "nothing has a scale, too"},
		{"team", 7, 8, 4, ""},
		{"EUR", 2_500_000_000_00, 2_500_000_000_00, 5, "money counts hundredths"},
		{"personnel", 1 << 53, 10_000_000_000_000_000, 5, "the largest number that there is"},
	} {
		l := &projections.LineTimeline{Unit: c.unit,
			Points: []projections.TimelinePoint{{Required: c.unit.Of(c.n)}}}
		s := newScale(l, 100)
		if s.steps*s.step != c.most || len(s.ticks()) != c.steps+1 {
			t.Errorf("%d %s (%s): up to %d in %d steps, want %d in %d", c.n, c.unit, c.whatever,
				s.steps*s.step, len(s.ticks())-1, c.most, c.steps)
		}
		if top := s.down(c.n); top < 0 || top > 100 {
			t.Errorf("%d %s is drawn %v below the top", c.n, c.unit, top)
		}
	}
}
