package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger"
	"muster/ledger/journal"
)

// What was saved, and all that comes after it, make the same state as all the records do; and saving changes nothing.
func TestSavedStateEqualsReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("it calculates for long, in one goroutine")
	}
	root := tlog.Hash(sha256.Sum256([]byte("a root")))
	saved := map[events.Type]bool{}
	unread, kept := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning)
		s := h.state(t)
		more, _ := h.drawAllowed(t, s, ruleDie(t, "records", 60))
		h = append(h, more...)
		for _, c := range more {
			saved[c.st.Head().Type] = true
		}
		data := s.Save(root)
		loaded, under, err := ledger.LoadState(data)
		if err != nil || under != root {
			t.Fatalf("%v, under %s", err, under)
		}
		whole, _, err := ledger.LoadState(data)
		if err != nil {
			t.Fatal(err)
		}
		unread += whole.ReadAll()
		if diff := cmp.Diff(s, whole, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %v (-as it was +as it was saved):\n%s", h, diff)
		}
		if again, _, err := ledger.LoadState(loaded.Save(root)); err != nil || again.ReadAll() < 0 || cmp.Diff(s, again, ruleDeeply, cmpopts.EquateEmpty()) != "" {
			t.Fatalf("saved again before it was read, it is another (%v)", err)
		}
		after, undo := h.drawAllowed(t, loaded, ruleDie(t, "records after", 30))
		kept += loaded.ReadAll()
		if diff := cmp.Diff(append(h, after...).state(t), loaded, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %d more (-replayed +saved and gone on):\n%s", len(after), diff)
		}
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
		if diff := cmp.Diff(s, loaded, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %d were undone:\n%s", len(after), diff)
		}
	})
	if unread == 0 || kept == 0 || kept >= unread {
		t.Errorf("of %d pledges, %d were still unread after more records: this shows little", unread, kept)
	}
	t.Logf("%d of %d kinds of statement were saved", len(saved), len(events.Types()))
	if len(saved) < len(events.Types())-6 {
		t.Errorf("only %d kinds of statement were saved", len(saved))
	}
}

// What was cut or changed anywhere is not used.
func TestDamagedStateIsNotUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning)
		s := h.state(t)
		h.drawAllowed(t, s, 20)
		data := s.Save(tlog.Hash{})
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			data = data[:at]
		} else {
			data[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		}
		if _, _, err := ledger.LoadState(data); err == nil {
			t.Fatalf("a state that was changed at %d was used", at)
		}
	})
}

// A start with a saved state and the records after it takes and refuses what one does that reads everything. A saved state of another
// history, or one that is damaged, is left alone.
func TestStartFromSavedState(t *testing.T) {
	path, mem, k := someLedger(t, 30)
	saved := filepath.Join(filepath.Dir(path), "ledger.state")
	open := func() (*ledger.Ledger, *journal.Journal) {
		t.Helper()
		j, err := journal.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a", Saved: saved, SaveAfter: 10})
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
	for name, data := range map[string][]byte{"damaged": append(bytes.Clone(first[:len(first)-1]), first[len(first)-1]^1), "cut": first[:100], "empty": {}} {
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

// What the saved state stands for is checked after the start: a record that was changed there is found, and nothing is taken any more.
func TestDamageBehindSavedState(t *testing.T) {
	path, mem, k := someLedger(t, 30)
	saved := filepath.Join(filepath.Dir(path), "ledger.state")
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a", Saved: saved, SaveAfter: 10})
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
	l, err = ledger.Open(t.Context(), ledger.Config{Journal: j, Log: mem.View(), Name: "a", Saved: saved, SaveAfter: 10})
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
}
