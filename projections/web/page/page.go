package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"muster/events/problem"
	"muster/projections"
	"muster/projections/web"
)

//go:embed templates static words
var files embed.FS

// Policy is what a browser may do on a page: load scripts, styles and images from the server itself
// and ask it, and nothing else. There is no inline script or style.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A Config is what pages are made of.
type Config struct {
	// Service answers the questions.
	Service *web.Service
	// Ledger tells how the ledger is kept.
	Ledger Ledger
	// Mirror tells how it goes with following another server; nil for what is no mirror.
	Mirror func() *Mirror
	// Import says what a file comes to, and Plan a plan file; nil where none is brought in, as at a
	// mirror.
	Import Importer
	Plan   Planner
	// WritePlan writes a plan file.
	WritePlan PlanWriter
}

// A Mirror is what pages say of a mirror.
type Mirror struct {
	// Of is the address of the server that it follows.
	Of string
	// Away is since when that cannot be followed, zero where it can, and Why says why, in English.
	Away time.Time
	Why  string
	// Stopped says that it follows no more, since it was shown what cannot be true.
	Stopped bool
}

// Pages serves the pages. It may be used concurrently.
type Pages struct {
	Config
	words     *catalogue
	static    map[string]asset                              // by their path
	comparing chan struct{}                                 // capacity 1: one comparison at a time
	templates func() (map[string]*template.Template, error) // by the name of the page
}

// A pageKind is one page of the site.
type pageKind struct {
	Name string // of its title among the words, and of its template, unless that has another
	// template is the name of a template that several pages share.
	template string
	path     string
	nav      bool // it stands in the list of pages on top
	more     bool // in the second row of that list
	// takes are the parameters that the page has beside those that all have: see follow.
	takes []string
	// ignores are those of the latter that the page does not apply: it keeps them for the pages
	// that it leads to, and names nothing in its head that it does not tell of.
	ignores []string
	// content answers what the template shows beside its frame.
	content func(*Pages, *frame) (any, error)
}

// kinds is the table of pages, in the order in which the top of each page lists them.
var kinds = []pageKind{
	pageOf("mine", "/mine", true, words("nation"), (*Pages).mine).ignoring("rung"),
	pageOf("coverage", "/", true, words("role show step until differences open holds at"),
		(*Pages).coverage),
	pageOf("shortfalls", "/shortfalls", true, words("role"), (*Pages).shortfalls),
	pageOf("timeline", "/timeline", true, words("role line from until step"), (*Pages).timeline),
	pageOf("compare", "/compare", true, words("from from_on nation role"), (*Pages).comparison),
	pageOf("digest", "/digest", true, words("from nation role within"), (*Pages).digest),
	pageOf("pledges", "/pledges", true, words("nation role line reference state sort"),
		(*Pages).pledges),
	pageOf("pledge", "/pledges/{id}", false, nil, (*Pages).pledge),
	pageOf("submit", "/submit", true, words("type pledge record nation role line key"),
		(*Pages).submit).ignoring(worldAsIs...),
	pageOf("desk", "/desk", false, nil, (*Pages).desk).ignoring(supposes...),
	pageOf("import", "/import", false, nil, (*Pages).importing).ignoring(worldAsIs...),
	pageOf("planfile", "/plan/file", false, nil, (*Pages).planFile).ignoring(worldAsIs...),
	pageOf("second", "/second", false, words("statement"), (*Pages).second).
		ignoring(worldAsIs...),
	pageOf("log", "/log", true, words("nation type signer import from"),
		(*Pages).log).ignoring(worldAsIs...),
	pageOf("verify", "/verify", true, words("record"), (*Pages).verify).ignoring(worldAsIs...),
	pageOf("feeds", "/feeds", false, nil, (*Pages).feeds).ignoring(worldAsIs...),
	pageOf("session", web.SignInPath, false, words("then said"), (*Pages).session),
}

// pageOf returns a page with a template of its own.
func pageOf(name, path string, nav bool, takes []string,
	content func(*Pages, *frame) (any, error)) pageKind {
	return pageKind{Name: name, path: path, nav: nav, takes: takes, content: content}
}

// ignoring has the page keep parameters that it does not apply.
func (k pageKind) ignoring(names ...string) pageKind {
	k.ignores = names
	return k
}

