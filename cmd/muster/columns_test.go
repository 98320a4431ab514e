package main

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is how wide a line of source may be, with four for a tab.
const columns = 100

// TestColumns holds the lines of all source to the width at which two files lie beside each other
// on a screen: all but addresses, tables in comments, and text in backquotes, which stands as it
// is.
func TestColumns(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry,
		err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		if line := firstWide(t, path); line != "" {
			t.Errorf("wrap this at %d columns: %s: %s", columns, path, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// firstWide returns the first line of a file that is too wide, "" when there is none.
func firstWide(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	quoted := backquoted(text)
	at := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		end := at + len(line)
		isTable := strings.HasPrefix(strings.TrimSpace(line), "//\t")
		if width(line) > columns && !isTable && !strings.Contains(line, "://") &&
			!slices.ContainsFunc(quoted, func(q [2]int) bool { return q[0] < end && q[1] > at }) {
			return line
		}
		at = end + 1
	}
	return ""
}

func width(line string) int {
	return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
}

// backquoted returns where text in backquotes begins and ends.
func backquoted(source []byte) (all [][2]int) {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return all
		}
		if tok == token.STRING && literal[0] == '`' {
			at := file.Offset(pos)
			all = append(all, [2]int{at, at + len(literal)})
		}
	}
}
