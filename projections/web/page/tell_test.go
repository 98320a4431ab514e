package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"muster/events"
	"muster/events/phrase"
	"muster/events/problem"
)

// rooms are the packages, and files of others, whose sentences a page can show, in other languages
// than English, too.
var rooms = []string{"cmd/internal/server/imports.go", "cmd/internal/server/plans.go",
	"events", "events/problem", "events/seconds",
	"ledger/intake/form", "ledger/intake/imported", "ledger/intake/plan",
	"ledger/intake/plan/strictyaml", "ledger/intake/reconcile", "ledger/intake/round",
	"ledger/intake/sheet", "ledger/rules", "projections",
	"projections/access", "projections/access/feeds", "projections/access/session",
	"projections/records", "projections/web", "projections/web/page"}

// patternAt says which argument of a function is the pattern of a phrase, by the function's name
// with its package, if it has one, and without, if it is a method or of the same package.
var patternAt = map[string]int{"phrase.Of": 0, "phrase.As": 1, "phrase.Errorf": 0,
	"phrase.Text": 0, "phrase.List": 0, "phrase.Behind": 0, "problem.New": 1,
	"problem.FieldOf": 2, "WithHint": 0, "refuse": 1, "field": 2, "syntax": 0, "remedy": 0,
	"note": 0, "id": 2, "errors.New": 0, "found": 4, "due": 4, "add": 4, "Add": 0,
	"passing": 1, "New": 1, "usage": 2, "invalid": 2, "must": 1, "says": 1,
	"malformed": 0, "refused": 2, "wrong": 3, "beyond": 0, "planBeyond": 0, "damaged": 0,
	"everywhere": 0, "remedies": 0, "Fault": 0, "FaultAt": 2}

// alsoAt says which further argument of a function is a pattern, as patternAt does.
var alsoAt = map[string]int{"remedies": 1, "is": 1}

// Whatever a page can show is told in each language: a pattern in the source has words.
func TestPhrasesHaveWords(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, room := range rooms {
		for pattern, where := range patternsOf(t, room) {
			said[pattern] = where
		}
	}
	if len(said) < 100 {
		t.Fatalf("only %d patterns were found", len(said))
	}
	lacks := 0
	for _, pattern := range slices.Sorted(maps.Keys(said)) {
		for _, tag := range words.languages[1:] {
			if text, ok := words.words[pattern][tag.String()]; !ok {
				t.Errorf("%s says, and nothing in %s:\n%s", said[pattern], tag, pattern)
				lacks++
			} else if err := samePlaces(pattern, text); err != "" {
				t.Errorf("%s\n%s\n%s", err, pattern, text)
			}
		}
	}
	if lacks > 0 {
		t.Errorf("%d patterns have no words", lacks)
	}
	for key, in := range words.words {
		if isPhrase(in) && phrase.HasWords(key) && said[key] == "" {
			t.Errorf("nobody says %q", key)
		}
	}
}

// isPhrase tells a pattern of a sentence from a key of the pages' own words.
func isPhrase(in map[string]string) bool { return in[source.String()] == "" }

var places = regexp.MustCompile(`%(\[\d\])?[0-9.]*[sdqcUwTvx%]`)

// samePlaces says what is wrong with the places of words: each is one of the pattern, and words
// that leave one out name those that they have by number.
func samePlaces(pattern, words string) string {
	if !strings.Contains(pattern, "%") { // the key of a phrase that has none
		return ""
	}
	has, needs := places.FindAllString(words, -1), places.FindAllString(pattern, -1)
	has = slices.DeleteFunc(has, func(p string) bool { return p == "%%" })
	needs = slices.DeleteFunc(needs, func(p string) bool { return p == "%%" })
	numbered := strings.Contains(words, "%[")
	if !numbered && len(has) != len(needs) {
		return "the places differ: leave one out by numbering those that stay"
	}
	for _, p := range has {
		inner, isNumbered := strings.CutPrefix(p, "%[")
		if isNumbered != numbered {
			return "some places have numbers and some have none"
		}
		n, _, _ := strings.Cut(inner, "]")
		if isNumbered {
			if at, err := strconv.Atoi(n); err != nil || at < 1 || at > len(needs) {
				return "there is no place " + p
			}
		}
	}
	return ""
}

// patternsOf returns the patterns of phrases in a package, each with a place where it is said.
func patternsOf(t *testing.T, room string) map[string]string {
	t.Helper()
	if !strings.HasSuffix(room, ".go") {
		room += "/*.go"
	}
	names, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(room)))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no source: %v", room, err)
	}
	c := &collector{consts: map[string]string{}, said: map[string]string{},
		set: token.NewFileSet()}
	var all []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(c.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
		ast.Inspect(f, c.constants)
	}
	for _, f := range all {
		ast.Inspect(f, c.collect)
	}
	return c.said
}

// A collector finds the patterns of one package.
type collector struct {
	set    *token.FileSet
	consts map[string]string
	said   map[string]string
}

// constants notes what names stand for.
func (c *collector) constants(n ast.Node) bool {
	if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
		for i, name := range spec.Names {
			if text, ok := c.text(spec.Values[i]); ok {
				c.consts[name.Name] = text
			}
		}
	}
	return true
}

