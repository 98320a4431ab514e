package sheet

import (
	"bytes"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// ReturnedBook is [Table.Returned] for a workbook: the workbook as it is, with the column in the
// sheet that was read. With only, it is a workbook with that sheet alone, whose head stands where
// it stood, and with the rows alone with which something is. The table was read from a workbook;
// the error is a [problem.Problem].
func (t *Table) ReturnedBook(problems map[int][]string, only bool) (data []byte, err error) {
	defer notBroken(&err)
	if only {
		data, err = t.onlyWrong(problems)
	} else {
		data, err = t.withProblems(problems)
	}
	if err != nil {
		return nil, notXLSX(err)
	}
	return data, nil
}

func (t *Table) withProblems(problems map[int][]string) ([]byte, error) {
	f, err := excelize.OpenReader(bytes.NewReader(t.book), excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // which removes what it has laid aside
	column := slices.Index(t.names, ProblemColumn)
	if column < 0 {
		column = len(t.names)
	}
	if err := t.tellProblems(f, column+1, problems); err != nil {
		return nil, err
	}
	return bytesOf(f)
}

func bytesOf(f *excelize.File) ([]byte, error) {
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// onlyWrong writes the rows with which something is. All cells are text, as they were read: days
// as their dates, and numbers with all their digits.
func (t *Table) onlyWrong(problems map[int][]string) ([]byte, error) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }() // which removes what it has laid aside
	if err := f.SetSheetName("Sheet1", t.sheet); err != nil {
		return nil, err
	}
	old, line := slices.Index(t.names, ProblemColumn), t.head
	row := func(cells []string, last string) error {
		if old >= 0 && old < len(cells) {
			cells = slices.Delete(slices.Clone(cells), old, old+1)
		}
		cells = append(slices.Clip(cells), last)
		at, err := excelize.CoordinatesToCellName(1, line)
		line++
		if err != nil {
			return err
		}
		return f.SetSheetRow(t.sheet, at, &cells)
	}
	if err := row(t.names, ProblemColumn); err != nil {
		return nil, err
	}
	for _, r := range t.all {
		if wrong := problems[r.Line]; len(wrong) > 0 || r.IsTags() {
			if err := row(r.Cells, strings.Join(wrong, "; ")); err != nil {
				return nil, err
			}
		}
	}
	return bytesOf(f)
}

// tellProblems writes the column, in red.
func (t *Table) tellProblems(f *excelize.File, column int, problems map[int][]string) error {
	const wide = 60 // characters
	name, err := excelize.ColumnNumberToName(column)
	if err != nil {
		return err
	}
	red, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Color: "C00000"},
		Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return err
	}
	put := func(line int, text string, style int) error {
		cell, err := excelize.CoordinatesToCellName(column, line)
		if err == nil {
			err = f.SetCellStr(t.sheet, cell, text)
		}
		if err == nil && style > 0 {
			err = f.SetCellStyle(t.sheet, cell, cell, style)
		}
		return err
	}
	if err := f.SetColWidth(t.sheet, name, name, wide); err != nil {
		return err
	}
	if err := put(t.head, ProblemColumn, 0); err != nil {
		return err
	}
	for _, r := range t.all {
		if wrong := problems[r.Line]; len(wrong) > 0 {
			err = put(r.Line, strings.Join(wrong, "; "), red)
		} else if column <= len(t.names) && !r.IsTags() {
			err = put(r.Line, "", 0) // what was told before
		}
		if err != nil {
			return err
		}
	}
	return nil
}
