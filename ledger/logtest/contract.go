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

// Run holds a log to the contract of [ledger.Log]. The function open returns two servers' views of
// one new, empty log.
func Run(t *testing.T, open func(t *testing.T) (a, b ledger.Log)) {
	for name, test := range map[string]func(*testing.T, ledger.Log, ledger.Log){
		"empty":                    empty,
		"appends in order":         appendsInOrder,
		"one wins each sequence":   oneWins,
		"a gap is refused":         gapRefused,
		"what follows a loser":     loserTakesTheRest,
		"a group that breaks off":  groupBreaksOff,
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

// group returns the messages from..to.
func group(from, to int) (messages []ledger.Message) {
	for n := from; n <= to; n++ {
		messages = append(messages, message(n))
	}
	return messages
}

// others returns what another server would have as the messages from..to.
func others(from, to int) []ledger.Message {
	messages := group(from, to)
	for i := range messages {
		messages[i].Data = append(messages[i].Data, " of another server"...)
	}
	return messages
}

// last returns the ack that the next append must follow.
func last(acks []ledger.Ack) ledger.Ack {
	if len(acks) == 0 {
		return nil
	}
	return acks[len(acks)-1]
}

// appendAll pipelines the messages from..to, in groups of one, two, three and so on, and fails the
// test unless all succeed.
func appendAll(t *testing.T, l ledger.Log, from, to int) {
	t.Helper()
	var acks []ledger.Ack
	for n, size := from, 1; n <= to; n, size = n+size, size+1 {
		acks = append(acks, l.Append(group(n, min(n+size-1, to)), last(acks)))
	}
	for i, a := range acks {
		if err := a.Wait(); err != nil {
			t.Fatalf("append %d of %d to %d: %v", i, from, to, err)
		}
		if err := a.Wait(); err != nil {
			t.Fatalf("append %d of %d to %d had succeeded, and waited for again it has not: %v", i,
				from, to, err)
		}
	}
}

func expect(t *testing.T, l ledger.Log, from, to int) {
	t.Helper()
	next := from
	err := l.Read(t.Context(), uint64(from), func(m ledger.Message) error {
		if m.Sequence != uint64(next) || m.Subject != subject(next) ||
			!bytes.Equal(m.Data, data(next)) {
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
			wg.Go(func() { errs[i] = l.Append(group(n, n), nil).Wait() })
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
	if err := a.Append(group(3, 3), nil).Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Fatalf("append of 3 after 1: %v, want ErrLostRace", err)
	}
	expectLast(t, a, 1)
}

// A server pipelines 1 to 20, in groups of one and of ten, while another's message has become 1
// already: none of the twenty may get in, although the sequence that the second expects is the
// right one.
func loserTakesTheRest(t *testing.T, a, b ledger.Log) {
	appendAll(t, b, 1, 1)
	theirs := others(1, 20)
	var acks []ledger.Ack
	for i := range 10 {
		acks = append(acks, a.Append(theirs[i:i+1], last(acks)))
	}
	acks = append(acks, a.Append(theirs[10:], last(acks)))
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

// Where a group cannot begin, none of it gets in; and where it cannot go on, nothing behind that,
// and the answer is that of the last.
func groupBreaksOff(t *testing.T, a, b ledger.Log) {
	appendAll(t, a, 1, 3)
	first := a.Append(group(4, 6), nil)
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	// 2 is taken, and 7 would fit by its sequence
	if err := b.Append(others(2, 8), nil).Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Fatalf("append of 2 to 8: %v, want ErrLostRace", err)
	}
	broken := append(group(7, 8), group(10, 11)...)
	if err := a.Append(broken, first).Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Fatalf("append of 7, 8, 10 and 11: %v, want ErrLostRace", err)
	}
	expectLast(t, b, 8)
	expect(t, b, 1, 8)
	appendAll(t, b, 9, 12)
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
