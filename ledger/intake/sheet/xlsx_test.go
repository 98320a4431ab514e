package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"muster/events/problem"
	"muster/ledger/intake/sheet"
)

// book makes a workbook with the sheet Pledges behind a hidden one.
func book(t testing.TB,
	fill func(f *excelize.File, set func(cell string, v any, form string))) []byte {
	t.Helper()
	f := excelize.NewFile()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.NewSheet("Pledges")
	must(err)
	f.SetActiveSheet(1)
	must(f.SetSheetVisible("Sheet1", false))
	fill(f, func(cell string, v any, form string) {
		must(f.SetCellValue("Pledges", cell, v))
		if form != "" {
			style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &form})
			must(err)
			must(f.SetCellStyle("Pledges", cell, cell, style))
		}
	})
	b, err := f.WriteToBuffer()
	must(err)
	return b.Bytes()
}

// round is a sheet of ten rows below a head in line 3.
func round(t testing.TB) []byte {
	return book(t, func(_ *excelize.File, set func(string, any, string)) {
		set("A1", "Contributions", "")
		for i, name := range []string{"nation", "quantity", "from", "note"} {
			set(fmt.Sprintf("%c3", 'A'+i), name, "")
		}
		for i := range 10 {
			set(fmt.Sprintf("A%d", 4+i), "FRA", "")
			set(fmt.Sprintf("B%d", 4+i), 100+i, "")
			set(fmt.Sprintf("C%d", 4+i), time.Date(2021, 1, 1+i, 0, 0, 0, 0, time.UTC), "dd.mm.yy")
		}
	})
}

func TestWorkbook(t *testing.T) {
	got, err := sheet.ReadXLSX(round(t), sheet.Form{Header: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil || len(got.Rows) != 10 || got.Rows[9].Line != 13 {
		t.Fatalf("%v, %+v", err, got.Rows)
	}
	if diff := cmp.Diff([]string{"FRA", "109", "2021-01-10", ""}, got.Rows[9].Cells); diff != "" {
		t.Error(diff)
	}
	if _, err := sheet.ReadXLSX(round(t), sheet.Form{Sheet: "Offers"}); err == nil ||
		!strings.Contains(err.Error(), "no such sheet: it has Sheet1, Pledges") {
		t.Errorf("%v", err)
	}
}

// Cells are what the workbook has, and not what it shows.
func TestCellsOfAWorkbook(t *testing.T) {
	read := func(from1904 bool, v any, form string) (string, error) {
		data := book(t, func(f *excelize.File, set func(string, any, string)) {
			if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{
				Date1904: &from1904}); err != nil {
				t.Fatal(err)
			}
			set("A1", "head", "")
			set("A2", v, form)
			if formula, ok := v.(string); ok && strings.HasPrefix(formula, "=") {
				set("A2", nil, "")
				if err := f.SetCellFormula("Pledges", "A2", formula[1:]); err != nil {
					t.Fatal(err)
				}
			}
		})
		table, err := sheet.ReadXLSX(data, sheet.Form{})
		if err != nil {
			return "", err
		}
		return table.Rows[0].Cells[0], nil
	}
	for _, c := range []struct {
		from1904 bool
		v        any
		form     string
		want     string
	}{
		{false, 44227, "yyyy-mm-dd", "2021-01-31"}, {true, 42765, "dd/mm/yyyy", "2021-01-31"},
		{false, 44227.5, "d mmm yy", "2021-01-31T12:00:00"},
		{false, 44226.9999999999, "yyyy-mm-dd", "2021-01-31"},
		{false, 44227.0000000001, "yyyy-mm-dd", "2021-01-31"},
		{true, 42765.99998, "yyyy-mm-dd", "2021-01-31T23:59:58"}, {false, 44227, "", "44227"},
		{false, 44227, `#,##0.00 "day"`, "44227"}, {false, 44227, `[$EUR] #,##0.00`, "44227"},
		{false, 44227, "0.00", "44227"}, {false, 1234567.5, "#,##0", "1234567.5"},
		{false, 1e21, "", "1000000000000000000000"}, {false, 0.04, "0.0", "0.04"},
		{false, "12345678901234567890", "", "12345678901234567890"},
		{false, " 4 to 8 ", "", "4 to 8"}, {false, 9007199254740991, "", "9007199254740991"},
		{false, true, "", "TRUE"}, {false, false, "", "FALSE"}, {false, true, "0.00", "TRUE"},
	} {
		got, err := read(c.from1904, c.v, c.form)
		if err != nil || got != c.want {
			t.Errorf("%v as %q: %q, %v, want %q", c.v, c.form, got, err, c.want)
		}
	}
	if _, err := read(false, "=SUM(B1:B3)", ""); err == nil ||
		!strings.Contains(err.Error(), `the cell A2 of the sheet "Pledges" is a formula without`) {
		t.Errorf("%v", err)
	}
}

// parts takes a workbook apart.
func parts(t *testing.T, data []byte) (names []string, text map[string]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	text = map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names, text[f.Name] = append(names, f.Name), string(all)
	}
	return names, text
}

