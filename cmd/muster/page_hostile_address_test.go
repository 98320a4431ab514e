package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"muster/events"
)

// hostileValues are what an address can give for any parameter, and what each is.
var hostileValues = map[string]string{
	"garbage":       "garbage",
	"long":          strings.Repeat("x", 10_000),
	"a path":        "../../x",
	"a path with /": "//evil.example/x",
	"a NUL":         "a\x00b",
	"a new line":    "a\r\nSet-Cookie: b=c",
	"an escape":     "\x1b[31m",
	"no UTF-8":      "a\xff\xfe",
	"a script":      `"><script>alert(1)</script>`,
	"a scheme":      "javascript:alert(1)",
	"turned":        "\u202Ex",
	"negative":      "-1",
	"nothing":       "0",
	"too large":     "99999999999999999999999",
	"too many days": "0001-01-01..9999-12-31",
	"backwards":     "2026-07-01..2026-06-01",
}

// pageParameters are the parameters that each page has beside those that all have.
var pageParameters = map[string][]string{
	"/": {"open", "holds", "at", "show", "step", "differences",
		"until", "role"},
	"/shortfalls":                         {"role"},
	"/timeline":                           {"role", "line", "from", "until", "step"},
	"/compare":                            {"from", "from_on", "nation", "role"},
	"/digest":                             {"from", "nation", "role", "within"},
	"/pledges":                            {"nation", "role", "state", "sort"},
	"/pledges/01KAQ7Z0V4T5W9J8M3N2P6R1XC": {},
	"/submit": {"type", "pledge", "record", "nation", "role", "line",
		"key"},
	"/desk":      {},
	"/import":    {},
	"/plan/file": {},
	"/second":    {"statement"},
	"/mine":      {"nation"},
	"/due":       {"nation", "role", "within"},
	"/members":   {},
	"/log":       {"nation", "type", "signer", "from"},
	"/verify":    {"record"},
}

var everyPageTakes = []string{"as_of", "on", "rung", "operation", "without", "without_conditional",
	"without_caveated", "discharge", "view", "lang"}

// nobodyAsks are parameters that no page has: some of the API, and one of nobody.
var nobodyAsks = []string{"limit", "wait", "cursor", "id", "min_seq", "nobody-asks"}

// staying asks without following where an answer leads.
var staying = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}, Timeout: pagePatience}

// framed asks for an address, and fails the test unless a page answers, with its frame, under the
// policy, and with nothing in it that an address must not put there; what is refused must be told.
// It returns the status and the page.
func framed(t *testing.T, name string, req *http.Request) (int, string) {
	t.Helper()
	elapsed := stopwatch()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	body := string(data)
	underPolicy(t, name, resp.Header)
	if resp.StatusCode >= 500 {
		t.Errorf("%s: %s\n%.300s", name, resp.Status, body)
	}
	for _, part := range []string{"<nav ", `<main id="content"`,
		`<footer class="foot"`, "</html>"} {
		if !strings.Contains(body, part) {
			t.Errorf("%s: %s: there is no %s in the page", name, resp.Status, part)
		}
	}
	if resp.StatusCode >= 400 && !strings.Contains(body, `class="problem"`) {
		t.Errorf("%s: %s: the page does not say what is wrong", name, resp.Status)
	}
	for _, part := range []string{"<script>alert", `href="javascript:`, `href="//`, `action="//`,
		"ZgotmplZ", "%!", "\u202e\"",
		"record 0", ", of .", ", recorded <", "enregistrement 0", ", du .", ", du <"} {
		if strings.Contains(body, part) {
			t.Errorf("%s: %s: %s is in the page", name, resp.Status, part)
		}
	}
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if i := strings.IndexFunc(body, control); i >= 0 || !utf8.ValidString(body) {
		t.Errorf("%s: %s: the page has control characters, or bytes that are no text: %q", name,
			resp.Status, body[max(0, i):min(len(body), i+60)])
	}
	if len(resp.Cookies()) > 0 || len(body) > 3<<20 || elapsed() > pagePatience/2 {
		t.Errorf("%s: %d cookies, %d bytes, %s", name, len(resp.Cookies()), len(body), elapsed())
	}
	return resp.StatusCode, body
}

