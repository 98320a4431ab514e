package main

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The first view, with all that it loads, is light enough for a slow line.
func TestPageWeight(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/?on=" + aDay)
	b.wait("document.querySelector('[data-matrix]')")
	total := eval[int](b,
		`performance.getEntries().filter(e => e.entryType === "resource" || e.entryType === "navigation").filter(e => e.initiatorType !== "other").reduce((n, e) => n + e.transferSize, 0)`)
	t.Logf("the first view transfers %d bytes", total)
	if total < 10_000 || total > 100_000 {
		t.Errorf("the first view transfers %d bytes: between 10,000 and 100,000 are expected",
			total)
	}
	for _, address := range []string{"/", "/static/muster.css"} {
		req, err := http.NewRequest(http.MethodGet, url+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", address)
		}
	}
}

// The whole published history of the UN's peace operations, in one matrix. How long it takes to be
// painted is told, and is no assertion.
func TestPageUNHistory(t *testing.T) {
	t.Parallel()
	file := cmp.Or(os.Getenv("MUSTER_UN_DATA"), unData)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the table of the UN's contributions is not there (name it with "+
			"MUSTER_UN_DATA): %v", err)
	}
	browser(t)
	dir := t.TempDir()
	server := serving(t, filepath.Join(dir, "ledger"))
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	importUN(t, dir, absolute)
	var took []float64
	for range 5 {
		b := newTab(t, server.url)
		b.open("/?on=2014-02-28&show=nations")
		b.wait("performance.getEntriesByType('paint').some(e => e.name === " +
			"'first-contentful-paint') && document.querySelector('.nations tfoot')")
		if rows := eval[int](b, "document.querySelectorAll('.nations tbody tr').length"); rows <
			100 {
			t.Fatalf("%d nations are shown", rows)
		}
		took = append(took, eval[float64](b,
			"new Promise(done => requestAnimationFrame(() => setTimeout(() => "+
				"done(performance.now()), 0)))"))
		if len(took) == 1 {
			if said := b.text(".nations thead"); !strings.Contains(said, "personnel") {
				t.Errorf("the heads are %s", said)
			}
			b.shot("un-nations")
		}
	}
	slices.Sort(took)
	t.Logf("painted after %.0f ms (median of %d; %.0f to %.0f)", took[len(took)/2], len(took),
		took[0], took[len(took)-1])
}
