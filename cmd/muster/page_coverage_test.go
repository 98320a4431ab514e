package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"muster/projections"
	"muster/projections/web"
)

// Each journey is made as its reader makes it: arrive, do it, see the result; and the address that
// it ends at says the same when it is opened anew, with and without JavaScript.

// arrivals opens an address in a fresh tab, and in one without JavaScript, and looks at each.
func arrivals(t *testing.T, url, address string, look func(b *tab)) {
	t.Helper()
	for _, options := range [][]tabOption{nil, {noScript}} {
		b := newTab(t, url, options...)
		b.open(address)
		look(b)
	}
}

// cell selects what a line's cell says, of the column counted from 0, the date looked at.
func cell(line string, column int) string {
	return fmt.Sprintf(`tr[data-line=%q] td.cell:nth-of-type(%d)`, line, column+2)
}

// coverageAt asks the API what the page must show.
func coverageAt(t *testing.T, url, query string) web.Coverage {
	t.Helper()
	var c web.Coverage
	getJSON(t, url+"/api/v1/coverage?"+query, &c)
	return c
}

// saysOf is what a cell says of a line.
func saysOf(l projections.LineCoverage) string {
	text := grouped(l.Supply.String()) + " of " + grouped(l.Required.String())
	if n, _ := l.Gap.Number(); n > 0 {
		text += ", short " + grouped(l.Gap.String())
	}
	return text
}

func grouped(digits string) string {
	whole, cents, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if strings.Trim(cents, "0") != "" {
		return whole + "." + cents
	}
	return whole
}

// shows fails the test unless each line's cell of the date looked at says what the API does.
func (b *tab) shows(c web.Coverage) {
	b.t.Helper()
	if len(c.Lines) == 0 {
		b.t.Error("no line to look at")
	}
	for _, l := range c.Lines {
		name := string(l.Operation) + "/" + string(l.Line)
		said := strings.Join(
			strings.Fields(eval[string](b, "document.querySelector(%s)?.textContent ?? ''",
				quoted(cell(name, 0)+" .what"))), " ")
		if want := saysOf(l); !strings.HasPrefix(said, want) {
			b.t.Errorf("%s: the cell of %s says %q, and the API %q", b.address(), name, said, want)
		}
	}
}

func TestPageCoverage(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay)
	b.shows(coverageAt(t, url, "on="+aDay))

	b.click(cell("mnf-u/ground-west", 0) + " a")
	b.says("#opened", "France 6,000 personnel")
	b.wait("document.activeElement.id === 'opened-title'")
	arrivals(t, url, b.address(), func(b *tab) {
		for _, what := range []string{"6,000 of 15,000 personnel, short 9,000",
			"France offers 6,000 personnel", "It hangs on the condition parliament"} {
			if said := b.text("#opened"); !strings.Contains(said, what) {
				t.Errorf("what is behind the cell does not say %q:\n%s", what, said)
			}
		}
	})
	b.do(chromedp.KeyEvent(kb.Escape))
	b.wait("!document.getElementById('opened')")
	// Where it was opened from.
	b.wait("document.activeElement.closest('[data-line=\"mnf-u/ground-west\"]')")

	b.fill("#w-rung", "confirmed")
	b.says("caption", "“confirmed”")
	arrivals(t, url, b.address(), func(b *tab) {
		b.shows(coverageAt(t, url, "on="+aDay+"&rung=confirmed"))
	})
	if said := b.text(".not-counted"); !strings.Contains(said, "not climbed") &&
		!strings.Contains(said, "confirmed") {
		t.Errorf("what is below the rung is not told: %s", said)
	}
}

func TestPageWhatIf(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&on=" + aDay)
	b.fill("#w-without", "FRA")
	b.says(".banner", "without France")
	b.says(cell("mnf-u/ground-west", 0), "0 of 15,000")
	for column := range 3 { // on the date, and in each month
		b.says(cell("mnf-u/ground-west", column), "was 6,000")
	}
	b.click("[name=differences]")
	b.wait("document.querySelectorAll('tr[data-line]').length === 1")
	b.click("[name=without_conditional]")
	b.says(".banner", "conditional")
	arrivals(t, url, b.address(), func(b *tab) {
		if lines := b.texts("tr[data-line] th .slug"); !slices.Equal(lines,
			[]string{"ground-west"}) {
			t.Errorf("what differs without France is %q", lines)
		}
	})
	b.click(".banner a")
	b.wait("!document.querySelector('.banner.past') && !location.search.includes('without')")
}

