package sheet

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/events/phrase"
	"muster/events/problem"
)

// IsXLSX reports whether the data begins as a workbook does.
func IsXLSX(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// ReadXLSX reads a sheet of a workbook: the one of the form's name, or else the first that is not
// hidden. Numbers are as the workbook has them, with all their digits, and days are dates, whatever
// they are shown as. A workbook that is damaged, cut, crafted or huge is refused before anything is
// read from it: see [soundXLSX]. The error is a [problem.Problem].
func ReadXLSX(data []byte, form Form) (*Table, error) {
	b, err := OpenBook(data)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return b.Read(form)
}

// ReadOneSheet is [ReadXLSX], but that it refuses a workbook in which several sheets that are not
// hidden have the same columns, where none is named: the others would be left out without a word.
// Hidden ones are left out, and the table names them: see [Table.HiddenAlike].
func ReadOneSheet(data []byte, form Form) (*Table, error) {
	t, err := ReadAmong(data, form)
	if err != nil || len(t.alike) == 0 {
		return t, err
	}
	return nil, problem.New(problem.Invalid, "the sheets %q and %q have the same columns, "+
		"and nothing says which is meant", t.sheet, t.alike[0]).
		WithHint("say under sheet in the mapping which one it is, and bring in each by itself")
}

// ReadAmong is [ReadXLSX], but that it reads the other sheets, too, where none is named, and notes
// which have the same columns: see [Table.Alike] and [Table.HiddenAlike].
func ReadAmong(data []byte, form Form) (*Table, error) {
	b, err := OpenBook(data)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	t, err := b.Read(form)
	if err != nil || form.Sheet != "" {
		return t, err
	}
	for _, other := range b.Sheets() {
		if other == t.sheet {
			continue
		}
		form.Sheet = other
		too, err := b.Read(form)
		switch {
		case err != nil || len(too.Rows) == 0 || !slices.EqualFunc(t.Header, too.Header,
			func(a, b string) bool { return Fold(a) == Fold(b) }):
		case too.isHidden:
			t.hiddenAlike = append(t.hiddenAlike, other)
		default:
			t.alike = append(t.alike, other)
		}
	}
	return t, nil
}

// A Book is a workbook that is being read. It is for one goroutine.
type Book struct {
	data     []byte
	f        *excelize.File
	least    map[string]int // rows with a number that each sheet has
	from1904 bool
	dates    map[int]bool // whether a style shows days
}

// OpenBook opens a workbook, which is closed by whoever has opened it. What [ReadXLSX] says of
// workbooks holds here, too.
func OpenBook(data []byte) (b *Book, err error) {
	least, err := soundXLSX(data)
	if err != nil {
		return nil, err
	}
	defer notBroken(&err)
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true,
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, notXLSX(err)
	}
	b = &Book{data: data, f: f, least: least, dates: map[int]bool{}}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		b.from1904 = *props.Date1904
	}
	return b, nil
}

// notBroken makes an error of a panic: the library has panicked on crafted files before.
func notBroken(err *error) {
	if broken := recover(); broken != nil {
		*err = notXLSX(fmt.Errorf("%v", broken))
	}
}

// Close removes what the workbook has laid aside.
func (b *Book) Close() { _ = b.f.Close() } // nothing was written

// Sheets returns the names of the sheets, hidden ones too.
func (b *Book) Sheets() []string { return b.f.GetSheetList() }

// From1904 reports whether the days of the workbook are counted from 1904 on, and not from 1900.
func (b *Book) From1904() bool { return b.from1904 }

// Read reads a sheet, as [ReadXLSX] does.
func (b *Book) Read(form Form) (t *Table, err error) {
	defer notBroken(&err)
	sheet, err := b.choose(form.Sheet)
	if err != nil {
		return nil, err
	}
	return reading(func(_ []byte, form Form) (*Table, error) {
		return b.table(form, sheet)
	}, nil, form)
}

func notXLSX(err error) error {
	return problem.New(problem.Syntax, "the file is no workbook that can be read: %w", err).
		WithHint("save it again as XLSX, or as CSV in UTF-8")
}

func (b *Book) choose(name string) (string, error) {
	all := b.f.GetSheetList()
	for _, sheet := range all {
		visible, err := b.f.GetSheetVisible(sheet)
		if err != nil {
			return "", notXLSX(err)
		}
		if name == sheet || name == "" && visible {
			return sheet, nil
		}
	}
	return "", problem.New(problem.Invalid, "the workbook has no such sheet: it has %s",
		strings.Join(all, ", ")).WithHint("say under sheet in the mapping which one it is")
}

