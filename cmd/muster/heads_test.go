package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeads holds the heads of statements to one thing: what an if or a switch does before its
// condition is about what the condition reads, so that no change hides in front of a question about
// something else. And a range names variables, since one that sets a member of something leaves it
// set to the last.
func TestHeads(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	if aside := asideIn(t, "package p\nfunc f() {\n"+
		"if s.kind = 1; !m.strength {}\nif n := f(); ok {}\nif n++; ok {}\nif f(&n); ok {}\n"+
		"switch n := f(); g() {}\nfor _, m.rung = range all {}\n"+
		"if err := f(); err != nil {}\nif s.kind = 1; s.kind > n {}\nif n++; n > 3 {}\n"+
		"if c.look(); c.wrong {}\nswitch n := f(); {\ncase n > 3:\n}\nfor i := range all "+
		"{}\n}\n"); len(aside) != 6 {
		t.Fatalf("the first six are, and no other: %q", aside)
	}
	files := 0
	err := filepath.WalkDir(filepath.Join("..", ".."),
		func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") {
				return err
			}
			files++
			for _, head := range asideIn(t, path) {
				t.Errorf("%s: write this on a line of its own, before what does not read it", head)
			}
			return nil
		})
	if err != nil || files < 100 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// asideIn returns the heads in a file, or in a text that begins with its package, which are about
// something else than what they stand in front of.
func asideIn(t *testing.T, path string) (aside []string) {
	t.Helper()
	var text any
	if strings.HasPrefix(path, "package ") {
		text = path
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if isAside(n) {
			aside = append(aside, fmt.Sprint(fset.Position(n.Pos())))
		}
		return true
	})
	return aside
}

func isAside(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		return n.Init != nil && !reads(n.Cond, of(n.Init))
	case *ast.SwitchStmt:
		var read ast.Node = n.Body
		if n.Tag != nil {
			read = n.Tag
		}
		return n.Init != nil && !reads(read, of(n.Init))
	case *ast.RangeStmt:
		return !names(n.Key) || !names(n.Value)
	}
	return false
}

func names(e ast.Expr) bool {
	_, is := e.(*ast.Ident)
	return e == nil || is
}

// of returns what a statement sets; of a call, each name in it, since it may set any.
func of(s ast.Stmt) map[string]bool {
	set := map[string]bool{}
	switch s := s.(type) {
	case *ast.AssignStmt:
		for _, e := range s.Lhs {
			set[types.ExprString(e)] = true
		}
	case *ast.IncDecStmt:
		set[types.ExprString(s.X)] = true
	default:
		ast.Inspect(s, func(n ast.Node) bool {
			if name, ok := n.(*ast.Ident); ok {
				set[name.Name] = true
			}
			return true
		})
	}
	return set
}

// reads reports whether any of some expressions stands in a piece of source.
func reads(in ast.Node, set map[string]bool) (is bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		is = is || ok && set[types.ExprString(e)]
		return !is
	})
	return is
}
