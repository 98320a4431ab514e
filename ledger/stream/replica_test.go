package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"muster/ledger"
	"muster/ledger/stream"
)

// One of three nodes has lost a message: whoever is connected to it reads all all the same, from
// another one, also where it leads the stream; and it is named.
func TestOneReplicaIsDamaged(t *testing.T) {
	if testing.Short() {
		t.Skip("three NATS nodes start")
	}
	c := newCluster(t)
	s := c.open(t)
	const last = 40
	var before ledger.Ack
	for n := range uint64(last) {
		before = s.Append([]ledger.Message{{Sequence: n + 1,
			Subject: fmt.Sprint("muster.ev.x.", n+1), Data: large(n + 1)}}, before)
	}
	if err := before.Wait(); err != nil {
		t.Fatal(err)
	}
	c.have(last)
	const bad = 1
	c.stop(bad)
	inBlockOf(t, msgsOf(t, c.options[bad].StoreDir), func(data []byte) {
		data[bytes.Index(data, []byte("message 7 "))] ^= 1
	})
	c.start(bad)
	c.readsAll(t, bad, last)

	c.lead(t, bad)
	c.readsAll(t, bad, last)

	// The remedy that was told is one.
	c.stop(bad)
	remove(t, filepath.Dir(msgsOf(t, c.options[bad].StoreDir)))
	c.start(bad)
	c.have(last)
	c.lead(t, bad)
	if err := s.Read(t.Context(), 1, func(ledger.Message) error { return nil }); err != nil {
		t.Error(err)
	}
}

// lead makes a node the leader of the stream.
func (c *cluster) lead(t *testing.T, node int) {
	t.Helper()
	nc := c.connect()
	c.until("the node to lead", func() error {
		if c.servers[node].JetStreamIsStreamLeader("$G", stream.DefaultName) {
			return nil
		}
		_, err := nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream.DefaultName,
			fmt.Appendf(nil, `{"placement":{"preferred":"n%d"}}`, node), 5*time.Second)
		if err == nil {
			err = errors.New("another leads")
		}
		return err
	})
}

// large returns a message of which sixteen fill a block.
func large(n uint64) []byte {
	return append(fmt.Appendf(nil, "message %d ", n), make([]byte, 500_000)...)
}

// readsAll connects to one node alone, which is damaged, and reads all that the stream has.
func (c *cluster) readsAll(t *testing.T, bad, last int) {
	t.Helper()
	o := c.options[bad]
	nc, err := nats.Connect(fmt.Sprintf("nats://%s:%d", o.Host, o.Port),
		nats.Timeout(clusterPatience), nats.DontRandomize())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	said := &bytes.Buffer{}
	var s *stream.Stream
	c.until("the stream", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s, err = stream.Open(ctx, nc, stream.Config{Replicas: 3,
			Log: slog.New(slog.NewTextHandler(said, nil))})
		return err
	})
	defer s.Close()
	c.until("all to be read", func() error {
		next := 1
		err := s.Read(t.Context(), 1, func(m ledger.Message) error {
			if m.Sequence != uint64(next) ||
				!bytes.Equal(m.Data, large(uint64(next))) {
				t.Fatalf("message %d is %d, %.20q", next, m.Sequence, m.Data)
			}
			next++
			return nil
		})
		if err == nil && (next != last+1 || said.Len() == 0) {
			err = fmt.Errorf("%d were read", next-1)
		}
		return err
	})
	if said := said.String(); strings.Count(said, "\n") != 1 ||
		!strings.Contains(said, fmt.Sprintf("node=n%d message=7 ", bad)) {
		t.Errorf("said was %s", said)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func msgsOf(t *testing.T, store string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(store, "jetstream", "$G", "streams",
		stream.DefaultName, "msgs"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

func inBlockOf(t *testing.T, dir string, edit func([]byte)) {
	t.Helper()
	path := filepath.Join(dir, "1.blk")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit(data)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
