package page

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"

	"muster/events"
	"muster/events/english"
)

// source is the language that sentences are made in, and that of whoever asks for none of those
// that there are.
var source = language.English

// A catalogue has the words of the pages, by key and language ("en"), and the languages that it has
// words in, the source first. What is said in English sentences elsewhere has its pattern for a
// key, and no words in English: see [speaker.Tell].
type catalogue struct {
	words     map[string]map[string]string
	languages []language.Tag
	matcher   language.Matcher
}

// readWords reads the catalogue. Its files have a key on a line of its own, and under it the words
// in each language, indented, after the language's name. Spaces that are not to be broken at are
// made: see [spaced]. A language may have files of its own, with the same keys: whoever adds one
// changes nothing else.
func readWords(in fs.FS) (*catalogue, error) {
	c := &catalogue{words: map[string]map[string]string{}}
	names, err := fs.Glob(in, "words/*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(in, name)
		if err != nil {
			return nil, err
		}
		if err := c.read(name, string(text)); err != nil {
			return nil, err
		}
	}
	return c, c.findLanguages()
}

func (c *catalogue) read(name, text string) error {
	key := ""
	for n, line := range strings.Split(text, "\n") {
		words, indented := strings.CutPrefix(line, "  ")
		lang, words, ok := strings.Cut(words, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !indented:
			if key = line; c.words[key] == nil {
				c.words[key] = map[string]string{}
			}
		case !ok || key == "":
			return fmt.Errorf("%s:%d: a language and words are expected", name, n+1)
		case c.words[key][lang] != "":
			return fmt.Errorf("%s:%d: %s is there already in %s", name, n+1, key, lang)
		default:
			c.words[key][lang] = spaced(lang, words)
		}
	}
	return nil
}

// spaced writes words with the spaces that a line is never broken at where a language has them: in
// French, before the signs of two strokes and within quotation marks. The files have plain ones.
func spaced(lang, words string) string {
	if lang != "fr" {
		return words
	}
	return noBreaks.Replace(words)
}

var noBreaks = strings.NewReplacer(" :", "\u00a0:", " ;", "\u00a0;", " !", "\u00a0!",
	" ?", "\u00a0?", "« ", "«\u00a0", " »", "\u00a0»")

// findLanguages finds the languages that there are words in.
func (c *catalogue) findLanguages() error {
	found := map[string]bool{}
	for _, in := range c.words {
		for lang := range in {
			found[lang] = true
		}
	}
	delete(found, source.String())
	c.languages = []language.Tag{source}
	for _, lang := range slices.Sorted(maps.Keys(found)) {
		tag, err := language.Parse(lang)
		if err != nil {
			return fmt.Errorf("the words are in %q: %w", lang, err)
		}
		c.languages = append(c.languages, tag)
	}
	c.matcher = language.NewMatcher(c.languages)
	return nil
}

// of returns the words of a key in a language; where that has none, and for a key of the pages'
// own, those of the source.
func (c *catalogue) of(key, lang string) (words string, ok bool) {
	in := c.words[key]
	if words, ok = in[lang]; !ok {
		words, ok = in[source.String()]
	}
	return words, ok
}

// A speaker writes for readers of one language.
type speaker struct {
	words   *catalogue
	Lang    string
	tag     language.Tag
	printer *message.Printer
	// organisations are those that go by names; nil for none.
	organisations func() events.Organisations
}

