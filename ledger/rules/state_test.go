package rules_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

// ruleDeeply compares states with all that they keep to themselves.
var ruleDeeply = cmp.Exporter(func(reflect.Type) bool { return true })

// drawAllowed draws up to n more commands that the rules allow, and applies them to s, which h has
// made. It returns them with how to undo each.
func (h ruleHistory) drawAllowed(t *rapid.T, s *rules.State,
	n int) (more ruleHistory, undo []func()) {
	for range n {
		all := append(h[:len(h):len(h)], more...)
		if c := all.draw(t); rules.Decide(s, c.key, c.st) == nil {
			more, undo = append(more, c), append(undo, ruleApply(t, s, c))
		}
	}
	return more, undo
}

// What is in flight is taken back when the log refuses: whatever was applied, undoing it in reverse
// leaves the state as it was, from where another history can go on; and a replay of what is left
// comes to the same.
func TestApplyUndoAndReplay(t *testing.T) {
	undone := map[events.Type]bool{}
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning - rapid.IntRange(0, ruleBeginning).Draw(t, "left out"))
		s := h.state(t)
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			before := h.state(t)
			flying, undo := h.drawAllowed(t, s, ruleDie(t, "in flight", 24))
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
				undone[flying[i].st.Head().Type] = true
			}
			if diff := cmp.Diff(before, s, ruleDeeply); diff != "" {
				t.Fatalf("after %v were applied and undone (-before +after):\n%s", flying, diff)
			}
			kept, _ := h.drawAllowed(t, s, ruleDie(t, "kept", 24))
			h = append(h, kept...)
			if diff := cmp.Diff(h.state(t), s, ruleDeeply); diff != "" {
				t.Fatalf("after %d records (-replayed +incremental):\n%s", len(h), diff)
			}
		}
	})
	t.Logf("%d of %d kinds of statement were undone", len(undone), len(events.Types()))
}

// A record at which Apply panics halfway leaves the state as it was, so that the next one can
// follow.
func TestApplyThatPanics(t *testing.T) {
	halfway := map[events.Type]bool{}
	rapid.Check(t, func(t *rapid.T) {
		h := ruleBegin(ruleBeginning - rapid.IntRange(0, ruleBeginning).Draw(t, "left out"))
		s, before := h.state(t), h.state(t)
		for range ruleDie(t, "records", 24) {
			c := h.draw(t)
			if rules.Decide(s, c.key, c.st) != nil {
				continue
			}
			mend := s.Break()
			func() {
				defer func() {
					if recover() != nil {
						halfway[c.st.Head().Type] = true
						mend()
						if diff := cmp.Diff(before, s, ruleDeeply); diff != "" {
							t.Fatalf("after %v has panicked (-before +after):\n%s", c, diff)
						}
						ruleApply(t, s, c)
					}
				}()
				ruleApply(t, s, c)
				mend()
			}()
			ruleApply(t, before, c)
			h = append(h, c)
		}
		if diff := cmp.Diff(before, s, ruleDeeply); diff != "" {
			t.Fatalf("at the end (-without +with panics):\n%s", diff)
		}
	})
	if len(halfway) < 4 {
		t.Errorf("only %v have panicked halfway: this shows little", halfway)
	}
}

// Decide changes neither the state nor the statement, whatever it decides, and decides the same
// when asked again.
func TestDecideIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rules.NewState()
		h := ruleBegin(ruleBeginning)
		for _, c := range h {
			ruleApply(t, s, c)
		}
		more, _ := h.drawAllowed(t, s, ruleDie(t, "history", 64))
		h = append(h, more...)
		for range 16 {
			c := h.draw(t)
			before := c.String()
			first := problem.From(rules.Decide(s, c.key, c.st))
			if diff := cmp.Diff(first, problem.From(rules.Decide(s, c.key, c.st)),
				ruleDeeply); diff != "" {
				t.Fatalf("%v: decided differently when asked again:\n%s", c, diff)
			}
			if after := c.String(); after != before {
				t.Fatalf("%s was changed to %s", before, after)
			}
		}
		if diff := cmp.Diff(h.state(t), s, ruleDeeply); diff != "" {
			t.Fatalf("to decide has changed the state (-replayed +decided):\n%s", diff)
		}
	})
}

func TestApplyWantsTheNextRecord(t *testing.T) {
	w := newRuleWorld(t)
	last := w.record(ruleParis, ruleSay("pledge.offered"))
	for name, test := range map[string]struct {
		edit func(rec *events.Record)
		want string
	}{
		"a gap": {func(rec *events.Record) { rec.Sequence++ },
			"record 7 does not follow record 5"},
		"the same": {func(rec *events.Record) { rec.Sequence-- },
			"record 5 does not follow record 5"},
		"back in time": {func(rec *events.Record) { rec.Recorded = rec.Recorded.Add(-time.Minute) },
			"record 6 was recorded at 2026-11-23T02:22:05.000000Z, before record 5"},
	} {
		rec := last
		test.edit(&rec)
		if _, err := w.state.Apply(rec); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if w.state.Last() != 5 {
		t.Errorf("a record that was refused has changed the state: the last is %d", w.state.Last())
	}
	if _, err := w.state.Apply(last); err != nil || w.state.Last() != 6 ||
		!w.state.Recorded().Equal(last.Recorded) || w.state.Origin() != ruleOrigin {
		t.Errorf("the next record: %v; then %d, %s, %s", err, w.state.Last(), w.state.Recorded(),
			w.state.Origin())
	}
}
