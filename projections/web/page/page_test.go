package page

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

// What was vendored is what its makers have published.
func TestVendored(t *testing.T) {
	for name, want := range map[string]string{
		"htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
	} {
		data, err := files.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has the SHA-256 %x, and not that of the release", name, sum)
		}
	}
}

var placeholder = regexp.MustCompile(`%(\[\d\])?[0-9.]*[sd%]`)

// Every word is there in each language, with the same places for values.
func TestWords(t *testing.T) {
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	if len(words) < 100 {
		t.Fatalf("only %d words were read", len(words))
	}
	for key, in := range words {
		for _, tag := range languages {
			if strings.TrimSpace(in[tag.String()]) == "" {
				t.Errorf("%s has no words in %s", key, tag)
			}
		}
		if len(in) != len(languages) {
			t.Errorf("%s is in %d languages", key, len(in))
		}
		en, fr := placeholder.FindAllString(in["en"], -1), placeholder.FindAllString(in["fr"], -1)
		if !slices.Equal(en, fr) {
			t.Errorf("%s has the places %q in English and %q in French", key, en, fr)
		}
	}
}

// Every kind of statement, every term that a review can show and every form is named in words.
func TestEveryKindHasWords(t *testing.T) {
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	needs := func(key string) {
		if words[key] == nil {
			t.Errorf("there are no words for %s", key)
		}
	}
	for _, typ := range events.Types() {
		needs("type." + string(typ))
	}
	for _, one := range forms {
		needs("say." + string(one.Type))
		for _, name := range one.Fields {
			needs("field." + name)
		}
	}
	for i, terms := 0, reflect.TypeFor[events.PledgeTerms](); i < terms.NumField(); i++ {
		if name, _, _ := strings.Cut(terms.Field(i).Tag.Get("json"), ","); name != "" {
			needs("field." + name)
		}
	}
}

// Words that are looked up by a key made while the program runs: the sets of which they are.
var wordSets = []string{"title.", "problem.kind.", "problem.", "rung.", "month.", "reason.", "by.",
	"type.", "nation.", "state.", "pledge-state.", "condition-state.", "say.", "field.", "hint.",
	"presence.", "release.", "kind.", "hangs-on.", "timeline-step.", "move.", "since.", "view.",
	"readers.", "mine.due.", "mine.", "session."}

var wordUse = regexp.MustCompile(`\b(T|Count|orGiven|SortHead "\w+") ?\(?"([a-z0-9.-]+)"`)

// No word is missing, and none is left over.
func TestWordsAreUsed(t *testing.T) {
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, text := range sources(t) {
		for _, found := range wordUse.FindAllStringSubmatch(text, -1) {
			names := []string{found[2]}
			if found[1] == "Count" {
				names = []string{found[2] + ".one", found[2] + ".other"}
			}
			for _, name := range names {
				used[name] = true
				if words[name] == nil && !strings.HasSuffix(name, ".") {
					t.Errorf("the words of %s are missing", name)
				}
			}
		}
	}
	for key := range words {
		if !used[key] && !slices.ContainsFunc(wordSets, func(set string) bool {
			return strings.HasPrefix(key, set)
		}) {
			t.Errorf("nobody says the words of %s", key)
		}
	}
}

// sources returns the templates and the code of the pages.
func sources(t *testing.T) (all []string) {
	t.Helper()
	err := fs.WalkDir(files, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		all = append(all, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(all, goSources(t)...)
}

// Nothing is inline: the policy would keep browsers from running it, and a template that says so is
// a slip.
func TestNothingInline(t *testing.T) {
	inline := regexp.MustCompile(
		`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s+type="module")?>`)
	for _, text := range sources(t) {
		if found := inline.FindString(text); found != "" &&
			!strings.Contains(text, "package page") {
			t.Errorf("a template has %q", found)
		}
	}
}

// Amounts go with their units in both languages; a plan's own words stay its own.
func TestAmounts(t *testing.T) {
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		quantity events.Quantity
		unit     events.Unit
		en, fr   string
	}{
		{events.Count(1), "team", "1 team", "1 team"},
		{events.Count(2), "team", "2 teams", "2 teams"},
		{events.Unit("team").Of(0), "team", "0 teams", "0 team"},
		{events.Count(1200), "personnel", "1,200 personnel", "1\u00a0200 personnel"},
		{events.Unknown, "aircraft", "unknown aircraft", "inconnu aircraft"},
		{events.Unit("EUR").Of(200), "EUR", "2 EUR", "2 EUR"},
	} {
		for lang, want := range map[string]string{"en": test.en, "fr": test.fr} {
			s := words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil))
			if got := s.Amount(test.quantity, test.unit); got != want {
				t.Errorf("%s: %q, want %q", lang, got, want)
			}
		}
	}
}

// A state is called what it is called now, in both languages.
func TestNationsAreNamed(t *testing.T) {
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		nation events.Nation
		en, fr string
	}{
		{"FRA", "France", "France"},
		{"MKD", "North Macedonia", "Macédoine du Nord"},
		{"SWZ", "Eswatini", "Eswatini"},
	} {
		for lang, want := range map[string]string{"en": test.en, "fr": test.fr} {
			s := words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil))
			if got := s.Nation(test.nation); got != want {
				t.Errorf("%s: %s is called %s, want %s", lang, test.nation, got, want)
			}
		}
	}
}