func init() {
	for _, t := range tables {
		kinds = append(kinds, t.kind())
	}
}

func words(s string) []string { return strings.Fields(s) }

// New returns the pages of a service.
func New(c Config) (*Pages, error) {
	p := &Pages{Config: c, static: map[string]asset{}, comparing: make(chan struct{}, 1),
		templates: readTemplates}
	var err error
	if p.words, err = readWords(files); err != nil {
		return nil, err
	}
	if err := p.readStatic(); err != nil {
		return nil, err
	}
	c.Service.RefusePage, c.Service.Languages = p.refuseEarly, languages{p.words}
	return p, nil
}

// readTemplates reads those of all pages when the first page is asked for: a server that is asked
// for none starts sooner.
var readTemplates = sync.OnceValues(func() (map[string]*template.Template, error) {
	all := map[string]*template.Template{}
	shared, err := template.New("").Funcs(printing).ParseFS(files, "templates/shared/*.html")
	if err != nil {
		return nil, err
	}
	for _, k := range append(kinds, problemPage, againKind) {
		one, err := shared.Clone()
		if err == nil {
			one, err = one.ParseFS(files, "templates/"+cmp.Or(k.template, k.Name)+".html")
		}
		if err != nil {
			return nil, err
		}
		showAll(one)
		all[k.Name] = one
	}
	return all, nil
})

// Handle adds the pages to a mux: one pattern for each, one for their files, and "GET /", which
// says that there is no such page.
func (p *Pages) Handle(mux *http.ServeMux) {
	for _, k := range kinds {
		pattern := "GET " + k.path
		if k.path == "/" {
			pattern = "GET /{$}"
		}
		mux.Handle(pattern, gzhttp.GzipHandler(
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, k) })))
	}
	mux.HandleFunc("POST "+web.SignInPath, p.serveSignOut)
	mux.Handle("POST /verify", http.HandlerFunc(p.serveCompare))
	mux.Handle("POST /feeds", gzhttp.GzipHandler(http.HandlerFunc(p.serveFeeds)))
	mux.Handle("POST /desk", gzhttp.GzipHandler(http.HandlerFunc(p.serveDesk)))
	mux.Handle("POST /import", gzhttp.GzipHandler(http.HandlerFunc(p.serveImport)))
	mux.Handle("POST /plan/file", gzhttp.GzipHandler(http.HandlerFunc(p.servePlanFile)))
	mux.Handle("GET /plan.yaml", gzhttp.GzipHandler(http.HandlerFunc(p.serveWrittenPlan)))
	mux.Handle("POST /submit", gzhttp.GzipHandler(http.HandlerFunc(p.serveSubmit)))
	mux.Handle("GET /", gzhttp.GzipHandler(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.serve(w, r, problemPage)
		})))
	mux.Handle("GET /static/{file}", gzhttp.GzipHandler(http.HandlerFunc(p.serveStatic)))
}

// serve answers with a page, or with the same page telling what is wrong with its address.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, k pageKind) {
	speaker := p.words.speakerFor(r)
	values, err := valuesOf(speaker, r)
	if err == nil && tidy(values) {
		there := url.URL{Path: string(web.BaseOf(r.Context())) + r.URL.Path,
			RawQuery: values.Encode()}
		http.Redirect(w, r, there.String(), http.StatusSeeOther)
		return
	}
	if err == nil {
		err = k.unknown(speaker, values)
	}
	f, hidden := p.frame(r, k, values)
	if k.Name == "session" && problem.Is(hidden, problem.SignedOut) {
		hidden = nil
	}
	f.id = printable(r.PathValue("id"))
	var content any
	if err = first(hidden, err); err == nil {
		content, err = k.content(p, f)
	}
	if err == nil {
		f.finish()
		p.write(w, f, http.StatusOK, k.Name, content)
		return
	}
	p.refuse(w, f, web.AskLess(p.Service.WhyEnded(f.ctx, err), k.mayTake(values)))
}

// first returns what is told of a page that may not be shown, and whose address is wrong: to whom
// nothing is shown, nothing else is told.
func first(hidden, wrong error) error {
	if problem.Is(hidden, problem.SignedOut) {
		return hidden
	}
	return cmp.Or(wrong, hidden)
}

