package web

import (
	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/phrase"
	"muster/projections"
)

// Languages are those in which sentences can be told, with English the first: those of the pages.
type Languages interface {
	// Names are their names, such as "fr".
	Names() []string
	// Of returns the words of one of them, nil for English and for one that there is not.
	Of(name string) phrase.Language
}

// languageParameter is the parameter with which a form of rows that people follow is asked for in a
// language. An answer of data has none: its sentences are in English.
const languageParameter = "lang"

// languages are the names of those that there are.
func (s *Service) languages() []string {
	if s.Languages == nil {
		return []string{inEnglish}
	}
	return s.Languages.Names()
}

// inEnglish is the language in which sentences are made.
const inEnglish = "en"

// readLanguage reads the language in which sentences are to be told, "" where none is named.
func (p *parameters) readLanguage() string {
	return p.oneOf(languageParameter, "In which language its sentences are told; in English "+
		"without it. What was recorded stays as it is.", p.languages)
}

// takeLanguage takes out of a request in which language a form of rows is to be told, which is no
// parameter of the question.
func (s *Service) takeLanguage(f *rowsForm, r *request) (teller, error) {
	if !f.followed {
		return teller{}, nil
	}
	of := newRequest()
	move(languageParameter, r.given, of.given)
	move(languageParameter, r.garbled, of.garbled)
	p := s.parameters(of)
	lang := p.readLanguage()
	if err := p.problem(); err != nil || lang == "" || lang == inEnglish {
		return teller{}, err
	}
	return teller{lang, s.Languages.Of(lang)}, nil
}

// move moves what a map has under a name into another.
func move[V any](name string, from, to map[string]V) {
	if value, ok := from[name]; ok {
		to[name] = value
		delete(from, name)
	}
}

// languageParam describes the parameter.
func (s *Service) languageParam() *huma.Param {
	p := parameters{languages: s.languages()}
	p.readLanguage()
	return p.takes[0]
}

// A teller tells sentences in a language; the zero teller in English.
type teller struct {
	name string
	in   phrase.Language // nil for English
}

// lang returns the name of the language.
func (t teller) lang() string {
	if t.in == nil {
		return inEnglish
	}
	return t.name
}

// apart returns what tells an entry in a language from the same one in English: "" for that.
func (t teller) apart() string {
	if t.in == nil {
		return ""
	}
	return ":" + t.name
}

// tell tells a phrase. What the language has no words for stays in English.
func (t teller) tell(p phrase.Phrase) string {
	if t.in == nil {
		return p.String()
	}
	text, _ := p.In(t.in)
	return text
}

// counted says for whom something is counted.
func counted(v events.View) phrase.Phrase {
	return phrase.Of("Counted: %s", projections.ReleasedSaid(v))
}
