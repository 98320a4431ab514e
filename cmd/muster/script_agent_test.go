package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// scriptAgent is "agent": it starts an ssh-agent, which has no key yet, and which commands find
// from then on. "agent fingerprint VAR FILE" has the fingerprint of a public key in a variable.
func scriptAgent(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 3 && args[0] == "fingerprint":
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(ts.ReadFile(args[2])))
		ts.Check(err)
		ts.Setenv(args[1], ssh.FingerprintSHA256(key))
		return
	case neg || len(args) > 0:
		ts.Fatalf("usage: agent [fingerprint VAR FILE]")
	}
	program, err := exec.LookPath("ssh-agent")
	if err != nil {
		if os.Getenv("CI") == "true" {
			ts.Check(err)
		}
		fmt.Fprintln(ts.Stderr(), "no ssh-agent: keys in one are not tested "+
			"(apt-get install openssh-client)")
		return
	}
	socket := ts.MkAbs("agent.sock")
	// -D: it stays in the foreground, and ends when it is killed.
	cmd := exec.Command(program, "-D", "-a", socket)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for late := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if _, err = os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(late) {
			ts.Fatalf("the ssh-agent does not listen: %v", err)
		}
	}
	ts.Setenv("SSH_AUTH_SOCK", socket)
}
