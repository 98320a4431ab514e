package server

import (
	"encoding/json"
	"strings"
	"testing"

	"muster/events/problem"
	"muster/projections/web/page"
)

// The scripts of a page are told what is refused in its language, and everybody else in English; no
// English is left within.
func TestProblemsInTheLanguageOfAPage(t *testing.T) {
	c := newConfidence(t, Config{})
	for _, one := range []struct{ method, path, body, english, french, hint string }{
		{"GET", "/api/v1/coverage?on=", "", "on: empty: write a value, or leave it out",
			"on\u00a0: vide\u00a0: écrivez une valeur, ou omettez-le", ""},
		{"GET", "/api/v1/coverage?on=today&on=today", "", "on: is given 2 times: write it once",
			"on\u00a0: est donné 2 fois\u00a0: écrivez-le une seule fois", ""},
		{"GET", "/api/v1/coverage?operation=no", "", "there is no operation no in this ledger",
			"il n’y a pas d’opération no dans ce registre", "il y a op"},
		{"GET", "/api/v1/coverage?as_of=999", "", "the ledger has ",
			" enregistrements, et pas encore d’enregistrement 999", ""},
		{"POST", "/api/v1/statements", "{}", "this is no signed note",
			"ce n’est pas une note signée", ""},
	} {
		for lang, want := range map[string]string{"": one.english, "en": one.english,
			"xx": one.english, "fr": one.french} {
			var p problem.Problem
			a := c.ask(one.method, one.path, one.body, page.LanguageHeader, lang)
			if err := json.Unmarshal([]byte(a.body), &p); err != nil ||
				!strings.Contains(p.Detail, want) {
				t.Errorf("%s in %q is %s, %v", one.path, lang, a.body, err)
			}
			if lang == "fr" && one.hint != "" && p.Hint != one.hint {
				t.Errorf("%s: the hint is %q", one.path, p.Hint)
			}
		}
	}
}
