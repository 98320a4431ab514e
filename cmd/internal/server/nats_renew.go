package server

import (
	"time"

	"muster/ledger"
	"muster/ledger/natsd"
)

// How often it is looked whether the embedded NATS server has to be started anew, and how long
// after the last time it is at the earliest, and at the latest where that does not help.
const (
	renewEvery   = time.Second
	renewAtFirst = 2 * time.Second
	renewAtLast  = time.Minute
)

// A renewer starts the embedded NATS server anew when that takes nothing any more, as after its
// disk was full, and can be expected to take something: a person who runs one would do the same.
type renewer struct {
	*Server
	natsd  *natsd.Server
	ledger *ledger.Ledger

	pause time.Duration // until it is tried again
	last  time.Time     // when it was tried
}

// keepNATS has the embedded NATS server started anew where it must be, until the server stops.
func (s *Server) keepNATS() {
	if s.natsd == nil {
		return
	}
	stop, done := make(chan struct{}), make(chan struct{})
	r := &renewer{Server: s, natsd: s.natsd, ledger: s.Ledger, pause: renewAtFirst}
	go func() {
		defer close(done)
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				r.look()
			}
		}
	}()
	s.onClose(func() error {
		close(stop)
		<-done
		return nil
	})
}

func (r *renewer) look() {
	silent := r.ledger.Silent()
	if silent == nil && !r.natsd.Disabled() {
		if time.Since(r.last) > renewAtLast {
			r.pause = renewAtFirst
		}
		return
	}
	if time.Since(r.last) < r.pause {
		return
	}
	if err := r.natsd.Writable(); err != nil {
		r.ledger.Unwritable(err) // which is logged once
		return
	}
	r.last, r.pause = time.Now(), min(2*r.pause, renewAtLast)
	r.cfg.Log.Warn("nats: the embedded server takes nothing, and is started anew", "why", silent)
	if err := r.natsd.Restart(); err != nil {
		r.cfg.Log.Error("nats: the embedded server does not start", "error", err)
		return
	}
	r.ledger.Renewed()
}
