package main

import (
	"fmt"
	"html"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/projections/web"
)

// A confided is a demo in which Britain has confided a pledge to the coordinators and to France.
type confided struct {
	url, dir string
	id       string   // of the pledge
	secrets  []string // what tells of it
}

func newConfided(t *testing.T) confided {
	t.Helper()
	url, dir := ownDemo(t)
	c := confided{url: url, dir: dir}
	c.confide(t)
	return c
}

// newRestricted is the same behind a server that restricts reading, and is told more by flags.
func newRestricted(t *testing.T, read string, flags ...string) confided {
	t.Helper()
	browser(t)
	root := t.TempDir()
	open, url, err := serveDemo(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(open.kill)
	c := confided{url: url, dir: filepath.Join(root, "demo")}
	c.confide(t)
	if err := open.terminate(); err != nil {
		t.Fatal(err)
	}
	b, err := startBackground(root, nil, append([]string{"serve", "--data", c.dir, "--read", read,
		"--listen", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	found, err := b.await(&b.stderr, `listening on (https?://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	c.url = found[1]
	return c
}

// confide has Britain say what few may read.
func (c *confided) confide(t *testing.T) {
	t.Helper()
	url, dir := c.url, c.dir
	key, u := filepath.Join(dir, "keys", "GBR-demo.key"), newUser(t)
	u.content(t, "pledge", "offer", "--operation", "mnf-u", "--role", "sea", "--quantity",
		secretShips, "--effective", "2026-01-15", "--release", "coordinators",
		"--releasable-to", "FRA",
		"--source", "hush-hush", "--key", key, "--url", url)
	c.id = pledgeOf(t, url, "GBR", "sea")
	u.content(t, "condition", "add", c.id, "secret-vote", "--kind", "parliament", "--key", key,
		"--url", url)
	c.secrets = []string{c.id, secretShips, "700,700,700", "700 700 700",
		"700\u00a0700\u00a0700", "700\u202f700\u202f700", "hush-hush",
		"secret-vote"}
}

// secretShips is a number that stands in no hash, id or time by chance.
const secretShips = "700700700"

// told returns what of the secret is in a text.
func (c confided) told(text string) (all []string) {
	for _, s := range c.secrets {
		if strings.Contains(text, s) {
			all = append(all, s)
		}
	}
	return all
}

var (
	// Each begins with letters, which are found ten times as soon as one of several words.
	linked = []*regexp.Regexp{regexp.MustCompile(`href="([^"]*)"`),
		regexp.MustCompile(`src="([^"]*)"`), regexp.MustCompile(`data-live="([^"]*)"`),
		regexp.MustCompile(`data-log="([^"]*)"`),
		regexp.MustCompile(`<form method="post" action="([^"]*)"`)}
	asking  = regexp.MustCompile(`(?s)<form method="get".*?</form>`)
	leaving = regexp.MustCompile(`(?s)<section class="banner counted".*?</section>`)
)

// crawl yields all pages that links lead to from one of them, no more than a few of each shape: the
// address and what is there.
func crawl(t *testing.T, start string) iter.Seq2[string, string] {
	t.Helper()
	base, err := url.Parse(start)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(address, body string) bool) {
		seen, shapes := map[string]bool{}, map[string]int{}
		for next := []*url.URL{base}; len(next) > 0; next = next[1:] {
			at := *next[0]
			at.Fragment = ""
			shape := shapeOf(at)
			if seen[at.String()] || shapes[shape] == 1 || strings.HasSuffix(at.Path, "/events") {
				continue
			}
			seen[at.String()], shapes[shape] = true, shapes[shape]+1
			body, isPage := fetch(t, at.String())
			if !yield(strings.TrimPrefix(at.String(), base.Scheme+"://"+base.Host), body) {
				return
			}
			if !isPage || at.Path == "/docs" || at.Path == "/session" {
				continue
			}
			for _, found := range linksOf(leaving.ReplaceAllString(body, "")) {
				if to, err := base.Parse(html.UnescapeString(found)); err == nil &&
					to.Host == base.Host {
					next = append(next, to)
				}
			}
		}
		if len(seen) < 40 {
			t.Errorf("only %d pages were looked at", len(seen))
		}
	}
}

// linksOf returns where a page leads, in the order of the page.
func linksOf(body string) (links []string) {
	at := map[int]string{}
	for _, to := range linked {
		for _, found := range to.FindAllStringSubmatchIndex(body, -1) {
			at[found[0]] = body[found[2]:found[3]]
		}
	}
	for _, i := range slices.Sorted(maps.Keys(at)) {
		links = append(links, at[i])
	}
	return links
}

// shapeOf is what pages have in common that differ in the values of their parameters alone.
func shapeOf(at url.URL) string {
	shape := at.Path
	if strings.HasPrefix(shape, "/pledges/") {
		shape = "/pledges/"
	}
	for name := range at.Query() {
		shape += " " + name
	}
	return strings.Join(slices.Sorted(slices.Values(strings.Fields(shape))), " ")
}

// fetch returns what is at an address, and whether that is a page.
func fetch(t *testing.T, address string) (body string, isPage bool) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 {
		t.Fatalf("%s: %s, %v", address, resp.Status, err)
	}
	return string(text), strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
}

