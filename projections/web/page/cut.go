package page

import "strings"

// A page shows of each list as much as people read, and says how much more there is and where all
// of it is; what it counts and sums, it counts and sums over all. A ledger of one operation with
// 60,000 pledges had a page of 8 MB otherwise, which no browser shows in reasonable time.
const (
	// maxListed is how many rows of a list a page shows.
	maxListed = 100
	// maxOpened is how many rows of each list stand beside the matrix, where a cell is opened.
	maxOpened = 50
	// maxStretches is the most stretches of time in the matrix: two years of weeks.
	maxStretches = 106
	// maxSequences is how many records are named in one cell, and maxHanging how many conditions
	// and caveats of a pledge in a list.
	maxSequences = 12
	maxHanging   = 4
)

// A cut is the part of a list that a page shows, and how many more there are.
type cut[T any] struct {
	Shown []T
	More  int
}

// cutAt shows at most so many of a list, the first.
func cutAt[T any](all []T, most int) cut[T] {
	n := min(len(all), most)
	return cut[T]{all[:n], len(all) - n}
}

// cutBefore shows at most so many of a list, the last.
func cutBefore[T any](all []T, most int) cut[T] {
	n := min(len(all), most)
	return cut[T]{all[len(all)-n:], len(all) - n}
}

// A cutNote says that there is more than a page shows, and where all of it is.
type cutNote struct {
	F    *frame
	More int
	At   string
}

// Cut says how many more there are, and where.
func (f *frame) Cut(more int, at string) cutNote { return cutNote{f, more, at} }

// XLSX is the address of rows as a workbook, of that of the same rows as CSV.
func (f *frame) XLSX(csv string) string { return strings.Replace(csv, ".csv", ".xlsx", 1) }

// Form returns the form in which all of it is.
func (c cutNote) Form() string {
	if path, _, _ := strings.Cut(c.At, "?"); strings.HasSuffix(path, ".csv") {
		return "CSV"
	}
	return "JSON"
}
