package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/cmd/internal/certtest"
	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
)

// The configuration in deploy is taken by a real NATS server, and gives its users the rights that
// it says: Muster has all, and neither a guest nor an answer to a guest gets into the log.
func TestDeployedNATS(t *testing.T) {
	opts := deployedOptions(t)
	opts.Host, opts.Port, opts.Cluster, opts.Routes, opts.NoSigs, opts.NoLog = "127.0.0.1", -1,
		natsserver.ClusterOpts{}, nil, true, true
	srv := startNATS(t, opts)
	address := "127.0.0.1:" + strings.TrimPrefix(srv.ClientURL(), "nats://127.0.0.1:")
	log := startDeployed(t, "nats://muster:secret@"+address, "nats://service:secret@"+address)

	theirOwnAnswers(t, address)
	guest, err := nats.Connect("nats://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	if m, err := guest.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil ||
		!strings.Contains(string(m.Data), `"origin"`) {
		t.Fatalf("a guest's question: %v", err)
	}
	before := log()
	for _, subject := range []string{"muster.ledger", "$SRV.PING.muster", "$SRV.INFO.muster"} {
		if err := guest.PublishRequest(subject, "muster.ev.FRA.mnf-u.pledge.X.offered",
			[]byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := guest.Publish("muster.ev.FRA.mnf-u.pledge.X.offered", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	// answered after those before it
	if _, err := guest.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if after := log(); after != before {
		t.Fatalf("the log went from %d to %d messages", before, after)
	}
}

// deployedOptions reads the configuration in deploy, with what stands there as an example: TLS, and
// a guest that has a name.
func deployedOptions(t *testing.T) *natsserver.Options {
	t.Helper()
	authority, err := certtest.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue("server", time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"NODE": "a", "ROUTE_A": "nats://127.0.0.1:1",
		"ROUTE_B": "nats://127.0.0.1:2", "STORE": t.TempDir(), "MUSTER_PASSWORD": "secret",
		"PARIS_PASSWORD": "secret", "CERT": cert, "KEY": key} {
		t.Setenv(name, value)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "nats-server.conf"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`(?m)^(#   tls|      #   )`)
	if n := len(examples.FindAllIndex(text, -1)); n != 5 {
		t.Fatalf("the configuration has %d lines of examples", n)
	}
	with := examples.ReplaceAllFunc(text, func(line []byte) []byte {
		return bytes.TrimLeft(line, "# ")
	})
	opts := &natsserver.Options{}
	if err := opts.ProcessConfigString(string(with)); err != nil {
		t.Fatal(err)
	}
	if opts.TLSConfig == nil {
		t.Error("the example speaks no TLS")
	}
	opts.TLSConfig = nil // how clients speak it, is tested elsewhere
	return opts
}

// theirOwnAnswers shows that a guest with a name, and a Muster server, are answered where nobody
// else hears it.
func theirOwnAnswers(t *testing.T, address string) {
	t.Helper()
	spy, err := nats.Connect("nats://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer spy.Close()
	heard, err := spy.SubscribeSync("_INBOX.>")
	if err := errors.Join(err, spy.Flush()); err != nil {
		t.Fatal(err)
	}
	paris, err := reach.NATS{URLs: "nats://" + address, User: "paris",
		Password: "secret"}.ConnectAsGuest()
	if err != nil {
		t.Fatal(err)
	}
	defer paris.Close()
	if m, err := paris.Request("muster.ledger", []byte("{}"), 5*time.Second); err != nil ||
		!strings.Contains(string(m.Data), `"origin"`) {
		t.Errorf("a guest with a name is not answered: %v", err)
	}
	if err := spy.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := heard.NextMsg(0); err == nil {
		t.Errorf("another guest has heard %.100s on %s", m.Data, m.Subject)
	}
}

// startDeployed starts a Muster server on a cluster, and returns how to ask for the number of
// messages in its log.
func startDeployed(t *testing.T, url, service string) func() uint64 {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0",
		NATS: reach.NATS{URLs: url}, NATSService: reach.NATS{URLs: service}, Replicas: 1, Name: "a",
		Title: "test", Version: version(),
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return func() uint64 {
		str, err := js.Stream(t.Context(), "MUSTER")
		if err != nil {
			t.Fatal(err)
		}
		return str.CachedInfo().State.LastSeq
	}
}
