package events

import (
	"strings"
	"testing"

	"muster/events/problem"
)

// What is told about bad statements of a pledge's later life: renewals, corrections, caveats,
// allocations, rotations.
func TestBadInputOfAPledgesLife(t *testing.T) {
	const id, other = "01KAQ7Z0V4T5W9J8M3N2P6R1XC", "01KAQ7Z0V4T5W9J8M3N2P6R1XD"
	say := func(typ, rest string) string {
		return `{"type":"` + typ + `","id":"` + id +
			`","ledger":"muster.example/test","effective":"2026-11-23","operation":"mnf-u","nation":"FRA","pledge":"` + other + `"` + rest + `}`
	}
	const terms = `{"role":"ground","quantity":1200,"unit":"personnel","from":"2027-01-01"}`
	correct := func(rest string) string {
		return say("pledge.corrected", `,"corrects":"`+other+`"`+rest)
	}
	allocate := func(rest string) string {
		return say("allocation.made",
			`,"line":"ground-west","quantity":800,"unit":"personnel","from":"2027-01-01"`+rest)
	}
	amend := func(rest string) string {
		return say("pledge.amended", ","+strings.Trim(terms, "{}")+rest)
	}
	indefinite := func(rest string) string {
		return strings.Replace(amend(rest), `"quantity":1200`, `"quantity":"unknown"`, 1)
	}
	for _, bad := range []struct{ name, text, message string }{
		{"renewed until nobody says", say("pledge.renewed", ``),
			"expires: missing: write a date, such as 2026-11-23"},
		{"renewed until before it holds", say("pledge.renewed", `,"expires":"2026-11-22"`),
			`expires "2026-11-22": lies before the renewal holds: write 2026-11-23 or later`},
		{"renewed until no day", say("pledge.renewed", `,"expires":"2026-02-30"`),
			`expires "2026-02-30": not a date: write year-month-day, such as 2026-11-23`},
		{"corrects nothing", say("pledge.corrected", `,"reason":"x"`),
			`corrects: missing: write the id of the statement that was wrong`},
		{"corrects without a reason", correct(`,"struck":true`),
			"reason: missing: write a few words"},
		{"struck, with terms", correct(`,"reason":"x","struck":true,"terms":` + terms),
			"terms: leave them out of a statement that is struck"},
		{"struck, with a strength",
			correct(`,"reason":"x","struck":true,"strength":{"quantity":1,"unit":"ship"}`),
			"strength: leave it out of a statement that is struck"},
		{"struck as text", correct(`,"reason":"x","struck":"yes"`),
			`struck "yes": write true or false, not text`},
		{"terms and strength",
			correct(`,"reason":"x","strength":{"quantity":1,"unit":"ship"},"terms":` + terms),
			"strength: no statement has both terms and a strength: leave one of them out"},
		{"terms with two faults",
			correct(`,"reason":"x","terms":` + strings.NewReplacer("1200", "0", "ground", "GROUND").
				Replace(terms)),
			`2 fields are wrong: terms.quantity "0": ` + wantQuantity +
				`; terms.role "GROUND": write it in lower case: ground`},
		{"an unknown member within",
			correct(`,"reason":"x","terms":` + strings.Replace(terms, "{", `{"colour":"blue",`, 1)),
			"terms.colour: unknown: no such member is known here, so leave it out"},
		{"strength unknown", correct(`,"reason":"x","strength":{"quantity":0,"unit":"ship"}`),
			`strength.quantity "0": ` + wantQuantity},
		{"a caveat without a name", say("caveat.declared", `,"restriction":"by day only"`),
			"caveat: missing: " + wantSlug + "no-night-flights"},
		{"a caveat in capitals", say("caveat.lifted", `,"caveat":"By-Day"`),
			`caveat "By-Day": write it in lower case: by-day`},
		{"a caveat with *", say("caveat.lifted", `,"caveat":"by-*"`),
			`caveat "by-*": ` + wantSlug + "no-night-flights"},
		{"a caveat that restricts nothing", say("caveat.declared", `,"caveat":"by-day"`),
			"restriction: missing: write a few words"},
		{"allocated to nothing", strings.Replace(allocate(""), `"line":"ground-west",`, "", 1),
			"line: missing: " + wantSlug + "ground-west"},
		{"nothing allocated", strings.Replace(allocate(""), "800", "0", 1),
			`quantity "0": ` + wantQuantity},
		{"an unknown quantity allocated", strings.Replace(allocate(""), "800", `"unknown"`, 1),
			`quantity "unknown": must be known here: write a whole number from 1 on`},
		{"allocated until before it begins", allocate(`,"until":"2026-12-31"`),
			`until "2026-12-31": the window ends before it begins: write 2027-01-01 or later, or leave until out for an open window`},
		{"releases nothing", say("allocation.released", ``),
			`allocation: missing: write the id of the statement that made the allocation`},
		{"expires on no day", amend(`,"expires":"soon"`),
			`expires "soon": not a date: write year-month-day, such as 2026-11-23`},
		{"relieves no id", amend(`,"predecessor":"01KAQ"`), `predecessor "01KAQ": ` + wantID},
		{"relieves and is relieved by the same",
			amend(`,"predecessor":"` + id + `","successor":"` + id + `"`),
			`successor "` + id + `": is the predecessor too: one of them is another pledge, or leave it out`},
		{"elsewhere twice", amend(`,"elsewhere":["NRF","NRF"]`),
			`elsewhere[1] "NRF": is there twice: leave one out`},
		{"elsewhere nothing", amend(`,"elsewhere":[""]`),
			`elsewhere[0]: missing: write a few words`},
		{"elsewhere 17 times", amend(`,"elsewhere":[` + strings.Repeat(`"x",`, 16) + `"x"]`),
			"elsewhere: names 17 commitments: write at most 16"},
		{"meant for a line in capitals", amend(`,"line":"North"`),
			`line "North": write it in lower case: north`},
		{"meant for two lines", amend(`,"line":["north","south"]`),
			`line "[\"north\",\"south\"]": write text in quotes, not a list`},
		{"elsewhere as text", amend(`,"elsewhere":"NRF"`),
			`elsewhere "NRF": write a list, […], not text`},
		{"least of what is known", amend(`,"least":10`), `least "10": leave it out of a quantity ` +
			`that is known, or write "unknown" as the quantity`},
		{"most less than least", indefinite(`,"least":10,"most":9`),
			`most "9": is less than the least: write 10 or more`},
		{"least in money", indefinite(`,"least":"10.00"`), `least "10.00": does not fit the unit ` +
			`personnel: write a whole number from 1 on`},
		{"most unknown", indefinite(`,"most":"unknown"`),
			`most "unknown": write a number, or leave it out`},
		{"least nothing", indefinite(`,"least":0`), `least "0": ` + wantQuantity},
		{"a reference of two lines", amend(`,"reference":"a\nb"`),
			"reference \"a\\nb\": is of several lines: write one, without tabs"},
		{"a reference with space around it", amend(`,"reference":" a"`),
			`reference " a": leave out the space around it`},
		{"a reference of 101 characters", amend(`,"reference":"` + strings.Repeat("ä", 101) + `"`),
			`reference "` + strings.Repeat("ä", 80) + `…": has 101 characters: write at most 100`},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := Parse([]byte(bad.text))
			refused(t, err, problem.Invalid, bad.message)
		})
	}
	for name, text := range map[string]string{"renewed": say("pledge.renewed",
		`,"expires":"2026-11-23"`), "corrected": correct(`,"reason":"x","terms":` + terms),
		"lifted": say("caveat.lifted", `,"caveat":"by-day"`), "allocated": allocate(""),
		"amended": amend(`,"elsewhere":["NRF"],"line":"north"`)} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("the good statement, %s: %v", name, err)
		}
	}
}
