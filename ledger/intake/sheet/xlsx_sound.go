package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

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
// the cells would leave out the rest of a sheet that is cut, without an error.
func soundXLSX(data []byte) error {
	if len(data) > maxXLSX {
		return problem.New(problem.TooLarge, "the workbook has %d MB, and at most %d are read",
			len(data)>>20, maxXLSX>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return notXLSX(err)
	}
	if len(z.File) > maxParts {
		return notXLSX(fmt.Errorf("it has %d parts", len(z.File)))
	}
	parts := map[string]bool{}
	left := limits{bytes: maxUnzipped, cells: maxCells, merged: maxMerged}
	for _, part := range z.File {
		name := strings.ToLower(path.Clean("/" + strings.ReplaceAll(part.Name, "\\", "/")))
		if parts[name] {
			return notXLSX(fmt.Errorf("its part %q is there twice", part.Name))
		}
		parts[name] = true
		if err := left.part(part, name); err != nil {
			return err
		}
	}
	// Without its styles, for one, a workbook reads well, and its dates are numbers.
	for _, needed := range append(left.named, "/[content_types].xml", "/xl/workbook.xml",
		relations) {
		if !parts[needed] {
			return notXLSX(fmt.Errorf("its part %q is missing", needed[1:]))
		}
	}
	return nil
}

// relations is the part that names the others: sheets, styles, texts.
const relations = "/xl/_rels/workbook.xml.rels"

// limits are what may still be read of a workbook, so that a small file does not unzip into a huge
// one.
type limits struct {
	bytes, cells, merged int64
	named                []string // the parts that the workbook names
}

var errHuge = errors.New("it unzips into more than is read")

// metered is a part that is read, and taken off the limits.
type metered struct {
	io.Reader
	left *limits
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.left.bytes -= int64(n)
	if m.left.bytes < 0 {
		return n, errHuge
	}
	return n, err
}

// part reads a part to its end, where the archive compares its checksum.
func (l *limits) part(part *zip.File, name string) error {
	r, err := part.Open()
	if err != nil {
		return notXLSX(err)
	}
	defer func() { _ = r.Close() }() // it was read, and nothing written
	in := metered{r, l}
	switch path.Ext(name) {
	case ".xml", ".rels", ".vml":
		err = l.xml(in, name)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if errors.Is(err, errHuge) {
		return problem.New(problem.TooLarge, "the workbook unzips into more than %d MB",
			maxUnzipped>>20).WithHint("leave only the sheet with the pledges in it")
	}
	if err != nil {
		return notXLSX(fmt.Errorf("its part %q: %w", part.Name, err))
	}
	return nil
}

// xml goes through the XML of a part to its end, and counts the cells of a sheet.
func (l *limits) xml(r io.Reader, part string) error {
	isSheet := strings.HasPrefix(part, "/xl/worksheets/")
	d := xml.NewDecoder(r)
	depth := 0
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
			return errors.New("it has a document type, which no workbook needs")
		case xml.StartElement:
			depth++
			if depth > maxDepth {
				return fmt.Errorf("its elements are more than %d deep", maxDepth)
			}
			if part == relations {
				l.relation(token)
			}
			if !isSheet {
				break
			}
			if err := l.element(token.Name.Local); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
		}
	}
}

// relation notes the part that an element names.
func (l *limits) relation(e xml.StartElement) {
	target, mode := "", ""
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "Target":
			target = strings.ToLower(a.Value)
		case "TargetMode":
			mode = a.Value
		}
	}
	if e.Name.Local != "Relationship" || mode == "External" {
		return
	}
	if !strings.HasPrefix(target, "/") {
		target = "/xl/" + target
	}
	l.named = append(l.named, path.Clean(target))
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
		return fmt.Errorf("it has more than %d cells, or %d that are merged", maxCells, maxMerged)
	}
	return nil
}
