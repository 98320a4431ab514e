package form

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// Version is that of the form. A reader refuses one that is higher.
const Version = 1

// The names of the sheets that are hidden. They are never translated.
const (
	factsSheet = "muster"
	listsSheet = "lists"
)

// A Form says what a workbook is, and as of which record it was filled in.
type Form struct {
	// Name is that of the import of what the form says.
	Name   string
	Ledger events.Origin
	// View is for whom it was filled in, "" where that is for who may read all.
	View events.View
	// Record is the last record that was known, and Recorded when it was recorded.
	Record   uint64
	Recorded time.Time
	// On is the day of which it has what holds; 0 of an older form, which has what holds last.
	On events.Date
	// Operation is what all pledges are to.
	Operation events.Operation
	// Nation is whose pledges they are, "" for those of all nations.
	Nation events.Nation
	// Filled are the pledges that the form was filled in with.
	Filled []events.ID
}

// NewName makes the name of a form, which no other form has.
func NewName(o events.Operation, n events.Nation) string {
	const longest = 64
	parts := []string{"sheet", string(o)}
	if n != "" {
		parts = append(parts, strings.ToLower(string(n)))
	}
	tail := "-" + strings.ToLower(rand.Text()[:8])
	head := strings.Join(parts, "-")
	head = strings.Trim(head[:min(len(head), longest-len(tail))], "-.")
	return head + tail
}

// facts are the cells of the hidden sheet, in this order.
func (f *Form) facts() [][2]string {
	all := [][2]string{{"muster form", strconv.Itoa(Version)}, {"import", f.Name},
		{"ledger", string(f.Ledger)}, {"view", string(f.View)},
		{"record", strconv.FormatUint(f.Record, 10)},
		{"recorded", f.Recorded.UTC().Format(time.RFC3339)}, {"day", date(f.On)},
		{"operation", string(f.Operation)},
		{"nation", string(f.Nation)}, {"rows", strconv.Itoa(len(f.Filled))}}
	for _, id := range f.Filled {
		all = append(all, [2]string{"pledge", id.String()})
	}
	return all
}

// damaged says that the hidden sheet is not as it was written.
func damaged(format string, args ...any) error {
	return problem.New(problem.Invalid, "the hidden sheet %q, by which the form is known again, "+
		"is not as it was written: %s", factsSheet, fmt.Sprintf(format, args...)).
		WithHint("copy the rows into a new form, `muster sheet new`, and leave that sheet as it is")
}

// readFacts reads the hidden sheet; nil where it is that of no form.
func readFacts(t *sheet.Table) (*Form, error) {
	if len(t.Header) < 2 || t.Header[0] != "muster form" {
		return nil, nil
	}
	version, err := strconv.Atoi(t.Header[1])
	switch {
	case err != nil || version < 1:
		return nil, damaged("its version is %q", t.Header[1])
	case version > Version:
		return nil, problem.New(problem.Invalid, "the form is of version %d, and this program "+
			"reads forms up to %d", version, Version).WithHint("use a later version of muster")
	}
	f := &Form{}
	rows := -1
	for _, r := range t.Rows {
		if err := f.take(r.Cells[0], r.Cells[1], &rows); err != nil {
			return nil, damaged("%s %q: %v", r.Cells[0], r.Cells[1], err)
		}
	}
	switch {
	case rows != len(f.Filled):
		return nil, damaged("it tells %d rows, and names %d pledges", rows, len(f.Filled))
	case f.Name == "" || f.Ledger == "" || f.Operation == "":
		return nil, damaged("the import, the ledger or the operation is missing")
	}
	return f, nil
}

// take takes in one of the facts. What a later program has added is left aside.
func (f *Form) take(name, value string, rows *int) (err error) {
	switch name {
	case "import":
		f.Name = value
		if !events.IsImportName(value) {
			err = fmt.Errorf("is no name of an import")
		}
	case "ledger":
		f.Ledger = events.Origin(value)
	case "view":
		f.View = events.View(value)
	case "record":
		f.Record, err = strconv.ParseUint(value, 10, 64)
	case "recorded":
		f.Recorded, err = time.Parse(time.RFC3339, value)
	case "day":
		if value != "" {
			f.On, err = events.ParseDate(value)
		}
	case "operation":
		f.Operation = events.Operation(value)
	case "nation":
		f.Nation = events.Nation(value)
	case "rows":
		*rows, err = strconv.Atoi(value)
	case "pledge":
		var id events.ID
		id, err = events.ParseID(value)
		f.Filled = append(f.Filled, id)
	}
	return err
}
