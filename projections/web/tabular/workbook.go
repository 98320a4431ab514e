package tabular

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// MaxRows is how many rows a sheet of a workbook has, its head left out.
const MaxRows = excelize.TotalRows - 1

// ErrTooManyRows is the error of more of them.
var ErrTooManyRows = errors.New("a workbook has no more rows than " + strconv.Itoa(MaxRows))

// maxCell is how many characters a cell has in a spreadsheet, as UTF-16 counts them.
const maxCell = excelize.TotalCellChars

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// aboutSheet is the sheet of the facts.
const aboutSheet = "about"

// A workbook writes XLSX. What is written waits on the disk when it is more than 16 MB, and is then
// packed in memory; w is given nothing before the end.
type workbook struct {
	file    *excelize.File
	to      io.Writer
	rows    *excelize.StreamWriter
	columns []Column
	next    int // row
	closed  bool
	styles  map[string]int // by the form of a number
	head    int
}

// NewWorkbook begins a workbook, with the rows on a sheet of a name, and the facts on another. Its
// text is text, whatever a spreadsheet would take it for. What is longer than a cell can be ends
// with how much is left out.
func NewWorkbook(w io.Writer, sheet string, columns []Column, facts []Fact) (Writer, error) {
	b := &workbook{file: excelize.NewFile(), to: w, columns: columns, next: 1,
		styles: map[string]int{}}
	err := b.begin(sheet, facts)
	if err != nil {
		return nil, errors.Join(err, b.file.Close())
	}
	return b, nil
}

func (b *workbook) begin(sheet string, facts []Fact) (err error) {
	if err := b.file.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	for _, form := range forms { // in order, so that the same rows make the same bytes
		if b.styles[form], err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &form}); err != nil {
			return err
		}
	}
	bold := &excelize.Style{Font: &excelize.Font{Bold: true}}
	if b.head, err = b.file.NewStyle(bold); err != nil {
		return err
	}
	if err := b.tell(facts); err != nil {
		return err
	}
	if b.rows, err = b.file.NewStreamWriter(sheet); err != nil {
		return err
	}
	names := make([]any, len(b.columns))
	for i, c := range b.columns {
		names[i] = excelize.Cell{StyleID: b.head, Value: c.Name}
		if err := b.rows.SetColWidth(i+1, i+1, width(c)); err != nil {
			return err
		}
	}
	if err := b.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2",
		ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return b.add(names)
}

// width is how wide a column is, in characters.
func width(c Column) float64 {
	least := map[Kind]int{Text: 14, Count: 10, Amount: 14, Percent: 10, Day: 12, Moment: 20}[c.Kind]
	return float64(max(least, len(c.Name)+2))
}

// tell writes the sheet of the facts.
func (b *workbook) tell(facts []Fact) error {
	if _, err := b.file.NewSheet(aboutSheet); err != nil {
		return err
	}
	if err := b.file.SetColWidth(aboutSheet, "A", "B", 30); err != nil {
		return err
	}
	for i, f := range facts {
		row := []any{f.Name, fitting(f.Value)}
		if err := b.file.SetSheetRow(aboutSheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
			return err
		}
	}
	return nil
}

// Write implements [Writer].
func (b *workbook) Write(rows [][]string) error {
	for _, cells := range rows {
		if b.next > MaxRows+1 {
			return ErrTooManyRows
		}
		row := make([]any, len(b.columns))
		for i, c := range b.columns {
			row[i] = b.cell(c.Kind, cells[i])
		}
		if err := b.add(row); err != nil {
			return err
		}
	}
	return nil
}

func (b *workbook) add(row []any) error {
	at, err := excelize.CoordinatesToCellName(1, b.next)
	if err != nil {
		return err
	}
	b.next++
	return b.rows.SetRow(at, row)
}

// cell is what a cell says. What cannot be what its column has is text.
func (b *workbook) cell(k Kind, cell string) any {
	if cell == "" {
		return nil
	}
	as := func(form string, v any) any {
		return excelize.Cell{StyleID: b.styles[form], Value: v}
	}
	switch k {
	case Count, Amount, Mixed:
		n, err := strconv.ParseFloat(cell, 64)
		switch {
		case err != nil || digits(cell) > exactDigits:
		case k == Count:
			return n
		case strings.Contains(cell, "."):
			return as(money, n)
		default:
			return as(whole, n)
		}
	case Percent:
		if n, err := strconv.ParseInt(strings.TrimSuffix(cell, "%"), 10, 32); err == nil {
			return as(percent, float64(n)/100)
		}
	case Day:
		if day, err := time.Parse(time.DateOnly, cell); err == nil && inDays(day) {
			return as(days, day)
		}
	case Moment:
		if at, err := moment(cell); err == nil && inDays(at) {
			return as(moments, at.Truncate(time.Second))
		}
	}
	return fitting(cell)
}

// The forms of numbers, which a spreadsheet shows in the words of its user.
const (
	whole   = "#,##0"
	percent = "0%"
	money   = "#,##0.00"
	days    = "yyyy-mm-dd"
	moments = "yyyy-mm-dd hh:mm:ss"
)

var forms = []string{whole, money, percent, days, moments}

func digits(cell string) (n int) {
	for _, c := range cell {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// inDays reports whether a spreadsheet can count a day: it counts from 1900 on, whose February it
// takes to have 29 days.
func inDays(day time.Time) bool { return day.Year() > 1900 && day.Year() < 10000 }

// fitting is a text as a cell can have it.
func fitting(text string) string {
	if len(text) <= maxCell {
		return text
	}
	units := utf16.Encode([]rune(text))
	if len(units) <= maxCell {
		return text
	}
	const room = 100 // for what is said
	cut := string(utf16.Decode(units[:maxCell-room]))
	return strings.TrimRight(cut, "\uFFFD") + fmt.Sprintf(
		" […: %d more characters, which the list has as CSV, JSON and Parquet]",
		len(units)-maxCell+room)
}

// Close implements [Writer].
func (b *workbook) Close() error {
	err := b.rows.Flush()
	if err == nil {
		_, err = b.file.WriteTo(b.to)
	}
	b.closed = true
	return errors.Join(err, b.file.Close())
}

// Discard implements [Writer]: it removes what waits on the disk.
func (b *workbook) Discard() {
	if !b.closed {
		b.closed = true
		_ = b.file.Close()
	}
}
