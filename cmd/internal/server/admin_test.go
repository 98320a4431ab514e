package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// watching starts to answer whoever watches a server that has not started, as a long start does.
func watching(t *testing.T, cfg Config) (s *Server, err error) {
	t.Helper()
	cfg.Log = sparing(slog.New(slog.DiscardHandler))
	s = &Server{front: front{cfg: cfg}, metrics: newCounters()}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, s.listenAdmin()
}

func asks(t *testing.T, url, host string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// While a server starts, whoever watches is told that it does; and a page from elsewhere whose name
// was made to lead here is told nothing.
func TestAdminWhileStarting(t *testing.T) {
	s, err := watching(t, Config{Admin: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(s.AdminAt().URL(), metricsPath)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		livePath:    {http.StatusOK, `"ok"`},
		readyPath:   {http.StatusServiceUnavailable, "the server is starting"},
		healthPath:  {http.StatusServiceUnavailable, "the server is starting"},
		metricsPath: {http.StatusOK, "muster_stops_total 0"},
		"/":         {http.StatusNotFound, ""},
	} {
		if status, body := asks(t, base+path, ""); status != want.status ||
			!strings.Contains(body, want.says) {
			t.Errorf("%s: %d %.300s", path, status, body)
		}
		status, _ := asks(t, base+path, "evil.example")
		if status != http.StatusMisdirectedRequest {
			t.Errorf("%s under another name: %d", path, status)
		}
	}
}

// An address that other machines reach is taken when that was said, and not else.
func TestAdminForOthers(t *testing.T) {
	if _, err := watching(t, Config{Admin: "0.0.0.0:0"}); err == nil ||
		!strings.Contains(err.Error(), "is an address for other machines") {
		t.Errorf("without a word: %v", err)
	}
	s, err := watching(t, Config{Admin: "0.0.0.0:0", AdminAnyone: true})
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.admin.Addr().String())
	if status, _ := asks(t, "http://127.0.0.1:"+port+metricsPath, ""); status != http.StatusOK {
		t.Errorf("with it: %d", status)
	}
	if want := "http://127.0.0.1:" + port + metricsPath + onAllAddresses; s.AdminAt().String() !=
		want {
		t.Errorf("it is at %s, not %s", s.AdminAt(), want)
	}
}
