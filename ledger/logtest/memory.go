// Package logtest holds the contract of [ledger.Log] as a test, and a Log in memory that keeps to
// the contract and to nothing beyond it: it answers late, loses answers to appends that it carried
// out, and refuses some for no reason, as a network does.
package logtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"muster/ledger"
)

// A Memory is a log shared by any number of servers, each of which uses a View of its own.
type Memory struct {
	mu       sync.Mutex
	messages []ledger.Message
	views    []*View
	rude     *rand.Rand // nil for a polite log
}

// NewMemory returns an empty log. With a seed other than 0 it is rude: one message in ten goes
// wrong, in one of the ways that a network has.
func NewMemory(seed uint64) *Memory {
	m := &Memory{}
	if seed != 0 {
		m.rude = rand.New(rand.NewPCG(seed, 1))
	}
	return m
}

// View returns the log as one server sees it.
func (m *Memory) View() *View {
	v := &View{memory: m, changed: make(chan uint64, 1)}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views = append(m.views, v)
	return v
}

// Truncate drops all messages after the first n, as a power cut may.
func (m *Memory) Truncate(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = m.messages[:n]
}

// Replace puts other data in the place of a message, as nobody may.
func (m *Memory) Replace(sequence uint64, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages[sequence-1].Data = data
}

// Swap puts two messages in each other's place, as nobody may.
func (m *Memory) Swap(a, b uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, other := &m.messages[a-1], &m.messages[b-1]
	one.Data, other.Data = other.Data, one.Data
	one.Subject, other.Subject = other.Subject, one.Subject
}

// A View implements [ledger.Log].
type View struct {
	memory  *Memory
	changed chan uint64
}

var errRude = errors.New("no answer in time")

// Append implements [ledger.Log].
func (v *View) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	m := v.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, ok := after.(*ack); ok && !before.landed {
		return &ack{err: ledger.ErrLostRace}
	}
	answer := true
	for i, next := range group {
		if m.rude != nil && m.rude.IntN(10) == 0 {
			answer = false
			// It is lost, and so are those behind it; the last would be answered, were it not lost
			// itself.
			if m.rude.IntN(2) == 0 {
				if i < len(group)-1 && m.rude.IntN(2) == 0 {
					return &ack{err: ledger.ErrLostRace}
				}
				return &ack{err: errRude}
			}
		}
		if next.Sequence != uint64(len(m.messages))+1 {
			return &ack{err: ledger.ErrLostRace}
		}
		m.messages = append(m.messages, next)
		m.tell(next.Sequence)
	}
	if !answer {
		return &ack{landed: true, err: errRude}
	}
	return &ack{landed: true}
}

// tell offers the last sequence to every view.
func (m *Memory) tell(sequence uint64) {
	for _, v := range m.views {
		select {
		case <-v.changed:
		default:
		}
		v.changed <- sequence
	}
}

// An ack is over from the start; landed says what really happened.
type ack struct {
	landed bool
	err    error
}

func (a *ack) Wait() error { return a.err }

// Last implements [ledger.Log].
func (v *View) Last(context.Context) (uint64, error) {
	v.memory.mu.Lock()
	defer v.memory.mu.Unlock()
	return uint64(len(v.memory.messages)), nil
}

// Read implements [ledger.Log].
func (v *View) Read(_ context.Context, from uint64, yield func(ledger.Message) error) error {
	v.memory.mu.Lock()
	var rest []ledger.Message
	if n := uint64(len(v.memory.messages)); from <= n {
		rest = append(rest, v.memory.messages[from-1:]...)
	}
	v.memory.mu.Unlock()
	for _, m := range rest {
		if err := yield(m); err != nil {
			return err
		}
	}
	return nil
}

// Changed implements [ledger.Log].
func (v *View) Changed() <-chan uint64 { return v.changed }
