package server

import (
	"runtime"
	"testing"
)

// What was taken is given back when nothing more is taken, and not before, nor again for nothing.
func TestThriftGivesMemoryBack(t *testing.T) {
	of := newThrift()
	of.look() // what the tests before have taken
	of.look()
	took := make([]byte, 2*worthBytes+of.inUse())
	if of.look() {
		t.Error("memory was given back while much was taken")
	}
	runtime.KeepAlive(took)
	before := released()
	if !of.look() {
		t.Error("no memory was given back after it was taken")
	}
	if after := released(); after < before+2*worthBytes {
		t.Errorf("%d MB were given back, where %d were taken", (after-before)>>20, 2*worthBytes>>20)
	}
	if of.look() {
		t.Error("memory was given back again, and none had been taken")
	}
}

// Where nobody asks any more, less is worth a collection.
func TestThriftOfASilentServer(t *testing.T) {
	of := newThrift()
	of.look()
	of.look()
	took := make([]byte, silentWorthBytes+of.inUse()/16)
	runtime.KeepAlive(took)
	for i := range silentLooks {
		if of.look() {
			t.Fatalf("memory was given back at look %d, while it was too little", i+1)
		}
	}
	before := released()
	if !of.look() {
		t.Error("no memory was given back, though the server was silent")
	}
	if after := released(); after < before+silentWorthBytes {
		t.Errorf("%d MB were given back, where %d were taken", (after-before)>>20, len(took)>>20)
	}
}

func (t *thrift) inUse() uint64 {
	_, live := t.read()
	return live
}

func released() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapReleased
}
