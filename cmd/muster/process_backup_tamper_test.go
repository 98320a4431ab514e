package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/server"
	"muster/ledger/seeded"
)

// A byte of a backup was altered, anywhere: it is not restored, and nothing is left of it; or the
// byte meant nothing, and the same is restored.
func TestTamperedBackup(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir, u, random := t.TempDir(), newUser(t), seeded.New(t)
	p := serving(t, filepath.Join(dir, "ledger"))
	begin(t, p)
	good, _ := u.content(t, "backup", "-", "--data", p.dir, "--keys")
	p.stop(t)
	rounds, refused := 60, 0
	if testing.Short() {
		rounds = 20
	}
	tar, restored := filepath.Join(dir, "tar"), filepath.Join(dir, "restored")
	for range rounds {
		spoilt := []byte(good)
		spoilt[random.IntN(len(spoilt))] ^= 1 << random.IntN(8)
		if random.IntN(4) == 0 { // or its end is missing
			spoilt = spoilt[:random.IntN(len(spoilt))]
		}
		if err := os.WriteFile(tar, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, said := u.types(t, "restore", tar, restored)
		_, err := os.Stat(restored)
		switch {
		case code == 0 && strings.Contains(out, "verified"):
			remove(t, restored)
		case code == 0 || err == nil || !strings.Contains(said, "muster: hint: "):
			t.Fatalf("exit code %d, %v:\n%s%s", code, err, out, said)
		default:
			refused++
		}
	}
	if refused < rounds/2 {
		t.Errorf("only %d of %d were refused", refused, rounds)
	}
}

// Somebody has altered a record of a backup, and what the backup says of its file to go with it.
func TestForgedBackup(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir, u := t.TempDir(), newUser(t)
	p := serving(t, filepath.Join(dir, "ledger"))
	begin(t, p)
	u.content(t, "backup", filepath.Join(dir, "backup"), "--data", p.dir)
	p.stop(t)
	m, err := backup.ReadManifest(filepath.Join(dir, "backup"))
	if err != nil {
		t.Fatal(err)
	}
	replaceIn(t, filepath.Join(dir, "backup", server.JournalFile), `"mnf-u"`, `"mnf-x"`)
	data, err := os.ReadFile(filepath.Join(dir, "backup", server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	replaceIn(t, filepath.Join(dir, "backup", backup.ManifestFile), m.Files[0].SHA256,
		hex.EncodeToString(sum[:]))
	code, _, said := u.types(t, "restore", filepath.Join(dir, "backup"),
		filepath.Join(dir, "restored"))
	if code != 8 || !strings.Contains(said, "the backup was altered or is damaged: record ") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if _, err := os.Stat(filepath.Join(dir, "restored")); err == nil {
		t.Error("something of it was restored")
	}
}

// replaceIn puts a text for another of the same length, wherever it stands in a file.
func replaceIn(t *testing.T, path, was, is string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), was) {
		t.Fatalf("%s has no %s: %v", path, was, err)
	}
	text := strings.ReplaceAll(string(data), was, is)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
