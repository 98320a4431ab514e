package access

import (
	"context"
	"sync"
	"time"
)

// A picture that nobody looks at is not brought up to date with each record, since five that are
// would slow down whoever appends by a fifth. It is as soon as somebody asks, when no record has
// come for the time of quiet, or when it is maxBehind records behind: taking those in takes some
// tenths of a second.
const (
	quiet     = time.Second
	maxBehind = 20_000
)

// A pace tells when the picture of a view is to go on.
type pace struct {
	mu     sync.Mutex
	wanted uint64        // the last record that somebody waits for
	more   chan struct{} // closed when it is a later one
}

func newPace() *pace { return &pace{more: make(chan struct{})} }

// want has the picture go on to a record without delay.
func (p *pace) want(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq > p.wanted {
		p.wanted = seq
		close(p.more)
		p.more = make(chan struct{})
	}
}

// asked returns the last record that somebody waits for, and what is closed when it is a later one.
func (p *pace) asked() (wanted uint64, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wanted, p.more
}

// wait waits until a picture that has the records up to after is to go on: there are more, and one
// of the reasons above.
func (p *pace) wait(ctx context.Context, full Pictures, after uint64) error {
	if err := full.WaitFor(ctx, after+1); err != nil {
		return err
	}
	for {
		wanted, more := p.asked()
		seen := full.Sequence()
		if wanted > after || seen >= after+maxBehind {
			return nil
		}
		rest := time.NewTimer(quiet)
		select {
		case <-rest.C:
			if full.Sequence() == seen {
				return nil
			}
		case <-more:
		case <-ctx.Done():
			rest.Stop()
			return ctx.Err()
		}
		rest.Stop()
	}
}
