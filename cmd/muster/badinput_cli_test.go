package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/events"
)

// A badCommand is a command line that must fail, with which exit code, and what it must say.
type badCommand struct {
	exit int
	says string
	args []string
}

// fails runs a command on a server as a liaison would type it, and checks that it fails well and
// records nothing.
func (s *targetServer) fails(t *testing.T, bad badCommand) {
	t.Helper()
	before := s.recorded(t)
	var out, said bytes.Buffer
	args := append(slices.Clone(bad.args), "--url", s.url, "--data", s.dir)
	if !slices.Contains(args, "--key") {
		args = append(args, "--key", s.keyFile)
	}
	exit := run(args, strings.NewReader(""), &out, &said)
	first, _, _ := strings.Cut(said.String(), "\n")
	if exit != bad.exit || !strings.HasPrefix(first, "muster: error: ") ||
		!strings.Contains(said.String(), bad.says) || out.Len() > 0 {
		t.Errorf("exit code %d, want %d, saying %q\nerr: %s\nout: %s", exit, bad.exit,
			bad.says, &said, &out)
	}
	if after := s.recorded(t); after != before {
		t.Errorf("%d records were appended", after-before)
	}
}

// offering is the command line of a good offer, with some flags changed.
func offering(changes ...string) []string {
	flags := []string{"--operation", "mnf-u", "--nation", "FRA", "--role", "ground", "--quantity",
		"100", "--unit", "personnel",
		"--from", "2026-11-24", "--effective", "2026-11-23"}
	for i := 0; i < len(changes); i += 2 {
		if at := slices.Index(flags, changes[i]); at >= 0 {
			flags[at+1] = changes[i+1]
		} else {
			flags = append(flags, changes[i], changes[i+1])
		}
	}
	return append([]string{"pledge", "offer"}, flags...)
}

func TestBadCommands(t *testing.T) {
	notShort(t)
	t.Parallel()
	s := newTarget(t)
	for _, bad := range append(append(append(s.badOffers(t), s.badFiles(t)...), s.badMoves()...),
		s.badLives()...) {
		t.Run(fmt.Sprintf("%.60q", strings.Join(bad.args[1:], " ")), func(t *testing.T) {
			s.fails(t, bad)
		})
	}
	s.stop(t)
}

func (s *targetServer) badOffers(t *testing.T) (all []badCommand) {
	offer := func(exit int, says string, changes ...string) {
		all = append(all, badCommand{exit, says, offering(changes...)})
	}
	for _, quantity := range []string{"0", "-1", "1.5", "1e400", "9007199254740993", "many"} {
		offer(6, "quantity", "--quantity", quantity)
	}
	offer(2, "--quantity is given and empty", "--quantity", "")
	for _, word := range []string{"*", ">", "a.b", "a b", "a\r\nb", "аб", "FR\x00", "\xff\xfe",
		strings.Repeat("x", 4000)} {
		for _, flag := range []string{"--nation", "--operation", "--role"} {
			offer(6, flag[2:], flag, word)
		}
	}
	offer(6, "the nearest names are of France (FRA)", "--nation", "Francce")
	offer(6, "write it in lower case", "--operation", "MNF-U")
	offer(6, "write it in lower case", "--role", "Ground")
	offer(6, "the window ends before it begins", "--until", "2026-11-23")
	offer(6, "role", "--role", "space")
	offer(6, "unit", "--unit", "ship")
	offer(3, "mnf-x", "--operation", "mnf-x")
	offer(4, "cannot speak for Germany", "--nation", "DEU")
	offer(4, "not a member", "--key", s.writeKey(t, "FRA/paris"))
	offer(3, "is not there", "--key", filepath.Join(t.TempDir(), "no.key"))
	offer(6, "holds", "--key", s.writeFile(t, "empty.key", ""))
	offer(2, "--effective", "--effective", "yesterday")
	offer(6, "from", "--from", "2026-02-30")
	offer(6, "presence", "--presence", "home")
	offer(6, `--notice-to-move "-5"`, "--notice-to-move", "-5")
	offer(2, "notice-to-move", "--notice-to-move", "soon")
	offer(6, "bytes", "--note", strings.Repeat("😀", 9000))
	return all
}

// badMoves are about pledges that are not there, and ids that are none.
func (s *targetServer) badMoves() []badCommand {
	const nobody = "01KAQ7Z0V4T5W9J8M3N2P6R1XC"
	return []badCommand{
		{6, "pledge-1", []string{"pledge", "withdraw", "pledge-1"}},
		{3, nobody, []string{"pledge", "withdraw", nobody}},
		{3, nobody, []string{"pledge", "amend", nobody, "--quantity", "5"}},
		{6, "id", []string{"pledge", "show", "../records"}},
		{6, "roles", []string{"scope", "declare", "GROUND", "--operation", "mnf-u"}},
		{6, "roles", []string{"scope", "declare", "--operation", "mnf-u"}},
		{6, "rung", []string{"coverage", "--rung", "sworn"}},
		{6, `--as-of "yesterday"`, []string{"coverage", "--as-of", "yesterday"}},
		{2, "by", []string{"strength", "--by", "colour"}},
		{6, "from", []string{"log", "--from", "never"}},
		{6, "nation", []string{"log", "--nation", "*"}},
	}
}

// badFiles are files that cannot be what they are said to be: for each, what every command that
// reads files makes of it.
func (s *targetServer) badFiles(t *testing.T) (all []badCommand) {
	const demo, un = "demo/isaf-2009.csv", "../../ledger/intake/peacekeeping/testdata/dirty.csv"
	for _, file := range []struct {
		path string
		exit int
	}{
		{filepath.Join(t.TempDir(), "missing"), 3},
		{t.TempDir(), 2},
		{s.writeFile(t, "empty", ""), 6},
		{s.writeFile(t, "blank", "\n\n"), 6},
		{s.writeFile(t, "binary", "\x7fELF\x00\x01\x02\xff"), 6},
		{s.writeFile(t, "letter", "Dear all,\nplease find attached\n"), 6},
		{s.cutFile(t, demo), 6},
		{s.cutFile(t, un), 6},
	} {
		all = append(all,
			badCommand{file.exit, "",
				[]string{"import", "csv", file.path, "--map", "demo/isaf-2009.map.yaml"}},
			badCommand{file.exit, "", []string{"import", "un", file.path}},
			badCommand{file.exit, "", []string{"plan", "apply", file.path}})
	}
	return append(all,
		badCommand{3, "missing", []string{"import", "csv", demo, "--map", "missing"}},
		badCommand{6, "operation",
			[]string{"import", "csv", demo, "--map",
				s.writeFile(t, "map.yaml", "columns: {nation: country}\n")}})
}

// cutFile makes a copy of a table that ends in the middle of its last row.
func (s *targetServer) cutFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimRight(string(data), "\n")
	last := text[strings.LastIndexByte(text, '\n')+1:]
	return s.writeFile(t, "cut.csv", text[:len(text)-len(last)+strings.IndexByte(last, ',')+2])
}

func (s *targetServer) writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *targetServer) writeKey(t *testing.T, name string) string {
	t.Helper()
	secret, _, err := events.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return s.writeFile(t, "some.key", secret)
}
