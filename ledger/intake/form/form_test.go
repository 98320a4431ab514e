package form_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/form"
	"muster/ledger/intake/imported"
	"muster/ledger/intake/reconcile"
	"muster/ledger/intake/round"
)

const (
	origin = events.Origin("muster.example/test")
	today  = "2026-11-29"
)

func id(n byte) events.ID { return events.ID{1, 2, 3, 15: n} }

// content is a form with three pledges of France: of a number, of money and of what is not known.
func content() form.Content {
	at := events.Place{Operation: "mnf-u", Nation: "FRA"}
	notice := 30
	return form.Content{
		Form: form.Form{Name: "sheet-mnf-u-fra-abc", Ledger: origin, Record: 158,
			Recorded:  time.Date(2026, 11, 29, 8, 30, 0, 0, time.UTC),
			Operation: "mnf-u", Nation: "FRA", On: 2026_11_29},
		Title: "A force",
		Roles: []events.RoleDefinition{{Role: "ground", Title: "Troops",
			Units: []events.Unit{"personnel"}}, {Role: "money", Title: "Money",
			Units: []events.Unit{"EUR"}}},
		Lines: []form.Line{{Line: "ground-west", Role: "ground", Area: "west", Unit: "personnel",
			Priority: 1, Essential: true, Window: events.Window{From: 2026_07_01},
			Required: events.Count(2000), Supply: events.Count(500), Gap: events.Count(1500)}},
		Pledges: []form.Pledge{
			{ID: id(1), Place: at, Revision: 12, Terms: events.PledgeTerms{Role: "ground",
				Unit: "personnel", Quantity: events.Count(500), Area: "west", NoticeToMove: &notice,
				Window: events.Window{From: 2026_07_01, Until: 2026_12_31}, Note: "=1+1",
				Reference: "00012", Release: events.CoalitionOnly}},
			{ID: id(2), Place: at, Revision: 13, Terms: events.PledgeTerms{Role: "money",
				Unit: "EUR", Quantity: events.Unit("EUR").Of(1234567890123456),
				Window: events.Window{From: 2026_07_01}}},
			{ID: id(3), Place: at, Revision: 14, Terms: events.PledgeTerms{Role: "ground",
				Unit: "personnel", Quantity: events.Unknown, Least: events.Count(10),
				Most: events.Count(14), Window: events.Window{From: 2026_07_01}}},
		}}
}

