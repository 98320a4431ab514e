package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	natsserver "github.com/nats-io/nats-server/v2/server"

	"muster/cmd/internal/server"
)

// An outsideLedger is two servers, a and b, on one NATS server that is neither's, and what they
// have acknowledged.
type outsideLedger struct {
	dir  string
	nats *natsserver.Server
	c    *country
	book *accountBook
}

// someOutsideLedger makes one with a few pledges. Both servers are stopped, and know each other.
func someOutsideLedger(t *testing.T) *outsideLedger {
	t.Helper()
	l := &outsideLedger{dir: t.TempDir(), book: newBook()}
	l.nats = natsCluster(t, l.store(), anyPort)
	a := l.serve(t, "a")
	l.c = begin(t, a)
	b := l.serve(t, "b")
	l.submit(t, a, 20)
	l.submit(t, b, 20)
	a.awaitRecord(t, l.book.last())
	a.stop(t) // whose last word b hears
	b.stop(t)
	return l
}

func (l *outsideLedger) store() string { return filepath.Join(l.dir, "nats") }

func (l *outsideLedger) launch(t *testing.T, name string, flags ...string) *serverProcess {
	t.Helper()
	return launch(t, filepath.Join(l.dir, name), append([]string{"--name", name, "--nats",
		l.nats.ClientURL()}, flags...)...)
}

func (l *outsideLedger) serve(t *testing.T, name string, flags ...string) *serverProcess {
	t.Helper()
	p := l.launch(t, name, flags...)
	p.awaitListening(t)
	return p
}

