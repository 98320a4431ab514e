package sheet_test

import (
	"fmt"
	"testing"

	"muster/ledger/intake/sheet"
)

// A workbook comes back as it is, with what is wrong beside its rows, and is read as it was; or
// with these rows alone.
func TestWorkbookComesBack(t *testing.T) {
	read := func(data []byte) *sheet.Table {
		t.Helper()
		table, err := sheet.ReadXLSX(data, sheet.Form{Header: 3})
		if err == nil {
			err = table.Check()
		}
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	table := read(round(t))
	wrong := map[int][]string{5: {"no nation", "=1+1"}, 9: {"no date"}}
	back, err := table.ReturnedBook(wrong, false)
	if err != nil {
		t.Fatal(err)
	}
	again := read(back)
	if len(again.Rows) != 10 || !again.WasReturned() ||
		fmt.Sprint(again.Rows[1].Cells) != "[FRA 101 2021-01-02  no nation; =1+1]" {
		t.Errorf("%d rows, %q", len(again.Rows), again.Rows[1].Cells)
	}
	if back, err = again.ReturnedBook(map[int][]string{9: {"no date"}}, true); err != nil {
		t.Fatal(err)
	}
	only := read(back)
	if len(only.Rows) != 1 || fmt.Sprint(only.Rows[0].Cells) != "[FRA 105 2021-01-06  no date]" {
		t.Errorf("%v", only.Rows)
	}
}
