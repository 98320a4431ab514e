package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/files"
)

// Whoever signs in where others on the way can listen is told so.
func TestSignInInTheClear(t *testing.T) {
	for at, heard := range map[string]bool{
		"https://muster.example": false, "http://127.0.0.1:8080": false, "http://localhost": false,
		"http://[::1]:8080": false, "http://muster.example": true, "http://10.0.0.1": true,
		"http://127.0.0.1.example": true,
	} {
		if got := (httpDoor{at: at}).canBeHeard(); got != heard {
			t.Errorf("%s: %v", at, got)
		}
	}
}

// A token that is kept is taken for its own server and key alone, by its owner alone, and not when
// it is about to end; what is no token is thrown away.
func TestKeptToken(t *testing.T) {
	dir := t.TempDir()
	var said strings.Builder
	a := &app{config: dir, stderr: &said}
	key, err := files.NewKey("FRA/paris", filepath.Join(dir, "paris.key"))
	if err != nil {
		t.Fatal(err)
	}
	const server, other = "https://muster.example", "https://other.example"
	keep := func(until time.Duration) {
		a.keepToken(keptSession{server, key, "token", time.Now().Add(until)})
	}
	keep(time.Hour)
	file, err := a.keptFile(server, key)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.keptToken(server, key); got != "token" || said.Len() > 0 {
		t.Errorf("%q is kept; %s", got, &said)
	}
	if a.keptToken(other, key) != "" || a.keptToken(server, "GBR/x") != "" {
		t.Error("it is taken for another server, or another key")
	}
	if text, err := os.ReadFile(file); err != nil ||
		strings.Contains(filepath.Base(file), "paris") ||
		!strings.Contains(string(text), "token") {
		t.Errorf("%s: %v", text, err)
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	a.keptToken(server, key)
	if !strings.Contains(said.String(), "chmod 600 "+file) {
		t.Errorf("that others may read it is not said: %s", &said)
	}
	for what, spoil := range map[string]func() error{
		"it is about to end": func() error { keep(aboutToEnd / 2); return nil },
		"it is no token":     func() error { return os.WriteFile(file, []byte("{"), 0o600) },
		"it is another's": func() error {
			keep(time.Hour)
			elsewhere, err := a.keptFile(other, key)
			if err == nil {
				err = os.Rename(file, elsewhere)
			}
			file = elsewhere
			return err
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		at := server
		if what == "it is another's" {
			at = other
		}
		if got := a.keptToken(at, key); got != "" {
			t.Errorf("%s, and is taken: %q", what, got)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s, and is kept", what)
		}
		file, _ = a.keptFile(server, key)
	}
}
