package main

import (
	"fmt"
	"net/url"
	"os"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCondition is what scripts can ask of this machine besides what testscript knows: whether a
// small disk can be mounted, for which root's rights are needed.
func scriptCondition(name string) (bool, error) {
	if name != "disks" {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	dir, err := os.MkdirTemp("", "muster-disk")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(dir) }()
	if syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m") != nil {
		return false, nil
	}
	return true, syscall.Unmount(dir, 0)
}

// disk DIR: mounts a disk of 16 MiB at a new folder, until the script ends.
func scriptDisk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: disk DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o700))
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m,mode=0700"))
	ts.Defer(func() { ts.Check(syscall.Unmount(dir, syscall.MNT_DETACH)) })
}

// node DIR: starts a NATS server of its own, with JetStream in this folder, and goes on when it is
// ready. $NODE is then its address, and stays it when another is started after halt DIR.
func scriptNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || servers(ts)[args[0]] != nil {
		ts.Fatalf("usage: node DIR, once until halt DIR")
	}
	port := "-1"
	if at, err := url.Parse(ts.Getenv("NODE")); err == nil && at.Port() != "" {
		port = at.Port()
	}
	p, err := startProgram("nats-server", ts.MkAbs("."), nil, "-js", "-sd", args[0], "-a",
		"127.0.0.1", "-p", port)
	ts.Check(err)
	ts.Defer(p.kill)
	servers(ts)[args[0]] = p
	found, err := p.await(&p.stderr, `client connections on (127\.0\.0\.1:\d+)`)
	ts.Check(err)
	_, err = p.await(&p.stderr, `Server is ready`)
	ts.Check(err)
	ts.Setenv("NODE", "nats://"+found[1])
}
