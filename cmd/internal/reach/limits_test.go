package reach_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/reach"
	"muster/events/problem"
)

// Whatever a server does, a client has an answer or an error in time.
func TestLimits(t *testing.T) {
	limits := reach.Limits{Requests: 3, Begin: 200 * time.Millisecond,
		Window: 100 * time.Millisecond, Least: 100}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request came to another host")
	}))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		send := func(pieces int, text string, pause time.Duration) {
			for i := 0; (pieces < 0 || i < pieces) && r.Context().Err() == nil; i++ {
				_, _ = io.WriteString(w, text)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(pause)
			}
		}
		switch r.URL.Path {
		case "/silent":
			<-r.Context().Done()
		case "/drips":
			send(-1, "x", 10*time.Millisecond)
		case "/slow":
			send(10, strings.Repeat("x", 500), 50*time.Millisecond)
		case "/here":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	}))
	defer s.Close()
	for _, c := range []struct{ path, fails string }{
		{"/", ""}, {"/slow", ""}, {"/here", ""},
		{"/drips", "too slowly"}, {"/silent", "awaiting response headers"},
		{"/elsewhere", "which is another server"}, {"/?endless", "there is no end of it"},
	} {
		t.Run(c.path, func(t *testing.T) {
			client, err := reach.HTTP(s.URL, reach.Trust{}, limits)
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				var resp *http.Response
				if resp, err = client.Get(s.URL + c.path); err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if err != nil || !strings.HasSuffix(c.path, "endless") {
					break
				}
			}
			if c.fails == "" && err != nil || c.fails != "" &&
				(err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("%v does not say %q", err, c.fails)
			}
			if p := problem.Of(err); p != nil && (p.Kind != problem.Unavailable || p.Hint == "") {
				t.Errorf("%+v", p)
			}
		})
	}
}
