package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"muster/projections"
)

// timelineAt asks the API what the page must show.
func timelineAt(t *testing.T, url, query string) (a projections.Timeline) {
	t.Helper()
	getJSON(t, url+"/api/v1/timeline?"+query, &a)
	return a
}

// tells fails the test unless the page's tables have the figures of the API.
func (b *tab) tells(a projections.Timeline) {
	b.t.Helper()
	if len(a.Lines) == 0 {
		b.t.Error("no line to look at")
	}
	for _, l := range a.Lines {
		var want []string
		for _, pt := range l.Points {
			row := fmt.Sprintf("%s %s", pt.From, grouped(pt.Required.String()))
			for _, q := range pt.Rungs {
				row += " " + grouped(q.String())
			}
			want = append(want, strings.TrimSpace(row))
		}
		said := eval[[]string](b,
			`[...document.querySelectorAll("[data-over='%s/%s'] .figures tbody tr")].map(r => [...r.cells].filter(c => !c.classList.contains("short")).map(c => c.innerText.trim()).join(" ").trim())`, l.Operation, l.Line)
		if !slices.Equal(said, want) {
			b.t.Errorf("%s: the table of %s says\n%s\nand the API\n%s", b.address(), l.Line,
				strings.Join(said, "\n"), strings.Join(want, "\n"))
		}
	}
}

// offer records an offer of forces for ground-west in a demo, and returns the pledge's id.
func offer(t *testing.T, dir string, terms ...string) (id string) {
	t.Helper()
	out, _ := newUser(t).content(t,
		append([]string{"pledge", "offer", "--data", dir, "--operation", "mnf-u", "--role",
			"ground", "--area", "west", "--effective", "2026-01-15", "--json"}, terms...)...)
	var receipt struct{ ID string }
	if err := json.Unmarshal([]byte(out), &receipt); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return receipt.ID
}

func TestPageTimeline(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay + "&operation=mnf-u")
	b.click(`nav a[href^="/timeline"]`)
	b.says("h1", "Time line")
	// around the date looked at
	b.tells(timelineAt(t, url, "operation=mnf-u&from=2026-04-01&until=2028-03-31"))
	b.fill("#tl-role", "ground")
	b.wait("document.querySelectorAll('.over').length === 2")
	b.fill("#tl-line", "ground-west")
	b.wait("document.querySelectorAll('.over').length === 1")
	b.fill("#tl-from", "2026-01-01")
	b.wait("location.search.includes('from=2026-01-01')")
	b.fill("#tl-until", "2026-12-31")
	b.wait("location.search.includes('until=2026-12-31')")
	b.fill("#tl-step", "month")
	b.wait("document.querySelectorAll('.figures tbody tr').length === 12")
	arrivals(t, url, b.address(), func(b *tab) {
		b.tells(timelineAt(t, url,
			"operation=mnf-u&line=ground-west&from=2026-01-01&until=2026-12-31&step=month"))
		if said := eval[string](b, "document.querySelector('svg.chart title').textContent"); said !=
			"ground-west over time, 2026-01-01 to 2026-12-31" {
			t.Errorf("the chart is called %q", said)
		}
		if said := eval[string](b,
			"document.querySelector('svg.chart desc').textContent"); !strings.Contains(said,
			"short on 306 days, at most by 9,000, first on 2026-03-01") {
			t.Errorf("the chart is described as %q", said)
		}
	})
}

// A rotation that leaves days with nobody there is marked in the chart, listed, and missing in the
// figures.
func TestPageHandOver(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	germans := offer(t, dir, "--nation", "DEU", "--quantity", "9000", "--from", "2026-04-01",
		"--until", "2026-09-30")
	offer(t, dir, "--nation", "POL", "--quantity", "9500", "--from", "2026-10-11", "--until",
		"2027-06-30", "--predecessor", germans)
	const asked = "operation=mnf-u&line=ground-west&from=2026-01-01&until=2027-12-31"
	arrivals(t, url, "/timeline?"+asked+"&on="+aDay, func(b *tab) {
		b.tells(timelineAt(t, url, asked))
		if rows := b.texts(`[aria-labelledby="hand-overs-caption"] tbody tr`); len(rows) != 1 ||
			!strings.Contains(rows[0], "10 days with nobody there") ||
			!strings.Contains(rows[0], "Poland") {
			t.Errorf("the hand-overs are %q", rows)
		}
		if marks := eval[[]string](b,
			"[...document.querySelectorAll('svg.chart .relief-label')].map(e => "+
				"e.textContent)"); !slices.Equal(marks, []string{"⇄ DEU to POL"}) {
			t.Errorf("the chart marks the hand-overs %q", marks)
		}
		width := eval[float64](b,
			"document.querySelector('svg.chart rect.relief').width.baseVal.value / "+
				"document.querySelector('svg.chart .plot').width.baseVal.value")
		if want := 10.0 / 730; width < want*0.95 || width > want*1.05 {
			t.Errorf("10 days of 730 are %.4f of the chart", width)
		}
		if marks := eval[int](elsewhere(t, url),
			"document.querySelectorAll('svg.chart .relief').length"); marks != 0 {
			t.Errorf("%d hand-overs are marked in the chart of another area", marks)
		}
		if shapes := eval[int](b,
			"document.querySelectorAll('svg.chart rect.missing').length"); shapes != 3 {
			t.Errorf("%d stretches are hatched as missing, want 3: before Germany, between, and "+
				"after Poland", shapes)
		}
	})
}

