package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/server"
)

// refusesWith shows that no server starts on a folder, with an exit code and a hint.
func refusesWith(t *testing.T, what string, p *serverProcess, code int, hint string) {
	t.Helper()
	if got, said := p.ends(t); got != code || !strings.Contains(said, hint) {
		t.Fatalf("%s: exit code %d, and it does not say %q:\n%s", what, got, hint, said)
	}
}

// putJournal puts a journal in the place of another, with its tail.
func putJournal(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"", ".tail0", ".tail1"} {
		name = server.JournalFile + name
		remove(t, filepath.Join(to, name))
		if _, err := os.Stat(filepath.Join(from, name)); err == nil {
			copyTo(t, filepath.Join(from, name), filepath.Join(to, name))
		}
	}
}

// Whatever a server says that does not start beside a stream which is damaged, or another: whoever
// does it to the letter has all that was acknowledged.
func TestRemediesOfTheStreamLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	t.Parallel()
	l := someStoppedLedger(t)
	older := l.copied(t)
	have := uint64(len(l.log))
	p := serving(t, l.dir)
	l.write(t, p, 8)
	p.stop(t)
	lose := func(dir string, lost uint64) {
		inBlock(t, dir, func(all []blockRecord) []blockRecord {
			return slices.DeleteFunc(all, func(r blockRecord) bool { return r.sequence == lost })
		})
	}
	hasAll := func(dir string, flags ...string) {
		t.Helper()
		p := serving(t, dir, flags...)
		l.book.check(t, p.records(t), recordsOfBegin)
		p.stop(t)
	}

	dir := l.copied(t)
	inBlock(t, dir, otherEnvelope)
	refusesWith(t, "other records", launch(t, dir), 7,
		"where that is the journal, start once with --restore-stream")
	hasAll(dir, "--restore-stream")

	dir = l.copied(t)
	putJournal(t, older, dir)
	lose(dir, have+3)
	refusesWith(t, "an old journal", launch(t, dir), 7,
		"if the journal is an old copy, put the newest one in its place, with its tail")
	refusesWith(t, "an old journal, and what remembers more", launch(t, dir, "--restore-stream"),
		8, "nothing was recorded. Put back what has them, from a copy")
	putJournal(t, l.dir, dir)
	hasAll(dir)

	dir = l.copied(t)
	lose(dir, have-3)
	data, err := os.ReadFile(filepath.Join(dir, server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	data[16] ^= 1
	data[os.Getpagesize()+16] ^= 1
	if err := os.WriteFile(filepath.Join(dir, server.JournalFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := launch(t, dir).ends(t)
	if code != 7 && code != 8 || !strings.Contains(said, "ut back") {
		t.Fatalf("both are damaged: exit code %d:\n%s", code, said)
	}
	putJournal(t, l.dir, dir)
	hasAll(dir)
}

// The same of what a server says that does not start because of the other servers, or of the NATS
// server: b has what a has not seen, and the stream has lost it.
func TestRemediesOfPeersLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	t.Parallel()
	l := someOutsideLedger(t)
	b := l.serve(t, "b")
	l.submit(t, b, 5)
	b.kill()
	dir := filepath.Join(l.dir, "a")
	known := filepath.Join(dir, server.PeersFile)

	stopNATS(l.nats)
	refusesWith(t, "no NATS server", l.launch(t, "a"), 7, "muster: hint: ")
	l.damage(t, lacking(0, 5)) // and it has lost its end, when it is back

	if err := os.Rename(known, known+".was"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(known, 0o700); err != nil {
		t.Fatal(err)
	}
	refusesWith(t, "a folder", l.launch(t, "a"), 7, "see that the file is one")
	remove(t, known)
	if err := os.WriteFile(known, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusesWith(t, "a damaged file", l.launch(t, "a"), 7,
		"move it away, and start this server when all others of the cluster run")
	remove(t, known)
	b = l.serve(t, "b")
	a := l.serve(t, "a")
	l.submit(t, a, 1)
	l.book.check(t, a.records(t), recordsOfBegin)

	// Something that is not Muster publishes.
	nc, err := nats.Connect(l.nats.ClientURL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.Publish(t.Context(), "muster.ev.x.y", []byte("hello"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*serverProcess{a, b} {
		p.isUnhealthy(t, "the stream holds what is no record")
		p.stop(t)
	}
	refusesWith(t, "a foreign message", l.launch(t, "a"), 7, "--restore-stream")
	a, b = l.launch(t, "a", "--restore-stream"), l.launch(t, "b", "--restore-stream")
	a.awaitListening(t)
	b.awaitListening(t)
	l.isWhole(t, a, b, "hello")
}
