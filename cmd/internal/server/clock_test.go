package server

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/events/problem"
)

// A server whose clock is years ahead of the NATS server's founds nothing, and one whose clock is
// set wrong while it runs says so of itself before anybody submits, and is well again when it is
// right.
func TestClockOfAServer(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	cfg := Config{Dir: t.TempDir(), Founding: founding(t), Inside: true, Clock: clock}
	ahead.Store(int64(70 * 365 * 24 * time.Hour))
	_, err := Start(t.Context(), cfg)
	if !problem.Is(err, problem.Unavailable) ||
		!strings.Contains(err.Error(), "70 years ahead of that of the NATS server") {
		t.Fatalf("a server in the year 2096 starts: %v", err)
	}
	ahead.Store(0)
	s := start(t, cfg)
	for _, wrong := range []time.Duration{10 * 365 * 24 * time.Hour, 0, -time.Hour, 0} {
		ahead.Store(int64(wrong))
		end := time.Now().Add(10 * time.Second)
		for (s.Healthy() == nil) != (wrong == 0) && time.Now().Before(end) {
			time.Sleep(20 * time.Millisecond)
		}
		if err := s.Healthy(); (err == nil) != (wrong == 0) {
			t.Errorf("with a clock that is %s ahead: %v", wrong, err)
		}
	}
}