// elsewhere opens the time line of a requirement in an area in which no forces rotate.
func elsewhere(t *testing.T, url string) *tab {
	t.Helper()
	b := newTab(t, url)
	b.open("/timeline?operation=mnf-u&line=ground-capital&from=2026-01-01&until=2027-12-31")
	b.says(".over h2", "ground-capital")
	return b
}

// One day, and as many years as a time line has, are drawn as well.
func TestPageTimelineSpans(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	for _, span := range []struct {
		from, until string
		dates       []string
	}{
		{"2026-06-01", "2026-06-01", []string{"2026-06-01"}},
		{"2026-06-01", "2026-06-08",
			[]string{"2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04", "2026-06-05",
				"2026-06-06", "2026-06-07", "2026-06-08"}},
		{"2026-06-03", "2026-07-10",
			[]string{"2026-06-08", "2026-06-15", "2026-06-22", "2026-06-29", "2026-07-06"}},
		{"2026-01-01", "2026-12-31",
			[]string{"2026-01", "2026-03", "2026-05", "2026-07", "2026-09", "2026-11"}},
		{"2020-01-01", "2039-12-31", []string{"2020", "2025", "2030", "2035"}},
	} {
		b.open("/timeline?operation=mnf-u&line=ground-west&from=" + span.from + "&until=" +
			span.until + "&on=" + aDay)
		dates := eval[[]string](b,
			"[...document.querySelectorAll('svg.chart .grid text:not([text-anchor])')].map(e => "+
				"e.textContent)")
		if !slices.Equal(dates, span.dates) {
			t.Errorf("%s to %s: under the chart stands %q, want %q", span.from, span.until,
				dates, span.dates)
		}
		if gap := eval[float64](b,
			"document.querySelector('svg.chart rect.missing').width.baseVal.value"); gap <= 0 {
			t.Errorf("%s to %s: nothing is hatched", span.from, span.until)
		}
		b.shot("span-" + span.from + "-" + span.until)
	}
	b.open("/timeline?operation=mnf-u&line=ground-west&from=2020-01-01&until=2040-12-31")
	b.says(".problem", "more than 20 years")
	b.open("/timeline?from=2001-01-01&until=2001-12-31&on=" + aDay)
	b.says(".empty", "No such requirement is in force from 2001-01-01 to 2001-12-31")
}

// The days shown are chosen by links, which work without JavaScript, and by dragging across a
// chart.
func TestPageTimelineZoom(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	const at = "/timeline?operation=mnf-u&line=ground-west&on=" + aDay
	b := newTab(t, url, noScript)
	b.open(at + "&from=2026-01-01&until=2026-12-31")
	for _, press := range []struct{ words, from, until string }{
		{"Zoom in", "2026-04-02", "2026-09-30"}, {"Later", "2026-07-02", "2026-12-30"},
		{"Earlier", "2026-04-02", "2026-09-30"}, {"Zoom out", "2026-01-01", "2026-12-30"},
		{"Around the date", "2026-04-01", "2028-03-31"},
	} {
		b.click(fmt.Sprintf(`.moves a:nth-of-type(%d)`,
			1+slices.IndexFunc(b.texts(".moves a"), func(s string) bool {
				return strings.Contains(s, press.words)
			})))
		b.wait("document.getElementById('tl-from').value === '%s' && "+
			"document.getElementById('tl-until').value === '%s'", press.from, press.until)
	}
	b.fill("#tl-from", "2026-06-01")
	b.fill("#tl-until", "2026-06-01")
	b.click("#days button")
	b.wait("document.querySelectorAll('.figures tbody tr').length === 1 && " +
		"location.search.includes('until=2026-06-01')")
	b.open(at + "&from=2026-06-01&until=2026-05-01")
	b.says(".problem", "before the first day")

	drag := newTab(t, url)
	drag.open("/?on=" + aDay)
	drag.click(`nav a[href^="/timeline"]`) // the page is put in place of another, with its script
	drag.fill("#tl-line", "ground-west")
	drag.wait("location.search.includes('line=ground-west')")
	drag.fill("#tl-from", "2026-01-01")
	drag.wait("location.search.includes('from=2026-01-01')")
	drag.fill("#tl-until", "2026-12-31")
	drag.wait("location.search.includes('until=2026-12-31')")
	drag.drags("svg.chart", 0.25, 0.75)
	drag.wait("document.getElementById('tl-from').value === '2026-04-02' && " +
		"document.getElementById('tl-until').value === '2026-10-01'")
	drag.wait("location.search.includes('from=2026-04-02') && " +
		"document.querySelector('svg.chart').dataset.first === '2026-04-02'")
}

// drags moves the pressed mouse over the plot of a chart, from one part of its width to another.
func (b *tab) drags(selector string, from, to float64) {
	b.t.Helper()
	eval[bool](b, "(document.querySelector(%s).scrollIntoView({block: 'center'}), true)",
		quoted(selector))
	type point struct{ X, Y float64 }
	at := func(part float64) point {
		return eval[point](b,
			`(() => { const r = document.querySelector(%s + " .plot").getBoundingClientRect(); return {X: r.left + r.width * %f, Y: r.top + r.height / 2} })()`, quoted(selector)[:len(quoted(selector))-1]+`"`, part)
	}
	a, z := at(from), at(to)
	b.do(chromedp.MouseEvent(chromedp.MousePressed, a.X, a.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, (a.X+z.X)/2, a.Y, chromedp.ButtonLeft))
	if width := eval[float64](b,
		"Number(document.querySelector('svg.chart .drag').getAttribute('width'))"); width <= 0 {
		b.t.Error("what is chosen is not shown while one drags")
	}
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, z.X, z.Y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseReleased, z.X, z.Y, chromedp.ButtonLeft))
}
