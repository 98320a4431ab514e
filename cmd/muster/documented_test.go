package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// documented fails the test unless the server's own OpenAPI document describes the answer: its
// path, method and status, and, where it is JSON, its form.
func documented(t *testing.T, resp *http.Response, body []byte) {
	t.Helper()
	base := "http://" + resp.Request.URL.Host
	_, text := get(t, base+"/openapi.json")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for template, item := range doc.(map[string]any)["paths"].(map[string]any) {
		pattern := "^" + regexp.MustCompile(`\\\{\w+\\\}`).
			ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$"
		if !regexp.MustCompile(pattern).MatchString(resp.Request.URL.EscapedPath()) {
			continue
		}
		method := strings.ToLower(resp.Request.Method)
		op, _ := item.(map[string]any)[method].(map[string]any)
		responses, _ := op["responses"].(map[string]any)
		response, ok := responses[strconv.Itoa(resp.StatusCode)].(map[string]any)
		if !ok {
			t.Errorf("%s %s: the document knows no status %d", resp.Request.Method, template,
				resp.StatusCode)
			return
		}
		contentType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		if _, ok := response["content"].(map[string]any)[contentType]; !ok {
			t.Errorf("%s %s: the document knows no %s for %d", resp.Request.Method, template,
				contentType, resp.StatusCode)
			return
		}
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		if err := c.AddResource("openapi.json", doc); err != nil {
			t.Fatal(err)
		}
		escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
		s, err := c.Compile("openapi.json#/paths/" + escape.Replace(template) + "/" + method +
			"/responses/" + strconv.Itoa(resp.StatusCode) + "/content/" +
			escape.Replace(contentType) + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = s.Validate(answer)
		}
		if err != nil {
			t.Errorf("%s %s answers %d with what the document does not describe: %v",
				resp.Request.Method, template, resp.StatusCode, err)
		}
		return
	}
}

// What is taken is answered as the document says: 201 the first time, and 200 afterwards.
func TestReceiptsAreDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	s := newTarget(t)
	good := s.c.offer(t)
	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		resp, err := http.Post(s.url+"/api/v1/statements", "text/plain", bytes.NewReader(good.Note))
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("status %d, not %d", resp.StatusCode, want)
		}
		documented(t, resp, body.Bytes())
	}
	s.stop(t)
}
