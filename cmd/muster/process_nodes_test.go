package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/certtest"
	"muster/cmd/internal/reach"
	"muster/ledger/logtest"
)

// natsNode is what the program nats-server does. Tests run it as a process of its own, which can be
// stopped and killed: this test program under that name.
func natsNode() {
	opts, err := natsserver.ConfigureOptions(flag.NewFlagSet("nats-server", flag.ExitOnError),
		os.Args[1:], nil, nil, nil)
	var srv *natsserver.Server
	if err == nil {
		srv, err = natsserver.NewServer(opts)
	}
	if err == nil {
		srv.ConfigureLogger()
		err = natsserver.Run(srv)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	srv.WaitForShutdown()
}

// nodes are three NATS servers in processes of their own, with the configuration in deploy
// and certificates of an authority of their own.
type nodes struct {
	dir       string
	authority *certtest.Authority
	each      [3]*node
}

// A node is one of them, or wants to be.
type node struct {
	*background
	name, host    string
	client, route int    // ports
	space         string // the network namespace that it runs in, "" for this process's

	env []string
}

// What the nodes show each other, and what Muster's users and the administrator show them.
const routePassword, musterPassword, adminPassword = "between-nodes", "of-muster", "of-the-admin"

// startNodes starts three nodes on this machine, and returns when they take streams.
func startNodes(t *testing.T) *nodes {
	t.Helper()
	c := newNodes(t)
	c.startAll(t)
	return c
}

func newNodes(t *testing.T) *nodes {
	t.Helper()
	c := &nodes{dir: t.TempDir()}
	for i := range c.each {
		c.each[i] = newNode(t, fmt.Sprint("n", i))
	}
	return c
}

func (c *nodes) startAll(t *testing.T) {
	t.Helper()
	var err error
	if c.authority, err = certtest.New(c.dir); err != nil {
		t.Fatal(err)
	}
	for i, n := range c.each {
		c.start(t, n, c.authority, routePassword, c.each[(i+1)%3], c.each[(i+2)%3])
	}
	c.awaitLeader(t)
}

// start starts a node that shows certificates of an authority and a password to two others. Edits
// are pairs: what to replace in its configuration, and with what.
func (c *nodes) start(t *testing.T, n *node, by *certtest.Authority, password string, a, b *node,
	edits ...string) {
	t.Helper()
	cert, key, err := by.Issue(n.name, time.Now().Add(time.Hour), n.host, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "nats-server.conf"))
	if err != nil {
		t.Fatal(err)
	}
	edits = append([]string{"0.0.0.0:4222", fmt.Sprintf("%s:%d", n.host, n.client),
		"0.0.0.0:6222", fmt.Sprintf("%s:%d", n.host, n.route),
		"      #   ", ""}, edits...)
	conf := filepath.Join(c.dir, n.name+".conf")
	text = []byte(strings.NewReplacer(edits...).Replace(string(text)))
	if err := os.WriteFile(conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	route := func(to *node) string {
		return fmt.Sprintf("nats://route:%s@%s:%d", password, to.host, to.route)
	}
	n.env = []string{"NODE=" + n.name, "ROUTE_A=" + route(a), "ROUTE_B=" + route(b),
		"STORE=" + filepath.Join(c.dir, n.name), "CERT=" + cert, "KEY=" + key, "CA=" + by.File,
		"ROUTE_PASSWORD=" + password, "MUSTER_PASSWORD=" + musterPassword,
		"ADMIN_PASSWORD=" + adminPassword, "PARIS_PASSWORD=" + musterPassword,
		"BERLIN_PASSWORD=" + musterPassword}
	c.restart(t, n)
}

// restart starts a node as it was started before.
func (c *nodes) restart(t *testing.T, n *node) {
	t.Helper()
	command := []string{"nats-server", "-c", filepath.Join(c.dir, n.name+".conf")}
	if n.space != "" {
		command = append([]string{"ip", "netns", "exec", n.space}, command...)
	}
	b, err := startProgram(command[0], c.dir, n.env, command[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	n.background = b
	t.Cleanup(func() {
		b.kill()
		if said := b.stderr.String(); broken.MatchString(said) || t.Failed() {
			t.Logf("the node %s said:\n%.20000s", n.name, said)
		}
	})
	if _, err := b.await(&b.stderr, `Server is ready`); err != nil {
		t.Fatal(err)
	}
}

// newNode finds a place for a node on this machine.
func newNode(t *testing.T, name string) *node {
	t.Helper()
	n := &node{name: name}
	n.host, n.client = logtest.Address(t)
	taken, err := net.Listen("tcp", fmt.Sprint(n.host, ":", n.client))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l, err := net.Listen("tcp", n.host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n.route = l.Addr().(*net.TCPAddr).Port
	return n
}

// url is where a node takes clients.
func (n *node) url() string { return fmt.Sprintf("tls://%s:%d", n.host, n.client) }

// as says how to come to some of the nodes as a user, "" for somebody without a name.
func (c *nodes) as(user, password string, at ...*node) reach.NATS {
	var urls []string
	for _, n := range at {
		urls = append(urls, n.url())
	}
	return reach.NATS{URLs: strings.Join(urls, ","), CA: c.authority.File, User: user,
		Password: password}
}

// connect connects to a node, or to any, until the test ends.
func (c *nodes) connect(t *testing.T, user, password string, at ...*node) *nats.Conn {
	t.Helper()
	if at == nil {
		at = c.each[:]
	}
	nc, err := c.as(user, password, at...).Connect("", nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// awaitLeader returns when the three nodes have found each other and chosen who says where streams
// are.
func (c *nodes) awaitLeader(t *testing.T) {
	t.Helper()
	admin := c.connect(t, "admin", adminPassword)
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		all := howKept(t, admin, 3)
		ready := 0
		for _, one := range all {
			if m := one.Data.Meta; m != nil && m.Leader != "" && m.Size == 3 {
				ready++
			}
		}
		if ready == 3 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the nodes do not come together: %+v", all)
		}
	}
}

// nodeReport is what a node says of how it keeps streams.
type nodeReport struct {
	Server natsserver.ServerInfo `json:"server"`
	Data   natsserver.JSInfo     `json:"data"`
}

// howKept asks all nodes how they keep streams, and returns when as many as are expected have
// answered, or after a second.
func howKept(t *testing.T, nc *nats.Conn, expected int) (all []nodeReport) {
	t.Helper()
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err == nil {
		err = nc.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	for end := time.Now().Add(time.Second); len(all) < expected; {
		m, err := sub.NextMsg(time.Until(end))
		if errors.Is(err, nats.ErrTimeout) {
			return all
		}
		var one nodeReport
		if err == nil {
			err = json.Unmarshal(m.Data, &one)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// serve starts a Muster server whose connection goes to a node first.
func (c *nodes) serve(t *testing.T, name string, to *node, flags ...string) *serverProcess {
	t.Helper()
	p := c.launch(t, name, to, flags...)
	p.awaitListening(t)
	return p
}

func (c *nodes) launch(t *testing.T, name string, to *node, flags ...string) *serverProcess {
	t.Helper()
	return launchIn(t, filepath.Join(c.dir, name), []string{"MUSTER_NATS_USER=muster",
		"MUSTER_NATS_PASSWORD=" + musterPassword, "MUSTER_NATS_SERVICE_USER=service",
		"MUSTER_NATS_SERVICE_PASSWORD=" + musterPassword}, append([]string{"--name", name,
		"--nats", to.url(), "--nats-ca", c.authority.File, "--replicas", "3", "--read", "open"},
		flags...)...)
}

// leader returns the node that leads the ledger's stream.
func (c *nodes) leader(t *testing.T, nc *nats.Conn) *node {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		s, err := js.Stream(t.Context(), "MUSTER")
		if err != nil {
			continue
		}
		for _, n := range c.each {
			if cl := s.CachedInfo().Cluster; cl != nil && n.name == cl.Leader {
				return n
			}
		}
	}
	t.Fatal("the stream has no leader")
	return nil
}
