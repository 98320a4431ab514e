package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"muster/events"
	"muster/events/problem"
	"muster/ledger"
	"muster/ledger/intake"
)

// An answering submitter gives the same answer to all.
type answering struct {
	receipt intake.Receipt
	err     error
}

// Submit implements intake.Submitter.
func (a answering) Submit(context.Context, events.Signed) (intake.Receipt, error) {
	return a.receipt, a.err
}

// Check implements intake.Submitter.
func (a answering) Check(context.Context, events.Signed) (intake.Checked, error) {
	return intake.Checked{}, a.err
}

// To be counted costs a statement no memory, nor to be measured on its way, while nobody wants it
// logged.
func TestStatementsAreCountedForNothing(t *testing.T) {
	m := newCounters()
	quiet := slog.New(slog.NewTextHandler(new(bytes.Buffer),
		&slog.HandlerOptions{Level: slog.LevelWarn}))
	s := *founding(t)
	for _, to := range []answering{{receipt: intake.Receipt{Sequence: 7}},
		{receipt: intake.Receipt{Sequence: 7, Again: true}}} {
		w := watched{to, m, quiet, sparing(quiet)}
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() { _, _ = w.Submit(ctx, s) }); n > 0 {
			t.Errorf("%+v: %.1f allocations", to, n)
		}
	}
	if n := testing.AllocsPerRun(1000, func() {
		for step := range ledger.Steps {
			m.Took(step, time.Millisecond)
		}
		m.Turned(true)
	}); n > 0 {
		t.Errorf("to be measured: %.1f allocations", n)
	}
}

// What members alone can cause has a line each. What anybody can cause, who has no key of a member
// or has one no more, is told a few times, and then how often it was.
func TestWhoCanFillTheLog(t *testing.T) {
	for code, each := range map[string]bool{"wrong-rung": true, "speaks-for-itself": true,
		"not-admitted": false, "bad-signature": false, "revoked": false, "not-founded": false,
		"": false} {
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		refusal := problem.New(problem.NotAllowed, "the secret of this refusal").WithCode(code)
		w := watched{answering{err: refusal}, newCounters(), log, sparing(log)}
		const many = 100
		for range many {
			_, _ = w.Submit(t.Context(), *founding(t))
		}
		want := logBurst
		if each {
			want = many
		}
		if n := strings.Count(said.String(), "a statement was refused"); n != want {
			t.Errorf("%q: %d lines, not %d", code, n, want)
		}
		if strings.Contains(said.String(), "secret") {
			t.Errorf("the log has what was refused: %s", said.String())
		}
	}
}

// However much is sent that is no statement, the log has a few lines of it.
func TestMalformedIsSpared(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	m := newCounters()
	w := watched{answering{}, m, log, sparing(log)}
	for i := range 100 {
		w.Malformed(t.Context(), false, problem.New(problem.Syntax, "no: %d", i))
		w.Malformed(t.Context(), true, fmt.Errorf("no: %d", i))
	}
	if n := strings.Count(said.String(), "what was submitted is no statement"); n != logBurst {
		t.Errorf("%d lines:\n%s", n, said.String())
	}
}
