package ledger

import "time"

// A Step is a part of the way of a statement to its record.
type Step int

const (
	// StepVerify is checking the signature, in the goroutine of the submitter.
	StepVerify Step = iota
	// StepQueue is waiting for the appender's turn.
	StepQueue
	// StepLog is from asking the log for a group of records to its answer.
	StepLog
	// StepCommit is writing to the journal all that the log has answered for by then.
	StepCommit
	// Steps is how many there are.
	Steps
)

// String returns the step's name.
func (s Step) String() string {
	return [Steps]string{"verify", "queue", "log", "commit"}[s]
}

// An Observer is told what a Ledger does, for who measures it. Its methods are called where the
// work is done: they return at once, and may be called concurrently.
type Observer interface {
	// Took is told how long a step took. The first two are of one statement each, the others of all
	// that go together.
	Took(step Step, d time.Duration)
	// Turned is told that the ledger has begun to take nothing, or takes statements again.
	Turned(taking bool)
}

// unobserved is the Observer of nobody.
type unobserved struct{}

// Took implements Observer.
func (unobserved) Took(Step, time.Duration) {}

// Turned implements Observer.
func (unobserved) Turned(bool) {}

// took tells the observer that a step has ended which began then.
func (l *Ledger) took(step Step, begun time.Time) {
	l.cfg.Observe.Took(step, time.Since(begun))
}
