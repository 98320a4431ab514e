package peacekeeping_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/peacekeeping"
)

// table returns a table with the header of the published one and these rows.
func table(t *testing.T, rows ...string) string {
	t.Helper()
	header, _, _ := strings.Cut(string(dirty(t)), "\n")
	return header + "\n" + strings.Join(rows, "\n") + "\n"
}

const (
	nepal = "2014-01-31,Nepal,NPL,UNXA,1,0,1,NA,NA,NA,NA,NA,NA,5,0,5,6,0,6"
	ghana = "2014-01-31,Ghana,GHA,UNXA,1,0,1,NA,NA,NA,NA,NA,NA,5,0,5,6,0,6"
)

func TestWhatCannotBeCleaned(t *testing.T) {
	replaced := func(old, new string) string {
		return table(t, ghana, strings.Replace(nepal, old, new, 1))
	}
	for name, c := range map[string]struct{ text, part string }{
		"empty": {"", "the file is empty"},
		"another header": {"nation,quantity\nFRA,1\n",
			"not the table of contributions: it has no column Date, Contributor, "},
		"a column is missing": {strings.Replace(table(t, nepal), "Troops_Total", "Troops", 1),
			"it has no column Troops_Total"},
		"a spreadsheet": {"PK\x03\x04\x00\x00\"", "not CSV"},
		"only a header": {table(t), "no row of a contributor and a mission"},
		"only totals": {table(t, strings.Replace(nepal, "UNXA", "all", 1)),
			"no row of a contributor and a mission"},
		"cut in a row": {strings.TrimSuffix(table(t, ghana, nepal), ",5,6,0,6\n"),
			"line 3: has 15 cells, and the header has 19"},
		"cut in a number": {
			strings.TrimSuffix(table(t, ghana,
				strings.Replace(nepal, "5,0,5,6,0,6", "50,0,50,51,0,51", 1)), "1\n"),
			"line 3: Total_Total \"5\": the roles add up to 51"},
		"an open quote": {table(t, ghana, `2014-01-31,"Nepal,NPL`), "not CSV, or it is cut"},
		"contradictory rows": {table(t, nepal, ghana,
			strings.Replace(nepal, "5,0,5,6,0,6", "4,0,4,5,0,5", 1)),
			"line 4: says something else of NPL in UNXA than line 2 does"},
		"only women differ": {table(t, nepal,
			strings.Replace(nepal, "5,0,5,6,0,6", "4,1,5,5,1,6", 1)),
			"line 3: says something else of NPL in UNXA than line 2 does"},
		"two grand totals": {table(t, nepal,
			"2014-01-31,all,all,all,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,6",
			"2014-01-31,all,all,all,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,7"),
			"line 4: Total_Total \"7\": the total of all in this month is 6 in line 3"},
		"a bad date": {replaced("2014-01-31", "31.1.2014"),
			"line 3: Date \"31.1.2014\": write the last day of the month"},
		"two dates": {replaced("2014-01-31", "2014-01-30"),
			"line 3: Date \"2014-01-30\": the month has the date 2014-01-31 in line 2"},
		"an unknown code": {replaced("NPL", "XXN"),
			"line 3: Contributor_ISO-3 \"XXN\": no code of ISO 3166-1"},
		"another's code": {replaced("NPL", "GHA"),
			"line 3: Contributor_ISO-3 \"GHA\": is not the code of Nepal, which is NPL"},
		"an unknown name": {replaced("Nepal,NPL", "Atlantis,NA"),
			"line 3: Contributor \"Atlantis\": not a nation"},
		"a bad mission": {replaced("UNXA", "UN.>"),
			"line 3: Mission \"UN.>\": write the mission's short name"},
		"half a person": {replaced("1,0,1", "1.5,0,1.5"),
			"line 3: Individual_Police_Male \"1.5\": write a whole number"},
		"less than nobody": {replaced("1,0,1", "1,0,-1"),
			"line 3: Individual_Police_Total \"-1\": write a whole number"},
		"nothing": {replaced("1,0,1", "1,0,"),
			"line 3: Individual_Police_Total: write a whole number of people, or NA for none"},
		"too many": {replaced("1,0,1", "1,0,9223372036854775807"),
			"write a whole number of people"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := peacekeeping.Read(strings.NewReader(c.text), nil)
			if h != nil || err == nil || !strings.Contains(err.Error(), c.part) {
				t.Fatalf("%v: does not say %q", err, c.part)
			}
			if k := problem.From(err).Kind; k != problem.Syntax && k != problem.Invalid {
				t.Errorf("kind %q", k.Slug)
			}
		})
	}
}

