package schema

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"muster/events"
)

var update = flag.Bool("update", false,
	"write the schemas of kinds that have none yet; a schema that is there is never written again")

// A schema that was published stays valid for ever what it was for: optional members may be added,
// and bounds widened. When this fails, look at the difference: if it only grows the form as
// FORMAT.md allows, delete the golden file and run with -update; else the code is wrong.
func TestSchemasDoNotDrift(t *testing.T) {
	for _, typ := range events.Types() {
		text, err := Of(typ)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "golden", string(typ)+".json")
		if _, err := os.Stat(path); *update && os.IsNotExist(err) {
			if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test -update adds the missing ones)", err)
		}
		if string(golden) != string(text)+"\n" {
			t.Errorf("the schema of %s is not %s any more", typ, path)
		}
	}
}

func TestAllInOne(t *testing.T) {
	text, err := All()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("all", doc); err != nil {
		t.Fatal(err)
	}
	all, err := c.Compile("all")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		st, err := jsonschema.UnmarshalJSON(
			strings.NewReader(strings.Split(string(stored), "\n")[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := all.Validate(st); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A Go type that nothing is known of is an error, and not a schema that lets everything pass.
func TestUnknownTypesAreErrors(t *testing.T) {
	for _, v := range []any{struct {
		A float64 `json:"a"`
	}{}, struct {
		A []float64 `json:"a"`
	}{}, struct {
		A int `json:"a"`
	}{}, struct {
		A map[string]string `json:"a"`
	}{}} {
		if s, err := structSchema(reflect.TypeOf(v)); err == nil ||
			!strings.HasPrefix(err.Error(), "a: ") {
			t.Errorf("%T: %v %v", v, s, err)
		}
	}
	if _, err := Of("pledge.sworn"); err == nil {
		t.Error("a kind that is not there has a schema")
	}
}

// The document is valid against the official schema of AsyncAPI 3.0.0 (testdata, Apache License
// 2.0).
func TestAsyncAPI(t *testing.T) {
	told := json.RawMessage(`{"type":"object"}`)
	text, err := AsyncAPI("1.2.3", told,
		[]Question{{"coverage", "How far the requirements are met",
			json.RawMessage(`{"type":"object"}`), json.RawMessage(`{"type":"object"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/asyncapi-3.0.0.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	official, err := jsonschema.UnmarshalJSON(plain)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("http://asyncapi.com/definitions/3.0.0/asyncapi.json",
		official); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("http://asyncapi.com/definitions/3.0.0/asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(doc); err != nil {
		t.Errorf("%v", err)
	}
	for _, typ := range events.Types() {
		if !bytes.Contains(text, []byte(`"#/components/messages/`+string(typ)+`"`)) {
			t.Errorf("the document has no %s", typ)
		}
	}
	checkReferences(t, doc, doc)
	const address = `"address": "muster.changed.{view}.{nation}.{operation}.{kind}.{thing}.{event}"`
	if !bytes.Contains(text, []byte(address)) {
		t.Errorf("the document does not tell %s", address)
	}
	if _, err := AsyncAPI("1.2.3", told,
		[]Question{{"stream", "", json.RawMessage(`{}`), json.RawMessage(`{}`)}}); err == nil {
		t.Error("a question takes the stream's place")
	}
}

// checkReferences finds every reference within the document.
func checkReferences(t *testing.T, doc, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			to, ok := value.(string)
			if name != "$ref" || !ok || !strings.HasPrefix(to, "#/") {
				checkReferences(t, doc, value)
				continue
			}
			at := doc
			for _, part := range strings.Split(to[2:], "/") {
				members, _ := at.(map[string]any)
				at = members[part]
			}
			if at == nil {
				t.Errorf("%s leads nowhere", to)
			}
		}
	case []any:
		for _, one := range v {
			checkReferences(t, doc, one)
		}
	}
}