func (c *collector) collect(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := calledName(n)
		for _, table := range []map[string]int{patternAt, alsoAt} {
			if at, ok := table[name]; ok && at < len(n.Args) {
				text, _ := c.text(n.Args[at])
				if strings.HasPrefix(name, "phrase.") || strings.Contains(text, " ") {
					c.note(n.Args[at]) // any other single word is a name
				}
			}
		}
	case *ast.ValueSpec: // of a type of phrases
		if isText(n.Type) {
			for _, v := range n.Values {
				c.note(v)
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "says" || key.Name == "instead") {
			c.note(n.Value)
		}
	case *ast.CompositeLit:
		if m, ok := n.Type.(*ast.MapType); ok && isText(m.Value) {
			for _, e := range n.Elts {
				c.note(e.(*ast.KeyValueExpr).Value)
			}
		}
	case *ast.FuncDecl:
		c.results(n)
	}
	return true
}

// results notes what a function returns that returns a text.
func (c *collector) results(f *ast.FuncDecl) {
	if f.Type.Results == nil || f.Body == nil {
		return
	}
	at, isOne := 0, []bool{}
	for _, r := range f.Type.Results.List {
		for range max(1, len(r.Names)) {
			isOne = append(isOne, isText(r.Type))
			at++
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == len(isOne) {
			for i, e := range r.Results {
				if isOne[i] {
					c.note(e)
				}
			}
		}
		return true
	})
}

func isText(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Text"
}

// calledName returns the name of what is called: "phrase.Of" of a package, "WithHint" of a method,
// "refuse" of the same package.
func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.IndexExpr:
		return calledName(&ast.CallExpr{Fun: f.X})
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok {
			if name := of.Name + "." + f.Sel.Name; patternAt[name] > 0 || name == "phrase.Of" ||
				name == "phrase.Errorf" || name == "phrase.Text" || name == "errors.New" ||
				name == "phrase.List" || name == "phrase.Behind" {
				return name
			}
		}
		return f.Sel.Name
	}
	return ""
}

// note notes a pattern that needs words.
func (c *collector) note(e ast.Expr) {
	if text, ok := c.text(e); ok && phrase.HasWords(text) {
		c.said[strings.TrimLeft(text, " ")] = filepath.ToSlash(c.set.Position(e.Pos()).String())
	}
}

// text returns the text that an expression always has.
func (c *collector) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := c.text(e.X)
		right, also := c.text(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	case *ast.Ident:
		text, ok := c.consts[e.Name]
		return text, ok
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok && of.Name == "phrase" {
			text, ok := map[string]string{"And": phrase.And, "Or": phrase.Or}[e.Sel.Name]
			return text, ok
		}
	case *ast.ParenExpr:
		return c.text(e.X)
	}
	return "", false
}

// A language is one more file: what is told in it is, and what has no words yet is told in English,
// and said to be.
func TestALanguageIsOneFile(t *testing.T) {
	const more = `title.coverage
  eo Kovrado
  
the pledge %s is %s: only what is offered can be allocated
  eo la promeso %s estas %s: nur ofertitan oni asignas
rung.indicated
  eo indikita
`
	in := fstest.MapFS{"words/eo.txt": {Data: []byte(strings.ReplaceAll(more, "  \n", "\n"))}}
	names, err := filepath.Glob("words/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		in[name] = &fstest.MapFile{Data: text}
	}
	words, err := readWords(in)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Language", "eo, fr;q=0.5")
	s := words.speakerFor(r)
	if got := s.T("title.coverage"); got != "Kovrado" {
		t.Errorf("the title is %q", got)
	}
	if got := s.T("title.submit"); got != "Submit" {
		t.Errorf("what has no words is %q", got)
	}
	p := problem.New(problem.Conflict, "the pledge %s is %s: only what is offered can be allocated",
		"01K", phrase.As("indicated", "rung.indicated")).WithHint("it is so")
	told := s.TellProblem(p)
	if want := "la promeso 01K estas indikita: nur ofertitan oni asignas"; told.Detail.Text !=
		want || told.Detail.English {
		t.Errorf("the problem is told as %+v", told.Detail)
	}
	if told.Hint.Text != "it is so" || !told.Hint.English || !told.English {
		t.Errorf("what has no words is told as %+v", told.Hint)
	}
	f := &frame{speaker: s}
	if all := f.OtherLangs(); len(all) != 2 || all[1] != (tongueLink{"fr", "Français"}) {
		t.Errorf("beside it there are %v", all)
	}
}

// What was recorded is no part of the sentence, and never told in other words.
func TestRecordedIsNotTranslated(t *testing.T) {
	words, err := readWords(files)
	if err != nil {
		t.Fatal(err)
	}
	s := words.speakerFor(httptest.NewRequest(http.MethodGet, "/?lang=fr", nil))
	p := problem.New(problem.Conflict, "the meeting %s was closed by record %d: its name stands "+
		"for what was recorded by then", "was discharged %s", 7)
	if got := s.Tell(p.Said()); !strings.Contains(got.Text, "was discharged %s") || got.English {
		t.Errorf("told as %+v", got)
	}
	called := phrase.Of("a liaison of %s", events.Called{Nation: "DEU", English: "Germany"})
	if got := s.Tell(called); !strings.Contains(got.Text, "Allemagne") {
		t.Errorf("told as %+v", got)
	}
}
