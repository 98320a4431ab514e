package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
)

// beyondWindow is longer than JetStream remembers what it was sent, which stream.go sets to 100 ms.
const beyondWindow = 300 * time.Millisecond

// The same statement gets its first receipt, however late it comes again: JetStream's own window
// for duplicates is over, the server was started anew, one of the two copies was lost. Another
// statement under its id never gets in.
func TestSameIDAgain(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir)
	c := begin(t, p)
	offer := c.offer(t)
	first, err := p.client().Submit(t.Context(), offer)
	if err != nil || first.Again || first.Sequence != recordsOfBegin+1 {
		t.Fatalf("the first receipt is %+v, %v", first, err)
	}
	other := *offer.Statement.(*events.PledgeOffered)
	other.Quantity = events.Count(101)
	taken := signed(t, &other, c.paris)

	for begun := time.Now(); time.Since(begun) < beyondWindow; {
		againAndTaken(t, p, offer, first, taken)
	}
	for _, lost := range []string{"nothing", server.NATSFolder, server.JournalFile} {
		p.stop(t)
		remove(t, filepath.Join(dir, lost))
		p = serving(t, dir)
		againAndTaken(t, p, offer, first, taken)
	}
	p.kill()
	p = serving(t, dir)
	againAndTaken(t, p, offer, first, taken)
	if log := p.records(t); len(log) != recordsOfBegin+1 {
		t.Errorf("there are %d records", len(log))
	}
	p.stop(t)
}

// againAndTaken submits a statement that was recorded, and another one under its id.
func againAndTaken(t *testing.T, p *serverProcess, offer events.Signed, first intake.Receipt,
	taken events.Signed) {
	t.Helper()
	r, err := p.client().Submit(t.Context(), offer)
	first.Again = true
	if err != nil || !reflect.DeepEqual(r, first) {
		t.Fatalf("submitted again: %+v, %v; the first receipt was %+v", r, err, first)
	}
	_, err = p.client().Submit(t.Context(), taken)
	if !problem.Is(err, problem.Conflict) || problem.From(err).Code != "id-taken" ||
		report(err, false, io.Discard) != 5 {
		t.Fatalf("another statement under the same id: %v", err)
	}
}

// The same statement at the same moment, by many: one is told that it was the first, and all get
// the same receipt.
func TestSameIDAtOnce(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"))
	c, to := begin(t, p), p.client()
	for round := range 10 {
		offer, receipts := c.offer(t), make(chan intake.Receipt, 16)
		var wg sync.WaitGroup
		for range cap(receipts) {
			wg.Go(func() {
				r, err := to.Submit(t.Context(), offer)
				if err != nil {
					t.Error(err)
				}
				receipts <- r
			})
		}
		wg.Wait()
		close(receipts)
		firsts := 0
		for r := range receipts {
			if r.Sequence != uint64(recordsOfBegin+1+round) {
				t.Errorf("round %d: %+v", round, r)
			}
			if !r.Again {
				firsts++
			}
		}
		if firsts != 1 {
			t.Errorf("%d were told that they were first", firsts)
		}
	}
}

// A server that is asked to stop while many submit ends within seconds, with the exit code 0, also
// when a client waits for records that do not come. Every acknowledged statement is there
// afterwards.
func TestStopWhileSixteenSubmit(t *testing.T) {
	t.Parallel()
	soon := 5 * time.Second
	if raceDetector { // which makes it some times as slow, beside three other tests
		soon *= 3
	}
	dir, book := filepath.Join(t.TempDir(), "ledger"), newBook()
	p := serving(t, dir)
	c := begin(t, p)
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		to, acknowledged := p.client(), len(book.receipts)
		var writers, followers sync.WaitGroup
		for range 16 {
			writers.Go(func() {
				for book.submit(t.Context(), to, c.offer(t)) == nil {
				}
			})
		}
		followers.Go(func() {
			// An error when the server has gone, an empty page when it says that it is going.
			var page web.Records
			_ = web.Client{URL: p.url}.Ask(t.Context(), "records",
				map[string]string{"from": "1000000", "wait": "60"}, &page)
		})
		book.await(t, acknowledged+50)
		elapsed := stopwatch()
		if err := p.signal(s); err != nil {
			t.Error(err)
		}
		if took := elapsed(); took > soon {
			t.Errorf("%v: it took %s to end", s, took)
		}
		writers.Wait()
		followers.Wait()
		if _, err := os.Stat(filepath.Join(dir, server.AddressFile)); err == nil {
			t.Errorf("%v: the address file is still there", s)
		}
		p = serving(t, dir)
		book.check(t, p.records(t), recordsOfBegin)
	}
	book.submitAllAgain(t, p.client())
	book.check(t, p.records(t), recordsOfBegin)
	p.stop(t)
}

// A server that is asked to stop while it starts says no more than that: whoever has no patience
// with a slow start is told of no damage.
func TestStopWhileItStarts(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a NATS server that says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	dir := filepath.Join(t.TempDir(), "ledger")
	p := launch(t, dir, "--nats", "nats://"+silent.Addr().String())
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p.stop(t)
	if said := p.stderr.String(); said != "muster: stopped before it had started\n" {
		t.Errorf("it said:\n%s", said)
	}
}

// Without the NATS servers that it was told to use, a server says so, takes nothing, and still
// stops when it is asked to.
func TestStopWithoutNATS(t *testing.T) {
	t.Parallel()
	srv := natsCluster(t, t.TempDir(), anyPort)
	url, dir := srv.ClientURL(), filepath.Join(t.TempDir(), "ledger")
	p := serving(t, dir, "--nats", url)
	c := begin(t, p)
	stopNATS(srv)
	begun := time.Now()
	if _, err := p.client().Submit(t.Context(), c.offer(t)); !problem.Is(err, problem.Unavailable) {
		t.Errorf("submitted without NATS: %v", err)
	}
	t.Logf("submit took %v", time.Since(begun))
	begun = time.Now()
	if log := p.records(t); len(log) != recordsOfBegin {
		t.Errorf("there are %d records", len(log))
	}
	p.stop(t)
	t.Logf("stop took %v", time.Since(begun))
	begun = time.Now()
	if code, said := launch(t, dir, "--nats", url).ends(t); code != 7 ||
		!strings.Contains(said, "no connection to NATS") {
		t.Errorf("started without NATS: exit code %d: %s", code, said)
	}
	t.Logf("refuse took %v", time.Since(begun))
}
