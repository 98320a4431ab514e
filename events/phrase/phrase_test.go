package phrase_test

import (
	"errors"
	"fmt"
	"testing"

	"muster/events/phrase"
)

// A language of tests: it has words for few patterns.
type upside map[string]string

func (u upside) Words(key string) (string, bool)         { words, ok := u[key]; return words, ok }
func (u upside) Value(value any) (any, bool)             { return value, true }
func (u upside) Sprintf(words string, all ...any) string { return fmt.Sprintf(words, all...) }

func TestPhrases(t *testing.T) {
	to := upside{"%s offers %d": "%[2]d von %[1]s", "in %s": "bei %s", "%s and %s": "%s und %s",
		"one": "eins", "failed: %w": "misslang: %w", "why": "warum", "no more": "nicht mehr"}
	var sentence phrase.Sentence
	sentence.Add("%s offers %d", "one", 3) // a value, which is no part of the sentence
	sentence.Add(" in %s", phrase.Of("one"))
	for _, test := range []struct {
		said           phrase.Phrase
		english, other string
		whole          bool
	}{
		{sentence.Phrase(), "one offers 3 in one", "3 von one bei eins", true},
		{sentence.Phrase().Capital(), "One offers 3 in one", "3 von one bei eins", true},
		{phrase.Of("one").Capital(), "One", "Eins", true},
		{phrase.List(phrase.And, "a", "b", "c"), "a, b and c", "a, b und c", true},
		{phrase.Behind("%s; %s", "a", "b", "c"), "a; b; c", "a; b; c", true},
		{phrase.As("many", "one"), "many", "eins", true},
		{phrase.Verbatim("why"), "why", "why", true},
		{phrase.English("why"), "why", "why", false},
		{phrase.Of("nobody says %d", 1), "nobody says 1", "nobody says 1", false},
		{phrase.Of("in %s", phrase.Of("nobody")), "in nobody", "bei nobody", false},
		{phrase.As("failed: why", "failed: %w", errors.New("why")), "failed: why",
			"misslang: warum", true},
		{phrase.Of("in %s", fmt.Errorf("7: %w", phrase.Errorf("no more"))), "in 7: no more",
			"bei 7: nicht mehr", true},
		{phrase.Of("in %s", phrase.Text("why")), "in why", "bei warum", true},
		{phrase.Phrase{}, "", "", true},
	} {
		other, whole := test.said.In(to)
		if got := test.said.String(); got != test.english || other != test.other ||
			whole != test.whole {
			t.Errorf("%q is %q, %t; want %q, %q, %t", got, other, whole, test.english, test.other,
				test.whole)
		}
	}
	if phrase.HasWords("%s: %[2]d (%%)") || !phrase.HasWords("%d s") {
		t.Error("a pattern without words has some, or the other way around")
	}
}
