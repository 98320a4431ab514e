package events

import (
	"errors"
	"strings"
	"testing"

	"muster/events/problem"
)

// offerLine is a good statement, that the bad ones differ from in one place.
const offerLine = `{"type":"pledge.offered","id":"01KAQ7Z0V4T5W9J8M3N2P6R1XC","ledger":"muster.example/test",` +
	`"effective":"2026-11-23","operation":"mnf-u","nation":"FRA","role":"ground","quantity":1200,"unit":"personnel",` +
	`"from":"2027-01-01","until":"2027-06-30"}`

const (
	wantSlug = "write lower-case letters a-z, digits and, between them, hyphens, at most " +
		"32, such as "
	wantNation   = "write the nation's three-letter code (ISO 3166-1) in capitals, such as FRA"
	wantQuantity = `write a whole number from 1 to 9007199254740991, an amount of money as text with two decimals such as "2500000.00", or "unknown"`
	wantID       = "not an id: write a ULID, 26 digits and capitals without I, L, O and U, the " +
		"first from 0 to 7, such as 01KAQ7Z0V4T5W9J8M3N2P6R1XC"
	wantUnit = "write a unit in lower-case letters, at most 20, such as personnel, or a " +
		"currency in capitals, such as EUR"
)

// A badInput is offerLine with old replaced by new, and the whole of what a person is told about
// it.
type badInput struct {
	name     string
	old, new string
	kind     problem.Kind
	message  string
}

