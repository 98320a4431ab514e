package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/certtest"
	"muster/events/problem"
)

// certified makes an authority and a first certificate of it, for localhost.
func certified(t *testing.T) (authority *certtest.Authority, cert, key string) {
	t.Helper()
	authority, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, key = issue(t, authority)
	return authority, cert, key
}

func issue(t *testing.T, authority *certtest.Authority) (cert, key string) {
	t.Helper()
	cert, key, err := authority.Issue("server", time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// shown is what a client is shown.
func shown(t *testing.T, c *certificate) *x509.Certificate {
	t.Helper()
	got, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return got.Leaf
}

// A new certificate is shown from the next look at its files on, and told before. Files that cannot
// be used change nothing: that is logged once, when it stays so, and in the health.
func TestCertificateIsReadAgain(t *testing.T) {
	authority, certFile, keyFile := certified(t)
	var log bytes.Buffer
	c, err := readCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var told [][]byte
	c.publishTo(func(pem []byte) { told = append(told, pem) })
	first := shown(t, c)
	issue(t, authority)
	second := shown(t, c)
	if second.Equal(first) || !shown(t, c).Equal(second) || len(told) != 2 || log.Len() > 0 {
		t.Fatalf("the second certificate is shown: %t, told %d times: %s",
			!second.Equal(first), len(told), &log)
	}
	for _, broken := range []func() error{
		func() error { return os.WriteFile(certFile, []byte("none"), 0o600) },
		func() error { return os.Remove(keyFile) },
	} {
		if err := broken(); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		for look := range 4 {
			if !shown(t, c).Equal(second) {
				t.Fatal("a certificate that cannot be used has changed what is shown")
			}
			c.since = c.since.Add(-quiet)
			if lines := strings.Count(log.String(), "\n"); lines != min(look, 1) {
				t.Errorf("look %d: logged %d times: %s", look, lines, &log)
			}
		}
		h := c.health()
		if h.Problem == nil || !h.Expires.Equal(second.NotAfter) ||
			!strings.Contains(h.Problem.Detail, certFile) {
			t.Errorf("the health is %+v", h)
		}
		issue(t, authority)
		second = shown(t, c)
		if c.health().Problem != nil ||
			!strings.Contains(log.String(), "used again") {
			t.Errorf("put right: %+v, %s", c.health(), &log)
		}
	}
}

// Two files cannot be replaced in one moment: what is looked at in between is no reason for a
// message.
func TestCertificateBetweenTwoFiles(t *testing.T) {
	authority, certFile, keyFile := certified(t)
	var log bytes.Buffer
	c, err := readCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	oldKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	first := shown(t, c)
	issue(t, authority)
	newKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, oldKey, 0o600); err != nil {
		t.Fatal(err)
	}
	if !shown(t, c).Equal(first) {
		t.Error("a certificate is shown without its key")
	}
	if err := os.WriteFile(keyFile, append(newKey, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if shown(t, c).Equal(first) || log.Len() > 0 {
		t.Errorf("the new certificate is not shown, or was spoken about: %s", &log)
	}
}

// A server that cannot speak TLS as it was told does not start, and one that others would reach in
// the clear only when it was told to.
func TestRefusesTheClear(t *testing.T) {
	_, certFile, keyFile := certified(t)
	for _, test := range []struct {
		want string
		cfg  Config
	}{
		{"belong together", Config{TLSCert: certFile}},
		{"belong together", Config{TLSKey: keyFile}},
		{"cannot be used", Config{TLSCert: keyFile, TLSKey: certFile}},
		{"no such file", Config{TLSCert: certFile + "x", TLSKey: keyFile}},
		{"--listen 0.0.0.0:0 is an address for other machines", Config{Listen: "0.0.0.0:0"}},
		{"--listen [::]:0 is an address for other machines", Config{Listen: "[::]:0"}},
		{"--listen :0 is an address for other machines", Config{Listen: ":0"}},
		{"--nats-listen 0.0.0.0:0 is an address for other machines",
			Config{NATSListen: "0.0.0.0:0"}},
		{"--nats-listen :0 is an address for other machines", Config{NATSListen: ":0"}},
	} {
		test.cfg.Dir = t.TempDir() + "/ledger"
		if test.cfg.Listen == "" {
			test.cfg.Listen = "127.0.0.1:0"
		}
		_, err := Start(t.Context(), test.cfg)
		if p := problem.From(err); p == nil || p.Kind != problem.Usage || p.Hint == "" ||
			!strings.Contains(p.Detail, test.want) {
			t.Errorf("%+v: %v", test.cfg, err)
		}
		if _, err := os.Stat(test.cfg.Dir); err == nil {
			t.Errorf("%+v: the folder was made", test.cfg)
		}
	}
}

// TLS is spoken in its version 1.3 alone, and browsers that have asked for the server by its name
// ask so ever after. Browsers apply that to every port: so it is not said of this machine, where
// other servers may not speak TLS, even to who has named the server so.
func TestTLSAlone(t *testing.T) {
	_, certFile, keyFile := certified(t)
	s, err := Start(t.Context(),
		Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Founding: founding(t),
			Version: "0.0.0",
			TLSCert: certFile, TLSKey: keyFile,
			Hosts: []string{"muster.example", "localhost", "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	address := strings.TrimPrefix(s.URL(), "https://")
	_, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true,
		MaxVersion: tls.VersionTLS12})
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.2: %v", err)
	}
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true,
		NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s := c.ConnectionState(); s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != "h2" {
		t.Errorf("version %x, protocol %q", s.Version, s.NegotiatedProtocol)
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for host, want := range map[string]string{"muster.example": "max-age=31536000",
		"localhost": "", "muster.localhost": "", "127.0.0.1": ""} {
		req, err := http.NewRequest(http.MethodGet, s.URL()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Strict-Transport-Security"); got != want ||
			resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, Strict-Transport-Security: %s", host, resp.Status, got)
		}
	}
}
