package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.Slug] || !slug.MatchString(k.Slug) || k.Title == "" {
			t.Errorf("slug %q, title %q", k.Slug, k.Title)
		}
		seen[k.Slug] = true
		if k.Status < 400 || k.Status > 599 || k.Exit < 1 || k.Exit > 10 {
			t.Errorf("%s: status %d, exit %d", k.Slug, k.Status, k.Exit)
		}
		if KindOf(k.Slug) != k {
			t.Errorf("%s is found as %s", k.Slug, KindOf(k.Slug).Slug)
		}
	}
	if KindOf("of-tomorrow") != Internal || KindOf("") != Internal {
		t.Error("an unknown slug is not internal")
	}
}

// A kind that KindOf does not find would come back from a server as another.
func TestTheTableHasEveryKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok {
			if name, ok := lit.Type.(*ast.Ident); ok && name.Name == "Kind" {
				declared++
			}
		}
		return true
	})
	if declared != len(kinds) {
		t.Errorf("%d kinds are declared, and %d are in the table", declared, len(kinds))
	}
}

func TestJSON(t *testing.T) {
	p := OfFields([]Field{FieldOf("nation", "fra", "write it as FRA"),
		FieldOf("until", "", "missing: write a date")}).(*Problem).
		WithCode("a-rule").WithHint("see %s", "FORMAT.md")
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"urn:muster:problem:invalid","title":"Some fields are wrong","status":422,"detail":"2 fields are wrong",` +
		`"code":"a-rule","hint":"see FORMAT.md","errors":[{"location":"nation","message":"write it as FRA","value":"fra"},` +
		`{"location":"until","message":"missing: write a date"}]}`
	if string(data) != want {
		t.Errorf("\n got %s\nwant %s", data, want)
	}
	var again Problem
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(&again); err != nil || string(text) != string(data) ||
		again.Error() != p.Error() {
		t.Errorf("\nwrote %+v\n read %+v, %v", p, again, err)
	}
	for _, k := range kinds {
		var again Problem
		if data, err := json.Marshal(New(k, "it is so")); err != nil {
			t.Error(err)
		} else if err := json.Unmarshal(data, &again); err != nil || again.Kind != k ||
			again.Detail != "it is so" {
			t.Errorf("%s was read as %+v, %v", data, again, err)
		}
	}
	if err := json.Unmarshal([]byte(`"no object"`), &again); err == nil {
		t.Error("a string was taken for a problem")
	}
}

func TestFromAndIs(t *testing.T) {
	if From(nil) != nil || Is(nil, Internal) {
		t.Error("nothing is a problem")
	}
	p := New(Conflict, "the pledge is withdrawn: %w", fs.ErrClosed)
	wrapped := fmt.Errorf("submitting: %w", p)
	if From(wrapped) != p || !Is(wrapped, Conflict) || Is(wrapped, Invalid) {
		t.Errorf("%v is not found in what wraps it", p)
	}
	if !errors.Is(wrapped, fs.ErrClosed) ||
		p.Detail != "the pledge is withdrawn: file already closed" {
		t.Errorf("the cause of %v is lost", p)
	}
	internal := From(fs.ErrExist)
	if internal.Kind != Internal || internal.Detail != "file already exists" ||
		!errors.Is(internal, fs.ErrExist) {
		t.Errorf("an ordinary error became %+v", internal)
	}
	if Is(fs.ErrExist, Internal) {
		t.Error("an ordinary error is a problem before From made it one")
	}
}

func TestOfFields(t *testing.T) {
	if err := OfFields(nil); err != nil {
		t.Errorf("no field is wrong, and yet: %v", err)
	}
	one := []Field{FieldOf("nation", "fra\n", "write it as FRA")}
	if err := OfFields(one); err.Error() != `nation "fra\n": write it as FRA` {
		t.Error(err)
	}
	two := append(one, Field{Location: "until", Message: "missing"})
	if err := OfFields(two); err.Error() !=
		`2 fields are wrong: nation "fra\n": write it as FRA; until: missing` {
		t.Error(err)
	}
}

func TestCopies(t *testing.T) {
	p := New(NotFound, "there is no pledge %d", 7)
	q := p.WithCode("c").WithHint("try %d", 8)
	if p.Code != "" || p.Hint != "" {
		t.Errorf("%+v was changed", p)
	}
	if q.Code != "c" || q.Hint != "try 8" || q.Detail != "there is no pledge 7" ||
		q.GetStatus() != 404 {
		t.Errorf("got %+v", q)
	}
	if ct := p.ContentType("application/json; charset=utf-8"); ct !=
		"application/problem+json; charset=utf-8" {
		t.Error(ct)
	}
}

// What stands before a server, and answers in its place, is told from a server that is none.
func TestDecodeWithoutExplanation(t *testing.T) {
	for status, want := range map[int]string{502: "a proxy that reaches no server",
		504: "a proxy that reaches no server", 404: "is there a Muster server at this address",
		500: "is there a Muster server at this address"} {
		p := Decode(status, []byte("<html>Bad Gateway</html>"))
		if !strings.HasPrefix(p.Hint, want) {
			t.Errorf("%d: %q", status, p.Hint)
		}
	}
}