// put puts a workbook together, so that its checksums are right.
func put(t *testing.T, names []string, text map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbooksThatAreDamagedOrCrafted(t *testing.T) {
	const name = "xl/worksheets/sheet2.xml"
	whole := round(t)
	for what, spoil := range map[string]func(names []string, text map[string]string) []string{
		"rows are cut off": func(n []string, text map[string]string) []string {
			text[name] = text[name][:strings.Index(text[name], `<row r="9"`)]
			return n
		},
		"a row is cut": func(n []string, text map[string]string) []string {
			text[name] = text[name][:len(text[name])*2/3]
			return n
		},
		"a part is missing": func(n []string, text map[string]string) []string {
			return n[:1]
		},
		"a part is there twice": func(n []string, text map[string]string) []string {
			return append(n, "XL/worksheets/../worksheets/SHEET2.xml", name)
		},
		"a document type": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], "<worksheet",
				`<!DOCTYPE x [<!ENTITY a "b">]><worksheet`, 1)
			return n
		},
		"deep elements": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], "</worksheet>",
				strings.Repeat("<x>", 100)+strings.Repeat("</x>", 100)+"</worksheet>", 1)
			return n
		},
		"a row at the end of the world": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], `<row r="13"`, `<row r="1048576"`, 1)
			return n
		},
		"two rows of one number": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], `<row r="13"`, `<row r="12"`, 1)
			return n
		},
		"rows that go back": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], `<row r="13"`, `<row r="5"`, 1)
			return n
		},
		"two cells in one place": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], `r="B13"`, `r="A13"`, 1)
			return n
		},
		"a cell of another row": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], `r="B13"`, `r="B12"`, 1)
			return n
		},
		"very many merged cells": func(n []string, text map[string]string) []string {
			text[name] = strings.Replace(text[name], "</sheetData>", "</sheetData><mergeCells>"+
				strings.Repeat(`<mergeCell ref="F1:G2"/>`, 5000)+"</mergeCells>", 1)
			return n
		},
	} {
		names, text := parts(t, whole)
		refused(t, what, put(t, spoil(names, text), text))
	}
	for cut := 0; cut < len(whole); cut += 61 {
		refused(t, fmt.Sprintf("cut after %d bytes", cut), whole[:cut])
	}
}

func refused(t *testing.T, what string, data []byte) {
	t.Helper()
	got, err := sheet.ReadXLSX(data, sheet.Form{Header: 3})
	if err == nil {
		t.Errorf("%s: it is read, with %d rows", what, len(got.Rows))
	} else if k := problem.From(err).Kind; k != problem.Syntax && k != problem.TooLarge {
		t.Errorf("%s: kind %s: %v", what, k.Slug, err)
	}
}

// Whatever byte is changed, the rows are the same ones, or there are none.
func TestEveryByteOfAWorkbook(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	whole := round(t)
	want, err := sheet.ReadXLSX(whole, sheet.Form{Header: 3})
	if err != nil {
		t.Fatal(err)
	}
	const step = 17
	for i := 0; i < len(whole); i += step {
		spoilt := bytes.Clone(whole)
		spoilt[i] ^= 0x55
		got, err := sheet.ReadXLSX(spoilt, sheet.Form{Header: 3})
		if err != nil {
			continue
		}
		if len(got.Rows) != len(want.Rows) {
			t.Fatalf("byte %d: %d rows", i, len(got.Rows))
		}
		for j, r := range got.Rows {
			if !cmp.Equal(r.Cells, want.Rows[j].Cells) {
				t.Fatalf("byte %d: %v, want %v", i, r.Cells, want.Rows[j].Cells)
			}
		}
	}
}

