package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/events/problem"
)

// The disk with the journal is full: submissions are answered with the reason, and what was
// acknowledged stays. As soon as there is space again, the same server goes on.
func TestJournalDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	p := serving(t, filepath.Join(disk, "ledger"), "--nats",
		natsCluster(t, t.TempDir(), anyPort).ClientURL())
	c, book := begin(t, p), newBook()
	free := fill(t, disk)
	writeUntilFull(t, p, c, book, "no space left on device")
	if status, body := p.health(t); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, "no space left on device") {
		t.Errorf("the server says of itself: %d %s", status, body)
	}
	// What would be refused is not made to wait either.
	begun, stranger := time.Now(), signed(t, c.offerOf(1), c.stranger(t))
	if _, err := p.client().Submit(t.Context(), stranger); err == nil ||
		time.Since(begun) > 5*time.Second {
		t.Errorf("a stranger's statement was answered after %s with %v", time.Since(begun), err)
	}
	free()
	goesOn(t, p, c, book)
	p.stop(t)
	// The new cluster gets all of it.
	goesOn(t, serving(t, p.dir, "--nats", natsCluster(t, t.TempDir(), anyPort).ClientURL()), c,
		book)
}

// The disk with the embedded NATS server's stream is full. JetStream answers no more then, and does
// not begin again by itself: submissions are told so within seconds, and after a restart everything
// acknowledged is there.
func TestStreamDiskIsFull(t *testing.T) {
	t.Parallel()
	disk, dir := smallDisk(t), filepath.Join(t.TempDir(), "ledger")
	if err := errors.Join(os.Mkdir(dir, 0o700),
		os.Symlink(disk, filepath.Join(dir, server.NATSFolder))); err != nil {
		t.Fatal(err)
	}
	p := serving(t, dir)
	c, book := begin(t, p), newBook()
	free := fill(t, disk)
	writeUntilFull(t, p, c, book, "nothing can be recorded now")
	if status, body := p.health(t); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, "nothing can be recorded now") {
		t.Errorf("the server says of itself: %d %s", status, body)
	}
	book.check(t, p.records(t), recordsOfBegin)
	free()
	p.stop(t)
	goesOn(t, serving(t, dir), c, book)
}

// smallDisk mounts a disk of 16 MiB, for which root's rights are needed.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no small disk can be mounted here, so that nothing can be shown about a full "+
			"one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the space on a disk, and returns how to free it.
func fill(t *testing.T, disk string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; _, err = f.Write(block) {
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() { remove(t, f.Name()) }
}

// writeUntilFull lets eight writers submit until nothing is taken any more, for a reason that is
// told.
func writeUntilFull(t *testing.T, p *serverProcess, c *country, book *accountBook, reason string) {
	t.Helper()
	to := p.client()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var err error
			for err == nil {
				err = book.submit(t.Context(), to, c.offer(t))
			}
			if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), reason) ||
				problem.From(err).Hint == "" {
				t.Errorf("on a full disk: %v", err)
			}
		})
	}
	wg.Wait()
}

// goesOn checks that everything acknowledged is there, and that all that was not is taken now.
func goesOn(t *testing.T, p *serverProcess, c *country, book *accountBook) {
	t.Helper()
	book.check(t, p.records(t), recordsOfBegin)
	for range 4 {
		book.note(c.offer(t))
	}
	for _, s := range book.unacknowledged() {
		if err := untilKnown(t.Context(), func() error {
			return book.submit(t.Context(), p.client(), s)
		}); err != nil {
			t.Fatal(err)
		}
	}
	log := p.records(t)
	book.check(t, log, recordsOfBegin)
	if want := recordsOfBegin + len(book.sent); len(log) != want {
		t.Errorf("there are %d records, and not %d", len(log), want)
	}
}
