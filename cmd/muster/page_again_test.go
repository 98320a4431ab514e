package main

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"muster/projections/web"
)

// recordedAfter returns the signers of the records after one.
func recordedAfter(t *testing.T, url string, sequence uint64) (signers []string) {
	t.Helper()
	var all web.Records
	getJSON(t, url+"/api/v1/records", &all)
	for _, r := range all.Records {
		if r.Sequence > sequence {
			signers = append(signers, r.Signer)
		}
	}
	return signers
}

// What is changed in a form that was recorded is no silent second pledge, and no dead end; and
// whoever goes back and forth after a submit records nothing.
func TestPageBackAfterSubmit(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	key := filepath.Join(dir, "keys", "FRA-demo.key")
	b := newTab(t, url)
	offerByForm(b, "3")
	b.says("#statement", `"quantity":3`)
	signs(b, key)
	b.says("#sign-done", "Recorded as record 56")

	b.fill("#f-quantity", "4")
	b.click(".fields button:not([type=button])")
	b.says("#wrong", "This form was recorded before it was changed")
	b.says("#wrong", "recorded as 56")
	b.shot("again-taken")
	b.axe()
	b.click(".fields button:not([type=button])")
	b.says("#statement", `"quantity":4`)
	signs(b, key)
	b.says("#sign-done", "Recorded as record 57")

	for _, way := range []chromedp.Action[chromedp.Void]{chromedp.NavigateBack(),
		chromedp.NavigateForward(), chromedp.Reload()} {
		b.do(way)
		b.wait("document.readyState === 'complete' && document.querySelector('form[data-kept]')")
	}
	if got := recordedAfter(t, url, 55); len(got) != 2 {
		t.Errorf("signed by %q are recorded", got)
	}
}

// A form that is sent again, since the answer of a browser without JavaScript was loaded again, is
// the same statement: it has the same id, and nothing was recorded.
func TestPageResend(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	id, key := pledgeOf(t, url, "GBR", "air"), filepath.Join(dir, "keys", "GBR-demo.key")
	b := newTab(t, url, noScript)
	b.open("/submit?type=pledge.withdrawn&pledge=" + id)
	b.click(".fields .primary")
	b.says("#statement", `"type":"pledge.withdrawn"`)
	first := b.text("#statement")
	b.do(chromedp.Reload())
	b.says("#statement", `"type":"pledge.withdrawn"`)
	if again := b.text("#statement"); again != first {
		t.Errorf("loaded again it is\n%s\nand was\n%s", again, first)
	}
	newUser(t).content(t, "pledge", "amend", id, "--quantity", "25", "--key", key, "--url", url)
	b.do(chromedp.Reload())
	b.says("#wrong", "has changed since record")
	if got := recordedAfter(t, url, 56); len(got) != 0 {
		t.Errorf("signed by %q are recorded", got)
	}
}

// Two tabs have a key each: what is signed in one has nothing of the key that the other has open.
func TestPageTwoKeys(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	france, britain := newTab(t, url), newTab(t, url)
	keys := map[*tab]string{france: "FRA", britain: "GBR"}
	for b, nation := range keys {
		b.open("/submit")
		b.wait("document.querySelector('form[data-kept]')")
		for name, value := range map[string]string{"operation": "mnf-u", "nation": nation,
			"role":     "air",
			"quantity": "3", "unit": "aircraft", "area": "west", "from": "2026-03-01",
			"effective": "2026-01-15"} {
			b.fill("#f-"+name, value)
		}
		b.click(".fields .primary")
		b.wait("document.getElementById('key-file')")
	}
	for b, nation := range keys {
		b.chooseFile("#key-file", filepath.Join(dir, "keys", nation+"-demo.key"))
		b.says("#key-name", nation+"/demo")
	}
	britain.chooseFile("#key-file", filepath.Join(dir, "keys", "TUR-demo.key"))
	britain.says("#sign-problem", "This key speaks for TUR, and the statement is of GBR")
	france.click("#sign-send")
	france.says("#sign-done", "Recorded as record 56")
	if eval[bool](britain, "!document.getElementById('sign-send').disabled") {
		t.Error("what is of Britain can be signed with a key of Türkiye")
	}
	britain.chooseFile("#key-file", filepath.Join(dir, "keys", "GBR-demo.key"))
	britain.wait("!document.getElementById('sign-send').disabled")
	britain.click("#sign-send")
	britain.says("#sign-done", "Recorded as record 57")
	if got := recordedAfter(t, url, 55); len(got) != 2 || got[0] != "FRA/demo" ||
		got[1] != "GBR/demo" {
		t.Errorf("signed by %q are recorded", got)
	}
}
