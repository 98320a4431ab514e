package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/ledger"
)

// Run holds a log to the contract of [ledger.Log]. The function open returns two servers' views of one new, empty log.
func Run(t *testing.T, open func(t *testing.T) (a, b ledger.Log)) {
	for name, test := range map[string]func(*testing.T, ledger.Log, ledger.Log){
		"empty":                    empty,
		"appends in order":         appendsInOrder,
		"one wins each sequence":   oneWins,
		"a gap is refused":         gapRefused,
		"what follows a loser":     loserTakesTheRest,
		"read from the middle":     readFromMiddle,
		"yield's error ends it":    yieldEnds,
		"many messages":            manyMessages,
		"others learn of a change": othersLearn,
	} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			test(t, a, b)
		})
	}
}

func subject(n int) string { return fmt.Sprintf("muster.ev.FRA.mnf-u.pledge.%026d.offered", n) }

func data(n int) []byte { return fmt.Appendf(nil, "message %d\nwith a second line", n) }

func message(n int) ledger.Message {
	return ledger.Message{Sequence: uint64(n), Subject: subject(n), Data: data(n)}
}

// last returns the ack that the next append must follow.
func last(acks []ledger.Ack) ledger.Ack {
	if len(acks) == 0 {
		return nil
	}
	return acks[len(acks)-1]
}

// appendAll pipelines the messages from..to and fails the test unless all succeed.
func appendAll(t *testing.T, l ledger.Log, from, to int) {
	t.Helper()
	var acks []ledger.Ack
	for n := from; n <= to; n++ {
		acks = append(acks, l.Append(message(n), last(acks)))
	}
	for i, a := range acks {
		if err := a.Wait(); err != nil {
			t.Fatalf("append %d: %v", from+i, err)
		}
		if err := a.Wait(); err != nil {
			t.Fatalf("append %d had succeeded, and waited for again it has not: %v", from+i, err)
		}
	}
}

func expect(t *testing.T, l ledger.Log, from, to int) {
	t.Helper()
	next := from
	err := l.Read(t.Context(), uint64(from), func(m ledger.Message) error {
		if m.Sequence != uint64(next) || m.Subject != subject(next) || !bytes.Equal(m.Data, data(next)) {
			return fmt.Errorf("message %d: got %d %s %q", next, m.Sequence, m.Subject, m.Data)
		}
		next++
		return nil
	})
	if err != nil || next != to+1 {
		t.Fatalf("read %d to %d, want up to %d: %v", from, next-1, to, err)
	}
}

func expectLast(t *testing.T, l ledger.Log, want uint64) {
	t.Helper()
	if last, err := l.Last(t.Context()); err != nil || last != want {
		t.Fatalf("last is %d, %v; want %d", last, err, want)
	}
}

func empty(t *testing.T, a, b ledger.Log) {
	expectLast(t, a, 0)
	expect(t, b, 1, 0)
}

func appendsInOrder(t *testing.T, a, b ledger.Log) {
	appendAll(t, a, 1, 50)
	appendAll(t, b, 51, 60)
	expectLast(t, a, 60)
	expect(t, a, 1, 60)
	expect(t, b, 1, 60)
}

func oneWins(t *testing.T, a, b ledger.Log) {
	const rounds = 50
	for n := 1; n <= rounds; n++ {
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, l := range []ledger.Log{a, b} {
			wg.Go(func() { errs[i] = l.Append(message(n), nil).Wait() })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("sequence %d: %v and %v, want exactly one winner", n, errs[0], errs[1])
		}
		if loser := errors.Join(errs...); !errors.Is(loser, ledger.ErrLostRace) {
			t.Fatalf("sequence %d: the loser was told %v, want ErrLostRace", n, loser)
		}
	}
	expect(t, a, 1, rounds)
}

func gapRefused(t *testing.T, a, _ ledger.Log) {
	appendAll(t, a, 1, 1)
	if err := a.Append(message(3), nil).Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Fatalf("append of 3 after 1: %v, want ErrLostRace", err)
	}
	expectLast(t, a, 1)
}

// A server pipelines 1 to 20 while another's message has become 1 already: none of the twenty may get in, although the
// sequence that the second expects is the right one.
func loserTakesTheRest(t *testing.T, a, b ledger.Log) {
	appendAll(t, b, 1, 1)
	var acks []ledger.Ack
	for n := 1; n <= 20; n++ {
		m := message(n)
		m.Data = append(m.Data, " of another server"...)
		acks = append(acks, a.Append(m, last(acks)))
	}
	for i, ack := range acks {
		for range 2 {
			if err := ack.Wait(); !errors.Is(err, ledger.ErrLostRace) {
				t.Fatalf("append %d: got %v, want ErrLostRace", i+1, err)
			}
		}
	}
	expect(t, a, 1, 1)
	appendAll(t, a, 2, 5) // and then it goes on
	expect(t, b, 1, 5)
}

func readFromMiddle(t *testing.T, a, b ledger.Log) {
	appendAll(t, a, 1, 10)
	expect(t, b, 4, 10)
	expect(t, b, 10, 10)
	expect(t, b, 11, 10)
}

func yieldEnds(t *testing.T, a, _ ledger.Log) {
	appendAll(t, a, 1, 10)
	enough := errors.New("enough")
	calls := 0
	err := a.Read(t.Context(), 1, func(ledger.Message) error {
		if calls++; calls == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 3 {
		t.Fatalf("yield was called %d times, and Read returned %v", calls, err)
	}
}

func manyMessages(t *testing.T, a, b ledger.Log) {
	const n = 3000 // more than one batch of any implementation
	appendAll(t, a, 1, n)
	expect(t, b, 1, n)
}

func othersLearn(t *testing.T, a, b ledger.Log) {
	appendAll(t, a, 1, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		select {
		case last := <-b.Changed():
			if last == 5 {
				return
			}
		case <-ctx.Done():
			t.Fatal("the other server never learned of the last message")
		}
	}
}
