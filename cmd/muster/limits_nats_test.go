package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tiresomeNATS listens as a NATS server that holds back whoever connects, by its mode, and returns
// its address.
func tiresomeNATS(t *testing.T, mode string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go tire(c, mode)
		}
	}()
	return "nats://" + l.Addr().String()
}

const natsInfo = `INFO {"server_id":"X","version":"2.15.0","proto":1,"headers":true,` +
	`"max_payload":1048576,"nonce":"aaaaaaaaaaaaaaa"}` + "\r\n"

func tire(c net.Conn, mode string) {
	defer c.Close()
	send := func(text string) bool {
		_, err := c.Write([]byte(text))
		return err == nil
	}
	switch mode {
	case "silent":
		_, _ = c.Read(make([]byte, 1))
		return
	case "drips":
		for _, b := range []byte(natsInfo) {
			if !send(string(b)) {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	case "endless":
		for send("INFO " + strings.Repeat(" ", 1<<16)) {
		}
		return
	}
	send(natsInfo)
	lines, subscribed := bufio.NewReader(c), "1"
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "PING":
			send("PONG\r\n")
		case words[0] == "SUB":
			subscribed = words[len(words)-1]
		case strings.HasSuffix(words[0], "PUB"): // a request, whose reply goes to the last SUB
			reply := words[2]
			switch mode {
			case "answers nothing":
			case "part":
				send(fmt.Sprintf("MSG %s %s 1000\r\n{", reply, subscribed))
			case "huge":
				send(fmt.Sprintf("MSG %s %s %d\r\n{", reply, subscribed, 1<<40))
			case "rubbish":
				send(fmt.Sprintf("MSG %s %s 7\r\nrubbish\r\n", reply, subscribed))
			case "floods":
				for send(fmt.Sprintf("MSG other.%s %s 7\r\nrubbish\r\n", reply, subscribed)) {
				}
			}
		}
	}
}

// Whatever a NATS server does, a command that asks over it ends, soon after its time, and answers
// nothing; also at one that announces an answer of a terabyte, for which there is no memory.
func TestHostileNATSServer(t *testing.T) {
	t.Parallel()
	notShort(t)
	for _, mode := range []string{"silent", "drips", "endless", "answers nothing", "part",
		"rubbish", "floods", "huge"} {
		for _, line := range []string{"coverage", "log --follow", "status"} {
			t.Run(mode+" "+line, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				// With no more than 4 GB of addresses, a tenth of which a program needs.
				args := strings.Fields(line + " --timeout 2s --nats " + tiresomeNATS(t, mode))
				p := exec.Command("sh", append([]string{"-c", `ulimit -v 4194304; exec muster "$@"`,
					"sh"}, args...)...)
				var out, errs bytes.Buffer
				p.Dir, p.Stdout, p.Stderr = dir, &out, &errs
				p.Env = plainEnv("MUSTER_CONFIG="+filepath.Join(dir, "config"), "GOGC=100",
					"GOMEMLIMIT=200MiB")
				elapsed := stopwatch()
				err := p.Run()
				const says = "muster: error: "
				if code := p.ProcessState.ExitCode(); code == 0 || out.Len() > 0 ||
					elapsed() > 12*time.Second || !strings.Contains(errs.String(), says) {
					t.Errorf("%v after %v: exit code %d\n%s%.2000s", err, elapsed(), code,
						&out, &errs)
				}
			})
		}
	}
}
