package stream

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger"
)

// Of the nodes that keep a replicated stream one can have damaged files. It answers with what it
// has, and leaves out the rest, whoever asks: a direct get is answered by the nearest node, and
// does not say by which. But a consumer that is kept once is on one node, by chance, gives what
// that one has, and tells its name. So where a message is missing, consumers are made until one
// gives it.
//
// That takes some milliseconds for each, and the right to make consumers of the stream.

const (
	// askedMost is how many consumers are made to find a node that has a message: of three nodes,
	// one is left out by 16 of them once in a thousand times.
	askedMost = 16
	// idleMost is how long NATS keeps a consumer that could not be deleted.
	idleMost = 10 * time.Second
)

// nodes are those that were asked, and what each answered.
type nodes map[string]answer

// An answer is what a node says of a message. Only one that lacks it is damaged: another may be too
// busy to answer in time, or has not got so far yet.
type answer int

const (
	silent answer = iota
	isBehind
	lacks
	has
)

// readElsewhere reads messages from a node that has the first of them, as readBatch does, where the
// nearest has not. It tells of those that have not.
func (s *Stream) readElsewhere(ctx context.Context, from uint64, most int,
	yield func(ledger.Message) error) (n int, err error) {
	asked := nodes{}
	for range askedMost {
		if n, err = s.readFromOne(ctx, from, most, asked, yield); n > 0 || err != nil {
			break
		}
		if asked.all(s.keepers.Load()) {
			break
		}
	}
	s.tell(asked, from)
	if keepers := s.keepers.Load(); n == 0 && err == nil && keepers != nil && !asked.all(keepers) {
		return 0, fmt.Errorf("stream %s: message %d cannot be read now: not all of its nodes "+
			"answer (%s)", s.cfg.Name, from, strings.Join(*keepers, ", "))
	}
	if n == 0 && err == nil {
		err = s.lost("has lost message %d: none of its nodes has it (%s)", from, asked)
	}
	return n, err
}

// readFromOne reads from a node that NATS chooses.
func (s *Stream) readFromOne(ctx context.Context, from uint64, most int, asked nodes,
	yield func(ledger.Message) error) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	c, done, err := s.consumer(ctx, from)
	if err != nil {
		return 0, err
	}
	defer done()
	batch, err := c.Fetch(most, jetstream.FetchMaxWait(s.cfg.Timeout/2))
	if err != nil {
		return 0, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
	}
	said := silent
	if c.CachedInfo().NumPending == 0 {
		said = isBehind
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return n, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
		}
		if meta.Sequence.Stream != from+uint64(n) {
			if n == 0 {
				said = lacks // and has what comes later
			}
			break
		}
		n, said = n+1, has
		if err := yield(ledger.Message{Sequence: meta.Sequence.Stream, Subject: m.Subject(),
			Data: m.Data()}); err != nil {
			return n, err
		}
	}
	if cluster := c.CachedInfo().Cluster; cluster != nil {
		asked[cluster.Leader] = said
	}
	return n, nil
}

// consumer makes a consumer on one node, and returns what deletes it.
func (s *Stream) consumer(ctx context.Context, from uint64) (c jetstream.Consumer, done func(),
	err error) {
	c, err = s.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, Replicas: 1, MemoryStorage: true,
		InactiveThreshold: idleMost})
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s: asking another node: %w", s.cfg.Name, err)
	}
	return c, func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
		defer cancel()
		// NATS deletes it after a while, otherwise.
		_ = s.stream.DeleteConsumer(ctx, c.CachedInfo().Name)
	}, nil
}

// isWholeElsewhere reports whether another node than the leader has all messages up to the last,
// and tells of the leader when it is so. Of one that has fewer nothing is told: it may be behind.
func (s *Stream) isWholeElsewhere(ctx context.Context, info *jetstream.StreamInfo) bool {
	if info.Cluster == nil || len(info.Cluster.Replicas) == 0 {
		return false
	}
	asked := nodes{}
	for range askedMost {
		c, done, err := s.consumer(ctx, 1)
		if err != nil {
			return false
		}
		whole, cluster := c.CachedInfo().NumPending >= info.State.LastSeq, c.CachedInfo().Cluster
		done()
		if whole {
			first := uint64(1)
			if len(info.State.Deleted) > 0 {
				first = info.State.Deleted[0]
			}
			told := nodes{info.Cluster.Leader: lacks}
			if cluster != nil {
				told[cluster.Leader] = has
			}
			s.tell(told, first)
			return true
		}
		if cluster != nil {
			asked[cluster.Leader] = isBehind
		}
		if asked.all(s.keepers.Load()) {
			break
		}
	}
	return false
}

// keepersOf returns the names of the nodes that keep a stream.
func keepersOf(info *jetstream.StreamInfo) (names []string) {
	if info.Cluster == nil {
		return nil
	}
	names = append(names, info.Cluster.Leader)
	for _, r := range info.Cluster.Replicas {
		names = append(names, r.Name)
	}
	return names
}

// all reports whether all nodes have answered that keep the stream.
func (n nodes) all(keepers *[]string) bool {
	return keepers != nil && !slices.ContainsFunc(*keepers, func(name string) bool {
		return n[name] == silent
	})
}

// String names the nodes.
func (n nodes) String() string {
	var names []string
	for name := range n {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// tell names the nodes that lack a message which another has: each once.
func (s *Stream) tell(asked nodes, sequence uint64) {
	if !slices.Contains(slices.Collect(maps.Values(asked)), has) {
		return
	}
	for node, said := range asked {
		if said == has {
			s.told.Delete(node)
		}
		if said != lacks {
			continue
		}
		if _, told := s.told.LoadOrStore(node, true); told {
			continue
		}
		s.cfg.Log.Error("a NATS node is damaged: it lacks a message that another node has", "node",
			node, "message", sequence, "remedy", "stop that NATS server, move its folder of the "+
				"stream "+s.cfg.Name+" away, and start it again: the other nodes give it all back")
	}
}
