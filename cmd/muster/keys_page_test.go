package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The ceremonies of deploy/KEYS.md are what happens: the commands of the page are typed, one after
// another, in its order, on one ledger. Where the page shows an answer, it is that, as in the
// README's session; a command of which it shows none ends well.
func TestKeysPage(t *testing.T) {
	notShort(t)
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "deploy", "KEYS.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".session"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var server *serverProcess
	var keys []string // the server's checkpoint keys, the oldest first
	steps := consoleSteps(string(page))
	for _, step := range steps {
		if flags, ok := strings.CutPrefix(step.command, "muster serve --data ledger "); ok {
			if server != nil {
				server.kill()
			}
			server = serving(t, filepath.Join(dir, "ledger"), strings.Fields(flags)...)
			keys = append(keys, server.checkpointKey(t))
			if said, ok := runInShell(t, dir, "export MUSTER_URL="+server.url); !ok {
				t.Fatal(said)
			}
			continue
		}
		of := func(text string) string { return text }
		if server != nil {
			of = strings.NewReplacer("https://muster.example", server.url, "OLD-KEY", keys[0],
				"NEW-KEY", keys[len(keys)-1]).Replace
		}
		if strings.HasPrefix(step.command, "mv ledger/checkpoint.key") {
			server.stop(t)
		}
		said, ok := runInShell(t, dir, of(step.command))
		if ok == strings.Contains(step.answer, "muster: error: ") {
			t.Fatalf("$ %s\nsucceeds: %t\n%s", step.command, ok, said)
		}
		if step.answer != "" && !answers(strings.Split(steady(of(step.answer)), "\n"),
			strings.Split(steady(said), "\n")) {
			t.Errorf("$ %s\nKEYS.md says:\n%s\nand the answer is:\n%s", step.command, step.answer,
				said)
		}
	}
	if len(steps) < 40 || server == nil {
		t.Fatalf("KEYS.md shows %d commands", len(steps))
	}
	server.stop(t)
}