func TestWorkbooksThatUnzipIntoTooMuch(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	names, text := parts(t, round(t))
	text["xl/media/image1.png"] = strings.Repeat("\x00", 129<<20)
	data := put(t, append(names, "xl/media/image1.png"), text)
	_, err := sheet.ReadXLSX(data, sheet.Form{})
	if !problem.Is(err, problem.TooLarge) || len(data) > 1<<20 {
		t.Errorf("%d bytes: %v", len(data), err)
	}
	// Nothing of it is read as XML before, which takes fifty times as long.
	text["xl/media/image1.png"], text["xl/styles.xml"] = "", "<a"+strings.Repeat(" ", 129<<20)
	_, err = sheet.ReadXLSX(put(t, names, text), sheet.Form{})
	if !problem.Is(err, problem.TooLarge) {
		t.Errorf("a long part: %v", err)
	}
	names, text = parts(t, round(t))
	text["xl/worksheets/sheet2.xml"] = strings.Replace(text["xl/worksheets/sheet2.xml"],
		"</sheetData>", strings.Repeat("<row><c/><c/><c/></row>", 300_000)+"</sheetData>", 1)
	refused(t, "very many cells", put(t, names, text))
}

func FuzzReadXLSX(f *testing.F) {
	f.Add(round(f))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := sheet.ReadXLSX(data, sheet.Form{}); err != nil &&
			problem.From(err).Kind == problem.Internal {
			t.Fatalf("an error that is no problem: %v", err)
		}
	})
}

// What a spreadsheet hides is read, and known to be hidden: rows by themselves or by a filter, and
// columns.
func TestWhatASheetHides(t *testing.T) {
	data := book(t, func(f *excelize.File, set func(string, any, string)) {
		for i, name := range []string{"nation", "quantity", "until", "note"} {
			set(fmt.Sprintf("%c2", 'A'+i), name, "")
		}
		for _, line := range []int{3, 4, 7, 9, 10} { // and nothing between
			set(fmt.Sprintf("A%d", line), "FRA", "")
		}
		for _, line := range []int{1, 4, 5, 9, 12} {
			if err := f.SetRowVisible("Pledges", line, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.SetColVisible("Pledges", "C:D", false); err != nil {
			t.Fatal(err)
		}
	})
	table, err := sheet.ReadXLSX(data, sheet.Form{Header: 2})
	if err != nil {
		t.Fatal(err)
	}
	var hidden []int
	for _, r := range table.Rows {
		if table.HidesRow(r.Line) {
			hidden = append(hidden, r.Line)
		}
	}
	if diff := cmp.Diff([]int{4, 9}, hidden); diff != "" || len(table.Rows) != 5 {
		t.Errorf("of %d rows: %s", len(table.Rows), diff)
	}
	if diff := cmp.Diff([]string{"until", "note"}, table.HiddenColumns()); diff != "" {
		t.Error(diff)
	}
}

// Two sheets of pledges are refused where nothing says which is meant; a hidden one, an empty one
// and one of other columns are not in the way.
func TestSheetsOfTheSameColumns(t *testing.T) {
	two := func(edit func(f *excelize.File) error) []byte {
		return book(t, func(f *excelize.File, set func(string, any, string)) {
			_, err := f.NewSheet("South")
			for cell, v := range map[string]string{"A1": "nation", "B1": "Quantity", "A2": "FRA",
				"B2": "5"} {
				set(cell, v, "")
				err = errors.Join(err, f.SetCellValue("South", cell, v))
			}
			if err := errors.Join(err, edit(f)); err != nil {
				t.Fatal(err)
			}
		})
	}
	as := func(*excelize.File) error { return nil }
	if _, err := sheet.ReadOneSheet(two(as), sheet.Form{}); !problem.Is(err, problem.Invalid) ||
		!strings.Contains(err.Error(), `the sheets "Pledges" and "South" have the same columns`) {
		t.Errorf("two sheets: %v", err)
	}
	got, err := sheet.ReadOneSheet(two(as), sheet.Form{Sheet: "South"})
	if err != nil || len(got.Rows) != 1 {
		t.Errorf("one that is named: %v", err)
	}
	for what, edit := range map[string]func(f *excelize.File) error{
		"hidden": func(f *excelize.File) error { return f.SetSheetVisible("South", false) },
		"empty":  func(f *excelize.File) error { return f.RemoveRow("South", 2) },
		"others": func(f *excelize.File) error { return f.SetCellStr("South", "B1", "strength") },
	} {
		got, err := sheet.ReadOneSheet(two(edit), sheet.Form{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var want []string // is told
		if what == "hidden" {
			want = []string{"South"}
		}
		if diff := cmp.Diff(want, got.HiddenAlike()); diff != "" || got.HiddenSheet() != "" {
			t.Errorf("%s: %q is hidden, and left out are%s", what, got.HiddenSheet(), diff)
		}
		got, err = sheet.ReadOneSheet(two(edit), sheet.Form{Sheet: "South"})
		if isHidden := err == nil && got.HiddenSheet() == "South"; isHidden != (what == "hidden") {
			t.Errorf("%s: South is hidden: %v, %v", what, isHidden, err)
		}
	}
}
