package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/projections/web"
)

// A table fits its terminal: first it leaves out what says least, then text goes on below.
func TestTableFits(t *testing.T) {
	of := web.Table{Head: []string{"requirement", "required", "who", "remarks", "empty",
		"indicated"}, Wide: []string{"indicated"}}
	of.Add(nil, "ground-west", "15000", "FRA 6000, NLD 1500, DEU 800, ITA 400",
		"essential; FRA 80%", "", "7500")
	of.Add(nil, "ground-capital", "3000", "", "9000 wait for an allocation", "", "0")
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, "[14 8 36 27 0 9]"}, {200, "[14 8 36 27 0 9]"}, {80, "[14 8 19 20 0 9]"},
		{60, "[14 8 15 15 0 0]"}, {10, "[14 8 14 14 0 0]"},
	} {
		widths := fit(of, test.width)
		if got := fmt.Sprint(widths); got != test.want {
			t.Errorf("in %d columns: %s, not %s", test.width, got, test.want)
		}
		if is := leftOut(of, widths) != ""; is != (test.width != 0 && test.width < 80) {
			t.Errorf("in %d columns: %q", test.width, leftOut(of, widths))
		}
		for line := range strings.Lines(renderIn(of, test.width, false)) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); test.width >= 60 &&
				n > test.width {
				t.Errorf("%d characters in %d columns: %s", n, test.width, line)
			}
		}
	}
}

func TestRowsAreArranged(t *testing.T) {
	for _, test := range []struct {
		by   string
		top  int
		want string
	}{
		{"", 0, "b10 a9 c"}, {"how-many", 0, "a9 b10 c"}, {"-how many", 2, "c b10"},
		{"who", 1, "a9"},
	} {
		of := web.Table{Head: []string{"who", "how many"}}
		of.Add(nil, "b10", "1,000")
		of.Add(nil, "a9", "90%")
		of.Add(nil, "c", "unknown")
		a := &app{sortBy: test.by, top: test.top}
		if err := a.arrange(&of); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range of.Rows {
			got = append(got, r.Cells[0])
		}
		if want := strings.Fields(test.want); !slices.Equal(got, want) {
			t.Errorf("by %q: %v, not %v", test.by, got, want)
		}
	}
	if err := (&app{sortBy: "x"}).arrange(&web.Table{Head: []string{"who"}}); err == nil {
		t.Error("a column that is not there was sorted by")
	}
}
