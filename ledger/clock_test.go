package ledger_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
	"muster/ledger/logtest"
)

// A clockedLog is a log on a server whose clock is some time ahead of what it should be.
type clockedLog struct {
	ledger.Log
	ahead atomic.Int64
}

func (l *clockedLog) Time() (time.Time, time.Duration, string, bool) {
	return time.Now().Add(time.Duration(l.ahead.Load())), time.Second, "the NATS server n1", true
}

// A clock can be set.
type setClock struct{ ahead atomic.Int64 }

func (c *setClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *setClock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

const aYear = 365 * 24 * time.Hour

// clocked opens a ledger with a clock, which is closed with the test.
func clocked(t *testing.T, name string, log ledger.Log, c *setClock, past uint64) *ledger.Ledger {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: log, Name: name,
		Clock: c.now, Past: past})
	if err != nil {
		t.Fatal(errors.Join(err, j.Close()))
	}
	t.Cleanup(func() {
		l.Close()
		ledgerInvariant(t, j)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// refusesFor checks that a ledger records nothing, for a reason, and says so of itself.
func refusesFor(t *testing.T, l *ledger.Ledger, k ledgerTestKeys, reason string) {
	t.Helper()
	for _, err := range []error{submitOffer(t, l, k), l.Healthy()} {
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), reason) ||
			problem.From(err).Hint == "" {
			t.Fatalf("want %q: %v", reason, err)
		}
	}
}

func submitOffer(t *testing.T, l *ledger.Ledger, k ledgerTestKeys) error {
	t.Helper()
	_, err := l.Submit(t.Context(), k.offer(t, 100))
	return err
}

// A server whose clock and that of the log are far apart makes no record, whichever is wrong, and
// goes on by itself when they agree.
func TestClockAndLogApart(t *testing.T) {
	k, c := newLedgerKeys(t), &setClock{}
	log := &clockedLog{Log: logtest.NewMemory(0).View()}
	l := clocked(t, "a", log, c, 0)
	for _, s := range k.beginning(t) {
		if _, err := l.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	c.set(10*aYear + time.Hour)
	refusesFor(t, l, k, "this server's clock is 10 years ahead of that of the NATS server n1")
	c.set(-ledger.MaxSkew - time.Minute)
	refusesFor(t, l, k, "6 minutes behind that of the NATS server n1")
	c.set(ledger.MaxSkew)
	if err := submitOffer(t, l, k); err != nil {
		t.Error(err)
	}
	c.set(0)
	log.ahead.Store(int64(70*aYear + time.Hour))
	refusesFor(t, l, k, "70 years behind that of the NATS server n1")
	log.ahead.Store(0)
	if err := submitOffer(t, l, k); err != nil || l.Healthy() != nil {
		t.Error(err, l.Healthy())
	}
}

// A record that another server has stamped years ahead is taken in, since all must come to the
// same; but nobody records on behind it without a person who says so, and then time stands still
// until the clock has come so far: it never goes back.
func TestRecordFarAhead(t *testing.T) {
	k, wrong, right := newLedgerKeys(t), &setClock{}, &setClock{}
	memory := logtest.NewMemory(0)
	b := clocked(t, "b", memory.View(), right, 0)
	all := k.beginning(t)
	if _, err := b.Submit(t.Context(), all[0]); err != nil {
		t.Fatal(err)
	}
	a := clocked(t, "ahead.example", memory.View(), wrong, 0)
	wrong.set(aYear)
	for _, s := range all[1:] {
		if _, err := a.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	last, err := a.Submit(t.Context(), k.offer(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	refusesFor(t, b, k, "ahead.example has made, is 3")
	awaits(t, "all that was recorded", func() bool { return b.Reach() == last.Sequence })
	wrong.set(0) // the one that was wrong is set right, and met by what it has done
	refusesFor(t, a, k, "ahead.example has made, is 3")
	for _, past := range []uint64{last.Sequence - 1, last.Sequence} {
		l := clocked(t, "c", memory.View(), right, past)
		if past != last.Sequence {
			refusesFor(t, l, k, "ahead of this server's clock")
			continue
		}
		r, err := l.Submit(t.Context(), k.offer(t, 2))
		if err != nil || !r.Recorded.Equal(last.Recorded) {
			t.Errorf("past the record of %s the next has %s, %v", last.Recorded, r.Recorded, err)
		}
		right.set(aYear + time.Hour)
		if r, err = l.Submit(t.Context(), k.offer(t, 3)); err != nil ||
			!r.Recorded.After(last.Recorded) {
			t.Errorf("when the time has come it records %s, %v", r.Recorded, err)
		}
	}
}

// Where there is no other clock, a ledger that has rested for very long asks whether that is so.
func TestLongRest(t *testing.T) {
	k, c := newLedgerKeys(t), &setClock{}
	memory := logtest.NewMemory(0)
	l := clocked(t, "a", memory.View(), c, 0)
	for _, s := range k.beginning(t) {
		if _, err := l.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	c.set(70 * aYear)
	refusesFor(t, l, k, "this server's clock is 70 years ahead of record 3, the last one")
	if hint := problem.From(l.Healthy()).Hint; !strings.Contains(hint, "--past-record 3") {
		t.Errorf("the hint: %s", hint)
	}
	again := clocked(t, "b", memory.View(), c, 3)
	for range 2 {
		if err := submitOffer(t, again, k); err != nil {
			t.Error(err)
		}
	}
}
