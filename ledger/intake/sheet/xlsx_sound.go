package sheet

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"muster/events/phrase"
	"muster/events/problem"
)

// What a workbook may have at most: far more than a sheet of pledges has, and far less than what
// would take this process's memory.
const (
	maxXLSX     = 32 << 20
	maxUnzipped = 128 << 20
	maxParts    = 2000
	maxDepth    = 64
	maxRows     = 200_000
	maxCells    = 1_000_000
	maxMerged   = 1000
)

// soundXLSX refuses a workbook that is damaged, cut, crafted or huge. It goes through all of its
// parts to their end, with their checksums, and through all XML to its end: the library that reads
// the cells would leave out the rest of a sheet that is cut, without an error. It returns how many
// rows with a number each sheet has, so that no fewer are read.
func soundXLSX(data []byte) (rows map[string]int, err error) {
	if len(data) > maxXLSX {
		return nil, problem.New(problem.TooLarge, "the workbook has %d MB, and at most %d are read",
			len(data)>>20, maxXLSX>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, notXLSX(err)
	}
	if len(z.File) > maxParts {
		return nil, notXLSX(phrase.Errorf("it has %d parts", len(z.File)))
	}
	if err := unzips(z, maxUnzipped); errors.Is(err, errHuge) {
		return nil, problem.New(problem.TooLarge, "the workbook unzips into more than %d MB",
			maxUnzipped>>20).WithHint("leave only the sheet with the pledges in it")
	} // what else is wrong is told with its part
	parts := map[string]bool{}
	left := limits{cells: maxCells, merged: maxMerged,
		rows: map[string]int{}, sheets: map[string]string{}, targets: map[string]string{}}
	for _, part := range z.File {
		name := strings.ToLower(path.Clean("/" + strings.ReplaceAll(part.Name, "\\", "/")))
		if parts[name] {
			return nil, notXLSX(phrase.Errorf("its part %q is there twice", part.Name))
		}
		parts[name] = true
		if err := left.part(part, name); err != nil {
			return nil, err
		}
	}
	// Without its styles, for one, a workbook reads well, and its dates are numbers.
	needed := append(slices.Collect(maps.Values(left.targets)), types, workbook, relations)
	for _, part := range needed {
		if !parts[part] {
			return nil, notXLSX(phrase.Errorf("its part %q is missing", part[1:]))
		}
	}
	rows = map[string]int{}
	for sheet, id := range left.sheets {
		rows[sheet] = left.rows[left.targets[id]]
	}
	return rows, nil
}

// The parts that every workbook has; the relations name the others: sheets, styles, texts.
const (
	types     = "/[content_types].xml"
	workbook  = "/xl/workbook.xml"
	relations = "/xl/_rels/workbook.xml.rels"
)

// limits are what may still be read of a workbook.
type limits struct {
	cells, merged int64

	rows    map[string]int    // rows with a number, by part
	sheets  map[string]string // the relation of a sheet, by its name
	targets map[string]string // the part of a relation
}

// part reads a part to its end, where the archive compares its checksum.
func (l *limits) part(part *zip.File, name string) error {
	r, err := part.Open()
	if err != nil {
		return notXLSX(err)
	}
	defer func() { _ = r.Close() }() // it was read, and nothing written
	switch path.Ext(name) {
	case ".xml", ".rels", ".vml":
		err = l.xml(r, name)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return notXLSX(phrase.Errorf("its part %q: %w", part.Name, err))
	}
	return nil
}

// xml goes through the XML of a part to its end, and counts the cells of a sheet.
func (l *limits) xml(r io.Reader, part string) error {
	isSheet := strings.HasPrefix(part, "/xl/worksheets/")
	d := xml.NewDecoder(r)
	depth := 0
	var row seenRow
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.Directive:
			return phrase.Errorf("it has a document type, which no workbook needs")
		case xml.StartElement:
			depth++
			if depth > maxDepth {
				return phrase.Errorf("its elements are more than %d deep", maxDepth)
			}
			switch {
			case part == relations:
				l.relation(token)
			case part == workbook:
				l.sheet(token)
			}
			if !isSheet {
				break
			}
			if err := row.begin(token); err != nil {
				return err
			}
			if err := l.element(token.Name.Local); err != nil {
				return err
			}
		case xml.CharData:
			row.text(token)
		case xml.EndElement:
			depth--
			if isSheet && row.end(token.Name.Local) {
				l.rows[part]++
			}
		}
	}
}

