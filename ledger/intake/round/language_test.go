package round_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
	"muster/ledger/intake/round"
)

// usual is what the tables below leave to the mapping.
const usual = "always: {operation: op1, role: ground, unit: personnel, effective: 2024-01-01, " +
	"from: 2024-01-01}\n"

// refusals reads a table of which rows must be refused, and returns what is wrong, by cause.
func refusals(t *testing.T, text string, m round.Mapping) []string {
	t.Helper()
	_, err := round.Read([]byte(text), m, origin)
	if err == nil {
		t.Fatal("nothing is refused")
	}
	var all []string
	for _, f := range problem.From(err).Fields {
		all = append(all, f.String())
	}
	return all
}

func says(t *testing.T, all []string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, part) }) {
			t.Errorf("%q is not said by\n%s", part, strings.Join(all, "\n"))
		}
	}
}

// What a spreadsheet has saved of a formula that has failed is no note, and no name; unless the
// mapping says what it stands for.
func TestErrorsOfASpreadsheet(t *testing.T) {
	const table = "nation,quantity,note,area\nFRA,500,#N/A,\nDEU,#REF!,,\nGBR,5,,#VALUE!\n"
	all := refusals(t, table, mapping(t, usual))
	says(t, all, `line 2: note "#N/A": is an error of the spreadsheet: mend the cell`,
		`line 3: quantity "#REF!": is an error`, `line 4: area "#VALUE!": is an error`)
	if len(all) != 3 {
		t.Errorf("%q", all)
	}
	r := read(t, "nation,quantity,note\nFRA,500,#N/A\n",
		mapping(t, usual+"words: {note: {\"#N/A\": by ship}}\n"))
	if note := r.Rows[0].Offer.Note; note != `published with note "#N/A"; by ship` {
		t.Errorf("the note is %q", note)
	}
}

// The names of UN missions, of which one is the beginning of another: 684 rows of UNMISS went to
// UNMIS.
func TestRulesThatFitAPart(t *testing.T) {
	const table = "nation,n,mission\nIND,100,UNMISS\nIND,7,UNMIS\nFRA,5,UNMISET\n"
	rules := func(how, more string) round.Mapping {
		return mapping(t, "columns: {quantity: n}\nalways: {role: ground, unit: personnel, "+
			"effective: 2024-01-01, from: 2024-01-01}\n"+more+"rules:\n"+
			"- {when: {column: mission, "+how+": UNMISS}, set: {operation: unmiss}}\n"+
			"- {when: {column: mission, "+how+": UNMISET}, set: {operation: unmiset}}\n"+
			"- {when: {column: mission, "+how+": UNMIS}, set: {operation: unmis}}\n")
	}
	operations := func(m round.Mapping) string {
		var all []string
		for _, row := range read(t, table, m).Rows {
			all = append(all, fmt.Sprintf("%s %s", row.Offer.Quantity, row.Offer.Operation))
		}
		return strings.Join(all, ", ")
	}
	if got := operations(rules("equals", "")); got != "100 unmiss, 7 unmis, 5 unmiset" {
		t.Errorf("equals: %s", got)
	}
	says(t, refusals(t, table, rules("contains", "")),
		`line 2: operation: two rules fit the row and say different things: rules[0] (mission `+
			`contains "UNMISS") says "unmiss", and rules[2] (mission contains "UNMIS") says "unmis"`,
		"equals", "line 4: operation", "overlap: last")
	if got := operations(rules("contains", "overlap: last\n")); got != "100 unmis, 7 unmis, "+
		"5 unmis" {
		t.Errorf("the last wins: %s", got)
	}
	m := mapping(t, "columns: {quantity: n}\n"+usual+"rules:\n- when: {column: mission, matches: "+
		"'(?i)^(un[a-z]+)$'}\n  set: {area: x, note: 'of $1'}\n- when: [{column: mission, starts: "+
		"unmis}, {column: nation, equals: [FRA, DEU]}]\n  set: {line: french}\n- when: {column: "+
		"nation, equals: fra, not: true}\n  set: {line: other}\n")
	got := read(t, table, m)
	for i, want := range []string{"other of UNMISS", "other of UNMIS", "french of UNMISET"} {
		if o := got.Rows[i].Offer; string(o.Line)+" "+o.Note != want {
			t.Errorf("line %d: %s %q, want %s", got.Rows[i].Line, o.Line, o.Note, want)
		}
	}
}

