package journal

import (
	"runtime"
	"time"
)

// Who reads much wants a processor for as long as it takes, and who commits wants one at once,
// again and again, for a moment. On a machine with few of them, the first makes the second wait.
// But a commit also waits for the disk, and then a processor is free: so while records are being
// committed, a reader of many goes on a few at a time, as often as a commit goes to the disk. At
// any other time, and where many are folded, it lets others go first as often: the scheduler by
// itself would let them wait for ten milliseconds.

const (
	atOnce   = 8                    // records
	lately   = 5 * time.Millisecond // after a commit, more are to be expected
	patience = 5 * time.Millisecond // of a reader, when no other commit comes
)

// toDisk lets readers go on.
func (j *Journal) toDisk() {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.resting)
	j.resting = make(chan struct{})
}

// giveWay waits for the next commit to go to the disk, when there was one lately.
func (j *Journal) giveWay() {
	j.mu.Lock()
	resting, committed := j.resting, j.committed
	j.mu.Unlock()
	if time.Since(committed) > lately {
		runtime.Gosched()
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-resting:
	case <-timer.C:
	}
}
