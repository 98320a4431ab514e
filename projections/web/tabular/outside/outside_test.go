// Package outside reads with other software what package tabular writes. It is a module of its own,
// so that who builds Muster need not have that software.
package outside

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"muster/projections/web/tabular"
)

var columns = []tabular.Column{{Name: "nation", Kind: tabular.Text},
	{Name: "sequence", Kind: tabular.Count}, {Name: "quantity", Kind: tabular.Amount},
	{Name: "from", Kind: tabular.Day}, {Name: "recorded", Kind: tabular.Moment}}

var rows = [][]string{
	{"FRA", "7", "1200", "2026-07-01", "2026-11-29T10:11:12.5Z"},
	{"Türkiye", "8", "unknown", "", "2026-11-29 10:11:12"},
	{"DEU", "9", "2500000.10", "2027-01-01", ""},
}

var facts = []tabular.Fact{{Name: "as_of", Value: "9"}, {Name: "root", Value: "abc="}}

// Arrow, which pandas and many others read with, finds every column with its type.
func TestArrowReadsParquet(t *testing.T) {
	var written bytes.Buffer
	w, err := tabular.NewParquet(&written, columns, facts)
	if err == nil {
		err = w.Write(rows)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := file.NewParquetReader(bytes.NewReader(written.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if root := f.MetaData().KeyValueMetadata().FindValue("root"); root == nil || *root != "abc=" {
		t.Errorf("the root is %v", root)
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	want := map[string]struct {
		typ   arrow.Type
		cells string
	}{
		"nation":           {arrow.STRING, "FRA Türkiye DEU"},
		"sequence":         {arrow.INT64, "7 8 9"},
		"quantity":         {arrow.DECIMAL128, "1200 (null) 2500000.1"},
		"quantity unknown": {arrow.BOOL, "false true false"},
		"from":             {arrow.DATE32, "2026-07-01 (null) 2027-01-01"},
		"recorded": {arrow.TIMESTAMP,
			"2026-11-29T10:11:12.5Z 2026-11-29T10:11:12Z (null)"},
	}
	if int(table.NumCols()) != len(want) || table.NumRows() != int64(len(rows)) {
		t.Errorf("%d columns of %d rows", table.NumCols(), table.NumRows())
	}
	for i := range int(table.NumCols()) {
		column := table.Column(i)
		var cells []string
		for _, chunk := range column.Data().Chunks() {
			for at := range chunk.Len() {
				cells = append(cells, shown(chunk, at))
			}
		}
		is := want[column.Name()]
		if column.DataType().ID() != is.typ || strings.Join(cells, " ") != is.cells {
			t.Errorf("%s is %s: %q", column.Name(), column.DataType(), cells)
		}
	}
}

func shown(chunk arrow.Array, at int) string {
	if d, ok := chunk.(*array.Decimal128); ok && d.IsValid(at) {
		return strings.TrimRight(strings.TrimRight(d.Value(at).ToString(2), "0"), ".")
	}
	return chunk.ValueStr(at)
}

// LibreOffice, where the machine has it, reads a workbook as it was written.
func TestLibreOfficeReadsWorkbook(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("there is no LibreOffice on this machine")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "list.xlsx")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := tabular.NewWorkbook(f, "rows", columns, facts)
	if err == nil {
		err = w.Write(rows)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(office, "--headless", "-env:UserInstallation=file://"+dir+"/profile",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", dir, path)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "list.csv"))
	if err != nil {
		t.Fatal(err)
	}
	want := `"nation","sequence","quantity","from","recorded"
"FRA",7,"1,200",2026-07-01,2026-11-29 10:11:12
"Türkiye",8,"unknown",,2026-11-29 10:11:12
"DEU",9,"2,500,000.10",2027-01-01,
`
	if string(got) != want {
		t.Errorf("LibreOffice reads\n%s\nand not\n%s", got, want)
	}
}
