package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/ledger/logtest"
)

// A lite is torchwood's litewitness in a process of its own, whose key a real ssh-agent has: a
// witness of which nothing was written here.
type lite struct {
	*background
	url, key string
}

// litewitness starts one that knows a ledger's checkpoint key.
func litewitness(t *testing.T, checkpointKey string) *lite {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes a while to build")
	}
	for _, program := range []string{"ssh-agent", "ssh-add", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("litewitness has its key in an agent: %v", err)
		}
	}
	dir, err := os.MkdirTemp("", "lite") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	socket, db := filepath.Join(dir, "agent"), filepath.Join(dir, "db")
	run := func(in, name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir, c.Env = in, append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	const program = "filippo.io/torchwood/cmd/litewitness"
	list := exec.Command("go", "list", "-deps", "./known", program) // which downloads what it needs
	list.Dir = "testdata/litewitness"
	if out, err := list.CombinedOutput(); err != nil {
		t.Skipf("the modules of litewitness cannot be had here: %v\n%.500s", err, out)
	}
	run("testdata/litewitness", "go", "build", "-o", dir+"/", "./known", program)
	run(dir, filepath.Join(dir, "known"), db, checkpointKey)
	agent, err := startProgram("ssh-agent", dir, nil, "-D", "-a", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(agent.kill)
	await(t, "an agent", func() error {
		_, err := os.Stat(socket)
		return err
	})
	run(dir, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key")
	run(dir, "ssh-add", "-q", "key")
	fingerprint := strings.Fields(run(dir, "ssh-keygen", "-lf", "key.pub"))[1]
	address := freeAddress(t)
	b, err := startProgram(filepath.Join(dir, "litewitness"), dir, nil, "-db", db, "-ssh-agent",
		socket, "-key", fingerprint, "-name", "lite.example/nor", "-listen", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	found, err := b.await(&b.stderr, `vkey=(\S+)`)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a litewitness that listens", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			err = c.Close()
		}
		return err
	})
	return &lite{b, "http://" + address, found[1]}
}

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	host, port := logtest.Address(t)
	return fmt.Sprint(host, ":", port)
}
