package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The wrong thing was offered, as a range, and is taken off by the form: it shows what that would
// change, asks why, and the pledge says from then on that it was struck.
func TestPageStrikes(t *testing.T) {
	t.Parallel()
	notShort(t)
	url, dir := ownDemo(t)
	key, u := filepath.Join(dir, "keys", "GBR-demo.key"), newUser(t)
	b := newTab(t, url)
	b.open("/submit?lang=en&type=pledge.offered&operation=mnf-u&nation=GBR&role=sea")
	b.wait("document.querySelector('form[data-kept]')")
	b.fill("#f-quantity", "3–5")
	b.fill("#f-unit", "ship")
	b.fill("#f-reference", "NV 12/2026")
	b.fill("#f-from", "2026-03-01")
	b.click(".fields .primary")
	b.says("#statement", `"quantity":"unknown"`)
	b.says("#statement", `"reference":"NV 12/2026","least":3,"most":5`)
	signs(b, key)
	b.says("#sign-done", "Recorded as record")
	id := pledgeOf(t, url, "GBR", "sea")
	b.open("/pledges?lang=fr&reference=NV+12%2F2026")
	b.says("table.list", "de 3 à 5 navires")

	b.open("/submit?lang=en&type=pledge.corrected&pledge=" + id)
	b.wait("document.querySelector('form[data-kept]')")
	b.fill("#f-reason", "it was of the Netherlands")
	b.click(".fields .primary")
	b.says("#statement", `"corrects":"`+id+`","struck":true,"reason":"it was of the Netherlands"`)
	b.says("#effect", "sea")
	b.axe()
	signs(b, key)
	b.says("#sign-done", "Recorded as record")
	b.open("/pledges/" + id + "?lang=en")
	b.says("dl.facts", "struck: it was never to be said")
	b.says("table.list", "should never have been made, nor all that was said of the pledge since: "+
		"it was of the Netherlands")
	out, _ := u.content(t, "pledge", "list", "--nation", "GBR", "--role", "sea", "--url", url)
	if strings.Contains(out, id) {
		t.Errorf("what was struck is listed:\n%s", out)
	}
}
