package sheet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/ledger/intake/sheet"
)

func TestCellsHaveTheirPlaces(t *testing.T) {
	got, err := sheet.ReadCSV([]byte("\ufeffNation;Note;\r\n\r\nFRA;\"two\r\nlines \";x\r\n;;\r\n"+
		"DEU;;\r\n"), sheet.Form{})
	if err != nil {
		t.Fatal(err)
	}
	want := &sheet.Table{Header: []string{"Nation", "Note", ""}, Rows: []sheet.Row{
		{Line: 3, Cells: []string{"FRA", "two\nlines", "x"}},
		{Line: 6, Cells: []string{"DEU", "", ""}}}}
	places := cmpopts.IgnoreUnexported(sheet.Table{}, sheet.Row{})
	if diff := cmp.Diff(want, got, places); diff != "" {
		t.Error(diff)
	}
	for name, at := range map[string]int{"Note": 1, "nation": 0, " NOTE ": 1} {
		if i, ok := got.Column(name); !ok || i != at {
			t.Errorf("%q: column %d, %v", name, i, ok)
		}
	}
	if _, ok := got.Column("remark"); ok {
		t.Error("there is a column that is not there")
	}
}
