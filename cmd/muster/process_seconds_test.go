package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// A coordinator who keeps the server admits another France, and has no one to second it: its key
// signs nothing, and everybody sees it wait. With a colleague's word it still waits for France's;
// and once France has no liaison, every report says that nobody of France was asked.
func TestSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	hq, dir := newUser(t), filepath.Join(t.TempDir(), "ledger")
	key := func(name string) string {
		t.Helper()
		file := filepath.Join(hq.dir, strings.ReplaceAll(name, "/", "-")+".key")
		if _, err := os.Stat(file); err != nil {
			hq.content(t, "key", "new", name)
		}
		return file
	}
	note, _ := hq.content(t, "found", "--key", key("HQ/staff"), "--seconds", "1")
	founding := filepath.Join(hq.dir, "founding.note")
	if err := os.WriteFile(founding, []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serving(t, dir, "--founding", founding)
	as := func(name string, args ...string) (string, string) {
		t.Helper()
		return hq.content(t, append(args, "--key", key(name), "--url", p.url)...)
	}
	refused := func(name string, want int, words string, args ...string) {
		t.Helper()
		code, _, said := hq.types(t, append(args, "--key", key(name), "--url", p.url)...)
		if code != want || !strings.Contains(said, words) {
			t.Errorf("muster %s: exit code %d: %s", strings.Join(args, " "), code, said)
		}
	}
	offer := strings.Fields("pledge offer --operation mnf-u --role ground --quantity 100")
	plan, err := filepath.Abs("demo/mnf-u.plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	as("HQ/staff", "member", "admit", key("HQ/two"))
	as("HQ/staff", "plan", "apply", plan)
	out, _ := as("HQ/staff", "member", "admit", key("FRA/paris"))
	if !regexp.MustCompile(`It does not count yet, and waits to be seconded by 1 more ` +
		`coordinator: muster member second \w{26}\nUntil then you can take it back, as when it ` +
		`is about the wrong key: muster member retract \w{26} --reason TEXT\n`).MatchString(out) {
		t.Errorf("who admits is told\n%s", out)
	}
	refused("FRA/paris", 4, "may sign once this is seconded by 1 more coordinator", offer...)
	as("HQ/two", "member", "second", "FRA/paris")
	refused("HQ/staff", 3, "see what does, and what counts by now: muster ", "member", "retract",
		"FRA/paris", "--reason", "too late")
	as("FRA/paris", offer...)

	// Another France.
	as("HQ/staff", "member", "admit", key("FRA/other"))
	refused("HQ/staff", 5, "a second word is another's", "member", "second", "FRA/other")
	refused("HQ/staff", 3, " can take that back: muster --url ", "member", "revoke",
		"FRA/other", "--reason", "another France")
	retract := strings.Fields("member retract FRA/other --reason wrong")
	refused("HQ/two", 4, "who alone can take it back", retract...)
	refused("HQ/staff", 2, "--reason is missing", retract[:3]...)
	if _, said := as("HQ/staff", retract...); !strings.Contains(said, ": admit FRA/other+") {
		t.Errorf("who takes it back is shown %s", said)
	}
	refused("HQ/two", 3, "nothing about FRA/other waits for a second", "member", "second",
		"FRA/other")
	as("HQ/staff", "member", "admit", key("FRA/other"))
	out, _ = as("HQ/two", "member", "second", "FRA/other")
	if !strings.Contains(out, "by a liaison of France: ") || strings.Contains(out, "retract") {
		t.Errorf("who seconds is told\n%s", out)
	}
	refused("FRA/other", 4, "may sign once this is seconded by a liaison of France", offer...)
	var roster projections.Roster
	getJSON(t, p.url+"/api/v1/members", &roster)
	if len(roster.Waiting) != 1 || roster.Waiting[0].Liaison != "FRA" || roster.Seconds != 1 {
		t.Fatalf("the server tells %+v", roster)
	}
	out, _ = as("HQ/two", "member", "list", "--verify") // which follows from the records
	if !strings.Contains(out, "What waits for a second, and does not count yet:") ||
		!strings.Contains(out, "a liaison of France") {
		t.Errorf("the list says\n%s", out)
	}
	if out, _ = as("HQ/two", "due"); !strings.Contains(out, "What waits for a second") ||
		!strings.Contains(out, "FRA/other") {
		t.Errorf("what is due says\n%s", out)
	}
	const waits = "the admission of FRA/other, proposed by HQ/"
	if out, _ = as("HQ/two", "due", "-o", "csv"); !strings.Contains(out, ",second,FRA,") ||
		!strings.Contains(out, waits) {
		t.Errorf("as CSV it says\n%s", out)
	}
	if out, _ = as("HQ/two", "digest", "--from", "1"); !strings.Contains(out, waits) ||
		!strings.Contains(out, ": muster member second ") {
		t.Errorf("the digest says\n%s", out)
	}
	if out, _ = as("HQ/two", "due", "--operation", "mnf-u"); strings.Contains(out, "FRA/other") {
		t.Errorf("what is due of an operation says\n%s", out)
	}
	status := func(want string) {
		t.Helper()
		if out, _ := newUser(t).content(t, "status", "--url", p.url); !strings.Contains(out, want) {
			t.Errorf("status says not %q, but\n%s", want, out)
		}
	}
	status("1 waits for a second word, and 0 keys have not been seconded by their own nation: " +
		"muster member list")
	out, _ = newUser(t).content(t, "verify", p.url)
	if !strings.Contains(out, "every further key of a nation was seconded by one of its liaisons") {
		t.Errorf("verify says\n%s", out)
	}

	page := func(path string, words ...string) {
		t.Helper()
		for _, lang := range []string{"en", "fr"} {
			_, html := get(t, p.url+path+"lang="+lang)
			for _, w := range words {
				if !strings.Contains(html, w) {
					t.Errorf("the page in %s does not have %q", lang, w)
				}
			}
		}
	}
	second := "muster member second " + roster.Waiting[0].Statement.String()
	page("/verify?", `id="waiting"`, second)
	page("/mine?nation=FRA&", `id="keys"`, second)
	retractedOnThePage(t, p, key, roster.Waiting[0].Statement.String())

	// France is asked, and shown what it seconds before it does.
	id := roster.Waiting[0].Statement.String()
	_, said := as("FRA/paris", "member", "second", id, "--dry-run")
	if !strings.Contains(said, ": admit "+string(roster.Waiting[0].Key)+" as liaison") {
		t.Errorf("it is shown %s", said)
	}
	refused("FRA/other", 4, "may sign once this is seconded", offer...)
	as("FRA/paris", "member", "second", string(roster.Waiting[0].Key))
	as("FRA/other", offer...)

	// To revoke takes two as well. Who has no liaison is not asked, and everybody is told.
	for _, name := range []string{"FRA/paris", "FRA/other"} {
		as("HQ/staff", "member", "revoke", name, "--reason", "a test")
		as(name, "session")
		as("HQ/two", "member", "second", name)
	}
	refused("FRA/paris", 4, "was revoked by record", offer...)
	as("HQ/staff", "member", "admit", key("FRA/third"))
	as("HQ/two", "member", "second", "FRA/third")
	out, _ = as("FRA/third", append(offer, "-o", "ndjson")...)
	pledge := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(out)[1]
	bundle := filepath.Join(hq.dir, "third.bundle")
	as("HQ/two", "export", "bundle", bundle, "--pledge", pledge)
	out, _ = as("HQ/two", "member", "list")
	if !strings.Contains(out, "FRA/third was admitted without the word of its nation") {
		t.Errorf("the list says\n%s", out)
	}
	status("0 wait for a second word, and 1 key has not been seconded by its own nation")
	page("/verify?", `id="unheard"`, "<code>FRA/third")
	p.stop(t)
	const unheard = "whether their nations know of these further keys, which no liaison of " +
		"theirs has seconded: FRA/third+"
	for _, what := range []string{dir, bundle} {
		if out, _ = newUser(t).content(t, "verify", what); !strings.Contains(out, unheard) {
			t.Errorf("verify says\n%s", out)
		}
	}
	p = serving(t, dir) // which has to read what was saved, and remember who waits
	as("HQ/staff", "member", "admit", key("DEU/berlin"))
	p.stop(t)
	p = serving(t, dir)
	refused("DEU/berlin", 4, "may sign once this is seconded", "pledge", "offer", "--operation",
		"mnf-u", "--role", "ground", "--quantity", "100")
	as("HQ/two", "member", "second", "DEU/berlin")
	as("DEU/berlin", offer...)

	// On the page the browser proves what waits before it can be signed.
	as("HQ/staff", "member", "admit", key("ITA/rome"))
	as("HQ/staff", "member", "admit", key("ESP/madrid"))
	t.Run("on the page", func(t *testing.T) {
		secondedOnThePage(t, p.url, key("HQ/two"))
		as("ITA/rome", offer...)
		refused("ESP/madrid", 4, "may sign once this is seconded", offer...)
	})
}

// retractedOnThePage shows how to take something back to HQ/staff, who has proposed it, and to
// another coordinator how to second it.
func retractedOnThePage(t *testing.T, p *serverProcess, key func(string) string, id string) {
	t.Helper()
	second, retract := "muster member second "+id, "muster member retract "+id+" --reason TEXT"
	for _, want := range []struct{ who, path, has, hasNot string }{
		{"HQ/staff", "/verify?lang=en", retract, second},
		{"HQ/two", "/verify?lang=en", second, retract},
		{"HQ/staff", "/second?lang=en&statement=" + id, retract, second},
		{"HQ/staff", "/second?lang=fr&statement=" + id, retract, second},
		{"HQ/two", "/second?lang=en&statement=" + id, "each once", retract},
	} {
		secret, err := os.ReadFile(key(want.who))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := events.NewSigner(string(secret))
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+want.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", web.CookieName+"="+p.signsIn(t, signer))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		html, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(html), want.has) ||
			strings.Contains(string(html), want.hasNot) {
			t.Errorf("%s is shown at %s: %s", want.who, want.path, html)
		}
	}
}

// secondedOnThePage has a coordinator second the first of two admissions that wait, the one of
// ITA/rome. Somebody between who shows another key than the one that is proposed, in whatever
// place, has nothing signed.
func secondedOnThePage(t *testing.T, url, key string) {
	t.Helper()
	var roster projections.Roster
	getJSON(t, url+"/api/v1/members", &roster)
	if len(roster.Waiting) != 2 || roster.Waiting[0].Name != "ITA/rome" {
		t.Fatalf("there wait %+v", roster.Waiting)
	}
	rome, madrid := roster.Waiting[0], roster.Waiting[1]
	exact := regexp.MustCompile(`data-exact="[^"]*"`)
	_, other := get(t, url+"/second?lang=en&statement="+madrid.Statement.String())
	page := "/second?lang=en&statement=" + rome.Statement.String()
	escaped := func(k events.Key) string { return strings.ReplaceAll(string(k), "+", "&#43;") }
	var lying atomic.Value // a func(string) string
	b := newTab(t, between(t, url, func(path string, body []byte) []byte {
		if path == "/second" {
			return []byte(lying.Load().(func(string) string)(string(body)))
		}
		return body
	}))
	for name, lie := range map[string]struct {
		of   func(string) string
		want string
	}{
		"another record": {func(s string) string {
			return exact.ReplaceAllString(s, exact.FindString(other))
		}, "is not in the tree of its checkpoint"},
		"another key": {func(s string) string {
			return strings.ReplaceAll(s, escaped(rome.Key), escaped(madrid.Key))
		}, "names another key or another record"},
		"all of another, in its place": {func(string) string {
			return strings.ReplaceAll(other, fmt.Sprintf("data-sequence=\"%d\"", madrid.Sequence),
				fmt.Sprintf("data-sequence=\"%d\"", rome.Sequence))
		}, "is not in the tree of its checkpoint"},
	} {
		lying.Store(lie.of)
		b.open(page)
		b.says("#proved", "The proposal is not proved, and is not offered for signing.")
		if said := b.text("#proved"); !strings.Contains(said, lie.want) {
			t.Errorf("%s: the page says %s", name, said)
		}
		b.wait("!document.querySelector('#sign, #statement, #sign-send')")
	}
	b = newTab(t, url)
	b.open("/due?lang=en")
	b.says("#notes", "2 admissions or revocations wait for your second:")
	b.click("#notes a")
	b.says("h1", "Members")
	b.click(`td a[href*="/second"]`)
	b.says("#proved", "Proved: this record is in the ledger")
	b.says("#statement", `"seen":{"size":35,"root":"`)
	if said := b.text("[data-fact=key]"); said != string(rome.Key) {
		t.Errorf("the page tells of the key %s", said)
	}
	b.axe()
	b.shot("second")
	b.do(chromedp.EmulateViewport(390, 844))
	b.axeBy(otherRules)
	b.shot("second-small")
	b.chooseFile("#key-file", key)
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record ")
	b.open("/second?lang=fr&statement=" + rome.Statement.String())
	b.says("#content", "n’attend d’être appuyé")
	b.open("/second?lang=fr&statement=" + madrid.Statement.String())
	b.says("#proved", "Prouvé\u00a0: cet enregistrement est au registre")
	b.shot("second-fr")
}
