package english_test

import (
	"testing"
	"unicode/utf8"

	"muster/events"
	"muster/events/english"
)

func TestPlural(t *testing.T) {
	for one, many := range map[string]string{
		"pledge": "pledges", "team": "teams", "cell": "cells", "ship": "ships", "item": "items",
		"instrument": "instruments", "aircraft": "aircraft", "personnel": "personnel",
		"EUR": "EUR", "SDR": "SDR", "battery": "batteries", "company": "companies", "day": "days",
		"convoy": "convoys", "brigade": "brigades", "f-16": "f-16s", "watch": "watches",
		"bus":        "buses",
		"hovercraft": "hovercraft", "horse": "horses", "serviceman": "servicemen",
		"": "", "y": "ys",
		"medical-team": "medical-teams", "box": "boxes", "entry": "entries",
	} {
		if got := english.Plural(one); got != many {
			t.Errorf("many of %q: %q, want %q", one, got, many)
		}
	}
}

func TestSeveral(t *testing.T) {
	for n, want := range map[int]string{0: "0 pledges", 1: "1 pledge", 2: "2 pledges"} {
		if got := english.Several(n, "pledge"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPossessive(t *testing.T) {
	for name, want := range map[string]string{
		"Finland": "Finland's", "Netherlands": "Netherlands'", "United States": "United States'",
		"Åland Islands": "Åland Islands'", "Cyprus": "Cyprus'", "Côte d’Ivoire": "Côte d’Ivoire's",
	} {
		if got := english.Possessive(name); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVerb(t *testing.T) {
	for many, one := range map[string]string{
		"are": "is", "were": "was", "hang": "hangs", "lapse": "lapses", "end": "ends",
		"fit": "fits", "them": "it", "they": "it",
	} {
		if got := english.Verb(true, many) + english.Verb(false, many); got != one+many {
			t.Errorf("%s: %q", many, got)
		}
	}
}

func TestThereIs(t *testing.T) {
	for n, want := range map[int]string{0: "there are", 1: "there is", 3: "there are"} {
		if got := english.ThereIs(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

// The name of every nation can begin a sentence.
func TestCapital(t *testing.T) {
	for _, n := range events.Nations() {
		if name := n.Name(); english.Capital(name) != name ||
			!utf8.ValidString(english.Capital(name)) {
			t.Errorf("%s becomes %q", name, english.Capital(name))
		}
	}
	for said, want := range map[string]string{"åland": "Åland", "the forces": "The forces", "": "",
		"éa": "Éa", "\xff": "\xff", "7": "7"} {
		if got := english.Capital(said); got != want {
			t.Errorf("%q becomes %q", said, got)
		}
	}
}

func TestList(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"},
	} {
		if got := english.List(names); got != want {
			t.Errorf("%q becomes %q", names, got)
		}
	}
}
