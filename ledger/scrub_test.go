package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/journal"
)

// scrubbed opens a ledger that is scrubbed all the time, until the test ends.
func scrubbed(t *testing.T, path string, log ledger.Log,
	mend func(context.Context, error) error) *ledger.Ledger {
	t.Helper()
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Config{Journal: j, Log: log, Name: "a", Mend: mend,
		ScrubEvery: 10 * time.Millisecond, Faults: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// awaits returns when something is so.
func awaits(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// What is whole is found whole, and it is said when; and so again, when there is more.
func TestScrubFindsAllWhole(t *testing.T) {
	path, mem, k := someLedger(t, 1030)
	l := scrubbed(t, path, mem.View(), nil)
	awaits(t, "a comparison", func() bool { return l.Scrubbing().Whole.Through == 1030 })
	submitAll(t, l, []events.Signed{k.offer(t, 1)})
	before := l.Scrubbing().Whole.At
	awaits(t, "another one", func() bool { return l.Scrubbing().Whole.Through == 1031 })
	if s := l.Scrubbing(); !s.Whole.At.After(before) || s.Problem != nil || l.Healthy() != nil {
		t.Errorf("got %+v, %v", s, l.Healthy())
	}
}

// A message that was damaged after the start is found, wherever it is, and mended once.
func TestScrubMendsTheLog(t *testing.T) {
	path, mem, _ := someLedger(t, 60)
	stored := recordAt(t, path, 7).Stored
	told := make(chan error, 10)
	l := scrubbed(t, path, mem.View(), func(_ context.Context, found error) error {
		mem.Replace(7, stored)
		told <- found
		return nil
	})
	awaits(t, "a comparison", func() bool { return l.Scrubbing().Whole.Through == 60 })
	mem.Replace(7, bytes.Replace(stored, []byte(`"quantity":1`), []byte(`"quantity":9`), 1))
	if found := <-told; !strings.Contains(found.Error(), "at sequence 7") {
		t.Errorf("found was %v", found)
	}
	before := time.Now()
	awaits(t, "all to be whole again", func() bool { return l.Scrubbing().Whole.At.After(before) })
	if l.Healthy() != nil || len(told) != 0 {
		t.Errorf("mended again: %d times, %v", len(told), l.Healthy())
	}
}

// A log that cannot be mended, and one that has another record, which somebody has signed, stop the
// ledger, with the sequence.
func TestScrubStopsTheLedger(t *testing.T) {
	for name, c := range map[string]struct {
		mend func(context.Context, error) error
		with func(old []byte) []byte
	}{
		"nobody mends it": {nil, func(old []byte) []byte {
			return append(bytes.Clone(old), 'x')
		}},
		"it could not be mended": {func(context.Context, error) error { return errors.New("no") },
			func(old []byte) []byte { return append(bytes.Clone(old), 'x') }},
		"another record": {func(context.Context, error) error {
			t.Error("another history was mended")
			return nil
		}, nil},
	} {
		path, mem, k := someLedger(t, 20)
		stored := recordAt(t, path, 8).Stored
		l := scrubbed(t, path, mem.View(), c.mend)
		awaits(t, name+": a comparison", func() bool { return l.Scrubbing().Whole.Through == 20 })
		if c.with != nil {
			mem.Replace(8, c.with(stored))
		} else {
			mem.Swap(8, 9)
		}
		awaits(t, name+": the ledger to stop", func() bool { return l.Healthy() != nil })
		_, err := l.Submit(t.Context(), k.offer(t, 1))
		if !problem.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "sequence 8") {
			t.Errorf("%s: got %v", name, err)
		}
		if s := l.Scrubbing(); s.Problem == nil || s.Whole.Through != 20 {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}
