package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The real table, which stays outside the repository: uniformed contributions to UN peace
// operations, 2009 to 2014.
const unData = "../../../shared/data/un/contributions_2009-2014.csv"

// The whole published history goes in, and what comes out for each month is what a cleaning of
// another kind finds.
func TestUNHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("it imports 17,000 records, one after the other")
	}
	file := cmp.Or(os.Getenv("MUSTER_UN_DATA"), unData)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the table of the UN's contributions is not there (name it with "+
			"MUSTER_UN_DATA): %v", err)
	}
	t.Parallel()
	want := sumsByMonth(t, file)
	dir := t.TempDir()
	server := serving(t, filepath.Join(dir, "ledger"))
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}

	first := importUN(t, dir, absolute)
	if first.Recorded == 0 || first.Before != 0 {
		t.Errorf("the first import recorded %d, and %d before", first.Recorded, first.Before)
	}
	if n := len(want); n != 58 {
		t.Fatalf("the table has %d months", n)
	}
	for _, month := range slices.Sorted(maps.Keys(want)) {
		if got := personnelOn(t, dir, month); got != want[month] {
			t.Errorf("strength on %s is %d, and the table adds up to %d", month, got, want[month])
		}
	}
	// Published, or added up by hand, so that the two cleanings are not wrong in the same way.
	for on, total := range map[string]int64{"2009-11-30": 98_029, "2014-02-28": 98_350,
		"2014-02-27": want["2014-01-31"], "2009-11-29": 0} {
		if got := personnelOn(t, dir, on); got != total {
			t.Errorf("strength on %s is %d, not %d", on, got, total)
		}
	}

	for _, pair := range [][2]string{{"2009-11-30", "2009-12-31"}, {"2013-12-31", "2014-01-31"},
		{"2010-06-30", "2012-06-30"}, {"2014-01-31", "2013-12-31"}, {"2009-11-30", "2014-06-30"}} {
		if _, ok := want[pair[1]]; ok {
			compareMonths(t, dir, file, pair[0], pair[1])
		}
	}
	var same struct{ Strength []any }
	// exit code 0: no month ends between
	decodeJSON(t, dir, &same, "diff", "--from-on", "2014-01-01", "--to-on", "2014-01-30", "--json")
	if len(same.Strength) != 0 {
		t.Errorf("within a month %d sums differ", len(same.Strength))
	}

	for operation, want := range map[string]struct {
		nation      string
		least, most int
	}{"unisfa": {"ETH", 97, 98}, "unami": {"FJI", 70, 70}} {
		nation, percent := heldBy(t, dir, operation, "2014-02-28")
		if nation != want.nation || percent < want.least || percent > want.most {
			t.Errorf("%s is held by %s to %d percent, not by %s to %d–%d", operation, nation,
				percent, want.nation, want.least, want.most)
		}
	}

	again := importUN(t, dir, absolute)
	if again.Recorded != 0 || again.Before != first.Recorded {
		t.Errorf("the second import recorded %d, and found %d of %d", again.Recorded, again.Before,
			first.Recorded)
	}
	server.stop(t)
}

func importUN(t *testing.T, dir, file string) (done importedHistory) {
	t.Helper()
	decodeJSON(t, dir, &done, "import", "un", file, "--json")
	return done
}

// personnelOn asks for the whole strength on a date: the only total there may be.
func personnelOn(t *testing.T, dir, on string) int64 {
	t.Helper()
	var answer struct {
		Totals []struct {
			Unit     string
			Quantity int64
		}
	}
	decodeJSON(t, dir, &answer, "strength", "--on", on, "--json")
	switch {
	case len(answer.Totals) == 0:
		return 0
	case len(answer.Totals) > 1 || answer.Totals[0].Unit != "personnel":
		t.Fatalf("strength on %s has the totals %v", on, answer.Totals)
	}
	return answer.Totals[0].Quantity
}

// heldBy asks which nation holds most of an operation's personnel, and how many percent.
func heldBy(t *testing.T, dir, operation, on string) (nation string, percent int) {
	t.Helper()
	var answer struct {
		Holds []struct {
			Nation  string
			Percent int
		}
	}
	decodeJSON(t, dir, &answer, "dependence", "--operation", operation, "--on", on, "--json")
	if len(answer.Holds) != 1 {
		t.Fatalf("%s on %s hangs on %v", operation, on, answer.Holds)
	}
	return answer.Holds[0].Nation, answer.Holds[0].Percent
}

// A contribution is what the table has a number for.
type contribution struct{ operation, nation, role string }