// Whatever comes back for these is read by somebody who has to mend it: name the field and the
// remedy.
var badInputs = []badInput{
	{"32 KiB and a byte", offerLine, strings.Repeat(" ", MaxBytes+1), problem.TooLarge,
		"the statement has 32769 bytes: at most 32768 are taken"},
	{"nothing", offerLine, "", problem.Syntax, "the statement is empty"},
	{"blank", offerLine, " ", problem.Syntax, "the statement is empty"},
	{"17 deep", `"FRA"`, nested(16), problem.Syntax,
		"the statement is nested deeper than 16 at byte 160: no statement needs that"},
	{"16 deep", `"FRA"`, nested(15), problem.Invalid,
		`nation "` + nested(15) + `": write text in quotes, not a list`},
	{"no object", offerLine, "[" + offerLine + "]", problem.Syntax,
		"the statement must be one JSON object, {…}"},
	{"no JSON", offerLine, "hello", problem.Syntax, "the statement must be one JSON object, {…}"},
	{"cut", `"until":"2027-06-30"}`, `"until":"2027-`, problem.Syntax,
		"the statement ends in the middle of its JSON: send all of it"},
	{"two statements", offerLine, offerLine + " " + offerLine, problem.Syntax,
		"there is more after the statement's end at byte 242: send one statement alone"},
	{"trailing data", "}", "}x", problem.Syntax,
		"there is more after the statement's end at byte 242: send one statement alone"},
	{"extra comma", "}", ",}", problem.Syntax,
		"the statement is not well-formed JSON at byte 241: invalid character ',' at start of " +
			"value"},
	{"invalid UTF-8", `"FRA"`, "\"FR\xff\"", problem.Syntax,
		"the statement is not valid UTF-8 at byte 147: write it in UTF-8"},
	{"half a surrogate pair", `"mnf-u"`, `"\ud800"`, problem.Syntax,
		"the statement is not well-formed JSON at byte 128: invalid surrogate pair " +
			"`\\ud800\",\"nat` in string"},
	{"two lines", "{", "{\n", problem.Syntax,
		`the statement must be one line of JSON: write a line break inside a text as \n`},
	{"CR LF", "}", "}\r\n", problem.Syntax,
		`the statement has a carriage return at byte 242: end lines with LF alone, and write one inside a text as \n`},
	{"tab", "{", "{\t", problem.Syntax,
		"the statement has the control character U+0009 at byte 1: leave it out"},

	{"duplicate member", `"nation":"FRA"`, `"nation":"FRA","nation":"DEU"`, problem.Syntax,
		`the member "nation" is there twice: leave one out`},
	{"duplicate, escaped", `"nation":"FRA"`, `"nation":"FRA","n\u0061tion":"DEU"`, problem.Syntax,
		`the member "nation" is there twice: leave one out`},
	{"duplicate, nested", `"nation"`, `"seen":{"size":1,"size":2},"nation"`, problem.Syntax,
		`the member "size" is there twice: leave one out`},
	{"nation beside NATION", `"nation":"FRA"`, `"nation":"FRA","NATION":"DEU"`, problem.Invalid,
		`NATION: unknown: write it once, in lower case, as "nation"`},
	{"unknown member", `"role"`, `"nationality":"FRA","role"`, problem.Invalid,
		`nationality: unknown: no such member is known here, so leave it out`},
	{"unknown member, nested", `"role"`,
		`"seen":{"size":1,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","at":1},"role"`,
		problem.Invalid, `seen.at: unknown: no such member is known here, so leave it out`},
	{"unknown member in Cyrillic", `"role"`, `"nаtion":"FRA","role"`, problem.Invalid,
		`nаtion: unknown: the name holds 'а' (U+0430), which is none of the letters a to z`},
	{"unknown member, unprintable", `"role"`, `"\u001b[2J":"FRA","role"`, problem.Invalid,
		`"\x1b[2J": unknown: no such member is known here, so leave it out`},
	{"null", `"FRA"`, "null", problem.Invalid,
		"nation: null says nothing: write a value, or leave the member out"},
	{"null where it would be optional", `"2027-06-30"`, "null", problem.Invalid,
		"until: null says nothing: write a value, or leave the member out"},

	{"no type", `"type":"pledge.offered",`, "", problem.Invalid,
		`type: missing: write the kind of statement, such as "pledge.offered"`},
	{"type no text", `"pledge.offered"`, "7", problem.Invalid,
		`type: write the kind of statement as text in quotes, such as "pledge.offered"`},
	{"type unknown", `pledge.offered`, "offer", problem.Invalid,
		`type "offer": not a kind of statement that is known here: write one such as "pledge.offered"`},
	{"type misspelt", `pledge.offered`, "Scope.Declare", problem.Invalid,
		`type "Scope.Declare": not a kind of statement that is known here: write one of scope.declared`},

	{"quantity 0", "1200", "0", problem.Invalid, `quantity "0": ` + wantQuantity},
	{"quantity -1", "1200", "-1", problem.Invalid, `quantity "-1": ` + wantQuantity},
	{"quantity 1.5", "1200", "1.5", problem.Invalid, `quantity "1.5": ` + wantQuantity},
	{"quantity 1e400", "1200", "1e400", problem.Invalid, `quantity "1e400": ` + wantQuantity},
	{"quantity over 2^53", "1200", "9007199254740993", problem.Invalid,
		`quantity "9007199254740993": ` + wantQuantity},
	{"quantity 1e3", "1200", "1e3", problem.Invalid, `quantity "1e3": ` + wantQuantity},
	{"quantity as text", "1200", `"1200"`, problem.Invalid, `quantity "1200": ` + wantQuantity},
	{"quantity true", "1200", "true", problem.Invalid, `quantity "true": ` + wantQuantity},
	{"no quantity", `"quantity":1200,`, "", problem.Invalid,
		`quantity: missing: write a whole number from 1 on, or "unknown"`},
	{"money of 0", `1200,"unit":"personnel"`, `"0.00","unit":"EUR"`, problem.Invalid,
		`quantity "0.00": ` + wantQuantity},
	{"money below 0", `1200,"unit":"personnel"`, `"-1.00","unit":"EUR"`, problem.Invalid,
		`quantity "-1.00": ` + wantQuantity},
	{"money with a zero before it", `1200,"unit":"personnel"`, `"01.00","unit":"EUR"`,
		problem.Invalid, `quantity "01.00": ` + wantQuantity},
	{"money over 2^53", `1200,"unit":"personnel"`, `"90071992547409.92","unit":"EUR"`,
		problem.Invalid, `quantity "90071992547409.92": ` + wantQuantity},
	{"money of people", "1200", `"1200.00"`, problem.Invalid,
		`quantity "1200.00": does not fit the unit personnel: write a whole number from 1 on, or "unknown"`},
	{"a count of euros", "personnel", "EUR", problem.Invalid,
		`quantity "1200": does not fit the unit EUR: write an amount of money as text with two decimals, such as "2500000.00", or "unknown"`},
	{"unit in capitals", "personnel", "PERSONNEL", problem.Invalid,
		`unit "PERSONNEL": ` + wantUnit},
	{"unit too long", "personnel", "abcdefghijklmnopqrstu", problem.Invalid,
		`unit "abcdefghijklmnopqrstu": ` + wantUnit},
	{"no unit", `"unit":"personnel",`, "", problem.Invalid, "unit: missing: " + wantUnit},

	{"nation with *", "FRA", "F*A", problem.Invalid,
		`nation "F*A": not a nation that is known here: ` + wantNation},
	{"nation with >", "FRA", "FR>", problem.Invalid,
		`nation "FR>": not a nation that is known here: ` + wantNation},
	{"nation with .", "FRA", "F.A", problem.Invalid,
		`nation "F.A": not a nation that is known here: ` + wantNation},
	{"nation with a space", "FRA", "F A", problem.Invalid,
		`nation "F A": not a nation that is known here: ` + wantNation},
	{"nation with CR LF", "FRA", `FRA\r\n`, problem.Invalid, `nation "FRA\r\n": write it as FRA`},
	{"nation in Cyrillic", "FRA", "FRА", problem.Invalid,
		`nation "FRА": holds 'А' (U+0410), which is none of the letters A to Z: ` + wantNation},
	{"nation in lower case", "FRA", "fra", problem.Invalid, `nation "fra": write it as FRA`},
	{"nation by name", "FRA", "France", problem.Invalid, `nation "France": write it as FRA`},
	{"nation that is none", "FRA", "ZZZ", problem.Invalid,
		`nation "ZZZ": not a nation that is known here: ` + wantNation},
	{"nation HQ", "FRA", "HQ", problem.Invalid,
		`nation "HQ": not a nation that is known here: ` + wantNation},
	{"nation a number", `"FRA"`, "33", problem.Invalid,
		`nation "33": write text in quotes, not a number`},

	{"operation with *", "mnf-u", "mnf-*", problem.Invalid,
		`operation "mnf-*": ` + wantSlug + "mnf-u"},
	{"operation with >", "mnf-u", ">", problem.Invalid, `operation ">": ` + wantSlug + "mnf-u"},
	{"operation with .", "mnf-u", "mnf.u", problem.Invalid,
		`operation "mnf.u": ` + wantSlug + "mnf-u"},
	{"operation with a space", "mnf-u", "mnf u", problem.Invalid,
		`operation "mnf u": ` + wantSlug + "mnf-u"},
	{"operation with CR LF", "mnf-u", `mnf-u\r\nNats-Msg-Id: 1`, problem.Invalid,
		`operation "mnf-u\r\nNats-Msg-Id: 1": ` + wantSlug + "mnf-u"},
	{"operation in Cyrillic", "mnf-u", "mnf-и", problem.Invalid,
		`operation "mnf-и": holds 'и' (U+0438), which is none of the letters A to Z: ` +
			wantSlug + "mnf-u"},
	{"operation in capitals", "mnf-u", "MNF-U", problem.Invalid,
		`operation "MNF-U": write it in lower case: mnf-u`},
	{"operation too long", "mnf-u", strings.Repeat("a", 33), problem.Invalid,
		`operation "` + strings.Repeat("a", 33) + `": ` + wantSlug + "mnf-u"},
	{"no operation", `"operation":"mnf-u",`, "", problem.Invalid,
		"operation: missing: " + wantSlug + "mnf-u"},
	{"role with *", "ground", "*", problem.Invalid, `role "*": ` + wantSlug + "ground"},
	{"role with >", "ground", "ground>", problem.Invalid, `role "ground>": ` + wantSlug + "ground"},
	{"role with .", "ground", "ground.west", problem.Invalid,
		`role "ground.west": ` + wantSlug + "ground"},
	{"role with a space", "ground", " ground", problem.Invalid,
		`role " ground": ` + wantSlug + "ground"},
	{"role with CR LF", "ground", `ground\r\n`, problem.Invalid,
		`role "ground\r\n": ` + wantSlug + "ground"},
	{"role in Cyrillic", "ground", "grоund", problem.Invalid,
		`role "grоund": holds 'о' (U+043E), which is none of the letters A to Z: ` +
			wantSlug + "ground"},
	{"role in capitals", "ground", "Ground", problem.Invalid,
		`role "Ground": write it in lower case: ground`},
	{"role with a hyphen last", "ground", "ground-", problem.Invalid,
		`role "ground-": ` + wantSlug + "ground"},
	{"area in capitals", `"role"`, `"area":"WEST","role"`, problem.Invalid,
		`area "WEST": write it in lower case: west`},

	{"window that ends before it begins", "2027-06-30", "2026-12-31", problem.Invalid,
		`until "2026-12-31": the window ends before it begins: write 2027-01-01 or later, or leave until out for an open window`},
	{"no such day", "2027-06-30", "2027-06-31", problem.Invalid,
		`until "2027-06-31": not a date: write year-month-day, such as 2026-11-23`},
	{"date with a time", "2027-06-30", "2027-06-30T00:00:00Z", problem.Invalid,
		`until "2027-06-30T00:00:00Z": not a date: write year-month-day, such as 2026-11-23`},
	{"date far off", "2027-06-30", "2720-06-30", problem.Invalid,
		`until "2720-06-30": outside 1900-01-01 to 2199-12-31: write a date between them`},
	{"date a number", `"2027-06-30"`, "20270630", problem.Invalid,
		`until "20270630": write text in quotes, not a number`},
	{"no effective date", `"effective":"2026-11-23",`, "", problem.Invalid,
		"effective: missing: write a date, such as 2026-11-23"},
	{"no beginning", `"from":"2027-01-01",`, "", problem.Invalid,
		"from: missing: write a date, such as 2026-11-23"},

	{"id that is no ULID", "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "pledge-1", problem.Invalid,
		`id "pledge-1": ` + wantID},
	{"id in lower case", "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "01kaq7z0v4t5w9j8m3n2p6r1xc",
		problem.Invalid, `id "01kaq7z0v4t5w9j8m3n2p6r1xc": ` + wantID},
	{"id over 128 bits", "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "81KAQ7Z0V4T5W9J8M3N2P6R1XC",
		problem.Invalid, `id "81KAQ7Z0V4T5W9J8M3N2P6R1XC": ` + wantID},
	{"id with a letter of none", "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "01KAQ7Z0V4T5W9J8M3N2P6R1XU",
		problem.Invalid, `id "01KAQ7Z0V4T5W9J8M3N2P6R1XU": ` + wantID},
	{"id of zeros", "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "00000000000000000000000000", problem.Invalid,
		`id "00000000000000000000000000": ` + wantID},
	{"no id", `"id":"01KAQ7Z0V4T5W9J8M3N2P6R1XC",`, "", problem.Invalid,
		"id: missing: make a new ULID for each statement, such as 01KAQ7Z0V4T5W9J8M3N2P6R1XC"},

	{"no ledger", `"ledger":"muster.example/test",`, "", problem.Invalid,
		"ledger: missing: write the ledger's origin, such as muster.example/berlin"},
	{"ledger with a scheme", `muster.example/test`, "https://muster.example", problem.Invalid,
		`ledger "https://muster.example": not a ledger's origin: write the ledger's origin, such as muster.example/berlin`},
	{"notice below 0", `"role"`, `"notice_to_move":-1,"role"`, problem.Invalid,
		`notice_to_move "-1": write days, from 0 to 3650`},
	{"notice of half a day", `"role"`, `"notice_to_move":0.5,"role"`, problem.Invalid,
		`notice_to_move "0.5": write a whole number`},
	{"notice too large for any number", `"role"`, `"notice_to_move":99999999999999999999,"role"`,
		problem.Invalid, `notice_to_move "99999999999999999999": is too large a number: write a smaller one`},
	{"notice as text", `"role"`, `"notice_to_move":"30","role"`, problem.Invalid,
		`notice_to_move "30": write a whole number, not text`},
	{"presence unknown", `"role"`, `"presence":"home","role"`, problem.Invalid,
		`presence "home": write one of: new, present, reserve`},
	{"release unknown", `"role"`, `"release":"secret","role"`, problem.Invalid,
		`release "secret": write one of: public, coalition, coordinators`},
	{"note with a bell", `"role"`, `"note":"ding\u0007","role"`, problem.Invalid,
		`note "ding\a": holds the control character U+0007: leave it out`},
	{"note with DEL", `"role"`, `"note":"\u007f","role"`, problem.Invalid,
		`note "\x7f": holds the control character U+007F: leave it out`},
	{"note too long", `"role"`, `"note":"` + strings.Repeat("é", 10_001) + `","role"`,
		problem.Invalid, `note "` + strings.Repeat("é", 80) +
			`…": has 10001 characters: write at most 10000`},
	{"not after a day", `"role"`, `"not_after":"2026-11-23","role"`, problem.Invalid,
		`not_after "2026-11-23": not a time: write date and time in UTC, such as ` +
			`2026-11-23T18:00:00Z`},
	{"not after nothing", `"role"`, `"not_after":"","role"`, problem.Invalid,
		`not_after: not a time: write date and time in UTC, such as 2026-11-23T18:00:00Z`},
	{"not after long ago", `"role"`, `"not_after":"1999-12-31T23:59:59Z","role"`, problem.Invalid,
		`not_after "1999-12-31T23:59:59Z": before 2000-01-01T00:00:00Z: write a later time`},
	{"seen nothing", `"role"`, `"seen":7,"role"`, problem.Invalid,
		`seen "7": write an object, {…}, not a number`},
	{"root not canonical", `"role"`,
		`"seen":{"size":1,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="},"role"`,
		problem.Invalid, `seen.root "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=": write the root hash of the checkpoint, 32 bytes in base 64`},
	{"seen a tree of nothing", `"role"`,
		`"seen":{"size":0,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},"role"`,
		problem.Invalid, `seen.size "0": write the number of records in the checkpoint, from 1 on`},

	{"everything at once", `"FRA","role":"ground","quantity":1200`,
		`"fra","role":"GROUND","quantity":0`, problem.Invalid,
		`3 fields are wrong: quantity "0": ` + wantQuantity +
			`; nation "fra": write it as FRA; role "GROUND": write it in lower case: ground`},
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func (b badInput) text() []byte { return []byte(strings.Replace(offerLine, b.old, b.new, 1)) }

func TestBadInput(t *testing.T) {
	if _, err := Parse([]byte(offerLine)); err != nil {
		t.Fatalf("the good statement: %v", err)
	}
	for _, bad := range badInputs {
		t.Run(bad.name, func(t *testing.T) {
			if !strings.Contains(offerLine, bad.old) {
				t.Fatalf("the good statement has no %s to replace", bad.old)
			}
			s, err := Parse(bad.text())
			refused(t, err, bad.kind, bad.message)
			if s != nil {
				t.Errorf("a statement came back beside the refusal: %v", s)
			}
		})
	}
}

// refused checks that err is a problem of the kind that says exactly message.
func refused(t *testing.T, err error, kind problem.Kind, message string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want a problem of kind %s", err, kind.Slug)
	}
	if p.Kind != kind {
		t.Errorf("kind %s, want %s", p.Kind.Slug, kind.Slug)
	}
	if err.Error() != message {
		t.Errorf("\n told %s\nshall %s", err, message)
	}
}

