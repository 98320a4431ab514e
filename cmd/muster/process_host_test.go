package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/cmd/internal/server"
	"muster/events/problem"
)

// askAs asks a server under the name of a host, and returns the status and the answer; a stream is
// left when it has begun.
func (p *serverProcess) askAs(t *testing.T, host, method, path string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") == "text/event-stream" {
		return resp.StatusCode, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// A page whose name was made to lead to this server (DNS rebinding) reads nothing here, at no
// address, while the server's own names are answered.
func TestHosts(t *testing.T) {
	notShort(t)
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--host", "Muster.example",
		"--host", "10.1.2.3")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	for _, path := range []string{"/", "/submit", "/nothing", "/static/muster.js", "/healthz",
		"/checkpoint",
		"/tile/entries/000.p/1", "/docs", "/openapi.json", "/asyncapi.json",
		"/schemas/pledge.offered.json", "/api/v1/coverage", "/api/v1/coverage.csv",
		"/api/v1/records/events", "/api/v1/coverage/events", "/api/nothing",
		"POST /api/v1/statements", "POST /submit", "POST /verify"} {
		method, path := http.MethodGet, path
		if post, ok := strings.CutPrefix(path, "POST "); ok {
			method, path = http.MethodPost, post
		}
		for _, host := range []string{"evil.example", "evil.example:" + port,
			"muster.example.evil.example",
			"localhost.evil.example", "192.0.2.7", "127.0.0.1.evil.example", "0.0.0.0:" + port} {
			status, body := p.askAs(t, host, method, path)
			told := problem.Decode(status, []byte(body))
			if status != http.StatusMisdirectedRequest || told.Kind != problem.Misdirected ||
				!strings.Contains(told.Hint, "--host ") {
				t.Errorf("%s %s, asked of %s: %d %s", method, path, host, status, body)
			}
		}
		for _, host := range []string{"127.0.0.1:" + port, "localhost", "localhost:" + port,
			"LocalHost.", "muster.localhost",
			"[::1]:" + port, "muster.example", "MUSTER.EXAMPLE.:443", "10.1.2.3:80"} {
			status, body := p.askAs(t, host, method, path)
			if status == http.StatusMisdirectedRequest {
				t.Errorf("%s %s, asked of %s: %d %s", method, path, host, status, body)
			}
		}
	}
}

// A server that listens on all addresses of its machine is named by each of them.
func TestHostsOfAllAddresses(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--listen", "0.0.0.0:0", "--plaintext")
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	here := "http://127.0.0.1:" + port
	said := "listening on " + here + " and all other addresses of this machine\n"
	if !strings.Contains(p.stderr.String(), said) {
		t.Errorf("it does not say %q: %s", said, p.stderr.String())
	}
	written, err := os.ReadFile(filepath.Join(p.dir, server.AddressFile))
	if err != nil || string(written) != here+"\n" {
		t.Errorf("clients on this machine are told %q, %v", written, err)
	}
	for _, a := range addresses {
		ip := a.(*net.IPNet).IP
		if ip.To4() == nil {
			continue
		}
		p.url = "http://" + net.JoinHostPort(ip.String(), port)
		if status, body := p.askAs(t, "", http.MethodGet, "/healthz"); status != http.StatusOK {
			t.Errorf("%s: %d %s", p.url, status, body)
		}
		if status, _ := p.askAs(t, "192.0.2.7", http.MethodGet, "/healthz"); status !=
			http.StatusMisdirectedRequest {
			t.Errorf("%s, asked of another address: %d", p.url, status)
		}
	}
}
