package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A French page says nothing in English but what was recorded: none of the words that the
// catalogue has in English, and none of the patterns of which sentences are made.
func TestFrenchPages(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	english := englishRuns(t)
	var list struct{ Pledges []struct{ ID string } }
	getJSON(t, url+"/api/v1/pledges?on="+aDay+"&nation=FRA", &list)
	if len(list.Pledges) == 0 {
		t.Fatal("France has no pledge")
	}
	b := newTab(t, url)
	for _, address := range []string{
		"/?until=2027-06-30&on=" + aDay,
		"/?on=" + aDay + "&until=2026-12-31&open=mnf-u/ground-west&at=" + aDay,
		"/?on=" + aDay + "&as_of=40&without=FRA&rung=accepted&operation=mnf-u&until=2026-12-31",
		"/?on=" + aDay + "&show=nations&holds=mnf-u/FRA/ground", "/shortfalls?on=" + aDay,
		"/timeline?operation=mnf-u&line=ground-west&step=month&on=" + aDay,
		"/compare?from=45&from_on=2026-03-01&on=" + aDay, "/digest?from=30&on=" + aDay, "/log",
		"/pledges?on=" + aDay, "/pledges/" + list.Pledges[0].ID + "?on=" + aDay,
		"/pledges/" + list.Pledges[0].ID + "?on=2031-01-01", "/submit",
		"/submit?type=pledge.amended&pledge=" + list.Pledges[0].ID,
		"/submit?type=pledge.corrected&pledge=" + list.Pledges[0].ID,
		"/verify?record=33", "/mine?nation=FRA", "/due?on=" + aDay,
		"/readiness?by_nation=true&on=" + aDay, "/review?on=" + aDay, "/nations", "/delivery",
		"/corrections", "/late?days=1", "/plan?operation=mnf-u", "/plan?operation=isaf", "/members",
		"/session", "/import",
		"/feeds", "/desk", "/?on=yesterday&rung=high", "/?operation=mnf-z", "/pledges/01ARZ",
		"/timeline?from=2026-03-01&until=2026-01-01", "/compare?from=90000",
	} {
		mark := "&"
		if !strings.Contains(address, "?") {
			mark = "?"
		}
		b.open(address + mark + "lang=fr")
		b.wait("document.documentElement.classList.contains('scripted')")
		if strings.HasPrefix(address, "/log") {
			b.wait("document.querySelector('table.log .says')")
		}
		b.speaksNo(english)
		switch {
		case strings.HasPrefix(address, "/plan?operation=isaf"):
			b.says("main", "Troupes dans le pays")
			b.says("main", "personnel ou unité")
			b.wait("!document.querySelector(\"td[lang='']\")")
			b.says("#notes li[lang='']", "International Security Assistance Force")
		case strings.HasPrefix(address, "/pledges/") && strings.Contains(address, "?on="+aDay):
			b.says("dl.facts", "Troupes dans le pays")
		}
	}
	b.open("/plan?operation=isaf&lang=en")
	b.says("td[lang='']", "Troops in the country")
	b.shot("french-last")
}

// speaksNo fails the test for what a page says in English. Codes and what is quoted byte for byte
// are no language.
func (b *tab) speaksNo(english []string) {
	b.t.Helper()
	said := eval[string](b, `(() => {
		const all = document.body.cloneNode(true);
		for (const e of all.querySelectorAll("pre, code, script, .free, .slug")) e.remove();
		return all.textContent.replace(/\s+/g, " ") })()`)
	for _, run := range english {
		if at := strings.Index(said, run); at >= 0 {
			b.t.Errorf("%s says %q: …%s…", b.address(), run,
				said[max(0, at-60):min(len(said), at+len(run)+60)])
		}
	}
	for _, text := range eval[[]string](b, `[...document.querySelectorAll("main [lang=en]")]
		.map(e => e.textContent.trim()).filter(Boolean)`) {
		b.t.Errorf("%s has in English: %s", b.address(), text)
	}
}

var aPlace = regexp.MustCompile(`%(\[\d\])?[0-9.]*[a-zA-Z%]|[{}\[\]]`)

// englishRuns returns stretches of English words, of three words and more, that pages and sentences
// are made of.
func englishRuns(t *testing.T) (all []string) {
	t.Helper()
	names, err := filepath.Glob("../../projections/web/page/words/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no words: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sentences := strings.HasPrefix(filepath.Base(name), "said-")
		english := ""
		for _, line := range strings.Split(string(text), "\n") {
			switch words, is := strings.CutPrefix(line, "  en "); {
			case is:
				english = words
			case sentences && line != "" && line[0] != '#' && !strings.HasPrefix(line, "  "):
				english = line
			case strings.HasPrefix(line, "  fr "):
				for _, run := range aPlace.Split(english, -1) {
					run = strings.TrimSpace(run)
					if strings.Count(run, " ") > 1 && len(run) > 13 &&
						!strings.Contains(line, run) {
						all = append(all, run)
					}
				}
			}
		}
	}
	if len(all) < 500 {
		t.Fatalf("only %d stretches of English were found", len(all))
	}
	return all
}
