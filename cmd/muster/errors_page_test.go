package main

import (
	"cmp"
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

	"muster/events/problem"
)

// errorRooms are the packages whose messages are read by whoever keeps a server, with what they are
// about.
var errorRooms = []struct{ about, dir string }{
	{"Starting and stopping, listening, keys, copies", "cmd/internal/server"},
	{"Recording", "ledger"},
	{"The journal", "ledger/journal"},
	{"The stream, on NATS", "ledger/stream"},
	{"Other servers of the ledger", "ledger/peers"},
	{"Witnesses", "ledger/witness"},
	{"The saved projections", "projections/projector"},
	{"Backups", "cmd/internal/backup"},
	{"Mirrors", "ledger/mirror"},
}

const errorsHead = `# Messages that need a hand

Every error says by itself what to do, behind "hint:", as does ` + "`/healthz`" + `, and this page
says nothing else: it has, from the source, the messages of a server, of backups, witnesses and
mirrors that somebody has to do something about. It is written by a test, which fails when a
message has changed: ` + "`MUSTER_WRITE=1 go test -run TestErrorsPage ./cmd/muster`" + ` writes it
anew. … stands for what differs each time. Look for some words of the message. Before anything
that gives up records or removes files, keep a copy of the data folder; a procedure for it may be
in ` + "`OPERATING.md`" + `.

## What the exit code says

| exit code | HTTP status | what it is |
|---|---|---|
`

// deploy/ERRORS.md is what the source says: the table of what can go wrong, and each message with
// its remedy.
func TestErrorsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(errorsHead)
	kinds := problem.Kinds()
	slices.SortStableFunc(kinds, func(a, b problem.Kind) int { return cmp.Compare(a.Exit, b.Exit) })
	for _, k := range kinds {
		fmt.Fprintf(&page, "| %d | %d | %s |\n", k.Exit, k.Status, k.Title)
	}
	told := 0
	for _, room := range errorRooms {
		rows := remediesIn(t, filepath.Join("..", "..", filepath.FromSlash(room.dir)))
		if len(rows) == 0 {
			t.Errorf("%s has no message with a remedy", room.dir)
		}
		told += len(rows)
		fmt.Fprintf(&page, "\n## %s\n\n| message | exit code | what to do |\n|---|---|---|\n",
			room.about)
		for _, row := range rows {
			page.WriteString(row)
		}
	}
	if told < 60 {
		t.Errorf("only %d messages were found", told)
	}
	file := filepath.Join("..", "..", "deploy", "ERRORS.md")
	if os.Getenv("MUSTER_WRITE") != "" {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page.String() {
		there := strings.Split(string(have), "\n")
		for _, line := range strings.Split(page.String(), "\n") {
			if !slices.Contains(there, line) {
				t.Errorf("it lacks: %s", line)
			}
		}
		t.Error("deploy/ERRORS.md is not what the source says: MUSTER_WRITE=1 go test -run " +
			"TestErrorsPage ./cmd/muster writes it anew")
	}
}

// remediesIn returns the rows of a package: what is no fault of a statement or a command line, and
// has a remedy.
func remediesIn(t *testing.T, dir string) (rows []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	named := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					named[name.Name] = plain(spec.Values[i])
				}
			}
			return true
		})
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if row, ok := remedyOf(n, named); ok && !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
			return true
		})
	}
	slices.Sort(rows)
	return rows
}

// forOperators are the kinds that somebody has to do something about who keeps a server, by their
// names in the source. The others are told to whoever has signed or typed something.
var forOperators = map[string]problem.Kind{"Internal": problem.Internal,
	"NotFound": problem.NotFound, "Conflict": problem.Conflict,
	"Unavailable": problem.Unavailable, "Unverified": problem.Unverified}

// asFound stands for a remedy that is put together where the message is, of what was found there.
const asFound = "what its hint says, which depends on what was found"

// remedyOf returns the row of problem.New(…).WithHint(…). A text of its own may have a name in the
// package.
func remedyOf(n ast.Node, named map[string]string) (row string, ok bool) {
	hint, of := methodCall(n, "WithHint")
	if hint == nil || len(hint.Args) == 0 {
		return "", false
	}
	if code, inner := methodCall(of, "WithCode"); code != nil {
		of = inner
	}
	call, isCall := of.(*ast.CallExpr)
	if !isCall || len(call.Args) < 2 {
		return "", false
	}
	made, isMade := call.Fun.(*ast.SelectorExpr)
	kind, isKind := call.Args[0].(*ast.SelectorExpr)
	if !isMade || made.Sel.Name != "New" || !isKind {
		return "", false
	}
	k, isTheirs := forOperators[kind.Sel.Name]
	message, do := plain(call.Args[1]), plain(hint.Args[0])
	if do == "…" && len(hint.Args) == 2 {
		if name, isName := hint.Args[1].(*ast.Ident); isName {
			do = named[name.Name]
		}
	}
	if !hasWords.MatchString(do) {
		do = asFound
	}
	if !isTheirs || !hasWords.MatchString(message) {
		return "", false
	}
	return fmt.Sprintf("| %s | %d | %s |\n", message, k.Exit, do), true
}

// methodCall returns a call of a method, and what it is called on; nil for anything else.
func methodCall(n ast.Node, name string) (*ast.CallExpr, ast.Expr) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil, nil
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return nil, nil
	}
	return call, sel.X
}

var hasWords = regexp.MustCompile(`\pL{2}`)

var formatVerb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// plain returns a text of the source with … in the place of what differs, as a cell of a table; ""
// where it is not said there.
func plain(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			return ""
		}
		text = formatVerb.ReplaceAllString(text, "…")
		return strings.NewReplacer("%%", "%", "|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
	case *ast.BinaryExpr:
		left, right := plain(e.X), plain(e.Y)
		if left == "" || right == "" {
			return ""
		}
		return left + right
	}
	return ""
}
