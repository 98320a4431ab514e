package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"muster/projections"
	"muster/projections/web"
)

// A coordinator ticks pledges, says one thing of all of them, sees the effect of all before
// signing, and signs once; what the rules refuse is left out, with the reason. Then what is short
// is filled from what waits.
func TestPageDesk(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	const on = "2190-01-01" // what is said holds from today on
	b := newTab(t, url)
	b.open("/pledges?operation=mnf-u&on=" + on)
	b.wait("document.querySelector('#choose button').disabled")
	ticksFollowPledges(t, b)
	b.click("[data-all=pledge]")
	b.says("#choose", "Ticked: 5")
	eval[bool](b, "document.querySelector('[data-chosen]').dataset.most = 4, true")
	b.click("tbody tr:nth-child(1) [name=pledge]")
	b.says("#choose", "Ticked: 4")
	b.click("tbody tr:nth-child(1) [name=pledge]")
	b.says("#choose", "At most 250 are taken at once: untick some.")
	b.wait("document.querySelector('#choose button').disabled")
	eval[bool](b, "document.querySelector('[data-chosen]').dataset.most = 250, true")
	b.click("[data-all=pledge]")
	b.click("[data-all=pledge]")
	b.axe()
	b.click("#choose [value='pledge.accepted']")
	b.says(".sum", "Accept: 5 statements are to be signed.")
	b.wait("document.getElementById('page').dataset.live === ''") // no record replaces it
	b.says("#effect", "0 of 15,000, short 15,000")
	b.says("#effect", "6,000 of 15,000, short 9,000")
	b.shot("desk-review")
	b.axe()
	b.chooseFile("#desk-key", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.says("#desk-problem", "This key speaks for FRA")
	b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('desk-send').disabled")
	b.fill("#d-reason", "agreed at the meeting")
	b.says("#form-differs", "nothing is signed of what was shown")
	b.wait("!document.getElementById('desk-send') && !document.querySelector('[data-say]')")
	b.axeBy(otherRules)
	b.click("#desk-form button")
	b.says("#review-title", "What you sign")
	b.wait("document.querySelector('pre').textContent.includes('agreed at the meeting')")
	b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('desk-send').disabled")
	b.do(chromedp.Focus(chromedp.CSS("#desk-send")), chromedp.KeyEvent(kb.Enter))
	b.says("#desk-done", "Recorded: 5. Refused: 0.")
	b.wait("document.getElementById('desk-key').disabled") // what is said is said
	b.shot("desk-done")
	b.axe()
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?operation=mnf-u&on="+on, &all)
	for _, p := range all.Pledges {
		if p.Rung != projections.Accepted {
			t.Errorf("the pledge %s of %s is %s", p.ID, p.Nation, p.Rung)
		}
	}
	newUser(t).content(t, "verify", url)

	// Accepted already, they are left out for one reason.
	b.open("/pledges?operation=mnf-u&lang=fr&on=" + on)
	b.click("[data-all=pledge]")
	b.click("#choose [value='pledge.accepted']")
	b.says(".sum", "Accepter\u00a0: 0 déclaration à signer. 5 sont écartées")
	if reasons := eval[int](b, "document.querySelectorAll('#left > p').length"); reasons != 1 {
		t.Errorf("5 pledges are left out for %d reasons:\n%s", reasons, b.text("#left"))
	}
	b.axeBy(otherRules)

	// What waits for an allocation fills what is short.
	newUser(t).content(t, "pledge", "offer", "--url", url, "--key",
		filepath.Join(dir, "keys", "GBR-demo.key"), "--operation", "mnf-u", "--role", "ground",
		"--quantity", "4000", "--from", "2026-03-01", "--effective", "2026-01-15")
	b.open("/shortfalls?operation=mnf-u&on=" + on)
	b.click(`[name=gap][value="mnf-u/ground-west"]`)
	b.click("#choose button")
	b.says("#filled", "ground-west: 4,000 personnel of the 9,000 personnel that are missing")
	b.says("#effect", "10,000 of 15,000, short 5,000")
	b.chooseFile("#desk-key", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-done", "Recorded: 1.")
	var c web.Coverage
	getJSON(t, url+"/api/v1/coverage?operation=mnf-u&on="+on, &c)
	at := slices.IndexFunc(c.Lines, func(l projections.LineCoverage) bool {
		return l.Line == "ground-west"
	})
	if n, _ := c.Lines[at].Supply.Number(); n != 10_000 {
		t.Errorf("ground-west has %d", n)
	}

	// The allocation is ended again, and the pledge restricted, from the pledge's own page.
	b.open("/pledges/" + pledgeOf(t, url, "GBR", "ground") + "?on=" + on)
	b.click(`.acts a[href*="allocation.released"]`)
	b.click(".fields .primary")
	b.says("#effect", "6,000 of 15,000, short 9,000")
	b.open("/submit?type=caveat.declared&pledge=" + pledgeOf(t, url, "GBR", "ground"))
	b.fill("#f-caveat", "west-only")
	b.fill("#f-restriction", "not east of the river")
	b.click(".fields .primary")
	b.says("#statement", `"caveat":"west-only","restriction":"not east of the river"`)
	b.axe()
}

// ticksFollowPledges ticks two pledges, and sees that they stay ticked, and no others, when the
// list is sorted and filtered.
func ticksFollowPledges(t *testing.T, b *tab) {
	t.Helper()
	const named = "[...document.querySelectorAll('[name=pledge]:checked')]" +
		".map(e => e.closest('tr').querySelector('.code').textContent).sort().join(' ')"
	b.click("tbody tr:nth-child(1) [name=pledge]")
	b.click("tbody tr:nth-child(3) [name=pledge]")
	first, all := eval[string](b, named), eval[string](b, "location.pathname + location.search")
	b.click("thead a[href*='sort=quantity']")
	b.wait("location.search.includes('sort=quantity')")
	b.wait("document.querySelector('th[aria-sort] a[href*=quantity]')")
	b.says("#choose", "Ticked: 2")
	if sorted := eval[string](b, named); sorted != first {
		t.Errorf("%q were ticked, and sorted anew %q are", first, sorted)
	}
	b.fill("#p-nation", "TUR")
	b.says("#choose", "Ticked: 0")
	b.says("#choose", "2 that were ticked are not listed here")
	b.open(all)
	b.wait("document.querySelector('#choose button').disabled")
}
