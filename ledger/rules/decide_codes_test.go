package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func ruleParse(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ruleCodes reads from refusals.go each code and the slug of its kind, in order: "not-founded
// unavailable".
func ruleCodes(t *testing.T) []string {
	t.Helper()
	var codes []string
	ast.Inspect(ruleParse(t, "refusals.go"), func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if name, ok := lit.Type.(*ast.Ident); !ok || name.Name != "code" {
			return true
		}
		slug, _ := strconv.Unquote(lit.Elts[0].(*ast.BasicLit).Value)
		codes = append(codes, slug+" "+ruleKinds[lit.Elts[1].(*ast.SelectorExpr).Sel.Name])
		return true
	})
	return codes
}

var ruleKinds = map[string]string{
	"Unavailable": "unavailable", "Conflict": "conflict", "NotAllowed": "not-allowed",
	"NotFound": "not-found", "Invalid": "invalid",
}

// Programs and people rely on the codes and on what kind of problem each is. The file is added to
// at its end and never changed otherwise.
func TestCodesAreAppendOnly(t *testing.T) {
	data, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	golden := strings.Split(strings.TrimSpace(string(data)), "\n")
	codes := ruleCodes(t)
	for i, want := range golden {
		if i >= len(codes) || codes[i] != want {
			t.Fatalf("code %d was %q and is not any more: codes are never changed, moved or "+
				"removed", i+1, want)
		}
	}
	if more := codes[len(golden):]; len(more) > 0 {
		t.Errorf("add the new codes to the end of testdata/codes.txt:\n%s",
			strings.Join(more, "\n"))
	}
	seen := map[string]bool{}
	for _, c := range codes {
		slug, kind, _ := strings.Cut(c, " ")
		if seen[slug] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(slug) || kind == "" {
			t.Errorf("the code %q is there twice, is no slug, or has no kind", c)
		}
		seen[slug] = true
	}
}

// ruleProofs collects, from the tests of this package, which codes each function TestRule… checks a
// refusal for.
func ruleProofs(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	proofs := map[string]map[string]bool{}
	for _, name := range files {
		for _, d := range ruleParse(t, name).Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "TestRule") {
				proofs[f.Name.Name] = ruleRefusals(f)
			}
		}
	}
	return proofs
}

// ruleRefusals collects the codes in calls of refuses, refusesNew and ruleRefused: the third
// argument of each.
func ruleRefusals(f *ast.FuncDecl) map[string]bool {
	codes := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 4 {
			return true
		}
		name := ""
		switch fun := call.Fun.(type) {
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		case *ast.Ident:
			name = fun.Name
		}
		if lit, ok := call.Args[2].(*ast.BasicLit); ok &&
			slices.Contains([]string{"refuses", "refusesNew", "ruleRefused"}, name) {
			slug, _ := strconv.Unquote(lit.Value)
			codes[slug] = true
		}
		return true
	})
	return codes
}

// A ruleText is a rule as the package comment tells it.
type ruleText struct {
	number int
	codes  []string
	test   string
}

var ruleInDoc = regexp.MustCompile(
	`(?s)^(\d+)\. .*\(([a-z-]+(?:,\s+[a-z-]+)*);\s+(TestRule(\d\d)\w+)\)$`)

// ruleDoc reads the rules in the package comment, which are numbered from 1, each with its codes
// and its test.
func ruleDoc(t *testing.T) (all []ruleText) {
	t.Helper()
	_, rules, ok := strings.Cut(ruleParse(t, "doc.go").Doc.Text(), "# The rules")
	if !ok {
		t.Fatal("doc.go has no rules")
	}
	for i, text := range strings.Split(strings.TrimSpace(rules), "\n\n")[1:] {
		m := ruleInDoc.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil || m[1] != strconv.Itoa(i+1) || m[4] != fmt.Sprintf("%02d", i+1) {
			t.Fatalf("this is not rule %d with its codes and its test: %q", i+1, text)
		}
		codes := strings.FieldsFunc(m[2], func(r rune) bool {
			return strings.ContainsRune(", \n", r)
		})
		all = append(all, ruleText{i + 1, codes, m[3]})
	}
	return all
}

// Each rule's test refuses with each of the rule's codes, and no test and no code is left over.
func TestDocNamesEveryRule(t *testing.T) {
	proofs, unproven := ruleProofs(t), map[string]bool{}
	for _, c := range ruleCodes(t) {
		slug, _, _ := strings.Cut(c, " ")
		unproven[slug] = true
	}
	for _, rule := range ruleDoc(t) {
		for _, code := range rule.codes {
			if !proofs[rule.test][code] {
				t.Errorf("rule %d: no %s checks a refusal with the code %s", rule.number,
					rule.test, code)
			}
			delete(unproven, code)
		}
		delete(proofs, rule.test)
	}
	for name := range proofs {
		t.Errorf("no rule names the test %s", name)
	}
	for slug := range unproven {
		t.Errorf("no rule has the code %s", slug)
	}
}

// The comments in the code name rules by number: each rule is kept somewhere, and none that is not
// there.
func TestEveryRuleIsKept(t *testing.T) {
	files, err := filepath.Glob("decide*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool {
		return strings.HasSuffix(name, "_test.go")
	})
	kept := map[int]bool{}
	for _, name := range files {
		for _, group := range ruleParse(t, name).Comments {
			for _, n := range ruleNumbers(group.Text()) {
				kept[n] = true
			}
		}
	}
	last := len(ruleDoc(t))
	for n := range kept {
		if n < 1 || n > last {
			t.Errorf("a comment names rule %d, and there are %d", n, last)
		}
	}
	for n := 1; n <= last; n++ {
		if !kept[n] {
			t.Errorf("no comment of decide*.go says that it keeps rule %d", n)
		}
	}
}

var ruleReference = regexp.MustCompile(`rules? (\d+)(?: and (\d+)| to (\d+))?`)

// ruleNumbers returns the numbers in "rule 3", "the rules 5 to 8" and "the rules 12 and 14".
func ruleNumbers(comment string) []int {
	var all []int
	comment = strings.Join(strings.Fields(comment), " ")
	for _, m := range ruleReference.FindAllStringSubmatch(comment, -1) {
		first, _ := strconv.Atoi(m[1])
		all = append(all, first)
		if until, err := strconv.Atoi(m[3]); err == nil {
			for n := first + 1; n <= until; n++ {
				all = append(all, n)
			}
		}
		if other, err := strconv.Atoi(m[2]); err == nil {
			all = append(all, other)
		}
	}
	return all
}
