package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/cmd/internal/server"
	"muster/ledger"
	"muster/ledger/natsd"
	"muster/ledger/seeded"
	"muster/ledger/stream"
	"muster/projections/web"
)

// A stoppedLedger is a ledger in a folder that no server runs on at the moment, and what is known
// of it.
type stoppedLedger struct {
	dir  string
	c    *country
	book *accountBook
	log  []web.Record
}

// someStoppedLedger makes a ledger with a few pledges.
func someStoppedLedger(t *testing.T) *stoppedLedger {
	t.Helper()
	l := &stoppedLedger{dir: filepath.Join(t.TempDir(), "ledger"), book: newBook()}
	p := serving(t, l.dir)
	l.c = begin(t, p)
	l.write(t, p, 40)
	p.stop(t)
	return l
}

// write submits n offers to a server on the ledger, several at a time, and checks the whole log
// afterwards.
func (l *stoppedLedger) write(t *testing.T, p *serverProcess, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n / 4 {
				if err := l.book.submit(t.Context(), p.client(), l.c.offer(t)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	before := l.log
	l.log = p.records(t)
	l.book.check(t, l.log, recordsOfBegin)
	sameLogs(t, before, l.log[:len(before)])
}

// comesBack starts a server on the ledger: everything is there, and more can be written. Then it
// stops it, and looks whether stream and journal hold the same.
func (l *stoppedLedger) comesBack(t *testing.T) {
	t.Helper()
	p := serving(t, l.dir)
	sameLogs(t, l.log, p.records(t))
	l.write(t, p, 8)
	p.stop(t)
	stored := streamIn(t, l.dir)
	for i, rec := range journalRecords(t, l.dir) {
		if i >= len(stored) || string(rec.Stored) != string(stored[i].Data) {
			t.Fatalf("the stream has %d messages, and not the journal's record %d",
				len(stored), i+1)
		}
	}
}

// streamIn reads the stream in a folder that no server runs on.
func streamIn(t *testing.T, dir string) (all []ledger.Message) {
	t.Helper()
	srv, err := natsd.Start(natsd.Config{Dir: filepath.Join(dir, server.NATSFolder)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Shutdown() }() // it only read
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Read(t.Context(), 1, func(m ledger.Message) error {
		all = append(all, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// A power cut took the stream, or its end; or the journal was lost. What one copy has, the other
// gets back.
func TestACopyIsLost(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	nats, journal := filepath.Join(l.dir, server.NATSFolder),
		filepath.Join(l.dir, server.JournalFile)
	projections := filepath.Join(l.dir, server.ProjectionsFile)
	old := t.TempDir()
	for name, path := range map[string]string{"nats": nats, "journal": journal,
		"projections": projections} {
		copyTo(t, path, filepath.Join(old, name))
	}
	remove(t, nats)
	l.comesBack(t)

	remove(t, nats) // and an old copy of it comes from a backup
	copyTo(t, filepath.Join(old, "nats"), nats)
	l.comesBack(t)

	remove(t, journal)
	l.comesBack(t)

	remove(t, journal)
	copyTo(t, filepath.Join(old, "journal"), journal)
	l.comesBack(t)

	remove(t, journal)
	remove(t, projections)
	l.comesBack(t)

	remove(t, projections) // which is of fewer records than the journal, then
	copyTo(t, filepath.Join(old, "projections"), projections)
	l.comesBack(t)
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, noSockets{os.DirFS(from)})
	} else {
		var data []byte
		if data, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// noSockets is a folder without the sockets that a killed server leaves, which nobody can copy.
type noSockets struct{ fs.FS }

// ReadDir implements fs.ReadDirFS.
func (n noSockets) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(n.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.Type()&fs.ModeSocket != 0
	}), err
}

// A server that finds two histories does not start, writes nothing, and says where they part.
func TestTwoHistories(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someStoppedLedger(t)
	fork := *l
	fork.dir = filepath.Join(t.TempDir(), "ledger")
	copyTo(t, l.dir, fork.dir)
	for _, one := range []*stoppedLedger{l, &fork} { // both go on from the same copy
		one.book = newBook()
		p := serving(t, one.dir)
		for range 5 {
			if err := one.book.submit(t.Context(), p.client(), one.c.offer(t)); err != nil {
				t.Fatal(err)
			}
		}
		p.stop(t)
	}
	refusesToStart(t, l.dir, fork.dir,
		`at sequence 44 the journal and the stream hold different records`)
	refusesToStart(t, l.dir, someStoppedLedger(t).dir,
		`at sequence 1 the journal and the stream hold different records`)
}

// refusesToStart puts the stream of another folder beside a journal.
func refusesToStart(t *testing.T, dir, other, says string) {
	t.Helper()
	mixed := filepath.Join(t.TempDir(), "ledger")
	copyTo(t, dir, mixed)
	remove(t, filepath.Join(mixed, server.NATSFolder))
	copyTo(t, filepath.Join(other, server.NATSFolder), filepath.Join(mixed, server.NATSFolder))
	journal, stream := journalRecords(t, mixed), streamIn(t, mixed)
	code, said := launch(t, mixed).ends(t)
	if code != 7 || !strings.Contains(said, says) ||
		!strings.Contains(said, "muster: hint: nothing was written") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if j, s := journalRecords(t, mixed), streamIn(t, mixed); len(j) != len(journal) ||
		len(s) != len(stream) {
		t.Errorf("the journal had %d records and has %d, the stream had %d and has %d",
			len(journal), len(j), len(stream), len(s))
	}
}

// A journal that is damaged is refused with a clear error, and nothing hangs or panics; moved away,
// it is made anew from the stream.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	l := someStoppedLedger(t)
	path := filepath.Join(l.dir, server.JournalFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	garbage := make([]byte, len(good))
	for i, random := 0, seeded.New(t); i < len(garbage); i++ {
		garbage[i] = byte(random.Uint32())
	}
	hole := append([]byte(nil), good...)
	copy(hole[3*os.Getpagesize():], garbage[:6*os.Getpagesize()])
	for name, spoilt := range map[string][]byte{
		"cut in the middle": good[:len(good)/2], "cut after a page": good[:os.Getpagesize()],
		"all garbage":    garbage,
		"garbage inside": hole, "a few bytes": []byte("hello"),
	} {
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		code, said := launch(t, l.dir).ends(t)
		if code != 7 || !regexp.MustCompile(
			`^muster: error: the journal \S+ is damaged: .{5,}\nmuster: hint: keep a copy of the `).
			MatchString(said) {
			t.Errorf("%s: exit code %d:\n%.500s", name, code, said)
		}
	}
	remove(t, path)
	l.comesBack(t)
}

// The NATS server that Muster servers share loses the end of the stream, or all of it, while they
// run: they put it back.
func TestStreamIsLostMeanwhile(t *testing.T) {
	t.Parallel()
	store, old := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "old")
	srv := natsCluster(t, store, anyPort)
	url, port, dir := srv.ClientURL(), srv.Addr().(*net.TCPAddr).Port, t.TempDir()
	a, b := serving(t, filepath.Join(dir, "a"), "--nats", url),
		serving(t, filepath.Join(dir, "b"), "--nats", url)
	c, book := begin(t, a), newBook()
	all := recordsOfBegin
	submit := func() {
		for _, p := range []*serverProcess{a, b, a} {
			s := c.offer(t)
			if err := untilKnown(t.Context(), func() error {
				return book.submit(t.Context(), p.client(), s)
			}); err != nil {
				t.Fatal(err)
			}
			all++
		}
	}
	submit()
	stopNATS(srv)
	copyTo(t, store, old)
	srv = natsCluster(t, store, port)
	submit()
	for _, backup := range []string{old, ""} {
		stopNATS(srv)
		remove(t, store)
		if backup != "" {
			copyTo(t, backup, store)
		}
		srv = natsCluster(t, store, port)
		submit()
		for _, p := range []*serverProcess{a, b} {
			p.awaitRecord(t, all)
			log := p.records(t)
			book.check(t, log, recordsOfBegin)
			if len(log) != all {
				t.Fatalf("%d records, and not %d", len(log), all)
			}
		}
	}
	a.stop(t)
	b.stop(t)
	sameJournals(t, a.dir, b.dir)
}
