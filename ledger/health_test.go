package ledger_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
)

// A tellingFarLog says by itself that it cannot be reached.
type tellingFarLog struct{ *farLog }

// Reached implements [ledger.Reachable].
func (f tellingFarLog) Reached() error {
	if f.away.Load() {
		return errFar
	}
	return nil
}

// An observed is what a ledger has told.
type observed struct {
	mu    sync.Mutex
	said  bytes.Buffer
	turns []bool
	took  [ledger.Steps]int
}

func (o *observed) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.Write(line)
}

// Took implements [ledger.Observer].
func (o *observed) Took(step ledger.Step, d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d >= 0 {
		o.took[step]++
	}
}

// Turned implements [ledger.Observer].
func (o *observed) Turned(taking bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turns = append(o.turns, taking)
}

// lines returns what was logged since the last call, without times.
func (o *observed) lines() (all []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range strings.Lines(o.said.String()) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, line)
	}
	o.said.Reset()
	return all
}

// watchedLedger opens a ledger that tells what it does.
func watchedLedger(t *testing.T, path string, log ledger.Log) (*ledger.Ledger, *observed) {
	t.Helper()
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	o := &observed{}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: log, Name: "a", Observe: o,
		Faults: slog.New(slog.NewTextHandler(o, nil))})
	if err != nil {
		t.Fatal(errors.Join(err, j.Close()))
	}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	return l, o
}

func expectLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d lines, not %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("line %d is\n%s\nand should have\n%s", i, got[i], want[i])
		}
	}
}

const (
	takesNone  = `level=ERROR msg="the ledger takes no statements" why="nothing can be recorded now: it cannot be reached" last=4`
	takesAgain = `level=WARN msg="the ledger takes statements again" last=4 after=`
)

// That nothing can be recorded is logged once, with the reason and the last record, however many
// commands meet it; and that it can be again, once.
func TestTurnsAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		log := &farLog{View: mem.View()}
		l, o := watchedLedger(t, path, log)
		log.away.Store(true)
		for range 20 {
			if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err,
				problem.Unavailable) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		expectLines(t, o.lines(), takesNone)
		log.away.Store(false)
		time.Sleep(time.Minute)
		expectLines(t, o.lines(), takesAgain)
		submitAll(t, l, []events.Signed{k.offer(t, 2)})
		expectLines(t, o.lines())
		if len(o.turns) != 2 || o.turns[0] || !o.turns[1] {
			t.Errorf("the observer was told %v", o.turns)
		}
	})
}

// A ledger that is held takes nothing, says why, and answers what it has recorded before.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		l, o := watchedLedger(t, path, mem.View())
		before := k.offer(t, 1)
		submitAll(t, l, []events.Signed{before})
		why := problem.New(problem.Unavailable, "somebody has to look").WithHint("look")
		l.Hold(why)
		l.Hold(why)
		for _, err := range []error{l.Healthy(), l.Check(t.Context(), k.offer(t, 2)),
			func() error { _, err := l.Submit(t.Context(), k.offer(t, 3)); return err }()} {
			if !problem.Is(err, problem.Unavailable) ||
				!strings.Contains(err.Error(), "somebody has to look") {
				t.Errorf("it is held: %v", err)
			}
		}
		if r, err := l.Submit(t.Context(), before); err != nil || !r.Again || r.Sequence != 5 {
			t.Errorf("what was recorded before is answered with %+v, %v", r, err)
		}
		expectLines(t, o.lines(), `the ledger takes no statements" why="somebody has to look" `+
			`last=5 remedy=look`)
		l.Release()
		l.Release()
		submitAll(t, l, []events.Signed{k.offer(t, 4)})
		expectLines(t, o.lines(), "the ledger takes statements again")
	})
}

