package main

import (
	"bufio"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is how wide a line of source may be, with four for a tab.
const columns = 100

// wide are the folders with source that is wider and yet to be wrapped. Nothing is added to them.
var wide = []string{
	"cmd/bench", "cmd/internal/reach", "cmd/internal/server", "cmd/muster", "events",
	"events/english", "events/problem", "events/schema", "ledger", "ledger/intake",
	"ledger/intake/peacekeeping", "ledger/intake/plan", "ledger/intake/plan/strictyaml",
	"ledger/intake/round", "ledger/journal", "ledger/logtest", "ledger/natsd", "ledger/proof",
	"ledger/proof/remote", "ledger/rules", "ledger/stream", "projections", "projections/access",
	"projections/web", "projections/web/page",
}

// TestColumns holds the lines of all source, but for addresses and tables in comments, to the width
// at which two files lie beside each other on a screen.
func TestColumns(t *testing.T) {
	root := filepath.Join("..", "..")
	over, first := map[string]int{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		folder = filepath.ToSlash(folder)
		if line := firstWide(t, path); line != "" && err == nil {
			over[folder]++
			first[folder] = path + ": " + line
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range slices.Sorted(maps.Keys(over)) {
		if !slices.Contains(wide, folder) {
			t.Errorf("wrap this at %d columns: %s", columns, first[folder])
		}
	}
	for _, folder := range wide {
		if over[folder] == 0 {
			t.Errorf("%s is wrapped: take it off the list", folder)
		}
	}
}

// firstWide returns the first line of a file that is too wide, "" when there is none.
func firstWide(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		width := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
		isTable := strings.HasPrefix(strings.TrimSpace(line), "//\t")
		if width > columns && !isTable && !strings.Contains(line, "://") {
			return line
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return ""
}