// Whoever looks in a view stays in it, wherever links lead, and is told nothing of what is withheld
// on any page, in any list or file, in either language.
func TestPagesTellNothing(t *testing.T) {
	t.Parallel()
	c := newConfided(t)
	free := regexp.MustCompile(`^(/docs|/checkpoint|/static/|/openapi|/session)`)
	for view, lang := range map[string]string{"coalition": "en", "NOR": "fr"} {
		for address, body := range crawl(t, c.url+"/?view="+view+"&lang="+lang+"&on="+aDay) {
			if told := c.told(body); told != nil {
				t.Errorf("%s tells %q", address, told)
			}
			if !free.MatchString(address) && !strings.Contains(address, "view="+view) {
				t.Errorf("a link leads out of the view: %s", address)
			}
			for _, form := range asking.FindAllString(body, -1) {
				if !strings.Contains(form, `name="view"`) {
					t.Errorf("%s: a form leads out of the view: %s", address, form)
				}
			}
		}
	}
	telling := 0
	for _, body := range crawl(t, c.url+"/?view=FRA&on="+aDay) {
		if c.told(body) != nil {
			telling++
		}
		if telling == 10 {
			break
		}
	}
	if telling < 10 {
		t.Errorf("only %d pages tell France, so that this shows little", telling)
	}
}

