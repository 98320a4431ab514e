package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// Who asks over NATS and wants the answer where none may be sent has a line in the log, and not one
// for each question.
func TestClientsDoNotFillTheLog(t *testing.T) {
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--nats-listen", "127.0.0.1:0")
	p.awaitNATS(t)
	nc, err := nats.Connect(p.nats, nats.Timeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for range 100 {
		for _, subject := range []string{"muster.submit", "muster.operations", "muster.tile"} {
			if err := nc.PublishRequest(subject, "somewhere.else", []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		// The server answers on one connection, in order: that for the tile stands before this one.
		if _, err := nc.Request("muster.checkpoint", nil, patience); err != nil {
			t.Fatal(err)
		}
	}
	const line = "Publish Violation"
	if _, err := p.await(&p.stderr, `msg="nats: a client" says=.*`+line+`()`); err != nil {
		t.Fatal(errors.Join(err, errors.New(p.stderr.String())))
	}
	if n := strings.Count(p.stderr.String(), line); n > 10 {
		t.Errorf("the log has %d lines of one kind", n)
	}
}
