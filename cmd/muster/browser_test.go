package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The pages are tested in a real browser: Debian's chromium-headless-shell. Where there is none the
// tests are skipped with one line, and fail where CI is set. With MUSTER_SHOTS=FOLDER each page
// that a test looks at is kept there as a picture, to be looked at.

var browserNames = []string{"chromium-headless-shell", "headless-shell", "chromium",
	"google-chrome"}

var theBrowser = struct {
	sync.Once
	ctx context.Context
	end func()
	err error
}{end: func() {}}

// shortPages are the tests that look at pages in a short run too, which is one with the race
// detector: so the server is raced while it sends pages and streams.
var shortPages = []string{"TestPageConnection", "TestPageLive"}

// browser returns the context of the one browser that all tests share; each opens tabs of its own
// in it.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() && !slices.Contains(shortPages, t.Name()) {
		t.Skip("a browser is not started in a short run")
	}
	theBrowser.Do(startBrowser)
	switch {
	case theBrowser.err != nil && os.Getenv("CI") == "true":
		t.Fatal(theBrowser.err)
	case theBrowser.err != nil:
		t.Skip(theBrowser.err)
	}
	return theBrowser.ctx
}

func startBrowser() {
	path := ""
	for _, name := range browserNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		theBrowser.err = fmt.Errorf(
			"no browser: the pages are not tested (apt-get install chromium-headless-shell)")
		return
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true))
	ctx, end := chromedp.NewContext(allocator)
	theBrowser.ctx, theBrowser.end = ctx, func() { end(); endAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		theBrowser.err = fmt.Errorf("the browser %s does not start: %w", path, err)
	}
}

// How long a page may take to show something, on a machine that is busy.
const pagePatience = 30 * time.Second

// A tab is one tab of the browser, on the pages of one server, with cookies and storage of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	url  string
	mu   sync.Mutex
	said []string // errors that the page has written to the console
}

// A tabOption sets a tab up before anything is opened in it.
type tabOption func(*tab)

// newTab opens a tab on the pages of a server. The test fails when a page of it writes an error to
// the console, such as that something is against the policy of the pages.
func newTab(t *testing.T, url string, options ...tabOption) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, url: url}
	// What opens the tab must not have a time limit, which would close it again.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900))
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(b)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, said := range b.said {
			t.Errorf("the page has written to the console: %s", said)
		}
	})
	return b
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// hear keeps the errors that a page writes. Answers that say no, and connections that break when a
// test stops the server, are no errors of the page.
func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError && ev.Entry.Source != log.EntrySourceNetwork {
			b.said = append(b.said, ev.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.said = append(b.said,
			fmt.Sprint(ev.ExceptionDetails.Text, " ", ev.ExceptionDetails.Exception))
	}
}

func noScript(b *tab) {
	call(b, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
}

func narrow(b *tab) { b.do(chromedp.EmulateViewport(390, 844)) }

func feature(name, value string) tabOption {
	return func(b *tab) {
		call(b, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
	}
}

var (
	dark  = feature("prefers-color-scheme", "dark")
	light = feature("prefers-color-scheme", "light")
	calm  = feature("prefers-reduced-motion", "reduce")
)

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.shown())
	}
}

// open goes to an address of the server, such as "/?on=2026-07-01", as somebody does who types it.
func (b *tab) open(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.url + address
	}
	b.do(chromedp.Navigate(address))
}

