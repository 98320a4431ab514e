package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	aTest  = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)`")
	aFunc  = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(t \*testing\.T\)`)
	behind = filepath.Join("..", "..")
)

// Every promise of these pages names a test that shows it, and each test that is named is there.
func TestPromisesAreShown(t *testing.T) {
	there := allTests(t)
	for _, page := range []string{"RELIABILITY.md", "TRUST.md"} {
		text, err := os.ReadFile(filepath.Join(behind, "deploy", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range aTest.FindAllStringSubmatch(string(text), -1) {
			if !there[named[1]] {
				t.Errorf("%s: there is no test %s", page, named[1])
			}
		}
		promises := 0
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") ||
				strings.Contains(line, "| shown by |") {
				continue
			}
			promises++
			if !aTest.MatchString(line) {
				t.Errorf("%s: this promise names no test: %s", page, line)
			}
		}
		if promises < 10 {
			t.Errorf("%s: there are %d promises", page, promises)
		}
	}
}

// allTests returns the names of all tests.
func allTests(t *testing.T) map[string]bool {
	all := map[string]bool{}
	err := filepath.WalkDir(behind, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range aFunc.FindAllStringSubmatch(string(text), -1) {
			all[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
