package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/go-json-experiment/json/jsontext"

	"muster/events"
	"muster/events/problem"
	pages "muster/projections/web/page"
)

// hostile is what somebody writes who wants a reader's browser, eyes or spreadsheet to do
// something, by what for.
var hostile = map[string]string{
	"script":   `<script>alert(1)</script>`,
	"handler":  `"><img src=x onerror=alert(1)> ' onmouseover='alert(1)`,
	"closing":  `</textarea></pre></td></table></template><script>alert(1)</script><!--`,
	"address":  `javascript:alert(1) {{.Ledger}} ${alert(1)} &lt;b&gt;`,
	"formula":  `=1+1`,
	"name":     `@x`,
	"sum":      `-1+1`,
	"lines":    "one\n\ttwo\n=1+1",
	"turned":   "\u202Edenrut\u2066\u2028 over",
	"long":     strings.Repeat("W", events.MaxText),
	"long-rtl": strings.Repeat("\u202Eא", 1500),
}

// pledge says a text in every free field of a pledge, and returns the pledge's id.
func (a *author) pledge(text string) string {
	a.t.Helper()
	terms := map[string]any{"role": "ground", "area": "west", "quantity": 7, "unit": "personnel",
		"from": "2026-03-01", "note": text, "source": text}
	if len(text) < 200 { // else the statement is too large
		terms["elsewhere"] = []string{text, "another"}
	}
	id := a.says("pledge.offered", terms)
	step := func(typ string, more map[string]any) {
		a.t.Helper()
		more["pledge"], more["reason"] = id, text
		a.says(typ, more)
	}
	step("condition.added", map[string]any{"condition": "parliament", "kind": "parliament",
		"source": text})
	step("condition.discharged", map[string]any{"condition": "parliament"})
	step("caveat.declared", map[string]any{"caveat": "by-day", "restriction": text})
	step("pledge.renewed", map[string]any{"expires": "2027-01-01"})
	terms["quantity"] = 8
	step("pledge.corrected", map[string]any{"corrects": id, "terms": terms})
	return id
}

// hostileDemo is a demo in which a liaison and a coordinator have said hostile things: the pledges,
// by what for.
func hostileDemo(t *testing.T) (url, dir string, pledges map[string]string) {
	t.Helper()
	url, dir = ownDemo(t)
	hq, france := newAuthor(t, url, dir, "founder.key"), newAuthor(t, url, dir, "keys/FRA-demo.key")
	for name, text := range hostile {
		hq.says("requirement.issued",
			map[string]any{"operation": "mnf-u", "line": "hostile-" + name, "role": "sea",
				"quantity": 1, "unit": "ship", "from": "2026-03-01", "priority": 9, "note": text})
	}
	hq.says("operation.opened", map[string]any{"operation": "hostile", "title": hostile["handler"],
		"note": hostile["script"],
		"roles": []any{map[string]any{"role": "ground", "title": hostile["closing"],
			"units": []string{"personnel"}}}})
	france.says("scope.declared", map[string]any{"unlimited": true, "note": hostile["script"]})
	pledges = map[string]string{}
	for name, text := range hostile {
		pledges[name] = france.pledge(text)
	}
	return url, dir, pledges
}

// unarmed has whatever calls a dialog of the browser be told as an error of the page.
func unarmed(b *tab) {
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `for (const name of ["alert", "confirm", "prompt", "open"]) window[name] = () => { document.title = "hostile"; throw new Error("a page has called " + name) }`})
}

// intruders are elements and attributes that no page has, and links that lead to no page.
const intruders = `[
	...document.querySelectorAll("img, iframe, object, embed, base, style, b, [style], [srcdoc], [formaction]"),
	...[...document.scripts].filter(e => !e.getAttribute("src")?.startsWith("/static/") || e.text),
	...[...document.querySelectorAll("a[href], form[action]")].filter(e => !/^([/?#]|blob:)/.test(e.getAttribute("href") ?? e.getAttribute("action")) || /^\/\//.test(e.getAttribute("href") ?? e.getAttribute("action"))),
	...[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => /^on/i.test(a.name))),
].map(e => e.outerHTML.slice(0, 200))`

// acted finds text that acts, but in the fields of forms, which send it back.
const acted = `(() => {
	const found = [], walk = document.createTreeWalker(document.documentElement,
		NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
	const acts = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
	for (let n; n = walk.nextNode();) {
		if (n.data !== undefined && n.parentElement.tagName !== "TEXTAREA" && acts.test(n.data))
			found.push(n.data.slice(0, 80));
		for (const a of n.attributes ?? [])
			if (!["value", "data-stands"].includes(a.name) && acts.test(a.value))
				found.push(a.name + "=" + a.value.slice(0, 80));
	}
	return found })()`

