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
		{"coverage", "/?on=" + aDay},
		{"coverage-open", "/?on=" + aDay + "&open=mnf-u/ground-west&at=" + aDay},
		{"coverage-past", "/?on=" + aDay + "&as_of=40&without=FRA&rung=accepted&operation=mnf-u"},
		{"coverage-differences", "/?on=" + aDay + "&without_conditional=true&differences=true"},
		{"coverage-weeks", "/?on=" + aDay + "&step=week&operation=mnf-u"},
		{"nations", "/?on=" + aDay + "&show=nations"},
		{"nations-open", "/?on=" + aDay + "&show=nations&holds=mnf-u/FRA/ground"},
		{"shortfalls", "/shortfalls?on=" + aDay},
		{"shortfalls-range", "/shortfalls?operation=mnf-u&rung=accepted&on=" + aDay +
			"..2026-12-31"},
		{"timeline", "/timeline?operation=mnf-u&on=" + aDay},
		{"timeline-line", "/timeline?operation=mnf-u&line=ground-west&step=month&on=" + aDay},
		{"compare", "/compare?from=45&nation=FRA&from_on=2026-03-01&step=week&on=" + aDay},
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
		{"session", "/session"},
		{"session-ended", "/session?said=ended&then=%2Flog"},
		{"view", "/?view=coalition&on=" + aDay},
		{"nothing", "/?on=2001-01-01"},
		{"wrong", "/?on=yesterday&rung=high"},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // in a tab of its own
			b := newTab(t, url)
			b.open(p.address)
			b.wait("document.documentElement.classList.contains('scripted')")
			b.shot(p.name + "-light")
			b.asksOnce()
			dark(b)
			b.shot(p.name + "-dark")
			b.axeBy(colourRules)
			light(b)
			b.axe()

			// French needs the most room, and a telephone has the least. The colours are the same.
			b = newTab(t, url, narrow)
			mark := "&"
			if !strings.Contains(p.address, "?") {
				mark = "?"
			}
			b.open(p.address + mark + "lang=fr")
			b.wait("document.documentElement.classList.contains('scripted')")
			b.shot(p.name + "-narrow-fr")
			b.asksOnce()
			b.axeBy(otherRules)
		})
	}
}

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
