package page

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// What other packages say in English sentences is told in the reader's language: a sentence keeps
// the pattern it was made of, and the catalogue has words for patterns as it has for keys. See
// [phrase.Phrase].

// LanguageHeader is with what the scripts of a page send: the language of the page, in which it
// wants to be told what is refused.
const LanguageHeader = "Muster-Language"

// Tell returns a problem in the words of a language, for who reads it on a page; what has no words
// in it stays in English, as all does in a language that there is not.
func (p *Pages) Tell(lang string, why *problem.Problem) *problem.Problem {
	s := p.words.speak(lang)
	q := &problem.Problem{Kind: why.Kind, Code: why.Code, Detail: s.Tell(why.Said()).Text,
		Hint: s.Tell(why.Hinted()).Text}
	for _, f := range why.Fields {
		f.Message = s.Tell(f.Said()).Text
		q.Fields = append(q.Fields, f)
	}
	return q
}

// A told is a sentence as the reader is told it. It is English where words are lacking in the
// language of the page: then it is marked as such.
type told struct {
	Text    string
	English bool
}

// Stretches are the sentence, taken apart at its dates, which are never broken between two lines.
func (t told) Stretches() []stretchOfText { return unbroken(t.Text) }

// Tell tells a sentence in the reader's language.
func (s *speaker) Tell(p phrase.Phrase) told {
	if s.tag == source {
		return told{Text: p.String()}
	}
	text, whole := p.In(tongue{s})
	return told{text, !whole}
}

// languages are those of a catalogue, for feeds.
type languages struct{ *catalogue }

// Names implements [web.Languages].
func (l languages) Names() (all []string) {
	for _, tag := range l.languages {
		all = append(all, tag.String())
	}
	return all
}

// Of implements [web.Languages].
func (l languages) Of(name string) phrase.Language {
	if s := l.speak(name); s.Lang == name && s.tag != source {
		return tongue{s}
	}
	return nil
}

// A tongue is a speaker as phrases need one.
type tongue struct{ *speaker }

// Words implements [phrase.Language]. The label of a field begins with a capital, and a sentence
// has it inside.
func (t tongue) Words(key string) (string, bool) {
	words, ok := t.words.words[key][t.Lang]
	if strings.HasPrefix(key, "field.") {
		first, size := utf8.DecodeRuneInString(words)
		words = string(unicode.ToLower(first)) + words[size:]
	}
	return words, ok
}

// Value implements [phrase.Language]: a nation has its name in each language, a quantity its
// digits.
func (t tongue) Value(v any) (said any, whole bool) {
	switch v := v.(type) {
	case events.Quantity:
		return t.Q(v), true
	case events.Unit:
		return t.unit(false, v), true
	case events.Measure:
		return t.measure(v), true
	case events.Called:
		if v.Nation.IsOrganisation() {
			return v.English, true
		}
		return t.Nation(v.Nation), true
	}
	return v, true
}

// measure says how much of something there is.
func (t tongue) measure(m events.Measure) string {
	switch unknown := m.Quantity.IsUnknown() && m.Least.IsZero() && m.Most.IsZero(); {
	case unknown && m.Unit.IsMoney():
		return t.T("measure.unknown-money", m.Unit)
	case unknown:
		return t.T("measure.unknown", t.unit(false, m.Unit))
	case m.Unit == "":
		return t.Q(m.Quantity)
	}
	return t.HowMuch(m.Amount, m.Unit)
}

// Sprintf implements [phrase.Language].
func (t tongue) Sprintf(words string, values ...any) string {
	return t.printer.Sprintf(words, values...)
}

// A toldProblem is a problem as the reader is told it.
type toldProblem struct {
	// Kind is the sort of problem, and Rule which rule of the ledger refuses; each in words of the
	// page, and "" where the rest says it all.
	Kind, Rule string
	Detail     told
	Hint       told
	Fields     []toldField
	Colon      string
	// English says that some of it is in English, on a page that is not.
	English bool
}

// A toldField is one field that is wrong.
type toldField struct {
	Location, Value string
	Message         told
}

// TellProblem tells a problem in the reader's language.
func (s *speaker) TellProblem(p *problem.Problem) (t toldProblem) {
	t.Detail, t.Hint = s.Tell(p.Said()), s.Tell(p.Hinted())
	t.English, t.Colon = t.Detail.English || t.Hint.English, s.T("colon")
	for _, f := range p.Listed() {
		one := toldField{f.Location, f.Value, s.Tell(f.Said())}
		t.Fields, t.English = append(t.Fields, one), t.English || one.Message.English
	}
	t.Kind = s.Word("problem.kind", p.Kind.Slug)
	if words := s.Word("refusal", p.Code); t.English && words != p.Code {
		t.Rule = words
	}
	return t
}
