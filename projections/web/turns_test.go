package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// As many questions calculate at a time as there are turns, however many are asked: each lets the
// others go first where it looks at its context.
func TestQuestionsTakeTurns(t *testing.T) {
	s := newServer(t, newRound(t).testLog)
	var calculate, most, answered atomic.Int64
	srv := httptest.NewServer(
		s.service.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for range 5 {
				most.Store(max(most.Load(), calculate.Add(1)))
				for began := time.Now(); time.Since(began) < 2*turnTime; {
				}
				calculate.Add(-1)
				if r.Context().Err() != nil {
					return
				}
			}
			answered.Add(1)
		})))
	defer srv.Close()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			resp, err := http.Get(srv.URL + Root + "/nations")
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	clients.Wait()
	equal(t, "answered", answered.Load(), 8)
	if most.Load() > int64(cap(processors.free)) {
		t.Errorf("%d have calculated at a time, and there are %d turns", most.Load(),
			cap(processors.free))
	}
	equal(t, "turns that were given back", len(processors.free), cap(processors.free))
}

// Turns go round in the order in which they are asked for, and nobody waits for ever for one.
func TestTurnsGoRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, said := newTurns(1), make(chan string, 100)
		ask := func(name string) {
			one := turn{of: all}
			one.take(t.Context())
			for i := range 3 {
				said <- fmt.Sprint(name, i)
				time.Sleep(turnTime)
				one.pass(t.Context())
			}
			one.give()
		}
		for _, name := range []string{"a", "b", "c"} {
			go ask(name)
			synctest.Wait()
		}
		for _, want := range []string{"a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"} {
			equal(t, "next", <-said, want)
		}
		synctest.Wait()

		stuck, other := turn{of: all}, turn{of: all}
		stuck.take(t.Context())
		began := time.Now()
		other.take(t.Context())
		equal(t, "it has waited", time.Since(began), turnPatience)
		equal(t, "it has gone on with one", other.has, false)
		stuck.give()
		time.Sleep(turnTime)
		other.pass(t.Context())
		equal(t, "it has one now", other.has, true)
		other.give()
		other.give()
		equal(t, "given back once", len(all.free), 1)

		stuck.take(t.Context())
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		began = time.Now()
		other.take(gone)
		equal(t, "whose client has gone has waited", time.Since(began), 0)
	})
}
