package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"muster/ledger"
	"muster/ledger/logtest"
	"muster/ledger/seeded"
	"muster/ledger/stream"
)

const clusterPatience = 60 * time.Second

// A cluster is three real NATS servers.
type cluster struct {
	t       *testing.T
	options [3]server.Options
	servers [3]*server.Server
	clients []*nats.Conn
}

func newCluster(t *testing.T, set ...func(*server.Options)) *cluster {
	t.Helper()
	c := &cluster{t: t}
	var routes []*url.URL
	for range c.servers {
		host, port := logtest.Address(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprint(host, ":", port)})
	}
	for i := range c.servers {
		host, port := logtest.Address(t)
		at, err := net.ResolveTCPAddr("tcp", routes[i].Host)
		if err != nil {
			t.Fatal(err)
		}
		c.options[i] = server.Options{ServerName: fmt.Sprint("n", i), Host: host, Port: port,
			JetStream: true, StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "c", Host: at.IP.String(), Port: at.Port},
			NoSigs:  true, NoLog: true}
		for _, set := range set {
			set(&c.options[i])
		}
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.stop(i)
		}
	})
	return c
}

func (c *cluster) start(i int) {
	c.t.Helper()
	options := c.options[i]
	s, err := server.NewServer(&options)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	c.servers[i] = s
	if !s.ReadyForConnections(clusterPatience) {
		c.t.Fatal("a server of the cluster does not start")
	}
}

// stop stops a server. Whoever was connected to it has another when it returns: what is written
// before that to a connection that has ended fails.
func (c *cluster) stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
	for _, nc := range c.clients {
		if !nc.IsClosed() {
			c.until("another server", func() error { return nc.FlushTimeout(time.Second) })
		}
	}
}

