package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"muster/events"
	"muster/projections/web"
)

// many is how many of each kind the ledger of these tests has: more than a page shows.
const many = 110

// A page shows as much of each list as people read, says how much more there is, and leads to where
// all of it is. What it counts and sums, it counts and sums over all.
func TestPageListsAreCut(t *testing.T) {
	t.Parallel()
	browser(t)
	url, pledge := manyLedger(t)
	const on = "on=2026-12-20"
	var c web.Coverage
	getJSON(t, url+"/api/v1/coverage?"+on, &c)
	b := newTab(t, url)
	for _, one := range []struct {
		name, address, rows, note string
		most                      int
	}{
		{"lines", "/?" + on, "[data-matrix] tr[data-line]", ".matrices .cut", 100},
		{"not counted", "/?" + on, ".not-counted tbody tr", ".not-counted .cut", 100},
		{"counted for a line", "/?open=mnf-u/line-0&" + on, ".opened .parts:first-of-type > li",
			".opened .parts:first-of-type + .cut", 50},
		{"records of a line", "/?open=mnf-u/line-0&" + on, ".opened .records > li",
			".records + .cut", 50},
		{"gaps", "/shortfalls?" + on, ".ranked tbody tr", ".scroll:has(.ranked) + .cut", 100},
		{"hand-overs", "/timeline?step=month&" + on, "#hand-overs-caption ~ tbody tr",
			".scroll:has(#hand-overs-caption) + .cut", 100},
		{"life", "/pledges/" + pledge + "?" + on, "#life-caption ~ tbody tr",
			".scroll:has(#life-caption) + .cut", 100},
		{"versions", "/pledges/" + pledge + "?" + on, "#versions-caption ~ tbody tr",
			".scroll:has(#versions-caption) + .cut", 100},
		{"conditions", "/pledges/" + pledge + "?" + on, ".facts dt:nth-child(n+4) + dd:has(.free)",
			".facts dd.cut", 100},
	} {
		if b.address() != one.address {
			b.open(one.address)
		}
		shown := eval[int](b, "document.querySelectorAll(%s).length", quoted(one.rows))
		note := b.text(one.note)
		var more int
		fmt.Sscanf(strings.TrimPrefix(note, "and "), "%d", &more)
		at := eval[string](b, "document.querySelector(%s + ' a')?.href ?? ''", quoted(one.note))
		if shown != one.most || shown+more < many || at == "" {
			t.Errorf("%s: %d rows, and %q to %q", one.name, shown, note, at)
			continue
		}
		resp, err := http.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		whole := rowsOf(t, resp)
		if resp.Body.Close(); resp.StatusCode != http.StatusOK || whole >= 0 && whole < shown+more {
			t.Errorf("%s: of %d there are %d at %s: %s", one.name, shown+more, whole,
				at, resp.Status)
		}
		if n := eval[int](b, "document.documentElement.outerHTML.length"); n > 500_000 {
			t.Errorf("%s has %d characters", one.address, n)
		}
	}

	b.open("/?" + on)
	if said, want := b.text(".sum"), fmt.Sprintf("%d requirements are met, of %d in force.", c.Met,
		c.InForce); said != want || c.InForce != many {
		t.Errorf("the page says %q, and not %q", said, want)
	}
	b.shot("cut-coverage")
	sheets := strings.Join(b.printed("cut-coverage"), "")
	if !strings.Contains(sheets, "10 requirements more are not shown") ||
		!strings.Contains(sheets, fmt.Sprintf("and %d more", len(c.NotCounted)-100)) {
		t.Errorf("the sheets do not say that there is more:\n%s", sheets)
	}
	b.open("/?lang=fr&" + on)
	b.says(".not-counted .cut", fmt.Sprintf("et %d autres\u00a0: CSV", len(c.NotCounted)-100))
}

// rowsOf counts the rows of a list as CSV, -1 where the answer is none.
func rowsOf(t *testing.T, resp *http.Response) int {
	t.Helper()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") {
		return -1
	}
	rows, err := csv.NewReader(resp.Body).ReadAll()
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return len(rows) - 1
}

// manyLedger serves a ledger that has more of everything than a page shows, and returns one of its
// pledges, of which much was said.
func manyLedger(t *testing.T) (url, pledge string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	c := newCountry(t, dir)
	all := c.preface()[:2]
	for i := range many {
		all = append(all, &events.RequirementIssued{Header: c.head("requirement.issued"),
			Dated: events.Dated{Effective: someDay}, RequirementTerms: c.line(i, 100_000)})
	}
	for i := range many {
		gone := c.offerOf(int64(1 + i))
		gone.Area, gone.Until = "nowhere", 2026_12_22
		next := c.offerOf(int64(1 + i))
		next.Area, next.From, next.Predecessor = "area-0", 2026_12_15, gone.ID
		all = append(all, gone, next)
	}
	first := all[len(all)-1].(*events.PledgeOffered)
	at := events.PledgeStep{Dated: events.Dated{Effective: someDay}, Place: first.Place}
	at.Pledge = first.ID
	for i := range many {
		amended := &events.PledgeAmended{Header: c.head("pledge.amended"), Dated: at.Dated,
			Place: first.Place, Pledge: first.ID, PledgeTerms: first.PledgeTerms}
		amended.Quantity = events.Count(int64(200 + i))
		all = append(all, amended)
	}
	for i := range many {
		caveat := &events.CaveatDeclared{Restriction: "not there"}
		caveat.PledgeStep, caveat.Caveat = at, events.Line(fmt.Sprint("caveat-", i))
		caveat.Header = c.head("caveat.declared")
		all = append(all, caveat)
	}
	c.record(t, dir, all)
	p := launch(t, dir)
	p.awaitListening(t)
	return p.url, first.ID.String()
}
