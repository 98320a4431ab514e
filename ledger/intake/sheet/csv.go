package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"muster/events/problem"
)

const saveAgain = "save it as CSV in UTF-8 (in Excel: CSV UTF-8)"

// ReadCSV reads CSV as spreadsheets save it: with or without a byte order mark, lines that end in
// LF or CRLF, cells parted by commas, semicolons or tabs. Rows of empty cells are left out. Every
// row must have as many cells as the header. The error is a [problem.Problem].
func ReadCSV(data []byte) (*Table, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := plainText(data); err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = separator(data)
	t := &Table{}
	var cut []problem.Field
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			if err := t.check(cut); err != nil {
				return nil, err
			}
			return t, lastLineEnds(data)
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := r.FieldPos(0)
			cut = append(cut, problem.Field{Location: fmt.Sprintf("line %d", line),
				Message: fmt.Sprintf(
					"has %d cells and the header has %d: a row is cut, or a %q in a text needs "+
						"quotes around the text", len(cells), len(t.Header), r.Comma)})
			continue
		case err != nil:
			return nil, notCSV(err)
		}
		line, _ := r.FieldPos(0)
		t.add(line, cells)
	}
}

func plainText(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return problem.New(problem.Syntax, "the file is empty")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return problem.New(problem.Syntax, "the file is text in UTF-16").WithHint(saveAgain)
	case bytes.IndexByte(data, 0) >= 0:
		return problem.New(problem.Syntax, "the file is not CSV: it holds bytes that no text has").
			WithHint(saveAgain)
	case !utf8.Valid(data):
		return problem.New(problem.Syntax, "the file is not text in UTF-8: line %d",
			1+bytes.Count(data[:firstInvalid(data)], []byte("\n"))).WithHint(saveAgain)
	}
	return nil
}

// lastLineEnds refuses a file whose last row may be cut: 1200 that was cut to 12 looks like any
// other number.
func lastLineEnds(data []byte) error {
	if bytes.HasSuffix(data, []byte("\n")) {
		return nil
	}
	return problem.New(problem.Syntax,
		"the last line has no line end, so the file may be cut in the middle of its last row").
		WithHint("look at the last row; if it is whole, add a line end after it")
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
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

func notCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return problem.New(problem.Syntax,
			`the row in line %d has a quote that is never closed, or one within a text that is not written ""`, parse.StartLine).
			WithHint("the file may be cut: ask for it again, or mend the line")
	}
	return problem.New(problem.Syntax, "the file is not CSV: %w", err).WithHint(saveAgain)
}
