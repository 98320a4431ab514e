package round_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/round"
)

const (
	origin = events.Origin("muster.example/berlin")
	demo   = "../../../cmd/muster/demo"
)

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(demo, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mapping(t *testing.T, text string) round.Mapping {
	t.Helper()
	m, err := round.ReadMapping("test.map.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t *testing.T, text string, m round.Mapping) *round.Round {
	t.Helper()
	r, err := round.Read([]byte(text), m, origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		for _, st := range row.Statements() {
			if _, err := events.Marshal(st); err != nil {
				t.Errorf("line %d: %v", row.Line, err)
			}
		}
	}
	return r
}

// The round of December 2009, as AFP published it: the figures are those of the source, added up by
// hand.
func TestTheRoundOf2009(t *testing.T) {
	m := mapping(t, string(file(t, "isaf-2009.map.yaml")))
	r := read(t, string(file(t, "isaf-2009.csv")), m)
	type counted struct {
		role    events.Role
		unit    events.Unit
		reserve bool
	}
	got, nations := map[counted]int64{}, map[events.Nation]bool{}
	for _, row := range r.Rows {
		o := row.Offer
		n, ok := o.Quantity.Number()
		if !ok {
			t.Errorf("line %d: quantity %s", row.Line, o.Quantity)
		}
		got[counted{o.Role, o.Unit, o.Presence == events.Reserve}] += n
		nations[o.Nation] = true
		if o.Operation != "isaf" || o.Effective != 2009_12_04 ||
			!strings.HasPrefix(o.Source, "AFP, 4 December 2009") {
			t.Errorf("line %d: %+v", row.Line, o)
		}
	}
	want := map[counted]int64{
		{"ground", "personnel", false}: 5529,
		{"ground", "personnel", true}:  400,
		{"ground", "unit", false}:      1,
		{"training", "team", false}:    4,
		{"training", "unit", false}:    6,
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%+v: %d, want %d", k, got[k], n)
		}
	}
	if len(got) != len(want) || len(r.Rows) != 28 || len(nations) != 23 || len(r.Unused) != 0 {
		t.Errorf("%v, %d rows, %d nations, unused %v", got, len(r.Rows), len(nations), r.Unused)
	}
	// Britain, Macedonia, South Korea
	for code, line := range map[events.Nation]int{"GBR": 5, "MKD": 14, "KOR": 25} {
		if got := r.Rows[line-2]; got.Line != line || got.Offer.Nation != code {
			t.Errorf("line %d: %s %+v", line, got.Sentence, got.Offer)
		}
	}
}

func TestSentencesSayWhatARowBecomes(t *testing.T) {
	r := read(t, string(file(t, "isaf-2009.csv")),
		mapping(t, string(file(t, "isaf-2009.map.yaml"))))
	for line, want := range map[int]string{
		2:  `Albania (ALB) offers 125 personnel for ground to isaf, from 2009-12-04`,
		7:  `Croatia (HRV) offers 2 teams for training to isaf, from 2009-12-04 (published as "2 police training team"; not in the published sum; a team has 20 to 30 people as a rule)`,
		18: `Poland (POL) offers 400 personnel for ground to isaf, from 2009-12-04, in reserve (in reserve; not in the published sum)`,
	} {
		if got := r.Rows[line-2].Sentence.String(); got != want {
			t.Errorf("line %d:\ngot  %s\nwant %s", line, got, want)
		}
	}
}

func ids(r *round.Round) []events.ID {
	var all []events.ID
	for _, row := range r.Rows {
		all = append(all, row.Offer.ID)
	}
	return all
}

const plain = "nation,operation,role,quantity,unit,effective,from,note\n" +
	"FRA,mnf-u,ground,1200,personnel,2026-11-23,2027-01-01,\n" +
	"FRA,mnf-u,ground,1200,personnel,2026-11-23,2027-01-01,\n" +
	"Deutschland,mnf-u,ground,800,personnel,2026-11-23,2027-01-01,\"two, in all\"\n"

var german = round.Mapping{Nations: map[string]events.Nation{"deutschland": "DEU"}}

func TestIDsFollowFromTheRows(t *testing.T) {
	first := ids(read(t, plain, german))
	if !slices.Equal(first, ids(read(t, plain, german))) {
		t.Error("the second time the IDs are others")
	}
	seen := map[events.ID]bool{}
	for _, id := range first {
		seen[id] = true
	}
	if len(seen) != 3 {
		t.Errorf("equal rows have equal IDs: %v", first)
	}
	if got, want := first[0].String()[:10], mustID(t, 2026_11_23).String()[:10]; got != want {
		t.Errorf("the time of the ID is %s, want that of the effective date, %s", got, want)
	}
	other, err := round.Read([]byte(plain), german, "muster.example/paris")
	if err != nil || ids(other)[0] == first[0] {
		t.Errorf("another ledger, and the same ID: %v", err)
	}
	// An ID must never change: a ledger that has imported a file knows its rows by their IDs.
	if got := first[0].String(); got != "01M82V7M00Q02VMKXW6KBHZMZB" {
		t.Errorf("the first row's ID is now %s: files that were imported would be there twice", got)
	}
}

func mustID(t *testing.T, d events.Date) events.ID {
	t.Helper()
	id, err := events.IDAt(uint64(d.Time().UnixMilli()), [10]byte{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAsSpreadsheetsSaveIt(t *testing.T) {
	want := ids(read(t, plain, german))
	semicolons := strings.NewReplacer(`"two, in all"`, "\x00", ",", ";").Replace(plain)
	semicolons = strings.ReplaceAll(semicolons, "\x00", `"two, in all"`)
	for name, text := range map[string]string{
		"byte order mark": "\ufeff" + plain,
		"CRLF":            strings.ReplaceAll(plain, "\n", "\r\n"),
		"semicolons":      "\ufeff" + strings.ReplaceAll(semicolons, "\n", "\r\n"),
		"tabs":            strings.ReplaceAll(semicolons, ";", "\t"),
		"empty rows":      plain + ",,,,,,,\n\n",
		"other case":      strings.Replace(plain, "nation,operation", "Nation,OPERATION", 1),
		"spaces":          strings.ReplaceAll(plain, "FRA,", " FRA ,"),
	} {
		if got := ids(read(t, text, german)); !slices.Equal(got, want) {
			t.Errorf("%s: other IDs, of %d rows", name, len(got))
		}
	}
}

func TestEveryBadRowIsTold(t *testing.T) {
	text := "who,number,of\n" +
		"FRA,0,personnel\n" + // line 2
		"Atlantis,12x,dragon riders\n" + // line 3
		"DEU,100,personnel\n" + // line 4, good
		"GBR,,personnel\n" + // line 5
		"ITA,1.5,personnel\n" + // line 6
		"Україна,\"1,200\",personnel\n" // line 7
	m := mapping(t, "columns: {nation: who, quantity: number, unit: of}\n"+
		"always: {operation: mnf-u, role: ground, effective: 2026-11-23, from: 2027-01-01, "+
		"until: 2026-01-01}\n")
	r, err := round.Read([]byte(text), m, origin)
	if !problem.Is(err, problem.Invalid) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range problem.From(err).Fields {
		got = append(got, f.Location)
	}
	want := []string{"until", "nation", "line 2: quantity", "line 3: quantity", "line 3: unit",
		"line 5: quantity", "line 6: quantity", "line 7: quantity"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if len(r.Rows) != 6 || r.Rows[1].Offer != nil {
		t.Fatalf("%d rows", len(r.Rows))
	}
	for _, part := range []string{`refused: nation "Atlantis": not a nation`, "three-letter code",
		`quantity "12x"`, "say under units what it stands for, such as `dragon riders: {role: " +
			"training, unit: team}`"} {
		if !strings.Contains(r.Rows[1].Sentence.String(), part) {
			t.Errorf("%q does not say %q", r.Rows[1].Sentence.String(), part)
		}
	}
}

func TestRulesAndConstants(t *testing.T) {
	text := "nation,quantity,unit,until,days,remark\n" +
		"FRA,unknown,ship,,10,from Toulon\n" +
		"GBR,2,frigates,2027-06-30,,IN  Reserve\n"
	m := mapping(t, `
columns: {notice_to_move: days, note: remark}
always: {operation: mnf-u, role: sea, effective: 1969-07-20, from: 2027-01-01, until: 2027-12-31, area: black-sea, presence: new}
units: {Frigates: {unit: ship}}
overlap: last
rules:
- {when: {column: remark, contains: reserve}, set: {presence: present}}
- {when: {column: remark, contains: in reserve}, set: {presence: reserve, area: baltic}}
`)
	r := read(t, text, m)
	a, b := r.Rows[0].Offer, r.Rows[1].Offer
	if !a.Quantity.IsUnknown() || a.Until != 2027_12_31 || a.NoticeToMove == nil ||
		*a.NoticeToMove != 10 || a.Presence != events.New || a.Note != "from Toulon" {
		t.Errorf("%+v", a)
	}
	if b.Unit != "ship" || b.Role != "sea" || b.Until != 2027_06_30 || b.NoticeToMove != nil ||
		b.Presence != events.Reserve || b.Area != "baltic" ||
		b.Note != `published as "2 frigates"; IN  Reserve` {
		t.Errorf("%+v", b)
	}
	says := r.Rows[0].Sentence.String()
	if want := "France (FRA) offers an unknown number of ships for sea to mnf-u in black-sea, " +
		"2027-01-01 to 2027-12-31, notice to move 10 days (from Toulon)"; says != want {
		t.Errorf("got  %s\nwant %s", says, want)
	}
}

func TestFilesThatAreNoTable(t *testing.T) {
	xlsx := append([]byte("PK\x03\x04\x14\x00\x06\x00"), bytes.Repeat([]byte{0}, 40)...)
	for name, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":           {nil, "the file is empty"},
		"white space":     {[]byte(" \r\n"), "the file is empty"},
		"byte order mark": {[]byte("\ufeff"), "the file is empty"},
		"a spreadsheet":   {xlsx, "not CSV"},
		"UTF-16":          {[]byte("\xff\xfen\x00a\x00\n\x00"), "a header and no rows"},
		"half of UTF-16":  {[]byte("\xff\xfen\x00a\x00\n"), "no text in the encoding that its"},
		"Latin-1": {[]byte("nation,quantity\nT\xfcrkiye,1\n"),
			"not text in UTF-8: line 2"},
		"a cut row": {[]byte(strings.TrimSuffix(plain, ",\"two, in all\"\n")),
			"line 4: has 7 cells and the header has 8"},
		"a cut quote": {[]byte(strings.TrimSuffix(plain, " all\"\n")),
			"the row in line 4 has a quote that is never closed"},
		"a cut last cell": {[]byte(strings.TrimSuffix(plain, "\n")),
			"the last line has no line end, so the file may be cut"},
		"a bare quote": {[]byte("nation,note\nFRA,a 5\" gun\n"),
			"the row in line 2 has a quote"},
		"only a header": {[]byte(strings.SplitAfter(plain, "\n")[0]), "a header and no rows"},
		"other columns": {[]byte("country,number\nFRA,1\n"),
			"nation: nothing says it: name its column (the file has country, number)"},
		"a column twice": {[]byte("nation,quantity,quantity\nFRA,1,2\n"),
			`names the column "quantity" twice`},
		"not a table": {[]byte("# Notes\n\nSome text, and more.\n"),
			"line 3: has 2 cells and the header has 1"},
		"JSON and no rows": {[]byte(`{"nation": "FRA"}`), "a quote"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := round.Read(c.data, german, origin)
			if err == nil || !strings.Contains(err.Error(), c.part) || r != nil {
				t.Fatalf("%v: does not say %q", err, c.part)
			}
			if k := problem.From(err).Kind; k != problem.Syntax && k != problem.Invalid {
				t.Errorf("kind %q", k.Slug)
			}
		})
	}
}

func TestColumnsThatNobodyLooksAtAreTold(t *testing.T) {
	r := read(t, strings.ReplaceAll(plain, ",note\n", ",remarks\n"), german)
	if !slices.Equal(r.Unused, []string{"remarks"}) {
		t.Errorf("%v", r.Unused)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(plain))
	f.Add([]byte("nation;quantity;unit\r\nFRA;1;\"a\nb\"\r\n"))
	m := round.Mapping{
		Always: map[string]string{"operation": "mnf-u", "role": "ground", "effective": "2026-11-23",
			"from": "2026-11-23", "unit": "personnel"},
		Units: map[string]round.Meaning{"teams": {Role: "training", Unit: "team"}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := round.Read(data, m, origin)
		if err != nil {
			if problem.From(err).Kind == problem.Internal {
				t.Fatalf("an error that is no problem: %v", err)
			}
			return
		}
		for _, row := range r.Rows {
			if _, err := events.Marshal(row.Offer); err != nil {
				t.Fatalf("line %d: %v", row.Line, err)
			}
		}
	})
}

// Who has gone is not worked for: nothing more is read once it is asked.
func TestNobodyWaits(t *testing.T) {
	gone, asked := errors.New("gone"), 0
	m, err := round.ReadMapping("m.yaml", []byte("always: {operation: op, role: ground, "+
		"unit: personnel, effective: 2026-01-01, from: 2026-01-01}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{0, 50, 150} { // of the rows that are skipped, and of those read
		asked = 0
		m.Bound.Ended = func() error {
			if asked++; asked > after {
				return gone
			}
			return nil
		}
		r, err := round.Read([]byte("nation,quantity\n"+strings.Repeat("FRA,1\n", 100)), m, "test")
		if r != nil || !errors.Is(err, gone) {
			t.Errorf("after %d: %v", after, err)
		}
	}
}

// A list that Muster has exported says what it said before it was guarded from spreadsheets; in
// another file an apostrophe stands as it is.
func TestGuardedTextOfAList(t *testing.T) {
	const always = "always: {operation: op1, role: ground, unit: personnel, " +
		"effective: 2026-01-01, from: 2026-01-01}"
	const id = "01M8P9CRK0FQ6SXPPXVX7BMG6X"
	for guarded, want := range map[string]string{"'=1+1": "=1+1", "''=1+1": "'=1+1", "'-x": "-x",
		"'s-Hertogenbosch": "'s-Hertogenbosch", "'": "'", "+1": "+1", "'+'": "+'"} {
		r := read(t, "id,nation,quantity,note\n"+id+",FRA,5,"+guarded+"\n", mapping(t, always))
		if got := r.Rows[0].Offer.Note; got != want {
			t.Errorf("the note %q of a list is read as %q", guarded, got)
		}
		r = read(t, "nation,quantity,note\nFRA,5,"+guarded+"\n", mapping(t, always))
		if got := r.Rows[0].Offer.Note; got != guarded {
			t.Errorf("the note %q of another file is read as %q", guarded, got)
		}
	}
}
