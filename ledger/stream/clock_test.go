package stream_test

import (
	"testing"
	"time"
)

// A stream tells the time of the server that it is on.
func TestTime(t *testing.T) {
	s := open(t, start(t))
	if _, err := s.Last(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	at, within, of, ok := s.Time()
	if !ok || of != "the NATS server muster" || at.Before(before.Add(-within)) ||
		at.After(time.Now().Add(within)) {
		t.Errorf("at %s it is %s within %s, of %q, %t", before, at, within, of, ok)
	}
}
