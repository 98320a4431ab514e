package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/backup"
	"muster/cmd/internal/certtest"
	"muster/cmd/internal/doctor"
	"muster/cmd/internal/server"
)

// examined runs muster doctor, and returns what each check says.
func examined(t *testing.T, dir string, flags ...string) (code int, by map[string]doctor.Finding) {
	t.Helper()
	code, out, said := newUser(t).types(t,
		append([]string{"doctor", "--data", dir, "-o", "json"}, flags...)...)
	var r doctor.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.OK != (code == 0) {
		t.Fatalf("exit code %d, %v:\n%s%s", code, err, out, said)
	}
	by = map[string]doctor.Finding{}
	for _, f := range r.Findings {
		by[f.Check] = f
	}
	return code, by
}

// isBad fails the test unless these checks are bad, and no others, and each says what to do.
func isBad(t *testing.T, dir string, checks ...string) {
	t.Helper()
	isBadWith(t, dir, nil, checks...)
}

// ofTheMachine are the checks of the disk on which the test runs, which may be as full and as slow
// as it likes: TestDoctorOfTheDisk has one of its own.
var ofTheMachine = map[string]bool{"space": true, "speed": true}

func isBadWith(t *testing.T, dir string, flags []string, checks ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, c := range checks {
		want[c] = true
	}
	code, by := examined(t, dir, flags...)
	bad := false
	for name, f := range by {
		is := f.Outcome == doctor.Bad
		bad = bad || is
		if is != want[name] && !(is && ofTheMachine[name]) || is && f.Do == "" {
			t.Errorf("with %v bad: %+v", checks, f)
		}
	}
	if (code == 1) != bad {
		t.Errorf("with %v bad, the exit code is %d", checks, code)
	}
}

// A server that is well, and each line of its folder that can be made bad.
func TestDoctor(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := t.TempDir()
	p := serving(t, filepath.Join(dir, "ledger"))
	begin(t, p)
	u := newUser(t)
	u.content(t, "backup", filepath.Join(dir, "backup"), "--data", p.dir)
	isBad(t, p.dir)

	if err := os.Chmod(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	isBad(t, p.dir, "permissions")
	key := filepath.Join(p.dir, server.CheckpointKeyFile)
	if err := errors.Join(os.Chmod(p.dir, 0o700), os.Rename(key, key+".away")); err != nil {
		t.Fatal(err)
	}
	isBad(t, p.dir, "keys")
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	old := backup.Manifest{Taken: time.Now().AddDate(0, 0, -8), Records: 3}
	if err := backup.Note(p.dir, old, "/backups/old"); err != nil {
		t.Fatal(err)
	}
	isBad(t, p.dir, "backup")
	isBadWith(t, p.dir, []string{"--backup-within", "200h"})
	remove(t, filepath.Join(p.dir, server.BackupFile))
	isBad(t, p.dir) // the ledger is young
	isBadWith(t, p.dir, []string{"--backup-within", "1ns"}, "backup")

	p.stop(t)
	isBad(t, p.dir)
	restored := filepath.Join(dir, "restored")
	u.content(t, "restore", filepath.Join(dir, "backup"), restored)
	isBad(t, restored, "copy", "keys")
	journal := filepath.Join(p.dir, server.JournalFile)
	if err := os.Truncate(journal, fileSize(t, journal)/2); err != nil {
		t.Fatal(err)
	}
	isBad(t, p.dir, "tree")
	if code, _, _ := u.types(t, "doctor", "--data", dir); code != 3 {
		t.Errorf("a folder that is no server's: exit code %d", code)
	}
	if code, _, _ := u.types(t, "doctor"); code != 2 {
		t.Errorf("no folder: exit code %d", code)
	}
}

// The certificate ends soon, or has ended, or is not for the server's names.
func TestDoctorOfTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	dir := t.TempDir()
	authority, err := certtest.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		until time.Duration
		host  string
		bad   []string
	}{
		"good":  {100 * 24 * time.Hour, "localhost", nil},
		"soon":  {24 * time.Hour, "localhost", []string{"tls"}},
		"ended": {-time.Minute, "localhost", []string{"tls"}},
		"other": {100 * 24 * time.Hour, "muster.example", []string{"names"}},
	} {
		cert, key, err := authority.Issue(name, time.Now().Add(c.until), "localhost")
		if err != nil {
			t.Fatal(err)
		}
		p := launch(t, filepath.Join(dir, "ledger-"+name), "--tls-cert", cert, "--tls-key", key,
			"--host", c.host)
		if _, err := p.await(&p.stderr, `listening on (https://\S+)`); err != nil {
			t.Fatal(err)
		}
		isBad(t, p.dir, c.bad...)
		p.kill()
	}
}