// The form asks what somebody may read about what is typed into it, and nothing else: of a pledge
// that is withheld it says the same as of one that is not there.
func TestPageSubmitTellsNothing(t *testing.T) {
	t.Parallel()
	c := newConfided(t)
	nobody := "01KAQ7Z0V4T5W9J8M3N2P6R1XC"
	asks := func(view, typ, field, id string) (int, string) {
		t.Helper()
		form := url.Values{"type": {typ}, "operation": {"mnf-u"}, "nation": {"GBR"},
			"role":     {"sea"},
			"quantity": {"3"}, "unit": {"ship"}, "from": {aDay}, "effective": {aDay},
			"id": {"01KAQ7Z0V4T5W9J8M3N2P6R1XD"}}
		form.Set(field, id)
		resp, err := http.PostForm(c.url+"/submit?view="+view, form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, strings.ReplaceAll(string(body), id, "ID")
	}
	for typ, field := range map[string]string{"pledge.offered": "predecessor",
		"pledge.withdrawn": "pledge", "pledge.indicated": "successor"} {
		status, is := asks("coalition", typ, field, c.id)
		wantStatus, want := asks("coalition", typ, field, nobody)
		if status != wantStatus || is != want {
			t.Errorf("%s with the %s that is withheld: %d\n%s\nand with none: %d\n%s", typ, field,
				status, is, wantStatus, want)
		}
		status, is = asks("FRA", typ, field, c.id)
		if status == wantStatus && is == want {
			t.Errorf("France is told nothing of the %s", field)
		}
	}
}

// A view is chosen on any page and left again, and stands on the page and on paper, in both
// languages; what is withheld has its place in the log and can be checked.
func TestPageViews(t *testing.T) {
	t.Parallel()
	c := newConfided(t)
	b := newTab(t, c.url)
	b.open("/?operation=mnf-u&on=" + aDay)
	if n := eval[int](b, "document.querySelectorAll('#counted').length"); n > 0 {
		t.Error("all is counted, and a banner says for whom")
	}
	b.fill("#view", "coalition")
	b.says("#counted", "Counted: what is released to the coalition.")
	if at := b.address(); at != "/?on="+aDay+"&operation=mnf-u&view=coalition" {
		t.Error(at)
	}
	b.shot("view-coverage")
	b.axe()
	for i, sheet := range b.printed("view-coverage") {
		said := strings.Join(strings.Fields(sheet), " ")
		if !strings.Contains(said, "Counted: what is released to the coalition. As of record 57") {
			t.Errorf("sheet %d does not say for whom it is counted:\n%s", i+1, sheet)
		}
	}
	b.click("nav a[href^='/log']")
	b.wait("document.querySelector('[data-page=log] #r55') && !document.getElementById('r56')")
	b.fill("#l-op", "")
	b.says("#r56", "Withheld")
	b.shot("view-log")
	b.axe()
	b.click("#r56 a")
	b.says("main", "not released to those for whom this is counted")
	if said := b.checked(); !strings.Contains(said, "What it says is withheld.") ||
		!strings.HasPrefix(said, "Everything that was checked holds.") {
		t.Errorf("a place in the tree is not checked: %s", said)
	}
	b.shot("view-verify")
	b.axe()
	if body := b.text("main"); c.told(body) != nil {
		t.Errorf("the page of checking tells %q", c.told(body))
	}
	b.open("/verify?view=coalition&record=33")
	b.holds("Record 33 is in the tree")
	if said := b.commands(t, "", []string{" --view coalition"}, []string{"--key"}); strings.Count(
		said, "could not be read in the view coalition") != 2 {
		t.Errorf("the commands are not of the view: %s", said)
	}
	b.click("#counted a")
	b.wait("!document.getElementById('counted')")
	if at := b.address(); at != "/verify?record=33" {
		t.Error(at)
	}
	b.open("/pledges/" + c.id + "?view=FRA&lang=fr")
	b.says("#counted", "seulement ce qui est communiqué à\u00a0: France.")
	b.says("dl.facts", "hush-hush")
	b.open("/pledges/" + c.id + "?view=NOR")
	b.says("main", "There is no such thing.")
	resp, err := http.Get(c.url + "/api/v1/pledges.csv?view=coalition")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if name := resp.Header.Get("Content-Disposition"); name !=
		`inline; filename="pledges-coalition.csv"` {
		t.Errorf("a file of rows does not say for whom it was counted: %s", name)
	}
	b.open("/?view=nobody&lang=fr")
	b.says("main", "view")
	b.shot("view-wrong")
	b.axe()

	still := newTab(t, c.url, noScript, narrow)
	still.open("/pledges?view=GBR")
	still.says("#counted", "released to the United Kingdom")
	still.shot("view-narrow")
	still.click("#set summary") // which says what is set, and opens it
	still.fill("#view", "public")
	still.click("#views button")
	still.says("#counted", "released to everybody")
}

// What is withheld comes to no stream of a view, and changes its pages by nothing.
func TestPageLiveInAView(t *testing.T) {
	t.Parallel()
	c := newConfided(t)
	b := newTab(t, c.url)
	b.open("/log?view=coalition")
	b.wait("document.getElementById('r57')")
	u, key := newUser(t), filepath.Join(c.dir, "keys", "GBR-demo.key")
	u.content(t, "pledge", "amend", c.id, "--quantity", secretShips, "--note", "hush-hush",
		"--key", key,
		"--url", c.url)
	u.content(t, "pledge", "offer", "--operation", "mnf-u", "--role", "air", "--quantity", "3",
		"--effective", "2026-01-15", "--key", key, "--url", c.url)
	b.says("#r59", "offered")
	b.says("#r58", "Withheld")
	var all web.Records
	getJSON(t, c.url+"/api/v1/records?view=coalition&from=58", &all)
	if len(all.Records) != 1 {
		t.Errorf("a view has %s", fmt.Sprint(all.Records))
	}
}
