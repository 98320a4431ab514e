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

func (t *thrift) inUse() uint64 {
	_, live := t.read()
	return live
}

func released() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapReleased
}
