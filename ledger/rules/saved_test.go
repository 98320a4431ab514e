package rules_test

import (
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/events"
	"muster/ledger/rules"
)

// What was saved, and all that comes after it, make the same state as all the records do; and
// saving changes nothing.
func TestSavedStateEqualsReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("it calculates for long, in one goroutine")
	}
	root := sha256.Sum256([]byte("a root"))
	saved := map[events.Type]bool{}
	unread, kept := 0, 0
	check := func(t *rapid.T) {
		h := ruleBegin(ruleBeginning).asking(ruleDie(t, "seconds", 3))
		s := h.state(t)
		more, _ := h.drawAllowed(t, s, ruleDie(t, "records", 60))
		h = append(h, more...)
		for _, c := range more {
			saved[c.st.Head().Type] = true
		}
		data := s.Save(root)
		loaded, under, err := rules.LoadState(data)
		if err != nil || under != root {
			t.Fatalf("%v, under %x", err, under)
		}
		whole, _, err := rules.LoadState(data)
		if err != nil {
			t.Fatal(err)
		}
		unread += whole.ReadAll()
		if diff := cmp.Diff(s, whole, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %v (-as it was +as it was saved):\n%s", h, diff)
		}
		if again, _, err := rules.LoadState(loaded.Save(root)); err != nil || again.ReadAll() < 0 ||
			cmp.Diff(s, again, ruleDeeply, cmpopts.EquateEmpty()) != "" {
			t.Fatalf("saved again before it was read, it is another (%v)", err)
		}
		after, undo := h.drawAllowed(t, loaded, ruleDie(t, "records after", 30))
		kept += loaded.ReadAll()
		if diff := cmp.Diff(append(h, after...).state(t), loaded, ruleDeeply,
			cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %d more (-replayed +saved and gone on):\n%s", len(after), diff)
		}
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
		if diff := cmp.Diff(s, loaded, ruleDeeply, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("after %d were undone:\n%s", len(after), diff)
		}
	}
	for round := 0; round == 0 || round < 5 && len(saved) < len(events.Types())-6; round++ {
		rapid.Check(t, check)
	}
	if unread == 0 || kept == 0 || kept >= unread {
		t.Errorf("of %d pledges, %d were still unread after more records: this shows little",
			unread, kept)
	}
	t.Logf("%d of %d kinds of statement were saved", len(saved), len(events.Types()))
	if len(saved) < len(events.Types())-6 {
		t.Errorf("only %d kinds of statement were saved", len(saved))
	}
}

// What was cut or changed anywhere is not used.
func TestDamagedStateIsNotUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning).asking(ruleDie(t, "seconds", 3))
		s := h.state(t)
		h.drawAllowed(t, s, 20)
		data := s.Save(rules.Root{})
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			data = data[:at]
		} else {
			data[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		}
		if _, _, err := rules.LoadState(data); err == nil {
			t.Fatalf("a state that was changed at %d was used", at)
		}
	})
}

// A state is saved beside others who read it: saving changes nothing of what copies share, which
// the race detector sees.
func TestSavingOnlyReads(t *testing.T) {
	root := sha256.Sum256([]byte("a root"))
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning).asking(ruleDie(t, "seconds", 3))
		s := h.state(t)
		h.drawAllowed(t, s, ruleDie(t, "records", 30))
		var savers sync.WaitGroup
		for range 2 {
			one := s.Snapshot()
			savers.Go(func() { one.Save(root) })
		}
		savers.Wait()
	})
}
