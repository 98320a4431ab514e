package stream

import (
	"cmp"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A told is what the NATS server that leads the stream has said of its time.
type told struct {
	at     time.Time     // by its clock
	heard  time.Time     // by this machine's
	within time.Duration // that the answer was on its way at most
	of     string
}

// How long what was told of the time counts. The stream is asked far more often.
const toldFor = 30 * time.Second

// hearTime notes the time of the NATS server, as the stream's information has it that was asked for
// at a moment.
func (s *Stream) hearTime(info *jetstream.StreamInfo, asked time.Time) {
	if info.TimeStamp.IsZero() { // of a server that is too old to say it
		return
	}
	name := s.nc.ConnectedServerName()
	if info.Cluster != nil {
		name = cmp.Or(info.Cluster.Leader, name)
	}
	now := time.Now()
	s.clock.Store(&told{info.TimeStamp, now, now.Sub(asked), "the NATS server " + name})
}

// Time implements [ledger.Clocked]. It goes on from what was told by a clock that nobody sets.
func (s *Stream) Time() (now time.Time, within time.Duration, of string, ok bool) {
	t := s.clock.Load()
	if t == nil || time.Since(t.heard) > toldFor {
		return now, 0, "", false
	}
	return t.at.Add(time.Since(t.heard)), t.within, t.of, true
}