// turns finds hostile text that turns the direction of words that follow it in the same block. An
// element that isolates its text is no protection: text may leave open what it begins, and so end
// the isolation.
const turns = `(() => { const found = [], words = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const block = n => { let e = n.parentElement; while (getComputedStyle(e).display === "inline") e = e.parentElement; return e };
	for (let n; n = walk.nextNode();) if (n.data.trim() && !n.parentElement.closest("template, option, textarea, title")) words.push(n);
	words.forEach((n, i) => {
		if (!n.data.includes("\u202E")) return;
		const e = block(n), next = words.slice(i + 1).find(m => !e.contains(m) || block(m) !== e || !m.data.startsWith("\n"));
		if (next && e.contains(next) && block(next) === e) found.push(e.outerHTML.slice(0, 200) + " … " + next.data.slice(0, 60));
	});
	return found })()`

// harmless fails the test for whatever hostile text has done to the page that is open.
func (b *tab) harmless() {
	b.t.Helper()
	for _, found := range eval[[]string](b, "%s", acted) {
		b.t.Errorf("%s: this is not shown as what it is: %q", b.address(), found)
	}
	for _, found := range eval[[]string](b, "%s", intruders) {
		b.t.Errorf("%s: the page has %s", b.address(), found)
	}
	for _, found := range eval[[]string](b, "%s", turns) {
		b.t.Errorf("%s: text turns what is beside it: %s", b.address(), found)
	}
	if eval[string](b, "document.title") == "hostile" {
		b.t.Errorf("%s: something has run", b.address())
	}
	if wide := eval[int](b,
		"document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		b.t.Errorf("%s: the page is %d pixels wider than the window", b.address(), wide)
	}
}

// Whatever a pledge says is text on every page, and nothing of it runs; and no list has a cell that
// begins as a formula does.
func TestPageHostileText(t *testing.T) {
	t.Parallel()
	url, dir, pledges := hostileDemo(t)
	t.Run("pages", func(t *testing.T) { hostilePages(t, url) })
	t.Run("pledges", func(t *testing.T) { hostilePledges(t, url, pledges) })
	t.Run("verified", func(t *testing.T) { hostileVerified(t, url) })
	t.Run("lists", func(t *testing.T) { hostileLists(t, url, pledges) })
	t.Run("signed", func(t *testing.T) { hostileSigned(t, url, dir) })
}

// quotes reports whether an element that a selector finds says a text, to the letter.
func (b *tab) quotes(selector, text string) bool {
	b.t.Helper()
	return eval[bool](b, "[...document.querySelectorAll(%s)].some(e => e.textContent.includes(%s))",
		quoted(selector), quoted(text))
}

func hostilePages(t *testing.T, url string) {
	looks := []*tab{newTab(t, url, unarmed), newTab(t, url, unarmed, narrow)}
	for _, p := range []struct {
		address string
		quotes  string // a selector of what quotes records, "" for a page that quotes none
	}{
		{"/?operation=mnf-u&on=" + aDay, ""},
		{"/?operation=mnf-u&on=" + aDay + "&open=mnf-u/ground-west", ".records span"},
		{"/?show=nations&on=" + aDay + "&holds=mnf-u/FRA/ground&lang=fr", ".records span"},
		{"/?operation=hostile&on=" + aDay, ""},
		{"/pledges?on=" + aDay, ""},
		{"/log?type=pledge.offered&nation=FRA", ".stored pre"},
		{"/log?from=55", ""},
		{"/compare?from=55&on=" + aDay, "span.said"},
		{"/digest?from=30&on=" + aDay, ""},
		{"/shortfalls?on=" + aDay, ""},
		{"/timeline?operation=mnf-u&on=" + aDay, ""},
		{"/submit?type=pledge.amended", ""},
		{"/verify?record=70", ""},
	} {
		plainHeaders(t, url+p.address)
		for _, b := range looks {
			b.open(p.address)
			b.wait("document.documentElement.classList.contains('scripted')")
			b.harmless()
			for name, text := range hostile {
				if p.quotes == ".stored pre" {
					text = inJSON(text)
				}
				text = problem.Text(text)
				if p.quotes != "" && !b.quotes(p.quotes, text) {
					t.Errorf("%s does not show what is hostile as %s", p.address, name)
				}
			}
		}
	}
}

func hostilePledges(t *testing.T, url string, pledges map[string]string) {
	b := newTab(t, url, unarmed, narrow)
	for name, id := range pledges {
		b.open("/pledges/" + id + "?on=" + aDay)
		b.shot("hostile-" + name)
		b.harmless()
		for _, at := range []string{".facts dd", ".facts dd.free", ".facts dd .free",
			"#content td span.said"} {
			if !b.quotes(at, problem.Text(hostile[name])) {
				t.Errorf("%s does not show what is hostile as %s in %s", b.address(), name, at)
			}
		}
		b.open("/submit?type=pledge.amended&pledge=" + id)
		b.wait("document.querySelector('form[data-kept]')")
		b.harmless()
		for _, field := range []string{"note", "source"} {
			if !eval[bool](b, "document.getElementById('f-%s').value === %s", field,
				quoted(hostile[name])) {
				t.Errorf("the field %s is not filled in with what is hostile as %s", field, name)
			}
		}
	}
}