// table reads the rows of a sheet, of which no fewer are found than it has.
func (b *Book) table(form Form, sheet string) (*Table, error) {
	rows, err := b.f.Rows(sheet)
	if err != nil {
		return nil, notXLSX(err)
	}
	defer func() { _ = rows.Close() }()
	visible, err := b.f.GetSheetVisible(sheet)
	if err != nil {
		return nil, notXLSX(err)
	}
	t := &Table{comma: ',', book: b.data, sheet: sheet, isHidden: !visible,
		hiddenRows: map[int]bool{}}
	line, cells, found := 0, 0, 0
	for rows.Next() {
		line++
		raw, err := rows.Columns()
		if err != nil {
			return nil, notXLSX(err)
		}
		cells += len(raw)
		if line > maxRows || cells > maxCells {
			return nil, notXLSX(phrase.Errorf("its sheet %q reaches further than %d rows or %d "+
				"cells", sheet, maxRows, maxCells))
		}
		if slices.ContainsFunc(raw, func(c string) bool { return c != "" }) {
			found++
		}
		if line < form.Header {
			continue
		}
		cells := make([]string, len(raw))
		for i := range raw {
			if cells[i], err = b.cell(sheet, i+1, line, raw[i]); err != nil {
				return nil, err
			}
		}
		t.add(line, t.fit(cells))
		if shown, err := b.f.GetRowVisible(sheet, line); err != nil {
			return nil, notXLSX(err)
		} else if !shown {
			t.hiddenRows[line] = true
		}
	}
	if err := cmp.Or(rows.Error(), b.hideColumns(t, sheet)); err != nil {
		return nil, notXLSX(err)
	}
	if found < b.least[sheet] {
		return nil, notXLSX(phrase.Errorf("its sheet %q has %d rows with numbers, of which %d are "+
			"found", sheet, b.least[sheet], found))
	}
	return t, nil
}

// hideColumns notes which columns with a name are hidden.
func (b *Book) hideColumns(t *Table, sheet string) error {
	for i, name := range t.names {
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		shown, err := b.f.GetColVisible(sheet, letter)
		if err != nil {
			return err
		}
		if !shown && name != "" {
			t.hiddenColumns = append(t.hiddenColumns, name)
		}
	}
	return nil
}

// fit gives a row the width of the header: a workbook does not keep empty cells at its end.
func (t *Table) fit(cells []string) []string {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	for len(cells) < len(t.Header) {
		cells = append(cells, "")
	}
	return cells
}

var scientific = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,3}$`)

// cell returns the text of a cell: of a day, its date; of a number, its digits.
func (b *Book) cell(sheet string, column, line int, raw string) (string, error) {
	name, err := excelize.CoordinatesToCellName(column, line)
	if err != nil {
		return "", notXLSX(err)
	}
	kind, err := b.f.GetCellType(sheet, name)
	if err != nil {
		return "", notXLSX(err)
	}
	if kind == excelize.CellTypeError {
		return "", problem.New(problem.Invalid, "the cell %s of the sheet %q is an error, %s: "+
			"mend it, and save the workbook again", name, sheet, raw)
	}
	if raw == "" {
		formula, err := b.f.GetCellFormula(sheet, name)
		if err == nil && formula != "" {
			err = problem.New(problem.Invalid, "the cell %s of the sheet %q is a formula without "+
				"a result: open the workbook in a spreadsheet program and save it", name, sheet)
		}
		return "", err
	}
	if kind == excelize.CellTypeBool { // which the workbook keeps as 1 or 0
		return strings.ToUpper(strconv.FormatBool(raw != "0")), nil
	}
	if kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset &&
		kind != excelize.CellTypeFormula {
		return raw, nil
	}
	if scientific.MatchString(raw) {
		if r, ok := new(big.Rat).SetString(raw); ok {
			raw = strings.TrimSuffix(strings.TrimRight(r.FloatString(20), "0"), ".")
		}
	}
	style, err := b.f.GetCellStyle(sheet, name)
	if err != nil || !b.isDate(style) {
		return raw, err
	}
	return b.date(raw), nil
}

// builtIn are the numbers of the formats that show days, without those of times alone.
var builtIn = map[int]bool{14: true, 15: true, 16: true, 17: true, 22: true, 27: true, 28: true,
	29: true, 30: true, 31: true, 36: true, 50: true, 51: true, 52: true, 53: true, 54: true,
	57: true, 58: true}

// literal is what a format writes as it stands, and does not mean: texts, colours, currencies.
var literal = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\\.|_.|\*.`)

// isDate reports whether a style shows days.
func (b *Book) isDate(style int) bool {
	is, known := b.dates[style]
	if known {
		return is
	}
	if s, err := b.f.GetStyle(style); err == nil {
		is = builtIn[s.NumFmt]
		if s.CustomNumFmt != nil {
			form := strings.ToLower(literal.ReplaceAllString(*s.CustomNumFmt, ""))
			is = strings.ContainsAny(form, "yd") && !strings.Contains(form, "general")
		}
	}
	b.dates[style] = is
	return is
}

// date returns the date of a serial, with its time where it has one, so that nobody takes half a
// day for none. What is no serial stays as it is.
func (b *Book) date(raw string) string {
	days, rest, ok := Serial(raw)
	if !ok {
		return raw
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if b.from1904 {
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if days < 61 {
		return raw // before the day that never was, programs do not agree
	}
	on := first.AddDate(0, 0, days)
	if rest > 0 {
		return on.Add(rest).Format("2006-01-02T15:04:05")
	}
	return on.Format("2006-01-02")
}

var serial = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]+)?$`)

// Serial reads the number by which spreadsheets keep a day, and the time of that day to the second:
// sums of such numbers are a little off, also from midnight to the day before.
func Serial(text string) (days int, rest time.Duration, ok bool) {
	n, err := strconv.ParseFloat(text, 64)
	const last = 2_958_465 // of the year 9999
	if !serial.MatchString(text) || err != nil || n > last {
		return 0, 0, false
	}
	whole, part := math.Modf(n)
	rest = time.Duration(math.Round(part*86400)) * time.Second
	if rest == 24*time.Hour {
		whole, rest = whole+1, 0
	}
	return int(whole), rest, true
}
