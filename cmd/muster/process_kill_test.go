package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/ledger/seeded"
	"muster/projections/web"
)

// The first server that a test starts founds the ledger: one record. Then come the operation and
// the liaison of begin.
const recordsOfBegin = 3

// Sixteen writers submit, and the server is killed at a moment that nobody chose, again and again
// on the same folder. At each start every acknowledged statement is there, once, byte for byte, and
// what was not acknowledged at most once.
func TestKilledWhileSixteenSubmit(t *testing.T) {
	t.Parallel()
	const writers = 16
	rounds := 20
	if testing.Short() {
		rounds = 6
	}
	dir, book := filepath.Join(t.TempDir(), "ledger"), newBook()
	p := serving(t, dir)
	c, log, random := begin(t, p), []web.Record(nil), seeded.New(t)
	for range rounds {
		acknowledged, _ := book.count()
		killWhileSubmitting(t, p, c, book, writers, acknowledged+1+random.IntN(60),
			upTo(random, 3*time.Millisecond))
		if random.IntN(4) == 0 { // and while it starts
			starting := launch(t, dir)
			<-time.After(upTo(random, 300*time.Millisecond))
			starting.kill()
		}
		p = serving(t, dir)
		log = p.recordsAfter(t, log)
		book.check(t, log, recordsOfBegin)
	}
	book.submitAllAgain(t, p.client())
	log = p.records(t) // all of it once more
	if len(log) != recordsOfBegin+len(book.sent) {
		t.Errorf("%d statements were sent, and there are %d records", len(book.sent), len(log))
	}
	book.check(t, log, recordsOfBegin)
	t.Logf("%d statements were sent, and %d acknowledged, before all were sent again",
		len(book.sent), len(book.receipts))
	p.stop(t)
}

// A server is killed while it founds its ledger, and started again: there is one founding, and the
// key in the folder is the founder's.
func TestKilledWhileFounding(t *testing.T) {
	notShort(t)
	t.Parallel()
	random := seeded.New(t)
	for round := range 4 {
		dir := filepath.Join(t.TempDir(), "ledger")
		if round == 0 { // as if it had been killed between making the file and writing the key
			if err := errors.Join(os.Mkdir(dir, 0o700),
				os.WriteFile(filepath.Join(dir, server.FounderFile), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			p := launch(t, dir)
			<-time.After(upTo(random, 200*time.Millisecond))
			p.kill()
		}
		p := serving(t, dir)
		begin(t, p)
		if log := p.records(t); len(log) != recordsOfBegin || log[0].Type != "ledger.founded" {
			t.Fatalf("there are %d records: %+v", len(log), log)
		}
		p.stop(t)
	}
}

// upTo draws a time that is shorter than most.
func upTo(random *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(most)))
}

// killWhileSubmitting lets writers submit, and kills the server a little after so many receipts.
func killWhileSubmitting(t *testing.T, p *serverProcess, c *country, book *accountBook, writers,
	receipts int, after time.Duration) {
	t.Helper()
	to := p.client()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for book.submit(t.Context(), to, c.offer(t)) == nil {
			}
		})
	}
	book.await(t, receipts)
	<-time.After(after)
	p.kill()
	wg.Wait()
}