// known is a ledger with the pledges of a form.
func known(t *testing.T, c form.Content) *reconcile.Known {
	t.Helper()
	k := reconcile.NewKnown()
	for i, p := range c.Pledges {
		k.Take(events.Record{Sequence: uint64(i + 12), Signed: events.Signed{
			Statement: &events.PledgeOffered{Header: events.Header{Type: "pledge.offered", ID: p.ID,
				Ledger: origin}, Dated: events.Dated{Effective: 2026_01_01}, Place: p.Place,
				PledgeTerms: p.Terms}}})
	}
	return k
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func write(t *testing.T, c form.Content) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := form.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// edited is a form as somebody has changed it in a spreadsheet.
func edited(t *testing.T, data []byte, edit func(f *excelize.File)) []byte {
	t.Helper()
	f := must[*excelize.File](t)(excelize.OpenReader(bytes.NewReader(data)))
	defer func() { _ = f.Close() }()
	edit(f)
	return must[*bytes.Buffer](t)(f.WriteToBuffer()).Bytes()
}

func read(t *testing.T, data []byte) (*form.Sheet, *round.Round, error) {
	t.Helper()
	s := must[*form.Sheet](t)(form.Open(data))
	if s == nil {
		t.Fatal("it is no form")
	}
	m, err := s.Mapping(round.Mapping{Always: map[string]string{"effective": today}})
	if err != nil {
		return s, nil, err
	}
	r, err := s.Read(m, origin)
	return s, r, err
}

// merge imports a form, and says of each row what became of it.
func merge(t *testing.T, k *reconcile.Known, data []byte) (told []string) {
	t.Helper()
	s, r, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	var rows []reconcile.Row
	for _, row := range r.Rows {
		rows = append(rows, reconcile.Row{Offer: row.Offer, ID: row.ID, Fields: row.Fields})
	}
	result := k.Reconcile(rows, reconcile.Options{Ledger: origin, Name: s.Name,
		Changed: reconcile.Ask, Today: 2026_11_29, Reason: "as the form says",
		Base: s.Base(known(t, content()))})
	for _, o := range result.Outcomes {
		one := string(o.Kind)
		for _, c := range o.Changes {
			one += " " + c.String()
		}
		for _, st := range o.Statements {
			if _, err := events.Marshal(st); err != nil {
				t.Error(err)
			}
			k.Take(events.Record{Sequence: 1000, Signed: events.Signed{Statement: st}})
		}
		told = append(told, one+o.Problem.String())
	}
	return told
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The form says which rows are recorded to end, in both languages, and not more than fit.
func TestFormTellsWhatEnds(t *testing.T) {
	c := content()
	guide := func() (en, fr string) {
		f := must[*excelize.File](t)(excelize.OpenReader(bytes.NewReader(write(t, c))))
		defer func() { _ = f.Close() }()
		return must[string](t)(f.GetCellValue("Pledges", "A2")),
			must[string](t)(f.GetCellValue("Pledges", "A3"))
	}
	if en, fr := guide(); strings.Contains(en+fr, "no more") || strings.Contains(en+fr, "plus :") {
		t.Errorf("none ends: %s %s", en, fr)
	}
	c.Pledges[1].Ends = 2027_03_01
	en, fr := guide()
	for _, want := range []string{"amended no more: row 8, from 2027-03-01 on",
		"donc plus : ligne 8, à partir du 2027-03-01"} {
		if !strings.Contains(en+fr, want) {
			t.Errorf("%q is not said by %s %s", want, en, fr)
		}
	}
	for range 9 {
		c.Pledges = append(c.Pledges, c.Pledges[1])
	}
	if en, _ := guide(); !strings.HasSuffix(en, "row 13, from 2027-03-01 on; …") {
		t.Errorf("of many: %s", en)
	}
}

// What was filled in is read again as it is: nothing is said.
func TestFormAsItWasWritten(t *testing.T) {
	c := content()
	data := write(t, c)
	if file := os.Getenv("MUSTER_FORM"); file != "" { // to be looked at
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, r, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ledger, record, nation", fmt.Sprint(s.Ledger, s.Record, s.Nation, len(s.Filled)),
		fmt.Sprint(origin, 158, "FRA", 3))
	equal(t, "not used", len(r.Unused), 0)
	for i, row := range r.Rows {
		is, want := row.Offer.PledgeTerms, c.Pledges[i].Terms
		is.Source = ""
		text := func(p events.PledgeTerms) string {
			o := &events.PledgeOffered{Header: events.Header{Type: "pledge.offered", ID: id(9),
				Ledger: origin}, Dated: events.Dated{Effective: 2026_01_01},
				Place: c.Pledges[i].Place, PledgeTerms: p}
			return string(must[[]byte](t)(events.Marshal(o)))
		}
		equal(t, row.Place().String(), text(is), text(want))
	}
	equal(t, "merged", merge(t, known(t, c), data), "[unchanged unchanged unchanged]")
}

// Columns and sheets may be moved and renamed, what stands above the head may be gone, and days may
// be counted from 1904: the head is found by its tags.
func TestFormIsFoundByItsTags(t *testing.T) {
	data := edited(t, write(t, content()), func(f *excelize.File) {
		for _, err := range []error{f.SetSheetName("Pledges", "Nos engagements"),
			f.MoveSheet("Nos engagements", "Examples"), f.RemoveRow("Nos engagements", 1),
			f.RemoveRow("Nos engagements", 1), f.InsertCols("Nos engagements", "B", 2),
			f.SetCellStr("Nos engagements", "B3", "our remarks"),
			f.SetCellStr("Nos engagements", "B5", "a remark"), f.RemoveCol("Nos engagements", "D"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if _, _, err := read(t, data); err == nil ||
		!strings.Contains(err.Error(), "no column of the form has the tag #sector+role (Role)") {
		t.Errorf("a column is missing: %v", err)
	}
	data = edited(t, write(t, content()), func(f *excelize.File) {
		yes := true
		for _, err := range []error{f.SetSheetName("Pledges", "Nos engagements"),
			f.MoveSheet("Nos engagements", "Examples"), f.RemoveRow("Nos engagements", 1),
			f.RemoveRow("Nos engagements", 1), f.InsertCols("Nos engagements", "B", 2),
			f.SetCellStr("Nos engagements", "B3", "our remarks"),
			f.SetCellStr("Nos engagements", "B5", "a remark"),
			f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}),
			// Dates as numbers, of which the style was lost.
			f.SetCellInt("Nos engagements", "I5", 45108),
			f.SetCellInt("Nos engagements", "J5", 45109),
			f.SetCellStyle("Nos engagements", "I5", "J5", 0),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	s, r, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "not used", r.Unused, "[our remarks]")
	equal(t, "rows", len(r.Rows), len(s.Filled))
	equal(t, "days from 1904 on", fmt.Sprint(r.Rows[0].Offer.From, r.Rows[0].Offer.Until),
		fmt.Sprint(events.Date(2027_07_02), events.Date(2027_07_03)))
}

// fillIn changes two cells of the first pledge and one of the third, and adds two rows.
func fillIn(t *testing.T) func(f *excelize.File) {
	return func(f *excelize.File) {
		for cell, value := range map[string]any{"E7": 563, "H7": "31.12.2027", "N9": "by ship",
			"B10": "ground", "E10": "up to 18", "F10": "personnel",
			"G10": time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
			"B11": "money", "E11": "2500000.50", "F11": "EUR", "G11": "2027-01-01"} {
			if err := f.SetCellValue("Pledges", cell, value); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// whatIsFilledIn is what becomes of the rows of a form after fillIn.
const whatIsFilledIn = `changed quantity 500 -> 563 until 2026-12-31 -> 2027-12-31
unchanged
changed note none -> by ship
new
new`

// A cell that was changed is an amendment, a row that was added an offer, and both say nothing more
// when the same file comes again; a row that was taken out is gone.
func TestFormIsMerged(t *testing.T) {
	k := known(t, content())
	change := func(more ...func(f *excelize.File)) []byte {
		return edited(t, write(t, content()), func(f *excelize.File) {
			fillIn(t)(f)
			for _, m := range more {
				m(f)
			}
		})
	}
	equal(t, "first", strings.Join(merge(t, k, change()), "\n"), whatIsFilledIn)
	equal(t, "again", merge(t, k, change()), "[unchanged unchanged unchanged unchanged unchanged]")
	first, third := k.Pledge(id(1)).Terms(), k.Pledge(id(3)).Terms()
	equal(t, "now", fmt.Sprint(first.Quantity, " ", first.Reference, " ", third.Amount()),
		"563 00012 10 to 14")
	gone := change(func(f *excelize.File) {
		if err := f.RemoveRow("Pledges", 8); err != nil {
			t.Fatal(err)
		}
	})
	equal(t, "gone", merge(t, k, gone), "[unchanged unchanged unchanged unchanged gone]")
	blank := change(func(f *excelize.File) {
		if err := f.SetCellStr("Pledges", "E8", ""); err != nil {
			t.Fatal(err)
		}
	})
	if _, _, err := read(t, blank); err == nil || !strings.Contains(err.Error(), "quantity") {
		t.Errorf("a quantity was cleared: %v", err)
	}
}

// A form of another ledger, of a later version, or whose hidden sheet was changed is refused, with
// what to do; another workbook is none.
func TestFormIsNotRead(t *testing.T) {
	data := write(t, content())
	for want, edit := range map[string]func(f *excelize.File) error{
		"the form is of the ledger muster.example/else": func(f *excelize.File) error {
			return f.SetCellStr("muster", "B3", "muster.example/else")
		},
		`the column "Area" of the form has lost its tag #loc+area`: func(f *excelize.File) error {
			return f.MergeCell("Pledges", "C6", "D6")
		},
		"of version 2": func(f *excelize.File) error { return f.SetCellStr("muster", "B1", "2") },
		"it tells 3 rows, and names 2 pledges": func(f *excelize.File) error {
			return f.RemoveRow("muster", 12)
		},
		`record "x"`: func(f *excelize.File) error { return f.SetCellStr("muster", "B5", "x") },
		"no sheet of the form has the tag #meta+id+pledge": func(f *excelize.File) error {
			return f.DeleteSheet("Pledges")
		},
		`have the tag #meta+id+pledge: "Pledges" and "Pledges (2)"`: func(f *excelize.File) error {
			at, err := f.NewSheet("Pledges (2)")
			if err != nil {
				return err
			}
			from, err := f.GetSheetIndex("Pledges")
			if err != nil {
				return err
			}
			return f.CopySheet(from, at)
		},
	} {
		s, err := form.Open(edited(t, data, func(f *excelize.File) {
			if err := edit(f); err != nil {
				t.Fatal(err)
			}
		}))
		if err == nil {
			var m round.Mapping
			if m, err = s.Mapping(m); err == nil {
				_, err = s.Read(m, origin)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) || problem.From(err).Hint == "" {
			t.Errorf("%s: %v", want, err)
		}
	}
	none := edited(t, data, func(f *excelize.File) {
		if err := f.DeleteSheet("muster"); err != nil {
			t.Fatal(err)
		}
	})
	if s, err := form.Open(none); s != nil || err != nil {
		t.Errorf("another workbook: %v, %v", s, err)
	}
	torn, err := imported.Open(none, true, round.Mapping{}, 2026_11_30)
	if err == nil {
		_, err = torn.Read(origin)
	}
	if !strings.Contains(fmt.Sprint(err), `not its hidden sheet "muster"`) {
		t.Errorf("a form without its hidden sheet: %v", err)
	}
	if s, err := form.Open([]byte("nation,quantity\n")); s != nil || err != nil {
		t.Errorf("CSV: %v, %v", s, err)
	}
	for _, end := range []int{len(data) / 2, len(data) - 1} {
		if _, err := form.Open(data[:end]); err == nil {
			t.Errorf("cut to %d of %d bytes: read", end, len(data))
		}
	}
}

// What is wrong in a form is mended in its cells: nobody is sent to a mapping, which it has not.
func TestFormTellsWhatToDoInItsCells(t *testing.T) {
	day := time.Date(2021, 1, 31, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		column string
		value  any
		want   string
	}{
		{"E", "lots", "quantity: not a number in digits: write a whole number, or as in 10 to 14"},
		{"E", "", "quantity: the cell is empty: write how much, or unknown"},
		{"E", 0, `quantity "0": is 0, and a pledge of nothing is none: to take the pledge back`},
		{"E", -5, `quantity "-5": is less than 0, and a pledge is of something: write how much`},
		{"E", true, `, 14 "TRUE"`},
		{"E", 1.5, `quantity "1.5": comes to no whole number`},
		{"E", "1,200", `quantity "1,200": a comma may part thousands or begin decimals: write`},
		{"E", day, `, 17 "2021-01-31"`},
		{"F", "Dragon riders", `unit "Dragon riders": no unit that is known: choose one`},
		{"F", "QQQ", `unit "QQQ": is no currency of ISO 4217: choose one of the list`},
		{"G", "soon", `from "soon": not a date: write it as 2026-11-23`},
		{"G", 46175.5, `from "2026-06-02T12:00:00": has a time of day: write the day alone`},
		{"H", "12/31/2026", `until "12/31/2026": may be another date than is meant: write it as`},
		{"J", day, "write days, as a whole number"},
	}
	fill := func(f *excelize.File, cell string, value any) {
		t.Helper()
		if err := f.SetCellValue("Pledges", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	data := write(t, content())
	_, _, err := read(t, edited(t, data, func(f *excelize.File) {
		fill(f, "E8", "") // of a pledge that is recorded
		for i, c := range cases {
			for column, value := range map[string]any{"B": "ground", "E": 500, "F": "personnel",
				"G": "2026-07-01", c.column: c.value} {
				fill(f, fmt.Sprintf("%s%d", column, 10+i), value)
			}
		}
	}))
	told := fmt.Sprint(err)
	for _, f := range problem.From(err).Fields {
		told += "\n" + f.String()
	}
	told += "\n" + problem.From(err).Hint
	for _, c := range cases {
		if !strings.Contains(told, c.want) {
			t.Errorf("%q is not said by\n%s", c.want, told)
		}
	}
	_, _, err = read(t, edited(t, data, func(f *excelize.File) { fill(f, "S7", "a remark") }))
	told += "\n" + fmt.Sprint(err)
	for _, want := range []string{"15 of 17 rows are wrong", "(2 rows: lines 8, 11)",
		"give each column with something in it a head, or clear what stands beside the table"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not said by\n%s", want, told)
		}
	}
	for _, word := range []string{"mapping", "under ", "skip", "column for", "rule"} {
		if strings.Contains(told, word) {
			t.Errorf("%q is said by\n%s", word, told)
		}
	}
}

func TestFormIsTooLong(t *testing.T) {
	c := content()
	c.Pledges = make([]form.Pledge, form.MaxPledges+1)
	err := form.Write(new(bytes.Buffer), c)
	if p := problem.Of(err); p == nil || p.Kind != problem.TooLarge || p.Hint == "" {
		t.Errorf("%v", err)
	}
}

// The spreadsheet checks what is filled in: names of the plan, dates, whole numbers.
func TestFormChecks(t *testing.T) {
	f := must[*excelize.File](t)(excelize.OpenReader(bytes.NewReader(write(t, content()))))
	defer func() { _ = f.Close() }()
	checks := map[string]string{}
	for _, v := range must[[]*excelize.DataValidation](t)(f.GetDataValidations("Pledges")) {
		checks[v.Sqref] = v.Type + " " + v.Formula1
	}
	for cells, want := range map[string]string{"B7:B509": "list lists!$A$2:$A$3",
		"G7:G509": "date DATE(1990,1,1)", "J7:J509": "whole 0",
		"E7:E509": "custom OR(ISTEXT(E7),AND(E7>0,E7=INT(E7)))"} {
		equal(t, cells, checks[cells], want)
	}
	for cell, want := range map[string]excelize.CellType{"E7": excelize.CellTypeUnset,
		"E8": excelize.CellTypeSharedString, "L7": excelize.CellTypeSharedString,
		"N7": excelize.CellTypeSharedString} { // and no formula
		equal(t, cell, must[excelize.CellType](t)(f.GetCellType("Pledges", cell)), want)
	}
	for _, sheet := range []string{"lists", "muster"} {
		equal(t, sheet, must[bool](t)(f.GetSheetVisible(sheet)), false)
	}
}
