package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"muster/ledger/proof"
)

// A witnessProcess is muster witness in a process of its own.
type witnessProcess struct {
	*background
	url, key string
}

func witnessing(t *testing.T, dir string, flags ...string) *witnessProcess {
	t.Helper()
	b, err := startBackground(filepath.Dir(dir), nil,
		append([]string{"witness", "--data", dir, "--listen", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	w := &witnessProcess{background: b}
	for into, says := range map[*string]string{&w.key: `witness (\S+\+\S+)`,
		&w.url: `listening on (http://\S+)`} {
		found, err := w.await(&w.stderr, says)
		if err != nil {
			t.Fatal(err)
		}
		*into = found[1]
	}
	return w
}

// Somebody copies a server's folder and shows two histories, to users who have not met the ledger
// before: their witness has, and says so, also when it was started anew.
func TestWitness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	c := begin(t, p)
	key := p.checkpointKey(t)
	p.stop(t)
	copyTo(t, p.dir, filepath.Join(dir, "copy", "ledger"))
	offers := func(p *serverProcess, n int) {
		t.Helper()
		for range n {
			if _, err := p.client().Submit(t.Context(), c.offer(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p = serving(t, p.dir)
	folder := filepath.Join(dir, "witness")
	w := witnessing(t, folder, "--name", "witness.example/fra", "--log", key)
	asks := func(p *serverProcess) []string {
		return []string{"checkpoint", "--url", p.url, "--witness", w.url, "--witness-key", w.key}
	}
	signs := func() {
		t.Helper()
		out, _ := newUser(t).content(t, asks(p)...)
		ledgers, err := proof.CheckpointVerifier(key)
		if err != nil {
			t.Fatal(err)
		}
		witness, err := torchwood.NewCosignatureVerifier(w.key)
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open([]byte(out), note.VerifierList(ledgers, witness))
		if err != nil || len(n.Sigs) != 2 {
			t.Fatalf("%v:\n%s", err, out)
		}
	}
	signs()
	offers(p, 3)
	signs()
	signs()
	if err := w.terminate(); err != nil {
		t.Fatal(err)
	}
	if code, _, said := newUser(t).types(t, asks(p)...); code != 7 {
		t.Errorf("without the witness: exit code %d: %s", code, said)
	}
	w = witnessing(t, folder, "--log", key)
	if !strings.Contains(w.stderr.String(), fmt.Sprintf("up to %d records", recordsOfBegin+3)) {
		t.Errorf("it says\n%s", &w.stderr)
	}
	signs()

	q := serving(t, filepath.Join(dir, "copy", "ledger"))
	code, _, said := newUser(t).types(t, asks(q)...)
	more := fmt.Sprintf("has signed %d records", recordsOfBegin+3)
	if code != 8 || !strings.Contains(said, more) {
		t.Errorf("an older state: exit code %d: %s", code, said)
	}
	const parted = "has signed another history"
	offers(q, 3)
	newUser(t).isWarned(t, parted, key, asks(q)...)
	kept, err := filepath.Glob(filepath.Join(folder, "other-history-*"))
	if err != nil || len(kept) != 1 || !strings.Contains(w.stderr.String(), "two histories") {
		t.Errorf("kept are %v, %v; it says\n%s", kept, err, &w.stderr)
	}
	offers(q, 3)
	newUser(t).isWarned(t, parted, key, asks(q)...)
	signs()
	if err := w.terminate(); err != nil {
		t.Fatal(err)
	}
}

// What a witness cannot start with.
func TestWitnessFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "witness")
	const key = "muster.local/e20ffd7e+a0b0462f+AUwh9ucLegvh3TT+nlhl7VU/wklpsOa6zg+0S174rC5a"
	for name, c := range map[string]struct {
		code  int
		words string
		flags []string
	}{
		"no ledger":  {2, "--log", []string{"--name", "w.example"}},
		"no key":     {1, "no key", []string{"--name", "w.example", "--log", "no key"}},
		"a bad name": {2, "the name of a witness", []string{"--name", "a b", "--log", key}},
		"no name":    {2, "--name", []string{"--log", key}},
		"not encrypted": {2, "--plaintext", []string{"--name", "w.example", "--log", key,
			"--listen", "0.0.0.0:0"}},
	} {
		args := append([]string{"witness", "--data", dir + name}, c.flags...)
		if code, _, said := newUser(t).types(t, args...); code != c.code ||
			!strings.Contains(said, c.words) {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
}