// One cause is told once, with the first twenty of its lines and how many more there are.
func TestOneCauseIsToldOnce(t *testing.T) {
	rows := []string{strings.Replace(ghana, "GHA", "XXG", 1)}
	for range 30 {
		rows = append(rows, strings.Replace(nepal, "NPL", "XXN", 1))
	}
	_, err := peacekeeping.Read(strings.NewReader(table(t, rows...)), nil)
	fields := problem.From(err).Fields
	if len(fields) != 1 || fields[0].Location != "Contributor_ISO-3" ||
		!strings.Contains(fields[0].Message, "(31 rows: lines 2 \"XXG\", 3 \"XXN\", ") ||
		!strings.HasSuffix(fields[0].Message, `21 "XXN", and 11 more)`) {
		t.Errorf("%d fields: %v", len(fields), err)
	}
}

func TestAReaderThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, before := range []string{"", table(t, nepal)} {
		_, err := peacekeeping.Read(io.MultiReader(strings.NewReader(before),
			iotest.ErrReader(broken)), nil)
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", len(before), err)
		}
	}
}

func TestANameWithoutACode(t *testing.T) {
	h := history(t, []byte(table(t, strings.Replace(nepal, "NPL", "", 1),
		strings.Replace(ghana, "GHA", "NA", 1))))
	if h.Report.Contributors != 2 || h.StrengthOn(2014_01_31) != 12 {
		t.Errorf("%+v", h.Report)
	}
}

// A month that has nothing but totals says nothing of who is there, and so nobody has left.
func TestAMonthOfTotalsIsAGap(t *testing.T) {
	h := history(t, []byte(table(t, nepal,
		"2014-02-28,all,all,all,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,6",
		strings.Replace(nepal, "2014-01-31", "2014-03-31", 1))))
	if len(h.Report.Gaps) != 1 || h.Report.Gaps[0] != 2014_02_01 || h.StrengthOn(2014_02_28) != 6 ||
		len(h.Months()) != 2 {
		t.Errorf("%+v, %d on 2014-02-28", h.Report, h.StrengthOn(2014_02_28))
	}
}

// Before 1970 the time of an ID cannot hold the month; the statements are whole nevertheless.
func TestMonthsBefore1970(t *testing.T) {
	h := history(t, []byte(table(t, strings.Replace(nepal, "2014-01-31", "1948-06-30", 1),
		strings.Replace(nepal, "2014-01-31", "1948-07-31", 1))))
	for _, s := range h.Statements(origin, source)[0].Statements {
		if _, err := events.Marshal(s); err != nil {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("Date,Contributor\n2014-01-31,Nepal\n"))
	header := "Date,Contributor,Contributor_ISO-3,Mission,"
	for _, kind := range []string{"Individual_Police", "Formed_Police_Units", "Experts_on_Mission",
		"Troops", "Total"} {
		header += kind + "_Male," + kind + "_Female," + kind + "_Total,"
	}
	header = strings.TrimSuffix(header, ",") + "\n"
	f.Add([]byte(header + nepal + "\n" + ghana + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := peacekeeping.Read(bytes.NewReader(data), nil)
		if err != nil {
			if problem.From(err).Kind == problem.Internal {
				t.Fatalf("an error that is no problem: %v", err)
			}
			return
		}
		for _, m := range h.Statements(origin, source) {
			for _, s := range m.Statements {
				if _, err := events.Marshal(s); err != nil {
					t.Fatalf("%s: %v", say(s), err)
				}
			}
		}
	})
}
