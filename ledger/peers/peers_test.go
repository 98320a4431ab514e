package peers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
	"muster/ledger/peers"
)

const patience = 20 * time.Second

// A cluster is a NATS server on which servers speak with each other, and a log in memory that they
// share, whose end can be lost.
type cluster struct {
	t       *testing.T
	log     *logtest.Memory
	nats    *server.Server
	founder *events.Signer
	dir     string
	synced  bool // the log writes to the disk what it acknowledges
	// What the next servers are told of the log; nil where they are told at once.
	late chan uint64
}

// A lateLog tells its server late that others have appended.
type lateLog struct {
	ledger.Log
	changed chan uint64
}

func (l lateLog) Changed() <-chan uint64 { return l.changed }

func newCluster(t *testing.T) *cluster {
	t.Helper()
	secret, _, err := events.NewKey("HQ/founder")
	if err != nil {
		t.Fatal(err)
	}
	founder, err := events.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, log: logtest.NewMemory(0), founder: founder, dir: t.TempDir()}
	c.nats = c.startNATS(server.RANDOM_PORT)
	t.Cleanup(func() { c.stopNATS() })
	return c
}

func (c *cluster) startNATS(port int) *server.Server {
	c.t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true,
		NoLog: true})
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		c.t.Fatal("NATS does not start")
	}
	return s
}

func (c *cluster) stopNATS() {
	c.nats.Shutdown()
	c.nats.WaitForShutdown()
}

// A member is a server of the cluster.
type member struct {
	*ledger.Ledger
	journal *journal.Journal
	peers   *peers.Peers
	conn    *nats.Conn
	said    *said
	c       *cluster
	gone    bool
}

// said is what a server has said in its log.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// tryMember starts the server whose data folder has this name.
func (c *cluster) tryMember(folder, name string, without ...string) (*member, error) {
	c.t.Helper()
	path := filepath.Join(c.dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		c.t.Fatal(err)
	}
	conn, err := nats.Connect(c.nats.ClientURL(), nats.Timeout(patience), nats.MaxReconnects(-1),
		nats.ReconnectWait(20*time.Millisecond), nats.CustomInboxPrefix("_MUSTER"))
	if err != nil {
		c.t.Fatal(err)
	}
	m := &member{conn: conn, said: &said{}, c: c}
	log := slog.New(slog.NewTextHandler(m.said, nil))
	if m.journal, err = journal.Open(filepath.Join(path, "journal.db")); err != nil {
		c.t.Fatal(err)
	}
	m.peers, err = peers.Open(peers.Config{Conn: conn, Stream: "TEST", Journal: m.journal,
		Name: name, Without: without, Log: log, File: filepath.Join(path, "peers.json"),
		Write: func(file string, data []byte) error { return os.WriteFile(file, data, 0o600) }})
	if err == nil {
		err = m.peers.Synced(c.synced)
	}
	if err == nil {
		var shared ledger.Log = c.log.View()
		if c.late != nil {
			shared = lateLog{shared, c.late}
		}
		m.Ledger, err = ledger.Open(c.t.Context(), ledger.Config{Journal: m.journal,
			Log: shared, Peers: m.peers, Name: name, Faults: log})
	}
	if err != nil {
		if m.peers != nil {
			err = errors.Join(err, m.peers.Close())
		}
		conn.Close()
		return nil, errors.Join(err, m.journal.Close())
	}
	c.t.Cleanup(func() { m.crashes() })
	return m, nil
}

