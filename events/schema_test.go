package events_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"muster/events"
	"muster/events/schema"
)

// schemas compiles the schema of each type.
func schemas(t *testing.T) map[events.Type]*jsonschema.Schema {
	t.Helper()
	all := map[events.Type]*jsonschema.Schema{}
	for _, typ := range events.Types() {
		text, err := schema.Of(typ)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource(string(typ), doc); err != nil {
			t.Fatal(err)
		}
		if all[typ], err = c.Compile(string(typ)); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
	}
	return all
}

func validate(s *jsonschema.Schema, text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// Whatever is well formed is valid against its schema.
func TestWellFormedIsValid(t *testing.T) {
	all := schemas(t)
	rapid.Check(t, func(t *rapid.T) {
		s := events.DrawStatement(t)
		text, err := events.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(all[s.Head().Type], text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func TestGoldenFilesAreValid(t *testing.T) {
	all := schemas(t)
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) < len(events.Types()) {
		t.Fatal(files, err)
	}
	for _, file := range files {
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := events.ParseRecord(1, stored)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(stored), "\n")[1]
		if err := validate(all[rec.Statement.Head().Type], []byte(line)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What a schema refuses, Parse refuses; and of the usual slips it refuses most.
func TestSchemaRefuses(t *testing.T) {
	all := schemas(t)
	good := `{"type":"pledge.offered","id":"01M833DTQV000000000000000C","ledger":"muster.example/test","effective":"2026-11-23","operation":"mnf-u","nation":"FRA","role":"ground",` +
		`"quantity":1200,"unit":"personnel","from":"2027-01-01"}`
	if err := validate(all["pledge.offered"], []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, slip := range [][2]string{
		{`"FRA"`, `"France"`}, {`"FRA"`, `"FRB"`}, {`1200`, `0`}, {`1200`, `-1`}, {`1200`, `1.5`},
		{`1200`, `"1200"`}, {`1200`, `9007199254740993`}, {`1200`, `null`},
		{`"mnf-u"`, `"mnf*u"`}, {`"mnf-u"`, `""`}, {`"2027-01-01"`, `"2027-13-01"`},
		{`"2027-01-01"`, `"2027-02-30"`}, {`"2027-01-01"`, `"tomorrow"`}, {`"from"`, `"FROM"`},
		{`"personnel"`, `"Personnel"`},
		{`01M833DTQV000000000000000C`, `01M833DTQV000000000000000U`},
		{`01M833DTQV000000000000000C`, `00000000000000000000000000`},
		{`"unit":"personnel",`, ``},
		{`"unit":"personnel",`, `"unit":"personnel","presence":"here",`},
		{`"unit":"personnel",`, `"unit":"personnel","notice_to_move":-1,`},
		{`"unit":"personnel",`, `"unit":"personnel","elsewhere":["a","a"],`},
		{`"unit":"personnel",`, `"unit":"personnel","expires":"",`},
		{`pledge.offered`, `pledge.amended`},
		{`"unit":"personnel",`, `"unit":"personnel","note":"\u0007",`},
		{`"unit":"personnel",`, `"unit":"personnel","colour":"red",`},
	} {
		text := []byte(strings.Replace(good, slip[0], slip[1], 1))
		if validate(all["pledge.offered"], text) == nil {
			t.Errorf("the schema takes %s", text)
		}
		if st, err := events.Parse(text); err == nil && st.Head().Type == "pledge.offered" {
			t.Errorf("the schema refuses and Parse takes %s", text)
		}
	}
}
