package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// A testNet is nodes in network namespaces of their own, on a bridge. What they send, or what is
// sent to them, can get lost without anybody being told: packets go into a black hole.
type testNet struct {
	nodes *nodes
	third int // byte of the addresses
}

// startNodesApart starts three nodes, each in a network namespace. That takes root, and Linux.
func startNodesApart(t *testing.T) (*nodes, *testNet) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("network namespaces take root, and the command ip")
	}
	c := &nodes{dir: t.TempDir()}
	net := &testNet{c, os.Getpid() % 250}
	bridge := fmt.Sprint("muster", os.Getpid()%100_000)
	if out, err := exec.Command("ip", "link", "add", bridge, "type", "bridge").
		CombinedOutput(); err != nil {
		t.Skipf("there can be no network here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", bridge).Run() })
	ip(t, "addr", "add", net.address(1)+"/24", "dev", bridge)
	ip(t, "link", "set", bridge, "up")
	for i := range c.each {
		n := &node{name: fmt.Sprint("n", i), host: net.address(i + 2), client: 4222, route: 6222,
			space: fmt.Sprint(bridge, "-", i)}
		c.each[i] = n
		ip(t, "netns", "add", n.space)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n.space).Run() })
		outside := fmt.Sprint(bridge, "p", i)
		ip(t, "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", n.space)
		t.Cleanup(func() { _ = exec.Command("ip", "link", "del", outside).Run() })
		ip(t, "link", "set", outside, "master", bridge, "up")
		ip(t, "-n", n.space, "addr", "add", n.host+"/24", "dev", "eth0")
		ip(t, "-n", n.space, "link", "set", "eth0", "up")
		ip(t, "-n", n.space, "link", "set", "lo", "up")
	}
	c.startAll(t)
	return c, net
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %q: %v: %s", args, err, out)
	}
}

func (n *testNet) address(last int) string { return fmt.Sprintf("10.254.%d.%d", n.third, last) }

// notHeard loses what a node sends.
func (n *testNet) notHeard(t *testing.T, of *node) (mend func()) {
	all := n.address(0) + "/24"
	ip(t, "-n", of.space, "route", "replace", "blackhole", all)
	return func() {
		ip(t, "-n", of.space, "route", "del", "blackhole", all)
		ip(t, "-n", of.space, "route", "replace", all, "dev", "eth0", "src", of.host)
	}
}

// deaf loses what is sent to a node.
func (n *testNet) deaf(t *testing.T, of *node) (mend func()) {
	everywhere := func(do string) {
		ip(t, "route", do, "blackhole", of.host+"/32")
		for _, other := range n.nodes.each {
			if other != of {
				ip(t, "-n", other.space, "route", do, "blackhole", of.host+"/32")
			}
		}
	}
	everywhere("add")
	return func() { everywhere("del") }
}
