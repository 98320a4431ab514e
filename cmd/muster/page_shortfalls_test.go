package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/projections"
)

// gapsAt asks the API what the page must show.
func gapsAt(t *testing.T, url, query string) (a projections.Gaps) {
	t.Helper()
	getJSON(t, url+"/api/v1/gaps?"+query, &a)
	return a
}

// ranks fails the test unless the page ranks the gaps that the API does, with the same figures.
func (b *tab) ranks(a projections.Gaps) {
	b.t.Helper()
	if len(a.Gaps) == 0 {
		b.t.Error("no gap to look at")
	}
	var want []string
	for _, g := range a.Gaps {
		want = append(want, fmt.Sprintf("%d %s/%s %s of %s %s", g.Rank, g.Operation, g.Line,
			grouped(g.Missing.String()), grouped(g.Required.String()),
			projections.UnitOf(g.Required, g.Unit)))
	}
	said := eval[[]string](b,
		`[...document.querySelectorAll(".ranked tbody tr")].map(r => {
			const short = r.querySelector(".short a")
			return r.cells[0].innerText.trim() + " " + r.dataset.line + " " +
				short.innerText.trim() + " " + short.nextSibling.textContent.trim()
		})`)
	if !slices.Equal(said, want) {
		b.t.Errorf("%s: the page ranks\n%s\nand the API\n%s", b.address(), strings.Join(said, "\n"),
			strings.Join(want, "\n"))
	}
}

func TestPageShortfalls(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay)
	b.click(`nav a[href^="/shortfalls"]`)
	b.says("h1", "Shortfalls")
	b.ranks(gapsAt(t, url, "on="+aDay))

	b.fill("#w-op", "mnf-u")
	b.wait("!document.querySelector('.ranked tr[data-line^=\"isaf\"]')")
	b.fill("#w-rung", "accepted")
	b.says(".ranked caption", "“accepted”")
	arrivals(t, url, b.address(), func(b *tab) {
		b.ranks(gapsAt(t, url, "operation=mnf-u&rung=accepted&on="+aDay))
		if said := b.text(`.ranked tr[data-line="mnf-u/ground-west"]`); !strings.Contains(said,
			"France 6,000") || !strings.Contains(said, "are offered, and not yet accepted") {
			t.Errorf("what could fill the gap is not told with the reason: %s", said)
		}
	})

	b.click(`.ranked tr[data-line="mnf-u/ground-west"] .short a`)
	b.says("#opened", "ground-west on "+aDay)
	b.says("#opened", "0 of 15,000 personnel, short 15,000")
}

// Lines that one nation holds alone are told as such, and what is missing without it is one click
// away.
func TestPageDependence(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	look := func(b *tab) {
		if said := b.text(`[data-held="mnf-u/ground-west"]`); !strings.Contains(said,
			"France alone") || !strings.Contains(said, "6,000 of 6,000") ||
			!strings.Contains(said, "15,000") {
			t.Errorf("that France holds the line alone is told as %q", said)
		}
		if said := b.text("body"); !strings.Contains(said,
			"5 requirements are held by one nation alone") ||
			!strings.Contains(said, "Poland holds 57 % of it") {
			t.Errorf("what one nation holds is not told: %s", said)
		}
		if rows := b.texts(`[aria-labelledby="hanging-caption"] tbody tr`); len(rows) != 1 ||
			!strings.Contains(rows[0], "parliament") ||
			!strings.Contains(rows[0], "6,000 personnel") {
			t.Errorf("what hangs on something is %q", rows)
		}
	}
	arrivals(t, url, "/shortfalls?on="+aDay, look)
	b := newTab(t, url, noScript)
	b.open("/shortfalls?on=" + aDay + "&operation=mnf-u")
	b.click(`[data-held="mnf-u/ground-west"] td a`)
	b.says(".banner", "without France")
	b.says(`.ranked tr[data-line="mnf-u/ground-west"]`, "15,000 of 15,000")
	b.ranks(gapsAt(t, url, "operation=mnf-u&without=FRA&on="+aDay))
	b.open("/shortfalls?on=2001-01-01")
	b.says(".empty", "No requirement is in force on this date.")
}