func TestWordsThatARuleReplacedStay(t *testing.T) {
	m := mapping(t, `
columns: {nation: country, quantity: tanks, unit: of, note: remark}
always: {operation: op1, role: armour, effective: 2023-01-25, from: 2023-01-25}
nations: {Elbonia: NOR}
words: {presence: {standing by: reserve}}
rules:
  - {when: {column: tanks, contains: to}, set: {quantity: unknown}}
`)
	r := read(t, "country,tanks,of,remark,presence\n"+
		"Elbonia,4 to 8,tank,considering,Standing by\n", m)
	want := `published with country "Elbonia", presence "Standing by", tanks "4 to 8"; considering`
	if got := r.Rows[0].Offer.Note; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The words that stay in the note by themselves change no id: a file that was imported before they
// did is there once.
func TestIDsDoNotRestOnWordsThatStay(t *testing.T) {
	m := mapping(t, `
columns: {nation: country, quantity: tanks, unit: of, note: remark}
always: {operation: op1, role: armour, effective: 2023-01-25, from: 2023-01-25}
nations: {Elbonia: NOR}
units: {tanks: {unit: tank}}
rules:
  - {when: {column: tanks, contains: to}, set: {quantity: unknown}}
  - {when: {column: remark, contains: soon}, set: {note: later, presence: new}}
`)
	r := read(t, "country,tanks,of,remark\nElbonia,4 to 8,tank,considering\n"+
		"France,3,tanks,soon\n", m)
	for i, want := range []struct{ id, note string }{
		{"01GQK3JT00GJFZCBZQH8VF983H",
			`published with country "Elbonia", tanks "4 to 8"; considering`},
		{"01GQK3JT00C2XZXHCQRH7XAAN7",
			`published as "3 tanks"; published with remark "soon"; later`},
	} {
		if o := r.Rows[i].Offer; o.ID.String() != want.id || o.Note != want.note {
			t.Errorf("got  %s %s\nwant %s %s", o.ID, o.Note, want.id, want.note)
		}
	}
}

// Numbers and dates as published lists have them, each of which says what the mapping lacks, and
// then has it.
func TestNumbersAndDates(t *testing.T) {
	const table = "nation;quantity;from\nUSA;90,000;2010-11-15\nGBR;9.500;15.11.2010\n" +
		"DEU;4 341;15 Nov 2010\nFRA;3850;2010-11\nITA;3,7 thousand;31-Jan-21\nPOL;0;2010-11-15\n" +
		"ESP;;2010-11-15\nMLT;-3;02/03/2021\n"
	const always = "always: {operation: op1, role: ground, unit: personnel, " +
		"effective: 2010-11-15}\n"
	says(t, refusals(t, table, mapping(t, always)),
		`line 2: quantity "90,000": a comma may part thousands or begin decimals, and the mapping `+
			`does not say which: thousands: "," or decimal: ","`,
		`line 3: quantity "9.500": a point may part thousands or begin decimals`,
		`line 4: quantity "4 341": has a space among its digits`,
		`line 6: quantity "3,7 thousand": not a number in digits: say what it stands for`,
		`line 7: quantity "0": is 0, and a pledge of nothing is none: if such rows are to be left `+
			`out, say in the mapping skip: zero`,
		`line 8: quantity: the cell is empty`, "skip: blank",
		`line 9: quantity "-3": is less than 0, and a pledge`, "negative: reduce",
		`line 3: from "15.11.2010": not of the form 2026-11-23: if the file writes dates so, say `+
			`in the mapping dates: 31.12.2021`,
		`line 4: from "15 Nov 2010"`, "dates: 31 January 2021",
		`line 5: from "2010-11"`, "dates: 2021-12", `line 6: from "31-Jan-21"`, "dates: 31-Jan-21",
		"dates: 31/12/2021 or dates: 12/31/2021")
	for _, c := range []struct{ how, table, want string }{
		{`thousands: ","`, "90,000;2010-11-15", "90000 2010-11-15"},
		{"thousands: '.'\ndates: 15.11.2010", "9.500;15.11.2010", "9500 2010-11-15"},
		{"thousands: ' '\ndates: 31 January 2021", "4\u202f341;15 Nov 2010", "4341 2010-11-15"},
		{"dates: [2021-12, 2021]", "3850;2010-11", "3850 2010-11-01"},
		{"dates: [2021-12, 2021]", "3850;2010", "3850 2010-01-01"},
		{"decimal: ','\ntimes: 1000\ndates: 31-Jan-21", "3,7;31-Jan-21", "3700 2021-01-31"},
		{"dates: 31/12/2021", "1;02/03/2021", "1 2021-03-02"},
		{"dates: 12/31/2021", "1;02/03/2021", "1 2021-02-03"},
		{"dates: serial", "1;44197", "1 2021-01-01"},
		{"dates: serial 1904", "1;42735", "1 2021-01-01"},
		{"times: 1e9\nalways: {unit: EUR, role: money, operation: op1, effective: 2024-01-01}",
			"0.04;2010-11-15", "40000000.00 2010-11-15"},
		{"always: {unit: EUR, role: money, operation: op1, effective: 2024-01-01}",
			"606796;2010-11-15", "606796.00 2010-11-15"},
		{"dates: 20211231", "1;2010-11-15T00:00:00Z", "1 2010-11-15"},
		{"dates: 31. Jan 21", "1;1. févr. 99", "1 1999-02-01"},
		// The midnight with which a day begins is that day, and so is what sums leave of it.
		{"dates: serial", "1;46175.0", "1 2026-06-02"},
		{"dates: serial", "1;46174.9999999999", "1 2026-06-02"},
		{"dates: 31.12.2021", "1;02.06.2026 00:00", "1 2026-06-02"},
		{"dates: serial 23:59", "1;46175.5", "1 2026-06-02"},
		{"dates: serial 1904 23:59", "1;44713.99", "1 2026-06-02"},
		{"dates: 2021-12-31 23:59", "1;2026-06-02T22:00:00+02:00", "1 2026-06-02"},
		{"dates: 2021-12-31T23:59", "1;2026-06-02", "1 2026-06-02"},
		{"dates: [31/12/2021 23:59]", "1;02/06/2026 2:30 PM", "1 2026-06-02"},
	} {
		text := c.how + "\n"
		if !strings.Contains(c.how, "always") {
			text += always
		}
		o := read(t, "nation;quantity;from\nFRA;"+c.table+"\n", mapping(t, text)).Rows[0].Offer
		if got := fmt.Sprintf("%s %s", o.Quantity, o.From); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.how, c.table, got, c.want)
		}
	}
	for _, c := range []struct{ how, cell, want string }{
		{`thousands: ","`, "9,00", "not parted after every three digits"},
		{"times: 1e9", "0.0000000004", "comes to no whole number"},
		{"decimal: '.'", "9.500", "comes to no whole number"},
		{"times: 1e12", "9008", "comes to more than"},
		{"decimal: ','", "1,200.5", "not parted"},
	} {
		if c.how == "decimal: ','" {
			c.want = "a point may part"
		}
		says(t, refusals(t, "nation;quantity;from\nFRA;"+c.cell+";2010-11-15\n",
			mapping(t, c.how+"\n"+always)), c.want)
	}
	for _, c := range []struct{ how, day, want string }{
		{"", "2026-06-02T12:00:00", "2021-12-31 23:59"},
		{"", "46175.5", "serial 23:59"}, {"dates: serial", "46175.5", "serial 23:59"},
		{"dates: serial 1904", "44713.5", "serial 1904 23:59"},
		{"dates: 31/12/2021", "02/06/2026 14:30:00", "31/12/2021 23:59"},
		{"", "02/06/2026 14:30", "31/12/2021 23:59 or dates: 12/31/2021 23:59"},
	} {
		says(t, refusals(t, "nation;quantity;from\nFRA;1;"+c.day+"\n", mapping(t, c.how+"\n"+
			always)), fmt.Sprintf("from %q: has a time of day: if the day that is written is "+
			"meant, say in the mapping dates: %s", c.day, c.want))
	}
	// A month and a year end on their last day, of which February has fewer.
	r := read(t, "nation;quantity;from;until\nFRA;1;2020;2020-02\n",
		mapping(t, "dates: [2021, 2021-12]\n"+always))
	if o := r.Rows[0].Offer; o.From != 2020_01_01 || o.Until != 2020_02_29 {
		t.Errorf("%s to %s", o.From, o.Until)
	}
	for form, month := range map[string]string{"2021 12": "2", "2021 Jan": "Feb."} {
		m := mapping(t, "columns: {from: [year, month], until: [year, month]}\ndates: "+form+"\n"+
			always)
		r := read(t, "nation;quantity;year;month\nFRA;1;2020;"+month+"\n", m)
		if o := r.Rows[0].Offer; o.From != 2020_02_01 || o.Until != 2020_02_29 {
			t.Errorf("%s: %s to %s", form, o.From, o.Until)
		}
	}
	for _, bad := range []string{"01-02-21", "31", "Jan 31", "dragon", "202112", "1/2/2021",
		"23:59", "31.12.2021 12:00"} {
		if f, err := round.ParseDateForm(bad); err == nil {
			t.Errorf("%q is taken for a form of dates: %+v", bad, f)
		}
	}
}

