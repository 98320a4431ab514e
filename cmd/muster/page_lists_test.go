package main

import (
	"slices"
	"strings"
	"testing"

	"muster/projections"
	"muster/projections/web"
)

func TestPageLog(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	var all web.Records
	getJSON(t, url+"/api/v1/records", &all)
	last := all.Records[len(all.Records)-1]
	b := newTab(t, url)
	b.open("/log")
	b.wait("document.getElementById('log-check').dataset.state === 'met'")
	if shown := b.text("tbody tr"); !strings.HasPrefix(shown, "55") {
		t.Errorf("the newest record is not first: %s", shown)
	}
	b.click("tbody tr summary")
	if stored := eval[string](b, "document.querySelector('tbody tr pre').textContent"); stored !=
		last.Stored {
		t.Errorf("record %d is shown as %q, and stored as %q", last.Sequence, stored, last.Stored)
	}
	b.click(".pages a:last-of-type")
	b.wait("location.search.includes('from=')")
	b.wait("document.querySelector('tbody tr:last-of-type').id === 'r1'")
	b.fill("#l-signer", "FRA/demo")
	b.wait("location.search.includes('signer=')")
	b.fill("#l-from", "")
	b.wait("!location.search.includes('from=')")
	b.fill("#l-type", "condition.added")
	b.wait("document.querySelectorAll('tbody tr').length === 1")
	arrivals(t, url, b.address(), func(b *tab) {
		if ids := eval[[]string](b,
			"[...document.querySelectorAll('tbody tr')].map(e => e.id)"); !slices.Equal(ids,
			[]string{"r49"}) {
			t.Errorf("what France's key has added of conditions is %q", ids)
		}
	})
	b.open("/log?as_of=20")
	b.wait("document.getElementById('log-check').dataset.state === 'met'")
	if shown := b.text("tbody tr"); !strings.HasPrefix(shown, "20") {
		t.Errorf("as of record 20 the log begins with %s", shown)
	}
	if said := b.text(".banner"); !strings.Contains(said, "As known at record 20") {
		t.Errorf("the banner says %q", said)
	}
}

// New records come to the log by themselves.
func TestPageLogLive(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	b.open("/log")
	b.wait("document.getElementById('r55')")
	newUser(t).content(t, "pledge", "indicate", "--url", url, "--data", dir, "--operation", "mnf-u",
		"--nation", "NOR", "--role", "air", "--quantity", "3")
	b.wait("document.getElementById('r56')?.classList.contains('changed')")
	if n := eval[int](b, "document.querySelectorAll('.changed').length"); n != 1 {
		t.Errorf("%d records are marked as new", n)
	}
}

func TestPagePledges(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?on="+aDay, &all)
	b := newTab(t, url)
	b.open("/pledges?on=" + aDay)
	if n := eval[int](b, "document.querySelectorAll('tbody tr').length"); n != len(all.Pledges) {
		t.Errorf("%d pledges are shown, and the API has %d", n, len(all.Pledges))
	}
	b.click("thead th:nth-of-type(2) a")
	b.wait("document.querySelector('th[aria-sort=ascending]')")
	b.click("thead th:nth-of-type(2) a")
	b.wait("document.querySelector('th[aria-sort=descending]')")
	b.fill("#w-op", "mnf-u")
	b.wait("document.querySelectorAll('tbody tr').length === 5")
	arrivals(t, url, b.address(), func(b *tab) {
		if codes := b.texts("tbody th .code"); !slices.Equal(codes,
			[]string{"USA", "TUR", "GBR", "FRA", "CAN"}) {
			t.Errorf("sorted downwards by nation: %q", codes)
		}
	})
	b.fill("#p-nation", "FRA")
	b.wait("document.querySelectorAll('tbody tr').length === 1")
	b.click("tbody tr td:last-of-type a")
	b.says("h1", "France: ground for mnf-u")
	// What its rules allow now, in plain words, and what ends it apart: it hangs on a condition.
	for act, can := range map[string]bool{"a[href*='type=pledge.amended']": true,
		"[name=act][value='pledge.accepted']":            true,
		"a[href*='type=condition.discharged']":           true,
		"a[href*='type=pledge.confirmed']":               false,
		"a[href*='type=pledge.reported']":                false,
		"details a[href*='type=pledge.withdrawn']":       true,
		".acts > a[href*='type=pledge.withdrawn']":       false,
		"[name=act][value='allocation.made']":            true,
		".acts details:not([open]) a[href*='corrected']": true,
		".acts > a[href*='type=pledge.corrected']":       false} {
		if is := eval[bool](b, "document.querySelector(%s) !== null",
			quoted(".acts "+strings.TrimPrefix(act, ".acts "))); is != can {
			t.Errorf("%s is offered: %t", act, is)
		}
	}
	b.axe()
	arrivals(t, url, b.address(), func(b *tab) {
		for _, what := range []string{"6,000 personnel → ground-west",
			"parliament (parliament): open", "France offers 6,000 personnel", "pledge offered",
			"2026-01-15"} {
			if said := b.text("main"); !strings.Contains(said, what) {
				t.Errorf("the page of the pledge does not say %q:\n%s", what, said)
			}
		}
		if rows := b.texts("tr.current"); len(rows) != 1 {
			t.Errorf("what is known now of the pledge is %q", rows)
		}
	})
	b.open("/pledges/01ARZ3NDEKTSV4RRFFQ69G5FAV")
	b.says(".problem", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
	b.open("/pledges?sort=colour")
	b.says(".problem", "sort")
}
