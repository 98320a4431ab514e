package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A server that systemd has started tells it when it is ready, feeds its watchdog, and tells when
// it stops.
func TestSupervised(t *testing.T) {
	t.Parallel()
	notShort(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := startBackground(dir, []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=1000000"},
		"serve", "--listen", "127.0.0.1:0", "--data", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	next := func() string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 1000)
		n, err := l.Read(text)
		if err != nil {
			t.Fatalf("systemd hears nothing: %v", err)
		}
		return string(text[:n])
	}
	for i, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := next(); got != want {
			t.Fatalf("message %d is %q, and not %q", i, got, want)
		}
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for got := next(); got != "STOPPING=1"; got = next() {
		if got != "WATCHDOG=1" {
			t.Fatalf("it says %q", got)
		}
	}
}

// A watchdog is fed while the server does its work, and not while it hangs.
func TestWatchdogOfAHungServer(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	answers := make(chan error)
	fed := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		feed(ctx, 20*time.Millisecond, func(ctx context.Context) error {
			select {
			case err := <-answers:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}, func() { fed <- struct{}{} }, logging{format: "text", level: "info", to: io.Discard})
	}()
	var told []string
	for _, err := range []error{nil, errors.New("it hangs"), nil} {
		for sent := false; !sent; {
			select {
			case answers <- err:
				sent = true
			case <-fed:
				told = append(told, "fed without an answer")
			}
		}
		if err != nil {
			told = append(told, "hung")
			continue
		}
		select {
		case <-fed:
			told = append(told, "fed")
		case <-time.After(30 * time.Second):
			t.Fatal("it is not fed")
		}
	}
	end()
	<-done
	if want := []string{"fed", "hung", "fed"}; !slices.Equal(told, want) {
		t.Errorf("the watchdog was %s", strings.Join(told, ", "))
	}
}