// Without JavaScript the same is done by forms with buttons.
func TestPageWithoutScript(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url, noScript)
	b.open("/")
	b.fill("#on-day", aDay)
	b.click("#applies button")
	b.wait("location.search === '?on=%s'", aDay)
	b.fill("#as-of-seq", "40")
	b.click("#known .slide button")
	b.says(".banner", "As known at record 40")
	b.shows(coverageAt(t, url, "as_of=40&on="+aDay))
	b.click("#known a.step:nth-of-type(2)")
	b.says(".banner", "As known at record 41")
	b.fill("#w-rung", "indicated")
	b.fill("#w-without", "GBR")
	b.click(".world button")
	b.says(".banner", "without the United Kingdom")
	b.click(cell("mnf-u/ground-west", 0) + " a")
	b.says("#opened", "ground-west on "+aDay)
	b.click("[lang=fr]")
	b.says("h1", "Couverture")
	b.says(".banner", "hors Royaume-Uni")
}

// The slider's numbers are the API's for the same two clocks; what a page shows of an old moment,
// it shows again later.
func TestPageClocks(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&on=" + aDay)
	last := eval[int](b, "Number(document.getElementById('as-of-slide').max)")
	for _, seq := range []int{last - 1, last - 6, last - 10} {
		b.fill("#as-of-slide", fmt.Sprint(seq))
		b.wait("document.getElementById('page').dataset.sequence === '%d'", seq)
		b.shows(coverageAt(t, url, fmt.Sprintf("operation=mnf-u&as_of=%d&on=%s", seq, aDay)))
		if !strings.Contains(b.text(".banner"), fmt.Sprintf("As known at record %d,", seq)) {
			t.Errorf("as of %d the banner says %q", seq, b.text(".banner"))
		}
	}
	back := b.address()
	arrivals(t, url, back, func(b *tab) {
		b.shows(coverageAt(t, url, fmt.Sprintf("operation=mnf-u&as_of=%d&on=%s", last-10, aDay)))
	})
	b.click("#known a.step:nth-of-type(2)") // one record forward
	b.wait("document.getElementById('page').dataset.sequence === '%d'", last-9)
	b.do(chromedp.NavigateBack())
	b.wait("document.getElementById('page').dataset.sequence === '%d'", last-10)

	b.fill("#on-day", "2026-01-20")
	b.wait("location.search.includes('on=2026-01-20')")
	b.fill("#on-day", "not a day")
	b.says(".problem", "on")
	b.open(back)
	b.fill("#as-of-day", "-1h") // before anything was recorded
	b.says(".problem", "no operation was opened yet")
}

// Play goes through the records by itself, up to the last; who wants no motion gets a step for each
// press.
func TestPagePlay(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&as_of=50&on=" + aDay)
	b.click("#play")
	b.wait("document.getElementById('play').getAttribute('aria-pressed') === 'true'")
	b.wait("document.getElementById('page').dataset.sequence > 51")
	b.wait("!location.search.includes('as_of') && " +
		"document.getElementById('play').getAttribute('aria-pressed') === 'false'")
	b.shows(coverageAt(t, url, "operation=mnf-u&on="+aDay))

	still := newTab(t, url, calm)
	still.open("/?operation=mnf-u&as_of=50&on=" + aDay)
	still.says("#play", "Step")
	still.click("#play")
	still.wait("document.getElementById('page').dataset.sequence === '51'")
	if moving := eval[int](still, "document.getAnimations().length"); moving > 0 {
		t.Errorf("%d things move for somebody who wants no motion", moving)
	}
}

func TestPageKeyboard(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&on=" + aDay)
	at := func() string {
		return eval[string](b,
			"document.activeElement.closest('tr')?.dataset.line + ' ' + "+
				"document.activeElement.closest('td')?.cellIndex")
	}
	eval[bool](b, "(document.querySelector(%s).focus(), true)",
		quoted(cell("mnf-u/ground-west", 0)+" a"))
	for _, press := range []struct{ key, want string }{
		{kb.ArrowRight, "mnf-u/ground-west 3"}, {kb.ArrowRight, "mnf-u/ground-west 4"},
		{kb.ArrowDown, "mnf-u/guarantees 4"},
		{kb.ArrowLeft, "mnf-u/guarantees 3"}, {kb.ArrowUp, "mnf-u/ground-west 3"},
	} {
		b.do(chromedp.KeyEvent(press.key))
		if here := at(); here != press.want {
			t.Errorf("the focus is at %q, want %q", here, press.want)
		}
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.says("#opened", "ground-west on 2026-08-01")
}

func TestPageNations(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay)
	b.fill("#w-show", "nations")
	b.says(".nations caption", "What each nation gives")
	b.says(".nations", "6,000 conditional")
	b.click(`.nations a[href*="FRA%2Fground"]`)
	b.says("#opened", "France ground on "+aDay)
	arrivals(t, url, b.address(), func(b *tab) {
		if said := b.text("#opened .answer"); !strings.Contains(said, "6,000 personnel") {
			t.Errorf("France gives %q", said)
		}
	})
}

