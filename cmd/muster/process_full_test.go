package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/server"
	"muster/events/problem"
	"muster/ledger/intake"
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
	elapsed, stranger := stopwatch(), signed(t, c.offerOf(1), c.stranger(t))
	if _, err := p.client().Submit(t.Context(), stranger); err == nil ||
		elapsed() > 5*time.Second {
		t.Errorf("a stranger's statement was answered after %s with %v", elapsed(), err)
	}
	free()
	p.awaitHealthy(t)
	goesOn(t, p, c, book)
	p.stop(t)
	// The new cluster gets all of it.
	goesOn(t, serving(t, p.dir, "--nats", natsCluster(t, t.TempDir(), anyPort).ClientURL()), c,
		book)
}

// The disk with the embedded NATS server's stream is full. JetStream answers no more then, and
// would not begin again before its server is started anew: submissions are told so within seconds,
// and as soon as there is space again, the same process goes on, at the same address for NATS
// clients.
func TestStreamDiskIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a NATS server that does not answer")
	}
	t.Parallel()
	disk, dir := smallDisk(t), filepath.Join(t.TempDir(), "ledger")
	if err := errors.Join(os.Mkdir(dir, 0o700),
		os.Symlink(disk, filepath.Join(dir, server.NATSFolder))); err != nil {
		t.Fatal(err)
	}
	p := serving(t, dir, "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	nc, err := nats.Connect(p.nats, nats.Timeout(patience),
		nats.UserInfo("guest", "guest"), nats.MaxReconnects(-1),
		nats.CustomInboxPrefix("_INBOX.full"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c, book := begin(t, p), newBook()
	for _, long := range []time.Duration{12 * time.Second, 0} {
		free := fill(t, disk)
		writeUntilFull(t, p, c, book, "nothing can be recorded now")
		if status, body := p.health(t); status != http.StatusServiceUnavailable ||
			!strings.Contains(body, "nothing can be recorded now") {
			t.Errorf("the server says of itself: %d %s", status, body)
		}
		// And it goes on saying so, with the reason that can be mended, though nobody submits.
		p.staysUnwell(t, long, "no space left on device")
		book.check(t, p.records(t), recordsOfBegin)
		free()
		p.awaitHealthy(t)
		goesOn(t, p, c, book)
	}
	if err := book.submit(t.Context(), intake.NATSClient{Conn: nc}, c.offer(t)); err != nil {
		t.Errorf("a client that was connected all the time: %v", err)
	}
	p.stop(t)
	goesOn(t, serving(t, dir), c, book)
}

// All of the data folder is on the disk that is full: journal, stream and what is saved.
func TestDataDiskIsFull(t *testing.T) {
	onlyLong(t)
	t.Parallel()
	disk := smallDisk(t)
	p := serving(t, filepath.Join(disk, "ledger"))
	c, book := begin(t, p), newBook()
	for range 2 {
		free := fill(t, disk)
		writeUntilFull(t, p, c, book, "nothing can be recorded now")
		p.staysUnwell(t, 12*time.Second, "no space left on device")
		free()
		p.awaitHealthy(t)
		goesOn(t, p, c, book)
	}
	p.stop(t)
	goesOn(t, serving(t, p.dir), c, book)
}

// The disk of an outside NATS server is full. Whoever runs that frees some and starts it anew; the
// muster server goes on by itself.
func TestOutsideStreamDiskIsFull(t *testing.T) {
	onlyLong(t)
	t.Parallel()
	disk := smallDisk(t)
	outside := natsCluster(t, disk, anyPort)
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats", outside.ClientURL())
	c, book := begin(t, p), newBook()
	free := fill(t, disk)
	writeUntilFull(t, p, c, book, "nothing can be recorded now")
	free()
	port := outside.Addr().(*net.TCPAddr).Port
	stopNATS(outside)
	natsCluster(t, disk, port)
	p.awaitHealthy(t)
	goesOn(t, p, c, book)
	p.stop(t)
}

// awaitHealthy returns when the server says of itself that it takes statements.
func (p *serverProcess) awaitHealthy(t *testing.T) {
	t.Helper()
	var status int
	var body string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if status, body = p.health(t); status == http.StatusOK {
			return
		}
	}
	t.Fatalf("the server is not well again: %d %s", status, body)
}

// staysUnwell fails the test unless the server says of itself soon that it takes no statements for
// a reason, and says nothing else for so long.
func (p *serverProcess) staysUnwell(t *testing.T, long time.Duration, reason string) {
	t.Helper()
	var status int
	var body string
	unwell := func() bool {
		status, body = p.health(t)
		return status == http.StatusServiceUnavailable && strings.Contains(body, reason)
	}
	for late := time.Now().Add(patience); !unwell(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("the server says of itself: %d %s", status, body)
		}
	}
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if !unwell() {
			t.Fatalf("the server says of itself: %d %s", status, body)
		}
	}
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
