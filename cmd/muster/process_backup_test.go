package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/control"
	"muster/cmd/internal/server"
	"muster/ledger/intake"
	"muster/ledger/seeded"
)

// While 64 writers submit, a backup is made: all that was acknowledged before it was begun is in
// it, and what is restored of it verifies, starts when somebody has accepted the loss, and takes
// what it lacks.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	writers, each := 64, 500
	if testing.Short() {
		writers, each = 16, 100
	}
	dir, book := t.TempDir(), newBook()
	p := serving(t, filepath.Join(dir, "ledger"))
	c, to := begin(t, p), p.client()
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range writers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := book.submit(t.Context(), to, c.offer(t)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	u, before, m := newUser(t), 0, backup.Manifest{}
	for i, name := range []string{"one", "two", "three"} {
		book.await(t, before+each*(i+1))
		before, _ = book.count()
		u.content(t, "backup", filepath.Join(dir, name), "--data", p.dir, "--keys")
		var err error
		m, err = backup.ReadManifest(filepath.Join(dir, name))
		if err != nil || int(m.Records) < recordsOfBegin+before {
			t.Errorf("%d were acknowledged before, and the backup has %d records; %v",
				recordsOfBegin+before, m.Records, err)
		}
	}
	during, _ := book.count()
	close(done)
	wg.Wait()
	if during == before {
		t.Error("nothing was acknowledged while the last backup was made: this shows little")
	}
	p.kill()
	known := book.upTo(m.Records)
	if len(known.receipts) < before {
		t.Errorf("of %d that were acknowledged before, the backup can have %d", before,
			len(known.receipts))
	}

	restored := filepath.Join(dir, "restored")
	other := newUser(t) // who has not seen what was lost
	other.content(t, "restore", filepath.Join(dir, "three"), restored)
	out, _ := other.content(t, "verify", restored)
	if !strings.Contains(out, m.Root) {
		t.Errorf("the restored folder verifies as\n%s", out)
	}
	r := serving(t, restored, "--restored-as-of", strconv.FormatUint(m.Records, 10))
	log := r.records(t)
	if len(log) != int(m.Records) {
		t.Errorf("it has %d records, and the backup %d", len(log), m.Records)
	}
	known.check(t, log, recordsOfBegin)
	goesOn(t, r, c, known)
	r.stop(t)
}

// upTo returns what the book has of the first records of a ledger: whoever has sent the others does
// not know of them any more.
func (b *accountBook) upTo(last uint64) *accountBook {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := newBook()
	maps.Copy(known.sent, b.sent)
	for id, r := range b.receipts {
		if r.Sequence <= last {
			known.receipts[id] = r
		}
	}
	return known
}

