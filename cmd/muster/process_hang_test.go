package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/ledger/intake"
)

// longFaults is the environment variable with which faults last as long as they should be borne,
// and all of them are tried: MUSTER_FAULTS=1, for tests that may take minutes.
const longFaults = "MUSTER_FAULTS"

// onlyLong skips a test that waits for half a minute, and has a shorter one beside it.
func onlyLong(t *testing.T) {
	t.Helper()
	if os.Getenv(longFaults) == "" {
		t.Skip("it takes long: make faults runs it")
	}
}

// notShort skips a test in a short run, which has the race detector: its servers do one thing after
// the other, and nothing beside each other that those of other tests do not.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one thing after the other: the run without the race detector does it")
	}
}

// Whatever becomes of one node of three, nobody waits for longer for a receipt. The others choose a
// new leader within 9 seconds, unless each of them has asked for the other's vote: then it takes
// them longer, which no server can change, and it has a second more.
const longestWait, afterChoice = 10 * time.Second, time.Second

// A node of three hangs for 12 seconds: the one that leads the stream, and one that does not. To
// each node a Muster server is connected, and at each server somebody submits all the time. With
// MUSTER_FAULTS=1 they hang for 75 seconds as well, and each is killed.
func TestNodeThatHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	c := startSteady(t, startNodes(t))
	c.outlast(t, "hangs for 12 s", theLeader, 12*time.Second, hang)
	c.outlast(t, "hangs for 12 s", another, 12*time.Second, hang)
	if os.Getenv(longFaults) != "" {
		c.outlast(t, "hangs for 75 s", theLeader, 75*time.Second, hang)
		c.outlast(t, "hangs for 75 s", another, 75*time.Second, hang)
		c.outlast(t, "is killed", another, 15*time.Second, c.killed)
		c.outlast(t, "is killed", theLeader, 15*time.Second, c.killed)
	}
	c.check(t)
}

// What a node sends gets lost, and it hears the others; or the other way round. The rest is as with
// a node that hangs.
func TestNodeThatIsCutOff(t *testing.T) {
	onlyLong(t)
	nodes, net := startNodesApart(t)
	c := startSteady(t, nodes)
	c.outlast(t, "is not heard", theLeader, 12*time.Second, net.notHeard)
	c.outlast(t, "does not hear", theLeader, 12*time.Second, net.deaf)
	c.outlast(t, "is not heard", another, 12*time.Second, net.notHeard)
	c.outlast(t, "does not hear", another, 12*time.Second, net.deaf)
	c.outlast(t, "is not heard", theLeader, 75*time.Second, net.notHeard)
	c.outlast(t, "does not hear", theLeader, 75*time.Second, net.deaf)
	c.check(t)
}

// A steadyCluster is three nodes with a Muster server at each, and a writer at each server.
type steadyCluster struct {
	*nodes
	servers []*serverProcess
	writers []*steadyWriter
	book    *accountBook
	asking  *nats.Conn
}

func startSteady(t *testing.T, n *nodes) *steadyCluster {
	t.Helper()
	c := &steadyCluster{nodes: n, book: newBook(), asking: n.connect(t, "muster", musterPassword)}
	for _, n := range c.each {
		c.servers = append(c.servers, c.serve(t, "at-"+n.name, n))
	}
	by := begin(t, c.servers[0])
	for _, p := range c.servers {
		p.awaitRecord(t, recordsOfBegin)
		c.writers = append(c.writers, startWriter(t, p, by, c.book))
	}
	return c
}

// outlast makes one node suffer for a time, and shows that nobody has to wait too long then, nor
// when the node is back: it asks to lead, and the others choose anew. Now and then NATS has to
// choose twice, on a busy machine above all; so what takes too long is tried once more.
func (c *steadyCluster) outlast(t *testing.T, what string,
	whom func(*testing.T, *steadyCluster) *node, length time.Duration,
	fault func(*testing.T, *node) (mend func())) {
	t.Helper()
	late := c.suffer(t, what, whom, length, fault)
	if len(late) > 0 {
		t.Logf("tried once more, since %s", strings.Join(late, "\n"))
		late = c.suffer(t, what, whom, length, fault)
	}
	if len(late) > 0 {
		t.Error(strings.Join(late, "\n"))
	}
}

// suffer makes one node suffer, and returns which servers have let their writers wait too long.
func (c *steadyCluster) suffer(t *testing.T, what string,
	whom func(*testing.T, *steadyCluster) *node, length time.Duration,
	fault func(*testing.T, *node) (mend func())) (late []string) {
	t.Helper()
	c.write(t) // all is well
	n, since := whom(t, c), time.Now()
	mend := fault(t, n)
	time.Sleep(length) // which is what is tried
	mended := time.Now()
	mend()
	c.write(t)
	limit := longestWait
	if chosen, ok := c.chosen(t, since); ok && chosen < length {
		t.Logf("another leader was chosen after %s", chosen)
		limit = max(limit, chosen+afterChoice)
	}
	for i, w := range c.writers {
		waited := max(w.longestGap(since, mended), w.longestGap(mended, time.Now()))
		t.Logf("%s %s: at the server that was connected to %s the longest wait was %s",
			n.name, what, c.each[i].name, waited)
		if waited > limit {
			late = append(late, fmt.Sprintf("%s %s: the server that was connected to %s "+
				"acknowledged nothing for %s; it said:\n%s", n.name, what, c.each[i].name,
				waited, w.refusals()))
		}
		if said := w.refusals(); strings.Contains(said, "lost message") {
			t.Errorf("%s %s, and a server says that the stream has lost something:\n%s",
				n.name, what, said)
		}
	}
	return late
}

