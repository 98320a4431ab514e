package ledger_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
)

// A start with a saved state and the records after it takes and refuses what one does that reads
// everything. A saved state of another history, or one that is damaged, is left alone.
func TestStartFromSavedState(t *testing.T) {
	path, mem, k := someLedger(t, 30)
	saved := filepath.Join(filepath.Dir(path), "ledger.state")
	open := func() (*ledger.Ledger, *journal.Journal) {
		t.Helper()
		j, err := journal.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Open(t.Context(),
			ledger.Config{Journal: j, Log: mem.View(), Name: "a", Saved: saved, SaveAfter: 10})
		if err != nil {
			t.Fatal(err)
		}
		return l, j
	}
	shut := func(l *ledger.Ledger, j *journal.Journal) {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	shut(open())
	first, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	l, j := open()
	submitAll(t, l, []events.Signed{k.offer(t, 7), k.offer(t, 8)})
	shut(l, j) // too few for another
	if now, err := os.ReadFile(saved); err != nil || !bytes.Equal(now, first) {
		t.Fatalf("after two records another state was saved (%v)", err)
	}
	l, j = open()
	if r, err := l.Submit(t.Context(), k.offer(t, 9)); err != nil || r.Sequence != 33 {
		t.Errorf("%+v, %v", r, err)
	}
	shut(l, j)
	for name, data := range map[string][]byte{"damaged": append(bytes.Clone(first[:len(first)-1]),
		first[len(first)-1]^1), "cut": first[:100], "empty": {}} {
		if err := os.WriteFile(saved, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, j = open()
		if err := l.Healthy(); err != nil || l.Origin() == "" {
			t.Errorf("with a state that is %s: %v", name, err)
		}
		shut(l, j)
	}
}

// What the saved state stands for is checked after the start: a record that was changed there is
// found, and nothing is taken any more.
func TestDamageBehindSavedState(t *testing.T) {
	path, mem, k := someLedger(t, 30)
	saved := filepath.Join(filepath.Dir(path), "ledger.state")
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(),
		ledger.Config{Journal: j, Log: mem.View(), Name: "a", Saved: saved, SaveAfter: 10})
	if err != nil {
		t.Fatal(err)
	}
	damaged, err := j.Record(15)
	if err := errors.Join(err, l.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, damaged.Stored)
	if at < 0 {
		t.Fatal("record 15 is not in the file as it is stored")
	}
	for ; at >= 0; at = bytes.Index(data, damaged.Stored) { // older pages may have it too
		data[at+len(damaged.Stored)/2] ^= 1
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	o := &observed{}
	l, err = ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a",
		Saved: saved, SaveAfter: 10, Faults: slog.New(slog.NewTextHandler(o, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for end := time.Now().Add(20 * time.Second); l.Healthy() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the damage was not found")
		}
	}
	if err := l.Healthy(); !strings.Contains(err.Error(), "record 15") {
		t.Errorf("%v", err)
	}
	if _, err := l.Submit(t.Context(), k.offer(t, 1)); err == nil {
		t.Error("a statement was taken with a damaged journal")
	}
	expectLines(t, o.lines(), `level=ERROR msg="the ledger takes no statements" why="record 15 of `+
		`the journal was altered or is damaged`)
}
