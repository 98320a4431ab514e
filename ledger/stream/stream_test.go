package stream_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/events"
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

// A server alone is asked for a group in the fastest way: each message names the one before it, and
// only the last is answered.
func TestGroupOnAServerAlone(t *testing.T) {
	nc := connect(t, start(t))
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var group []ledger.Message
	for n := range uint64(3) {
		group = append(group,
			ledger.Message{Sequence: n + 1, Subject: fmt.Sprint("muster.ev.x.", n),
				Data: fmt.Append(nil, "message ", n)})
	}
	if err := s.Append(group, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	_, str := found(t, nc)
	before := ""
	for n := uint64(1); n <= 3; n++ {
		m, err := str.GetMsg(t.Context(), n)
		if err != nil || m.Header.Get(jetstream.ExpectedLastMsgIDHeader) != before ||
			m.Header.Get(jetstream.MsgIDHeader) == "" {
			t.Fatalf("message %d is %+v, %v", n, m, err)
		}
		before = m.Header.Get(jetstream.MsgIDHeader)
	}
}

// Who listens to notices can slow down the connection that they are published on: it is another
// than the log's, which goes on without it.
func TestNoticesHaveTheirOwnConnection(t *testing.T) {
	srv := start(t)
	log, notices := connect(t, srv), connect(t, srv)
	heard, err := connect(t, srv).SubscribeSync("muster.tip.>")
	if err := errors.Join(err, heard.SetPendingLimits(-1, -1)); err != nil {
		t.Fatal(err)
	}
	s, err := stream.Open(t.Context(), log, stream.Config{Notices: notices})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	say := func(n uint64) {
		t.Helper()
		if err := s.Append([]ledger.Message{{Sequence: n, Subject: "muster.ev.x",
			Data: fmt.Append(nil, "message ", n)}}, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	say(1)
	if m, err := heard.NextMsg(10 * time.Second); err != nil || string(m.Data) != "1" {
		t.Fatalf("the notice is %v, %v", m, err)
	}
	if n := notices.Stats().OutMsgs; n != 1 {
		t.Errorf("%d messages were published on the connection of notices", n)
	}
	notices.Close()
	say(2)
}

// A stream that could lose records is refused, with what is wrong with it.
func TestRefusesAStreamThatForgets(t *testing.T) {
	nc := connect(t, start(t))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(t.Context(),
		jetstream.StreamConfig{Name: stream.DefaultName, Subjects: []string{"muster.ev.>"},
			MaxMsgs: 10, AllowDirect: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Open(t.Context(), nc, stream.Config{})
	for _, want := range []string{"could lose records", "no limits",
		"deny_delete must be on; deny_purge must be on"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and does not say %q", err, want)
		}
	}
}

// Each option that could make the stream lose, alter or refuse records is refused by its name,
// whether it was set when the stream was created or later: of some, JetStream itself takes only one
// of the two.
func TestRefusesEachOption(t *testing.T) {
	_, good := goodStream(t, connect(t, start(t)))
	for _, test := range []struct {
		want   string
		change func(*jetstream.StreamConfig)
	}{
		{"retention must be limits", func(c *jetstream.StreamConfig) {
			c.Retention = jetstream.InterestPolicy
		}},
		{"max_msg_size must be -1, or 65536 at least", func(c *jetstream.StreamConfig) {
			c.MaxMsgSize = 65535
		}},
		{"no_ack must be off", func(c *jetstream.StreamConfig) { c.NoAck = true }},
		{"sealed must be off" + forGood, func(c *jetstream.StreamConfig) { c.Sealed = true }},
		{"first_seq must be 1, or not set", func(c *jetstream.StreamConfig) { c.FirstSeq = 2 }},
		{"there must be no subject_transform", func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "muster.ev.>",
				Destination: "other.>"}
		}},
		{"allow_msg_counter must be off" + forGood, func(c *jetstream.StreamConfig) {
			c.AllowMsgCounter, c.Discard = true, jetstream.DiscardOld
		}},
		{"persist_mode must be default" + forGood, func(c *jetstream.StreamConfig) {
			c.PersistMode, c.AllowAtomicPublish = jetstream.AsyncPersistMode, false
		}},
		// JetStream itself turns the others on or off for these two.
		{"deny_purge must be on; allow_rollup_hdrs must be off", func(c *jetstream.StreamConfig) {
			c.AllowMsgSchedules, c.Discard = true, jetstream.DiscardOld
		}},
		{"deny_purge must be on; allow_rollup_hdrs must be off; allow_msg_ttl must be off" +
			forGood, func(c *jetstream.StreamConfig) {
			c.SubjectDeleteMarkerTTL = time.Minute
		}},
	} {
		t.Run(test.want, func(t *testing.T) {
			bad := good
			test.change(&bad)
			taken := 0
			for _, later := range []bool{false, true} {
				// A server of its own: a stream that was deleted can still be in the way of a new
				// one.
				nc := connect(t, start(t))
				js, err := jetstream.New(nc)
				if err != nil {
					t.Fatal(err)
				}
				if later {
					goodStream(t, nc)
					_, err = js.UpdateStream(t.Context(), bad)
				} else {
					_, err = js.CreateStream(t.Context(), bad)
				}
				if err != nil {
					continue
				}
				taken++
				_, err = stream.Open(t.Context(), nc, stream.Config{})
				if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) {
					t.Errorf("the error is %v, and not %q", err, test.want)
				}
			}
			if taken == 0 {
				t.Error("JetStream does not take this option at all")
			}
		})
	}
}

// What an administrator changes while a server runs is noticed, too, and so is it when that is put
// right.
func TestNoticesWhatIsChangedMeanwhile(t *testing.T) {
	nc := connect(t, start(t))
	js, good := goodStream(t, nc)
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	message := func(n uint64) []ledger.Message {
		return []ledger.Message{{Sequence: n, Subject: fmt.Sprint("muster.ev.x.", n),
			Data: fmt.Append(nil, "message ", n)}}
	}
	const want = "there must be no limits and no expiry"
	told := func(err error) bool { return err != nil && strings.HasSuffix(err.Error(), want) }
	set := func(maxAge time.Duration) {
		t.Helper()
		c := good
		c.MaxAge = maxAge
		if _, err := js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		end := time.After(clusterPatience)
		// Which has no place, in either case.
		for told(s.Append(message(99), nil).Wait()) != (maxAge > 0) {
			select {
			case <-s.Changed(): // it has looked, though maybe just before
			case <-end:
				t.Fatal("it does not notice")
			}
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if !told(err) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
	set(time.Hour)
	failed := s.Append(message(1), nil)
	refused("appending", failed.Wait())
	_, err = s.Last(t.Context())
	refused("asking for the last", err)
	refused("reading", s.Read(t.Context(), 1, func(ledger.Message) error { return nil }))
	refused("reaching it, which nobody has to ask for", s.Reached())
	set(0)
	if err := s.Reached(); err != nil {
		t.Errorf("when it was put right, it is out of reach: %v", err)
	}
	if err := s.Append(message(2), failed).Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Errorf("behind what was refused: %v", err)
	}
	if err := s.Append(message(1), nil).Wait(); err != nil {
		t.Errorf("when it was put right: %v", err)
	}
	if last, at := s.Heard(); last != 1 || time.Since(at) > time.Minute {
		t.Errorf("it was heard to have %d messages, at %s", last, at)
	}
}

// The largest record must fit through the NATS server.
func TestRefusesASmallPayload(t *testing.T) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, MaxPayload: 65535,
		JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	nc, err := nats.Connect(srv.ClientURL(), nats.Timeout(clusterPatience))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err = stream.Open(t.Context(), nc, stream.Config{}); err == nil ||
		!strings.HasSuffix(err.Error(),
			"messages of 65535 bytes at most: set its max_payload to 65536 or more") {
		t.Errorf("the error is %v", err)
	}
}

// What is said behind a fault that cannot be mended in the stream as it is.
const forGood = " (JetStream does not change this any more: begin the stream anew from the journal)"

// goodStream returns the configuration of a stream as Open creates it.
func goodStream(t *testing.T, nc *nats.Conn) (jetstream.JetStream, jetstream.StreamConfig) {
	t.Helper()
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	js, str := found(t, nc)
	return js, str.CachedInfo().Config
}

// found returns the stream as JetStream has it.
func found(t *testing.T, nc *nats.Conn) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), stream.DefaultName)
	if err != nil {
		t.Fatal(err)
	}
	return js, s
}

