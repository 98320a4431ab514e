package peacekeeping_test

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/peacekeeping"
)

// published returns the table as it was published, which stays outside the repository.
func published(t *testing.T) []byte {
	t.Helper()
	name := os.Getenv("MUSTER_UN_DATA")
	if name == "" {
		name = "../../../../shared/data/un/contributions_2009-2014.csv"
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("the published table of contributions is not here; MUSTER_UN_DATA says where it "+
			"is: %v", err)
	}
	return data
}

// The figures are those of the table's own description, and of counting with other tools.
func TestPublishedTable(t *testing.T) {
	h := history(t, published(t))
	for date, want := range map[events.Date]int64{
		2009_11_30: 98_029, 2014_02_28: 98_350, 2010_10_31: 99_422, 2012_02_28: 98_795,
		2014_03_31: 97_811, 2014_08_31: 97_947, 2009_11_29: 0,
	} {
		if got := h.StrengthOn(date); got != want {
			t.Errorf("strength on %s: %d, want %d", date, got, want)
		}
	}
	r := h.Report
	for what, n := range map[string][2]int{
		"rows": {r.Rows, 43_255}, "totals": {r.Totals, 6_085}, "repeated": {r.Repeated, 4_599},
		"cleaned":     {r.Cleaned, 32_571},
		"apostrophes": {r.Apostrophes, 8_054}, "NA": {r.NA, 244_344},
		"men and women": {r.MenAndWomen, 17},
		"months":        {r.Months, 58}, "missions": {r.Missions, 26},
		"contributors": {r.Contributors, 131},
		"gaps":         {len(r.Gaps), 0}, "published": {r.Published, 52},
		"differences": {len(r.Differences), 39},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", what, n[0], n[1])
		}
	}
	for _, d := range r.Differences {
		if math.Abs(d.Percent()) > 0.155 || d.Month == 2014_02_28 {
			t.Errorf("%s: %d published, %d in the sum, %.3f %%", d.Month, d.Published,
				d.Sum, d.Percent())
		}
	}
	if d := r.Differences[0]; d != (peacekeeping.Difference{Month: 2009_11_30, Published: 98_113,
		Sum: 98_029}) {
		t.Errorf("the first difference: %+v", d)
	}
}

func TestPublishedTableFoldsBack(t *testing.T) {
	if testing.Short() {
		t.Skip("it calculates for long, in one goroutine")
	}
	data := published(t)
	foldBack(t, data)
	first, again := history(t, data).Statements(origin, ""),
		history(t, data).Statements(origin, peacekeeping.Source)
	if !reflect.DeepEqual(first, again) {
		t.Error("a second reading makes other statements")
	}
	counts := map[events.Type]int{}
	for _, m := range first {
		for _, s := range m.Statements {
			counts[s.Head().Type]++
		}
	}
	for typ, want := range map[events.Type]int{"operation.opened": 26, "pledge.observed": 2_019,
		"pledge.reported": 13_655, "pledge.returned": 1_116} {
		if counts[typ] != want {
			t.Errorf("%s: %d statements, want %d", typ, counts[typ], want)
		}
	}
}

// A file that was cut in the middle of a month, at the end of a row, looks whole. Its published
// total tells.
func TestCutPublishedTable(t *testing.T) {
	data := published(t)
	month := bytes.Index(data, []byte("\n2010-03-31"))
	end := month
	for range 120 { // the totals of all contributors come first, and then some of these
		end += 1 + bytes.IndexByte(data[end+1:], '\n')
	}
	_, err := peacekeeping.Read(bytes.NewReader(data[:end+1]), nil)
	if err == nil || !strings.Contains(err.Error(), "2010-03-31: the published total is 101826") ||
		!problem.Is(err, problem.Invalid) {
		t.Fatalf("got %v", err)
	}
}