func TestRowsThatAreNoOffers(t *testing.T) {
	const table = "Contributions to the operation\n\"as of 5 May, \"\"final\"\"\"\n" +
		"donor,type,quantity\n#org,#org+type,#value\nFrance,Government,10\nGermany,Government,0\n" +
		"Red Cross,NGO,5\nTotal,,15\nItaly,Government,\nWorld,Government,99\nSource: the UN\n"
	m := mapping(t, "header: 3\nskip: [tags, totals, blank, zero, {column: donor, equals: World}, "+
		"{starts: 'source:'}]\nonly: {column: type, equals: Government}\n"+
		"columns: {nation: donor}\n"+
		"expect: {rows: 1, sum: 10, unit: personnel}\n"+usual)
	r := read(t, table, m)
	if len(r.Rows) != 1 || r.Rows[0].Line != 5 || r.Rows[0].Offer.Nation != "FRA" {
		t.Errorf("%+v", r.Rows)
	}
	want := []round.Left{{Why: phrase.Verbatim("rows of tags"), Lines: []int{4}},
		{Why: phrase.Verbatim("rows that are totals"), Lines: []int{8}},
		{Why: phrase.Verbatim(`rows where donor equals "World"`), Lines: []int{10}},
		{Why: phrase.Verbatim(`rows whose first cell starts "source:"`), Lines: []int{11}},
		{Why: phrase.Verbatim("rows that are not among the only ones"), Lines: []int{7}},
		{Why: phrase.Verbatim("rows with the quantity 0"), Lines: []int{6}},
		{Why: phrase.Verbatim("rows without a quantity"), Lines: []int{9}}}
	same := cmp.Comparer(func(a, b phrase.Phrase) bool { return a.String() == b.String() })
	if diff := cmp.Diff(want, r.Left, same); diff != "" {
		t.Error(diff)
	}
	m.Expect.Sum, *m.Expect.Rows = events.Count(11), 2
	_, err := round.Read([]byte(table), m, origin)
	for _, part := range []string{`expect.rows "2": so many rows become pledges: 1. `,
		`expect.sum "11": the rows come to 10 personnel`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\ndoes not say %q", err, part)
		}
	}
}