// hostileVerified has the browser prove a record whose bytes are not what is shown of them.
func hostileVerified(t *testing.T, url string) {
	var list struct {
		Records []struct {
			Sequence uint64
			Stored   string
		}
	}
	getJSON(t, url+"/api/v1/records?type=pledge.offered&limit=1000", &list)
	for _, r := range list.Records {
		if !strings.Contains(r.Stored, hostile["turned"]) {
			continue
		}
		b := newTab(t, url, unarmed)
		b.open(fmt.Sprintf("/verify?record=%d", r.Sequence))
		b.holds(fmt.Sprintf("Record %d is in the tree", r.Sequence))
		b.harmless()
		if !b.quotes("#stored", problem.Text(r.Stored)) {
			t.Errorf("what is stored is not shown: %q", b.text("#stored"))
		}
		return
	}
	t.Error("no record turns text around")
}

// inJSON writes a text as it stands in a statement, which escapes only what JSON must.
func inJSON(s string) string {
	text, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return strings.Trim(string(text), `"`)
}

// plainHeaders fails the test unless an address answers with a page under the policy, which nothing
// loosens.
func plainHeaders(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	underPolicy(t, address, resp.Header)
	return string(body)
}

func underPolicy(t *testing.T, address string, h http.Header) {
	t.Helper()
	if policy := h.Values("Content-Security-Policy"); len(policy) != 1 ||
		policy[0] != pages.Policy || strings.Contains(policy[0], "unsafe") {
		t.Errorf("%.200s: the policy is %q", address, policy)
	}
	for name, want := range map[string]string{"Content-Type": "text/html; charset=utf-8",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Access-Control-Allow-Origin": ""} {
		if h.Get(name) != want {
			t.Errorf("%.200s: %s is %q, want %q", address, name, h.Get(name), want)
		}
	}
}

func hostileLists(t *testing.T, url string, pledges map[string]string) {
	addresses := []string{"/records.csv?from=1", "/pledges.csv?on=" + aDay, "/scopes.csv",
		"/members.csv", "/corrections.csv",
		"/explain/strength.csv?nation=FRA&operation=mnf-u&on=" + aDay,
		"/diff.csv?from=55&to_on=" + aDay + "&from_on=" + aDay, "/coverage.csv?on=" + aDay}
	for _, id := range pledges {
		addresses = append(addresses, "/pledges/"+id+".csv")
	}
	guarded := 0
	for _, address := range addresses {
		resp, err := http.Get(url + "/api/v1" + address)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(resp.Body).ReadAll()
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", address, resp.Status, err)
		}
		if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/csv") ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may take it for something else: %v", address, resp.Header)
		}
		for _, row := range rows {
			for _, c := range row {
				if strings.HasPrefix(c, "'") && strings.ContainsAny(c[1:2], "=+-@") {
					guarded++
				} else if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r\n") &&
					strings.Trim(c[1:], "0123456789.") != "" {
					t.Errorf("%s: a cell begins as a formula: %.80q", address, c)
				}
			}
		}
	}
	if guarded < 3 {
		t.Errorf("%d cells are guarded, and the notes of three pledges are formulas", guarded)
	}
}

// What is hostile goes through the form, the browser's signature and the ledger to the letter.
func hostileSigned(t *testing.T, url, dir string) {
	note := hostile["closing"] + hostile["turned"] + hostile["address"]
	b := newTab(t, url, unarmed)
	b.open("/submit")
	b.wait("document.querySelector('form[data-kept]')")
	for name, value := range map[string]string{"operation": "mnf-u", "nation": "FRA", "role": "air",
		"quantity": "9", "unit": "aircraft", "area": "west", "from": "2026-03-01",
		"effective": "2026-01-15", "note": note, "source": hostile["handler"],
		"elsewhere": hostile["script"] + "\n" + hostile["formula"]} {
		b.fill("#f-"+name, value)
	}
	b.click(".fields .primary")
	b.says("#effect", "of 48")
	b.harmless()
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record")
	b.harmless()
	var list struct{ Records []struct{ Stored string } }
	getJSON(t, url+"/api/v1/records?limit=1&from="+eval[string](b,
		"document.getElementById('sign-done').dataset.sequence"), &list)
	_, signed, _ := strings.Cut(list.Records[0].Stored, "\n")
	s, err := events.ParseSigned([]byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	said, ok := s.Statement.(*events.PledgeOffered)
	if !ok || said.Note != note || said.Source != hostile["handler"] ||
		!slices.Equal(said.Elsewhere, []string{hostile["script"], hostile["formula"]}) {
		t.Errorf("recorded is %+v", s.Statement)
	}
}