func (l *outsideLedger) submit(t *testing.T, p *serverProcess, n int) {
	t.Helper()
	for range n {
		offer := l.c.offer(t)
		if err := untilKnown(t.Context(), func() error {
			return l.book.submit(t.Context(), p.client(), offer)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// damage changes the stream's records on the disk of the NATS server, which is started anew.
func (l *outsideLedger) damage(t *testing.T, edit func([]blockRecord) []blockRecord) {
	t.Helper()
	stopNATS(l.nats)
	folder := filepath.Join(l.store(), "jetstream", "$G", "streams", "MUSTER", "msgs")
	inBlockFile(t, filepath.Join(folder, "1.blk"), edit)
	remove(t, filepath.Join(folder, "index.db"))
	l.nats = natsCluster(t, l.store(), anyPort)
}

// lacking loses messages: one, and some at the end.
func lacking(lost, atEnd int) func([]blockRecord) []blockRecord {
	return func(all []blockRecord) []blockRecord {
		all = all[:len(all)-atEnd]
		return slices.DeleteFunc(all, func(r blockRecord) bool {
			return r.sequence == uint64(lost)
		})
	}
}

// isWhole shows that both servers have all that was acknowledged, and go on, and that whatever of
// the damaged stream has a text is kept.
func (l *outsideLedger) isWhole(t *testing.T, a, b *serverProcess, keeps string) {
	t.Helper()
	l.submit(t, a, 2)
	l.submit(t, b, 2)
	a.awaitRecord(t, l.book.last())
	log := a.records(t)
	l.book.check(t, log, recordsOfBegin)
	sameLogs(t, log, b.records(t))
	if !strings.Contains(kept(t, a.dir)+kept(t, b.dir), keeps) {
		t.Errorf("what is kept of the damaged stream has not %q", keeps)
	}
	for _, p := range []*serverProcess{a, b} { // as ever
		p.stop(t)
	}
	a = l.serve(t, "a")
	l.book.check(t, a.records(t), recordsOfBegin)
	a.stop(t)
	if code, out, said := says(t, "verify", a.dir); code != 0 {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
}

// kept returns the messages of damaged streams that are kept in a folder.
func kept(t *testing.T, dir string) (all string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, server.NATSFolder+".damaged-*", "stream.tar.s2"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(s2.NewReader(f))
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all += string(data)
	}
	return all
}

// The stream of an outside NATS server has lost a message in its middle. No server starts, and the
// hint says how they do: the one with the longest journal makes the stream anew when it has heard
// the other one. Followed to the letter, it loses nothing.
func TestOutsideStreamLosesAMessage(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someOutsideLedger(t)
	b := l.serve(t, "b")
	l.submit(t, b, 5) // which a has not seen
	b.kill()          // and has no last word
	l.damage(t, lacking(20, 5))
	for _, name := range []string{"a", "b"} {
		if code, said := l.launch(t, name).ends(t); code != 7 ||
			!strings.Contains(said, "has lost message 20") ||
			!strings.Contains(said, "start all servers of the ledger once with --restore-stream") {
			t.Errorf("%s: exit code %d:\n%s", name, code, said)
		}
	}
	a := l.launch(t, "a", "--restore-stream")
	if _, err := a.await(&a.stderr, `not made anew yet.* why="b has not answered`); err != nil {
		t.Fatal(err)
	}
	b = l.launch(t, "b", "--restore-stream")
	b.awaitListening(t)
	a.awaitListening(t)
	if said := b.stderr.String(); !strings.Contains(said, "a copy of it is kept") {
		t.Errorf("the server with the longest journal said:\n%s", said)
	}
	if kept(t, a.dir) != "" {
		t.Error("the other one has made the stream anew as well")
	}
	l.isWhole(t, a, b, `"quantity"`)
}

// The stream holds other bytes than the journals: the servers stop when they find that, and make it
// anew when they are told to.
func TestOutsideStreamHoldsOtherBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someOutsideLedger(t)
	l.damage(t, otherEnvelope)
	a := l.serve(t, "a")
	const stops = `the ledger takes no statements.*--restore-stream`
	if _, err := a.await(&a.stderr, stops); err != nil {
		t.Fatal(err)
	}
	a.stop(t)
	a, b := l.launch(t, "a", "--restore-stream"), l.launch(t, "b", "--restore-stream")
	a.awaitListening(t)
	b.awaitListening(t)
	if said := a.stderr.String() + b.stderr.String(); !strings.Contains(said,
		"message 20 is not what the journal has") {
		t.Errorf("said was:\n%s", said)
	}
	l.isWhole(t, a, b, `,"by":"x`)
}

// An older copy of the journal is beside a stream that is damaged behind its end: nothing is given
// up unless a person says so.
func TestOutsideStreamBeyondJournal(t *testing.T) {
	notShort(t)
	t.Parallel()
	l := someOutsideLedger(t)
	remove(t, filepath.Join(l.dir, "b"))
	older, newest := filepath.Join(l.dir, "older"), filepath.Join(l.dir, "newest")
	copyTo(t, filepath.Join(l.dir, "a"), older)
	have := l.book.last()
	a := l.serve(t, "a", "--without", "b")
	l.submit(t, a, 8)
	a.stop(t)
	copyTo(t, a.dir, newest)
	remove(t, a.dir)
	copyTo(t, older, a.dir)
	l.damage(t, lacking(have+3, 0))
	code, said := l.launch(t, "a", "--restore-stream", "--without", "b").ends(t)
	if code != 7 || !strings.Contains(said, "nothing was given up") ||
		!strings.Contains(said, "--restored-as-of 45") {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	if kept(t, a.dir) != "" {
		t.Error("something was made anew")
	}
	// What the hint says first.
	remove(t, a.dir)
	copyTo(t, newest, a.dir)
	a = l.serve(t, "a", "--restore-stream", "--without", "b")
	l.book.check(t, a.records(t), recordsOfBegin)
	a.stop(t)
}

// The same, and nothing has the later records any more: a person gives them up by saying where the
// journal ends, and by no other number. What the stream tells of them is kept.
func TestOutsideStreamIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	l := someOutsideLedger(t)
	remove(t, filepath.Join(l.dir, "b"))
	have := l.book.last()
	known := l.book
	older := filepath.Join(l.dir, "older")
	copyTo(t, filepath.Join(l.dir, "a"), older)
	a := l.serve(t, "a", "--without", "b")
	l.book = newBook() // of what may be lost: the stream has the first of it still
	l.submit(t, a, 8)
	a.stop(t)
	maps.Copy(known.sent, l.book.sent)
	l.book = known
	remove(t, a.dir)
	copyTo(t, older, a.dir)
	l.damage(t, lacking(have+3, 0))
	again := func(asOf int) *serverProcess {
		return l.launch(t, "a", "--restore-stream", "--without", "b", "--restored-as-of",
			strconv.Itoa(asOf))
	}
	code, said := l.launch(t, "a", "--restore-stream", "--without", "b").ends(t)
	hint := regexp.MustCompile(`--restore-stream --restored-as-of (\d+)`).FindStringSubmatch(said)
	if code != 7 || hint == nil {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	asOf, err := strconv.Atoi(hint[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []int{asOf - 1, asOf + 8} {
		if code, said := again(wrong).ends(t); code != 7 || kept(t, a.dir) != "" {
			t.Errorf("as of %d: exit code %d:\n%s", wrong, code, said)
		}
	}
	a = again(asOf)
	a.awaitListening(t)
	if said := a.stderr.String(); !strings.Contains(said, "they are given up") {
		t.Errorf("the server said:\n%s", said)
	}
	b := l.serve(t, "b") // a new one, which follows
	l.isWhole(t, a, b, `"quantity"`)
}
