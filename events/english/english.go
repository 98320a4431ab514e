// Package english puts words together as English does: how many of a thing there are, whose it is,
// and what it does. Whoever makes a sentence of parts that follow from the records takes them here.
package english

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Several writes a number of things: "1 pledge", "2 pledges".
func Several[N int | int64 | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %s", n, Plural(thing))
}

// Noun returns the word for a thing, or for more than one of it.
func Noun(one bool, thing string) string {
	if one {
		return thing
	}
	return Plural(thing)
}

// Unknown returns the words for how much of a thing there is, where nobody has said.
func Unknown(thing string, isMoney bool) string {
	if isMoney {
		return "unknown amount of " + thing
	}
	return "unknown number of " + Plural(thing)
}

// oneForm are the endings of words that have one form for one and for many.
var oneForm = []string{"craft", "personnel", "equipment", "staff", "materiel",
	"ammunition", "series"}

// Plural returns the word for more than one of a thing, such as a unit of a plan. What is written
// in capitals is an abbreviation, such as a currency, and stays as it is.
func Plural(thing string) string {
	for _, ending := range oneForm {
		if strings.HasSuffix(thing, ending) {
			return thing
		}
	}
	stem, y := strings.CutSuffix(thing, "y")
	switch {
	case thing == "" || thing == strings.ToUpper(thing):
		return thing
	case y && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou"):
		return stem + "ies"
	case endsIn(thing, "s", "x", "z", "ch", "sh"):
		return thing + "es"
	case strings.HasSuffix(thing, "man"):
		return strings.TrimSuffix(thing, "man") + "men"
	}
	return thing + "s"
}

func endsIn(s string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

// Possessive says whose something is: "Finland's", "Netherlands'".
func Possessive(name string) string {
	if endsIn(name, "s", "S") {
		return name + "'"
	}
	return name + "'s"
}

// Capital returns a sentence that begins with a capital letter.
func Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if first == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// irregular are the verbs whose form for one is not that for many with an s behind it.
var irregular = map[string]string{"are": "is", "were": "was", "have": "has", "do": "does",
	"them": "it", "they": "it"}

// ThereIs says that so many things are there: "there is" one, "there are" several.
func ThereIs(n int) string { return "there " + Verb(n == 1, "are") }

// Verb returns a verb, or "they" or "them", as it goes with one subject or with many, whose form is
// given.
func Verb(one bool, many string) string {
	if !one {
		return many
	}
	if is, ok := irregular[many]; ok {
		return is
	}
	return many + "s"
}

// List writes names for a sentence: "a, b and c".
func List[S ~string](names []S) string {
	text := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " and "
		default:
			text += ", "
		}
		text += string(name)
	}
	return text
}
