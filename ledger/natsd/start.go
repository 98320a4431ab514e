package natsd

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
)

// A startLog passes on what the NATS server logs. Why it cannot start, the server tells nobody
// else.
type startLog struct {
	server.Logger
	started atomic.Bool
	fatal   chan string // capacity 1: why it cannot start
}

// ready returns when the server takes connections, or with why it does not.
func (l *startLog) ready(srv *server.Server) error {
	ready := make(chan bool, 1)
	go func() { ready <- srv.ReadyForConnections(startTimeout) }()
	select {
	case why := <-l.fatal:
		return errors.New("cannot start: " + why)
	case ok := <-ready:
		if !ok {
			return fmt.Errorf("did not start within %s", startTimeout)
		}
	}
	l.started.Store(true)
	return nil
}

// Fatalf implements server.Logger.
func (l *startLog) Fatalf(format string, v ...any) {
	if l.started.Load() {
		l.Logger.Fatalf(format, v...)
		return
	}
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

// A silentLog is that of nobody.
type silentLog struct{}

// These implement server.Logger.

func (silentLog) Noticef(string, ...any) {}
func (silentLog) Warnf(string, ...any)   {}
func (silentLog) Fatalf(string, ...any)  {}
func (silentLog) Errorf(string, ...any)  {}
func (silentLog) Debugf(string, ...any)  {}
func (silentLog) Tracef(string, ...any)  {}