// What one records, another sees at once, and marked; a lost connection is told, and heals.
func TestPageLive(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&on=" + aDay)
	past := newTab(t, url)
	past.open("/?operation=mnf-u&as_of=50&on=" + aDay)
	before := past.text(cell("mnf-u/air-west", 0))
	offer := func(n string) {
		t.Helper()
		newUser(t).content(t, "pledge", "offer", "--url", url, "--key",
			filepath.Join(dir, "keys", "GBR-demo.key"), "--operation", "mnf-u", "--role", "air",
			"--area", "west",
			"--quantity", n, "--from", "2026-03-01", "--effective", "2026-01-15")
	}
	b.says(cell("mnf-u/air-west", 0), "12 of 48")
	offer("5")
	b.says(cell("mnf-u/air-west", 0), "17 of 48")
	b.wait("document.querySelector('tr.changed')?.dataset.line === 'mnf-u/air-west'")
	if n := eval[int](b, "document.querySelectorAll('.changed').length"); n != 1 {
		t.Errorf("%d lines are marked as changed", n)
	}
	if said := past.text(cell("mnf-u/air-west", 0)); said != before ||
		eval[string](past, "document.getElementById('page').dataset.sequence") != "50" {
		t.Errorf("the page of an old moment has changed: %s", said)
	}
}

// The page shows itself anew when a record comes. Whoever has opened another page by the time that
// the answer is there keeps that one, and what was written into it.
func TestPageLateRefresh(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	b.open("/?operation=mnf-u&on=" + aDay)
	b.says(cell("mnf-u/air-west", 0), "12 of 48")
	eval[bool](b, `(() => {
		const real = window.fetch
		window.fetch = async (...asked) => {
			const answer = await real(...asked)
			if (!String(asked[0]).includes("/submit")) await new Promise(done => { window.letGo = done })
			return answer
		}
		return true
	})()`)
	newUser(t).content(t, "pledge", "offer", "--url", url, "--key",
		filepath.Join(dir, "keys", "GBR-demo.key"), "--operation", "mnf-u", "--role", "air",
		"--area", "west",
		"--quantity", "5", "--from", "2026-03-01", "--effective", "2026-01-15")
	b.wait("window.letGo")
	b.click(`nav a[href^="/submit"]`)
	b.fill("#f-note", "half a thought")
	eval[bool](b, `(() => { addEventListener("htmx:finally:request", () => { window.late = true }); letGo(); return true })()`)
	b.wait("window.late")
	if note := eval[string](b,
		"document.getElementById('f-note')?.value ?? '(it is gone)'"); note != "half a thought" ||
		!strings.HasPrefix(b.address(), "/submit") {
		t.Errorf("%s: the note is %q", b.address(), note)
	}
}

// A server that goes away is told, and when it is there again the page heals, with what has
// happened meanwhile.
func TestPageConnection(t *testing.T) {
	t.Parallel()
	browser(t)
	root := t.TempDir()
	p := serving(t, filepath.Join(root, "ledger"))
	plan := newUser(t)
	plan.content(t, "plan", "apply", demoPlan(t), "--data", p.dir)
	b := newTab(t, p.url)
	b.open("/?on=2026-07-01")
	b.says(cell("mnf-u/air-west", 0), "0 of 48")
	listen := strings.TrimPrefix(p.url, "http://")
	p.stop(t)
	b.says("#status", "The connection to the server is lost")
	again := serving(t, p.dir, "--listen", listen)
	plan.content(t, "pledge", "offer", "--data", again.dir, "--operation", "mnf-u", "--nation",
		"NLD", "--role", "air", "--area", "west", "--quantity", "7",
		"--from", "2026-03-01", "--effective", "2026-01-15")
	b.says("#status", "The connection is back")
	b.says(cell("mnf-u/air-west", 0), "7 of 48")
}

// A page that is open while another ledger takes the place of its own says so, and shows nothing of
// it.
func TestPageOfAnotherLedger(t *testing.T) {
	t.Parallel()
	browser(t)
	root := t.TempDir()
	p := serving(t, filepath.Join(root, "ledger"))
	plan := newUser(t)
	plan.content(t, "plan", "apply", demoPlan(t), "--data", p.dir)
	b := newTab(t, p.url)
	b.open("/?on=2026-07-01")
	b.says(cell("mnf-u/air-west", 0), "0 of 48")
	listen := strings.TrimPrefix(p.url, "http://")
	p.stop(t)
	serving(t, filepath.Join(root, "another"), "--listen", listen)
	b.says("#status", "Another ledger is at this address now")
	b.says(cell("mnf-u/air-west", 0), "0 of 48")
}

func demoPlan(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("demo/mnf-u.plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
