package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger/logtest"
)

// asNode has this test program be a NATS server, a process that can be stopped and killed.
const asNode = "MUSTER_FAULTS_NODE"

// natsNode is what the program nats-server does.
func natsNode() {
	opts, err := natsserver.ConfigureOptions(flag.NewFlagSet("nats-server", flag.ExitOnError),
		os.Args[1:], nil, nil, nil)
	var srv *natsserver.Server
	if err == nil {
		srv, err = natsserver.NewServer(opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	srv.ConfigureLogger()
	if err := natsserver.Run(srv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	srv.WaitForShutdown()
}

// A cluster is three NATS nodes, each a process.
type cluster struct {
	t     testing.TB
	nodes [3]*node
}

type node struct {
	*process
	conf    string
	address string // for clients
}

// startCluster starts three nodes, and returns when they keep streams.
func startCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{t: t}
	dir := t.TempDir()
	var routes []string
	for i := range c.nodes {
		c.nodes[i] = &node{address: freeAddress(t)}
		routes = append(routes, "nats://"+freeAddress(t))
	}
	for i, n := range c.nodes {
		n.conf = filepath.Join(dir, fmt.Sprintf("n%d.conf", i))
		text := fmt.Sprintf("server_name: n%d\nlisten: %q\n"+
			"jetstream { store_dir: %q, sync_interval: always }\n"+
			"cluster { name: muster, listen: %q, routes: [%s] }\n", i, n.address,
			filepath.Join(dir, fmt.Sprint("n", i)), strings.TrimPrefix(routes[i], "nats://"),
			strings.Join(routes, ", "))
		if err := os.WriteFile(n.conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.start(n)
	}
	c.awaitStreams()
	return c
}

func (c *cluster) start(n *node) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(self, "-c", n.conf)
	cmd.Env = []string{asNode + "=1"}
	n.process = launch(c.t, cmd)
	if _, err := n.await(`Server is ready`); err != nil {
		c.t.Fatal(err)
	}
}

// urls is where the cluster takes clients.
func (c *cluster) urls() string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, "nats://"+n.address)
	}
	return strings.Join(all, ",")
}

// awaitStreams returns when the nodes have found each other and make streams.
func (c *cluster) awaitStreams() {
	c.t.Helper()
	nc, err := nats.Connect(c.urls())
	if err != nil {
		c.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	late := time.Now().Add(patience)
	for {
		_, err := js.CreateStream(c.t.Context(), jetstream.StreamConfig{Name: "READY",
			Subjects: []string{"ready"}, Replicas: 3})
		if err == nil {
			break
		}
		if time.Now().After(late) {
			c.t.Fatalf("the nodes do not come together: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := js.DeleteStream(c.t.Context(), "READY"); err != nil {
		c.t.Fatal(err)
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	host, port := logtest.Address(t)
	return fmt.Sprint(host, ":", port)
}
