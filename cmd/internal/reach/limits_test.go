package reach

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/cmd/internal/pipetest"
	"muster/events/problem"
)

// Whatever a server does, a client has an answer or an error in time.
func TestLimits(t *testing.T) {
	limits := Limits{Requests: 3, Begin: 200 * time.Millisecond,
		Window: 100 * time.Millisecond, Least: 100}
	for _, c := range []struct {
		path, fails string
		after       time.Duration
	}{
		{"/", "", 0}, {"/slow", "", 500 * time.Millisecond}, {"/here", "", 0},
		{"/drips", "too slowly", limits.Window},
		{"/silent", "awaiting response headers", limits.Begin},
		{"/elsewhere", "which is another server", 0}, {"/?endless", "there is no end of it", 0},
	} {
		t.Run(c.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const url = "http://localhost"
				client, err := HTTP(url, Trust{}, limits)
				if err != nil {
					t.Fatal(err)
				}
				tiresome(t, client)
				begun := time.Now()
				for range 5 {
					var resp *http.Response
					if resp, err = client.Get(url + c.path); err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					if err != nil || !strings.HasSuffix(c.path, "endless") {
						break
					}
				}
				if took := time.Since(begun); took != c.after {
					t.Errorf("it took %s, and not %s", took, c.after)
				}
				if c.fails == "" && err != nil || c.fails != "" &&
					(err == nil || !strings.Contains(err.Error(), c.fails)) {
					t.Errorf("%v does not say %q", err, c.fails)
				}
				if p := problem.Of(err); p != nil && (p.Kind != problem.Unavailable ||
					p.Hint == "") {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// tiresome serves a client until the test ends, in each of the ways that a server may hold one up.
func tiresome(t *testing.T, client *http.Client) {
	network := pipetest.New()
	transport := client.Transport.(explaining).RoundTripper.(limited).RoundTripper.(*http.Transport)
	transport.DialContext = func(ctx context.Context, by, to string) (net.Conn, error) {
		if to != "localhost:80" {
			t.Errorf("a request came to another host: %s", to)
		}
		return network.DialContext(ctx, by, to)
	}
	s := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
			http.Redirect(w, r, "http://other.example", http.StatusTemporaryRedirect)
		}
	})}
	go func() { _ = s.Serve(network) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