// A log that knows that it is away is believed while nobody submits.
func TestNobodyNeedSubmitToSeeTheLogAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		log := tellingFarLog{&farLog{View: mem.View()}}
		l, o := watchedLedger(t, path, log)
		log.away.Store(true)
		time.Sleep(5 * time.Second)
		if err := l.Healthy(); !problem.Is(err, problem.Unavailable) {
			t.Errorf("the log is away: %v", err)
		}
		expectLines(t, o.lines(), takesNone)
		log.away.Store(false)
		time.Sleep(5 * time.Second)
		if err := l.Healthy(); err != nil {
			t.Error(err)
		}
		expectLines(t, o.lines(), takesAgain)
		submitAll(t, l, []events.Signed{k.offer(t, 1)})
	})
}

// What cannot be written is not tried again after a while, as a log is that was only silent:
// nothing is said to be taken before it can be.
func TestUnwritableLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 4)
		gate := make(chan struct{})
		close(gate)
		l, o := watchedLedger(t, path, &plannedLog{View: mem.View(),
			plan: []planned{{lost: true}, {lost: true}}, gate: gate})
		s := k.offer(t, 1)
		if _, err := l.Submit(t.Context(), s); !problem.Is(err, problem.Unavailable) {
			t.Fatal(err)
		}
		l.Unwritable(errors.New("the disk is full"))
		time.Sleep(time.Minute)
		for _, err := range []error{l.Healthy(), l.Silent(), l.Check(t.Context(), s),
			func() error { _, err := l.Submit(t.Context(), s); return err }()} {
			if !problem.Is(err, problem.Unavailable) ||
				!strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("on a full disk: %v", err)
			}
		}
		expectLines(t, o.lines(), `msg="the ledger takes no statements"`,
			`msg="the ledger takes no statements, for another reason" why="nothing can be `+
				`recorded now: the log cannot be written: the disk is full" last=4 remedy=`)
		l.Renewed()
		submitAll(t, l, []events.Signed{s})
		expectLines(t, o.lines(),
			`msg="the ledger tries to take statements again: none was recorded yet" last=4`)
	})
}

// After a silence the log says what is known: that nothing was recorded yet. And where there is one
// reason more, it is told, too.
func TestEachReasonIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, mem, k := someLedger(t, 10)
		gate := make(chan struct{})
		close(gate)
		l, o := watchedLedger(t, path, &plannedLog{View: mem.View(),
			plan: []planned{{lost: true}, {lost: true}}, gate: gate})
		if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err, problem.Unavailable) {
			t.Fatal(err)
		}
		expectLines(t, o.lines(), `msg="the ledger takes no statements"`)
		time.Sleep(time.Minute)
		expectLines(t, o.lines(),
			`msg="the ledger tries to take statements again: none was recorded yet" last=10`)

		mem.Truncate(7) // and another server gives it another end
		other, _ := newLedger(t, filepath.Join(t.TempDir(), "other.db"), mem.View())
		submitAll(t, other, []events.Signed{k.offer(t, 2), k.offer(t, 3), k.offer(t, 4)})
		if _, err := l.Submit(t.Context(), k.offer(t, 1)); !problem.Is(err, problem.Unavailable) {
			t.Fatal(err)
		}
		lines := o.lines()
		expectLines(t, lines, `level=ERROR msg="the ledger takes no statements"`)
		for _, want := range []string{"sequence=8", "last=10", `remedy="nothing was written: `} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("the line has no %s: %s", want, lines[0])
			}
		}
	})
}

// An observer is told how long each step took.
func TestStepsAreObserved(t *testing.T) {
	path, mem, k := someLedger(t, 4)
	l, o := watchedLedger(t, path, mem.View())
	for range 3 {
		submitAll(t, l, []events.Signed{k.offer(t, 1)})
	}
	if o.took != [ledger.Steps]int{3, 3, 3, 3} {
		t.Errorf("the observer was told of %v", o.took)
	}
	names := map[string]bool{}
	for s := range ledger.Steps {
		names[s.String()] = true
	}
	if len(names) != int(ledger.Steps) {
		t.Errorf("the steps are named %v", names)
	}
}
