package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	operatingTitle = regexp.MustCompile(`(?m)^## `)
	operatingTried = regexp.MustCompile(`(?m)^Tried by (.+)$`)
	inBackquotes   = regexp.MustCompile("`([^`]+)`")
	exitsOf        = regexp.MustCompile(`^exits \d+ `)
	longFlag       = regexp.MustCompile(`--[a-z][a-z-]+`)
)

// nodesOfPage are the nodes of the page's cluster. In scripts, one node stands for all.
const nodesOfPage = "tls://nats-1:4222,tls://nats-2:4222,tls://nats-3:4222"

// Each procedure of deploy/OPERATING.md is tried by a script, and by tests besides, which it names;
// each of its commands stands in one of the scripts, or, where none has the command, each flag of
// it in one of the tests.
func TestOperatingPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "deploy", "OPERATING.md"))
	if err != nil {
		t.Fatal(err)
	}
	procedures := operatingTitle.Split(string(page), -1)[1:]
	if len(procedures) < 14 {
		t.Errorf("it has %d procedures", len(procedures))
	}
	sources := testSources(t)
	for _, procedure := range procedures {
		title, _, _ := strings.Cut(procedure, "\n")
		tried := operatingTried.FindStringSubmatch(procedure)
		if tried == nil {
			t.Errorf("%s: nothing tries it", title)
			continue
		}
		var commands, tests []string
		hasScript := false
		for _, m := range inBackquotes.FindAllStringSubmatch(tried[1], -1) {
			switch name := m[1]; {
			case strings.HasSuffix(name, ".txt"):
				commands, hasScript = append(commands, typedIn(t, name)...), true
			case strings.HasPrefix(name, "Test"):
				tests = append(tests, sourceOf(t, sources, name))
			}
		}
		steps := consoleSteps(procedure)
		if len(steps) == 0 || !hasScript {
			t.Errorf("%s: %d commands, tried by %s", title, len(steps), tried[1])
		}
		for _, step := range steps {
			if !isTried(step.command, commands, tests) {
				t.Errorf("%s: nothing that it names tries: %s", title, step.command)
			}
		}
	}
}

// isTried reports whether a command is one of some, or all that it asks for stands in the source of
// a test: its flags, or, where it has none, its name.
func isTried(command string, commands, tests []string) bool {
	for _, c := range commands {
		if c == command || strings.HasPrefix(c, command+" ") {
			return true
		}
	}
	asks := longFlag.FindAllString(strings.ReplaceAll(command, "--data", ""), -1)
	if len(asks) == 0 {
		asks = strings.Fields(command)[1:2]
	}
	for _, source := range tests {
		all := true
		for _, word := range asks {
			all = all && strings.Contains(source, word)
		}
		if all {
			return true
		}
	}
	return false
}

// typedIn are the commands of a script, as somebody types them.
func typedIn(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "script", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = exitsOf.ReplaceAllString(strings.TrimSpace(line), "")
		line = strings.TrimPrefix(line, "exec ")
		line = strings.NewReplacer("$NODE", nodesOfPage, "$KEY", "KEY").Replace(line)
		switch {
		case line == "halt":
			line = "systemctl stop muster"
		case line == "serve" || strings.HasPrefix(line, "serve "):
			line = "muster " + line
		case strings.HasPrefix(line, "cp stdout ") && len(all) > 0:
			all[len(all)-1] += " > " + strings.Fields(line)[2]
		}
		all = append(all, line)
	}
	return all
}

// testSources are the files of this package's tests.
func testSources(t *testing.T) (all []string) {
	t.Helper()
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// sourceOf returns the file that has a test, with the pages that such a test types.
func sourceOf(t *testing.T, sources []string, test string) string {
	t.Helper()
	for _, source := range sources {
		if !strings.Contains(source, "\nfunc "+test+"(t *testing.T)") {
			continue
		}
		if test == "TestKeysPage" {
			page, err := os.ReadFile(filepath.Join("..", "..", "deploy", "KEYS.md"))
			if err != nil {
				t.Fatal(err)
			}
			source += string(page)
		}
		return source
	}
	t.Errorf("there is no test %s", test)
	return ""
}