// The stream is on one NATS server, by its configuration could lose records, does not answer; and a
// server that hangs says nothing.
func TestDoctorOfTheStream(t *testing.T) {
	notShort(t)
	t.Parallel()
	dir := t.TempDir()
	srv := natsCluster(t, filepath.Join(dir, "store"), anyPort)
	p := serving(t, filepath.Join(dir, "ledger"), "--nats", srv.ClientURL())
	isBad(t, p.dir, "replicas")
	nc, err := nats.Connect(srv.ClientURL(), nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), "MUSTER")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxMsgs = 1_000_000
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if _, by := examined(t, p.dir); by["stream"].Outcome != doctor.Bad {
		t.Errorf("a stream with a limit: %+v", by["stream"])
	}
	stopNATS(srv)
	if _, by := examined(t, p.dir); by["stream"].Outcome != doctor.Bad ||
		by["replicas"].Outcome != doctor.Unknown {
		t.Errorf("no NATS server: %+v, %+v", by["stream"], by["replicas"])
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, by := examined(t, p.dir); by["server"].Outcome != doctor.Bad {
		t.Errorf("a server that hangs: %+v", by["server"])
	}
	p.kill()
}

// A server on three nodes as deploy has them is well; with a stream of one replica it is not, nor
// while a node is away.
func TestDoctorOnACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("three NATS nodes start")
	}
	t.Parallel()
	c := startNodes(t)
	p := c.serve(t, "a", c.each[0])
	isBad(t, p.dir)
	if _, by := examined(t, p.dir); by["sync"].Outcome != doctor.OK ||
		by["replicas"].Outcome != doctor.OK {
		t.Errorf("three nodes: %+v, %+v", by["sync"], by["replicas"])
	}
	c.each[2].kill()
	awaitBad(t, p.dir, "replicas")
	c.start(t, c.each[2], c.authority, routePassword, c.each[0], c.each[1])
	js, err := jetstream.New(c.connect(t, "muster", musterPassword))
	if err != nil {
		t.Fatal(err)
	}
	oneReplica := func() error { // once the nodes have chosen who leads
		s, err := js.Stream(t.Context(), "MUSTER")
		if err != nil {
			return err
		}
		cfg := s.CachedInfo().Config
		cfg.Replicas = 1
		_, err = js.UpdateStream(t.Context(), cfg)
		return err
	}
	for end := time.Now().Add(patience); ; {
		err := oneReplica()
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	if f := awaitBad(t, p.dir, "replicas"); !strings.Contains(f.Text, "1 replica ") {
		t.Errorf("one replica: %+v", f)
	}
	p.stop(t)
}

// awaitBad waits until a check is bad.
func awaitBad(t *testing.T, dir, check string) doctor.Finding {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, by := examined(t, dir); by[check].Outcome == doctor.Bad {
			return by[check]
		}
	}
	t.Fatalf("the check %s does not become bad", check)
	return doctor.Finding{}
}

// There is little space, or the folder is in memory.
func TestDoctorOfTheDisk(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(smallDisk(t), "ledger"))
	isBad(t, p.dir, "space")
	p.stop(t)
}
