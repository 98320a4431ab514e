package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"

	"muster/cmd/internal/server"
	"muster/events/build"
)

// handClock gives a page a clock that the test moves, with moveTo. What the page puts off for more
// than ten seconds waits for that clock; all else for the machine's.
const handClock = `(() => {
	const soon = setTimeout, moved = Date, waiting = []
	let now = moved.parse("%s")
	window.Date = class extends moved {
		constructor(...args) { args.length ? super(...args) : super(now) }
		static now() { return now }
	}
	window.setTimeout = (f, ms, ...args) => ms > 10e3 ? waiting.push({ f, at: now + ms }) : soon(f, ms, ...args)
	window.moveTo = time => {
		now = moved.parse(time)
		const due = waiting.filter(w => w.at <= now)
		for (const w of due) { waiting.splice(waiting.indexOf(w), 1); w.f() }
		return due.length
	}
})()`

// handClocked opens a tab whose pages begin at a time and have a clock of the test's own.
func handClocked(begin string) tabOption {
	return func(b *tab) {
		call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: strings.Replace(handClock, "%s", begin, 1)})
	}
}

// A page that shows today goes over to the new day when that has begun on the server, without being
// touched; one about a date, or about what was known then, stays.
func TestPageGoesOverAtMidnight(t *testing.T) {
	t.Parallel()
	const evening, midnight = "2190-02-09T23:30:00Z", "2190-02-10T00:00:01Z"
	browser(t)
	url, setClock := clockedServer(t, evening)
	tabs := map[string]*tab{}
	for _, address := range []string{
		"/", "/?on=today", "/?show=nations", "/shortfalls", "/?on=2190-02-09", "/?as_of=6"} {
		b := newTab(t, url, handClocked(evening))
		b.open(address)
		b.wait("document.getElementById('page')?.dataset.today === '2190-02-09'")
		tabs[address] = b
	}
	south := `tr[data-line="later/south"] td.cell:nth-of-type(2)` // on the day that is shown
	tabs["/"].says(south, "not in force")
	tabs["/"].shot("midnight-before")
	setClock(midnight)
	for address, b := range tabs {
		if due := eval[int](b, "moveTo('2190-02-10T00:00:01Z')"); due != 1 {
			t.Errorf("%s: %d things were due at midnight", address, due)
		}
	}
	for address, b := range tabs {
		if strings.Contains(address, "on=2190") || strings.Contains(address, "as_of") {
			b.wait("document.getElementById('page').dataset.today === '2190-02-09'")
			continue
		}
		b.wait("document.getElementById('page').dataset.today === '2190-02-10'")
	}
	tabs["/"].says(south, "60 of 100")
	tabs["/"].shot("midnight-after")
	// It is not the last midnight.
	setClock("2190-02-11T00:00:01Z")
	tabs["/"].wait("moveTo('2190-02-11T00:00:05Z') >= 0 && " +
		"document.getElementById('page').dataset.today === '2190-02-11'")
}

// clockedServer starts a server with the operation that begins in 2190 and a clock that the test
// sets.
func clockedServer(t *testing.T, now string) (url string, set func(string)) {
	t.Helper()
	dir := t.TempDir()
	s, err := server.Start(t.Context(), server.Config{Dir: filepath.Join(dir, "ledger"),
		Listen: "127.0.0.1:0", Name: "a", Title: "test", Version: build.Version(),
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	plan := filepath.Join(dir, "later.plan.yaml")
	if err := os.WriteFile(plan, []byte(aheadPlan), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUser(t)
	u.content(t, "plan", "apply", plan, "--data", filepath.Join(dir, "ledger"))
	u.content(t, "pledge", "offer", "--operation", "later", "--nation", "FRA", "--role", "ground",
		"--area", "south", "--quantity", "60", "--from", "2190-01-01",
		"--data", filepath.Join(dir, "ledger"))
	var clock atomic.Pointer[time.Time]
	set = func(text string) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		clock.Store(&at)
	}
	set(now)
	s.Questions.Now = func() time.Time { return *clock.Load() }
	return s.URL(), set
}
