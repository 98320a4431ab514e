package main

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A ledger is founded where the founder's key is, and its server never has it: not in its folder,
// not at its start, and not when the founder speaks. Started again in the same way, the server goes
// on; and it begins no ledger with another founding.
func TestFoundedElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	hq, dir := newUser(t), filepath.Join(t.TempDir(), "ledger")
	hq.content(t, "key", "new", "HQ/staff")
	key := filepath.Join(hq.dir, "HQ-staff.key")
	note, said := hq.content(t, "found", "--key", key, "--origin", "muster.example/berlin",
		"--title", "The coalition")
	if !strings.Contains(said, "this founds the ledger muster.example/berlin, with the "+
		"coordinator HQ/staff") {
		t.Errorf("it says %s", said)
	}
	founding := filepath.Join(t.TempDir(), "founding.note")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(founding, note)
	p := serving(t, dir, "--founding", founding)
	if first := p.records(t)[0].Stored; !strings.HasSuffix(first, note) {
		t.Errorf("the first record is\n%s", first)
	}
	hq.content(t, "key", "new", "FRA/paris")
	admit := []string{"member", "admit", filepath.Join(hq.dir, "FRA-paris.key"), "--url", p.url}
	hq.content(t, append(admit, "--key", key)...)
	if code, _, said := newUser(t).types(t, append(admit, "--data", dir)...); code != 3 ||
		!strings.Contains(said, "there is no founder's key in the folder") ||
		!strings.Contains(said, "--key") {
		t.Errorf("on the server's machine, without the key: exit code %d: %s", code, said)
	}
	p.stop(t)
	holdsNoSecret(t, dir, key)
	holdsNoSecret(t, filepath.Dir(founding), key)

	p = serving(t, dir, "--founding", founding)
	if n := len(p.records(t)); n != 2 {
		t.Errorf("started again, it has %d records", n)
	}
	p.stop(t)
	p = serving(t, dir) // which is remembered
	p.stop(t)
	holdsNoSecret(t, dir, key)
	newUser(t).content(t, "verify", dir)

	other, _ := hq.content(t, "found", "--key", key, "--origin", "muster.example/berlin")
	write(founding+".other", other)
	write(founding+".forged", strings.Replace(note, "The coalition", "Another one", 1))
	write(founding+".none", "nothing")
	for name, c := range map[string]struct {
		code  int
		words string
		flags []string
	}{
		"another founding": {5, "this ledger was founded as muster.example/berlin by HQ/staff",
			[]string{founding + ".other"}},
		"another name": {2, "leave --origin out",
			[]string{founding, "--origin", "muster.example/paris"}},
		"a forged one": {4, "the signature is not that of HQ/staff",
			[]string{founding + ".forged"}},
		"no statement": {6, "this is no signed note", []string{founding + ".none"}},
	} {
		code, said := launch(t, dir, append([]string{"--founding"}, c.flags...)...).ends(t)
		if code != c.code || !strings.Contains(said, c.words) ||
			!strings.Contains(said, "muster: hint: ") && code != 2 {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
	if code, _, said := hq.types(t, "found", "--key",
		filepath.Join(hq.dir, "FRA-paris.key")); code != 6 ||
		!strings.Contains(said, "the founder is a coordinator: its key's name begins with HQ/") {
		t.Errorf("with the key of a nation: exit code %d: %s", code, said)
	}
}

// holdsNoSecret fails the test where a file in a folder has the secret of a key: as it is written,
// or its bytes, from which the public half of the key follows.
func holdsNoSecret(t *testing.T, dir, key string) {
	t.Helper()
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	// PRIVATE+KEY+NAME+HASH+BASE64
	encoded := strings.SplitN(strings.TrimSpace(string(text)), "+", 5)[4]
	seed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(seed) != 33 {
		t.Fatalf("the key is %d bytes, %v", len(seed), err)
	}
	looked := 0
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		for _, form := range [][]byte{[]byte(encoded), seed[1:]} {
			if bytes.Contains(data, form) {
				t.Errorf("%s has the founder's secret", path)
			}
		}
		looked++
		return err
	})
	if err != nil || looked == 0 {
		t.Fatalf("%d files were looked at, %v", looked, err)
	}
}
