// Package phrase keeps what a sentence is made of: the pattern that its source wrote, and the
// values in its places. So a sentence that is said in English, on the wire and in a terminal, can
// be told in another language by whoever has words for its pattern: what was recorded stays apart
// from what is said of it, and is never read as if it were a part of the sentence.
package phrase

import (
	"errors"
	"fmt"
	"strings"

	"muster/events/english"
)

// A Phrase is a sentence, or a part of one. The zero value says nothing. It is not changed after it
// was made, so it may be shared between goroutines.
type Phrase struct {
	text, key string
	values    []any
	capital   bool
}

// Of returns the phrase of a pattern and its values, in English as fmt.Sprintf formats them. The
// pattern is also the key of its words in other languages. Values that are phrases, or have a
// method Phrase, are told in the language of the whole.
func Of(pattern string, values ...any) Phrase {
	return Phrase{text: fmt.Sprintf(pattern, values...), key: pattern, values: values}
}

// As returns a phrase whose English text was put together otherwise than by a pattern. The words of
// other languages have the key, and take the values.
func As(text, key string, values ...any) Phrase {
	return Phrase{text: text, key: key, values: values}
}

// Verbatim returns a text that is the same in each language, such as what somebody has recorded.
func Verbatim(text string) Phrase { return Phrase{text: text} }

// A Text is a phrase without values, as constants are, and its own key.
type Text string

// Phrase returns the text as a phrase.
func (t Text) Phrase() Phrase { return As(string(t), string(t)) }

// Errorf returns an error that is a phrase, as fmt.Errorf does.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return said{As(err.Error(), format, args...), errors.Unwrap(err)}
}

// said is an error of a phrase.
type said struct {
	Phrase
	cause error
}

// Error implements error.
func (s said) Error() string { return s.text }

// Unwrap returns the error that is wrapped, if any.
func (s said) Unwrap() error { return s.cause }

// English returns a text of which nothing is known but that it is in English, such as a message
// that came over the wire.
func English(text string) Phrase { return Phrase{text: text, key: "a text in English"} }

// Join returns phrases behind each other, with nothing in between.
func Join(parts ...Phrase) Phrase {
	values := make([]any, len(parts))
	for i, p := range parts {
		values[i] = p
	}
	return Of(strings.Repeat("%s", len(parts)), values...)
}

// A Sentence is a phrase that is put together part by part.
type Sentence struct{ parts []Phrase }

// Add adds a part, as [Of] makes it. Whatever space stands in front of the pattern stands in front
// of the part in each language.
func (s *Sentence) Add(pattern string, values ...any) {
	part := strings.TrimLeft(pattern, " ")
	if space := pattern[:len(pattern)-len(part)]; space != "" {
		s.parts = append(s.parts, Verbatim(space))
	}
	s.parts = append(s.parts, Of(part, values...))
}

// Phrase returns the sentence.
func (s *Sentence) Phrase() Phrase { return Join(s.parts...) }

// List returns what a sentence lists: "a, b or c", of the pattern "%s or %s" for the last two.
func List[T any](last string, all ...T) Phrase {
	if len(all) < 2 {
		return Behind("", all...)
	}
	return Of(last, Behind("%s, %s", all[:len(all)-1]...), any(all[len(all)-1]))
}

// Behind returns phrases one behind the other, of a pattern for each two, such as "%s; %s".
func Behind[T any](pattern string, all ...T) Phrase {
	list := Phrase{}
	for i, one := range all {
		if i == 0 {
			list = Of("%s", any(one))
		} else {
			list = Of(pattern, list, any(one))
		}
	}
	return list
}

// The patterns of the last two of a [List].
const (
	And = "%s and %s"
	Or  = "%s or %s"
)

// Capital returns the phrase as it begins a sentence: with a capital letter, in each language.
func (p Phrase) Capital() Phrase {
	p.text, p.capital = english.Capital(p.text), true
	return p
}

// String returns the phrase in English.
func (p Phrase) String() string { return p.text }

// MarshalText writes the phrase in English, as JSON has it.
func (p Phrase) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// IsZero reports whether nothing is said.
func (p Phrase) IsZero() bool { return p.text == "" && p.key == "" }

// In returns the phrase in the words of another language, and false where these lack some of it,
// which is then in English.
func (p Phrase) In(to Language) (text string, whole bool) {
	text, whole = p.in(to)
	if p.capital {
		text = english.Capital(text)
	}
	return text, whole
}

func (p Phrase) in(to Language) (text string, whole bool) {
	if p.key == "" {
		return p.text, true
	}
	words, ok := to.Words(p.key)
	switch {
	case ok:
	case HasWords(p.key):
		return p.text, false
	default:
		words = p.key
	}
	values := make([]any, len(p.values))
	whole = true
	for i, v := range p.values {
		told, ok := valueIn(to, v)
		values[i], whole = told, whole && ok
	}
	return to.Sprintf(strings.ReplaceAll(words, "%w", "%s"), values...), whole
}

// valueIn returns a value as it stands in a sentence of a language.
func valueIn(to Language, value any) (told any, whole bool) {
	switch v := value.(type) {
	case Phrase:
		return v.In(to)
	case said:
		return v.In(to)
	case interface{ Phrase() Phrase }:
		return v.Phrase().In(to)
	case error:
		return errorIn(to, v)
	}
	return to.Value(value)
}

// errorIn returns an error of which only the text is known. What it wraps is told as such, behind
// what stands before it, which are names and values as a rule.
func errorIn(to Language, err error) (told string, whole bool) {
	text := err.Error()
	if words, ok := to.Words(text); ok {
		return words, true
	}
	if cause := errors.Unwrap(err); cause != nil {
		if before, ok := strings.CutSuffix(text, ": "+cause.Error()); ok && !HasWords(before) {
			inner, whole := valueIn(to, cause)
			return before + ": " + fmt.Sprint(inner), whole
		}
	}
	return text, false
}

// A Language has the words of other languages than English.
type Language interface {
	// Words returns the words of a key, false where there are none.
	Words(key string) (words string, ok bool)
	// Value returns a value as the language writes it: itself, where that is the same. It says
	// false where it stays in English and should not.
	Value(value any) (told any, whole bool)
	// Sprintf formats values as the language does.
	Sprintf(words string, values ...any) string
}

// HasWords reports whether a pattern needs words in each language: whether it says something
// besides its values.
func HasWords(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '%': // the verb that ends the place is a letter, too
			for i++; i < len(pattern) && !isLetter(pattern[i]) && pattern[i] != '%'; i++ {
			}
		case isLetter(c):
			return true
		}
	}
	return false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
