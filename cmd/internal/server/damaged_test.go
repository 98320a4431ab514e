package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/damage"
	"muster/ledger/natsd"
	"muster/ledger/seeded"
	"muster/ledger/stream"
)

// A stopped ledger is a folder on which no server runs.
type stopped struct {
	dir     string
	founder *events.Signer
	stored  [][]byte
}

// aStopped makes a ledger of n records.
func aStopped(t *testing.T, n int) *stopped {
	t.Helper()
	secret, public, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	l := &stopped{dir: filepath.Join(t.TempDir(), "ledger")}
	if l.founder, err = events.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	first, err := events.Sign(&events.LedgerFounded{Founder: public, Title: "test",
		Header: events.Header{Type: "ledger.founded", ID: events.NewID(), Ledger: testOrigin}},
		l.founder)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Dir: l.dir, Founding: &first})
	l.write(t, s, n-1)
	l.stored = storedIn(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

// write submits n statements, one after the other.
func (l *stopped) write(t *testing.T, s *Server, n int) {
	t.Helper()
	for range n {
		id := events.NewID()
		name := events.Operation("op-" + strings.ToLower(id.String()[10:]))
		signed, err := events.Sign(&events.OperationOpened{
			Header: events.Header{Type: "operation.opened", ID: id, Ledger: testOrigin},
			Dated:  events.Dated{Effective: 2026_11_23},
			OperationTerms: events.OperationTerms{Operation: name, Title: "a test",
				Roles: []events.RoleDefinition{{Role: "ground", Title: "troops",
					Units: []events.Unit{"personnel"}}}}}, l.founder)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Ledger.Submit(t.Context(), signed)
		for end := time.Now().Add(30 * time.Second); problem.Is(err, problem.Unavailable) &&
			time.Now().Before(end); { // while the stream is made anew: as clients are told
			_, err = s.Ledger.Submit(t.Context(), signed)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func storedIn(t *testing.T, s *Server) (all [][]byte) {
	t.Helper()
	for rec, err := range s.Journal.Records(1) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec.Stored)
	}
	return all
}

// copied returns the ledger in a folder of its own.
func (l *stopped) copied(t *testing.T) *stopped {
	t.Helper()
	c := *l
	c.dir = filepath.Join(t.TempDir(), "ledger")
	if err := os.CopyFS(c.dir, os.DirFS(l.dir)); err != nil {
		t.Fatal(err)
	}
	return &c
}

// A heard is what was logged so far.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (h *heard) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(line)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// hears returns a logger, and what it has logged.
func hears() (*slog.Logger, *heard) {
	said := &heard{}
	return slog.New(slog.NewTextHandler(said, nil)), said
}

// comesBack starts a server on the ledger: all is there in both copies, and more can be written.
// It returns what the server logged.
func (l *stopped) comesBack(t *testing.T, what string) (said string) {
	t.Helper()
	log, heard := hears()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := Start(ctx, Config{Dir: l.dir, Inside: true, Log: log})
	if err != nil {
		t.Fatalf("%s: %v\n%s", what, err, heard)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	l.write(t, s, 3)
	now := storedIn(t, s)
	for i, stored := range l.stored {
		if !bytes.Equal(stored, now[i]) {
			t.Fatalf("%s: record %d is another", what, i+1)
		}
	}
	if c, err := s.Ledger.Compare(ctx); err != nil || c.Through != uint64(len(now)) ||
		len(now) != len(l.stored)+3 {
		t.Errorf("%s: of %d records, %d are in both copies: %v", what, len(now), c.Through, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	return heard.String()
}

// crashed returns the ledger as a crash would leave it, when a server has gone on with it.
func (l *stopped) crashed(t *testing.T) *stopped {
	t.Helper()
	running := l.copied(t)
	s := start(t, Config{Dir: running.dir})
	running.write(t, s, 5)
	running.stored = storedIn(t, s)
	left := running.copied(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return left
}

// Whatever was damaged in the stream's files while the server did not run: it starts, has all of
// its records, and takes more; and what was damaged is kept, unless it meant nothing.
func TestAnyDamagedStream(t *testing.T) {
	t.Parallel()
	times := 30
	switch {
	case os.Getenv("MUSTER_FAULTS") != "":
		times = 200
	case testing.Short():
		times = 8
	}
	l := aStopped(t, 40)
	crashed, random := l.crashed(t), seeded.New(t)
	for n := range times {
		seed := random.Uint64()
		c := l.copied(t)
		if n%3 == 0 {
			c = crashed.copied(t)
		}
		nats := filepath.Join(c.dir, NATSFolder)
		what, err := damage.Any(nats, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		said := c.comesBack(t, what)
		kept, _ := filepath.Glob(filepath.Join(c.dir, damagedPrefix+"*"))
		told := strings.Contains(said, "was damaged: it was set aside")
		if told != (len(kept) == 1) {
			t.Errorf("%s: kept is %v, and said was\n%s", what, kept, said)
		}
		if len(kept) == 0 && !strings.Contains(what, "left as it is") &&
			!strings.Contains(what, "removed") {
			t.Logf("%s: meant nothing\n%s", what, said)
		}
	}
}

// The same, of what a test by chance seldom meets.
func TestDamagedStream(t *testing.T) {
	t.Parallel()
	l := aStopped(t, 40)
	folder := func(dir string) string {
		return natsd.StreamDir(filepath.Join(dir, NATSFolder), stream.DefaultName)
	}
	block := func(dir string) string { return filepath.Join(folder(dir), "msgs", "1.blk") }
	for name, do := range map[string]func(dir string) error{
		"the stream is gone": func(dir string) error { return os.RemoveAll(folder(dir)) },
		"all is gone": func(dir string) error {
			return os.RemoveAll(filepath.Join(dir, NATSFolder))
		},
		"a block is a folder": func(dir string) error {
			_ = os.Remove(block(dir))
			return os.Mkdir(block(dir), 0o700)
		},
		"a block without end": func(dir string) error { return os.Truncate(block(dir), 1<<33) },
		"the messages were being purged": func(dir string) error {
			return os.Rename(filepath.Join(folder(dir), "msgs"),
				filepath.Join(folder(dir), "__msgs__"))
		},
		"other limits": func(dir string) error {
			return limited(t, filepath.Join(dir, NATSFolder))
		},
	} {
		c := l.copied(t)
		if err := do(c.dir); err != nil {
			t.Fatal(err)
		}
		said := c.comesBack(t, name)
		gone := strings.HasSuffix(name, "is gone")
		if strings.Contains(said, "it was set aside, and is made anew from the journal") == gone {
			t.Errorf("%s: said was\n%s", name, said)
		}
	}
}

// limited gives the stream limits, as whoever has the right can while a NATS server runs.
func limited(t *testing.T, dir string) error {
	srv, err := natsd.Start(natsd.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { _ = srv.Shutdown() }()
	nc, err := srv.Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	str, err := js.Stream(t.Context(), stream.DefaultName)
	if err != nil {
		return err
	}
	c := str.CachedInfo().Config
	c.MaxMsgs = 5
	_, err = js.UpdateStream(t.Context(), c)
	return err
}

// What the stream alone has is taken into the journal before a damaged stream is given up; and
// where it cannot be taken, the server does not start, unless it is told to.
func TestDamagedStreamAheadOfJournal(t *testing.T) {
	t.Parallel()
	l := aStopped(t, 20)
	old := l.copied(t)
	s := start(t, Config{Dir: l.dir})
	l.write(t, s, 20)
	l.stored = storedIn(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// An old copy of the journal is put beside the newer stream.
	copyFile(t, filepath.Join(old.dir, JournalFile), filepath.Join(l.dir, JournalFile))
	if said := l.copied(t).comesBack(t, "not damaged"); strings.Contains(said, "set aside") {
		t.Errorf("a stream that is whole: said was\n%s", said)
	}
	for damaged, left := range map[int]int{10: 20, 30: 29, 40: 39} {
		c := l.copied(t)
		folder := natsd.StreamDir(filepath.Join(c.dir, NATSFolder), stream.DefaultName)
		if err := flipIn(folder, l.stored[damaged-1]); err != nil {
			t.Fatal(err)
		}
		_, err := Start(t.Context(), Config{Dir: c.dir, Inside: true})
		says := fmt.Sprintf("damaged behind message %d, and has records up to 40", damaged-1)
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), says) ||
			!strings.Contains(problem.From(err).Hint, "--restore-stream") {
			t.Errorf("damaged at %d: %v", damaged, err)
		}
		// What remembers that there was more.
		if err := os.Remove(filepath.Join(c.dir, ProjectionsFile)); err != nil {
			t.Fatal(err)
		}
		s := start(t, Config{Dir: c.dir, RestoreStream: true})
		if now := storedIn(t, s); len(now) != left || !bytes.Equal(now[left-1], l.stored[left-1]) {
			t.Errorf("damaged at %d: %d records are left, and not %d", damaged, len(now), left)
		}
		if _, err := s.Ledger.Compare(t.Context()); err != nil {
			t.Errorf("damaged at %d: %v", damaged, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A stream that is damaged while the server runs is found by the scrub, set aside, and made anew;
// the server takes statements before and after that, and says what it has kept.
func TestStreamDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	l := aStopped(t, 40)
	log, said := hears()
	s := start(t, Config{Dir: l.dir, ScrubEvery: 50 * time.Millisecond, Log: log})
	through := func(n uint64, after time.Time) {
		t.Helper()
		end := time.After(30 * time.Second)
		for {
			if c := s.copies(); c.Through >= n && s.Ledger.Compared().At.After(after) {
				return
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-end:
				t.Fatalf("%d records are not whole: %+v\n%s", n, s.copies(), said)
			}
		}
	}
	through(40, time.Time{})
	if kept := s.copies().Kept; len(kept) > 0 {
		t.Fatalf("kept are %v", kept)
	}
	// The NATS server itself has to read its files anew, or it would not notice.
	if err := s.natsd.RestartAfter(func() error {
		return flipIn(s.streamStore().Dir, l.stored[19])
	}); err != nil {
		t.Fatal(err)
	}
	l.write(t, s, 1)
	through(41, time.Now())
	l.write(t, s, 1)
	through(42, time.Now())
	if c := s.copies(); len(c.Kept) != 1 || c.Problem != nil || s.Healthy() != nil {
		t.Errorf("got %+v, %v", c, s.Healthy())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if said := said.String(); !strings.Contains(said, "the scrub has found the stream damaged") ||
		!strings.Contains(said, "it was set aside, and is made anew") {
		t.Errorf("said was\n%s", said)
	}
}

// flipIn flips a bit of a message in a stream's first block.
func flipIn(dir string, stored []byte) error {
	block := filepath.Join(dir, "msgs", "1.blk")
	data, err := os.ReadFile(block)
	if err != nil {
		return err
	}
	data[bytes.Index(data, stored)] ^= 1
	return os.WriteFile(block, data, 0o600)
}
