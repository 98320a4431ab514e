package stream_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger"
	"muster/ledger/logtest"
	"muster/ledger/natsd"
	"muster/ledger/stream"
)

func start(t *testing.T) *natsd.Server {
	t.Helper()
	srv, err := natsd.Start(natsd.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func connect(t *testing.T, srv *natsd.Server) *nats.Conn {
	t.Helper()
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func open(t *testing.T, srv *natsd.Server) *stream.Stream {
	t.Helper()
	s, err := stream.Open(t.Context(), connect(t, srv), stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestContract(t *testing.T) {
	logtest.Run(t, func(t *testing.T) (a, b ledger.Log) {
		srv := start(t)
		return open(t, srv), open(t, srv)
	})
}

// A stream that could lose records is refused, with what is wrong with it.
func TestRefusesAStreamThatForgets(t *testing.T) {
	nc := connect(t, start(t))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: stream.DefaultName, Subjects: []string{"muster.ev.>"}, MaxMsgs: 10, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Open(t.Context(), nc, stream.Config{})
	for _, want := range []string{"could lose records", "no limits", "deny_delete must be on; deny_purge must be on"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and does not say %q", err, want)
		}
	}
}

// Nobody deletes or purges a message through JetStream, Muster's own user included.
func TestNothingIsDeleted(t *testing.T) {
	srv := start(t)
	s := open(t, srv)
	if err := s.Append([]ledger.Message{{Sequence: 1, Subject: "muster.ev.FRA.mnf-u.pledge.X.offered", Data: []byte("one")}}, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(connect(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	str, err := js.Stream(t.Context(), stream.DefaultName)
	if err != nil {
		t.Fatal(err)
	}
	if err := str.DeleteMsg(t.Context(), 1); err == nil {
		t.Error("a message could be deleted")
	}
	if err := str.Purge(t.Context()); err == nil {
		t.Error("the stream could be purged")
	}
	if last, err := s.Last(t.Context()); last != 1 || err != nil {
		t.Errorf("last is %d, %v", last, err)
	}
}
