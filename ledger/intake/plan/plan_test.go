package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake/plan"
)

const small = `
operation: mnf-u
title: A force
roles:
  - {role: ground, title: Troops, units: [personnel, unit]}
  - role: sustainment
    title: Money
    unit: EUR
requirements:
  - line: ground-west
    role: ground
    quantity: 15000
    area: west
    from: 2026-03-01
    until: 2027-02-28
    priority: 1
    essential: true
    note: "first: the west"
  - line: upkeep
    role: sustainment
    quantity: "2500000.00"
    from: 2026-01-01
`

func read(t *testing.T, text string) plan.Plan {
	t.Helper()
	p, err := plan.Read("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func quantity(t *testing.T, s string) events.Quantity {
	t.Helper()
	q, err := events.ParseQuantity(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestRead(t *testing.T) {
	p := read(t, small)
	if len(p.Requirements) != 2 || len(p.Operation.Roles) != 2 {
		t.Fatalf("%d requirements, %d roles", len(p.Requirements), len(p.Operation.Roles))
	}
	want := []events.RequirementTerms{{
		Operation: "mnf-u", Line: "ground-west", Role: "ground", Area: "west",
		Quantity: events.Count(15000), Unit: "personnel",
		Window: events.Window{From: 2026_03_01, Until: 2027_02_28}, Priority: 1, Essential: true,
		Note: "first: the west",
	}, {
		Operation: "mnf-u", Line: "upkeep", Role: "sustainment",
		Quantity: quantity(t, "2500000.00"), Unit: "EUR",
		Window: events.Window{From: 2026_01_01}, Priority: 5,
	}}
	for i, r := range p.Requirements {
		if r != want[i] {
			t.Errorf("requirements[%d] = %+v\nwant %+v", i, r, want[i])
		}
	}
	if u, _ := p.Operation.Units("sustainment"); len(u) != 1 || u[0] != "EUR" {
		t.Errorf("units of sustainment: %v", u)
	}
	if p.Effective != 0 || p.Name != "test.yaml" {
		t.Errorf("effective %q, name %q", p.Effective, p.Name)
	}
}

func TestReadJSON(t *testing.T) {
	text := "{\n\t\"operation\": \"mnf-u\",\n\t\"title\": \"A \\\"force\\\" of " +
		"3\\/4\",\n\t\"effective\": \"2026-01-01\",\n\t\"roles\": [{\"role\": \"air\", " +
		"\"title\": \"Air\\u0021\", \"units\": [\"aircraft\"]}],\n\t\"requirements\": " +
		"[{\"line\": \"air\", \"role\": \"air\", \"quantity\": 9007199254740991, \"from\": " +
		"\"2026-01-01\", \"essential\": true}]\n}\n"
	p := read(t, text)
	if p.Operation.Title != `A "force" of 3/4` || p.Operation.Roles[0].Title != "Air!" ||
		p.Effective != 2026_01_01 {
		t.Errorf("%+v", p)
	}
	if n, _ := p.Requirements[0].Quantity.Number(); n != events.MaxCount {
		t.Errorf("quantity %d", n)
	}
}

func TestReadTellsAllFaultsAtOnce(t *testing.T) {
	text := `operation: MNF
title: A force
titel: A force
title: Another
effective: 1.1.2026
roles:
  - role: ground
    title: Troops
    units: [personnel]
    unit: personnel
requirements:
  - line: ground-west
    role: grond
    quantity: 0
    from: 2026-03-01
  - line: ground-west
    role: ground
    quantity: 1.5
    unit: ship
    from: 2026-03-01
    until: 2026-02-01
    essential: yes
    priority: 12
  - [line, ground]
  - line: b
    role: ground
    quantity: {n: 1}
`
	_, err := plan.Read("dir/test.yaml", []byte(text))
	if !problem.Is(err, problem.Invalid) {
		t.Fatalf("%v", err)
	}
	want := map[string]string{ // place: a part of the message
		"operation": "(line 1)",
		"titel": "unknown key: the keys here are operation, title, note, " +
			"effective, base, roles, organisations, requirements (line 3)",
		"title again":               "the second time in line 4",
		"effective":                 "write year-month-day, such as 2026-11-23 (line 5)",
		"roles[0].unit":             "leave it out: the role has units already (line 10)",
		"requirements[0].role":      "write one of ground, or add it under roles (line 13)",
		"requirements[0].unit":      "missing",
		"requirements[0].quantity":  "whole number from 1 to 9007199254740991",
		"requirements[1].line":      "is the name of requirements[0] already",
		"requirements[1].quantity":  "whole number from 1 to",
		"requirements[1].unit":      "the role ground is counted in personnel (line 19)",
		"requirements[1].until":     "ends before it begins",
		"requirements[1].essential": "write true or false (line 22)",
		"requirements[1].priority":  "write 1 (first) to 9 (line 23)",
		"requirements[2]":           "write keys and values, such as `title: …` (line 24)",
		"requirements[3].quantity":  "write one value, not a list or keys",
		"requirements[3].from":      "missing: write a date, such as 2026-11-23 (line 25)",
	}
	got := map[string]string{}
	for _, f := range problem.From(err).Fields {
		got[f.Location] = f.Message
	}
	for at, part := range want {
		if !strings.Contains(got[at], part) {
			t.Errorf("%s: %q does not say %q", at, got[at], part)
		}
	}
	if detail := problem.From(err).Detail; !strings.HasPrefix(detail, "dir/test.yaml: ") {
		t.Errorf("the detail does not begin with the file's name: %s", detail)
	}
}

func TestReadRefusesWhatIsNoPlan(t *testing.T) {
	for name, c := range map[string]struct{ text, part string }{
		"empty":            {"", "is empty"},
		"only white space": {" \n", "is empty"},
		"only a comment":   {"# nothing\n", "nothing but comments"},
		"binary":           {"PK\x03\x04\x00\x00", "is no text in UTF-8"},
		"latin-1":          {"title: Fran\xe7ais\n", "is no text in UTF-8"},
		"cut":              {small[:strings.Index(small, "the west")], "line "},
		"a list":           {"- a\n", "the whole file: write keys and values"},
		"a word":           {"plan\n", "write keys and values"},
		"two documents":    {small + "---\n" + small, "a second document from line "},
		"an alias":         {"operation: &o mnf-u\ntitle: *o\n", "aliases are not taken"},
		"a merge":          {"operation: x\n<<: {title: x}\n", "unknown key"},
		"a key of a list":  {"? [a]\n: b\n", "a key must be one word"},
		"no requirements": {strings.Split(small, "requirements:")[0],
			"`requirements: []` for none"},
		"no roles": {"operation: x\ntitle: x\nrequirements: []\n", "from 1 to 64"},
		"cut JSON": {`{"operation": "mnf-u", "title": "A fo`, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plan.Read("test.yaml", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.part) {
				t.Fatalf("%v: does not say %q", err, c.part)
			}
			if k := problem.From(err).Kind; k != problem.Syntax && k != problem.Invalid {
				t.Errorf("kind %q", k.Slug)
			}
		})
	}
}

const demo = "../../../cmd/muster/demo"

func TestDemoPlans(t *testing.T) {
	for file, lines := range map[string]int{"isaf-2009.plan.yaml": 1, "mnf-u.plan.yaml": 11} {
		data, err := os.ReadFile(filepath.Join(demo, file))
		if err != nil {
			t.Fatal(err)
		}
		p := read(t, string(data))
		if len(p.Requirements) != lines {
			t.Errorf("%s: %d requirement lines, want %d", file, len(p.Requirements), lines)
		}
		if p.Operation.Note == "" {
			t.Errorf("%s: no note on where the figures come from", file)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"operation": "x", "roles": [{"role": null}], "requirements": [[], {}, null]}`))
	f.Add([]byte("a: &a [*a]\n? {b: c}\n: !!binary x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plan.Read("fuzz.yaml", data)
		if err != nil {
			if problem.From(err).Kind == problem.Internal {
				t.Fatalf("an error that is no problem: %v", err)
			}
			return
		}
		changes, err := plan.Changes(p, plan.Current{}, 2026_01_01, "muster.example", events.NewID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if _, err := events.Marshal(c.Statement); err != nil {
				t.Fatalf("%s: %v", c.Sentence, err)
			}
		}
	})
}
