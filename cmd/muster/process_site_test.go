package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/doctor"
	"muster/events/problem"
	"muster/ledger/stream"
)

// keep notes what the nodes have on their disks, and has them go on so that they write there now
// and then only.
func (c *nodes) keep(t *testing.T) {
	t.Helper()
	c.kill()
	for _, n := range c.each {
		copyTo(t, filepath.Join(c.dir, n.name), filepath.Join(c.dir, "old-"+n.name))
	}
	c.startAgain(t)
}

// losePower ends all nodes at once. What they have written since keep never came to their disks.
func (c *nodes) losePower(t *testing.T) {
	t.Helper()
	c.kill()
	for _, n := range c.each {
		remove(t, filepath.Join(c.dir, n.name))
		copyTo(t, filepath.Join(c.dir, "old-"+n.name), filepath.Join(c.dir, n.name))
	}
	c.startAgain(t)
}

func (c *nodes) kill() {
	for _, n := range c.each {
		n.kill()
	}
}

func (c *nodes) startAgain(t *testing.T) {
	t.Helper()
	for i, n := range c.each {
		c.start(t, n, c.authority, routePassword, c.each[(i+1)%3], c.each[(i+2)%3],
			"sync_interval: always", `sync_interval: "10s"`)
	}
	c.awaitLeader(t)
	c.leader(t, c.connect(t, "muster", musterPassword))
}

// A site is three NATS nodes, two servers on them, and what these have acknowledged.
type site struct {
	*nodes
	a, b *serverProcess
	says *country
	book *accountBook
	all  int // records
}

// A site loses power, with all NATS nodes and all servers, while one of these is behind. When that
// one comes back first, it must not give to new records what only the other's journal holds still;
// unless a person says so.
func TestSiteLosesPower(t *testing.T) {
	if testing.Short() {
		t.Skip("three NATS nodes start three times")
	}
	t.Parallel()
	s := &site{nodes: startNodes(t), book: newBook(), all: recordsOfBegin}
	s.a = s.serve(t, "a", s.each[0])
	s.says = begin(t, s.a)
	s.b = s.serve(t, "b", s.each[1])
	s.submit(t, s.a, 3)
	s.submit(t, s.b, 3)
	s.doesNotWait(t)
	s.keep(t)
	behind := s.fallBehind(t)
	s.losePower(t)
	s.waits(t, behind)

	behind = s.fallBehind(t)
	js, err := jetstream.New(s.connect(t, "muster", musterPassword))
	if err == nil {
		err = js.DeleteStream(t.Context(), stream.DefaultName) // all of it is lost this time
	}
	if err != nil {
		t.Fatal(err)
	}
	s.goesOnWithout(t, behind)
}

// submit has a server acknowledge n statements.
func (s *site) submit(t *testing.T, p *serverProcess, n int) {
	t.Helper()
	for range n {
		offer := s.says.offer(t)
		if err := untilKnown(t.Context(), func() error {
			return s.book.submit(t.Context(), p.client(), offer)
		}); err != nil {
			t.Fatal(err)
		}
		s.all++
	}
}

// fallBehind has a go on without b, until both end. It returns how many records b has.
func (s *site) fallBehind(t *testing.T) (behind int) {
	t.Helper()
	s.b.awaitRecord(t, s.all)
	behind = s.all
	if err := s.b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of all that b does", s.b.isStopped)
	s.submit(t, s.a, 10)
	s.a.kill()
	s.b.kill()
	return behind
}

// doesNotWait shows that b starts alone as long as all nodes sync always, and have done so before.
func (s *site) doesNotWait(t *testing.T) {
	t.Helper()
	s.b.awaitRecord(t, s.all)
	s.a.kill()
	s.b.kill()
	s.b = s.serve(t, "b", s.each[1])
	says := "servers that do not answer are not waited for.* servers=a"
	if _, err := s.b.await(&s.b.stderr, says); err != nil {
		t.Error(err)
	}
	if _, by := examined(t, s.b.dir); by["sync"].Outcome != doctor.OK {
		t.Errorf("the doctor says of nodes that sync always: %+v", by["sync"])
	}
	s.submit(t, s.b, 1)
	s.a = s.serve(t, "a", s.each[0])
}

