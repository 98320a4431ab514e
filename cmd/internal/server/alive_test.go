package server

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/events"
)

// A server whose appender hangs is not alive, although it answers over HTTP; and one that answers
// again is. It asks itself where it answers, below the path that it was given.
func TestAlive(t *testing.T) {
	var hangs atomic.Pointer[chan struct{}]
	cfg := Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Founding: founding(t), Version: "1.0.0",
		Base: "/muster", Clock: func() time.Time {
			if until := hangs.Load(); until != nil {
				<-*until
			}
			return time.Now()
		}}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	alive := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return s.Alive(ctx)
	}
	if err := alive(time.Minute); err != nil {
		t.Fatal(err)
	}
	until := make(chan struct{})
	hangs.Store(&until)
	said := make(chan error, 1)
	go func() {
		said <- s.Ledger.CheckUnsigned(t.Context(), events.CoordinatorsView,
			&events.OperationOpened{Header: events.Header{Type: "operation.opened",
				ID: events.NewID(), Ledger: s.Ledger.Origin()},
				Dated: events.Dated{Effective: 2026_01_01}, OperationTerms: events.OperationTerms{
					Operation: "op", Title: "An operation", Roles: []events.RoleDefinition{{
						Role: "ground", Title: "Troops", Units: []events.Unit{"personnel"}}}}})
	}()
	for err = alive(time.Second); err == nil; err = alive(time.Second) { // until it has its turn
	}
	// On a busy machine the answer over HTTP may take all of a second, and not of many.
	for within := 2 * time.Second; within < time.Minute && strings.Contains(err.Error(),
		"no answer over HTTP"); within *= 2 {
		err = alive(within)
	}
	if !strings.Contains(err.Error(), "gets no turn") {
		t.Errorf("while it hangs: %v", err)
	}
	hangs.Store(nil)
	close(until)
	if err := <-said; err != nil {
		t.Error(err)
	}
	if err := alive(time.Minute); err != nil {
		t.Errorf("when it goes on: %v", err)
	}
}