// speakerFor returns who speaks the language that the reader wants: the one named, or else one that
// the browser accepts.
func (c *catalogue) speakerFor(r *http.Request) *speaker {
	return c.speak(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

// speak returns who speaks the first of some languages that there is.
func (c *catalogue) speak(wanted ...string) *speaker {
	_, at := language.MatchStrings(c.matcher, wanted...)
	tag := c.languages[at]
	return &speaker{words: c, Lang: tag.String(), tag: tag, printer: message.NewPrinter(tag)}
}

// T returns the words of a key, with the values in their places (as of package fmt; numbers are
// grouped as the language does). A key that is not in the catalogue is returned as it is: the
// roles, units and lines of a plan are its own words.
func (s *speaker) T(key string, values ...any) string {
	words, ok := s.words.of(key, s.Lang)
	if !ok {
		return key
	}
	if len(values) == 0 {
		return words
	}
	for i, v := range values {
		switch v := v.(type) {
		case events.Quantity:
			values[i] = s.Q(v)
		case fmt.Stringer:
			values[i] = v.String()
		}
	}
	return s.printer.Sprintf(words, values...)
}

// Word returns the words for one of a closed set, such as a rung: key and value with a point
// between.
func (s *speaker) Word(set string, value any) string {
	v := fmt.Sprint(value)
	if words, ok := s.words.of(set+"."+v, s.Lang); ok {
		return words
	}
	return v
}

// Count returns the words of a key for so many: those of key.one or key.other.
func (s *speaker) Count(key string, n int) string {
	if s.isOne(int64(n)) {
		return s.T(key+".one", n)
	}
	return s.T(key+".other", n)
}

// isOne reports whether so many take the form of one: "0 équipe", "0 teams".
func (s *speaker) isOne(n int64) bool {
	return plural.Cardinal.MatchPlural(s.tag, int(n), 0, 0, 0, 0) == plural.One
}

// N writes a whole number.
func (s *speaker) N(n any) string { return s.printer.Sprintf("%d", n) }

// Q writes a quantity, "unknown" where it is. Money has its two decimals where it is not whole.
func (s *speaker) Q(q events.Quantity) string {
	n, known := q.Number()
	switch {
	case q.IsZero() && !known:
		return ""
	case !known:
		return s.T("unknown")
	case !strings.Contains(q.String(), "."):
	case n%100 == 0:
		n /= 100
	default:
		return s.printer.Sprintf("%d", n/100) + s.T("decimal", n%100)
	}
	return s.printer.Sprintf("%d", n)
}

// Compact writes a quantity in the width of a column: six digits and more by their first three, the
// rest cut off, so that it never says more than there is: "1.29 bn". What stands behind it has the
// whole number.
func (s *speaker) Compact(q events.Quantity) string {
	n, known := q.Number()
	if strings.Contains(q.String(), ".") {
		n /= 100
	}
	if !known || n < 100_000 {
		if known {
			return s.printer.Sprintf("%d", n)
		}
		return s.Q(q)
	}
	for _, step := range compactSteps {
		if n < step.least {
			continue
		}
		whole, digits := n/step.of, 0
		switch {
		case whole < 10:
			digits = 2
		case whole < 100:
			digits = 1
		}
		text := s.printer.Sprintf("%d", whole)
		part := n % step.of / (step.of / [...]int64{1, 10, 100}[digits])
		if digits > 0 && part > 0 {
			text += s.T("decimal.point") + strings.TrimRight(fmt.Sprintf("%0*d", digits, part), "0")
		}
		return s.T("compact."+step.name, text)
	}
	return s.Q(q)
}

// compactSteps are the words for large numbers, from which number on each is used.
var compactSteps = []struct {
	least, of int64
	name      string
}{{1e9, 1e9, "billion"}, {1e6, 1e6, "million"}, {1e5, 1e3, "thousand"}}

// Amount writes a quantity and its unit, which a plan names in words of its own: "1 team", "2
// teams". In French what is less than two is one.
func (s *speaker) Amount(q events.Quantity, u events.Unit) string {
	return s.Q(q) + " " + s.Unit(q, u)
}

// HowMuch writes how much a pledge is of, with the unit: "10 to 14 tanks".
func (s *speaker) HowMuch(a events.Amount, u events.Unit) string {
	if a.Least.IsZero() && a.Most.IsZero() {
		return s.Amount(a.Quantity, u)
	}
	return s.Known(a) + " " + s.unit(false, u)
}

// Known writes what is known of an amount: "10 to 14".
func (s *speaker) Known(a events.Amount) string {
	least, most := !a.Least.IsZero(), !a.Most.IsZero()
	switch {
	case least && most && a.Least == a.Most:
		return s.T("amount.around", s.Q(a.Least))
	case least && most:
		return s.T("amount.between", s.Q(a.Least), s.Q(a.Most))
	case least:
		return s.T("amount.least", s.Q(a.Least))
	case most:
		return s.T("amount.most", s.Q(a.Most))
	}
	return s.Q(a.Quantity)
}

// Unit writes the unit of a quantity: see [speaker.Amount].
func (s *speaker) Unit(q events.Quantity, u events.Unit) string {
	n, known := q.Number()
	return s.unit(q.IsOne() || known && n < 2 && s.isOne(n), u)
}

// UnitName names a unit by itself, as it stands beside several numbers.
func (s *speaker) UnitName(u events.Unit) string { return s.unit(true, u) }

// unit returns the word for one of a unit, or for more: in English as English makes it, and in
// other languages as these have it, where they do.
func (s *speaker) unit(one bool, u events.Unit) string {
	form := ".other"
	if one {
		form = ".one"
	}
	if words, ok := s.words.words["unit."+string(u)+form][s.Lang]; ok && s.tag != source {
		return words
	}
	return english.Noun(one, string(u))
}

// Named returns a nation's name as it stands within a sentence: "the Netherlands". The sentences of
// other languages than English are made for names without an article.
func (s *speaker) Named(n events.Nation) string {
	if s.tag == source && n.Known() {
		return n.Named()
	}
	return s.Nation(n)
}

// Nation returns a nation's name in the reader's language, and an organisation's as it is declared.
func (s *speaker) Nation(n events.Nation) string {
	if n.IsOrganisation() && s.organisations != nil {
		return s.organisations().Named(n)
	}
	if words, ok := s.words.words["nation."+string(n)][s.Lang]; ok {
		return words
	}
	if s.tag != source {
		if region, err := language.ParseRegion(string(n)); err == nil {
			return cmp.Or(display.Regions(s.tag).Name(region), n.Name())
		}
	}
	return cmp.Or(n.Name(), string(n))
}
