package round_test

import (
	"strings"
	"testing"

	"muster/events/problem"
	"muster/ledger/intake/round"
)

func TestMappingTellsAllFaultsAtOnce(t *testing.T) {
	_, err := round.ReadMapping("test.map.yaml", []byte(`columns:
  natoin: country
units:
  teams: {role: training}
nations:
  Elbonia: ELB
rules:
- when: {column: remark}
  set: {}
- when: {column: remark, contains: x}
  set: {presense: reserve}
extra: 1
`))
	want := []string{
		"columns.natoin: unknown key: the keys here are nation, operation, role, ", "(line 2)",
		"units.teams.unit: write the role and its unit, such as {role: training, unit: team} " +
			"(line 4)",
		`nations.Elbonia "ELB": not a nation that is known here`,
		"rules[0].when: say how the cell is: equals, starts, contains", "(line 8)",
		"rules[0].set: say what: {presence: reserve} (line 9)",
		"rules[1].set.presense: unknown key",
		"extra: unknown key: the keys here are name, key, header, encoding, sheet, wide, skip, ",
		"(line 12)",
	}
	if !problem.Is(err, problem.Invalid) {
		t.Fatal(err)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v\ndoes not say %q", err, part)
		}
	}
}

func TestMappingOfColumnsThatAreNotThere(t *testing.T) {
	m := mapping(t, "columns: {nation: country}\nrules:\n- {when: {column: remark, contains: "+
		"x}, set: {presence: new}}\n")
	_, err := round.Read([]byte(plain), m, origin)
	for _, part := range []string{
		`columns.nation "country": the file has no such column: it has nation, operation, role`,
		`rules[0].when.column "remark": the file has no such column`,
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\ndoes not say %q", err, part)
		}
	}
}

func TestFlags(t *testing.T) {
	var m round.Mapping
	for field, column := range map[string]string{"nation": "who", "quantity": "number"} {
		if err := m.SetColumn(field, column); err != nil {
			t.Fatal(err)
		}
	}
	for field, value := range map[string]string{"operation": "mnf-u", "role": "air",
		"unit": "aircraft", "effective": "2026-11-23", "from": "2026-12-01"} {
		if err := m.SetAlways(field, value); err != nil {
			t.Fatal(err)
		}
	}
	r := read(t, "who,number\nNorway,6\n", m)
	if got := r.Rows[0].Sentence.String(); got !=
		"Norway (NOR) offers 6 aircraft for air to mnf-u, from 2026-12-01" {
		t.Error(got)
	}
	if err := m.SetColumn("natoin", "who"); !problem.Is(err, problem.Usage) ||
		!strings.Contains(err.Error(), "write one of nation, operation") {
		t.Errorf("%v", err)
	}
	if err := m.SetAlways("size", "1"); !problem.Is(err, problem.Usage) {
		t.Errorf("%v", err)
	}
}