func (c *cluster) member(name string, without ...string) *member {
	c.t.Helper()
	m, err := c.tryMember(name, name, without...)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// stops ends a server as it should end.
func (m *member) stops() {
	m.c.t.Helper()
	if m.gone {
		return
	}
	m.gone = true
	if err := errors.Join(m.Close(), m.peers.Close(), m.journal.Close()); err != nil {
		m.c.t.Error(err)
	}
	m.conn.Close()
}

// stopsHeard stops a server, and returns when another one has heard its last word.
func (m *member) stopsHeard(by string) {
	m.c.t.Helper()
	m.stops()
	m.c.until(func() error {
		text, err := os.ReadFile(filepath.Join(m.c.dir, by, "peers.json"))
		if err == nil && !bytes.Contains(text, []byte(`"last"`)) {
			err = fmt.Errorf("%s has heard no last word", by)
		}
		return err
	})
}

// crashes ends a server that has no time to say anything.
func (m *member) crashes() {
	m.conn.Close()
	m.stops()
}

func (m *member) submit() (ledger.Receipt, error) {
	head := events.Header{ID: events.NewID(), Ledger: "muster.example/test"}
	var st events.Statement
	if m.journal.Last() == 0 {
		head.Type = "ledger.founded"
		st = &events.LedgerFounded{Header: head, Title: "test", Founder: m.c.founder.Key()}
	} else {
		head.Type = "operation.opened"
		st = &events.OperationOpened{Header: head, Dated: events.Dated{Effective: 2026_11_23},
			OperationTerms: events.OperationTerms{Title: "test",
				Operation: events.Operation("op" + strings.ToLower(head.ID.String())),
				Roles: []events.RoleDefinition{{Role: "ground", Title: "ground",
					Units: []events.Unit{"personnel"}}}}}
	}
	s, err := events.Sign(st, m.c.founder)
	if err != nil {
		m.c.t.Fatal(err)
	}
	return m.Submit(m.c.t.Context(), s)
}

// records makes so many records.
func (m *member) records(n int) {
	m.c.t.Helper()
	for range n {
		if _, err := m.submit(); err != nil {
			m.c.t.Fatal(err)
		}
	}
}

// has returns when a server's journal has so many records.
func (m *member) has(n uint64) {
	m.c.t.Helper()
	ctx, cancel := context.WithTimeout(m.c.t.Context(), patience)
	defer cancel()
	if err := m.journal.Wait(ctx, n-1); err != nil || m.journal.Last() != n {
		m.c.t.Fatalf("there are %d records, and not %d: %v, %v", m.journal.Last(), n, err,
			m.Healthy())
	}
}

// waits shows that a server takes nothing, and says why.
func (m *member) waits(why, remedy string) {
	m.c.t.Helper()
	r, err := m.submit()
	if err == nil {
		m.c.t.Fatalf("a record was made, with the sequence %d", r.Sequence)
	}
	for _, err := range []error{err, m.Healthy()} {
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), why) ||
			!strings.Contains(problem.From(err).Hint, remedy) {
			m.c.t.Fatalf("the server says: %v\nhint: %s", err, problem.From(err).Hint)
		}
	}
	if !strings.Contains(m.said.String(), "the ledger takes no statements") {
		m.c.t.Fatalf("the log says nothing of waiting: %s", m.said)
	}
}

// takes returns when a server takes statements, and shows that the next one has the sequence.
func (m *member) takes(sequence uint64) {
	m.c.t.Helper()
	m.c.until(func() error { return m.Healthy() })
	if r, err := m.submit(); err != nil || r.Sequence != sequence {
		m.c.t.Fatalf("a record has the sequence %d, and not %d: %v\n%s", r.Sequence, sequence, err,
			m.said)
	}
}

func (c *cluster) until(is func() error) {
	c.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); ; <-again.C {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("waited in vain: %v", err)
		}
	}
}

func (c *cluster) logEndsAt(n uint64) {
	c.t.Helper()
	if last, _ := c.log.View().Last(c.t.Context()); last != n {
		c.t.Fatalf("the log ends at %d, and not at %d", last, n)
	}
}

// The log has lost its end, and the server that comes back first has seen no more, or less: it
// records and puts back nothing before the other one, which has.
func TestLongestJournalSpeaksFirst(t *testing.T) {
	t.Parallel()
	for _, left := range []int{15, 10, 7, 0} {
		t.Run(fmt.Sprint(left, " are left"), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a := c.member("a")
			a.records(9)
			b := c.member("b")
			b.records(1)
			b.crashes()
			a.has(10)
			a.records(10)
			a.crashes()
			c.log.Truncate(left)
			b = c.member("b")
			b.waits("a has not answered", "--without a")
			c.logEndsAt(uint64(left))
			a = c.member("a")
			a.takes(21)
			b.takes(22)
			a.has(22)
			if !strings.Contains(b.said.String(), "takes statements again") {
				t.Errorf("the log says nothing of the end of waiting: %s", b.said)
			}
		})
	}
}

// The log goes back while servers run, and one of them is not there.
func TestLogGoesBackMeanwhile(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.records(1)
	a.has(6)
	c.log.Truncate(3)
	a.takes(7)
	b.has(7)
	b.crashes()
	a.records(1) // whoever is not there is not missed as long as the log is whole
	c.log.Truncate(6)
	if _, err := a.submit(); err == nil {
		t.Fatal("a record was made before the other server was heard")
	}
	a.waits("b has not answered", "--without b")
	c.logEndsAt(6)
	b = c.member("b")
	b.takes(9)
	a.has(9)
}

