package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/cmd/internal/certtest"
	"muster/ledger/intake"
)

// Three nodes with the configuration in deploy keep a ledger. A stranger's node does not become one
// of them, whatever it lacks of what they have, and the ledger goes on.
func TestDeployedCluster(t *testing.T) {
	notShort(t)
	t.Parallel()
	c := startNodes(t)
	p := c.serve(t, "ledger", c.each[0])
	by, book := begin(t, p), newBook()
	goesOn := func(after string) {
		t.Helper()
		if err := book.submit(t.Context(), p.client(), by.offer(t)); err != nil {
			t.Errorf("after %s: %v", after, err)
		}
	}
	goesOn("the start")
	c.syncAlways(t)

	other, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const tlsOfRoutes = "tls { cert_file: $CERT, key_file: $KEY, ca_file: $CA, verify: true, " +
		"timeout: 5 }"
	handshake := regexp.MustCompile(`TLS route handshake error`)
	for name, lacks := range map[string]struct {
		by       *certtest.Authority
		password string
		edits    []string
		refused  *regexp.Regexp // what a node says of it
	}{
		"no-certificate":  {c.authority, routePassword, []string{tlsOfRoutes, ""}, handshake},
		"other-authority": {other, routePassword, nil, handshake},
		"no-password": {c.authority, "a-guess", nil,
			regexp.MustCompile(`(?i)rid:\d+ - authentication error`)},
	} {
		heard := len(c.each[0].stderr.String())
		stranger := newNode(t, name)
		c.start(t, stranger, lacks.by, lacks.password, c.each[0], c.each[1], lacks.edits...)
		for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			said := c.each[0].stderr.String()[heard:]
			if lacks.refused.MatchString(said) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not refused: %s", name, said)
			}
		}
		goesOn(name + " has come")
		for _, one := range howKept(t, c.connect(t, "admin", adminPassword, c.each[0]), 4) {
			if one.Server.Name == name || one.Data.Meta == nil || one.Data.Meta.Size != 3 {
				t.Errorf("with %s: %s says it is of %+v", name, one.Server.Name, one.Data.Meta)
			}
		}
		stranger.kill()
	}
	book.check(t, p.records(t), recordsOfBegin)
	p.stop(t)
}

// syncAlways shows that a Muster server's own user can ask each node how it keeps its files, and
// that they sync always.
func (c *nodes) syncAlways(t *testing.T) {
	t.Helper()
	all := howKept(t, c.connect(t, "muster", musterPassword), 3)
	if len(all) != 3 {
		t.Errorf("%d nodes say how they keep their files", len(all))
	}
	for _, one := range all {
		if !one.Data.Config.SyncAlways {
			t.Errorf("%s does not sync always: %+v", one.Server.Name, one.Data.Config)
		}
	}
}

// A guest that takes as much as it gets is refused the rest, and the ledger goes on: servers come
// and write, and a guest that is there already is answered.
func TestDeployedLimits(t *testing.T) {
	notShort(t)
	t.Parallel()
	c := startNodes(t)
	p := c.serve(t, "ledger", c.each[0])
	by := begin(t, p)
	paris, err := c.as("paris", musterPassword, c.each[1]).ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	defer paris.Close()

	greedy := c.greedy(t)
	for n := range 1500 {
		if _, err := greedy.SubscribeSync(fmt.Sprint("_INBOX.greedy.", n)); err != nil {
			t.Fatal(err)
		}
	}
	_ = greedy.Flush() // whose error is the connection's
	if !errors.Is(greedy.LastError(), nats.ErrMaxSubscriptionsExceeded) {
		t.Errorf("1500 subscriptions: %v", greedy.LastError())
	}
	if err := greedy.Publish("muster.submit", make([]byte, greedy.MaxPayload()+1)); !errors.Is(err,
		nats.ErrMaxPayload) {
		t.Errorf("a payload that is too large: %v", err)
	}
	for _, to := range []intake.Submitter{p.client(), intake.NATSClient{Conn: paris}} {
		if _, err := to.Submit(t.Context(), by.offer(t)); err != nil {
			t.Errorf("beside a greedy guest: %v", err)
		}
	}
	if _, err := c.as("berlin", musterPassword, c.each[2]).Connect("_MUSTER"); err != nil {
		t.Errorf("a server that comes after a greedy guest: %v", err)
	}
}

// greedy makes connections as a guest until it is refused one, and returns one of them.
func (c *nodes) greedy(t *testing.T) *nats.Conn {
	t.Helper()
	patiently := []nats.Option{nats.NoReconnect(), nats.Timeout(patience),
		nats.SetCustomDialer(&net.Dialer{Timeout: patience})}
	var first *nats.Conn
	for n := range 1100 {
		nc, err := c.as("guest", "guest", c.each[n%3]).Connect("", patiently...)
		if errors.Is(err, nats.ErrMaxAccountConnectionsExceeded) {
			return first
		}
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		t.Cleanup(nc.Close)
		first = nc
	}
	t.Fatal("a guest has as many connections as it likes")
	return nil
}

// The commands with which deploy/README.md makes certificates make some that a node can show, to
// other nodes and to clients, and that no other authority has signed.
func TestDeployedCertificates(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    openssl .*$`).FindAllString(string(text), -1)
	if len(commands) != 3 {
		t.Fatalf("there are %d commands", len(commands))
	}
	dir := t.TempDir()
	for _, command := range commands {
		run := exec.Command("sh", "-c", command)
		run.Dir = dir
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, said)
		}
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key"))
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(dir, "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(authority) {
		t.Fatal("the authority is no certificate")
	}
	for _, name := range []string{"a.example", "192.0.2.1"} {
		for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth,
			x509.ExtKeyUsageClientAuth} {
			if _, err := own.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: known,
				KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
				t.Errorf("%s, as %v: %v", name, use, err)
			}
		}
	}
	info, err := os.Stat(filepath.Join(dir, "a.key"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the key: %v, %v", info.Mode(), err)
	}
}