// What does no harm is taken, and with it the largest statement that a server with a long name may
// record, in a group.
func TestTakesWhatIsHarmless(t *testing.T) {
	nc := connect(t, start(t))
	js, c := goodStream(t, nc)
	c.MaxMsgSize, c.FirstSeq, c.Duplicates, c.AllowAtomicPublish, c.AllowBatchPublish = 65536, 1,
		time.Hour, false, true
	c.MaxConsumers, c.RePublish = 1, &jetstream.RePublish{Source: ">", Destination: "copy.>"}
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var group []ledger.Message
	for n := range uint64(3) {
		rec, err := events.NewRecord(n+1, time.Now(), strings.Repeat("n", 253),
			events.Signed{Note: bytes.Repeat([]byte("x"), events.MaxBytes)})
		if err != nil {
			t.Fatal(err)
		}
		group = append(group,
			ledger.Message{Sequence: n + 1, Subject: fmt.Sprint("muster.ev.x.", n),
				Data: rec.Stored})
	}
	if err := s.Append(group, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	read := 0
	err = s.Read(t.Context(), 1, func(m ledger.Message) error {
		if !bytes.Equal(m.Data, group[read].Data) || m.Subject != group[read].Subject {
			t.Errorf("message %d was altered", m.Sequence)
		}
		read++
		return nil
	})
	if err != nil || read != len(group) {
		t.Errorf("read %d: %v", read, err)
	}
}

// Nobody deletes or purges a message through JetStream, Muster's own user included.
func TestNothingIsDeleted(t *testing.T) {
	srv := start(t)
	s := open(t, srv)
	if err := s.Append([]ledger.Message{{Sequence: 1,
		Subject: "muster.ev.FRA.mnf-u.pledge.X.offered", Data: []byte("one")}}, nil).
		Wait(); err != nil {
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
