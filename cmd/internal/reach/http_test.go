package reach_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"muster/cmd/internal/reach"
)

// Who asks a server many things at a time, again and again, dials it once for each of these.
func TestConnectionsAreKept(t *testing.T) {
	const beside = 64
	var dialled atomic.Int64
	var there atomic.Pointer[sync.WaitGroup]
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		there.Load().Done()
		there.Load().Wait() // all of them are under way
		_, _ = io.WriteString(w, "here")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialled.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client, err := reach.HTTP(s.URL, reach.Trust{}, reach.Limits{Requests: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var asked, all sync.WaitGroup
		all.Add(beside)
		there.Store(&all)
		for range beside {
			asked.Go(func() {
				resp, err := client.Get(s.URL)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if _, err := io.ReadAll(resp.Body); err != nil {
					t.Error(err)
				}
			})
		}
		asked.Wait()
	}
	if n := dialled.Load(); n != beside {
		t.Errorf("a server was dialled %d times for %d requests at a time", n, beside)
	}
}
