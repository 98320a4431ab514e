package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/ledger/proof"
)

// Two servers with one key go on from the same ledger in two ways: everything that carries a
// checkpoint of theirs, receipt, bundle, file or server, is held against what else came by.
func TestWhatCarriesCheckpointsOfTwoHistories(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	a := serving(t, dir)
	c := begin(t, a)
	shared := newUser(t)
	shared.content(t, "checkpoint", "--url", a.url)
	a.stop(t)
	b := serving(t, copyFolder(t, dir))
	a = serving(t, dir)
	for range 16 {
		submitted(t, a, c)
		submitted(t, b, c)
	}
	secret, key := filepath.Join(dir, server.FounderFile), a.checkpointKey(t)
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	carries := func(p *serverProcess, name string) {
		u := newUser(t)
		u.content(t, "pledge", "offer", "--url", p.url, "--key", secret, "--operation", "mnf-u",
			"--nation", "NLD", "--role", "ground", "--quantity", "5",
			"--receipt", at(name+".receipt"))
		u.content(t, "export", "bundle", at(name+".bundle"), "--url", p.url)
		signed, _ := u.content(t, "checkpoint", "--url", p.url)
		if err := os.WriteFile(at(name+".checkpoint"), []byte(signed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	carries(a, "a20")
	carries(b, "b20")
	isWarned := func(u user, words string, args ...string) {
		t.Helper()
		code, out, said := u.types(t, args...)
		files := evidenceFiles.FindStringSubmatch(said)
		if code != 8 || !strings.Contains(out+said, words) || files == nil {
			t.Fatalf("muster %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
		}
		for _, file := range files[1:] {
			signed, err := os.ReadFile(file)
			if err == nil {
				_, err = proof.OpenCheckpoint(signed, key)
			}
			if err != nil {
				t.Errorf("the evidence %s: %v", file, err)
			}
		}
	}

	// Whoever has seen 20 records of one is told of 20 of the other, whatever carries them, also
	// who has never met a server.
	root := "of the same 20 records it shows the root"
	for _, u := range []user{newUser(t), newUser(t)} {
		u.content(t, "receipt", at("a20.receipt"))
		isWarned(u, root, "receipt", at("b20.receipt"))
	}
	u := newUser(t)
	u.content(t, "pledge", "list", "--url", a.url)
	for _, args := range [][]string{{"receipt", at("b20.receipt")},
		{"verify", at("b20.receipt")}, {"verify", at("b20.bundle")}, {"verify", b.url},
		{"checkpoint", "--url", b.url}, {"checkpoint", "--compare", at("b20.checkpoint"), a.url},
		{"checkpoint", "--compare", at("a20.checkpoint"), at("b20.bundle")},
		{"receipt", at("b20.receipt"), "--at", a.url}} {
		isWarned(u, "", args...)
	}
	u = newUser(t)
	isWarned(u, "", "verify", a.url, "--since", at("b20.checkpoint"))
	isWarned(newUser(t), "one has the root", "checkpoint", "--checkpoint-key", key, "--compare",
		at("a20.checkpoint"), at("b20.checkpoint"))

	// What cannot be compared yet is said to be so, waits, and is told when a server is asked.
	submitted(t, a, c)
	carries(a, "a22")
	u = newUser(t)
	u.content(t, "pledge", "list", "--url", a.url)
	out, _ := u.content(t, "receipt", at("b20.receipt"))
	if !strings.Contains(out, "Compared:    not compared with what servers have shown") {
		t.Errorf("a receipt that nobody has compared:\n%s", out)
	}
	out, _ = u.content(t, "receipt", at("b20.receipt"), "--json")
	if !strings.Contains(out, `"compared": "not compared"`) {
		t.Errorf("a receipt that nobody has compared:\n%s", out)
	}
	out, _ = u.content(t, "verify", at("b20.receipt"))
	if !strings.Contains(out, "not checked  known       the tree of 20 records was not compared "+
		"with that of 22 that was seen before") {
		t.Errorf("a receipt that nobody has compared:\n%s", out)
	}
	isWarned(u, "the first 20 of its 22 records are not those", "pledge", "list", "--url", a.url)

	// One history is one, however it comes by.
	u = shared
	u.content(t, "receipt", at("a20.receipt"))
	u.content(t, "verify", at("a22.bundle"))
	code, _, said := u.types(t, "checkpoint", "--compare", at("a20.receipt"), at("a22.receipt"))
	if code != 7 || !strings.Contains(said, "not compared: one is of 20 records, and the other "+
		"of 22") {
		t.Errorf("two files of other sizes: exit code %d\n%s", code, said)
	}
	out, _ = u.content(t, "checkpoint", "--compare", at("a20.bundle"), a.url)
	if !strings.Contains(out, "Consistent: the tree of 22 records goes on from that of 20.") {
		t.Errorf("a file and a server:\n%s", out)
	}
	out, _ = u.content(t, "checkpoint", "--compare", at("a22.bundle"), at("a22.checkpoint"))
	if !strings.Contains(out, "Same: both are of 22 records") {
		t.Errorf("two files:\n%s", out)
	}
	out, _ = u.content(t, "receipt", at("a20.receipt"), "--at", a.url)
	if !strings.Contains(out, "the record is still there: "+a.url+" shows 22 records now") {
		t.Errorf("a receipt at its server:\n%s", out)
	}
	out, _ = u.content(t, "receipt", at("a20.receipt"))
	if !strings.Contains(out, "Compared:    the tree is one that was seen before") {
		t.Errorf("a receipt that was compared:\n%s", out)
	}
	a.stop(t)
	b.stop(t)
}

// A key that was given is remembered when a checkpoint was verified with it, and not before.
func TestGivenKeyIsRememberedOnceItHasVerified(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	key := p.checkpointKey(t)
	name, _, _ := strings.Cut(key, "+")
	other := newCheckpointKey(t, name)
	for _, args := range [][]string{{"checkpoint", "--url", p.url}, {"verify", p.url}} {
		u := newUser(t)
		if code, out, said := u.types(t, append(args, "--checkpoint-key", other)...); code != 8 {
			t.Errorf("with another key: exit code %d\n%s%s", code, out, said)
		}
		_, said := u.content(t, append(args, "--checkpoint-key", key)...)
		if strings.Contains(said, "warning") {
			t.Errorf("with its key: %s", said)
		}
		kept, err := filepath.Glob(filepath.Join(u.dir, "config", "ledgers", "*", "keys"))
		if err != nil || len(kept) != 1 {
			t.Fatalf("%v, %v", kept, err)
		}
		if text, err := os.ReadFile(kept[0]); err != nil || string(text) != key+"\n" {
			t.Errorf("the keys that are remembered: %q, %v", text, err)
		}
	}
	p.stop(t)
}

func newCheckpointKey(t *testing.T, origin string) string {
	t.Helper()
	secret, err := proof.NewCheckpointKey(events.Origin(origin))
	if err != nil {
		t.Fatal(err)
	}
	key, err := proof.KeyOfSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Who shows a fork, and spoils the tiles that would prove it, is found out at the next contact: the
// checkpoint was signed, and is kept.
func TestForkBehindSpoiltTiles(t *testing.T) {
	t.Parallel()
	notShort(t)
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	c := begin(t, p)
	p.stop(t)
	fork := serving(t, copyFolder(t, p.dir))
	p = serving(t, p.dir)
	for _, s := range []*serverProcess{p, fork} {
		if _, err := s.client().Submit(t.Context(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	key := p.checkpointKey(t)
	hidden := between(t, fork.url, func(path string, body []byte) []byte {
		if strings.HasPrefix(path, "/tile/") {
			body[len(body)/2] ^= 1
		}
		return body
	})
	u := newUser(t)
	u.content(t, "checkpoint", "--url", p.url, "--checkpoint-key", key)
	submitMany(t, fork, c, 1)
	code, out, said := u.types(t, "checkpoint", "--url", hidden, "--checkpoint-key", key)
	if code != 8 || out != "" || strings.Contains(said, "ANOTHER HISTORY") {
		t.Errorf("tiles that are not those of the tree: exit code %d\n%s%s", code, out, said)
	}
	submitMany(t, p, c, 1)
	u.isWarned(t, "of the same 5 records", key, "checkpoint", "--url", p.url)
}