func TestColumnsThatBecomeRows(t *testing.T) {
	const table = "nation,2021-01,2021-02,remark\nFRA,10,12,\nGBR,7,,small\n"
	m := mapping(t, "wide: {matches: '^\\d{4}-\\d\\d$', name: month, cell: people}\n"+
		"columns: {quantity: people, from: month, until: month, note: remark}\ndates: 2021-12\n"+
		"always: {operation: op1, role: ground, unit: personnel, effective: 2021-01-01}\n")
	var got []string
	r := read(t, table, m)
	for i := range r.Rows {
		o := r.Rows[i].Offer
		got = append(got, fmt.Sprintf("%s: %s %s %s", r.Rows[i].Place(), o.Nation, o.Quantity,
			o.Span()))
	}
	want := []string{"line 2, column 2021-01: FRA 10 2021-01-01 to 2021-01-31",
		"line 2, column 2021-02: FRA 12 2021-02-01 to 2021-02-28",
		"line 3, column 2021-01: GBR 7 2021-01-01 to 2021-01-31"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	says(t, refusals(t, "nation,Troops\nFRA,x\n", mapping(t, "wide: {columns: [Troops], name: "+
		"kind, cell: n}\ncolumns: {quantity: n}\n"+usual)), "line 2, column Troops: quantity")
	says(t, refusals(t, table, mapping(t, "wide: {columns: [Troops], name: kind, cell: n}\n"+
		usual)), `wide.columns "Troops": the file has no such column`)
}

func TestEncodings(t *testing.T) {
	const name = "nation,quantity\nCôte d’Ivoire,5\n"
	utf16 := func(mark string, order func(r rune) []byte) []byte {
		all := []byte(mark)
		for _, r := range name {
			all = append(all, order(r)...)
		}
		return all
	}
	little := func(r rune) []byte { return []byte{byte(r), byte(r >> 8)} }
	big := func(r rune) []byte { return []byte{byte(r >> 8), byte(r)} }
	eight := []byte(strings.NewReplacer("ô", "\xf4", "’", "\x92").Replace(name))
	for in, data := range map[string][]byte{
		"": utf16("\xff\xfe", little), "utf-16be": utf16("\xfe\xff", big),
		"utf-16le": utf16("", little), "windows-1252": eight, "latin1": eight, "Latin-1": eight,
		"UTF-8": []byte(name),
	} {
		m := mapping(t, usual)
		m.Form.Encoding = in
		r, err := round.Read(data, m, origin)
		if err != nil || r.Rows[0].Offer.Nation != "CIV" {
			t.Errorf("%q: %v", in, err)
		}
	}
	for in, c := range map[string]struct{ data, want string }{
		"":             {string(eight), "the line reads \\\"Côte d’Ivoire,5\\\""},
		"windows-1252": {name, "the file is text in UTF-8, and not in windows-1252"},
		"utf-16le":     {name[:9], "no text in utf-16le"},
		"iso-8859-2":   {string(eight), "line 2 holds what that has no character for"},
		"klingon":      {name, "no encoding is called"},
		" ":            {name, "no encoding is called"},
	} {
		m := mapping(t, usual)
		m.Form.Encoding = in
		_, err := round.Read([]byte(c.data), m, origin)
		if p := problem.From(err); err == nil ||
			!strings.Contains(p.Detail+fmt.Sprintf("%q", p.Hint), c.want) {
			t.Errorf("%q: %v %+v", in, err, p)
		}
	}
	for in, data := range map[string][]byte{"utf-16le": utf16("", little),
		"utf-16be": utf16("", big)} {
		_, err := round.Read(data, mapping(t, usual), origin)
		if !strings.Contains(problem.From(err).Hint, "encoding: "+in) {
			t.Errorf("of %s it is said: %v %s", in, err, problem.From(err).Hint)
		}
	}
}

// The head is found by the tags below it, and so are its columns, wherever somebody has put them.
func TestTheHeadIsFoundByItsTags(t *testing.T) {
	m := mapping(t, "columns: {nation: '#org+donor', quantity: '#value +pledged'}\n"+usual)
	for _, table := range []string{
		"Contributions\n\nWho,How many,\n#org +donor,#value+pledged,\nFrance,10,x\n",
		"#value+pledged,#org+donor\n1,2\n", // which is a head
		"How many,Who\n#value+pledged,#org+donor\n10,France\n",
	} {
		r, err := round.Read([]byte(table), m, origin)
		if strings.HasPrefix(table, "#") {
			says(t, refusals(t, table, m), `the file has no such column`)
			continue
		}
		if err != nil || len(r.Rows) != 1 || r.Rows[0].Offer.Nation != "FRA" ||
			r.Rows[0].Offer.Quantity != events.Count(10) {
			t.Errorf("%q: %v", table, err)
		}
	}
}
