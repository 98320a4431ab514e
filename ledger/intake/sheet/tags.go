package sheet

import (
	"regexp"
	"slices"
	"strings"
)

// IsTags reports whether the row has the tags of the Humanitarian Exchange Language (#org, #value),
// which stand below a header.
func (r Row) IsTags() bool {
	tags := 0
	for _, c := range r.Cells {
		if strings.HasPrefix(c, "#") {
			tags++
		} else if c != "" {
			return false
		}
	}
	return tags > 0
}

// total matches what stands in front of the sums of a table, in English and French.
var total = regexp.MustCompile(`(?i)^(grand[ -]|sub[ -]?|sous-)?totals?( g[eé]n[eé]ral)?\b|` +
	`^(all|sum|ensemble)$`)

// IsTotal reports whether the row's first cell with something in it says that the row is a total,
// or one of the other cells that are given.
func (r Row) IsTotal(others ...string) bool {
	first := slices.IndexFunc(r.Cells, func(c string) bool { return c != "" })
	return first >= 0 && total.MatchString(r.Cells[first]) ||
		slices.ContainsFunc(others, total.MatchString)
}

// aboveTags looks for a row of tags among the first rows, and keeps its tags. It returns the line
// of the row above it, 0 where there is no such row below the header.
func (t *Table) aboveTags() int {
	const most = 30
	for i, r := range t.Rows[:min(len(t.Rows), most)] {
		if !r.IsTags() {
			continue
		}
		t.tags = r.Cells
		if i > 0 {
			return t.Rows[i-1].Line
		}
		return 0
	}
	return 0
}

// sameTag reports whether two tags have the same attributes, in any order.
func sameTag(a, b string) bool {
	parts := func(tag string) []string {
		all := strings.Split(strings.ToLower(strings.Join(strings.Fields(tag), "")), "+")
		slices.Sort(all[1:])
		return all
	}
	return slices.Equal(parts(a), parts(b))
}
