package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a nation sees of itself: who may read which of its pledges, what waits for it with the form
// that answers it, and what its keys have said last, each with its receipt. Others are not shown
// what is withheld from them.
func TestPageMine(t *testing.T) {
	t.Parallel()
	c := newConfided(t)
	gbr, u := filepath.Join(c.dir, "keys", "GBR-demo.key"), newUser(t)
	hq := filepath.Join(c.dir, "founder.key")
	says := func(key string, args ...string) {
		t.Helper()
		u.content(t, append(args, "--key", key, "--url", c.url)...)
	}
	air := pledgeOf(t, c.url, "GBR", "air")
	soon := time.Now().UTC().AddDate(0, 0, 9).Format(time.DateOnly)
	says(hq, "pledge", "accept", air)
	says(hq, "allocation", "make", air, "air-west", "--quantity", "5")
	says(gbr, "pledge", "offer", "--operation", "mnf-u", "--role", "ground", "--quantity", "3",
		"--effective", "2026-01-15", "--release", "public", "--expires", soon)
	b := newTab(t, c.url)
	b.open("/mine")
	b.fill("#m-nation", "GBR")
	b.says("h1", "United Kingdom")
	// What is meant for everybody rests on an operation that is the coalition's.
	b.says("#readers", "0 pledges may be read by everybody\n"+
		"3 pledges may be read by the coalition\n4 pledges may be read by France")
	b.says("#all-open", "everybody who reaches it read everything")
	b.says("tr[data-pledge='"+c.id+"']", "the coordinators, France")
	b.says("tr[data-due=condition-open]", "United Kingdom")
	b.says("tr[data-due=condition-open]", "say that a condition is fulfilled")
	b.says("tr[data-due=unconfirmed]", "confirm a pledge")
	b.says("tr[data-due=allocated]", "5 → air-west")
	b.says("tr[data-due=lapses]", soon)
	b.says("tr[data-due=waits]", "the coordinators")
	b.says("#said #r57", "secret-vote")
	if n := eval[int](b, "document.querySelectorAll('#said tbody tr').length"); n != 4 {
		t.Errorf("%d of the four statements of the nation's key are there", n)
	}
	b.shot("mine")
	b.axe()
	b.click("#said #r57 td:last-child a")
	b.holds("Record 57 is in the tree")
	b.open("/mine?nation=GBR")
	b.click("tr[data-due=unconfirmed] small a")
	b.says("main", "confirm a pledge")
	b.open("/mine?nation=GBR")
	b.click("#readers li:nth-child(2) a")
	b.says("#counted", "released to the coalition")
	b.says("#readers", "3 pledges may be read by the coalition")
	if text := b.text("main"); c.told(text) != nil {
		t.Errorf("the coalition is told %q", c.told(text))
	}
	b.open("/mine?nation=EST")
	b.says("main", "Nothing is pledged.")
	b.open("/mine?nation=XYZ&lang=fr")
	b.says(".problem", "écrivez le code d’un pays")

	small := newTab(t, c.url, narrow, dark)
	small.open("/mine?nation=GBR&lang=fr")
	small.says("h1", "Royaume-Uni")
	small.shot("mine-narrow-fr")
	small.axe()
	for i, sheet := range small.printed("mine") {
		if i == 0 && !containsAll(sheet, "Royaume-Uni", "les coordinateurs, France") {
			t.Errorf("paper says\n%s", sheet)
		}
	}
}

func containsAll(text string, all ...string) bool {
	for _, one := range all {
		if !strings.Contains(text, one) {
			return false
		}
	}
	return true
}
