package peacekeeping

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/events/problem"
)

// The columns that name a row.
const (
	colDate    = "Date"
	colName    = "Contributor"
	colCode    = "Contributor_ISO-3"
	colMission = "Mission"
)

// groups are the columns of numbers, each with the ends _Male, _Female and _Total. The last is the
// sum of the others, which stand in the order of [roles].
var groups = []string{"Troops", "Individual_Police", "Formed_Police_Units",
	"Experts_on_Mission", "Total"}

// layout says at which place of a row the columns are.
type layout struct {
	date, name, code, mission int
	men, women, total         [5]int // by groups
}

// readHeader finds all the columns, and tells all that are missing.
func readHeader(header []string) (layout, error) {
	var l layout
	var missing []string
	find := func(name string) int {
		i := slices.Index(header, name)
		if i < 0 {
			missing = append(missing, name)
		}
		return i
	}
	l.date, l.name, l.code, l.mission = find(colDate), find(colName), find(colCode),
		find(colMission)
	for i, g := range groups {
		l.men[i], l.women[i], l.total[i] = find(g+"_Male"), find(g+"_Female"), find(g+"_Total")
	}
	if missing != nil {
		return l, problem.New(problem.Invalid,
			"this is not the table of contributions: it has no column %s",
			strings.Join(missing, ", ")).
			WithHint("give the CSV file as it was published, with its header line")
	}
	return l, nil
}

// readRows calls row for every row after the header, with its line and the stray apostrophes taken
// off.
func readRows(r io.Reader, row func(l layout, line int, cells []string, stray bool),
	cut func(line int, message string)) error {
	in := csv.NewReader(skipMark(r))
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return problem.New(problem.Syntax, "the file is empty")
	} else if err != nil {
		return notCSV(err)
	}
	l, err := readHeader(header)
	if err != nil {
		return err
	}
	width := len(header)
	for {
		cells, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := in.FieldPos(0)
			cut(line, fmt.Sprintf(
				"has %d cells, and the header has %d: the row is cut, get the file again",
				len(cells), width))
			continue
		case err != nil:
			return notCSV(err)
		}
		line, _ := in.FieldPos(0)
		row(l, line, cells, trim(cells))
	}
}

// skipMark takes off the byte order mark that spreadsheets write.
func skipMark(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = in.Discard(3) // they were peeked at: nothing can fail
	}
	return in
}

func notCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return problem.New(problem.Syntax, "the file is not CSV, or it is cut: %w", err).
			WithHint("get the file again")
	}
	return fmt.Errorf("reading the contributions: %w", err)
}

// trim takes white space and stray apostrophes off the cells, and reports whether there were any of
// the latter.
func trim(cells []string) (stray bool) {
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		cells[i] = strings.Trim(cell, "'’")
		stray = stray || cells[i] != cell
	}
	return stray
}
