package main

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/projections/web"
)

// Two tabs amend one pledge: the second is told before it signs, sees both versions beside each
// other, and changes only what it has changed itself.
func TestPageTwoTabs(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	id, key := pledgeOf(t, url, "GBR", "air"), filepath.Join(dir, "keys", "GBR-demo.key")
	form := "/submit?type=pledge.amended&pledge=" + id
	first, second := newTab(t, url), newTab(t, url)
	second.open(form)
	second.wait("document.getElementById('f-quantity')?.value === '12'")

	// The first tab makes it 25. Its review shows the term before and after.
	first.open(form)
	first.wait("document.querySelector('form[data-kept]')")
	first.fill("#f-quantity", "25")
	first.click(".fields .primary")
	first.says("#terms", "Quantity\t12\t25")
	if rows := eval[int](first, "document.querySelectorAll('#terms tbody tr').length"); rows != 1 {
		t.Errorf("%d terms are shown as changed: %s", rows, first.text("#terms"))
	}
	first.says("#effect", "offered 12 aircraft")
	first.says("#effect", "offered 25 aircraft")
	first.axe()
	signs(first, key)
	first.says("#sign-done", "Recorded as record 56")

	// The second has filled in only the last day. What it has not sent says what it was written on,
	// also when the form is opened anew.
	second.fill("#f-until", "2027-12-31")
	second.open(form)
	second.wait("document.getElementById('f-until')?.value === '2027-12-31'")
	second.click(".fields .primary")
	second.says("#wrong", "has changed since record")
	second.says("#wrong", "record 56, pledge amended: quantity 12 -> 25")
	second.says("#since", "56, GBR/demo: ")
	second.says("#since table", "Quantity\t12\t25\t25")
	if eval[bool](second, "Boolean(document.getElementById('sign-send'))") {
		t.Error("what builds on an older state can be signed")
	}
	second.shot("submit-since")
	second.axe()

	second.wait("document.getElementById('f-quantity').value === '25' && " +
		"document.getElementById('f-until').value === '2027-12-31'")
	second.click(".fields .primary")
	second.wait("document.getElementById('key-file')")
	if rows := eval[int](second, "document.querySelectorAll('#terms tbody tr').length"); rows != 1 {
		t.Errorf("%d terms are shown as changed: %s", rows, second.text("#terms"))
	}
	second.says("#terms", "Last day\t–\t2027-12-31")

	// What is changed between the check and the signature is told by the ledger.
	newUser(t).content(t, "pledge", "amend", id, "--quantity", "26", "--key", key, "--url", url)
	signs(second, key)
	second.says("#sign-problem", "record 57, pledge amended: quantity 25 -> 26")
	second.says("#sign-problem", "Check again")
	second.click(".fields button:not([type=button])")
	second.says("#since table", "Quantity\t25\t26\t26")
	second.click(".fields button:not([type=button])")
	signs(second, key)
	second.says("#sign-done", "Recorded as record 58")

	var now web.PledgeLife
	getJSON(t, url+"/api/v1/pledges/"+id, &now)
	if got := now.Pledge.Quantity.String() + " until " + now.Pledge.Until.String(); got !=
		"26 until 2027-12-31" {
		t.Errorf("the pledge is %s", got)
	}

	// What is recorded of a later day is told to whom amends it from then on, and stays: of a form
	// that has the terms of today as of a command.
	const later = "2027-03-01"
	newUser(t).content(t, "pledge", "amend", id, "--quantity", "30", "--effective", later, "--key",
		key, "--url", url)
	first.open(form)
	first.wait("document.querySelector('form[data-kept]') && " +
		"document.getElementById('f-quantity').value === '26'")
	first.fill("#f-effective", later)
	first.fill("#f-note", "by ship")
	first.open(form) // as a draft
	first.wait("document.getElementById('f-note')?.value === 'by ship'")
	first.click(".fields .primary")
	first.says("#since", "The pledge stands otherwise on 2027-03-01 than the form began with")
	first.says("#since", "59, effective 2027-03-01, GBR/demo: ")
	first.says("#since table", "Quantity\t26\t30\t30")
	first.says("#since", "What you had not changed yourself now says what holds on that day.")
	if eval[bool](first, "Boolean(document.getElementById('sign-send'))") {
		t.Error("what undoes a later amendment can be signed at once")
	}
	first.shot("submit-since-day")
	first.axe()
	first.click(".fields .primary")
	first.says("#statement", `"quantity":30`)
	newUser(t).content(t, "pledge", "amend", id, "--note", "by air", "--effective", "2027-04-01",
		"--key", key, "--url", url)
	getJSON(t, url+"/api/v1/pledges/"+id+"?on=2027-04-01", &now)
	if got := now.Pledge.Quantity.String() + " " + now.Pledge.Note; got != "30 by air" {
		t.Errorf("amended by a command, the pledge is %s", got)
	}
}

// A form without JavaScript says which state it builds on, too; a step restates nothing, and is
// told all the same.
func TestPageTwoTabsWithoutScript(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	id, key := pledgeOf(t, url, "GBR", "air"), filepath.Join(dir, "keys", "GBR-demo.key")
	b := newTab(t, url, noScript)
	b.open("/submit?lang=fr&type=pledge.withdrawn&pledge=" + id)
	newUser(t).content(t, "pledge", "amend", id, "--quantity", "25", "--key", key, "--url", url)
	b.click(".fields .primary")
	b.says("#wrong", "À corriger d’abord\u00a0:")
	b.says("#wrong", "quantité 12 -> 25")
	b.says("#since", "L’engagement a changé")
	b.says("#since table", "Quantité\t12\t25")
	b.click(".fields .primary")
	b.says("#statement", `"after":56`)
	refused := eval[string](b, "document.getElementById('sign').dataset.refused")
	if !strings.HasSuffix(refused, "selon ce serveur.") {
		t.Errorf("what the ledger refuses is told with: %s", refused)
	}
}

// signs opens a key and sends.
func signs(b *tab, key string) {
	b.t.Helper()
	b.wait("document.getElementById('key-file')")
	b.chooseFile("#key-file", key)
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
}
