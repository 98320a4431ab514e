package main

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"muster/projections"
)

// What is done at the desk can be done without a mouse, and without seeing: a coordinator accepts
// what is ticked, a liaison offers forces, and what is short is filled, by the keyboard alone, but
// for the file of the key, which the browser's own window asks for. Wherever the focus goes it is
// in sight, with a frame around it, and nothing lies over it; what becomes of a step is announced.
func TestPageByKeyboard(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	const on = "2190-01-01" // what is said holds from today on
	newUser(t).content(t, "pledge", "offer", "--url", url, "--key",
		filepath.Join(dir, "keys", "GBR-demo.key"), "--operation", "mnf-u", "--role", "ground",
		"--quantity", "4000", "--from", "2026-03-01", "--effective", "2026-01-15")
	for _, small := range []bool{false, true} {
		b := newTab(t, url)
		if small {
			narrow(b)
		}
		nation := map[bool]string{false: "FRA", true: "TUR"}[small]
		b.open("/pledges?operation=mnf-u&nation=" + nation + "&on=" + on)
		b.wait("document.querySelector('#choose button').disabled")
		b.tabTo("tbody [name=pledge]")
		b.press(" ")
		b.says("#choose", "Ticked: 1")
		b.tabBackTo("#choose [value='pledge.accepted']")
		b.press(kb.Enter)
		b.says(".sum", "Accept: 1 statement is to be signed.")
		b.wait("document.activeElement.id === 'review-title'")
		b.tabTo("#desk-key")
		b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
		b.wait("!document.getElementById('desk-send').disabled")
		b.tabTo("#desk-send")
		b.announces("#desk-done")
		b.press(kb.Enter)
		b.says("#desk-done", "Recorded: 1.")

		b.open("/shortfalls?operation=mnf-u&on=" + on)
		b.wait("document.querySelector('#choose button').disabled")
		b.tabTo(`[name=gap][value="mnf-u/ground-west"]`)
		b.press(" ")
		b.tabBackTo("#choose button")
		b.press(kb.Enter)
		b.says("#filled", "ground-west: 4,0")
		b.wait("document.activeElement.id === 'review-title'")

		b.open("/submit?on=" + on)
		for _, f := range []struct{ field, value string }{{"operation", "mnf-u"},
			{"nation", nation}, {"role", "ground"}, {"quantity", "10"}, {"unit", "personnel"}} {
			b.tabTo("#f-" + f.field)
			if eval[string](b, "document.activeElement.value") == "" { // unless known
				b.press(f.value)
			}
		}
		b.tabTo(".fields .primary")
		b.press(kb.Enter)
		b.wait("document.activeElement.id === 'review-title'")
		b.announces("#sign-done")
		b.tabTo("#key-file")
		b.chooseFile("#key-file", filepath.Join(dir, "keys", nation+"-demo.key"))
		b.wait("!document.getElementById('sign-send').disabled")
		b.tabTo("#sign-send")
		b.press(kb.Enter)
		b.says("#sign-done", "Recorded as record ")
	}
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?operation=mnf-u&nation=FRA&on="+on, &all)
	if len(all.Pledges) != 2 || all.Pledges[0].Rung != projections.Accepted {
		t.Errorf("of France there are %d pledges, the first %s", len(all.Pledges),
			all.Pledges[0].Rung)
	}

	// Each page is gone through from its first stop to its last.
	b := newTab(t, url)
	for _, address := range []string{"/import", "/plan/file", "/members", "/mine?nation=FRA",
		"/due?nation=FRA&on=" + on, "/digest?from=30&on=" + on, "/review?on=" + on,
		"/compare?from=45&on=" + on, "/pledges/" + pledgeOf(t, url, "GBR", "air")} {
		b.open(address)
		b.wait("document.documentElement.classList.contains('scripted')")
		b.tabTo(".foot a")
	}
}

// press presses keys, or types a text.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo goes on with the Tab key until the focus is on an element, and looks at each stop on the
// way; tabBackTo goes back.
func (b *tab) tabTo(selector string) { b.t.Helper(); b.goTo(selector) }

func (b *tab) tabBackTo(selector string) {
	b.t.Helper()
	b.goTo(selector, chromedp.KeyModifiers(chromedp.ModifierShift))
}

func (b *tab) goTo(selector string, held ...chromedp.KeyOption) {
	b.t.Helper()
	for range 250 {
		b.do(chromedp.KeyEvent(kb.Tab, held...))
		stop := eval[struct {
			There      bool
			What, Lack string
		}](b, seenStop, selector)
		if stop.Lack != "" {
			b.t.Errorf("%s: the focus is on %s, %s", b.address(), stop.What, stop.Lack)
		}
		if stop.There {
			return
		}
	}
	b.t.Fatalf("%s: no way by the keyboard to %s", b.address(), selector)
}

// seenStop looks at what has the focus: WCAG 2.2, 2.4.7 and 2.4.11. What is taller than the window
// is seen where its middle in the window is.
const seenStop = `(() => {
	const e = document.activeElement, r = e.getClientRects()[0] ?? new DOMRect();
	const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;
	const x = middle(r.left, r.right, innerWidth), y = middle(r.top, r.bottom, innerHeight);
	const over = document.elementFromPoint(x, y), labels = [...e.labels ?? []];
	let lack = "";
	if (e === document.body) lack = ""; // from the end of the page to its beginning
	else if (r.width < 2 || r.height < 2) lack = "which is not seen";
	else if (!over) lack = "which is out of sight";
	else if (!over.contains(e) && ![e, ...labels].some(l => l.contains(over)))
		lack = "under " + over.outerHTML.slice(0, 120);
	else if (getComputedStyle(e).outlineStyle === "none") lack = "which has no frame";
	return { There: e.matches(%q), What: e.outerHTML.slice(0, 160), Lack: lack };
})()`

// announces fails the test where what an element is going to say is not announced.
func (b *tab) announces(selector string) {
	b.t.Helper()
	if !eval[bool](b, "!!document.querySelector(%q)?.closest('[role=status], [role=alert]')",
		selector) {
		b.t.Errorf("%s: what %s says is not announced", b.address(), selector)
	}
}
