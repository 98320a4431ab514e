package package_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// before is the commit of the program that an upgrade begins with: it has the journal's form of
// today, and knows no questions to nations.
const before = "8189878"

// older builds that program, with what git and the module cache have.
func older(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	archive := exec.Command("git", "-C", "../..", "archive", before)
	unpack := exec.Command("tar", "-x", "-C", dir)
	var err error
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := unpack.Start(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Run(); err != nil {
		t.Skipf("git has no commit %s here", before)
	}
	if err := unpack.Wait(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "older")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
		"-s -w -X main.released=0.1.0 -X main.commit="+before, "-o", path, "./cmd/muster")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// A version is a program, and the ledger on which it is tried.
type version struct {
	program, ledger string
	environment     []string
}

// command has the program find the server, and the founder's key, by the ledger's folder.
func (v version) command(args ...string) *exec.Cmd {
	c := exec.Command(v.program, args...)
	c.Env = append(v.environment, "MUSTER_DATA="+v.ledger)
	return c
}

func (v version) says(t *testing.T, args ...string) string {
	t.Helper()
	var said bytes.Buffer
	c := v.command(args...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(v.program), strings.Join(args, " "), err, out,
			said.Bytes())
	}
	return string(out)
}

// serve starts a server, runs what is to be done while it serves, and stops it in good order.
func (v version) serve(t *testing.T, meanwhile func()) {
	t.Helper()
	server := v.command("serve", "--listen", "127.0.0.1:0")
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Kill() }()
	var all strings.Builder
	lines := bufio.NewScanner(said)
	for !strings.Contains(all.String(), "listening on http://") {
		if !lines.Scan() {
			t.Fatalf("%s ends: %s", filepath.Base(v.program), &all)
		}
		all.WriteString(lines.Text() + "\n")
	}
	go func() {
		for lines.Scan() { // what it goes on saying
		}
	}()
	meanwhile()
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("%s, stopped: %v", filepath.Base(v.program), err)
	}
}

// An older program founds a ledger, this one goes on with it, and the older one again, each with
// every record of the other, byte for byte. It is so until something is said that the older one
// does not know: then that says what, and does not start, and the newer one has all records still.
func TestUpgradeAndBack(t *testing.T) {
	dir := t.TempDir()
	now := version{program: program(t), ledger: filepath.Join(dir, "ledger"),
		environment: append(os.Environ(), "MUSTER_CONFIG="+filepath.Join(dir, "seen"))}
	old := now
	old.program = older(t)
	offer := func(v version, nation string) {
		v.says(t, "pledge", "offer", "--operation", "mnf-u", "--nation", nation, "--role", "ground",
			"--area", "west", "--quantity", "1500", "--from", "2027-03-01")
	}
	var log string
	goesOn := func(v version) {
		if after := v.says(t, "log", "--raw"); !strings.HasPrefix(after, log) {
			t.Errorf("%s has another log", filepath.Base(v.program))
		}
	}
	old.serve(t, func() {
		// that of its own time: it does not know what plans have said since
		old.says(t, "plan", "apply",
			filepath.Join(filepath.Dir(old.program), "cmd/muster/demo/mnf-u.plan.yaml"))
		offer(old, "NLD")
		log = old.says(t, "log", "--raw")
	})
	now.serve(t, func() {
		goesOn(now)
		if release := strings.Split(filepath.Base(now.program), "-")[1]; !strings.Contains(
			read(t, filepath.Join(now.ledger, "journal.db")), "program"+release) {
			t.Errorf("the journal does not say that it is of %s", release)
		}
		offer(now, "NOR")
		log = now.says(t, "log", "--raw")
	})
	old.serve(t, func() {
		goesOn(old)
		offer(old, "DNK")
		log = old.says(t, "log", "--raw")
	})
	now.serve(t, func() {
		goesOn(now)
		id := regexp.MustCompile(`"type":"pledge\.offered","id":"(\w+)"`).FindStringSubmatch(log)
		now.says(t, "pledge", "query", id[1], "--text", "When does parliament vote?")
		log = now.says(t, "log", "--raw")
	})
	out, err := old.command("serve", "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "pledge.queried") {
		t.Errorf("the older program, with what it does not know: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	now.serve(t, func() {
		if after := now.says(t, "log", "--raw"); after != log {
			t.Error("the older program has changed what it does not understand")
		}
	})
	t.Log(now.says(t, "verify", now.ledger))
}