// From before the first record, every page shows that nothing was known, and what is wrong is told
// in the frame of the ledger as it is now.
func TestPagesBeforeTheFirstRecord(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	says := func(address, what string) string {
		_, body := framed(t, address, request(t, http.MethodGet, server+address, nil))
		if !strings.Contains(body, what) {
			t.Errorf("%s does not say %q", address, what)
		}
		return body
	}
	for path := range pageParameters {
		if strings.Contains(path, "01K") || path == "/second" {
			continue // the page of one thing, which there was not yet
		}
		body := says(path+"?as_of=2001-02-03", "As known before the first record.")
		if !strings.Contains(body, `value="2001-02-03"`) || strings.Contains(body, "Albania") {
			t.Errorf("%s: its clock is not set, or it knows of Albania", path)
		}
		says(path+"?as_of=2001-02-03&lang=fr", "Tel que connu avant le premier enregistrement.")
	}
	says("/compare?from=2001-02-03", "before the first")
	says("/compare?from=-9999w", "Albania")
	for _, wrong := range []string{"/?rung=top", "/nothing", "/?as_of=999999", "/compare?from=x"} {
		body := says(wrong, `<footer class="foot">`)
		if !regexp.MustCompile(`As of record [1-9][0-9]*, recorded 20`).MatchString(body) ||
			strings.Contains(body, `class="banner`) {
			t.Errorf("%s: its foot does not say of which record it is, or its banner does:\n%s",
				wrong, body)
		}
	}
}

// Whatever an address says, a page answers, in its frame, and says what is wrong. No address makes
// the server stumble.
func TestPageHostileAddress(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	for path, more := range pageParameters {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, parameter := range slices.Concat(more, everyPageTakes, nobodyAsks) {
				for what, value := range hostileValues {
					name := fmt.Sprintf("%s with %s as %s", path, what, parameter)
					framed(t, name, request(t, http.MethodGet,
						server+path+"?"+url.Values{parameter: {value}}.Encode(), nil))
				}
				name := fmt.Sprintf("%s with %s given twice", path, parameter)
				status, body := framed(t, name,
					request(t, http.MethodGet, server+path+"?"+parameter+"=2&"+parameter+"=1", nil))
				if status != http.StatusBadRequest ||
					!strings.Contains(body, "is given 2 times: write it once") {
					t.Errorf("%s: %d", name, status)
				}
			}
			all := url.Values{}
			for _, parameter := range slices.Concat(more, everyPageTakes) {
				all.Set(parameter, "../\x00"+parameter)
			}
			framed(t, path+" with all at once",
				request(t, http.MethodGet, server+path+"?"+all.Encode(), nil))
			for _, query := range []string{"on=%zz", "a;b", "%", "=", "&&&", "%00=%00", "%ff=%fe",
				"?", strings.Repeat("a=b&", 1000)} {
				status, _ := framed(t, path+"?"+query,
					request(t, http.MethodGet, server+path+"?"+query, nil))
				if garbled := slices.Contains([]string{"on=%zz", "a;b", "%"}, query); garbled &&
					status != http.StatusBadRequest {
					t.Errorf("%s?%s: %d, and it cannot be read", path, query, status)
				}
			}
		})
	}
}

