package events

import (
	"strings"
	"testing"

	"muster/events/problem"
)

var declaredHere = Organisations{
	{"x-nato", "NATO", []string{"OTAN", "North Atlantic Treaty Organization"}},
	{"x-nordic-bg", "Nordic Battlegroup", nil},
	{"x-au", "African Union", []string{"Union africaine", "UA"}},
}

func TestOrganisationsAsPeopleWriteThem(t *testing.T) {
	for spelling, want := range map[string]Nation{
		"NATO": "x-nato", "nato": "x-nato", "otan": "x-nato", "l’OTAN": "x-nato",
		"the African Union": "x-au", "L'Union Africaine": "x-au", "x-au": "x-au", "X-AU ": "x-au",
		"Nordic  Battlegroup": "x-nordic-bg", "France": "FRA", "fra": "FRA", "EU": "EUE",
		"x-osce": "x-osce", "OSCE": "", "": "", "x-": "", "x-a": "",
	} {
		if got, ok := declaredHere.Find(spelling); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", spelling, got, ok, want)
		}
	}
	if _, err := declaredHere.Parse("OSCE"); err == nil || !strings.HasSuffix(err.Error(),
		"; or an organisation that is declared: NATO (x-nato), Nordic Battlegroup (x-nordic-bg), "+
			"African Union (x-au)") {
		t.Error(err)
	}
	for name, want := range map[string]string{"USSR": "(BLR)",
		"OSCE": "; no organisations are declared"} {
		if _, err := (Organisations{}).Parse(name); err == nil ||
			!strings.HasSuffix(err.Error(), want) {
			t.Error(err)
		}
	}
	if _, err := declaredHere.Parse("Afrikan Onion"); err == nil || !strings.Contains(err.Error(),
		"that is declared: African Union (x-au), ") {
		t.Error(err)
	}
	if n, ok := FindNation("NATO"); ok {
		t.Errorf("NATO is %s where no operation declares it", n)
	}
	for n, want := range map[Nation]string{"x-nato": "NATO", "x-osce": "x-osce",
		"NLD": "the Netherlands"} {
		if got := declaredHere.Named(n); got != want {
			t.Errorf("%s is named %q, want %q", n, got, want)
		}
	}
}

