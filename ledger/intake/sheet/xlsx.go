package sheet

import (
	"bytes"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/events/problem"
)

// IsXLSX reports whether the data begins as a workbook does.
func IsXLSX(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// ReadXLSX reads a sheet of a workbook: the one of the form's name, or else the first that is not
// hidden. Numbers are as the workbook has them, with all their digits, and days are dates, whatever
// they are shown as. A workbook that is damaged, cut, crafted or huge is refused before anything is
// read from it: see [soundXLSX]. The error is a [problem.Problem].
func ReadXLSX(data []byte, form Form) (t *Table, err error) {
	return reading(readXLSX, data, form)
}

func readXLSX(data []byte, form Form) (t *Table, err error) {
	rows, err := soundXLSX(data)
	if err != nil {
		return nil, err
	}
	defer func() { // the library has panicked on crafted files before
		if broken := recover(); broken != nil {
			t, err = nil, notXLSX(fmt.Errorf("%v", broken))
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true,
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, notXLSX(err)
	}
	defer func() { _ = f.Close() }() // which removes what it has laid aside; nothing was written
	b := &book{f: f, dates: map[int]bool{}}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		b.from1904 = *props.Date1904
	}
	if b.sheet, err = b.choose(form.Sheet); err != nil {
		return nil, err
	}
	return b.table(form, rows[b.sheet])
}

func notXLSX(err error) error {
	return problem.New(problem.Syntax, "the file is no workbook that can be read: %w", err).
		WithHint("save it again as XLSX, or as CSV in UTF-8")
}

// A book is a workbook that is being read.
type book struct {
	f        *excelize.File
	sheet    string
	from1904 bool
	dates    map[int]bool // whether a style shows days
}

func (b *book) choose(name string) (string, error) {
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

// table reads the rows of the sheet, of which at least so many must be found.
func (b *book) table(form Form, least int) (*Table, error) {
	rows, err := b.f.Rows(b.sheet)
	if err != nil {
		return nil, notXLSX(err)
	}
	defer func() { _ = rows.Close() }()
	t := &Table{comma: ',', isBook: true}
	line, cells, found := 0, 0, 0
	for rows.Next() {
		line++
		raw, err := rows.Columns()
		if err != nil {
			return nil, notXLSX(err)
		}
		cells += len(raw)
		if line > maxRows || cells > maxCells {
			return nil, notXLSX(fmt.Errorf("its sheet %q reaches further than %d rows or %d cells",
				b.sheet, maxRows, maxCells))
		}
		if slices.ContainsFunc(raw, func(c string) bool { return c != "" }) {
			found++
		}
		if line < form.Header {
			continue
		}
		cells := make([]string, len(raw))
		for i := range raw {
			if cells[i], err = b.cell(i+1, line, raw[i]); err != nil {
				return nil, err
			}
		}
		t.add(line, t.fit(cells))
	}
	if err := rows.Error(); err != nil {
		return nil, notXLSX(err)
	}
	if found < least {
		return nil, notXLSX(fmt.Errorf("its sheet %q has %d rows with numbers, of which %d are "+
			"found", b.sheet, least, found))
	}
	return t, nil
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
func (b *book) cell(column, line int, raw string) (string, error) {
	name, err := excelize.CoordinatesToCellName(column, line)
	if err != nil {
		return "", notXLSX(err)
	}
	kind, err := b.f.GetCellType(b.sheet, name)
	if err != nil {
		return "", notXLSX(err)
	}
	if kind == excelize.CellTypeError {
		return "", problem.New(problem.Invalid, "the cell %s of the sheet %q is an error, %s: "+
			"mend it, and save the workbook again", name, b.sheet, raw)
	}
	if raw == "" {
		formula, err := b.f.GetCellFormula(b.sheet, name)
		if err == nil && formula != "" {
			err = problem.New(problem.Invalid, "the cell %s of the sheet %q is a formula without "+
				"a result: open the workbook in a spreadsheet program and save it", name, b.sheet)
		}
		return "", err
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
	style, err := b.f.GetCellStyle(b.sheet, name)
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
func (b *book) isDate(style int) bool {
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
func (b *book) date(raw string) string {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || n < 0 || n > 2_958_465 {
		return raw
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if b.from1904 {
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if n < 61 {
		return raw // before the day that never was, programs do not agree
	}
	days := int(n)
	on := first.AddDate(0, 0, days)
	if rest := n - float64(days); rest > 0.5/86400 {
		return on.Add(time.Duration(rest*86400) * time.Second).Format("2006-01-02T15:04:05")
	}
	return on.Format("2006-01-02")
}
