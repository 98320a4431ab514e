package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// A walk asks two servers the same, and counts where their answers part.
type walk struct {
	sides  [2]side
	stops  []func() error
	pairs  bool // each two parameters are asked together too
	most   int  // differences to show
	each   int  // addresses to read of each page
	out    io.Writer
	began  string              // before the servers were started, as pages write it
	counts map[string]*counted // by what was asked
}

// A side is where one of the two answers.
type side struct {
	url  string
	nats *nats.Conn
}

// Counted says how many answers there were, how many of both were refusals, how many never came in
// time on either side, and how many differed.
type counted struct{ asked, refused, late, differ int }

// An answer is what is compared.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// late says that the server had no time or no room for the question.
func (a answer) late() bool {
	return a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests
}

// all asks everything that two running servers can be asked.
func (w *walk) all(ctx context.Context) error {
	document := w.get(ctx, "documents", "/openapi.json")
	for _, path := range []string{"/openapi-3.0.json", "/docs", "/healthz", "/checkpoint",
		"/tile/0/000", "/tile/entries/000", "/tile/entries/000.p/55"} {
		w.get(ctx, "documents", path)
	}
	v, err := w.valuesOf(ctx)
	if err != nil {
		return err
	}
	if err := w.questions(ctx, document, v); err != nil {
		return err
	}
	for _, lang := range []string{"en", "fr"} {
		w.pages(ctx, lang)
	}
	return ctx.Err()
}

// get asks both for one path, compares the answers, and returns the first.
func (w *walk) get(ctx context.Context, of, path string) []byte {
	var answers [2]answer
	for range 3 {
		w.both(func(i int) { answers[i] = w.answerOf(ctx, w.sides[i].url+path) })
		if !answers[0].late() && !answers[1].late() {
			break
		}
	}
	w.count(of, path, answers)
	return answers[0].body
}

func (w *walk) both(do func(i int)) {
	var g sync.WaitGroup
	for i := range w.sides {
		g.Go(func() { do(i) })
	}
	g.Wait()
}

var client = &http.Client{
	Timeout:       2 * time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// onPage is how pages write a time.
var onPage = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

// formID is the id that a form gives to the statement which is to be made of it: another one each
// time.
var formID = regexp.MustCompile(`name="id" value="[0-9A-Z]{26}"`)

// copiesRead is what a server tells of how far, and when, it has read its two copies.
var copiesRead = regexp.MustCompile(`"copies":\{[^}]*\}`)

// answerOf asks one server.
func (w *walk) answerOf(ctx context.Context, address string) (a answer) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	req.Host = host
	resp, err := client.Do(req)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	defer resp.Body.Close()
	a = answer{status: resp.StatusCode, header: resp.Header}
	a.header.Del("Date")
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		a.body = append(a.body, err.Error()...)
	}
	if strings.HasSuffix(address, "/healthz") {
		a.body = copiesRead.ReplaceAllLiteral(a.body, []byte(`"copies":{}`))
		a.header.Del("Content-Length")
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		a.body = onPage.ReplaceAllFunc(a.body, func(at []byte) []byte {
			if string(at) < w.began {
				return at
			}
			return []byte("after the servers were started")
		})
		a.body = formID.ReplaceAllLiteral(a.body, []byte(`name="id" value="new"`))
	}
	return a
}

// count compares two answers, and shows where they part.
func (w *walk) count(of, what string, answers [2]answer) {
	if w.counts == nil {
		w.counts = map[string]*counted{}
	}
	if w.counts[of] == nil {
		w.counts[of] = new(counted)
	}
	c := w.counts[of]
	c.asked++
	a, b := answers[0], answers[1]
	switch {
	case a.late() && b.late():
		c.late++
	case a.status >= http.StatusBadRequest:
		c.refused++
	}
	if a.status == b.status && bytes.Equal(a.body, b.body) &&
		maps.EqualFunc(a.header, b.header, slices.Equal) {
		return
	}
	c.differ++
	if w.most--; w.most >= 0 {
		fmt.Fprintf(w.out, "%s\n- %s\n+ %s\n", what, a.from(b), b.from(a))
	}
}

// shown is how many bytes are shown of an answer, from a little before it parts from the other.
const shown = 160

// from describes an answer where it parts from the other one.
func (a answer) from(b answer) string {
	if a.status != b.status {
		return fmt.Sprintf("status %d: %.*q", a.status, shown, a.body)
	}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if !slices.Equal(a.header[name], b.header[name]) {
			return fmt.Sprintf("%s: %q", name, a.header[name])
		}
	}
	at := 0
	for at < min(len(a.body), len(b.body)) && a.body[at] == b.body[at] {
		at++
	}
	part := a.body[max(0, at-shown/4):]
	return fmt.Sprintf("%d bytes, from byte %d: %.*q", len(a.body), at, shown, part)
}

