package events

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestNations(t *testing.T) {
	all := Nations()
	if len(all) < 249 || !slices.IsSorted(all) {
		t.Fatalf("%d nations, sorted: %v", len(all), slices.IsSorted(all))
	}
	for _, n := range all {
		if len(n) != 3 || strings.ToUpper(string(n)) != string(n) || !n.Known() {
			t.Errorf("%q is no code", n)
		}
		if n.Name() == "" || n.Name() == string(n) {
			t.Errorf("%s has no name", n)
		}
		for _, spelling := range []string{string(n), strings.ToLower(string(n)), n.Name(),
			" " + strings.ToUpper(n.Name())} {
			if found, ok := FindNation(spelling); !ok || found != n {
				t.Errorf("%q is found as %q, want %s", spelling, found, n)
			}
		}
	}
	if slices.Contains(slices.Compact(slices.Clone(all)), HQ) || HQ.Known() ||
		len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Error("HQ is a nation, or a code is there twice")
	}
	all[0] = "XXX"
	if Nations()[0] == "XXX" {
		t.Error("a caller can change the table")
	}
}

func TestFindNation(t *testing.T) {
	for spelling, want := range map[string]Nation{
		"European Union": "EUE", "EUE": "EUE", "UNO": "UNO", "Kosovo": "XKX",
		"Britain": "GBR", "south korea": "KOR", "Côte d'Ivoire": "CIV", "Côte d’Ivoire": "CIV",
		"United  States of\tAmerica": "USA",
		"Atlantis":                   "", "": "", "HQ": "", "FRА": "",
	} {
		if got, ok := FindNation(spelling); got != want || ok != (want != "") {
			t.Errorf("%q is found as %q, want %q", spelling, got, want)
		}
	}
	if Nation("ZZZ").Name() != "ZZZ" {
		t.Error("an unknown nation has a name")
	}
}

func TestTokens(t *testing.T) {
	long := strings.Repeat("a", 32)
	for _, s := range []string{"a", "7", "mnf-u", "a-b-c", long} {
		if !Operation(s).Valid() || !Role(s).Valid() {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "-", "-a", "a-", "A", "a.b", "a*", "a>", "a b", "a\n", "\na",
		"а", long + "a"} {
		if Operation(s).Valid() || Role(s).Valid() {
			t.Errorf("%q is taken", s)
		}
	}
	for s, want := range map[Unit]bool{
		"personnel": true, "air-hour": true, "EUR": true, "Eur": false, "EU": false, "EURO": false,
		"m2": false, "-a": false, "a-": false, "": false, "a\n": false,
	} {
		if s.Valid() != want {
			t.Errorf("unit %q valid: %v", s, !want)
		}
	}
	for s, want := range map[Origin]bool{
		"muster.example": true, "muster.example/berlin": true,
		"localhost:8080/a/b_c": true, "a": true,
		"": false, "Muster.example": false, "muster.example/": false, "muster.example//a": false,
		"https://muster.example": false,
		"muster.example/a b":     false, "muster.example/a\n": false, "muster.example+1": false,
		Origin(strings.Repeat("a", 129)): false,
	} {
		if s.Valid() != want {
			t.Errorf("origin %q valid: %v", s, !want)
		}
	}
}

func TestTypes(t *testing.T) {
	seen := map[Type]bool{}
	for _, typ := range Types() {
		if seen[typ] || typ.Subject() == "" || typ.Event() == "" ||
			typ.Subject()+"."+typ.Event() != string(typ) {
			t.Errorf("type %q", typ)
		}
		seen[typ] = true
		s, ok := NewStatement(typ)
		if !ok || s.Head().Type != typ {
			t.Errorf("%s makes %T of type %q", typ, s, s.Head().Type)
		}
	}
	if _, ok := NewStatement("pledge"); ok {
		t.Error("a subject alone makes a statement")
	}
}

// The forms that FORMAT.md and the schemas give are those that are kept.
func TestFormsAreThosePublished(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	forms := []struct {
		form  string
		taken func(string) bool
	}{
		{SlugForm, validSlug},
		{OriginForm, func(s string) bool { return Origin(s).Valid() }},
		{UnitForm + "|" + CurrencyForm, func(s string) bool { return Unit(s).Valid() }},
		{OrganisationForm, func(s string) bool { return Nation(s).IsOrganisation() }},
		{CurrencyForm, func(s string) bool { return Unit(s).IsMoney() }},
		{`^-?(0|[1-9][0-9]*)$`, isWhole},
		{`^-?(0|[1-9][0-9]*)\.[0-9]{2}$`, isAmount},
	}
	pieces := []string{"a", "z", "0", "9", "-", ".", "_", "/", ":", "A", "Z", "\n", " ", "é", "ab",
		"a-b", "00", "EUR", "x-", "aaaaaaaaaaaaaaaaaa", "x.example", "12.34", ".00", "-1", "1"}
	random := rand.New(rand.NewPCG(1, 2))
	for _, f := range forms {
		pattern, good := regexp.MustCompile(f.form), 0
		for range 50_000 {
			text := ""
			for range random.IntN(7) {
				text += pieces[random.IntN(len(pieces))]
			}
			want := pattern.MatchString(text) && (f.form != OriginForm || len(text) <= MaxOrigin)
			if got := f.taken(text); got != want {
				t.Fatalf("%q is of the form %s: %v, and taken: %v", text, f.form, want, got)
			}
			if want {
				good++
			}
		}
		if good < 100 {
			t.Errorf("only %d texts were of the form %s: this shows little", good, f.form)
		}
	}
}

// A name stands in a sentence as English has it.
func TestNationNamed(t *testing.T) {
	for n, want := range map[Nation]string{"NLD": "the Netherlands", "USA": "the United States",
		"GBR": "the United Kingdom", "PHL": "the Philippines", "EUE": "the European Union",
		"FRA": "France", "UKR": "Ukraine", "SDN": "Sudan", "XXX": "XXX", HQ: "HQ"} {
		if got := n.Named(); got != want {
			t.Errorf("%s is named %q, and not %q", n, got, want)
		}
	}
	for _, n := range Nations() {
		looks := strings.HasPrefix(n.Name(), "United ") ||
			strings.HasSuffix(n.Name(), " Islands") ||
			strings.HasSuffix(n.Name(), "Republic") || strings.HasSuffix(n.Name(), "Netherlands") ||
			strings.HasSuffix(n.Name(), "Territory") || strings.HasSuffix(n.Name(), "Union")
		if looks && n != "SGS" && n.Named() == n.Name() {
			t.Errorf("%s has no article", n.Name())
		}
	}
}