// A backup is killed at a moment that nobody chose: there is none then, or all of it. The server
// takes records all the while.
func TestKilledWhileBackingUp(t *testing.T) {
	t.Parallel()
	dir, random := t.TempDir(), seeded.New(t)
	p := serving(t, filepath.Join(dir, "ledger"))
	c, book := begin(t, p), newBook()
	rounds, whole := 30, 0
	if testing.Short() {
		rounds = 8
	}
	for i := range rounds {
		if err := book.submit(t.Context(), p.client(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "backup")
		b, err := startBackground(dir, nil, "backup", to, "--data", p.dir)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 { // the first may end by itself
			<-time.After(upTo(random, 250*time.Millisecond))
			b.kill()
		}
		<-b.ended
		if _, err := os.Stat(to); err != nil {
			continue
		}
		whole++
		newUser(t).content(t, "restore", to, filepath.Join(dir, "restored"))
		remove(t, filepath.Join(dir, "restored"))
		remove(t, to)
	}
	if whole == 0 {
		t.Error("no backup was made")
	}
	t.Logf("%d of %d were whole", whole, rounds)
	if status, body := p.health(t); status != 200 {
		t.Errorf("the server says of itself: %s", body)
	}
	p.stop(t)
}

// Who has asked for a backup and does not read it holds up no record, and no server that is
// stopped.
func TestBackupIsNotRead(t *testing.T) {
	notShort(t)
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	c, book, to := begin(t, p), newBook(), p.client()
	for range 16 {
		writeSome(t, book, to, c, 64)
	}
	resp, err := control.Client(p.dir).Get(control.URL + server.BackupPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	writeSome(t, book, to, c, 64)
	p.stop(t)
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("all of it was waiting to be read, %d bytes: this shows nothing", n)
	}
	goesOn(t, serving(t, p.dir), c, book)
}

// writeSome submits n offers at once.
func writeSome(t *testing.T, book *accountBook, to intake.Submitter, c *country, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := book.submit(t.Context(), to, c.offer(t)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// The disk becomes full while a backup is made, or restored: it is told why, and nothing is left.
func TestBackupDiskIsFull(t *testing.T) {
	t.Parallel()
	disk, dir := smallDisk(t), t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	begin(t, p)
	u := newUser(t)
	good := filepath.Join(dir, "good")
	u.content(t, "backup", good, "--data", p.dir)
	fill(t, disk)
	ballast := filepath.Join(disk, "ballast")
	size := fileSize(t, ballast)
	for _, left := range []int64{0, 8 << 10, 16 << 10} {
		if err := os.Truncate(ballast, size-left); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"backup", filepath.Join(disk, "backup"), "--data", p.dir},
			{"restore", good, filepath.Join(disk, "restored")},
		} {
			code, _, said := u.types(t, args...)
			if code != 7 || !strings.Contains(said, "no space left on device") ||
				!strings.Contains(said, "hint: nothing is left of it") {
				t.Errorf("with %d bytes left, muster %s: exit code %d\n%s", left, args[0], code,
					said)
			}
			if entries, err := os.ReadDir(disk); err != nil || len(entries) != 1 {
				t.Errorf("on the disk is left: %v, %v", entries, err)
			}
		}
	}
	p.stop(t)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// One server of a cluster is restored from an old backup. Where the stream has what came later, it
// follows; where the stream was lost, it waits for the server that has it, and takes no sequence
// that was given already.
func TestRestoredOnACluster(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	srv := natsCluster(t, filepath.Join(dir, "store"), anyPort)
	url := srv.ClientURL()
	a := serving(t, filepath.Join(dir, "a"), "--nats", url, "--name", "a")
	b := serving(t, filepath.Join(dir, "b"), "--nats", url, "--name", "b")
	c, book, u := begin(t, a), newBook(), newUser(t)
	submit := func(p *serverProcess) {
		t.Helper()
		if err := book.submit(t.Context(), p.client(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	b.awaitRecord(t, recordsOfBegin)
	u.content(t, "backup", filepath.Join(dir, "backup"), "--data", b.dir, "--keys")
	submit(a)
	b.stop(t)
	remove(t, b.dir)
	u.content(t, "restore", filepath.Join(dir, "backup"), b.dir)
	if knows, err := os.ReadFile(filepath.Join(b.dir, server.PeersFile)); err != nil ||
		!strings.Contains(string(knows), `"a"`) || strings.Contains(string(knows), `"last"`) {
		t.Errorf("it knows of the other servers: %s, %v", knows, err)
	}
	b = serving(t, b.dir, "--nats", url, "--name", "b")
	b.awaitRecord(t, recordsOfBegin+1)
	submit(b)
	a.awaitRecord(t, recordsOfBegin+2)

	b.stop(t)
	a.stop(t)
	remove(t, b.dir)
	u.content(t, "restore", filepath.Join(dir, "backup"), b.dir)
	fresh := natsCluster(t, filepath.Join(dir, "fresh"), anyPort).ClientURL()
	code, said := launch(t, b.dir, "--nats", fresh, "--name", "b").ends(t)
	if code != 7 || !strings.Contains(said, "Nor is it in the stream, which is empty") {
		t.Errorf("the restored server alone: exit code %d\n%s", code, said)
	}
	a = serving(t, a.dir, "--nats", fresh, "--name", "a")
	b = serving(t, b.dir, "--nats", fresh, "--name", "b")
	b.awaitRecord(t, recordsOfBegin+2)
	submit(b)
	a.awaitRecord(t, recordsOfBegin+3)
	log := b.records(t)
	book.check(t, log, recordsOfBegin)
	sameLogs(t, log, a.records(t))
	a.stop(t)
	b.stop(t)
	sameJournals(t, a.dir, b.dir)
}
