package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/ledger/journal"
)

// Two servers that start at the same moment on a stream that is empty found one ledger, and only
// the founder keeps a key.
func TestFoundedOnceByTwoAtOnce(t *testing.T) {
	t.Parallel()
	for range 4 {
		url, dir := natsCluster(t, t.TempDir(), anyPort).ClientURL(), t.TempDir()
		a := launch(t, filepath.Join(dir, "a"), "--nats", url, "--name", "a")
		b := launch(t, filepath.Join(dir, "b"), "--nats", url, "--name", "b")
		a.awaitListening(t)
		b.awaitListening(t)
		log := a.records(t)
		sameLogs(t, log, b.records(t))
		if len(log) != 1 || log[0].Type != "ledger.founded" {
			t.Fatalf("two servers began together, and there are %d records: %+v", len(log), log)
		}
		founder, other := a, b
		if log[0].By == "b" {
			founder, other = b, a
		}
		begin(t, founder) // the key that lies there is the founder's
		if _, err := os.Stat(filepath.Join(other.dir, server.FounderFile)); err == nil {
			t.Error("the server that has not founded the ledger has kept a founder's key")
		}
		a.stop(t)
		b.stop(t)
	}
}

// Two servers take submissions for one stream, and one of them is killed on the way and comes back.
// There is no gap, no duplicate and no lost acknowledgement, and both hold the same records, byte
// for byte; so does a third that begins with an empty folder.
func TestTwoServersOnOneStream(t *testing.T) {
	t.Parallel()
	const writers, each, last = 8, 25, 7
	url, dir := natsCluster(t, t.TempDir(), anyPort).ClientURL(), t.TempDir()
	a, b := serving(t, filepath.Join(dir, "a"), "--nats", url, "--name", "a"),
		serving(t, filepath.Join(dir, "b"), "--nats", url, "--name", "b")
	c, book := begin(t, a), newBook()
	b.awaitRecord(t, recordsOfBegin)
	toA, toB := newRoad(a), newRoad(b)
	// However late this goroutine has its turn: something is on the way when the one is killed, and
	// something is left for the other.
	killed, alone := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range writers {
		for way, after := range map[*road]chan struct{}{toA: killed, toB: alone} {
			wg.Go(func() {
				writeThrough(t, c, book, each-last, way)
				<-after
				writeThrough(t, c, book, last, way)
			})
		}
	}
	wg.Go(func() { writeThrough(t, c, book, each, toA, toB) })

	book.await(t, writers*each/2)
	close(killed)
	a.kill()
	acknowledged, _ := book.count()
	close(alone)
	book.await(t, acknowledged+writers*last) // the other goes on alone
	a = serving(t, a.dir, "--nats", url, "--name", "a")
	toA.goTo(a)
	wg.Wait()

	const all = recordsOfBegin + (2*writers+1)*each
	late := serving(t, filepath.Join(dir, "late"), "--nats", url)
	for _, p := range []*serverProcess{a, b, late} {
		p.awaitRecord(t, all)
		log := p.records(t)
		if len(log) != all {
			t.Errorf("%s has %d records, and %d were acknowledged", filepath.Base(p.dir),
				len(log), all)
		}
		book.check(t, log, recordsOfBegin)
		p.stop(t)
	}
	sameJournals(t, a.dir, b.dir)
	sameJournals(t, a.dir, late.dir)
}

// A road leads to a server, which may come back at another address.
type road struct {
	to atomic.Pointer[intake.HTTPClient]
}

func newRoad(p *serverProcess) *road {
	r := &road{}
	r.goTo(p)
	return r
}

func (r *road) goTo(p *serverProcess) {
	c := p.client()
	r.to.Store(&c)
}

// writeThrough has n statements acknowledged by every server that a road leads to, at the same
// time. It asks again when the outcome is not known, as clients do.
func writeThrough(t *testing.T, c *country, book *accountBook, n int, roads ...*road) {
	for range n {
		s := c.offer(t)
		var wg sync.WaitGroup
		for _, r := range roads {
			wg.Go(func() {
				if err := untilKnown(t.Context(), func() error {
					return book.submit(t.Context(), r.to.Load(), s)
				}); err != nil {
					t.Errorf("%s: %v", s.Statement.Head().ID, err)
				}
			})
		}
		wg.Wait()
	}
}

// untilKnown submits again and again, as long as nobody knows what became of the statement.
func untilKnown(ctx context.Context, submit func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := submit()
		if !problem.Is(err, problem.Unavailable) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// sameJournals compares the journals in two folders that no server runs on.
func sameJournals(t *testing.T, dirA, dirB string) {
	t.Helper()
	a, b := journalRecords(t, dirA), journalRecords(t, dirB)
	if len(a) != len(b) {
		t.Fatalf("%s has %d records, and %s has %d", dirA, len(a), dirB, len(b))
	}
	for i := range a {
		if string(a[i].Stored) != string(b[i].Stored) {
			t.Fatalf("%s and %s differ at record %d", dirA, dirB, i+1)
		}
	}
}

func journalRecords(t *testing.T, dir string) (all []events.Record) {
	t.Helper()
	j, err := journal.OpenReadOnly(filepath.Join(dir, server.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for rec, err := range j.Records(1) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}