// A server that has not followed yet what others have recorded is told of it when the log has lost
// that already: it does not take the log for whole.
func TestToldOfWhatIsLost(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.member("a")
	a.records(5)
	c.late = make(chan uint64, 1)
	b := c.member("b")
	b.has(5)
	a.records(3)
	a.crashes()
	c.log.Truncate(5)
	c.late <- 8
	c.until(func() error {
		if b.Healthy() == nil {
			return errors.New("b takes statements")
		}
		return nil
	})
	b.waits("a has not answered", "--without a")
	c.late = nil
	a = c.member("a")
	a.takes(9)
	c.logEndsAt(9)
}

// Who stops cleanly says how far its journal reaches, and need not be heard by those that have as
// much.
func TestLastWord(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.member("a")
	a.records(5)
	b := c.member("b")
	b.has(5)
	b.records(1)
	a.has(6)
	a.stopsHeard("b")
	b.stops()
	b = c.member("b") // the last to stop has heard all others
	b.takes(7)
	b.stops()
	a = c.member("a")
	a.waits("b has not answered", "--without b")
	b = c.member("b")
	b.takes(8)
	a.has(8)
	a.stopsHeard("b")
	c.log.Truncate(5) // what was said then is still the end of a's journal
	b.takes(9)
	b.crashes()
	c.log.Truncate(0)
	b = c.member("b")
	b.takes(10)
}

// A server that has stopped cleanly, with more than another one has seen, is waited for.
func TestLastWordOfTheLongest(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.crashes()
	a.records(3)
	c.log.Truncate(5)
	b = c.member("b") // and hears the last word of a
	a.stopsHeard("b")
	b.crashes()
	b = c.member("b")
	b.waits("a has 8 records, and here there are 5", "puts it back")
	a = c.member("a")
	a.takes(9)
	b.has(9)
}

// What a server has said before its last word may be heard after it, on another way.
func TestLastWordIsTheLast(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	b := c.member("b")
	words, err := b.conn.SubscribeSync("_MUSTER.ends.TEST")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	a := c.member("a")
	earlier, err := words.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	a.stopsHeard("b")
	if _, err := b.conn.Request(earlier.Subject, earlier.Data, patience); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.dir, "b", "peers.json")
	if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte(`"last"`)) {
		t.Errorf("its last word is forgotten: %v: %s", err, text)
	}
}

// A person gives a server up: that is said, and remembered, until it is back.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.records(1)
	a.has(6)
	a.crashes()
	b.crashes()
	const spelled = "no server of this name is known here"
	b = c.member("b", "A")
	b.waits("a has not answered", "--without a")
	if !strings.Contains(b.said.String(), spelled) {
		t.Errorf("the log says: %s", b.said)
	}
	b.crashes()
	b = c.member("b", "a")
	b.takes(7)
	if said := b.said.String(); strings.Contains(said, spelled) ||
		!strings.Contains(said, `level=WARN msg="a server is given up`) {
		t.Errorf("the log says: %s", said)
	}
	b.crashes()
	b = c.member("b")
	b.takes(8)
	if !strings.Contains(b.said.String(), `level=WARN msg="a server stays given up`) {
		t.Errorf("the log says: %s", b.said)
	}
	a = c.member("a") // it follows
	a.takes(9)
	b.has(9)
	if !strings.Contains(b.said.String(), "is back that was given up") {
		t.Errorf("the log says: %s", b.said)
	}
	a.crashes()
	b.crashes()
	c.member("b").waits("a has not answered", "--without a")
}

// A server that was given up is back with what was lost, after others have taken its place: it does
// not start, and the others go on. Where nobody has given it up, they stop as well.
func TestJournalsPart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.records(1)
	a.has(6)
	b.crashes()
	a.records(3)
	a.crashes()
	c.log.Truncate(6)
	b = c.member("b", "a")
	b.takes(7)
	says := "at sequence 7 the journals of this server and of b hold different records"
	if _, err := c.tryMember("a", "a"); !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), says) {
		t.Fatalf("with what was lost, a server starts, or fails otherwise: %v", err)
	}
	b.takes(8)
	b.crashes()
	b = c.member("b") // the last word of a does not count either
	b.takes(9)
	b.stops()
	c.log.Truncate(0)
	a = c.member("a", "b")
	defer a.crashes()
	a.takes(10)
	_, err := c.tryMember("b", "b", "nobody")
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "at sequence 7") {
		t.Fatalf("got %v", err)
	}
}

