package ledger

import (
	"context"
	"errors"
)

// A Log is the ordered, shared sequence of messages that makes records out of statements. Any
// number of servers may append to one Log at the same time; the sequence is their compare-and-swap
// token. Package stream keeps it on NATS JetStream; package logtest holds the contract as a test,
// and a Log in memory that is rude on purpose.
//
// The Log is never trusted alone: the journal beside it notices when it loses or changes a message.
type Log interface {
	// Append asks for a group of messages, one or more that follow each other, to become the last
	// ones, and does not wait. Each gets in only when the last message then has the sequence before
	// its own, and is the one before it in the group; so of two appends of one sequence at most one
	// succeeds, and where one of a group fails, all behind it do. Calls may be pipelined: a server
	// asks for n+1 before it knows about n. The sequence alone is no sufficient token then, for
	// another server's message may have become n; so after is the answer to the group that ends
	// with n, and the first of this one fails when n has failed. It is nil when n is known to be in
	// the log. Append is called by one goroutine at a time, and keeps the data, which must not
	// change afterwards.
	Append(group []Message, after Ack) Ack
	// Last returns the sequence of the last message, 0 when there is none. It fails, with an error
	// that is ErrLost, when a message before it is missing.
	Last(ctx context.Context) (uint64, error)
	// Read calls yield for each message from sequence from to the last one, in order and without
	// gaps, until yield fails. A message's data may be kept. It fails with an error that is ErrLost
	// where a message cannot be read.
	Read(ctx context.Context, from uint64, yield func(Message) error) error
	// Changed receives the sequence of the last message, now and then, when anybody has appended.
	// Some may be missed when they come fast; the last one never is.
	Changed() <-chan uint64
}

// A Reachable is a Log that tells, at once and while nobody appends, whether it could be appended
// to.
type Reachable interface {
	// Reached returns why not, as far as it is known by now, nil when nothing speaks against it.
	Reached() error
}

// A Message is a record in the Log.
type Message struct {
	Sequence uint64
	Subject  string
	Data     []byte
}

// An Ack is the Log's one answer to Append, for the whole group. It belongs to one goroutine.
type Ack interface {
	// Wait returns nil when all messages of the group are in the log at their sequences; an error
	// that is ErrLostRace when the last certainly is not; and any other error when nobody knows.
	// With an error, those before the last may be there or not. It returns in bounded time, and the
	// same however often it is called.
	Wait() error
}

// ErrLost says that the log has a message no more that it must have, or cannot read it.
var ErrLost = errors.New("the log has lost a message")

// ErrLostRace says that another message has the sequence that Append asked for.
var ErrLostRace = errors.New("another server appended first")