func TestOrganisationsThatClash(t *testing.T) {
	const remedy = ": write another one, or leave the organisation out and pledge under that code"
	for want, o := range map[string]Organisation{
		`organisations[3].name "France": is a name of France (FRA)` + remedy: {
			"x-fr", "France", nil},
		`organisations[3].also[1] "EU": is a name of the European Union (EUE)` + remedy: {"x-eu",
			"Union", []string{"Onion", "EU"}},
		`organisations[3].name "nato": is a name of NATO (x-nato)` + remedy: {
			"x-otan", "nato", nil},
		"": {"x-osce", "OSCE", nil},
	} {
		if got := clashes(append(declaredHere[:3:3], o), nil); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	// What was there before has its name first, wherever it stands, and hides nothing else.
	first := append(Organisations{{"x-otan", "nato", nil}}, declaredHere...)
	if got := clashes(first, declaredHere); got != `organisations[0].name "nato": is a name of `+
		`NATO (x-nato)`+remedy {
		t.Error(got)
	}
	old := Organisations{{"x-eu", "Union", []string{"EU"}}}
	if got := clashes(Organisations{{"x-eu", "EU", []string{"Union", "UN"}}}, old); got !=
		`organisations[0].also[1] "UN": is a name of the United Nations (UNO)`+remedy {
		t.Error(got)
	}
}

// A name that could be read as somebody else's is refused, with what to write.
func TestOrganisationsThatAreMisread(t *testing.T) {
	const unseen = ", which is not seen as it is written: leave it out, and write plain spaces"
	const taken = "is what the parties or the readers of every ledger are called: write a name " +
		"of its own"
	const scripts = "has letters of several scripts (Cyrillic, Latin), some of which look alike: " +
		"write it in one, and other names under also"
	const other = ": write another one, or leave the organisation out and pledge under that code"
	for name, want := range map[string]string{
		"France\u200b":  "has the character U+200B" + unseen,
		"\u202eecnarF":  "has the character U+202E" + unseen,
		"Fr\u00adance":  "has the character U+00AD" + unseen,
		"France\u3164":  "has the character U+3164" + unseen,
		"France\ufe0f":  "has the character U+FE0F" + unseen,
		"The\u2003Body": "has the character U+2003" + unseen,
		"NAT\u041e":     scripts, "F\u0433ance": scripts, "NATO \u041d\u0410\u0422\u041e": scripts,
		"𝐍\u0410TO": scripts,
		"HQ":        taken, "The coordinators": taken, "none": taken, "Les coordinateurs": taken,
		"\u041d\u0421\u041e\u041e\u0420": "", // Cyrillic, and like nobody's name
		"\u0421\u0423\u0420":             "looks like a name of Cyprus (CYP)" + other,
		"NAT0":                           "looks like a name of NATO (x-nato)" + other,
		"ꓠꓮꓔꓳ":                           "looks like a name of NATO (x-nato)" + other, // Lisu
		"ᏟᎻᎪᎠ":                           "looks like a name of Chad (TCD)" + other,    // Cherokee
		"ⲤⲨⲢ":                            "looks like a name of Cyprus (CYP)" + other,  // Coptic
		"ɢʜᴀɴᴀ":                          "", "ᏣᎳᎩ": "",
		"x-osce": "has the form of a code: write a name",
		"x-new":  "has the form of a code: write a name",
		"…":      "has no letters: write a name",
		"\u0415\u0432\u0440\u043e\u043f\u043e\u043b": "", "日本のもの": "", "Organização & Co. 2": "",
		"Коалиция": "",
	} {
		all := append(declaredHere[:3:3], Organisation{"x-new", name, nil})
		got := ""
		if wrong := all.Misleading(declaredHere); len(wrong) > 0 {
			got = wrong[0].Message
		}
		if got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
		if wrong := all.Misleading(all); len(wrong) > 0 {
			t.Errorf("%q was there before: %v", name, wrong)
		}
	}
}

func clashes(all, before Organisations) string {
	var lines []string
	for _, f := range all.Misleading(before) {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// All that is wrong with what is declared is told at once, each with what to write.
func TestOrganisationsThatAreMalformed(t *testing.T) {
	long := strings.Repeat("n", MaxOrganisationName+1)
	terms := goldens(t)[3].statement.(*OperationOpened).OperationTerms
	terms.Organisations = Organisations{{"NATO", " NATO", nil}, {"x-au", long, []string{"a\nb"}},
		{"x-au", "", []string{"UA", "UA"}}, {"x-é", "É", nil}, {"", "x", make([]string, 9)}}
	head := Header{Type: "operation.opened", ID: ID{1}, Ledger: testOrigin}
	_, err := Marshal(&OperationOpened{Header: head, Dated: goldenDated, OperationTerms: terms})
	var got []string
	for _, f := range problem.From(err).Fields {
		got = append(got, f.Location+": "+f.Message)
	}
	want := []string{
		"organisations[0].code: not an organisation's code: " + string(organisationRemedy),
		"organisations[0].name: leave out the space around it",
		"organisations[1].name: has 101 characters: write at most 100",
		"organisations[1].also[0]: is of several lines: write one, without tabs",
		"organisations[2].name: missing: write a few words",
		"organisations[2].also[1]: is there twice: leave one out",
		"organisations[2].code: is there twice: leave one out",
		"organisations[3].code: not an organisation's code: " + string(organisationRemedy),
		"organisations[4].code: missing: " + string(organisationRemedy),
		"organisations[4].also: has 9 names: write at most 8",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	terms.Organisations = make(Organisations, MaxOrganisations+1)
	_, err = Marshal(&OperationOpened{Header: head, Dated: goldenDated, OperationTerms: terms})
	if err == nil || !strings.Contains(err.Error(), "has 33 organisations: write at most 32") {
		t.Error(err)
	}
}