// The lines of these have lists inside, where what is wrong must be found at its place, and once.
func TestBadInputInLists(t *testing.T) {
	const head = `"id":"01KAQ7Z0V4T5W9J8M3N2P6R1XC","ledger":"muster.example/test","effective":"2026-11-23","operation":"mnf-u",`
	scope := func(rest string) string {
		return `{"type":"scope.declared",` + head + `"nation":"FRA",` + rest + `}`
	}
	opened := func(rest string) string {
		return `{"type":"operation.opened",` + head + `"title":"MNF-U",` + rest + `}`
	}
	for _, bad := range []struct{ name, text, message string }{
		{"a number among roles", scope(`"roles":["ground",5,"SEA"]`),
			`2 fields are wrong: roles[1] "5": write text in quotes, not a number; roles[2] "SEA": write it in lower case: sea`},
		{"null among roles", scope(`"roles":[null]`),
			"roles[0]: null says nothing: write a value, or leave the member out"},
		{"a role twice", scope(`"roles":["sea","air","sea"]`),
			`roles[2] "sea": is there twice: leave one out`},
		{"roles no list", scope(`"roles":"ground"`), `roles "ground": write a list, […], not text`},
		{"roles and unlimited", scope(`"roles":["sea"],"unlimited":true`),
			"roles: leave the roles out when the scope is unlimited"},
		{"neither", scope(`"note":"x"`),
			"roles: missing: write the roles that the nation is ready to fill, such as " +
				"intelligence, or set unlimited"},
		{"unlimited as text", scope(`"roles":["sea"],"unlimited":"yes"`),
			`unlimited "yes": write true or false, not text`},
		{"65 roles", scope(`"roles":[` + strings.Repeat(`"sea",`, 64) + `"sea"]`),
			"roles: has 65 roles: write at most 64"},
		{"no catalogue", opened(`"roles":[]`), "roles: has 0 roles: write from 1 to 64"},
		{"a role no object", opened(`"roles":["ground"]`),
			`roles[0] "ground": write an object, {…}, not text`},
		{"a role with two faults",
			opened(`"roles":[{"role":"sea","title":"Sea","units":["ship"]},{"role":7,"titel":"Ground","units":["personnel","personnel"]}]`),
			`4 fields are wrong: roles[1].role "7": write text in quotes, not a number; ` +
				`roles[1].titel: unknown: no such member is known here, so leave it out; ` +
				`roles[1].title: missing: write a few words; roles[1].units[1] "personnel": is there twice: leave one out`},
		{"a role twice in the catalogue",
			opened(`"roles":[{"role":"sea","title":"Sea","units":["ship"]},{"role":"sea","title":"Sea","units":["ship"]}]`),
			`roles[1].role "sea": is in the catalogue twice: leave one out`},
		{"a role without unit", opened(`"roles":[{"role":"sea","title":"Sea","units":[]}]`),
			"roles[0].units: has 0 units: write from 1 to 16, such as personnel"},
		{"titles in no language", opened(`"roles":[{"role":"sea","title":"Sea","titles":[` +
			`{"language":"fr","title":"Mer"},{"language":"FR","title":"Mer"},` +
			`{"language":"fr","title":" "}],"units":["ship"]}]`),
			`3 fields are wrong: roles[0].titles[1].language "FR": not a language: write its code ` +
				`in two or three lower-case letters, such as fr; roles[0].titles[2].language "fr": ` +
				`is there twice: leave one out; roles[0].titles[2].title: missing: write a few words`},
		{"17 titles", opened(`"roles":[{"role":"sea","title":"Sea","titles":[` +
			strings.Repeat(`{"language":"fr","title":"Mer"},`, 16) +
			`{"language":"fr","title":"Mer"}],"units":["ship"]}]`),
			"roles[0].titles: has 17 titles: write at most 16"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := Parse([]byte(bad.text))
			refused(t, err, problem.Invalid, bad.message)
		})
	}
}

func TestARefusalDoesNotOutgrowTheStatement(t *testing.T) {
	text := strings.Replace(offerLine, `"role"`,
		`"roles":[`+strings.Repeat("1,", 10_000)+`1],"role"`, 1)
	text = strings.Replace(text, "pledge.offered", "scope.declared", 1)
	_, err := Parse([]byte(text))
	if p := problem.From(err); len(p.Fields) != maxTold {
		t.Errorf("%d fields were told, want %d", len(p.Fields), maxTold)
	}
}

func TestFreeTextTakesAnyLanguage(t *testing.T) {
	for _, note := range []string{"Zwei Züge ab März", "по суші та з моря", "من البحر",
		"\u202bright to left\u202c", "👩🏽‍✈️", `two\nlines\tand a tab`, "\u0085"} {
		s, err := Parse([]byte(strings.Replace(offerLine, `"role"`, `"note":"`+note+`","role"`, 1)))
		if err != nil {
			t.Errorf("%q: %v", note, err)
		} else if got := s.(*PledgeOffered).Note; got == "" {
			t.Errorf("%q was lost", note)
		}
	}
}
