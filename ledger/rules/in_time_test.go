package rules_test

import (
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/rules"
)

func TestRule44RecordedInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := time.Unix(rapid.Int64Range(1_000_000_000, 2_000_000_000).Draw(t, "not after"), 0)
		after := rapid.Int64Range(-5_000_000, 5_000_000).Draw(t, "microseconds after")
		st := ruleSay("pledge.offered", "NotAfter", events.InstantOf(last))
		err := rules.InTime(st, last.Add(time.Duration(after)*time.Microsecond))
		if (err == nil) != (after <= 0) {
			t.Fatalf("%d µs after: %v", after, err)
		}
		if err := rules.InTime(ruleSay("pledge.offered"), last); err != nil {
			t.Fatalf("without: %v", err)
		}
	})
	last := events.InstantOf(time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC))
	ruleRefused(t, rules.InTime(ruleSay("pledge.offered", "NotAfter", last),
		last.Time().Add(time.Microsecond)), "too-late",
		`not_after "2026-11-23T18:00:00Z": is past: its record would have the time `+
			"2026-11-23T18:00:00.000001Z; if it still holds, sign it anew, with a later time or "+
			"none", "")
}

// A server takes a statement until the moment that its signer has set, checks it likewise, and
// answers what it has taken in time ever after.
func TestInTimeAtAServer(t *testing.T) {
	now := time.Now()
	var later atomic.Int64
	l := ruleLedgerAt(t, func() time.Time { return now.Add(time.Duration(later.Load())) })
	opened := func(name events.Operation, until time.Time) events.Signed {
		return ruleSigned(t, ruleFounder, ruleSay("operation.opened", "ID", events.NewID(),
			"Operation", name, "NotAfter", events.InstantOf(until)))
	}
	late := opened("late", now.Add(-time.Second))
	_, err := l.Submit(t.Context(), late)
	for _, err := range []error{err, l.Check(t.Context(), late),
		l.CheckUnsigned(t.Context(), events.CoordinatorsView, late.Statement)} {
		if p := problem.From(err); p == nil || p.Code != "too-late" || len(p.Fields) != 1 ||
			p.Fields[0].Location != "not_after" {
			t.Errorf("late: %v", err)
		}
	}
	soon := opened("soon", now.Add(2*time.Second))
	if err := l.Check(t.Context(), soon); err != nil {
		t.Fatal(err)
	}
	first, err := l.Submit(t.Context(), soon)
	if err != nil {
		t.Fatal(err)
	}
	later.Store(int64(3 * time.Second))
	if err := l.Check(t.Context(), opened("tardy", now.Add(2*time.Second))); err == nil {
		t.Error("it is late, and nobody says so")
	}
	again, err := l.Submit(t.Context(), soon)
	if err != nil || !again.Again || again.Sequence != first.Sequence {
		t.Errorf("the same again, later: %+v, %v", again, err)
	}
}