// conclude tells what was asked, and whether anything differs.
func (w *walk) conclude() error {
	differ := 0
	for _, of := range slices.Sorted(maps.Keys(w.counts)) {
		c := w.counts[of]
		fmt.Fprintf(w.out, "%-10s %6d asked, %5d refused, %d never in time, %d differ\n",
			of, c.asked, c.refused, c.late, c.differ)
		differ += c.differ
	}
	if differ > 0 {
		return fmt.Errorf("compare: %d answers differ", differ)
	}
	fmt.Fprintln(w.out, "All answers are the same, byte for byte.")
	return nil
}

// Values are what can be given for a parameter, by its name. The last one is the usual.
type values map[string][]string

// valuesOf takes values from the records: of each member the one that most have and the one that
// fewest have, and from the first, middle and last records what else there is.
func (w *walk) valuesOf(ctx context.Context) (values, error) {
	var ledger struct {
		AsOf uint64 `json:"as_of"`
	}
	first := w.get(ctx, "documents", "/api/v1/records?limit=1")
	if err := json.Unmarshal(first, &ledger); err != nil {
		return nil, err
	}
	last := ledger.AsOf
	v := values{
		"min_seq": {fmt.Sprint(last)}, "limit": {"3"}, "within": {"30"}, "days": {"3"},
		"by": {"operation", "nation,role,operation"}, "discharge": {"cease-fire"},
		"type": {"pledge", "pledge.offered"}, "signer": {"HQ/founder"},
	}
	seen := map[string]map[string]int{}
	for _, from := range []uint64{1, last / 2, last - min(last, 200) + 1} {
		page := fmt.Sprintf("/api/v1/records?from=%d&limit=200", max(1, from))
		body := w.get(ctx, "documents", page)
		if err := v.learn(body, seen); err != nil {
			return nil, err
		}
	}
	for name, of := range seen {
		all := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
			return cmp.Or(cmp.Compare(of[a], of[b]), strings.Compare(a, b))
		})
		v[name] = []string{all[0], all[len(all)-1]}
	}
	v.moments(last)
	return v, nil
}

// learn takes in a page of the log.
func (v values) learn(page []byte, seen map[string]map[string]int) error {
	var log struct {
		Records []struct{ Type, ID, Recorded, Stored string }
	}
	if err := json.Unmarshal(page, &log); err != nil {
		return err
	}
	for _, r := range log.Records {
		lines := strings.SplitN(r.Stored, "\n", 3)
		var said map[string]any
		if err := json.Unmarshal([]byte(lines[1]), &said); err != nil {
			return err
		}
		said["recorded"] = r.Recorded
		for name, value := range said {
			if text, ok := value.(string); ok && name != "note" && name != "seen" {
				if seen[name] == nil {
					seen[name] = map[string]int{}
				}
				seen[name][text]++
			}
		}
		if strings.HasPrefix(r.Type, "pledge.") && said["pledge"] == nil {
			v["pledge ids"] = append(v["pledge ids"], r.ID)
			another := strings.Replace(lines[1], r.ID, r.ID[:len(r.ID)-1]+"Z", 1)
			v["statements"] = append(v["statements"], another)
		}
	}
	return nil
}

// moments derives the rest: the two clocks, and who is left out.
func (v values) moments(last uint64) {
	v["as_of"] = append(slices.Clone(v["recorded"]),
		"1", fmt.Sprint(last/3+1), fmt.Sprint(last*2/3+1))
	days := slices.Sorted(slices.Values(append(v["effective"], "2026-07-01")))
	first, middle, end := days[0], days[len(days)/2], days[len(days)-1]
	v["on"] = []string{"today", first + "..", first + ".." + middle, end, middle}
	v["from"] = []string{fmt.Sprint(last / 2), first}
	v["to"] = []string{fmt.Sprint(last)}
	v["from_on"], v["to_on"], v["until"] = []string{first}, []string{end}, []string{end}
	v["without"] = v["nation"]
	v["only"] = v["role"]
	v["record"] = []string{"1", fmt.Sprint(last/2 + 1), fmt.Sprint(last)}
	ids := v["pledge ids"]
	v["id"], v["after"] = nil, nil
	if len(ids) > 0 {
		v["id"] = []string{ids[0], ids[len(ids)/2], ids[len(ids)-1]}
		v["after"] = []string{ids[len(ids)/2]}
		all := v["statements"]
		v["statements"] = []string{all[0], all[len(all)-1]}
	}
}

