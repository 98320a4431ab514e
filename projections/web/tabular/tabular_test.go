package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

var columns = []Column{{"what", Text}, {"n", Count}, {"quantity", Amount}, {"from", Day},
	{"recorded", Moment}, {"fill", Percent}}

var rows = [][]string{
	{"=1+1", "42", "1200", "2026-07-01", "2026-11-29T10:11:12.5Z", "93%"},
	{"Côte d'Ivoire <&>", "", "unknown", "1899-12-31", "2026-11-29 10:11:12", "7"},
	{"", "0", "2500000.10", "", "", ""},
	{"007", "9", "9007199254740991", "", "", ""},
}

// A workbook has text, numbers, money and days as what they are; what a spreadsheet could not hold
// exactly is text; and what all rests on, on a sheet of its own.
func TestWorkbook(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWorkbook(&file, "rows", columns, []Fact{{"as_of", "17"}, {"root", "abc="}})
	for _, r := range rows {
		if err == nil {
			err = w.Write([][]string{r})
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shown, err := f.GetRows("rows")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"what", "n", "quantity", "from", "recorded", "fill"},
		{"=1+1", "42", "1,200", "2026-07-01", "2026-11-29 10:11:12", "93%"},
		{"Côte d'Ivoire <&>", "", "unknown", "1899-12-31", "2026-11-29 10:11:12", "7%"},
		{"", "0", "2,500,000.10"},
		{"007", "9", "9007199254740991"}}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	for cell, kind := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString,
		"B2": excelize.CellTypeUnset, "C2": excelize.CellTypeUnset, "D2": excelize.CellTypeUnset,
		"C3": excelize.CellTypeInlineString, "C5": excelize.CellTypeInlineString} {
		if is, err := f.GetCellType("rows", cell); err != nil || is != kind {
			t.Errorf("%s is of type %d, not %d: %v", cell, is, kind, err)
		}
	}
	if raw, err := f.GetCellValue("rows", "C4", excelize.Options{RawCellValue: true}); err != nil ||
		raw != "2500000.1" {
		t.Errorf("money is %q, %v", raw, err)
	}
	about, err := f.GetRows(aboutSheet)
	if diff := cmp.Diff([][]string{{"as_of", "17"}, {"root", "abc="}}, about); diff != "" {
		t.Error(diff, err)
	}
}

// What is longer than a cell says so: a spreadsheet would cut it without a word.
func TestCellsFit(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", maxCell), strings.Repeat("é", maxCell)} {
		if fitting(text) != text {
			t.Errorf("%d bytes were cut", len(text))
		}
	}
	for _, text := range []string{strings.Repeat("x", maxCell+1), strings.Repeat("🙂", maxCell)} {
		cut := fitting(text)
		n := len(utf16.Encode([]rune(cut)))
		if n > maxCell || !strings.Contains(cut, "more characters") {
			t.Errorf("%d characters of %d: %.60s…%s", n, len(text), cut, cut[len(cut)-80:])
		}
	}
}