// until returns when something is so.
func (c *cluster) until(what string, is func() error) {
	c.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(clusterPatience); ; <-tick.C {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}

func (c *cluster) connect() *nats.Conn {
	c.t.Helper()
	var urls []string
	for _, o := range c.options {
		urls = append(urls, fmt.Sprintf("nats://%s:%d", o.Host, o.Port))
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.Timeout(clusterPatience),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	c.clients = append(c.clients, nc)
	return nc
}

// open opens the replicated stream, as one server of several.
func (c *cluster) open(t *testing.T) (s *stream.Stream) {
	t.Helper()
	nc := c.connect()
	c.until("the cluster's stream", func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s, err = stream.Open(ctx, nc, stream.Config{Replicas: 3})
		return err
	})
	t.Cleanup(s.Close)
	c.until("the way to the stream", func() error { return isReached(nc) })
	return s
}

// append appends a group, whose answer does not come where the cluster chooses its leader anew, or
// where the server that is asked has not heard yet where a stream is that was just made: then it
// may have got in or not, or a part of it. It returns what the next group comes after.
func (c *cluster) append(s *stream.Stream, group []ledger.Message, after ledger.Ack) ledger.Ack {
	c.t.Helper()
	unheard := false
	c.until("a group to be appended", func() error {
		ack := s.Append(group, after)
		err := ack.Wait()
		if err == nil {
			after = ack
			return nil
		}
		if unheard = unheard || errors.Is(err, nats.ErrNoResponders) ||
			errors.Is(err, context.DeadlineExceeded); !unheard {
			c.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		last, errLast := s.Last(ctx)
		for errLast == nil && len(group) > 0 && group[0].Sequence <= last {
			group, after = group[1:], nil
		}
		if len(group) == 0 {
			return nil
		}
		return errors.Join(err, errLast)
	})
	return after
}

// isReached tells why what a connection publishes does not reach the stream yet: its server may not
// have heard where a stream is that was just made. What is published is refused for its sequence.
func isReached(nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = js.Publish(ctx, "muster.ev.x.never", nil, jetstream.WithExpectLastSequence(1<<40),
		jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	if errors.As(err, &refused) {
		return nil
	}
	return fmt.Errorf("a message that must be refused: %w", err)
}

// holds returns how many messages one server has by itself, and which is the last.
func (c *cluster) holds(i int) (messages, last uint64) {
	z, err := c.servers[i].Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, a := range z.AccountDetails {
		for _, s := range a.Streams {
			messages, last = messages+s.State.Msgs, max(last, s.State.LastSeq)
		}
	}
	return messages, last
}

// have returns when all servers have so many messages.
func (c *cluster) have(n uint64) {
	c.t.Helper()
	c.until("all replicas", func() error {
		for i := range c.servers {
			if messages, last := c.holds(i); messages != n || last != n {
				return fmt.Errorf("server %d has %d messages up to %d, and not %d", i,
					messages, last, n)
			}
		}
		return nil
	})
}

// The contract, on a stream of three replicas; and after each part of it, which loses races, all
// replicas go on.
func TestContractOnACluster(t *testing.T) {
	c := newCluster(t)
	logtest.Run(t, func(t *testing.T) (a, b ledger.Log) {
		js, err := jetstream.New(c.connect())
		if err != nil {
			t.Fatal(err)
		}
		one, other := c.open(t), c.open(t)
		t.Cleanup(func() {
			last, err := one.Last(context.Background())
			if err != nil {
				t.Error(err)
			}
			c.have(last)
			// The cluster may have to choose somebody first who does so.
			c.until("the end of the stream", func() error {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				err := js.DeleteStream(ctx, stream.DefaultName)
				if errors.Is(err, jetstream.ErrStreamNotFound) {
					return nil
				}
				return err
			})
		})
		return one, other
	})
}

// A replica that was away for more than the others keep of what was said among them takes a copy
// from one of them, and goes on.
func TestReplicaThatWasAway(t *testing.T) {
	c := newCluster(t)
	s := c.open(t)
	random := seeded.New(t)
	var before ledger.Ack
	n := uint64(0)
	put := func(messages, size int) {
		t.Helper()
		var group []ledger.Message
		for range messages {
			n++
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			group = append(group,
				ledger.Message{Sequence: n, Subject: fmt.Sprint("muster.ev.x.", n), Data: data})
		}
		before = c.append(s, group, before)
	}
	put(20, 100)
	c.have(n)
	away := 0
	for c.servers[away].JetStreamIsStreamLeader("$G", stream.DefaultName) {
		away++
	}
	c.stop(away)
	for range 20 {
		put(5, 200_000) // a megabyte at a time, as the largest group of records has two
	}
	put(20, 100)
	c.start(away)
	c.have(n)
	put(20, 100)
	put(20, 100)
	c.have(n)
}

// A group goes as one batch, where the cluster takes it as one, and otherwise message by message.
func TestBatches(t *testing.T) {
	c := newCluster(t, func(o *server.Options) { o.JetStreamLimits.MaxBatchSize = 30 })
	s := c.open(t)
	js, str := found(t, c.connect())
	var before ledger.Ack
	n := uint64(0)
	put := func(what string, messages int, asBatch bool) {
		t.Helper()
		var group []ledger.Message
		for range messages {
			n++
			group = append(group,
				ledger.Message{Sequence: n, Subject: fmt.Sprint("muster.ev.x.", n),
					Data: fmt.Append(nil, "message ", n)})
		}
		before = c.append(s, group, before)
		for _, m := range group {
			got, err := str.GetMsg(t.Context(), m.Sequence)
			if err != nil || string(got.Data) != string(m.Data) || got.Subject != m.Subject ||
				(got.Header.Get(jetstreamext.BatchIDHeader) != "") != asBatch {
				t.Fatalf("%s: message %d is %+v, %v", what, m.Sequence, got, err)
			}
		}
	}
	put("a group", 30, true)
	put("a message alone", 1, false)
	put("a group larger than an administrator allows", 31, false)
	config := str.CachedInfo().Config
	config.AllowAtomicPublish = false
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	put("a group where none is allowed any more", 30, false)
	c.have(n)
	again := c.open(t)
	before = again.Append(
		[]ledger.Message{{Sequence: n, Subject: "muster.ev.x.a", Data: []byte("a")},
			{Sequence: n + 1, Subject: "muster.ev.x.b", Data: []byte("b")}}, nil)
	if err := before.Wait(); !errors.Is(err, ledger.ErrLostRace) {
		t.Errorf("a group that comes too late: %v", err)
	}
}
