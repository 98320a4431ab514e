package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// demoPages is a server with the demo's data in it, which all tests that only look share.
var demoPages = struct {
	sync.Once
	*background
	dir, url string
	err      error
}{}

// demoServer returns the address of the demo's pages. Nobody writes to it.
func demoServer(t *testing.T) string {
	t.Helper()
	browser(t)
	demoPages.Do(func() {
		if demoPages.dir, demoPages.err = os.MkdirTemp("", "muster-pages"); demoPages.err == nil {
			demoPages.background, demoPages.url, demoPages.err = serveDemo(demoPages.dir)
		}
	})
	if demoPages.err != nil {
		t.Fatal(demoPages.err)
	}
	return demoPages.url
}

// ownDemo returns the address and the folder of a demo of the test's own, to write to.
func ownDemo(t *testing.T) (url, dir string) {
	t.Helper()
	browser(t)
	root := t.TempDir()
	b, url, err := serveDemo(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	return url, filepath.Join(root, "demo")
}

func serveDemo(root string) (*background, string, error) {
	b, err := startBackground(root, nil, "demo", "--serve", "--data", filepath.Join(root, "demo"))
	if err != nil {
		return nil, "", err
	}
	found, err := b.await(&b.stdout, `The server stays, on (http://\S+?)[,/]`)
	if err != nil {
		b.kill()
		return nil, "", fmt.Errorf("the demo: %w", err)
	}
	return b, found[1], nil
}

// endPages stops what the tests of the pages share.
func endPages() {
	theBrowser.end()
	endAhead()
	if demoPages.background != nil {
		demoPages.kill()
	}
	if demoPages.dir != "" {
		_ = os.RemoveAll(demoPages.dir)
	}
}

// aDay is within the windows of the demo's pledges.
const aDay = "2026-07-01"

// Every page, looked at with and without light, on a desk and on a telephone, in both languages:
// nobody is kept from using it.
func TestPagesForEverybody(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	for _, p := range []struct{ name, address string }{
		{"coverage", "/?until=2027-06-30&on=" + aDay},
		{"coverage-open", "/?on=" + aDay + "&until=2026-12-31&open=mnf-u/ground-west&at=" + aDay},
		{"coverage-past", "/?on=" + aDay + "&as_of=40&without=FRA&rung=accepted&operation=mnf-u" +
			"&until=2026-12-31"},
		{"coverage-differences", "/?on=" + aDay +
			"&until=2026-12-31&without_conditional=true&differences=true"},
		{"coverage-weeks", "/?on=" + aDay + "&until=2026-12-31&step=week&operation=mnf-u"},
		{"nations", "/?on=" + aDay + "&show=nations"},
		{"nations-open", "/?on=" + aDay + "&show=nations&holds=mnf-u/FRA/ground"},
		{"shortfalls", "/shortfalls?on=" + aDay},
		{"shortfalls-range", "/shortfalls?operation=mnf-u&rung=accepted&on=" + aDay +
			"..2026-12-31"},
		{"timeline", "/timeline?operation=mnf-u&on=" + aDay},
		{"timeline-line", "/timeline?operation=mnf-u&line=ground-west&step=month&on=" + aDay},
		{"compare", "/compare?from=45&nation=FRA&from_on=2026-03-01&on=" + aDay},
		{"digest", "/digest?from=30&operation=mnf-u&on=" + aDay},
		{"compare-nothing", "/compare?from=55&on=" + aDay},
		{"log", "/log"},
		{"log-nation", "/log?nation=FRA"},
		{"pledges", "/pledges?on=" + aDay},
		{"pledges-filtered", "/pledges?nation=FRA&role=ground&state=live&on=" + aDay},
		{"submit", "/submit"},
		{"submit-amend", "/submit?type=pledge.amended"},
		{"verify", "/verify"},
		{"verify-record", "/verify?record=33"},
		{"mine", "/mine"},
		{"mine-nation", "/mine?nation=FRA"},
		{"due", "/due?on=" + aDay},
		{"readiness", "/readiness?by_nation=true&on=" + aDay},
		{"review", "/review?on=" + aDay},
		{"delivery", "/delivery?on=" + aDay},
		{"nations-list", "/nations?on=" + aDay},
		{"corrections", "/corrections"},
		{"late", "/late?days=1"},
		{"plan", "/plan?operation=mnf-u"},
		{"plan-file", "/plan/file"},
		{"import", "/import"},
		{"desk", "/desk"},
		{"members", "/members"},
		{"session", "/session"},
		{"session-ended", "/session?said=ended&then=%2Flog"},
		{"view", "/?view=coalition&until=2026-12-31&on=" + aDay},
		{"nothing", "/?on=2001-01-01"},
		{"wrong", "/?on=yesterday&rung=high"},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // in a tab of its own
			b := newTab(t, url)
			b.open(p.address)
			b.wait("document.documentElement.classList.contains('scripted')")
			b.shot(p.name + "-light")
			b.isShown(p.name != "wrong")
			b.asksOnce()
			if alsoShown[p.name] {
				b.axe()
				return
			}
			dark(b)
			b.shot(p.name + "-dark")
			b.axeBy(colourRules)
			light(b)
			b.axe()

			// French needs the most room, and a telephone has the least. The colours are the same.
			narrow(b)
			mark := "&"
			if !strings.Contains(p.address, "?") {
				mark = "?"
			}
			b.open(p.address + mark + "lang=fr")
			b.wait("document.documentElement.classList.contains('scripted')")
			b.shot(p.name + "-narrow-fr")
			b.asksOnce()
			b.fits()
			b.axeBy(otherRules)
		})
	}
}

// isShown fails the test for a page that says only why it cannot be shown, or for another that does
// not.
func (b *tab) isShown(want bool) {
	b.t.Helper()
	if got := eval[bool](b, `!document.querySelector("main > .problem")`); got != want {
		b.t.Errorf("%s is shown: %v\n%s", b.address(), got, b.text("main"))
	}
}

// fits fails the test for a page that scrolls sideways, and names what is too wide.
func (b *tab) fits() {
	b.t.Helper()
	if wide := eval[[]string](b, `(() => {
		const most = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= most) return [];
		return ["the page", ...[...document.querySelectorAll("body *")]
			.filter(e => e.getBoundingClientRect().right > most &&
				!e.closest("nav, details:not([open])"))
			.map(e => e.tagName + "#" + e.id + "." + e.className).slice(0, 8)];
	})()`); len(wide) > 0 {
		b.t.Errorf("%s scrolls sideways: %q", b.address(), wide)
	}
}

// alsoShown are the pages that show another choice of what a page before them shows, made of the
// same parts: in the dark, on a telephone and in French they are as that one.
var alsoShown = map[string]bool{"coverage-differences": true, "coverage-weeks": true,
	"shortfalls-range": true, "timeline-line": true, "log-nation": true, "pledges-filtered": true}

// asksOnce fails the test for a form that gives a parameter twice, unseen and to be filled in: the
// server would refuse it.
func (b *tab) asksOnce() {
	b.t.Helper()
	twice := eval[[]string](b,
		`[...document.forms].flatMap(f => { const names = [...new FormData(f).keys()]; return names.filter((n, i) => names.indexOf(n) < i).map(n => (f.id || f.className) + ": " + n) })`)
	for _, form := range twice {
		b.t.Errorf("%s: a form gives a parameter twice: %s", b.address(), form)
	}
}

// getJSON asks the API.
func getJSON(t *testing.T, address string, into any) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