// A seenRow is what was seen of the row that is read: a cell of a number is never empty.
type seenRow struct {
	line, column         int
	number, value, found bool // in a cell of a number, in its value, and there was one
}

// begin takes in the beginning of an element. Rows and cells stand in their order: of two in one
// place, the library would read one.
func (r *seenRow) begin(e xml.StartElement) (err error) {
	at := attribute(e, "r")
	switch e.Name.Local {
	case "row":
		line := r.line + 1
		if at != "" {
			line, err = strconv.Atoi(at)
		}
		if err != nil || line <= r.line {
			return phrase.Errorf("its row %q does not come after row %d", at, r.line)
		}
		*r = seenRow{line: line}
	case "c":
		column, line := r.column+1, r.line
		if at != "" {
			column, line, err = excelize.CellNameToCoordinates(at)
		}
		if err != nil || column <= r.column || line != r.line {
			return phrase.Errorf("its cell %q is not the next one of row %d", at, r.line)
		}
		r.column = column
		kind := attribute(e, "t")
		r.number = kind == "" || kind == "n"
	case "v":
		r.value = r.number
	}
	return nil
}

func (r *seenRow) text(data []byte) {
	r.found = r.found || r.value && len(bytes.TrimSpace(data)) > 0
}

// end reports whether a row with a number ends.
func (r *seenRow) end(name string) bool {
	if name == "v" {
		r.value = false
	}
	return name == "row" && r.found
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// relation notes the part that an element names.
func (l *limits) relation(e xml.StartElement) {
	if e.Name.Local != "Relationship" || attribute(e, "TargetMode") == "External" {
		return
	}
	target := strings.ToLower(attribute(e, "Target"))
	if !strings.HasPrefix(target, "/") {
		target = "/xl/" + target
	}
	l.targets[attribute(e, "Id")] = path.Clean(target)
}

// sheet notes which relation a sheet has.
func (l *limits) sheet(e xml.StartElement) {
	if e.Name.Local == "sheet" {
		l.sheets[attribute(e, "name")] = attribute(e, "id")
	}
}

// element counts an element of a sheet.
func (l *limits) element(name string) error {
	switch name {
	case "c", "row":
		l.cells--
	case "mergeCell":
		l.merged--
	}
	if l.cells < 0 || l.merged < 0 {
		return phrase.Errorf("it has more than %d cells, or %d that are merged", maxCells,
			maxMerged)
	}
	return nil
}

// UnzipsWithin refuses a workbook that unzips into more bytes than so many, whatever it says of
// itself. It keeps nothing of it.
func UnzipsWithin(data []byte, most int64) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		err = unzips(z, most)
	}
	switch {
	case errors.Is(err, errHuge):
		return problem.New(problem.TooLarge, "the workbook unzips into more than %d MB",
			most>>20).WithHint("leave only the sheet with the pledges in it, or import it " +
			"with the program: muster import xlsx FILE")
	case err != nil:
		return notXLSX(err)
	}
	return nil
}

var errHuge = errors.New("it unzips into more than is read")

// unzips unzips an archive, and keeps nothing: it takes a fraction of the time of reading its XML.
// The error is errHuge where it has more bytes than so many.
func unzips(z *zip.Reader, most int64) error {
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, most+1))
		if most -= n; most < 0 {
			err = errHuge
		}
		if err := cmp.Or(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}
