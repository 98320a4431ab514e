package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"muster/events/problem"
)

// A Form says of a file what does not stand in it.
type Form struct {
	// Header is the line in which the header begins; 0 for the one above a row of tags, or else for
	// the first one.
	Header int
	// Encoding is the name of the text's encoding ("windows-1252"); empty for what is found: UTF-8,
	// or what the first bytes say.
	Encoding string
	// Sheet is the name of the sheet of a workbook; empty for the first that is not hidden.
	Sheet string
}

// ReadCSV reads CSV as spreadsheets save it: with or without a byte order mark, lines that end in
// LF or CRLF, cells parted by commas, semicolons or tabs. Rows of empty cells are left out. Who
// has left out what else is no row asks [Table.Check]. The error is a [problem.Problem].
func ReadCSV(data []byte, form Form) (*Table, error) { return reading(readCSV, data, form) }

// reading reads a file, and again where a row of tags shows that its header is not the first row.
func reading(read func([]byte, Form) (*Table, error), data []byte, form Form) (*Table, error) {
	t, err := read(data, form)
	if err != nil {
		return nil, err
	}
	if line := t.aboveTags(); line > 0 && form.Header == 0 {
		form.Header = line
		if t, err = read(data, form); err != nil {
			return nil, err
		}
	}
	t.aboveTags()
	return t, nil
}

func readCSV(data []byte, form Form) (*Table, error) {
	data, err := toUTF8(data, form.Encoding)
	if err != nil {
		return nil, err
	}
	above, body, err := headerFrom(data, form.Header)
	if err != nil {
		return nil, err
	}
	t := &Table{above: above, comma: separator(body)}
	before := bytes.Count(above, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord = t.comma, -1
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			if err := t.lastLineEnds(data); err != nil {
				return nil, err
			}
			return t, nil
		case err != nil:
			return nil, notCSV(err, before)
		}
		line, _ := r.FieldPos(0)
		t.add(before+line, cells)
	}
}

// headerFrom parts what stands above the header from the rest.
func headerFrom(data []byte, line int) (above, rest []byte, err error) {
	at := 0
	for range line - 1 {
		end := bytes.IndexByte(data[at:], '\n')
		if end < 0 {
			return nil, nil, problem.New(problem.Invalid,
				"the mapping says that the header is line %d, and the file has %d lines", line,
				lineOf(data, len(data)))
		}
		at += end + 1
	}
	return data[:at], data[at:], nil
}

// lastLineEnds refuses a file whose last row may be cut: 1200 that was cut to 12 looks like any
// other number. A row that lacks cells says that better.
func (t *Table) lastLineEnds(data []byte) error {
	if bytes.HasSuffix(data, []byte("\n")) {
		return nil
	}
	if err := t.Check(); err != nil {
		return err
	}
	return problem.New(problem.Syntax,
		"the last line has no line end, so the file may be cut in the middle of its last row").
		WithHint("look at the last row; if it is whole, add a line end after it")
}

// separator returns the one of comma, semicolon and tab that the header has most of, outside of
// quotes.
func separator(data []byte) rune {
	header, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n"), []byte("\n"))
	count := map[rune]int{}
	quoted := false
	for _, c := range string(header) {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			count[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}

func notCSV(err error, before int) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return problem.New(problem.Syntax,
			"the row in line %d has a quote that is never closed, or one within a text that is "+
				`not written ""`, before+parse.StartLine).
			WithHint("the file may be cut: ask for it again, or mend the line")
	}
	return problem.New(problem.Syntax, "the file is not CSV: %w", err).WithHint("%s", saveAgain)
}
