package main

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A noted is a line of an access log.
type noted struct {
	Time, Who, Role, Client, Face, Method, What, View, Refused string
	Status                                                     int
	Bytes, MS                                                  int64
	Lost                                                       int
}

// accessLog reads an access log, with each line whole.
func accessLog(t *testing.T, file string) (lines []noted) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var n noted
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, n)
	}
	return lines
}

// until returns when something is so that nobody tells of.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to it that %s", what)
		}
	}
}

// awaitNoted returns the first line about something, as soon as it is there.
func awaitNoted(t *testing.T, file, what string) (found noted) {
	t.Helper()
	until(t, "the access log has "+what, func() bool {
		for _, n := range accessLog(t, file) {
			if n.What == what {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

func asks(t *testing.T, method, url string, header http.Header) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// What is asked over HTTP and NATS is noted, with how it was answered; where the file was moved
// away and the server is told, in a new one. What nobody may learn from a log is not in it.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "access.log")
	p := serving(t, filepath.Join(dir, "ledger"), "--nats-listen", "127.0.0.1:0",
		"--access-log", file)
	p.awaitNATS(t)
	token := strings.Repeat("aZ9-_", 9)[:43]
	secrets := http.Header{"Authorization": {"Basic " + token}, "Referer": {p.url + "/?x=" + token}}
	asks(t, "GET", p.url+"/api/v1/coverage?operation=mnf-u", secrets)
	asks(t, "GET", p.url+"/api/v1/members.csv", nil)
	asks(t, "GET", p.url+"/api/v1/members?session="+token, nil)
	asks(t, "GET", p.url+"/strength?rung=none", nil)
	asks(t, "POST", p.url+"/api/v1/statements", nil)
	asks(t, "GET", p.url+"/"+strings.Repeat("x", 5000), nil)
	asks(t, "GET", p.url+"/last", nil)

	if n := awaitNoted(t, file, "/api/v1/coverage?operation=mnf-u"); n.Status != 404 ||
		n.Refused != "not-found" || n.Client != "127.0.0.1" || n.Face != "http" ||
		n.Method != "GET" ||
		n.Bytes == 0 || n.Who != "" || n.Time == "" {
		t.Errorf("a question is noted as %+v", n)
	}
	if n := awaitNoted(t, file, "/api/v1/members.csv"); n.Status != 200 || n.Refused != "" ||
		n.Bytes == 0 {
		t.Errorf("rows are noted as %+v", n)
	}
	if n := awaitNoted(t, file, "/api/v1/members?session=…"); n.Status != 400 ||
		n.Refused != "usage" {
		t.Errorf("an unknown parameter is noted as %+v", n)
	}
	if n := awaitNoted(t, file, "/strength?rung=none"); n.Status < 400 || n.Refused == "" {
		t.Errorf("a page that refuses is noted as %+v", n)
	}
	if n := awaitNoted(t, file, "/api/v1/statements"); n.Status < 400 || n.Method != "POST" {
		t.Errorf("a statement is noted as %+v", n)
	}
	if n := awaitNoted(t, file, "/"+strings.Repeat("x", 4095)+"…"); n.Status != 414 {
		t.Errorf("what is too long is noted as %+v", n)
	}
	awaitNoted(t, file, "/last")

	nc, err := nats.Connect(p.nats, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for subject, data := range map[string]string{"muster.members": "{}",
		"muster.submit": `{"x":"secret"}`,
		"muster.tile":   "tile/x", "muster.coverage": `{"operation":"none"}`} {
		if _, err := nc.RequestMsgWithContext(t.Context(),
			&nats.Msg{Subject: subject, Data: []byte(data),
				Header: nats.Header{"Some": {token}}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := awaitNoted(t, file, "muster.members {}"); n.Status != 200 || n.Face != "nats" ||
		!strings.HasPrefix(n.Client, "_INBOX.") || n.Bytes == 0 {
		t.Errorf("a question over NATS is noted as %+v", n)
	}
	if n := awaitNoted(t, file, `muster.coverage {"operation":"none"}`); n.Status != 404 ||
		n.Refused != "not-found" {
		t.Errorf("a refusal over NATS is noted as %+v", n)
	}
	if n := awaitNoted(t, file, "muster.submit"); n.Status != 400 || n.Refused != "syntax" {
		t.Errorf("a statement over NATS is noted as %+v", n)
	}
	awaitNoted(t, file, "muster.tile tile/x")

	rotated := file + ".1"
	if err := os.Rename(file, rotated); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the file is opened anew", func() bool { _, err := os.Stat(file); return err == nil })
	asks(t, "GET", p.url+"/afterwards", nil)
	awaitNoted(t, file, "/afterwards")
	p.stop(t)
	for _, name := range []string{file, rotated} {
		text, err := os.ReadFile(name)
		if err != nil || strings.Contains(string(text), token) ||
			strings.Contains(string(text), "secret") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// A disk that is full under the access log stops nobody from asking. It is said once, and what is
// lost is counted.
func TestAccessLogDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	file := filepath.Join(disk, "access.log")
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--access-log", file)
	free := fill(t, disk)
	const asked = 100
	for range asked {
		if status := asks(t, "GET", p.url+"/api/v1/members", nil); status != http.StatusOK {
			t.Fatalf("it answers %d", status)
		}
	}
	if _, err := p.await(&p.stderr, `the access log cannot be written()`); err != nil {
		t.Fatal(err)
	}
	free()
	asks(t, "GET", p.url+"/afterwards", nil)
	awaitNoted(t, file, "/afterwards")
	lines, lost := 0, 0
	for _, n := range accessLog(t, file) {
		lost += n.Lost
		if n.What == "/api/v1/members" {
			lines++
		}
	}
	if lines+lost != asked {
		t.Errorf("%d lines and %d lost are not %d", lines, lost, asked)
	}
	if n := strings.Count(p.stderr.String(), "the access log cannot be written"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

// With - it goes to the standard error, and SIGHUP ends nothing.
func TestAccessLogOnStandardError(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--access-log", "-")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	asks(t, "GET", p.url+"/here", nil)
	if _, err := p.await(&p.stderr, `"method":"GET","what":"/here"()`); err != nil {
		t.Fatal(err)
	}
	p.stop(t)
}
