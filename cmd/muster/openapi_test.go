package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A description is the API's document, or a part of it.
type description map[string]any

// described fetches the document of a server.
func (p *serverProcess) described(t *testing.T) (doc description) {
	t.Helper()
	status, body := get(t, p.url+"/openapi.json")
	if err := json.Unmarshal([]byte(body), &doc); err != nil || status != http.StatusOK {
		t.Fatalf("/openapi.json is answered with %d, %v", status, err)
	}
	return doc
}

// at follows names into a description; what is not there has no members.
func (d description) at(names ...string) description {
	for _, name := range names {
		d, _ = d[name].(map[string]any)
	}
	return d
}

// Every operation says of every answer what it is, in each form that it has, whether it is a
// problem or not; and nothing is described that no answer is made of.
func TestOpenAPIIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	doc := p.described(t)
	t.Run("answers", func(t *testing.T) { doc.isWhole(t) })
	t.Run("rows", func(t *testing.T) { doc.hasRowsOf(t, p) })
}

func (d description) isWhole(t *testing.T) {
	used, operations := map[string]bool{}, 0
	if servers, _ := d["servers"].([]any); len(servers) != 1 {
		t.Errorf("the servers are %v", servers)
	}
	if needs := fmt.Sprint(d["security"]); needs != "[map[] map[bearer:[]] map[cookie:[]]]" {
		t.Errorf("one may sign in, or not, and what has to be done is %s", needs)
	}
	if ways := d.at("components", "securitySchemes"); len(ways) != 2 {
		t.Errorf("the ways to sign in are %v", ways)
	}
	for path, methods := range d.at("paths") {
		for method, op := range methods.(map[string]any) {
			operations++
			d.find(op, used)
			described := description(op.(map[string]any))
			for form, body := range described.at("requestBody", "content") {
				schema := description(body.(map[string]any)).at("schema")
				if ref, ok := schema["$ref"].(string); ok {
					schema = d.at("components", "schemas", strings.TrimPrefix(ref,
						"#/components/schemas/"))
				}
				if schema["type"] == nil || schema["format"] == "binary" {
					t.Errorf("%s %s takes %s, and its schema is %v", method, path, form, schema)
				}
			}
			for status := range described.at("responses") {
				described.checkAnswer(t, method+" "+path, status)
			}
		}
	}
	if operations < 60 {
		t.Errorf("%d operations are described", operations)
	}
	for name := range d.at("components", "schemas") {
		if !used[name] {
			t.Errorf("no operation uses the schema %s", name)
		}
	}
}

// rowsMedia are the forms of rows, by the end of an address.
var rowsMedia = map[string]string{".csv": "text/csv",
	".xlsx":    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".parquet": "application/vnd.apache.parquet", ".ics": "text/calendar",
	".atom": "application/atom+xml"}

// rowsOnlyOf are the questions that alone have a form: what has days, and what goes on.
var rowsOnlyOf = map[string][]string{".ics": {"due"}, ".atom": {"records", "coverage"}}

// checkAnswer refuses what an operation says of an answer unless that is a schema, in the form that
// answers of its kind have.
func (d description) checkAnswer(t *testing.T, where, status string) {
	t.Helper()
	form := "application/json"
	switch {
	case status == "304":
		return
	case status >= "400" && where+status != "get /healthz503" && where+status != "get /readyz503":
		form = "application/problem+json"
	case rowsMedia[path.Ext(where)] != "":
		form = rowsMedia[path.Ext(where)]
	case strings.HasSuffix(where, "/events"):
		form = "text/event-stream"
	}
	content := d.at("responses", status, "content")
	schema := content.at(form, "schema")
	if len(content) != 1 || schema["$ref"] == nil && schema["type"] == nil {
		t.Errorf("%s: %s is answered with %v, and not with %s", where, status, content, form)
	}
	if strings.HasSuffix(form, "json") && schema["$ref"] == nil {
		t.Errorf("%s: %s is answered with a schema without a name: %v", where, status, schema)
	}
}

// find notes the names of all schemas that a part of the document is made of.
func (d description) find(part any, found map[string]bool) {
	switch part := part.(type) {
	case []any:
		for _, one := range part {
			d.find(one, found)
		}
	case map[string]any:
		for _, one := range part {
			d.find(one, found)
		}
		ref, _ := part["$ref"].(string)
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		if ok && !found[name] {
			found[name] = true
			d.find(d.at("components", "schemas")[name], found)
		}
	}
}

// hasRowsOf looks whether rows are described where a server has some, and nowhere else.
func (d description) hasRowsOf(t *testing.T, p *serverProcess) {
	for at := range d.at("paths") {
		isRows := rowsMedia[path.Ext(at)] != ""
		if strings.Contains(at, "{") || d.at("paths", at, "get") == nil ||
			strings.HasSuffix(at, "/events") || strings.HasSuffix(at, "z") {
			continue
		}
		question := at
		if isRows {
			question = strings.TrimSuffix(at, path.Ext(at))
		}
		for suffix := range rowsMedia {
			resp, err := http.Get(p.url + question + suffix)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			described := d.at("paths", question+suffix) != nil
			of, only := rowsOnlyOf[suffix]
			has := !only || slices.Contains(of, path.Base(question))
			if answered := resp.StatusCode != http.StatusNotFound; answered != described ||
				isRows && has != answered {
				t.Errorf("%s%s is answered with %s; described: %t", question, suffix, resp.Status,
					described)
			}
		}
	}
}

// Every page leads to the API's documentation, also one that tells of a problem, in both languages.
func TestPagesLeadToDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	offered := begin(t, p).offer(t)
	if _, err := p.client().Submit(t.Context(), offered); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/shortfalls", "/timeline", "/compare?from=1",
		"/log", "/pledges",
		"/submit", "/verify", "/?on=yesterday", "/nothing", "/pledges/nothing",
		"/pledges/" + offered.Statement.Head().ID.String()} {
		for lang, words := range map[string]string{"en": "For programs",
			"fr": "Pour les programmes"} {
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			_, body := get(t, p.url+path+mark+"lang="+lang)
			if !strings.Contains(body, `<a href="/docs"`) || !strings.Contains(body, words) {
				t.Errorf("%s in %s does not lead to /docs", path, lang)
			}
		}
	}
}
