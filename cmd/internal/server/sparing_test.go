package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// However often something is told, the log has the first of it, how much more there was, and
// everything else.
func TestLogIsSparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		log := sparing(slog.New(slog.NewTextHandler(&said, nil)))
		nats := natsLog{log}
		for i := range 100_000 {
			client := fmt.Sprintf("127.0.0.1:%d - cid:%d - %%q: publish violation", i%60_000, i)
			nats.Errorf(client, "somewhere")
			log.With("n", i).Warn("a request", "i", i)
			_, _ = lineLog{log}.Write(
				[]byte("http: TLS handshake error from 127.0.0.1:" + fmt.Sprint(i)))
		}
		nats.Errorf("JetStream %v", errors.New("no space"))
		log.Error("something else")
		time.Sleep(2 * logEvery)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		if want := 3*(logBurst+1) + 2; len(lines) != want {
			t.Errorf("%d lines, want %d", len(lines), want)
		}
		for _, want := range []string{`msg="nats: a client" more=99990`,
			`msg="a request" n=10 more=99990`,
			`msg="http: a connection" more=99990`, `says="JetStream no space"`,
			`msg="something else"`,
			`says="127.0.0.1:9 - cid:9 - \"somewhere\": publish violation"`} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("no line has %s:\n%s", want, said.String())
			}
		}
		said.Reset()
		log.Warn("a request", "i", "later")
		if !strings.Contains(said.String(), "later") {
			t.Error("it is never told again")
		}
	})
}
