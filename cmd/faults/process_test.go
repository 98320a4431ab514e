package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/cmd/internal/files"
	"muster/cmd/internal/server"
)

// muster is the program, as it is built for users: with the race detector a server would be another
// one.
var muster = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "muster-faults-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "muster")
	out, err := exec.Command("go", "build", "-ldflags=-w", "-o", path,
		"muster/cmd/muster").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

var built string // the folder of the program

func TestMain(m *testing.M) {
	if os.Getenv(asNode) != "" {
		natsNode()
		return
	}
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

// How long a test waits for what must happen soon.
const patience = 30 * time.Second

// A process is a muster server, or another program, that runs beside a test.
type process struct {
	cmd   *exec.Cmd
	said  heard
	ended chan struct{}
	dir   string // the data folder of a server
	url   string
}

// command is muster with arguments.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := muster()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "MUSTER_CONFIG=/dev/null"}
	return cmd
}

// launch starts a program, which ends with the test at the latest.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	// What a wrapper such as strace runs goes with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), p.said.last())
		}
	})
	return p
}

// kill kills the program, and all that it has started.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	<-p.ended
}

// serveArgs are the arguments of a server on a folder.
func serveArgs(dir string, flags ...string) []string {
	return append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, flags...)
}

// serve starts a server, and returns when it listens.
func serve(t testing.TB, dir string, flags ...string) *process {
	t.Helper()
	p := launch(t, command(t, serveArgs(dir, flags...)...))
	p.dir = dir
	p.awaitListening(t)
	return p
}

func (p *process) awaitListening(t testing.TB) {
	t.Helper()
	found, err := p.await(`listening on (http://\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	p.url = found[1]
}

// await waits until the program has said something.
func (p *process) await(pattern string) ([]string, error) {
	re := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		text, more := p.said.now()
		if found := re.FindStringSubmatch(text); found != nil {
			return found, nil
		}
		select {
		case <-more:
		case <-p.ended:
			if found := re.FindStringSubmatch(p.said.String()); found != nil {
				return found, nil
			}
			return nil, fmt.Errorf("it has ended (%v) without saying %s:\n%s",
				p.cmd.ProcessState, pattern, p.said.last())
		case <-late:
			return nil, fmt.Errorf("it has not said %s within %s, but:\n%s", pattern, patience,
				p.said.last())
		}
	}
}

// stop ends a server as an administrator does.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the server has not ended within %s:\n%s", patience, p.said.last())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("the server has ended with %d:\n%s", code, p.said.last())
	}
}

// heard is what a program has written so far.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

// Write implements io.Writer.
func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
	return h.text.Write(p)
}

// now returns what was written, and a channel that is closed at the next write.
func (h *heard) now() (string, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.more == nil {
		h.more = make(chan struct{})
	}
	return h.text.String(), h.more
}

func (h *heard) String() string { text, _ := h.now(); return text }

// last is the end of what was written.
func (h *heard) last() string {
	text := h.String()
	return text[max(0, len(text)-4000):]
}

// verify checks a folder that no server runs on with muster verify.
func verify(t testing.TB, dir string, flags ...string) {
	t.Helper()
	out, err := command(t, append([]string{"verify", dir}, flags...)...).CombinedOutput()
	if err != nil {
		t.Errorf("muster verify: %v\n%s", err, out)
	}
}

// A trial is a ledger to which a party writes, and the notebook about it.
type trial struct {
	t     testing.TB
	path  string // of the notebook
	book  *notebook
	party *party
}

// begin founds a ledger on a server, and opens the notebook, in a folder of its own.
func begin(t testing.TB, p *process) *trial {
	t.Helper()
	tr := &trial{t: t, path: filepath.Join(t.TempDir(), "notebook")}
	founder, err := files.ReadKey(filepath.Join(p.dir, server.FounderFile))
	if err != nil {
		t.Fatal(err)
	}
	if tr.book, err = openNotebook(tr.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.book.close(); err != nil {
			t.Error(err)
		}
	})
	if tr.party, err = newParty(t.Context(), p.url, founder, tr.book); err != nil {
		t.Fatal(err)
	}
	return tr
}

// writing lets writers submit until stop is called, which returns when they have ended.
func (tr *trial) writing(urls ...string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { tr.party.write(ctx, urls, 16); close(done) }()
	return func() { cancel(); <-done }
}

// await waits for so many more receipts.
func (tr *trial) await(more int) {
	tr.t.Helper()
	_, had := tr.book.count()
	late := time.After(patience)
	for {
		tr.book.mu.Lock()
		have, next := tr.book.receipts, tr.book.more
		tr.book.mu.Unlock()
		if have >= had+more {
			return
		}
		select {
		case <-next:
		case <-late:
			tr.t.Fatalf("after %s there are %d more receipts, and not %d", patience, have-had, more)
		}
	}
}

// A gone is a time in which a disk had no power: what is acknowledged then does not count.
type gone struct{ from, to time.Time }

// lost holds a server against the notebook, and returns what is wrong.
func (tr *trial) lost(p *process, without ...gone) (wrong []error) {
	n, err := readNotebook(tr.path)
	if err != nil {
		return []error{err}
	}
	l, err := readLedger(tr.t.Context(), p.url)
	if err != nil {
		return []error{err}
	}
	for _, g := range without {
		n.forget(g.from, g.to)
	}
	return n.check(l)
}

// check fails the test where something is lost.
func (tr *trial) check(p *process, without ...gone) {
	tr.t.Helper()
	if wrong := tr.lost(p, without...); len(wrong) > 0 {
		tr.t.Fatalf("%d things are wrong: %v", len(wrong),
			errors.Join(wrong[:min(len(wrong), 10)]...))
	}
}
