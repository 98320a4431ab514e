package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/events"
)

// A server whose clock was ten years ahead has left a record in the log. The others take it in, and
// record nothing, until a person says behind which record they may go on: then all that was
// acknowledged is there, and what is recorded has that record's time.
func TestRecordAheadOfTheClock(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	outside := natsCluster(t, t.TempDir(), anyPort)
	dir := filepath.Join(t.TempDir(), "ledger")
	to := []string{"--nats", outside.ClientURL()}
	p := serving(t, dir, to...)
	c, book := begin(t, p), newBook()
	for range 3 {
		if err := book.submit(t.Context(), p.client(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	const at = recordsOfBegin + 4
	ahead := time.Now().Add(10*366*24*time.Hour + time.Hour).UTC().Truncate(time.Microsecond)
	offer := c.offer(t)
	book.note(offer)
	appendRecord(t, outside.ClientURL(), at, ahead, offer)
	p.awaitRecord(t, at)
	reason := fmt.Sprintf("record %d, which elsewhere has made, is 10 years ahead", at)
	remedy := fmt.Sprintf("--past-record %d", at)
	p.isUnhealthy(t, reason)
	p.refuses(t, c, reason, remedy)
	p.stop(t)

	// There is no server of that name, which could be heard.
	to = append(to, "--without", "elsewhere")
	p = serving(t, dir, append(to, "--past-record", fmt.Sprint(at-1))...) // which is not the one
	p.isUnhealthy(t, reason)
	p.refuses(t, c, reason, remedy)
	p.stop(t)

	p = serving(t, dir, append(to, strings.Fields(remedy)...)...)
	p.awaitHealthy(t)
	for range 3 {
		if err := book.submit(t.Context(), p.client(), c.offer(t)); err != nil {
			t.Fatal(err)
		}
	}
	log := p.records(t)
	book.check(t, log, recordsOfBegin)
	if len(log) != at+3 {
		t.Errorf("there are %d records, and not %d", len(log), at+3)
	}
	for _, rec := range log[at-1:] {
		if recorded, err := time.Parse(time.RFC3339, rec.Recorded); err != nil ||
			!recorded.Truncate(time.Second).Equal(ahead.Truncate(time.Second)) {
			t.Errorf("record %d has the time %s, and not %s", rec.Sequence, rec.Recorded, ahead)
		}
	}
	p.kill()
	// It holds for as long as it is said.
	p = serving(t, dir, to...)
	p.isUnhealthy(t, reason)
	p.stop(t)
	code, out, said := says(t, "verify", dir)
	if code != 0 || !strings.Contains(out, fmt.Sprintf("record %d, made by elsewhere, is ", at)) {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
}

// appendRecord puts a record into the log as a server that is called elsewhere would.
func appendRecord(t *testing.T, url string, sequence uint64, recorded time.Time, s events.Signed) {
	t.Helper()
	rec, err := events.NewRecord(sequence, recorded, "elsewhere", s)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(url, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.Publish(t.Context(), events.Subject(s.Statement), rec.Stored,
			jetstream.WithExpectLastSequence(sequence-1))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// isUnhealthy returns when the server says of itself that it takes nothing, for a reason.
func (p *serverProcess) isUnhealthy(t *testing.T, reason string) {
	t.Helper()
	await(t, "a server that takes nothing", func() error {
		if status, body := p.health(t); status == 200 || !strings.Contains(body, reason) {
			return fmt.Errorf("the server says of itself: %d %s", status, body)
		}
		return nil
	})
}