// waits shows that b, which comes back first, waits for a, and what was acknowledged is there then.
func (s *site) waits(t *testing.T, behind int) {
	t.Helper()
	s.b = s.serve(t, "b", s.each[1])
	s.b.refuses(t, s.says, "a has not answered how far the journal there reaches", "--without a")
	for _, n := range s.each {
		says := "acknowledges what is not on its disk yet.* node=" + n.name + " sync_interval=10s"
		if _, err := s.b.await(&s.b.stderr, says); err != nil {
			t.Error(err)
		}
	}
	if _, by := examined(t, s.b.dir); by["sync"].Outcome != doctor.Bad ||
		!strings.Contains(by["sync"].Text, "n0 syncs every 10s") {
		t.Errorf("the doctor says of nodes that sync now and then: %+v", by["sync"])
	}
	if n := len(s.b.records(t)); n != behind {
		t.Fatalf("the server that was behind had %d records, and has %d", behind, n)
	}
	s.a = s.serve(t, "a", s.each[0])
	s.submit(t, s.b, 1)
	s.submit(t, s.a, 1)
	for _, p := range []*serverProcess{s.a, s.b} {
		p.awaitRecord(t, s.all)
		log := p.records(t)
		s.book.check(t, log, recordsOfBegin)
		if len(log) != s.all {
			t.Errorf("there are %d records, and not %d", len(log), s.all)
		}
		p.isHealthy(t)
	}
	if _, err := s.b.await(&s.b.stderr, "the ledger takes statements again"); err != nil {
		t.Error(err)
	}
}

// goesOnWithout shows that b goes on where a was given up, and that a does not start with what was
// lost by that.
func (s *site) goesOnWithout(t *testing.T, behind int) {
	t.Helper()
	b := s.serve(t, "b", s.each[1], "--without", "a")
	if _, err := b.await(&b.stderr, `level=WARN msg="a server is given up.* server=a`); err != nil {
		t.Error(err)
	}
	b.isHealthy(t)
	taken := s.says.offer(t)
	r, err := b.client().Submit(t.Context(), taken)
	if err != nil || r.Sequence != uint64(behind+1) {
		t.Fatalf("without a, a record is %d, and not %d: %v", r.Sequence, behind+1, err)
	}
	code, said := s.launch(t, "a", s.each[0]).ends(t)
	if code != 7 || !strings.Contains(said, fmt.Sprintf("at sequence %d the journal", behind+1)) {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	b.isHealthy(t)
	b.stop(t)
	b = s.serve(t, "b", s.each[1]) // which remembers that nobody waits for a any more
	b.isHealthy(t)
	if again, err := b.client().Submit(t.Context(), taken); err != nil || !again.Again {
		t.Errorf("what was acknowledged without a: %+v, %v", again, err)
	}
	b.stop(t)
}

// isStopped returns nil when all threads of a process have been stopped.
func (p *serverProcess) isStopped() error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	for _, thread := range threads {
		state, bad := os.ReadFile(thread)
		if err = errors.Join(err, bad); err == nil && !strings.Contains(string(state), ") T ") {
			err = fmt.Errorf("a thread goes on: %s", state)
		}
	}
	return err
}

// refuses shows that a server takes no statement, and says so, with the reason and a remedy.
func (p *serverProcess) refuses(t *testing.T, c *country, reason, remedy string) {
	t.Helper()
	r, err := p.client().Submit(t.Context(), c.offer(t))
	if err == nil {
		t.Fatalf("a statement has become record %d, before %q", r.Sequence, reason)
	}
	if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), reason) ||
		!strings.Contains(problem.From(err).Hint, remedy) {
		t.Errorf("a statement was refused with: %v\nhint: %s", err,
			problem.From(err).Hint)
	}
	if status, body := p.health(t); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, reason) || !strings.Contains(body, remedy) {
		t.Errorf("the server says of itself: %d %s", status, body)
	}
	if _, err := p.await(&p.stderr, "the ledger takes no statements.*"+reason); err != nil {
		t.Error(err)
	}
}

// isHealthy returns when a server says that it takes statements.
func (p *serverProcess) isHealthy(t *testing.T) {
	t.Helper()
	await(t, "health", func() error {
		if status, body := p.health(t); status != http.StatusOK {
			return fmt.Errorf("the server says of itself: %d %s", status, body)
		}
		return nil
	})
}

// await returns when something is so.
func await(t *testing.T, what string, is func() error) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); ; <-again.C {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}
