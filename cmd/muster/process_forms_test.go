package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"muster/cmd/internal/server"
)

// In testdata/forms is a data folder of each form that the files of a server ever had, as the last
// program of that form has left it: stopped in good order, and killed. Whoever raises a form adds
// one of the form before.
const recordsOfForms = 2 // that each of them has

// Today's program opens each of them with all its records, and what it has made of it is refused by
// a program of a later form, by name, and with all in its place.
func TestFormsOfFolders(t *testing.T) {
	notShort(t)
	t.Parallel()
	all, err := filepath.Glob("testdata/forms/*.tgz")
	if err != nil || len(all) < 10 {
		t.Fatalf("%d folders, %v", len(all), err)
	}
	for _, archive := range all {
		name := strings.TrimSuffix(filepath.Base(archive), ".tgz")
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			unpack(t, archive, dir)
			p := serving(t, dir)
			if log := p.records(t); len(log) != recordsOfForms {
				t.Errorf("it has %d records, and not %d", len(log), recordsOfForms)
			}
			p.stop(t)
			if code, out, said := says(t, "verify", dir); code != 0 {
				t.Errorf("verified, the exit code is %d:\n%s%s", code, out, said)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	unpack(t, "testdata/forms/2-killed.tgz", dir)
	inJournal(t, dir, func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		return errors.Join(meta.Put([]byte("version"), []byte("3")),
			meta.Put([]byte("program"), []byte("7.0.1")))
	})
	if code, said := launch(t, dir).ends(t); code != 7 ||
		!strings.Contains(said, `has the form "3"`) ||
		!strings.Contains(said, "nothing was changed: start muster 7.0.1") {
		t.Errorf("a folder of a later form: exit code %d:\n%s", code, said)
	}
	for _, file := range []string{".tail0", ".tail1"} {
		if _, err := os.Stat(filepath.Join(dir, server.JournalFile+file)); err != nil {
			t.Error(err)
		}
	}
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
