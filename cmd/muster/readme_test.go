package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmeData is the data folder of the session.
const readmeData = "muster-data"

// The session that README.md shows is what happens: its commands are run, one after another, and
// answer as it says.
//
// In a line of what is answered, times, keys, ids and the like may be others. A line … stands for
// any lines.
func TestReadmeSession(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(project, readmeData, "doc.go")); err == nil {
		t.Errorf("whoever types the session in the source folder founds a ledger in its package %s",
			readmeData)
	}
	dir := t.TempDir()
	err = errors.Join(os.Symlink(filepath.Join(project, "cmd"), filepath.Join(dir, "cmd")),
		os.WriteFile(filepath.Join(dir, ".session"), nil, 0o600)) // what is exported, to begin with
	if err != nil {
		t.Fatal(err)
	}
	var server *serverProcess
	for _, step := range readmeSession(t, filepath.Join(project, "README.md")) {
		switch {
		case step.command == "muster serve --data "+readmeData:
			server = serving(t, filepath.Join(dir, readmeData))
		case server == nil:
			t.Fatalf("the session must begin with its server, not with %s", step.command)
		default:
			said, ok := runInShell(t, dir, step.command)
			if ok == strings.Contains(step.answer, "muster: error: ") {
				t.Errorf("$ %s\nsucceeds: %t", step.command, ok)
			}
			if !answers(strings.Split(steady(step.answer), "\n"),
				strings.Split(steady(said), "\n")) {
				t.Errorf("$ %s\nREADME.md says:\n%s\nand the answer is:\n%s", step.command,
					step.answer, said)
			}
		}
	}
	if server == nil {
		t.Fatal("README.md shows no session")
	}
	server.stop(t)
}

// A sessionStep is a command as it is typed, and what is shown after it.
type sessionStep struct{ command, answer string }

// readmeSession reads the console blocks of the section "A session".
func readmeSession(t *testing.T, file string) (steps []sessionStep) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## A session\n")
	section, _, _ = strings.Cut(section, "\n## ")
	return consoleSteps(section)
}

// consoleSteps reads the console blocks of a text.
func consoleSteps(section string) (steps []sessionStep) {
	inside := false
	for line := range strings.Lines(section) {
		line = strings.TrimSuffix(line, "\n")
		switch command, typed := strings.CutPrefix(line, "$ "); {
		case line == "```console":
			inside = true
		case line == "```":
			inside = false
		case inside && typed:
			steps = append(steps, sessionStep{command: command})
		case inside && len(steps) > 0:
			steps[len(steps)-1].answer += line + "\n"
		}
	}
	return steps
}

// runInShell types a command into a shell that remembers what was exported before, and returns all
// that appears, and whether the command succeeded.
func runInShell(t *testing.T, dir, command string) (said string, ok bool) {
	t.Helper()
	c := exec.Command("sh", "-c",
		". ./.session\n"+command+"\ncode=$?; export -p >.session; exit $code")
	c.Dir, c.Env = dir, plainEnv("MUSTER_CONFIG="+filepath.Join(dir, ".config"))
	all, err := c.CombinedOutput()
	return string(all), err == nil
}

// changing is what is another every time: ids, keys, signatures, the names of ledgers and machines,
// times.
var changing = regexp.MustCompile(
	`\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b|\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*|[A-Za-z0-9+/]{80,}=*|` +
		`muster\.local/[0-9a-f]{8}|"by":"[^"]*"|"root":"[^"]*"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.0-9]*Z?|\b[0-9a-f]{64}\b`)

// steady takes out what changes, and the space at the ends of lines.
func steady(text string) string {
	lines := strings.Split(strings.TrimSpace(changing.ReplaceAllString(text, "*")), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// answers reports whether lines are as wanted, where … stands for any lines.
func answers(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "…":
		return answers(want[1:], got) || len(got) > 0 && answers(want, got[1:])
	}
	return len(got) > 0 && want[0] == got[0] && answers(want[1:], got[1:])
}
