package peacekeeping_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/peacekeeping"
)

const (
	origin = events.Origin("muster.example/berlin")
	source = "a made-up table"
)

func history(t *testing.T, data []byte) *peacekeeping.History {
	t.Helper()
	h, err := peacekeeping.Read(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// dirty returns a small made-up table with all the dirt that the published one has.
func dirty(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/dirty.csv")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReport(t *testing.T) {
	got := history(t, dirty(t)).Report
	want := peacekeeping.Report{
		Rows: 36, Totals: 8, Repeated: 10, Apostrophes: 17, Cleaned: 18, NA: 114, MenAndWomen: 1,
		Months: 5, Missions: 3, Contributors: 4, First: 2013_11_30, Last: 2014_04_30,
		Names: map[string]events.Nation{
			"Cote d Ivoire": "CIV", "Macedonia": "MKD",
			"The former Yugoslav Republic of Macedonia": "MKD", "Viet Nam": "VNM",
		},
		Gaps:        []events.Date{2014_02_01},
		Published:   3,
		Differences: []peacekeeping.Difference{{Month: 2013_11_30, Published: 1449, Sum: 1446}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	text := strings.Join(got.Lines(), "\n")
	for _, line := range []string{
		"36 rows read: 5 months from 2013-11-30 to 2014-04-30, 3 missions, 4 contributors",
		"there is no month 2014-02: what the month before says goes on",
		"1 of the 3 months that publish a grand total differ from the sum of their contributions",
		"2013-11-30: 1449 published, 1446 in the sum, -3 (-0.21 %)",
		"4 names that are written otherwise here: Cote d Ivoire (CIV), Macedonia (MKD), ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("%s\ndoes not say %q", text, line)
		}
	}
}

// say writes a statement in a few words.
func say(s events.Statement) string {
	nation, operation := events.About(s)
	words := fmt.Sprintf("%s %s %s", s.Head().Type.Event(), operation, nation)
	switch s := s.(type) {
	case *events.PledgeObserved:
		return fmt.Sprintf("%s %s %s", words, s.Role, s.Quantity)
	case *events.PledgeReported:
		return fmt.Sprintf("%s %s", words, s.Quantity)
	}
	return words
}

func TestStatements(t *testing.T) {
	var got strings.Builder
	for _, m := range history(t, dirty(t)).Statements(origin, source) {
		fmt.Fprintln(&got, m.Date)
		for _, s := range m.Statements {
			fmt.Fprintln(&got, " ", say(s))
		}
	}
	want := `2013-11-30
  opened unxa HQ
  opened unxb HQ
  observed unxa CIV troops 210
  observed unxa MKD experts 2
  observed unxa NPL formed-police 140
  observed unxa NPL police 12
  observed unxa NPL troops 540
  observed unxb NPL experts 3
  observed unxb NPL police 9
  observed unxb NPL troops 530
2013-12-31
  returned unxa CIV
  returned unxa NPL
  returned unxb NPL
2014-01-31
  observed unxa CIV troops 210
  reported unxa NPL 130
  observed unxa NPL police 14
2014-03-31
  opened unxc HQ
  reported unxa CIV 160
  returned unxb NPL
  returned unxb NPL
  observed unxc VNM experts 1
2014-04-30
  reported unxa MKD 3
  returned unxa NPL
  returned unxa NPL
  returned unxa NPL
  returned unxc VNM
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// naive reads a clean strength from the raw lines in the dullest way there is, to compare with:
// month → who → number.
func naive(t *testing.T, data []byte) map[events.Date]map[string]int64 {
	t.Helper()
	column := map[events.Role]int{"police": 6, "formed-police": 9, "experts": 12, "troops": 15}
	months := map[events.Date]map[string]int64{}
	for i, line := range strings.Split(strings.ReplaceAll(string(data), "'", ""), "\n") {
		cells := strings.Split(strings.TrimSuffix(line, "\r"), ",")
		if i == 0 || len(cells) < 19 || cells[1] == "all" || cells[3] == "all" {
			continue
		}
		date, err := events.ParseDate(cells[0])
		if err != nil {
			t.Fatal(err)
		}
		if months[date] == nil {
			months[date] = map[string]int64{}
		}
		for role, at := range column {
			if cells[at] != "NA" && cells[at] != "0" {
				var n int64
				fmt.Sscan(cells[at], &n)
				months[date][fmt.Sprintf("%s %s %s", cells[2], strings.ToLower(cells[3]), role)] = n
			}
		}
	}
	return months
}

// fold does with statements what a ledger does: it keeps the pledges that are alive, and refuses
// what cannot be.
type fold struct {
	t          *testing.T
	operations map[events.Operation]bool
	alive      map[events.ID]string
	strength   map[string]int64
	ids        map[events.ID]bool
	bytes      []byte
}

func (f *fold) take(month events.Date, s events.Statement) {
	text, err := events.Marshal(s)
	if err != nil {
		f.t.Fatalf("%s: %v", say(s), err)
	}
	f.bytes = append(append(f.bytes, text...), '\n')
	if id := s.Head().ID; f.ids[id] {
		f.t.Fatalf("%s: its ID %s was there before", say(s), id)
	} else {
		f.ids[id] = true
	}
	switch s := s.(type) {
	case *events.OperationOpened:
		f.operations[s.Operation] = true
		f.dated(month, s.Dated)
	case *events.PledgeObserved:
		who := fmt.Sprintf("%s %s %s", s.Nation, s.Operation, s.Role)
		if !f.operations[s.Operation] || f.strength[who] > 0 {
			f.t.Fatalf("%s: the operation is not open, or the contribution is observed already",
				say(s))
		}
		f.alive[s.ID] = who
		f.set(who, s.Quantity)
		f.dated(month, s.Dated)
	case *events.PledgeReported:
		before := f.strength[f.who(s, s.Pledge)]
		f.set(f.who(s, s.Pledge), s.Quantity)
		if f.strength[f.who(s, s.Pledge)] == before {
			f.t.Fatalf("%s: nothing has changed", say(s))
		}
		f.dated(month, s.Dated)
	case *events.PledgeReturned:
		delete(f.strength, f.who(s, s.Pledge))
		delete(f.alive, s.Pledge)
		f.dated(month, s.Dated)
	default:
		f.t.Fatalf("a statement that nobody expects: %s", say(s))
	}
}

func (f *fold) dated(month events.Date, d events.Dated) {
	if d.Effective != month {
		f.t.Fatalf("effective %s, in the month %s", d.Effective, month)
	}
}

func (f *fold) who(s events.Statement, pledge events.ID) string {
	nation, operation := events.About(s)
	who := f.alive[pledge]
	if !strings.HasPrefix(who, fmt.Sprintf("%s %s ", nation, operation)) {
		f.t.Fatalf("%s: the pledge %s is %q", say(s), pledge, who)
	}
	return who
}

func (f *fold) set(who string, q events.Quantity) {
	f.strength[who], _ = q.Number()
}

// foldBack folds the statements, compares every month with the naive reading, and returns all
// statements as bytes.
func foldBack(t *testing.T, data []byte) []byte {
	t.Helper()
	h := history(t, data)
	want := naive(t, data)
	f := &fold{t, map[events.Operation]bool{}, map[events.ID]string{}, map[string]int64{},
		map[events.ID]bool{}, nil}
	months := h.Statements(origin, source)
	if len(months) != len(want) {
		t.Fatalf("%d months, want %d", len(months), len(want))
	}
	for i, m := range months {
		if i > 0 && m.Date <= months[i-1].Date {
			t.Fatalf("the month %s comes after %s", m.Date, months[i-1].Date)
		}
		for _, s := range m.Statements {
			f.take(m.Date, s)
		}
		if !maps.Equal(f.strength, want[m.Date]) {
			t.Errorf("%s: %d contributions folded, %d in the file, or with other numbers", m.Date,
				len(f.strength), len(want[m.Date]))
		}
		if sum := h.StrengthOn(m.Date); sum != total(want[m.Date]) {
			t.Errorf("%s: StrengthOn says %d, want %d", m.Date, sum, total(want[m.Date]))
		}
	}
	if len(f.operations) != h.Report.Missions {
		t.Errorf("%d operations opened, of %d missions", len(f.operations), h.Report.Missions)
	}
	return f.bytes
}

func total(who map[string]int64) (n int64) {
	for _, m := range who {
		n += m
	}
	return n
}

func TestStatementsFoldBackToTheFile(t *testing.T) {
	data := dirty(t)
	first := foldBack(t, data)
	if !bytes.Equal(first, foldBack(t, data)) {
		t.Error("a second reading makes other statements")
	}
	// The order of the rows does not matter, nor that they are repeated.
	lines := strings.SplitAfter(string(data), "\n")
	slices.Reverse(lines[1:])
	if !bytes.Equal(first, foldBack(t, []byte("\ufeff"+strings.Join(lines, "")))) {
		t.Error("the same rows in another order make other statements")
	}
}

// An ID must never change: a ledger that has imported a file knows its statements by their IDs.
func TestIDsAreFrozen(t *testing.T) {
	h := history(t, dirty(t))
	ids := map[string]string{}
	for _, m := range h.Statements(origin, source) {
		for _, s := range m.Statements {
			ids[m.Date.String()+" "+say(s)] = s.Head().ID.String()
		}
	}
	for what, want := range map[string]string{
		"2013-11-30 opened unxa HQ":               "018AK4W10060N3MZFE3MAJD5ZR",
		"2013-11-30 observed unxa CIV troops 210": "018AK4W100XQ6QXQMEQM3A8NHJ",
		"2014-01-31 observed unxa CIV troops 210": "018FJSGK006D45REETVK8N1BF4",
		"2014-03-31 reported unxa CIV 160":        "018MAPZ000QT4MG4FZ960PBA4H",
	} {
		if ids[what] != want {
			t.Errorf("%s has the ID %s: a file that was imported would be there twice",
				what, ids[what])
		}
	}
	if other := h.Statements("muster.example/paris",
		source)[0].Statements[0].Head().ID; other.String() == ids["2013-11-30 opened unxa HQ"] {
		t.Error("another ledger, and the same ID")
	}
}

func TestStrengthOn(t *testing.T) {
	h := history(t, dirty(t))
	for date, want := range map[events.Date]int64{
		2013_11_29: 0, 2013_11_30: 1446, 2013_12_30: 1446, 2013_12_31: 1221, 2014_02_28: 1435,
		2014_03_31: 847, 2020_01_01: 163,
	} {
		if got := h.StrengthOn(date); got != want {
			t.Errorf("%s: %d, want %d", date, got, want)
		}
	}
}
