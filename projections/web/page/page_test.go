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
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(words.words) < 100 {
		t.Fatalf("only %d words were read", len(words.words))
	}
	for key, in := range words.words {
		if isPhrase(in) { // see TestPhrasesHaveWords
			continue
		}
		for _, tag := range words.languages {
			if strings.TrimSpace(in[tag.String()]) == "" {
				t.Errorf("%s has no words in %s", key, tag)
			}
		}
		if len(in) != len(words.languages) {
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
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	needs := func(key string) {
		if words.words[key] == nil {
			t.Errorf("there are no words for %s", key)
		}
	}
	for _, typ := range events.Types() {
		needs("type." + string(typ))
		needs("log.says." + string(typ))
	}
	for _, one := range forms {
		needs("say." + one.Key())
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
	"type.", "unit.", "event.", "nation.", "state.", "pledge-state.", "condition-state.", "say.",
	"field.",
	"hint.", "presence.", "release.", "kind.", "hangs-on.", "timeline-step.", "move.", "since.",
	"view.",
	"readers.", "mine.due.", "mine.", "session.", "cell.as.", "compact.", "desk.do.", "act.",
	"submit.group.", "file.kind.", "planfile.term.", "import.changed.", "import.gone.",
	"to.", "refusal.", "table.", "head.", "side.", "said.", "finding.", "digest.section.",
	"due-says.", "clearance.", "essential.", "unlimited.", "feeds.kind.",
	"struck.", "log.says.", "none.", "measure."}

var wordUse = regexp.MustCompile(`\b(T|Count|Its|orGiven|SortHead "\w+") ?\(?"([a-z0-9.-]+)"`)

// fieldUse finds the key of what is said of a field.
var fieldUse = regexp.MustCompile(`\.field\(.*?"([a-z]+\.[a-z0-9.-]+)"`)

// No word is missing, and none is left over.
func TestWordsAreUsed(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, text := range sources(t) {
		for _, found := range wordUse.FindAllStringSubmatch(text, -1) {
			names := []string{found[2]}
			switch found[1] {
			case "Its": // of each page on which a file becomes statements
				names = []string{"import." + found[2], "planfile." + found[2]}
			case "Count":
				names = []string{found[2] + ".one", found[2] + ".other"}
			}
			for _, name := range names {
				used[name] = true
				if words.words[name] == nil && !strings.HasSuffix(name, ".") {
					t.Errorf("the words of %s are missing", name)
				}
			}
		}
	}
	for _, text := range sources(t) {
		for _, found := range fieldUse.FindAllStringSubmatch(text, -1) {
			used[found[1]] = true
		}
	}
	for key, in := range words.words {
		if !isPhrase(in) && !used[key] && !slices.ContainsFunc(wordSets, func(set string) bool {
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
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		quantity events.Quantity
		unit     events.Unit
		en, fr   string
	}{
		{events.Count(1), "team", "1 team", "1 équipe"},
		{events.Count(2), "team", "2 teams", "2 équipes"},
		{events.Unit("team").Of(0), "team", "0 teams", "0 équipe"},
		{events.Count(1200), "personnel", "1,200 personnel", "1\u00a0200 personnel"},
		{events.Unknown, "aircraft", "unknown aircraft", "inconnu aéronefs"},
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

// How much a pledge is of goes with its unit, also where only so much is known of it.
func TestHowMuch(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	unknown := func(least, most int64) (a events.Amount) {
		a.Quantity = events.Unknown
		if least > 0 {
			a.Least = events.Count(least)
		}
		if most > 0 {
			a.Most = events.Count(most)
		}
		return a
	}
	s := words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang=en", nil))
	for want, a := range map[string]events.Amount{
		"1 tank": {Quantity: events.Count(1)}, "unknown tanks": unknown(0, 0),
		"10 to 14 tanks": unknown(10, 14), "up to 18 tanks": unknown(0, 18),
		"at least 4 tanks": unknown(4, 0), "around 7,000 tanks": unknown(7000, 7000),
	} {
		if got := s.HowMuch(a, "tank"); got != want {
			t.Errorf("%v: %q, want %q", a, got, want)
		}
	}
}

// A state is called what it is called now, in both languages.
func TestNationsAreNamed(t *testing.T) {
	words, err := readWords(files)
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

// Codes are written as people write them, and those of organisations as they are.
func TestCodesIn(t *testing.T) {
	if got := strings.Join(codesIn("fra, GBR;X-Nato\nx-au"), " "); got != "FRA GBR x-nato x-au" {
		t.Error(got)
	}
}

// A number in a column is as short as it can be, and never more than there is.
func TestCompactNumbers(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		quantity events.Quantity
		en, fr   string
	}{
		{events.Count(0), "0", "0"},
		{events.Count(99_999), "99,999", "99\u00a0999"},
		{events.Count(129_999), "129\u00a0k", "129\u00a0k"},
		{events.Count(999_999), "999\u00a0k", "999\u00a0k"},
		{events.Count(1_000_000), "1\u00a0m", "1\u00a0M"},
		{events.Count(10_099_999), "10\u00a0m", "10\u00a0M"},
		{events.Unit("EUR").Of(129_999_999_999), "1.29\u00a0bn", "1,29\u00a0Md"},
		{events.Unit("EUR").Of(100_500_000_000), "1\u00a0bn", "1\u00a0Md"},
		{events.Unit("EUR").Of(102_000_000_000), "1.02\u00a0bn", "1,02\u00a0Md"},
		{events.Unit("EUR").Of(150), "1", "1"},
		{events.Unknown, "unknown", "inconnu"},
	} {
		for lang, want := range map[string]string{"en": test.en, "fr": test.fr} {
			s := words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil))
			if got := s.Compact(test.quantity); got != want {
				t.Errorf("%s: %s is %q, want %q", lang, test.quantity, got, want)
			}
		}
	}
}

// A line that is nearly met is told from one that is hardly met, and one that has more than it asks
// for from one that is met; what is not met is never 100 %.
func TestDegrees(t *testing.T) {
	for _, test := range []struct {
		supply, required int64
		state, degree    string
		fill             int
	}{
		{0, 100, "none", "", 0}, {17, 100, "partly", "q1", 17}, {50, 100, "partly", "q2", 50},
		{97, 100, "partly", "q3", 97}, {14_999, 15_000, "partly", "q3", 99},
		{29, 100, "partly", "q1", 29}, {100, 100, "met", "", 100}, {181, 100, "met", "over", 181},
	} {
		c := cellOf(events.Count(test.required), numbers{Supply: events.Count(test.supply),
			Gap: events.Count(max(0, test.required-test.supply))})
		if c.State != test.state || c.Degree() != test.degree || c.Fill != test.fill {
			t.Errorf("%d of %d is %s %s %d", test.supply, test.required, c.State, c.Degree(),
				c.Fill)
		}
	}
}