// eval runs an expression in the page.
func eval[T any](b *tab, expression string, args ...any) T {
	b.t.Helper()
	v, err := tryEval[T](b, fmt.Sprintf(expression, args...))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func tryEval[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// wait returns when an expression is true in the page, across navigations.
func (b *tab) wait(expression string, args ...any) {
	b.t.Helper()
	expression = fmt.Sprintf(expression, args...)
	b.until(expression, func() (bool, error) { return tryEval[bool](b, "Boolean("+expression+")") })
}

// until returns when the page is as is asked for, which what names.
func (b *tab) until(what string, is func() (bool, error)) {
	b.t.Helper()
	for end := time.Now().Add(pagePatience); ; {
		yes, err := is()
		if yes {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s (%v)\n%s", what, err, b.shown())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// shown tells for a failed test what the page says.
func (b *tab) shown() string {
	text, _ := tryEval[string](b,
		"location.href + (document.hidden ? ' (hidden)' : '') + '\\n' + "+
			"document.body.innerText.replace(/\\s+/g, ' ').slice(0, 1500)")
	return text
}

// text returns what the first element that a CSS selector finds says.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, "(document.querySelector(%s)?.innerText ?? '(there is none)').trim()",
		quoted(selector))
}

func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return eval[[]string](b, "[...document.querySelectorAll(%s)].map(e => e.innerText.trim())",
		quoted(selector))
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// says waits until an element says something.
func (b *tab) says(selector, what string) {
	b.t.Helper()
	b.wait("(document.querySelector(%s)?.innerText ?? '').includes(%s)",
		quoted(selector), quoted(what))
}

// click clicks as a person does: on what is there, seen, not covered, and twice found in the same
// place. What the page does meanwhile, such as going to another one, is waited for.
func (b *tab) click(selector string) {
	b.t.Helper()
	var at, before *[2]float64
	b.until("a place to click on "+selector, func() (bool, error) {
		before = at
		var err error
		at, err = tryEval[*[2]float64](b, fmt.Sprintf(`(() => {
			const e = document.querySelector(%s), box = () => e?.getClientRects()[0]
			if (!box()) return null
			e.scrollIntoView({block: "center", behavior: "instant"})
			const r = box(), x = r.x + r.width / 2, y = r.y + r.height / 2
			return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null
		})()`, quoted(selector)))
		return err == nil && at != nil && before != nil && *at == *before, err
	})
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// fill types into a field anew, and leaves it.
func (b *tab) fill(selector, value string) {
	b.t.Helper()
	b.wait(`(() => { const e = document.querySelector(%s); if (!e) return false; e.focus(); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`,
		quoted(selector), quoted(value))
}

// address returns the address that the tab shows, without the server.
func (b *tab) address() string {
	b.t.Helper()
	return strings.TrimPrefix(eval[string](b, "location.href"), b.url)
}

// shot keeps a picture of the whole page, where MUSTER_SHOTS says to.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("MUSTER_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// axeCore is https://github.com/dequelabs/axe-core, which finds what keeps people from using a
// page.
var axeCore = sync.OnceValues(func() ([]byte, error) {
	return os.ReadFile("testdata/axe/axe-4.14.1.min.js")
})

// What axe found in one page.
type axeResult struct {
	Violations, Incomplete []axeFinding
}

type axeFinding struct {
	ID, Help string
	Nodes    []axeNode
}

type axeNode struct {
	HTML           string
	FailureSummary string
}

// flat lays out beside each other what lies over something else while one scrolls: axe cannot tell
// the colour behind that.
const flat = "#page { width: max-content !important; max-width: none !important } .scroll { " +
	"width: max-content !important; max-width: none !important; max-height: none !important; " +
	"overflow: visible !important } th, td, tfoot *, caption { position: static !important } " +
	"#status { display: none !important } .beside { display: block !important } .opened { " +
	"position: static !important }"

// axe fails the test for whatever axe-core finds wrong on the page, and for what it cannot tell in
// a matrix: there, a red sign on red is only "incomplete" to it.
func (b *tab) axe() { b.t.Helper(); b.axeBy(allRules) }

// What axe-core is asked: all rules, those of colours, which take half of the time, or the others.
const (
	allRules = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
		"best-practice"]}`
	colourRules = `{runOnly: ["color-contrast"]}`
	otherRules  = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
		"best-practice"], rules: {"color-contrast": {enabled: false}}}`
)

func (b *tab) axeBy(rules string) {
	b.t.Helper()
	if !eval[bool](b, `"axe" in window`) { // a page that was looked at before has it
		b.bringAxe()
	}
	text := eval[string](b, `axe.run(document, %s)
		.then(r => JSON.stringify({Violations: r.violations,
			Incomplete: r.incomplete.filter(f => f.nodes.some(
				n => document.querySelector(n.target[0])?.closest("[data-matrix]")))}))`, rules)
	var r axeResult
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range slices.Concat(r.Violations, r.Incomplete) {
		for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
			b.t.Errorf("%s: axe: %s: %s\n  %.300s\n  %s", b.address(), f.ID, f.Help, n.HTML,
				n.FailureSummary)
		}
	}
}

// bringAxe makes axe-core known to the page, and lays it out so that it can tell the colours.
func (b *tab) bringAxe() {
	b.t.Helper()
	core, err := axeCore()
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := tryEval[bool](b, string(core)+"; true"); err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, `(() => {
		const flat = new CSSStyleSheet()
		flat.replaceSync(%s)
		document.adoptedStyleSheets.push(flat)
		return true
	})()`, quoted(flat))
}
