package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/cmd/internal/certtest"
	"muster/events"
	"muster/ledger/intake"
	"muster/projections/web"
)

// The configurations of proxies in deploy are taken by the real programs. Through each, a page of
// the server's own posts a statement and one from elsewhere does not, a stream tells of that
// statement at once, what is too long is kept out, and the server knows clients apart.
func TestProxiesInFront(t *testing.T) {
	notShort(t)
	t.Parallel()
	for _, proxy := range []struct {
		name, file string
		start      func(t *testing.T, dir, text string)
	}{{"nginx", "nginx.conf", startNginx}, {"caddy", "Caddyfile", startCaddy}} {
		t.Run(proxy.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(proxy.name); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skipf("there is no %s on this machine", proxy.name)
			}
			f := newFronted(t, proxy.file, proxy.start)
			f.passesStatements(t)
			f.keepsOut(t)
		})
	}
}

// A fronted server is asked through a proxy, as https://muster.example.
type fronted struct {
	dir    string // of the ledger
	log    string // the access log
	at     string // where the proxy listens
	config *tls.Config
	client *http.Client
}

const frontedName = "muster.example"

func newFronted(t *testing.T, file string, start func(t *testing.T, dir, text string)) *fronted {
	t.Helper()
	root := t.TempDir()
	f := &fronted{dir: filepath.Join(root, "ledger"), log: filepath.Join(root, "access.log"),
		at: freeAddress(t)}
	authority, err := certtest.New(root)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue("front", time.Now().Add(time.Hour), frontedName)
	if err != nil {
		t.Fatal(err)
	}
	server, err := startBackground(root, nil, "serve", "--data", f.dir, "--listen", "127.0.0.1:0",
		"--host", frontedName, "--proxy", "127.0.0.1", "--read", "open", "--access-log", f.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.kill)
	found, err := server.await(&server.stderr, `listening on http://(\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	start(t, root, madeOwn(t, string(text), "127.0.0.1:8080", found[1],
		"/etc/muster/cert.pem", cert, "/etc/muster/key.pem", key, "443", f.at))
	known := x509.NewCertPool()
	if text, err = os.ReadFile(authority.File); err != nil || !known.AppendCertsFromPEM(text) {
		t.Fatal("the authority's certificate is none", err)
	}
	f.config = &tls.Config{RootCAs: known, ServerName: frontedName}
	f.client = f.from("127.0.0.1")
	return f
}

// madeOwn puts what this machine has in the place of what stands in a configuration, all of which
// must be there: pairs in turn. The port of TLS is one only behind "listen" or the name.
func madeOwn(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		old, with := pairs[i], pairs[i+1]
		if old == "443" {
			host, port, _ := net.SplitHostPort(with)
			text = strings.ReplaceAll(text, "listen 443", "listen "+with)
			text = strings.ReplaceAll(text, "\n"+frontedName+" {",
				"\nhttps://"+frontedName+":"+port+" {\n\tbind "+host)
			old, with = "listen 80;", "listen "+freeAddress(t)+";"
		} else if !strings.Contains(text, old) {
			t.Fatalf("the configuration has no %s", old)
		}
		text = strings.ReplaceAll(text, old, with)
	}
	return text
}

// startNginx runs nginx with a site's file, which stands in its http block.
func startNginx(t *testing.T, dir, text string) {
	t.Helper()
	main := fmt.Sprintf("daemon off;\npid %[1]s/nginx.pid;\nerror_log stderr notice;\n"+
		"events {}\nhttp {\naccess_log off;\nclient_body_temp_path %[1]s/body;\n"+
		"proxy_temp_path %[1]s/proxy;\nfastcgi_temp_path %[1]s/fastcgi;\n"+
		"uwsgi_temp_path %[1]s/uwsgi;\nscgi_temp_path %[1]s/scgi;\ninclude %[1]s/site.conf;\n}\n",
		dir)
	writeFiles(t, dir, "site.conf", text, "nginx.conf", main)
	conf := filepath.Join(dir, "nginx.conf")
	if out, err := exec.Command("nginx", "-p", dir, "-e", "stderr", "-t", "-c",
		conf).CombinedOutput(); err != nil || bytes.Contains(out, []byte("[warn]")) {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	runProxy(t, dir, `start worker process`, "nginx", "-p", dir, "-e", "stderr", "-c", conf)
}

func startCaddy(t *testing.T, dir, text string) {
	t.Helper()
	writeFiles(t, dir, "Caddyfile", text)
	file := filepath.Join(dir, "Caddyfile")
	runProxy(t, dir, `serving initial configuration`, "caddy", "run", "--config", file,
		"--adapter", "caddyfile")
}

func writeFiles(t *testing.T, dir string, pairs ...string) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		err := os.WriteFile(filepath.Join(dir, pairs[i]), []byte(pairs[i+1]), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// runProxy runs a program until the test ends, and waits until it says that it is there.
func runProxy(t *testing.T, dir, ready, name string, args ...string) {
	t.Helper()
	p, err := startProgram(name, dir, []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir,
		"XDG_CONFIG_HOME=" + dir}, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.terminate(); err != nil {
			t.Logf("%s has ended: %v", name, err)
		}
	})
	if _, err := p.await(&p.stderr, ready); err != nil {
		t.Fatal(err)
	}
}

// from is a client that comes from an address of this machine.
func (f *fronted) from(address string) *http.Client {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: f.config,
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return from.DialContext(ctx, "tcp", f.at)
		}}}
}

// do asks through the proxy, with headers in turn.
func (f *fronted) do(t *testing.T, client *http.Client, method, path string, body []byte,
	headers ...string) *http.Response {
	t.Helper()
	resp, err := f.try(t, client, method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// try does the same, and may come back without an answer.
func (f *fronted) try(t *testing.T, client *http.Client, method, path string, body []byte,
	headers ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url()+path,
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// url is the address of the server, as clients write it.
func (f *fronted) url() string {
	_, port, _ := net.SplitHostPort(f.at)
	return "https://" + frontedName + ":" + port
}

// passesStatements posts as a page does, while a stream is open.
func (f *fronted) passesStatements(t *testing.T) {
	t.Helper()
	stream := f.do(t, f.client, "GET", web.Root+"/records/events", nil)
	told := bufio.NewScanner(stream.Body)
	if stream.StatusCode != http.StatusOK || !told.Scan() { // before anything happens
		t.Fatalf("the stream: %s, %v", stream.Status, told.Err())
	}
	founder := founderOf(t, f.dir)
	var ledger web.Ledger
	client := web.Client{URL: f.url(), HTTP: f.client}
	if err := client.Ask(t.Context(), "ledger", nil, &ledger); err != nil {
		t.Fatal(err)
	}
	closed := signed(t, &events.MeetingClosed{Header: events.Header{
		Type: "meeting.closed", ID: events.NewID(), Ledger: ledger.Origin},
		Dated: events.Dated{Effective: 2026_01_01}, Name: "first meeting"}, founder)
	post := func(origin string) *http.Response {
		return f.do(t, f.client, "POST", intake.Path, closed.Note, "Content-Type",
			intake.ContentType, "Origin", origin)
	}
	if resp := post("https://elsewhere.example"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page from elsewhere posts a statement: %s", resp.Status)
	}
	if resp := post(f.url()); resp.StatusCode != http.StatusCreated {
		said, _ := io.ReadAll(resp.Body)
		t.Fatalf("a page of the server's posts a statement: %s %s", resp.Status, said)
	}
	for told.Scan() && !strings.Contains(told.Text(), "first meeting") {
	}
	if err := told.Err(); err != nil || !strings.Contains(told.Text(), "first meeting") {
		t.Errorf("the stream tells of no statement: %v", err)
	}
}

// keepsOut asks for what no proxy passes on, and comes from another address.
func (f *fronted) keepsOut(t *testing.T) {
	t.Helper()
	long := f.do(t, f.client, "POST", web.Root+"/preview", make([]byte, 1<<20+1),
		"Content-Type", "application/json")
	if long.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too long: %s", long.Status)
	}
	headers, err := f.try(t, f.from("127.0.0.1"), "GET", "/healthz", nil, "Cookie",
		strings.Repeat("a", 40<<10)) // some hang up
	if err == nil && headers.StatusCode < 400 {
		t.Errorf("headers that are too long: %s", headers.Status)
	}
	there := f.do(t, f.from("127.0.0.2"), "GET", "/api/v1/ledger", nil)
	if there.StatusCode != http.StatusOK || there.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("from another address: %s, %v", there.Status, there.Header)
	}
	await(t, "the access log", func() error {
		said, err := os.ReadFile(f.log)
		if err == nil && !bytes.Contains(said, []byte(`"client":"127.0.0.2"`)) {
			err = fmt.Errorf("the server takes both for one client:\n%s", said)
		}
		return err
	})
}
