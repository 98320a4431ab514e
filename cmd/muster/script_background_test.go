package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// plainEnv is the environment of a muster process, and more: nothing of this machine's user but the
// search path, and how often garbage is collected. Without GORACE, the race detector has every
// process sleep for a second before it ends.
func plainEnv(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/no-home", "MUSTER_CONFIG=/dev/null",
		"GORACE=atexit_sleep_ms=0", "GOGC=" + os.Getenv("GOGC")}, more...)
}

// How long a test waits for what must happen soon, before it says that it did not.
const patience = 30 * time.Second

// A background is a process that runs beside a test.
type background struct {
	cmd            *exec.Cmd
	stdout, stderr heard
	ended          chan struct{} // closed when the process has ended, with err
	err            error
}

// startBackground starts muster with arguments, in a folder and with nothing of this machine's user
// but the search path.
func startBackground(dir string, env []string, args ...string) (*background, error) {
	return startProgram("muster", dir, env, args...)
}

// startProgram is startBackground for any program in the search path, such as one that this test
// program is under another name.
func startProgram(name, dir string, env []string, args ...string) (*background, error) {
	b := &background{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	b.cmd.Dir, b.cmd.Env = dir,
		plainEnv(append([]string{"MUSTER_CONFIG=" + filepath.Join(dir, ".config")}, env...)...)
	b.cmd.Stdout, b.cmd.Stderr = &b.stdout, &b.stderr
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		b.err = b.cmd.Wait()
		close(b.ended)
	}()
	return b, nil
}

// await waits until what the process has said matches the pattern, and returns the groups of the
// match.
func (b *background) await(said *heard, pattern string) ([]string, error) {
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return nil, err
	}
	late := time.After(patience)
	for {
		text, more := said.now()
		if found := re.FindStringSubmatch(text); found != nil {
			return found, nil
		}
		select {
		case <-more:
		case <-b.ended:
			if found := re.FindStringSubmatch(said.String()); found != nil {
				return found, nil
			}
			return nil, fmt.Errorf("%s has ended (%v) without saying %s:\n%s", b.cmd.Args[0],
				b.err, pattern, &b.stderr)
		case <-late:
			return nil, fmt.Errorf("muster has not said %s within %s, but:\n%s%s", pattern,
				patience, text, &b.stderr)
		}
	}
}

// terminate asks the process to stop, and returns an error unless it does, with the exit code 0.
func (b *background) terminate() error { return b.signal(syscall.SIGTERM) }

// interrupt is what Control-C does, and else like terminate.
func (b *background) interrupt() error { return b.signal(os.Interrupt) }

func (b *background) signal(s os.Signal) error {
	if err := b.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%v: %w; it said:\n%s", s, err, &b.stderr)
	}
	select {
	case <-b.ended:
	case <-time.After(patience):
		_ = b.cmd.Process.Signal(syscall.SIGQUIT) // it says what it waits for
		select {
		case <-b.ended:
		case <-time.After(patience):
			b.kill()
		}
		return fmt.Errorf("muster has not ended within %s after %v; it said:\n%s",
			patience, s, &b.stderr)
	}
	if b.err != nil {
		return fmt.Errorf("muster ended after %v with %w; it said:\n%s", s, b.err, &b.stderr)
	}
	return nil
}

// kill ends the process, if it has not ended, and waits until it has.
func (b *background) kill() {
	_ = b.cmd.Process.Kill() // it fails only when the process has ended
	<-b.ended
}

// heard is what a process has written so far. It may be read while the process writes.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed at the next write; nil when nobody waits
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

func (h *heard) String() string {
	text, _ := h.now()
	return text
}
