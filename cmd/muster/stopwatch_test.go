package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// breath is how long is slept at a time to measure time by.
const breath = 10 * time.Millisecond

// breaths counts how often this process has slept so long and has been woken.
var breaths = sync.OnceValue(func() *atomic.Int64 {
	var n atomic.Int64
	go func() {
		for {
			time.Sleep(breath)
			n.Add(1)
		}
	}()
	return &n
})

// stopwatch returns what tells how much time has passed since, of that in which this machine lets
// this process run: while all stalls, nothing that is measured can go on either. What waits for
// something that does not come is as long by it as by any clock.
func stopwatch() (elapsed func() time.Duration) {
	n := breaths()
	begun := n.Load()
	return func() time.Duration { return time.Duration(n.Load()-begun) * breath }
}
