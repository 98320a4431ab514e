package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"muster/events/problem"
)

// wireType finds kinds of statement as they are on the wire, in a sentence for people.
var wireType = regexp.MustCompile(
	`\b(pledge|condition|caveat|allocation|member|requirement|operation|` +
		`scope|ledger)\.[a-z]+ed\b`)

// Commands that are named in what the program says run as they are printed: each is there, with its
// flags and as many arguments as it takes. Messages of the rules name no kind of statement as it is
// on the wire.
func TestHints(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	seen := 0
	for _, dir := range []string{"events", "ledger", "projections", "cmd"} {
		for where, said := range textsOf(t, filepath.Join("..", "..", dir)) {
			if strings.Contains(where, "ledger/rules") && strings.Contains(said, " ") &&
				wireType.MatchString(said) {
				t.Errorf("%s: %q names a kind of statement as it is on the wire", where, said)
			}
			for _, command := range commandsIn(said) {
				seen++
				if err := runs(command); err != nil {
					t.Errorf("%s: %q: %v", where, said, err)
				}
			}
			if loose := looseCommand(said); loose != "" && !strings.Contains(where, "_test.go") {
				t.Errorf("%s: %q: write %s after a colon or between backticks, to be copied",
					where, said, loose)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d commands are in what the program says", seen)
	}
}

// listedCommand finds commands that stand on lines of their own, as in examples.
var (
	listedCommand = regexp.MustCompile(`(?m)^  muster ([^#>\n]*)`)
	inQuotes      = regexp.MustCompile(`"[^"]*"|'[^']*'`)
)

// commandsIn returns the command lines that a sentence holds.
func commandsIn(said string) (all []string) {
	for _, found := range typedCommand.FindAllStringSubmatch(said, -1) {
		all = append(all, strings.TrimRight(inQuotes.ReplaceAllString(found[2], "TEXT"), " \n"))
	}
	for _, found := range listedCommand.FindAllStringSubmatch(said, -1) {
		all = append(all, inQuotes.ReplaceAllString(found[1], "TEXT"))
	}
	return all
}

// fileHeads begin files and notes, and are no commands.
var fileHeads = []string{"muster receipt ", "muster session v1"}

var namesCommand = regexp.MustCompile(`(?:^|[^:;] |\()muster ([a-z]+)(?: ([a-z]+))?\b`)

// looseCommand returns a command that a sentence only names, and which nobody can copy.
func looseCommand(said string) string {
	if strings.Contains(said, "\n") || strings.HasPrefix(said, "  muster ") ||
		slices.Contains(fileHeads, said) {
		return "" // a help, or a file's head
	}
	if whole, ok := strings.CutPrefix(said, "muster "); ok && runs(whole) == nil {
		return "" // to be put after a colon
	}
	for _, found := range namesCommand.FindAllStringSubmatch(said, -1) {
		sub, _, err := (&app{}).root().Find(found[1:2])
		if err == nil && sub.Name() == found[1] && !strings.HasSuffix(said, "changes nothing so") &&
			!strings.Contains(said, "corrects nothing so") {
			return found[0]
		}
	}
	return ""
}

// runs says why a command line cannot be typed as it stands, nil when it can.
func runs(command string) error {
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	c, rest, err := root.Find(strings.Fields(command))
	if err != nil {
		return err
	}
	if slices.Contains(rest, "--help") {
		return nil
	}
	if err := c.ParseFlags(numbers(rest)); err != nil {
		return fmt.Errorf("muster %s: %w", command, err)
	}
	if c.HasSubCommands() && c.Flags().NArg() > 0 {
		return fmt.Errorf("there is no muster %s", command)
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return fmt.Errorf("muster %s: %w", command, err)
	}
	return missing(c)
}

// numbers puts a number for each N.
func numbers(words []string) []string {
	words = slices.Clone(words)
	for i, w := range words {
		if w == "N" {
			words[i] = "7"
		}
	}
	return words
}

var requiredFlag = regexp.MustCompile(`--([a-z-]+) [A-Z]+`)

// missing says which flag a command needs besides those that were given: its usage names them, or
// their help.
func missing(c *cobra.Command) error {
	if c.Flags().Changed("indicated") {
		return nil
	}
	for _, found := range requiredFlag.FindAllStringSubmatch(c.Use, -1) {
		if !c.Flags().Changed(found[1]) {
			return fmt.Errorf("%s needs --%s", c.CommandPath(), found[1])
		}
	}
	for _, name := range []string{"quantity", "reason", "expires"} {
		f := c.Flags().Lookup(name)
		if f != nil && strings.Contains(f.Usage, "(required)") && !f.Changed {
			return fmt.Errorf("%s needs --%s", c.CommandPath(), name)
		}
	}
	return nil
}

// A hintReader passes on what a command says to people, and keeps what in it cannot be typed.
type hintReader struct {
	io.Writer
	wrong []error
}

// Write implements io.Writer.
func (h *hintReader) Write(data []byte) (int, error) {
	for line := range strings.Lines(string(data)) {
		line, ok := strings.CutPrefix(line, "muster: ")
		if !ok {
			continue
		}
		if about, said, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(said, "write: ") {
			line = about + " " + said // a command that is told of comes first, and is no remedy
		}
		for _, command := range commandsIn(line) {
			if err := runs(command); err != nil {
				h.wrong = append(h.wrong, fmt.Errorf("%q: %w", strings.TrimSpace(line), err))
			}
		}
	}
	return h.Writer.Write(data)
}

// hintExit is how the program ends in tests when it has said what cannot be typed.
const hintExit = 70

// mainWithHints is the program as all tests of this package run it: it fails when it names a
// command that does not run as it was printed.
func mainWithHints() {
	said := &hintReader{Writer: os.Stderr}
	leave = os.Exit
	code := run(os.Args[1:], os.Stdin, os.Stdout, said)
	for _, err := range said.wrong {
		fmt.Fprintf(os.Stderr, "this cannot be typed: %v\n", err)
		code = hintExit
	}
	os.Exit(code)
}

// hinted [FLAGS]: types the first command of the hint that the last one has printed, with these
// flags besides.
func scriptHinted(ts *testscript.TestScript, neg bool, args []string) {
	_, hint, ok := strings.Cut(ts.ReadFile("stderr"), "muster: hint: ")
	commands := commandsIn(hint)
	if neg || !ok || len(commands) == 0 {
		ts.Fatalf("usage: hinted [FLAGS], after a hint with a command")
	}
	ts.Check(ts.Exec("muster", append(strings.Fields(commands[0]), args...)...))
}

// textsOf returns the texts in the code of a folder and those in it, by their places. What is put
// together with a plus is one text. What a text leaves open is an ID in it.
func textsOf(t *testing.T, root string) map[string]string {
	t.Helper()
	texts, files := map[string]string{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := textOf(e)
			if ok {
				texts[files.Position(e.Pos()).String()] = verb.ReplaceAllString(text, "ID")
			}
			return !ok
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

var verb = regexp.MustCompile(`%(\[\d\])?[a-z]`)

// textOf returns what an expression says, and whether it is a text at all.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		left, isLeft := textOf(e.X)
		right, isRight := textOf(e.Y)
		if e.Op != token.ADD || !isLeft && !isRight {
			return "", false
		}
		for side, is := range map[*string]bool{&left: isLeft, &right: isRight} {
			if !is {
				*side = "ID"
			}
		}
		return left + right, true
	}
	return "", false
}

// The exit codes are told as the table of problems has them.
func TestExitCodesTopic(t *testing.T) {
	for _, k := range problem.Kinds() {
		if !regexp.MustCompile(`(?m)^ +` + strconv.Itoa(k.Exit) + `  `).MatchString(exitCodes) {
			t.Errorf("exit code %d of %q is not told", k.Exit, k.Slug)
		}
	}
}