// What is no page, or no pledge, is said in the frame too.
func TestPageHostilePath(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	for path, want := range map[string]int{
		"/nothing": 404, "/coverage.html": 404, "/pledges/": 404, "/pledges/a/b": 404,
		"/.git/config": 404, "/%00": 404, "/%ff": 404, "/static/x.js/y": 404,
		"/" + strings.Repeat("x", 3000): 404, "/" + strings.Repeat("x", 10_000): 414,
		"/pledges/%2e%2e%2fsubmit": 422, "/pledges/%3Cscript%3Ealert(1)%3C%2Fscript%3E": 422,
		"/pledges/%00": 422, "/pledges/%ff": 422, "/pledges/%0d%0aa:b": 422,
		"/pledges/" + strings.Repeat("x", 3000):   422,
		"/pledges/" + strings.Repeat("x", 10_000): 414,
		"/pledges/01KAQ7Z0V4T5W9J8M3N2P6R1XC":     404,
	} {
		if status, _ := framed(t, path[:min(60, len(path))],
			request(t, http.MethodGet, server+path, nil)); status != want {
			t.Errorf("%.60s: %d, want %d", path, status, want)
		}
	}
	for _, path := range []string{"//evil.example", "//evil.example/?a=", "/?a=&b=//evil.example",
		"/\\evil.example/..", "/./?a=", "/pledges/../?on=&lang=//evil.example"} {
		resp, err := staying.Do(request(t, http.MethodGet, server+path, nil))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if to := resp.Header.Get("Location"); to != "" &&
			(!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
				strings.HasPrefix(to, "/\\")) {
			t.Errorf("%s leads to another site: %s", path, to)
		}
	}
}

// Whatever the form is given comes back in it as text, with what is wrong.
func TestPageHostileForm(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	fields := []string{"type", "pledge", "id", "seen_size", "seen_root", "operation", "nation",
		"role", "quantity", "unit", "area", "line", "from", "until", "notice_to_move", "presence",
		"release", "releasable_to", "expires", "predecessor", "successor", "elsewhere", "source",
		"note", "effective", "reason", "condition", "kind"}
	post := func(name, query string, form url.Values) int {
		req := request(t, http.MethodPost, server+"/submit"+query, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, _ := framed(t, name, req)
		return status
	}
	for what, value := range hostileValues {
		// What was typed is given back for mending, and these are told beside it.
		if strings.IndexFunc(value, unicode.IsControl) >= 0 {
			continue
		}
		all := url.Values{"type": {"pledge.offered"}}
		for _, field := range fields[2:] {
			all.Set(field, value)
		}
		if status := post("all fields with "+what, "", all); status != 422 && status != 413 &&
			status != 400 {
			t.Errorf("all fields with %s: %d", what, status)
		}
		for _, field := range fields {
			one := url.Values{"type": {"pledge.offered"}, "operation": {"mnf-u"}, "nation": {"FRA"},
				"role": {"air"}, "quantity": {"3"}, "unit": {"aircraft"}, "from": {"2026-03-01"},
				"effective": {"2026-01-15"}}
			one.Set(field, value)
			post("the field "+field+" with "+what, "", one)
		}
	}
	if status := post("a form that is too large", "",
		url.Values{"note": {strings.Repeat("x", 4*events.MaxBytes)}}); status != 413 {
		t.Errorf("a form that is too large: %d", status)
	}
	post("an address that cannot be read", "?on=%zz", url.Values{"type": {"pledge.offered"}})
	framed(t, "no form", request(t, http.MethodPost, server+"/submit",
		strings.NewReader("\x00\xff")))
}

// A page of another site sends a statement, signed and good as it may be, and a form, from the
// reader's own browser: nothing comes of it.
func TestPageHostileSite(t *testing.T) {
	t.Parallel()
	server, dir := ownDemo(t)
	france := newAuthor(t, server, dir, "keys/FRA-demo.key")
	note := france.signs("scope.declared",
		map[string]any{"unlimited": true, "note": "sent by another site"})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w,
			"<!doctype html><title>other</title><link rel=icon href=data:,><p>Another "+
				"site</p><iframe src='"+server+"/submit'></iframe>")
	}))
	defer site.Close()
	b := newTab(t, site.URL)
	b.open("/")
	b.mu.Lock()
	b.said = nil // that the frame is refused is told, and meant
	b.mu.Unlock()
	send := `fetch(%s, {method: "POST", mode: %s, credentials: "include", headers: {"Content-Type": "text/plain"}, body: %s}).then(r => r.type + " " + r.status, () => "refused")`
	for path, body := range map[string]string{"/api/v1/statements": string(note.Note),
		"/submit": "type=pledge.offered", "/verify": ""} {
		// What is answered is kept from it even as an answer that it cannot read.
		if said := eval[string](b, send, quoted(server+path), `"no-cors"`,
			quoted(body)); said != "refused" {
			t.Errorf("another site that sends to %s is told %s", path, said)
		}
		if said := eval[string](b, send, quoted(server+path), `"cors"`,
			quoted(body)); said != "refused" {
			t.Errorf("another site may read what %s answers: %s", path, said)
		}
		for _, head := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}},
			{"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://elsewhere.example"}},
			{"Origin": {"null"}}} {
			req := request(t, http.MethodPost, server+path, strings.NewReader(body))
			req.Header = head
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %v: %s", path, head, resp.Status)
			}
		}
	}
	for _, path := range []string{"/api/v1/coverage", "/api/v1/records.csv", "/checkpoint", "/"} {
		if said := eval[string](b, `fetch(%s).then(() => "read", () => "refused")`,
			quoted(server+path)); said != "refused" {
			t.Errorf("another site has %s %s", said, path)
		}
	}
	if framed := eval[bool](b,
		"(() => { try { return document.querySelector('iframe').contentDocument !== null } "+
			"catch { return true } })()"); framed {
		t.Error("another site has a page in a frame, and reads it")
	}
	b.mu.Lock()
	b.said = nil // that nothing may be read is told, and meant
	b.mu.Unlock()
	var scopes struct {
		Scopes []struct {
			Nation events.Nation
			Note   string
		}
	}
	getJSON(t, server+"/api/v1/scopes", &scopes)
	for _, s := range scopes.Scopes {
		if s.Note == "sent by another site" {
			t.Error("what another site has sent is recorded")
		}
	}
	if _, err := france.client.Submit(t.Context(), note); err != nil {
		t.Errorf("what another site has sent would not have been taken anyway: %v", err)
	}
}