// compareMonths asks what two months differ in, and looks in the table by itself which of its
// numbers do.
func compareMonths(t *testing.T, dir, file, from, to string) {
	t.Helper()
	type change struct{ from, to int64 }
	old, now := numbersOf(t, file, from), numbersOf(t, file, to)
	want := map[contribution]change{}
	for _, month := range []map[contribution]int64{old, now} {
		for key := range month {
			if old[key] != now[key] {
				want[key] = change{old[key], now[key]}
			}
		}
	}
	var answer struct {
		Strength []struct {
			Operation, Nation, Role string
			From, To                int64
			Pledges                 []string
		}
		Pledges []struct {
			Pledge  string
			Records []struct {
				Sequence uint64
				Signer   string
				Sentence string
			}
		}
	}
	c := exec.Command("muster", "diff", "--from-on", from, "--to-on", to, "--json")
	c.Dir, c.Env = dir, plainEnv("MUSTER_DATA=ledger",
		"MUSTER_CONFIG="+filepath.Join(dir, ".config"))
	out, err := c.Output()
	if c.ProcessState.ExitCode() != 10 {
		t.Fatalf("diff from %s to %s ended with %v\n%s", from, to, err, out)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	made := map[string]int{} // by pledge: how many records have made the difference
	for _, p := range answer.Pledges {
		made[p.Pledge] = len(p.Records)
		for _, r := range p.Records {
			if r.Sequence == 0 || r.Signer == "" || r.Sentence == "" {
				t.Errorf("%s says too little of %+v", from, r)
			}
		}
	}
	for _, row := range answer.Strength {
		key := contribution{row.Operation, row.Nation, row.Role}
		if got := (change{row.From, row.To}); got != want[key] {
			t.Errorf("%s to %s: %v is told to change %v, and the table says %v", from, to, key,
				got, want[key])
		}
		delete(want, key)
		if len(row.Pledges) == 0 || made[row.Pledges[0]] == 0 {
			t.Errorf("%s to %s: nothing has changed %v", from, to, key)
		}
	}
	for key, change := range want {
		t.Errorf("%s to %s: %v is not told to change %v", from, to, key, change)
	}
}

func tableOf(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// numbersOf reads the numbers of one month from the table.
func numbersOf(t *testing.T, file, month string) map[contribution]int64 {
	t.Helper()
	rows := tableOf(t, file)
	column := func(row []string, name string) string {
		return strings.Trim(row[slices.Index(rows[0], name)], "'")
	}
	numbers := map[contribution]int64{}
	for _, row := range rows[1:] {
		mission, nation := column(row, "Mission"), column(row, "Contributor_ISO-3")
		if row[0] != month || mission == "all" || column(row, "Contributor") == "all" {
			continue
		}
		for name, role := range map[string]string{"Troops_Total": "troops",
			"Individual_Police_Total": "police", "Formed_Police_Units_Total": "formed-police",
			"Experts_on_Mission_Total": "experts"} {
			if n, _ := strconv.ParseInt(column(row, name), 10, 64); n > 0 {
				numbers[contribution{strings.ToLower(mission), nation, role}] = n
			}
		}
	}
	return numbers
}

// decodeJSON runs muster in a folder, with the ledger there, and decodes its standard output.
func decodeJSON(t *testing.T, dir string, into any, args ...string) {
	t.Helper()
	c := exec.Command("muster", args...)
	c.Dir, c.Env = dir, plainEnv("MUSTER_DATA=ledger",
		"MUSTER_CONFIG="+filepath.Join(dir, ".config"))
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		t.Fatalf("muster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// sumsByMonth adds up the table's column of totals by itself: rows named "all" are left out,
// apostrophes are taken off, a contribution counts once in a month and mission, and what is no
// number is nothing.
func sumsByMonth(t *testing.T, file string) map[string]int64 {
	t.Helper()
	rows := tableOf(t, file)
	column := func(name string) int { return slices.Index(rows[0], name) }
	date, name, mission, total := column("Date"), column("Contributor"), column("Mission"),
		column("Total_Total")
	sums, seen := map[string]int64{}, map[[3]string]bool{}
	for _, row := range rows[1:] {
		key := [3]string{row[date], strings.Trim(row[name], "'"), strings.Trim(row[mission], "'")}
		if key[1] == "all" || key[2] == "all" || seen[key] {
			continue
		}
		seen[key] = true
		n, _ := strconv.ParseInt(row[total], 10, 64)
		sums[row[date]] += n
	}
	return sums
}
