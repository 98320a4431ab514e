package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/control"
	"muster/cmd/internal/server"
	"muster/ledger/seeded"
)

// One of the two copies is damaged while no server runs, at any byte of any file, after a clean
// stop and after a crash. The server starts with all that was acknowledged, or does not start and
// says what to do; and whoever does that has everything again.
func TestDamagedCopies(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	random := seeded.New(t)
	for _, clean := range []bool{true, false} {
		dir := filepath.Join(t.TempDir(), "ledger")
		p := serve(t, dir)
		tr := begin(t, p)
		p.stop(t)
		backup, err := os.ReadFile(filepath.Join(dir, server.JournalFile))
		if err != nil {
			t.Fatal(err)
		}
		p = serve(t, dir)
		stop := tr.writing(p.url)
		tr.await(300)
		if clean {
			stop()
			p.stop(t)
		} else {
			p.kill()
			stop()
		}
		// What a crash has left of how the server was reached is no file, and cannot be copied.
		if err := os.RemoveAll(filepath.Join(dir, control.File)); err != nil {
			t.Fatal(err)
		}
		for range rounds(2, 6, 100) {
			damaged := filepath.Join(t.TempDir(), "ledger")
			if err := os.CopyFS(damaged, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(damaged, 0o700); err != nil {
				t.Fatal(err)
			}
			what := damage(t, damaged, random)
			comesBack(t, tr, damaged, backup, fmt.Sprintf("clean: %t, %s", clean, what))
			if err := os.RemoveAll(damaged); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// comesBack starts a server on a damaged folder, and does what it says where it does not start.
func comesBack(t *testing.T, tr *trial, dir string, backup []byte, what string) {
	t.Helper()
	p := launch(t, command(t, serveArgs(dir)...))
	p.dir = dir
	found, err := p.await(`listening on (http://\S+)`)
	if err != nil {
		if p.cmd.ProcessState == nil {
			t.Fatalf("%s: %v", what, err)
		}
		said := p.said.String()
		if !strings.Contains(said, "Put back journal.db") {
			t.Fatalf("%s: the hint says nothing that this test knows: %s", what, said)
		}
		putBack(t, dir, backup)
		p = serve(t, dir)
	} else {
		p.url = found[1]
	}
	if wrong := tr.lost(p); len(wrong) > 0 {
		t.Fatalf("%s: %d things are wrong, such as %v\n%s", what, len(wrong), wrong[0],
			p.said.last())
	}
	p.stop(t)
	verify(t, dir)
}

// putBack puts back an old copy of the journal, as a hint says, from before most of the records.
func putBack(t *testing.T, dir string, backup []byte) {
	t.Helper()
	journal := filepath.Join(dir, server.JournalFile)
	for _, tail := range []string{journal + ".tail0", journal + ".tail1"} {
		if err := os.Rename(tail, tail+".away"); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(journal, backup, 0o600); err != nil {
		t.Fatal(err)
	}
}

// damage changes something in one of the two copies: a bit, some bytes, or where a file ends.
func damage(t *testing.T, dir string, r *rand.Rand) (what string) {
	t.Helper()
	var files []string
	of := filepath.Join(dir, server.NATSFolder)
	if r.IntN(2) == 0 {
		of = dir
	}
	err := filepath.WalkDir(of, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if of == dir && d.IsDir() && path != dir {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 && (of != dir ||
			strings.HasPrefix(d.Name(), server.JournalFile)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := files[r.IntN(len(files))]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := r.IntN(len(data))
	switch kind := r.IntN(5); kind {
	case 0:
		what, data = "cut off", data[:at]
	case 1:
		what = "zeroed"
		clear(data[at:min(at+1+r.IntN(4096), len(data))])
	case 2:
		what = "garbage"
		for i := at; i < min(at+1+r.IntN(512), len(data)); i++ {
			data[i] = byte(r.Uint32())
		}
	default:
		what = "a bit flipped"
		data[at] ^= 1 << r.IntN(8)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(dir, path)
	return fmt.Sprintf("%s at byte %d of %d of %s", what, at, len(data), name)
}
