package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// failing wraps a command so that from its n-th call of a kind on, that many fail with EIO, as on a
// disk that breaks; 0 for all from then on.
func failing(t testing.TB, cmd *exec.Cmd, call string, n, many int) *exec.Cmd {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not there, so that nothing is shown about a disk that fails")
	}
	when := fmt.Sprintf("%d+", n)
	if many > 0 {
		when = fmt.Sprintf("%d..%d", n, n+many-1)
	}
	wrapped := exec.Command(strace, append([]string{"-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
		"-e", "trace=" + call, "-e", "inject=" + call + ":error=EIO:when=" + when, cmd.Path},
		cmd.Args[1:]...)...)
	wrapped.Env = cmd.Env
	return wrapped
}

// The disk fails at a call of each kind, once or for good: the server goes on, or says why it does
// not, or ends; and nothing is lost of what it acknowledged, before and after.
func TestFailingDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("many servers start, one after the other")
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serve(t, dir)
	tr := begin(t, p)
	p.stop(t)
	// Files alone are written and synced with these: what goes over the network is written with
	// others.
	calls := []string{"fdatasync", "pwrite64", "fsync", "ftruncate"}
	for round := range rounds(4, 8, 48) {
		call, n, many := calls[round%4], 1+round/4*(1+round/8), round%3
		failed := launch(t, failing(t, command(t, serveArgs(dir)...), call, n, many))
		failed.dir = dir
		if found, err := failed.await(`listening on (http://\S+)`); err == nil {
			failed.url = found[1]
			stop := tr.writing(failed.url)
			select {
			case <-failed.ended:
			case <-time.After(2 * time.Second):
			}
			stop()
		}
		failed.kill()
		p := serve(t, dir)
		if wrong := tr.lost(p); len(wrong) > 0 {
			t.Fatalf("%s fails from call %d on, %d times (0 for good): %d things are wrong, such "+
				"as %v", call, n, many, len(wrong), wrong[0])
		}
		p.kill()
	}
	serve(t, dir).stop(t)
	verify(t, dir)
	sent, acknowledged := tr.book.count()
	t.Logf("%d statements were sent, and %d acknowledged", sent, acknowledged)
}