// A parameter is one of a question, as the API's document has it.
type parameter struct {
	Name   string
	In     string
	Schema struct {
		Type string
		Enum []string
	}
}

// of returns what to give for a parameter: what the document says, or else what the records have.
func (v values) of(p parameter) []string {
	switch {
	case p.Schema.Type == "boolean":
		return []string{"true"}
	case len(p.Schema.Enum) > 0:
		return p.Schema.Enum
	default:
		return v[p.Name]
	}
}

// questions asks every question in each of its forms, with all parameter sets.
func (w *walk) questions(ctx context.Context, document []byte, v values) error {
	var api struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []parameter
		}
	}
	if err := json.Unmarshal(document, &api); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		get, ok := api.Paths[path]["get"]
		if !ok || strings.HasSuffix(path, "/events") || !strings.HasPrefix(path, "/api/") {
			continue
		}
		of := "JSON"
		if strings.HasSuffix(path, ".csv") {
			of = "CSV"
		}
		for _, set := range w.sets(get.Parameters, v) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.get(ctx, of, fill(path, set))
			if of == "JSON" {
				w.request(get.OperationID, set)
			}
		}
	}
	return nil
}

// fill writes a set of parameters into a path, and behind it.
func fill(path string, set map[string]string) string {
	query := url.Values{}
	for name, value := range set {
		if in := "{" + name + "}"; strings.Contains(path, in) {
			path = strings.Replace(path, in, url.PathEscape(value), 1)
		} else {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// sets returns what to ask a question with: nothing but what is in its path, each parameter by
// itself, each two together with what is usual, and one that there is not.
func (w *walk) sets(parameters []parameter, v values) (all []map[string]string) {
	var free []parameter
	paths := []map[string]string{{}}
	for _, p := range parameters {
		if p.In != "path" {
			free = append(free, p)
			continue
		}
		var more []map[string]string
		for _, set := range paths {
			for _, value := range v.of(p) {
				more = append(more, with(set, p.Name, value))
			}
		}
		paths = more
	}
	for _, set := range paths {
		all = append(all, set, with(set, "nonsense", "1"))
	}
	if len(paths) == 0 {
		return all
	}
	usual := paths[len(paths)-1]
	for i, p := range free {
		given := v.of(p)
		for _, value := range given {
			all = append(all, with(usual, p.Name, value))
		}
		for _, q := range free[:i] {
			if others := v.of(q); w.pairs && len(given) > 0 && len(others) > 0 {
				one := with(usual, p.Name, given[len(given)-1])
				all = append(all, with(one, q.Name, others[len(others)-1]))
			}
		}
	}
	return all
}

func with(set map[string]string, name, value string) map[string]string {
	set = maps.Clone(set)
	set[name] = value
	return set
}

// request asks over NATS what was asked over HTTP. Who asks there about a session signs in with a
// note of its own, which no two servers take.
func (w *walk) request(question string, set map[string]string) {
	if w.sides[0].nats == nil || question == "session" {
		return
	}
	body, _ := json.Marshal(set)
	var answers [2]answer
	w.both(func(i int) {
		m, err := w.sides[i].nats.Request("muster."+question, body, 2*time.Minute)
		if err != nil {
			answers[i].body = []byte(err.Error())
			return
		}
		answers[i] = answer{header: http.Header(m.Header), body: m.Data}
		if code := m.Header.Get(micro.ErrorCodeHeader); code != "" {
			answers[i].status, _ = strconv.Atoi(code)
		}
	})
	w.count("NATS", "muster."+question+" "+string(body), answers)
}

var (
	link    = regexp.MustCompile(`(?:href|src|hx-get)="(/[^"]*)"`)
	idsAway = regexp.MustCompile(`[0-9A-Z]{26}`)
)

// pages reads the pages as far as their links lead.
func (w *walk) pages(ctx context.Context, lang string) {
	next := []string{"/?lang=" + lang}
	known, read := map[string]bool{next[0]: true}, map[string]int{}
	for len(next) > 0 && ctx.Err() == nil {
		path := next[0]
		next = next[1:]
		page, _, _ := strings.Cut(path, "?")
		page = idsAway.ReplaceAllString(page, "{id}")
		if read[page]++; read[page] > w.each || strings.HasSuffix(page, "/events") {
			continue
		}
		body := w.get(ctx, "pages "+lang, path)
		for _, m := range link.FindAllSubmatch(body, -1) {
			to := html.UnescapeString(string(m[1]))
			if !known[to] && !strings.HasPrefix(to, "/api/") {
				known[to] = true
				next = append(next, to)
			}
		}
	}
}