// A page takes the parameters that it has, each once, and no others: who mistypes one would else be
// shown other figures than were asked for.
func TestPageUnknownParameter(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	for path, takes := range pageParameters {
		for _, name := range nobodyAsks {
			status, body := framed(t, path,
				request(t, http.MethodGet, server+path+"?lang=fr&"+name+"=1", nil))
			if status != http.StatusBadRequest ||
				!strings.Contains(body, name+"\u00a0: inconnu\u00a0: cette page "+
					"accepte operation, as_of,") {
				t.Errorf("%s with %s: %d", path, name, status)
			}
		}
		for _, name := range slices.Concat(takes, everyPageTakes) {
			_, body := framed(t, path,
				request(t, http.MethodGet, server+path+"?"+name+"=true", nil))
			if strings.Contains(body, "unknown: this page takes") {
				t.Errorf("%s does not take %s", path, name)
			}
		}
	}
	form := url.Values{"type": {"pledge.offered"}, "nation": {"FRA", "DEU"}, "colour": {"red"}}
	post := request(t, http.MethodPost, server+"/submit", strings.NewReader(form.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := framed(t, "the form", post)
	for _, want := range []string{"unknown: the form has no such field",
		"is given 2 times: write it once"} {
		if status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("the form: %d, and not %s", status, want)
		}
	}
}

// However long an address is, the answer is short, and a page where one was asked for.
func TestPageLongAddress(t *testing.T) {
	t.Parallel()
	server := demoServer(t)
	for path := range pageParameters {
		for _, query := range []string{"x=" + strings.Repeat("a", 20_000),
			"without=" + strings.Repeat("FRA,", 4000)} {
			status, body := framed(t, path, request(t, http.MethodGet, server+path+"?"+query, nil))
			if status != http.StatusRequestURITooLong ||
				!strings.Contains(body, "at most 4096 are taken") || len(body) > 30_000 {
				t.Errorf("%s: %d, %d bytes", path, status, len(body))
			}
		}
	}
	resp, err := http.Get(server + "/?x=" + strings.Repeat("a", 900_000))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode < 400 || len(body) > 1000 {
		t.Errorf("900,000 bytes: %s, %d bytes", resp.Status, len(body))
	}
}
