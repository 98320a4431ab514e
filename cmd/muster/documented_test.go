package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// documented fails the test unless the server's own OpenAPI document describes the answer: its
// path, method and status, and, where it is JSON, its form.
func documented(t *testing.T, resp *http.Response, body []byte) {
	t.Helper()
	base := "http://" + resp.Request.URL.Host
	_, text := get(t, base+"/openapi.json")
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for template, item := range doc.Paths {
		pattern := "^" + regexp.MustCompile(`\\\{\w+\\\}`).
			ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$"
		if !regexp.MustCompile(pattern).MatchString(resp.Request.URL.EscapedPath()) {
			continue
		}
		method := strings.ToLower(resp.Request.Method)
		var op struct {
			Responses map[string]struct{ Content map[string]any }
		}
		if item[method] != nil {
			if err := json.Unmarshal(item[method], &op); err != nil {
				t.Fatal(err)
			}
		}
		response, ok := op.Responses[strconv.Itoa(resp.StatusCode)]
		if !ok {
			t.Errorf("%s %s: the document knows no status %d", resp.Request.Method, template,
				resp.StatusCode)
			return
		}
		contentType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		if _, ok := response.Content[contentType]; !ok {
			t.Errorf("%s %s: the document knows no %s for %d", resp.Request.Method, template,
				contentType, resp.StatusCode)
			return
		}
		escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
		schema := "#/paths/" + escape.Replace(template) + "/" + method + "/responses/" +
			strconv.Itoa(resp.StatusCode) + "/content/" + escape.Replace(contentType) + "/schema"
		if said := theDescribed.check(t, text, schema, body); said != "" {
			t.Errorf("%s %s answers %d with what the document does not describe: %s",
				resp.Request.Method, template, resp.StatusCode, said)
		}
		return
	}
}

// A describedProgram is testdata/described, built and started when it is asked first, and by one
// test at a time.
type describedProgram struct {
	mu  sync.Mutex
	cmd *exec.Cmd // nil before it was started
	dir string
	in  *json.Encoder
	out *json.Decoder
	end io.Closer
}

var theDescribed describedProgram

// check returns what the schema, which is a place in the document, does not describe.
func (d *describedProgram) check(t *testing.T, document, schema string, answer []byte) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		if err := d.start(); err != nil {
			t.Fatal(err)
		}
	}
	var said string
	err := d.in.Encode(map[string]string{"Document": document, "Schema": schema,
		"Answer": string(answer)})
	if err == nil {
		err = d.out.Decode(&said)
	}
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func (d *describedProgram) start() (err error) {
	if d.dir, err = os.MkdirTemp("", "muster-described"); err != nil {
		return err
	}
	path := filepath.Join(d.dir, "described")
	build := exec.Command("go", "build", "-ldflags=-w", "-o", path, "./testdata/described")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	d.in, d.out, d.end = json.NewEncoder(in), json.NewDecoder(out), in
	if err := cmd.Start(); err != nil {
		return err
	}
	d.cmd = cmd
	return nil
}

// stop ends the program, which ends when it is asked no more.
func (d *describedProgram) stop() {
	if d.cmd != nil {
		_ = d.end.Close()
		_ = d.cmd.Wait()
	}
	if d.dir != "" {
		_ = os.RemoveAll(d.dir)
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
