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
