package intake_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/events"
	"muster/ledger/intake"
)

// Clients send good statements and break the connection at once, two of three before the answer.
// The buffer that a request was read into is used again for the next; what is recorded must be what
// was sent all the same, every byte of it.
func TestHangingUp(t *testing.T) {
	b := newBench(t)
	url := b.overHTTP(t).URL
	host := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
	const writers, each = 8, 150
	sent := map[events.ID]string{}
	var working sync.WaitGroup
	notes := make([][]byte, writers*each)
	for i := range notes {
		s := b.admission(t)
		notes[i], sent[s.Statement.Head().ID] = s.Note, string(s.Note)
	}
	for w := range writers {
		random := rand.New(rand.NewPCG(uint64(w), 1))
		working.Go(func() {
			for _, note := range notes[w*each : (w+1)*each] {
				hold := time.Duration(random.IntN(1500)) * time.Microsecond
				if random.IntN(3) == 0 {
					hold = time.Second
				}
				hangUp(t, host, note, hold)
			}
		})
	}
	working.Wait()
	for rec, err := range b.journal.Records(2) {
		if err != nil {
			t.Fatalf("a record is damaged: %v", err)
		}
		if sent[rec.Statement.Head().ID] != string(rec.Note) {
			t.Fatalf("record %d is not what was sent: %q", rec.Sequence, rec.Note)
		}
	}
	if b.journal.Last() < writers*each/4 {
		t.Errorf("only %d of %d were recorded: too few to tell anything",
			b.journal.Last(), writers*each)
	}
}

// hangUp posts a note, waits at most so long for an answer, and resets the connection.
func hangUp(t *testing.T, host string, note []byte, hold time.Duration) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Error(err)
		return
	}
	_, err = fmt.Fprintf(conn,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
		intake.Path, host, len(note), note)
	if err != nil {
		t.Error(err)
	}
	// Whether an answer comes in time is chance, and meant to be.
	_ = conn.SetReadDeadline(time.Now().Add(hold))
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}
