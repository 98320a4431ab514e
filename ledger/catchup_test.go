package ledger_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
)

// someLedger makes a journal with n records and the log beside it.
func someLedger(t *testing.T, n int) (path string, mem *logtest.Memory, k ledgerTestKeys) {
	t.Helper()
	path, mem, k = filepath.Join(t.TempDir(), "journal.db"), logtest.NewMemory(0), newLedgerKeys(t)
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	submitAll(t, l, k.beginning(t))
	for int(j.Last()) < n {
		submitAll(t, l, []events.Signed{k.offer(t, 1)})
	}
	l.Close()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path, mem, k
}

// A power cut took the end of the stream, or all of it: the journal puts it back, byte for byte.
func TestLogBehindJournal(t *testing.T) {
	for _, left := range []int{9, 4, 1, 0} {
		path, mem, k := someLedger(t, 10)
		mem.Truncate(left)
		l, j := newLedger(t, path, mem.View())
		if last, _ := mem.View().Last(t.Context()); last != 10 {
			t.Fatalf("the log had %d of 10 records and has %d", left, last)
		}
		err := mem.View().Read(t.Context(), 1, func(m ledger.Message) error {
			rec, err := j.Record(m.Sequence)
			if err != nil || string(rec.Stored) != string(m.Data) ||
				m.Subject != events.Subject(rec.Statement) {
				t.Errorf("message %d was not put back as it was: %v", m.Sequence, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := l.Submit(t.Context(), k.offer(t, 1)); err != nil || r.Sequence != 11 {
			t.Fatalf("after putting back: %+v, %v", r, err)
		}
	}
}

// The journal was lost, or is an old copy: it follows the log.
func TestJournalBehindLog(t *testing.T) {
	_, mem, _ := someLedger(t, 10)
	_, j := newLedger(t, filepath.Join(t.TempDir(), "empty.db"), mem.View())
	if j.Last() != 10 {
		t.Fatalf("the journal has %d records, want 10", j.Last())
	}
}

// A server with an empty folder takes in a long log, of which many messages are checked beside each
// other. It stops at the first that is no record, and keeps all before it.
func TestLongLog(t *testing.T) {
	const long = 600
	path, mem, _ := someLedger(t, long)
	_, j := newLedger(t, filepath.Join(t.TempDir(), "empty.db"), mem.View())
	if j.Last() != long {
		t.Fatalf("the journal has %d records", j.Last())
	}
	for _, bad := range []uint64{4, 256, 257, 300, 513, long} {
		good := recordAt(t, path, bad)
		forged := good
		forged.Note = []byte(strings.Replace(string(good.Note), `"quantity":1`, `"quantity":9`, 1))
		rec, err := events.NewRecord(bad, good.Recorded, "a", forged.Signed)
		if err != nil {
			t.Fatal(err)
		}
		mem.Replace(bad, rec.Stored)
		j, err := journal.Open(filepath.Join(t.TempDir(), "forged.db"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "b"})
		if !problem.Is(err, problem.Unavailable) ||
			!strings.Contains(err.Error(), fmt.Sprintf("at sequence %d ", bad)) ||
			strings.Count(err.Error(), "at sequence") != 1 || j.Last() != bad-1 {
			t.Errorf("where record %d is forged, the journal has %d: %v", bad, j.Last(), err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		mem.Replace(bad, good.Stored)
	}
}

// Where journal and log tell different histories, the ledger does not start, and says at which
// sequence they part.
func TestHistoriesPart(t *testing.T) {
	path, mem, k := someLedger(t, 10)
	other, err := events.NewRecord(7, recordedOf(t, path, 7), "a", k.offer(t, 999))
	if err != nil {
		t.Fatal(err)
	}
	// The last differs, so that the difference is noticed, and so does an earlier one.
	for _, n := range []uint64{10, 7} {
		mem.Replace(n, other.Stored)
	}
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	_, err = ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a"})
	if !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(),
			"at sequence 7 the journal and the stream hold different records") {
		t.Fatalf("got %v", err)
	}
	if j.Last() != 10 {
		t.Fatalf("something was written: the journal has %d records", j.Last())
	}
}

func recordedOf(t *testing.T, path string, sequence uint64) time.Time {
	t.Helper()
	return recordAt(t, path, sequence).Recorded
}

func recordAt(t *testing.T, path string, sequence uint64) events.Record {
	t.Helper()
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	rec, err := j.Record(sequence)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// What is in the log and no record stops the ledger, with the sequence and what is wrong; nothing
// of it is taken over.
func TestForeignMessages(t *testing.T) {
	path, mem, k := someLedger(t, 5)
	stranger := newLedgerKeys(t)
	recorded := recordedOf(t, path, 5)
	rec := func(s events.Signed) []byte {
		r, err := events.NewRecord(6, recorded, "x", s)
		if err != nil {
			t.Fatal(err)
		}
		return r.Stored
	}
	good, before := k.offer(t, 1), recordAt(t, path, 5).Signed
	forged := k.offer(t, 1)
	forged.Note = []byte(strings.Replace(string(forged.Note), `"quantity":1`, `"quantity":9`, 1))
	for name, test := range map[string]struct {
		subject, want string
		data          []byte
	}{
		"garbage": {"muster.ev.x", "no envelope", []byte("hello")},
		"a stranger": {events.Subject(forged.Statement),
			"signature is not that of FRA/paris", rec(forged)},
		"another subject": {"muster.ev.FRA.mnf-u.pledge.X.offered", "its subject is", rec(good)},
		"no member":       {"", "", rec(stranger.offer(t, 1))},
		"said before":     {events.Subject(before.Statement), "is record 5 already", rec(before)},
		"newer version": {events.Subject(good.Statement), "version 2",
			[]byte(strings.Replace(string(rec(good)), `{"v":1,`, `{"v":2,`, 1))},
	} {
		t.Run(name, func(t *testing.T) {
			mem.Truncate(5)
			v := mem.View()
			l, j := newLedger(t, path, v)
			if test.subject == "" {
				r, err := events.ParseRecord(6, test.data)
				if err != nil {
					t.Fatal(err)
				}
				test.subject, test.want = events.Subject(r.Statement), "is not"
			}
			if err := v.Append([]ledger.Message{{Sequence: 6, Subject: test.subject,
				Data: test.data}}, nil).Wait(); err != nil {
				t.Fatal(err)
			}
			_, err := l.Submit(t.Context(), k.offer(t, 2))
			if !problem.Is(err, problem.Unavailable) ||
				!strings.Contains(err.Error(), "at sequence 6") ||
				!strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v", err)
			}
			if l.Healthy() == nil {
				t.Error("the ledger says that it is healthy")
			}
			if j.Last() != 5 {
				t.Errorf("the journal has %d records", j.Last())
			}
		})
	}
}
