package ledger

import (
	"context"
	"errors"
)

// A Log is the ordered, shared sequence of messages that makes records out of statements. Any number of servers may append
// to one Log at the same time; the sequence is their compare-and-swap token. Package stream keeps it on NATS JetStream;
// package logtest holds the contract as a test, and a Log in memory that is rude on purpose.
//
// The Log is never trusted alone: the journal beside it notices when it loses or changes a message.
type Log interface {
	// Append asks for m to become the last message, and does not wait. It succeeds only when the last message then has the
	// sequence before m's, so of two appends of one sequence at most one succeeds. Calls may be pipelined: a server asks
	// for n+1 before it knows about n. The sequence alone is no sufficient token then, for another server's message may
	// have become n; so after is the answer to the append of n, and m fails when that fails. It is nil when n is known to
	// be in the log. Append is called by one goroutine at a time, and keeps the data, which must not change afterwards.
	Append(m Message, after Ack) Ack
	// Last returns the sequence of the last message, 0 when there is none. It fails when a message before it is missing.
	Last(ctx context.Context) (uint64, error)
	// Read calls yield for each message from sequence from to the last one, in order and without gaps, until yield
	// fails. A message's data may be kept.
	Read(ctx context.Context, from uint64, yield func(Message) error) error
	// Changed receives the sequence of the last message, now and then, when anybody has appended. Some may be missed when
	// they come fast; the last one never is.
	Changed() <-chan uint64
}

// A Message is a record in the Log.
type Message struct {
	Sequence uint64
	Subject  string
	Data     []byte
}

// An Ack is the Log's answer to Append. It belongs to one goroutine.
type Ack interface {
	// Wait returns nil when the message is in the log at its sequence; an error that is ErrLostRace when it certainly is
	// not; and any other error when nobody knows. It returns in bounded time, and the same however often it is called.
	Wait() error
}

// ErrLostRace says that another message has the sequence that Append asked for.
var ErrLostRace = errors.New("another server appended first")
