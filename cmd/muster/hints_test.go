package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"muster/events/problem"
)

var (
	typedInHint = regexp.MustCompile("(?:: |`)muster ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
	wireType    = regexp.MustCompile(`: [a-z]+\.[a-z]+ed\b`)
)

// Hints name commands that there are, and no kinds of statement as they are on the wire.
func TestHints(t *testing.T) {
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	seen := 0
	for _, dir := range []string{"events", "ledger", "projections", "cmd/muster"} {
		for where, said := range textsOf(t, filepath.Join("..", "..", dir)) {
			if wireType.MatchString(said) && dir == "ledger" {
				t.Errorf("%s: %q names a kind of statement, and not the command", where, said)
			}
			for _, found := range typedInHint.FindAllStringSubmatch(said, -1) {
				seen++
				at, _, err := root.Find(found[1:2])
				if err != nil || at == root {
					t.Errorf("%s: %q: there is no muster %s", where, said, found[1])
				} else if at.HasSubCommands() && found[2] != "" && !hasCommand(at, found[2]) {
					t.Errorf("%s: %q: there is no muster %s %s", where, said, found[1], found[2])
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d commands are in hints", seen)
	}
}

func hasCommand(c *cobra.Command, name string) bool {
	for _, one := range c.Commands() {
		if one.Name() == name {
			return true
		}
	}
	return false
}

// textsOf returns the texts in the code of a folder and those in it, by their places.
func textsOf(t *testing.T, root string) map[string]string {
	t.Helper()
	texts, files := map[string]string{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, _ := strconv.Unquote(lit.Value)
				texts[files.Position(lit.Pos()).String()] = text
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// The exit codes are told as the table of problems has them.
func TestExitCodesTopic(t *testing.T) {
	for _, k := range problem.Kinds() {
		if !regexp.MustCompile(`(?m)^ +` + strconv.Itoa(k.Exit) + `  `).MatchString(exitCodes) {
			t.Errorf("exit code %d of %q is not told", k.Exit, k.Slug)
		}
	}
}
