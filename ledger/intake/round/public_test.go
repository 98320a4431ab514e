package round_test

import (
	"encoding/csv"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"muster/events"
	"muster/ledger/intake/round"
)

const flowsOf2020 = `
columns: {nation: srcOrganization, quantity: amountUSD, effective: date, from: date,
  rung: status, source: id}
always: {operation: afghanistan, role: money, unit: USD}
only: {column: srcOrganizationTypes, equals: Government}
skip: [zero, negative]
nations: {Italian Agency for Development Cooperation: ITA, Jersey Overseas Aid: JEY}
words: {rung: {paid: deployed, commitment: confirmed, pledge: offered}}
expect: {rows: 778, sum: 1688277717, unit: USD}
`

const weapons = `
columns: {nation: donor, quantity: number_of_weapons, unit: category, note: weapons_list}
always: {operation: ukraine, role: armour, effective: 2026-07-01, from: 2026-07-01, rung: deployed}
units:
  Air Defense: {role: air-defence, unit: system}
  Howitzers: {role: artillery, unit: howitzer}
  IFV: {role: armour, unit: vehicle}
  MLRS: {role: artillery, unit: launcher}
  Tanks: {role: armour, unit: tank}
expect: {rows: 61, sum: 884, unit: tank}
`

const ranks = `
columns: {nation: ISOCode3, quantity: Total_Uniformed_Personnel, effective: Last_Reporting_Date,
  from: Last_Reporting_Date}
always: {operation: un, role: personnel, unit: personnel, rung: observed, source: United Nations}
dates: 31-Jan-21
expect: {rows: 122, sum: 81932, unit: personnel}
`

const menAndWomen = `
wide: {columns: [Female_Personnel, Male_Personnel], name: who, cell: people}
columns: {nation: Contributing_Country, quantity: people, effective: Last_Reporting_Date,
  from: Last_Reporting_Date, note: who}
always: {operation: un, role: personnel, unit: personnel}
dates: 31-Jan-21
skip: zero
expect: {sum: 81932, unit: personnel}
`

const march2014 = `
wide: {columns: [Experts_on_Mission, Formed_Police_Units, Inidividual_Police, Troops],
  name: kind, cell: people}
columns: {nation: Contributor_ISO-3, quantity: people, operation: Mission, role: kind,
  effective: Date, from: Date}
always: {unit: personnel, rung: observed, source: International Peace Institute}
skip: zero
words:
  quantity: {NA: ''}
  role: {Experts_on_Mission: experts, Formed_Police_Units: formed-police,
    Inidividual_Police: police, Troops: troops}
expect: {sum: 97811, unit: personnel}
`

const kfor = `
columns: {nation: Nation, quantity: Troops}
always: {operation: kfor, role: ground, unit: personnel, effective: 2017-02-01,
  from: 2017-02-01, rung: observed, source: NATO}
expect: {rows: 30, sum: 4273, unit: personnel}
`

// The files come to what their descriptions say, and to what is added up here with nothing but the
// standard library.
func TestPublicFiles(t *testing.T) {
	sum := func(file, column string, only func(map[string]string) bool) int64 {
		return added(t, file, column, only)
	}
	all := func(map[string]string) bool { return true }
	for file, c := range map[string]struct {
		mapping string
		unit    events.Unit
		want    func(file string) int64
	}{
		"fts_incoming_funding_global.csv": {flowsOf2020, "USD", func(file string) int64 {
			return 100 * sum(file, "amountUSD", func(r map[string]string) bool {
				return r["srcOrganizationTypes"] == "Government" && r["amountUSD"][0] != '-'
			})
		}},
		"kiel_weapons.csv": {weapons, "tank", func(file string) int64 {
			return sum(file, "number_of_weapons", func(r map[string]string) bool {
				return r["category"] == "Tanks"
			})
		}},
		"un_rank_2021-01.csv": {ranks, "personnel", func(file string) int64 {
			return sum(file, "Total_Uniformed_Personnel", all)
		}},
		"kfor_2017-02.csv":   {kfor, "personnel", func(string) int64 { return 4273 }},
		"un_ipi_2014-03.csv": {march2014, "personnel", func(string) int64 { return 97_811 }},
	} {
		found := public(t, "field/"+file)
		if got, want := imported(t, found[0], c.mapping, c.unit), c.want(found[0]); got != want {
			t.Errorf("%s comes to %d, want %d", file, got, want)
		}
	}
	file := public(t, "field/un_rank_2021-01.csv")[0]
	if got, want := imported(t, file, menAndWomen, "personnel"), sum(file, "Female_Personnel",
		all)+sum(file, "Male_Personnel", all); got != want {
		t.Errorf("men and women are %d, want %d", got, want)
	}
}

// imported reads a file, and returns what the pledges in a unit add up to.
func imported(t *testing.T, file, text string, u events.Unit) (sum int64) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := round.Read(data, mapping(t, text), origin)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(file), err)
	}
	for _, row := range r.Rows {
		if n, ok := row.Offer.Quantity.Number(); ok && row.Offer.Unit == u {
			sum += n
		}
		for _, st := range row.Statements() {
			if _, err := events.Marshal(st); err != nil {
				t.Fatalf("line %d: %v", row.Line, err)
			}
		}
	}
	return sum
}

// added adds up a column of whole numbers.
func added(t *testing.T, file, column string, only func(map[string]string) bool) int64 {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff"))).
		ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sum := new(big.Int)
	for _, cells := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = cells[i]
		}
		if !only(row) {
			continue
		}
		n, err := strconv.ParseInt(row[column], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum.Add(sum, big.NewInt(n))
	}
	return sum.Int64()
}
