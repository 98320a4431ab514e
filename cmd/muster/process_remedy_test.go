package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/cmd/internal/server"
)

// Whatever somebody does about a damaged journal, what the hint says, or what it warns of: all that
// was acknowledged is there, or the server does not start. In each case the stream has lost its end
// too, so that the newest records are in the journal alone.
func TestRemediesLoseNothing(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	older := l.copied(t)
	p := serving(t, l.dir)
	l.write(t, p, 8)
	p.stop(t) // which saves the projections
	p = serving(t, l.dir)
	l.write(t, p, 4)
	l.write(t, p, 4) // in another commit
	p.kill()
	journal := []string{server.JournalFile, server.JournalFile + ".tail0",
		server.JournalFile + ".tail1"}
	take := func(from, to string, names ...string) {
		t.Helper()
		for _, name := range names {
			remove(t, filepath.Join(to, name))
			if _, err := os.Stat(filepath.Join(from, name)); err == nil {
				copyTo(t, filepath.Join(from, name), filepath.Join(to, name))
			} else if !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	spoil := func(dir, name string, at int) {
		t.Helper()
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[at] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damages := map[string]func(dir string){
		"journal.db is damaged": func(dir string) { // both of the pages that say where all is
			spoil(dir, server.JournalFile, 16)
			spoil(dir, server.JournalFile, os.Getpagesize()+16)
		},
		"the tail is damaged": func(dir string) {
			name := server.JournalFile + ".tail0"
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
				name = server.JournalFile + ".tail1"
			}
			spoil(dir, name, 60) // in its first commit
		},
		"journal.db is gone": func(dir string) {
			remove(t, filepath.Join(dir, server.JournalFile))
		},
	}
	for what, damage := range damages {
		for done, remedy := range map[string]func(dir string){
			"nothing": func(string) {},
			"put back a copy of all of it, as the hint says": func(dir string) {
				take(l.dir, dir, journal...)
			},
			"put back an older copy": func(dir string) { take(older, dir, journal...) },
			"put back an older journal.db": func(dir string) {
				take(older, dir, server.JournalFile)
			},
			"moved journal.db away": func(dir string) {
				remove(t, filepath.Join(dir, server.JournalFile))
			},
			"moved all of the journal away": func(dir string) {
				take(t.TempDir(), dir, journal...)
			},
			"moved the stream away, too": func(dir string) {
				take(t.TempDir(), dir, append(journal, server.NATSFolder)...)
			},
		} {
			dir := l.copied(t)
			take(older, dir, server.NATSFolder)
			damage(dir)
			if code, said := launch(t, dir).ends(t); code != 7 && code != 8 ||
				!regexp.MustCompile(`(?i)put back`).MatchString(said) ||
				strings.Contains(said, "away") {
				t.Errorf("%s: exit code %d:\n%s", what, code, said)
			}
			remedy(dir)
			p := launch(t, dir)
			if _, err := p.await(&p.stderr, `listening on (http://\S+)`); err == nil {
				p.awaitListening(t)
				l.book.check(t, p.records(t), recordsOfBegin)
				p.stop(t)
			} else if strings.HasPrefix(done, "put back a copy of all") {
				t.Errorf("%s, and somebody did: %s: it does not start:\n%s", what, done, &p.stderr)
			} else if code, _ := p.ends(t); code != 7 && code != 8 {
				t.Errorf("%s, and somebody did: %s: exit code %d:\n%s", what, done, code, &p.stderr)
			}
			if t.Failed() {
				t.Fatalf("%s, and somebody did: %s", what, done)
			}
		}
	}
}
