package round_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"muster/ledger/intake/round"
)

// What a sheet hides is told of the rows that are read, of a wide table each once, and of the
// columns that are looked at; nothing is told of what is left out anyway.
func TestWhatIsHiddenIsTold(t *testing.T) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }() // in memory
	for i, row := range [][]any{{"nation", "secret", "2021-01", "2021-02", "remarks"},
		{"FRA", "x", 1, 2, ""}, {"DEU", "x", 3, 4, ""}, {"Total", "", 4, 6, ""},
		{"ITA", "x", 5, 6, ""}, {"ESP", "x", 5, 6, ""}, {"BEL", "x", 5, 6, ""}} {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	for _, hidden := range []int{3, 4, 5, 6} {
		if err := f.SetRowVisible("Sheet1", hidden, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, hidden := range []string{"B", "D", "E"} {
		if err := f.SetColVisible("Sheet1", hidden, false); err != nil {
			t.Fatal(err)
		}
	}
	old, err := f.NewSheet("Old")
	if err = errors.Join(err, f.CopySheet(0, old), f.SetSheetVisible("Old", false)); err != nil {
		t.Fatal(err)
	}
	data, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	m := mapping(t, "wide: {columns: [2021-01, 2021-02], name: month, cell: n}\nskip: totals\n"+
		"columns: {quantity: n, from: month, note: secret}\ndates: 2021-12\n"+
		"always: {operation: op1, role: ground, unit: personnel, effective: 2021-01-01}\n")
	r, err := round.ReadXLSX(data.Bytes(), m, "muster.example")
	if err != nil {
		t.Fatal(err)
	}
	want := round.Hidden{LeftOut: []string{"Old"}, Rows: []int{3, 5, 6},
		Columns: []string{"secret", "2021-02"}}
	if diff := cmp.Diff(want, r.Hidden); diff != "" || len(r.Rows) != 10 {
		t.Errorf("%d rows: %s", len(r.Rows), diff)
	}
	told := fmt.Sprint(r.Hidden.Said())
	if told != "[the sheet \"Old\" is hidden, has the same columns, and is left out: to bring it "+
		"in, name it under sheet in the mapping "+
		"3 rows are hidden in the sheet: rows 3, 5, 6; they are read like the others "+
		"2 columns are hidden in the sheet: secret, 2021-02; they are read like the others]" {
		t.Errorf("it is told %s", told)
	}
	for want, hidden := range map[string]round.Hidden{"[]": {},
		"[the sheet \"S\" is hidden in the workbook; it is read like any other]": {Sheet: "S"},
		"[the sheet \"S\" is hidden, has the same columns, and is left out: to bring it in, name " +
			"it under sheet in the mapping]": {LeftOut: []string{"S"}},
		"[1 row is hidden in the sheet: row 7; it is read like the others]": {Rows: []int{7}},
		"[1 column is hidden in the sheet: until; it is read like the others]": {
			Columns: []string{"until"}},
		"[5 rows are hidden in the sheet: rows 7, 9-11, 20; they are read like the others]": {
			Rows: []int{7, 9, 10, 11, 20}},
	} {
		if got := fmt.Sprint(hidden.Said()); got != want {
			t.Errorf("%+v is told as %s", hidden, got)
		}
	}
	m.Form.Sheet = "Old"
	if r, err := round.ReadXLSX(data.Bytes(), m, "muster.example"); err != nil ||
		r.Hidden.Sheet != "Old" || len(r.Hidden.LeftOut) > 0 {
		t.Errorf("of a sheet that is named: %v, %+v", err, r)
	}
	guessed, err := round.Guess("round.xlsx", data.Bytes(), nil)
	for _, want := range []string{"# ? the sheet \"Old\" is hidden, has the same columns, and is " +
		"left out: to bring it in, name it under sheet in the mapping\n",
		"# ? 4 rows are hidden in the sheet: rows 3-6; they are read like the others\n",
		"# ? 3 columns are hidden in the sheet: secret, 2021-02, remarks; they are read like "} {
		if !strings.Contains(guessed, want) {
			t.Errorf("%v: %q is not said by\n%s", err, want, guessed)
		}
	}
	if err := f.SetSheetVisible("Old", true); err != nil {
		t.Fatal(err)
	}
	if data, err = f.WriteToBuffer(); err != nil {
		t.Fatal(err)
	}
	m.Form.Sheet = ""
	if _, err := round.ReadXLSX(data.Bytes(), m, "muster.example"); err == nil {
		t.Fatal("two sheets of the same columns are read without a choice")
	}
	guessed, err = round.Guess("round.xlsx", data.Bytes(), nil)
	if err != nil || !strings.Contains(guessed,
		"\nsheet: Sheet1 # ? these have the same columns: Old\n") {
		t.Errorf("%v, %s", err, guessed)
	}
}