// refuseEarly answers with what is wrong with a request before its page was begun, and reports
// whether it is for a page. Nothing of the address is in the answer.
func (p *Pages) refuseEarly(w http.ResponseWriter, r *http.Request, err error) bool {
	for _, k := range kinds {
		at, _, _ := strings.Cut(k.path, "{")
		if r.URL.Path != at && (at == k.path || !strings.HasPrefix(r.URL.Path, at)) {
			continue
		}
		if why := problem.From(err); why.Kind == problem.SignedOut {
			p.askToSignIn(w, r, why)
			return true
		}
		bare := r.Clone(r.Context())
		bare.URL = &url.URL{Path: "/"}
		f, _ := p.frame(bare, k, url.Values{})
		p.refuse(w, f, err)
		return true
	}
	return false
}

// refuse answers with what is wrong, in the frame of the page that was asked for.
func (p *Pages) refuse(w http.ResponseWriter, f *frame, err error) {
	f.Problem = problem.From(err)
	if f.Problem.Kind == problem.SignedOut {
		p.askToSignIn(w, f.request, f.Problem)
		return
	}
	f.Basis = projections.Basis{} // of what could not be answered there is none
	f.finish()
	p.write(w, f, f.Problem.Kind.Status, problemPage.Name, f)
}

// problemPage tells what is wrong, in the frame of the page that was asked for; asked for itself,
// that there is no such page.
var problemPage = pageKind{Name: "problem", content: func(_ *Pages, f *frame) (any, error) {
	return nil, f.refusal(problem.NotFound, "problem.no-page", printable(f.path))
}}

func (p *Pages) write(w http.ResponseWriter, f *frame, status int, name string, data any) {
	var body shortened
	all, err := p.templates()
	if err == nil {
		err = all[name].ExecuteTemplate(&body, "page", data)
	}
	if err != nil {
		p.giveUp(w, name, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	if f.Who().SignedIn() || name == againKind.Name {
		h.Set("Cache-Control", "no-store")
	}
	h.Add("Vary", "Accept-Language")
	guard(h)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// A shortened page has an end: what would be longer is no page.
type shortened struct{ bytes.Buffer }

var errTooLong = problem.New(problem.TooMuch, "the page would have more than %d MB",
	web.MaxPageBody>>20).
	WithHint("narrow the list, or take it as CSV")

// Write implements io.Writer.
func (s *shortened) Write(data []byte) (int, error) {
	if s.Len()+len(data) > web.MaxPageBody {
		return 0, errTooLong
	}
	if (s.Len()+len(data))/giveWayAfter > s.Len()/giveWayAfter {
		runtime.Gosched()
	}
	return s.Buffer.Write(data)
}

// giveWayAfter is after how many bytes a page lets statements pass by.
const giveWayAfter = 1 << 10

// giveUp says in plain text why a page cannot be shown.
func (p *Pages) giveUp(w http.ResponseWriter, name string, err error) {
	why := problem.From(err)
	if errors.Is(err, errTooLong) {
		p.Service.Bites.Budget.Add(1)
		http.Error(w, why.Detail+"\n"+why.Hint, why.Kind.Status)
		return
	}
	http.Error(w, fmt.Sprintf("the page %s cannot be shown: %v", name, err),
		http.StatusInternalServerError)
}

func guard(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// An asset is a file that pages load.
type asset struct {
	data        []byte
	contentType string
	tag         string // of its content, which its address carries, so that browsers may keep it
}

var contentTypes = map[string]string{".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".svg": "image/svg+xml"}

func (p *Pages) readStatic() error {
	return fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		sum := sha256.Sum256(data)
		p.static[path.Base(name)] = asset{data, contentTypes[path.Ext(name)],
			hex.EncodeToString(sum[:8])}
		return err
	})
}

// address returns where a page loads a file from, below the server's base.
func (p *Pages) address(file string) string {
	return "/static/" + file + "?v=" + p.static[file].tag
}

func (p *Pages) serveStatic(w http.ResponseWriter, r *http.Request) {
	a, ok := p.static[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	guard(h)
	_, _ = w.Write(a.data)
}
