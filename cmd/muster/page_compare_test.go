package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/projections"
)

// diffAt asks the API what the page must show.
func diffAt(t *testing.T, url, query string) (a projections.Diff) {
	t.Helper()
	getJSON(t, url+"/api/v1/diff?"+query, &a)
	return a
}

// differs fails the test unless the page shows what the API says differs.
func (b *tab) differs(a projections.Diff) {
	b.t.Helper()
	if a.IsZero() {
		b.t.Error("nothing differs, so that there is nothing to look at")
	}
	b.wait("document.readyState === 'complete'")
	stand := func(s *projections.LineStand) string {
		if s == nil {
			return "not in force"
		}
		text := grouped(s.Supply.String()) + " of " + grouped(s.Required.String())
		if n, _ := s.Gap.Number(); n > 0 {
			text += " short " + grouped(s.Gap.String())
		}
		return text
	}
	var lines, pledges []string
	for _, l := range a.Lines {
		lines = append(lines,
			fmt.Sprintf("%s/%s: %s → %s", l.Operation, l.Line, stand(l.From), stand(l.To)))
	}
	for _, p := range a.Pledges {
		text := p.Pledge.String() + ":"
		for _, r := range p.Records {
			text += fmt.Sprint(" ", r.Sequence)
		}
		pledges = append(pledges, text)
	}
	said := eval[[]string](b,
		`[...document.querySelectorAll(".differs tr[data-line]")].map(r => r.dataset.line + ": " + [...r.querySelectorAll(".short")].map(c => c.innerText.replace(/\s+/g, " ").trim()).join(" → "))`)
	if !slices.Equal(said, lines) {
		b.t.Errorf("%s: the page says of requirements\n%s\nand the API\n%s", b.address(),
			strings.Join(said, "\n"), strings.Join(lines, "\n"))
	}
	said = eval[[]string](b,
		`[...document.querySelectorAll(".differs tr[data-pledge]")].map(r => r.dataset.pledge + ":" + [...r.querySelectorAll(".why > a")].map(a => " " + a.innerText).join(""))`)
	if !slices.Equal(said, pledges) {
		b.t.Errorf("%s: the page says of pledges\n%s\nand the API\n%s", b.address(),
			strings.Join(said, "\n"), strings.Join(pledges, "\n"))
	}
}

func TestPageCompare(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay)
	b.click(`nav a[href^="/compare"]`)
	b.says("h1", "Compare")
	last := eval[int](b, "Number(document.getElementById('as-of-slide').max)")
	// compared to the record before, as nothing is older than a week
	b.says(".moments", fmt.Sprint(last-1))
	b.differs(diffAt(t, url, fmt.Sprintf("from=%d&to=%d&on=%s", last-1, last, aDay)))

	b.fill("#c-from", fmt.Sprint(last-8))
	b.wait("location.search.includes('from=%d')", last-8)
	b.wait("document.querySelectorAll('.differs tr[data-line]').length > 1")
	arrivals(t, url, b.address(), func(b *tab) {
		b.differs(diffAt(t, url, fmt.Sprintf("from=%d&to=%d&on=%s", last-8, last, aDay)))
		for _, what := range []string{"France 0 → 6,000", "France offers 6,000 personnel", "FRA/",
			"not known yet", "for ground-west"} {
			if said := b.text("#content"); !strings.Contains(said, what) {
				t.Errorf("the page does not say %q:\n%s", what, said)
			}
		}
	})
	b.fill("#c-nation", "GBR")
	b.wait("document.querySelectorAll('.differs tr[data-pledge]').length === 1")
	b.differs(diffAt(t, url, fmt.Sprintf("from=%d&to=%d&on=%s&nation=GBR", last-8, last, aDay)))
	b.fill("#c-nation", "")
	b.wait("!location.search.includes('nation')")
	b.fill("#c-from-on", "2026-01-20")
	b.wait("location.search.includes('from_on=2026-01-20')")
	b.differs(diffAt(t, url,
		fmt.Sprintf("from=%d&to=%d&from_on=2026-01-20&to_on=%s", last-8, last, aDay)))
	b.fill("#c-from", "not a moment")
	b.says(".problem", "from")
}

// The address that is offered as lasting says the same whatever is recorded later; swapped, the
// page tells it the other way round; and where nothing differs, it says so. All of it without
// JavaScript.
func TestPageCompareExactly(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url, noScript)
	b.open("/compare?operation=mnf-u&on=" + aDay)
	last := eval[int](b, "Number(document.getElementById('as-of-slide').max)")
	b.fill("#c-from", fmt.Sprint(last-3))
	b.click(".compare > button")
	b.wait("location.search.includes('from=%d')", last-3)
	b.click(`#content > p:last-of-type a`)
	b.wait("location.search.includes('as_of=%d')", last)
	exact, want := b.address(),
		diffAt(t, url, fmt.Sprintf("operation=mnf-u&from=%d&to=%d&on=%s", last-3, last, aDay))
	b.differs(want)

	live := newTab(t, url)
	live.open("/compare?operation=mnf-u&on=" + aDay)
	short := newTab(t, url)
	short.open("/shortfalls?operation=mnf-u&on=" + aDay)
	short.says(`.ranked tr[data-line="mnf-u/ground-west"]`, "9,000 of 15,000")
	id := offer(t, dir, "--nation", "DEU", "--quantity", "900", "--from", "2026-03-01")
	live.says(`.differs tr[data-line="mnf-u/ground-west"]`, "Germany 0 → 900")
	short.says(`.ranked tr[data-line="mnf-u/ground-west"]`, "8,100 of 15,000")
	arrivals(t, url, exact, func(b *tab) { b.differs(want) })
	b.open("/compare?operation=mnf-u&on=" + aDay)
	b.says(`.differs tr[data-line="mnf-u/ground-west"]`, "Germany 0 → 900")
	b.says(fmt.Sprintf(`.differs tr[data-pledge="%s"]`, id), "offered 900")
	for i, text := range b.texts(".compare .moves a") {
		if text == "The other way round" {
			b.click(fmt.Sprintf(".compare .moves a:nth-of-type(%d)", i+1))
		}
	}
	b.says(`.differs tr[data-line="mnf-u/ground-west"]`, "Germany 900 → 0")
	b.open(fmt.Sprintf("/compare?from=%d&as_of=%d&on=%s", last, last, aDay))
	b.says(".sum", "Nothing differs between the two moments.")
	// A range is compared from its first day to its last.
	b.open(fmt.Sprintf("/compare?from=%d&as_of=%d&on=2026-01-20..%s", last, last, aDay))
	b.says(`.differs`, "On 2026-03-01:")
}