// A sheet has no more rows than a spreadsheet can open.
func TestTooManyRows(t *testing.T) {
	w, err := NewWorkbook(io.Discard, "rows", columns[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	w.(*workbook).next = MaxRows + 1
	if err := w.Write([][]string{{"the last"}}); err != nil {
		t.Error(err)
	}
	if err := w.Write([][]string{{"one more"}}); !errors.Is(err, ErrTooManyRows) {
		t.Errorf("one more row: %v", err)
	}
}

// In Parquet each column has its type, in its place; unknown is null, and said to be.
func TestParquet(t *testing.T) {
	var file bytes.Buffer
	w, err := NewParquet(&file, columns, []Fact{{"as_of", "17"}})
	if err == nil {
		err = w.Write(rows)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := f.Lookup("as_of"); !ok || at != "17" {
		t.Errorf("as of %q, %v", at, ok)
	}
	var names []string
	for _, path := range f.Schema().Columns() {
		names = append(names, strings.Join(path, "."))
	}
	want := []string{"what", "n", "quantity", "quantity unknown", "from", "recorded", "fill"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	r := parquet.NewReader(f)
	got := make([]parquet.Row, len(rows)+1)
	n, err := r.ReadRows(got)
	if n != len(rows) || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%d rows, %v", n, err)
	}
	var told []string
	for _, row := range got[:n] {
		line := ""
		for _, v := range row {
			line += fmt.Sprintf("%v|", v)
		}
		told = append(told, line)
	}
	day := func(s string) int64 {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d.Unix() / 86400
	}
	at := time.Date(2026, 11, 29, 10, 11, 12, 0, time.UTC).UnixMicro()
	if diff := cmp.Diff([]string{
		fmt.Sprintf("=1+1|42|120000|false|%d|%d|93|", day("2026-07-01"), at+500_000),
		fmt.Sprintf("Côte d'Ivoire <&>|<null>|<null>|true|%d|%d|7|", day("1899-12-31"), at),
		"<null>|0|250000010|false|<null>|<null>|<null>|",
		"007|9|900719925474099100|false|<null>|<null>|<null>|",
	}, told); diff != "" {
		t.Error(diff)
	}
}

// A cell that is not what its column has is an error, not another value.
func TestParquetIsTyped(t *testing.T) {
	for _, bad := range [][]string{{"", "x", "", "", "", ""}, {"", "", "1.5", "", "", ""},
		{"", "", "", "soon", "", ""}, {"", "", "", "", "now", ""}, {"", "", "", "", "", "half"}} {
		w, err := NewParquet(io.Discard, columns, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write([][]string{bad}); err == nil {
			t.Errorf("%q was written", bad)
		}
	}
	if _, err := NewParquet(io.Discard, []Column{{"a", Text}, {"a", Text}}, nil); err == nil {
		t.Error("two columns have one name")
	}
}

// Many rows do not take more memory than a group of them.
func TestManyRows(t *testing.T) {
	for name, begin := range map[string]func(io.Writer) (Writer, error){
		"workbook": func(w io.Writer) (Writer, error) {
			return NewWorkbook(w, "rows", columns, nil)
		},
		"parquet": func(w io.Writer) (Writer, error) { return NewParquet(w, columns, nil) },
	} {
		var file bytes.Buffer
		w, err := begin(&file)
		for range 3 * rowGroup / len(rows) {
			if err == nil {
				err = w.Write(rows)
			}
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil || file.Len() == 0 {
			t.Errorf("%s: %d bytes, %v", name, file.Len(), err)
		}
	}
}

// The same rows make the same bytes, as whoever asks a server again, with an entity tag, relies on.
func TestSameBytes(t *testing.T) {
	facts := []Fact{{"as_of", "17"}, {"root", "abc="}, {"ledger", "muster.example"}}
	for name, begin := range map[string]func(io.Writer) (Writer, error){
		"workbook": func(w io.Writer) (Writer, error) {
			return NewWorkbook(w, "rows", columns, facts)
		},
		"parquet": func(w io.Writer) (Writer, error) { return NewParquet(w, columns, facts) },
	} {
		var before []byte
		for range 10 {
			var file bytes.Buffer
			w, err := begin(&file)
			if err == nil {
				err = w.Write(rows)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			if before != nil && !bytes.Equal(before, file.Bytes()) {
				t.Fatalf("a %s is another each time", name)
			}
			before = file.Bytes()
		}
	}
}

// What was left before its end leaves nothing on the disk.
func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	w, err := NewWorkbook(io.Discard, "rows", []Column{{"what", Text}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a long text ", 2000)
	for range 1000 { // more than is kept in memory
		if err := w.Write([][]string{{long}}); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
		t.Fatalf("nothing waits on the disk, so that this shows nothing: %v", err)
	}
	w.Discard()
	w.Discard()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
