package server

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A thrift gives the memory back that questions took, once the server is quiet again. Go's runtime
// keeps it otherwise: it collects garbage when as much was allocated as is in use, which a server
// that is asked nothing waits minutes for, and then returns what is free over more minutes.
type thrift struct {
	metrics []metrics.Sample
	looked  uint64 // how many bytes had been allocated, ever, at the last look
	thrifty uint64 // how many when memory was given back last
	silent  int    // for how many looks in a row next to nothing was allocated
}

const (
	// thriftPause is how long lies between two looks, which cost microseconds.
	thriftPause = time.Second
	// quietBytes are no more than what is allocated between two looks while the server is quiet: it
	// takes statements, answers some short questions, and compares journal and stream, which goes
	// on for half an hour where there are many records.
	quietBytes = 64 << 20
	// worthBytes are worth a collection of garbage, when as many were allocated since the last;
	// with more than that in use, half of it is.
	worthBytes = 64 << 20
	// silentBytes are no more than what is allocated between two looks while nobody asks. After
	// silentLooks of these in a row less is worth it, since nobody waits for the processors:
	// silentWorthBytes, or a sixteenth of what is in use.
	silentBytes      = 1 << 20
	silentLooks      = 5
	silentWorthBytes = 16 << 20
)

func newThrift() *thrift {
	t := &thrift{metrics: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"}}}
	t.looked, _ = t.read()
	return t
}

// read returns how many bytes were ever allocated, and how many the last collection left in use.
func (t *thrift) read() (allocated, live uint64) {
	metrics.Read(t.metrics)
	return t.metrics[0].Value.Uint64(), t.metrics[1].Value.Uint64()
}

// look gives memory back when it is time to, and reports whether it did.
func (t *thrift) look() bool {
	allocated, live := t.read()
	since := allocated - t.looked
	t.looked = allocated
	t.silent++
	if since > silentBytes {
		t.silent = 0
	}
	worth := max(worthBytes, live/2)
	if t.silent >= silentLooks {
		worth = max(silentWorthBytes, live/16)
	}
	if since > quietBytes || allocated-t.thrifty < worth {
		return false
	}
	t.thrifty = allocated
	debug.FreeOSMemory()
	return true
}

// openThrift has memory given back from now on.
func (f *front) openThrift() {
	until, stop := context.WithCancel(context.Background())
	f.onClose(func() error { stop(); return nil })
	t := newThrift()
	go func() {
		for tick := time.NewTicker(thriftPause); ; {
			select {
			case <-until.Done():
				tick.Stop()
				return
			case <-tick.C:
				t.look()
			}
		}
	}()
}