var newLeader = regexp.MustCompile(
	`(?m)^\[\d+\] (\S+ \S+) \[INF\] JetStream cluster new stream leader for 'MUSTER > MUSTER'`)

// chosen returns how long after a moment one of the nodes has first become leader of the stream.
func (c *steadyCluster) chosen(t *testing.T, since time.Time) (after time.Duration, ok bool) {
	t.Helper()
	for _, n := range c.each {
		for _, found := range newLeader.FindAllStringSubmatch(n.stderr.String(), -1) {
			at, err := time.ParseInLocation("2006/01/02 15:04:05", found[1], time.Local)
			if err != nil {
				t.Fatal(err)
			}
			if d := at.Sub(since); d > 0 && (!ok || d < after) {
				after, ok = d, true
			}
		}
	}
	return after, ok
}

// write returns when each writer has another receipt.
func (c *steadyCluster) write(t *testing.T) {
	t.Helper()
	for _, w := range c.writers {
		w.await(t, time.Now())
	}
}

// check ends the writers, and compares what they know with what each server has.
func (c *steadyCluster) check(t *testing.T) {
	t.Helper()
	for _, w := range c.writers {
		w.end()
	}
	longest := c.book.last() // or more, of whose statements nobody was told that they are recorded
	for _, p := range c.servers {
		longest = max(longest, len(p.records(t)))
	}
	c.servers[0].awaitRecord(t, longest)
	log := c.servers[0].records(t)
	c.book.check(t, log, recordsOfBegin)
	for _, p := range c.servers[1:] {
		p.awaitRecord(t, longest)
		sameLogs(t, log, p.records(t))
	}
}

func theLeader(t *testing.T, c *steadyCluster) *node { return c.leader(t, c.asking) }

// another is a node that does not lead the stream.
func another(t *testing.T, c *steadyCluster) *node {
	leader := theLeader(t, c)
	for _, n := range c.each {
		if n != leader {
			return n
		}
	}
	panic("three nodes are one")
}

// hang stops a node, whose sockets stay open.
func hang(t *testing.T, n *node) (mend func()) {
	signal := func(s os.Signal) {
		t.Helper()
		if err := n.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}

// killed ends a node, and has it started again.
func (c *steadyCluster) killed(t *testing.T, n *node) (mend func()) {
	n.kill()
	return func() { c.restart(t, n) }
}

// A steadyWriter submits to one server, one statement after the other, each until it has a receipt.
type steadyWriter struct {
	stop context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	acks []time.Time
	more chan struct{} // closed at the next
	said []string      // instead of a receipt
}

func startWriter(t *testing.T, p *serverProcess, by *country, book *accountBook) *steadyWriter {
	ctx, stop := context.WithCancel(context.Background())
	w := &steadyWriter{stop: stop, done: make(chan struct{}), more: make(chan struct{})}
	t.Cleanup(w.end)
	to := p.client()
	go func() {
		defer close(w.done)
		for ctx.Err() == nil {
			w.record(ctx, t, to, by, book)
		}
	}()
	return w
}

func (w *steadyWriter) record(ctx context.Context, t *testing.T, to intake.Submitter, by *country,
	book *accountBook) {
	s := by.offer(t)
	for ctx.Err() == nil {
		asked := time.Now()
		err := book.submit(ctx, to, s)
		w.mu.Lock()
		if err == nil {
			w.acks = append(w.acks, time.Now())
			close(w.more)
			w.more = make(chan struct{})
			w.mu.Unlock()
			return
		}
		w.said = append(w.said, fmt.Sprintf("%s, after %s: %v", time.Now().Format("05.000"),
			time.Since(asked).Round(time.Millisecond), err))
		w.mu.Unlock()
		time.Sleep(100 * time.Millisecond) // as the hint says: in a moment
	}
}

// await returns when there is a receipt from after a moment.
func (w *steadyWriter) await(t *testing.T, moment time.Time) {
	t.Helper()
	late := time.After(4 * patience)
	for {
		w.mu.Lock()
		more, has := w.more, len(w.acks) > 0 && w.acks[len(w.acks)-1].After(moment)
		w.mu.Unlock()
		if has {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatal(errors.New("no receipt comes any more"))
		}
	}
}

// longestGap returns the longest time without a receipt from one moment to another.
func (w *steadyWriter) longestGap(from, to time.Time) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.acks {
		if at.After(from) && at.Before(to) {
			longest, from = max(longest, at.Sub(from)), at
		}
	}
	return max(longest, to.Sub(from))
}

// refusals are what the server has said last instead of giving a receipt.
func (w *steadyWriter) refusals() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.said[max(0, len(w.said)-20):], "\n")
}

func (w *steadyWriter) end() {
	w.stop()
	<-w.done
}