// Two servers that start at the same moment hear each other.
func TestTwoStartAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.records(1)
	a.has(6)
	a.crashes()
	b.crashes()
	c.log.Truncate(2)
	var both sync.WaitGroup
	both.Go(func() { a = c.member("a") })
	both.Go(func() { b = c.member("b") })
	both.Wait()
	c.until(a.Healthy)
	c.until(b.Healthy)
	a.takes(7)
	b.has(7)
	b.takes(8)
}

// A server that has made no record is known to those that it has met, and so is one that has
// changed its name.
func TestWhoIsKnown(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.member("a")
	a.records(5)
	reader := c.member("reader")
	reader.has(5)
	a.crashes()
	reader.crashes()
	a = c.member("a")
	a.waits("reader has not answered", "--without reader")
	reader = c.member("reader")
	a.takes(6)
	reader.has(6)
	a.crashes()
	renamed, err := c.tryMember("a", "a2")
	if err != nil {
		t.Fatal(err)
	}
	renamed.takes(7)
	reader.has(7)
	reader.crashes()
	reader = c.member("reader")
	reader.takes(8) // what a has recorded is of the server that answers
	renamed.crashes()
	reader.crashes()
	c.member("reader").waits("a2 has not answered", "--without a2")
}

// The line to NATS was broken: what could be lost meanwhile is asked for, and who does not answer
// is not waited for long as long as nothing says that the log has gone back.
func TestBrokenLine(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	port := c.nats.Addr().(*net.TCPAddr).Port
	breaks := func() {
		t.Helper()
		before := a.peers.Breaks()
		c.stopNATS()
		c.until(func() error {
			if a.peers.Breaks() == before {
				return errors.New("the line is not known to be broken")
			}
			return nil
		})
		c.nats = c.startNATS(port)
	}
	breaks()
	c.until(func() error { _, err := a.submit(); return err })
	a.takes(7)
	b.has(7)
	b.crashes()
	breaks()
	c.until(func() error { _, err := a.submit(); return err })
	a.takes(9)
}

// Where the log wrote to the disk all that it acknowledged, and did before, a server waits for
// nobody who does not answer, unless the log has gone back all the same.
func TestTrust(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, b := c.member("a"), c.member("b")
	a.records(5)
	b.has(5)
	b.records(1)
	a.has(6)
	b.crashes()
	a.crashes()
	c.synced = true // which may be so since the log lost its end
	b = c.member("b")
	b.waits("a has not answered", "--without a")
	b.crashes()
	b = c.member("b")
	c.until(b.Healthy)
	b.takes(7)
	b.crashes()
	c.log.Truncate(6)
	b = c.member("b")
	b.waits("a has not answered", "--without a")
	c.logEndsAt(6)
	b.crashes()
	c.synced = false
	c.log.Truncate(0)
	a = c.member("a")
	a.waits("b has not answered", "--without b")
	b = c.member("b")
	b.takes(8)
	a.has(8)
}

// While one server is away and another one records all the time, a third comes back, and is always
// a little behind: that is no sign that the log has lost anything.
func TestTrustUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.synced = true
	a, b, busy := c.member("a"), c.member("b"), c.member("busy")
	a.records(5)
	b.has(5)
	busy.has(5) // or else it would found the ledger
	a.crashes()
	b.crashes()
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() {
		for ctx.Err() == nil {
			if _, err := busy.submit(); err != nil {
				t.Error(err)
			}
		}
	})
	b = c.member("b")
	c.until(b.Healthy)
	stop()
	load.Wait()
	b.has(busy.journal.Last())
	b.takes(busy.journal.Last() + 1)
}

// Files that a server cannot go by.
func TestMemory(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a := c.member("a")
	a.records(1)
	a.stops()
	file := filepath.Join(c.dir, "a", "peers.json")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"is damaged":            string(good[:len(good)/2]),
		"written by a newer":    strings.Replace(string(good), `"v": 1`, `"v": 2`, 1),
		"unknown object member": strings.Replace(string(good), `"names"`, `"nomes"`, 1),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.tryMember("a", "a"); !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), name) || problem.From(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
