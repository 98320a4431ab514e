// Package stream keeps the ledger's log on a NATS JetStream stream.
//
// JetStream gives the order and the replication; it is not trusted with the durability or the truth
// of what it holds (by default it flushes to disk every two minutes and acknowledges before). That
// is why this package asks for nothing clever: messages are appended with
// Nats-Expected-Last-Sequence (to a replicated stream one group at a time), read back by direct
// batch get, and the stream refuses deletion, purging, expiry and rollups, so that sequence n is
// the ledger's record n for ever.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"muster/ledger"
)

// DefaultName is the stream's name unless a Config says otherwise.
const DefaultName = "MUSTER"

// A Config says which stream.
type Config struct {
	// Name of the stream; DefaultName when empty.
	Name string
	// Replicas of a stream that has to be created: 1 on a server alone, 3 on a cluster. 0 means 1.
	Replicas int
	// Log hears of nodes that have lost messages; nil for nobody.
	Log *slog.Logger
	// Timeout is how long an append or a read may take before its outcome counts as unknown; 5 s
	// when 0.
	Timeout time.Duration
	// Notices is the connection over which other servers are told that something was appended; nil
	// for that of the log. Guests may listen to these notices, and NATS slows down who publishes
	// faster than somebody listens: that must not be who appends. It stays the caller's, as the
	// other does.
	Notices *nats.Conn
}

const (
	batchSize = 1024            // messages of one direct get
	batchMax  = 4 << 20         // bytes of one direct get
	pollEvery = 2 * time.Second // how often to look whether a notice of another server was missed
)

// A Stream is the log on one JetStream stream. It implements [ledger.Log].
type Stream struct {
	cfg      Config
	js       jetstream.JetStream
	nc       *nats.Conn
	stream   jetstream.Stream
	tip      string      // the subject of notices
	changed  chan uint64 // capacity 1: the last sequence that anybody appended
	appended chan uint64 // capacity 1: what this server has appended and not yet given notice of

	keepers atomic.Pointer[[]string] // the nodes that keep it, as they were last seen
	told    sync.Map                 // node → true: those that were said to be damaged

	// What its configuration says, as it was last seen.
	replicated atomic.Bool           // there are several replicas, or can be at any moment
	atomic     atomic.Bool           // it takes atomic batches
	clock      atomic.Pointer[told]  // what time it is there
	unfit      atomic.Pointer[error] // why it may not be appended to: see checkKeeps

	// What was heard of it last.
	last  atomic.Uint64         // its last message
	heard atomic.Int64          // when it answered, in nanoseconds since 1970
	mute  atomic.Pointer[error] // why it did not answer since; nil where it did

	leader atomic.Pointer[string]    // the node that was leader when it was asked last
	left   atomic.Pointer[time.Time] // when the connection was taken to another node

	line atomic.Pointer[line]

	stop func()
	done sync.WaitGroup
}

// Open finds the stream on the server that nc is connected to, or creates it, and checks that it
// keeps what it is given. The connection stays the caller's, who closes it after the Stream.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Stream, error) {
	if cfg.Name == "" {
		cfg.Name = DefaultName
	}
	cfg.Replicas = max(cfg.Replicas, 1)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Notices == nil {
		cfg.Notices = nc
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(cfg.Timeout),
		jetstream.WithPublishAsyncMaxPending(1<<16))
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", cfg.Name, err)
	}
	s := &Stream{cfg: cfg, js: js, nc: nc, tip: "muster.tip." + cfg.Name,
		changed: make(chan uint64, 1), appended: make(chan uint64, 1)}
	if most := nc.MaxPayload(); most < largestMessage {
		return nil, fmt.Errorf(
			"the NATS server takes messages of %d bytes at most: set its max_payload to %d or more",
			most, largestMessage)
	}
	if s.stream, err = s.await(ctx); err != nil {
		return nil, fmt.Errorf("stream %s: %w", cfg.Name, err)
	}
	if err := s.follow(); err != nil {
		return nil, fmt.Errorf("stream %s: %w", cfg.Name, err)
	}
	return s, nil
}

// saw notes what matters of the stream's configuration, which an administrator can change while
// this server runs. The error says why the stream may not be appended to.
func (s *Stream) saw(info *jetstream.StreamInfo) error {
	// A server alone says which is the leader, too.
	onCluster := info.Cluster != nil && info.Cluster.Name != ""
	if onCluster {
		s.leader.Store(&info.Cluster.Leader)
	}
	// One replica becomes three before anybody notices.
	s.replicated.Store(info.Config.Replicas > 1 || onCluster)
	s.atomic.Store(info.Config.AllowAtomicPublish)
	keepers := keepersOf(info)
	s.keepers.Store(&keepers)
	s.last.Store(info.State.LastSeq)
	s.heard.Store(time.Now().UnixNano())
	s.mute.Store(nil)
	err := checkKeeps(info.Config)
	s.unfit.Store(&err)
	return err
}

// follow listens for the notices of other servers, gives notice of what this one appended, and
// looks by itself in case a notice was missed.
func (s *Stream) follow() error {
	sub, err := s.nc.Subscribe(s.tip, func(m *nats.Msg) {
		if sequence, err := strconv.ParseUint(string(m.Data), 10, 64); err == nil {
			s.offer(sequence)
		}
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	unwatch := s.watchLine()
	s.stop = func() {
		stop()
		unwatch()
	}
	s.done.Go(func() {
		// It fails only when the connection is gone already.
		defer func() { _ = sub.Unsubscribe() }()
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case sequence := <-s.appended:
				// others look by themselves when it is lost
				_ = s.cfg.Notices.Publish(s.tip, strconv.AppendUint(nil, sequence, 10))
			case <-tick.C:
				s.look(ctx)
			}
		}
	})
	return nil
}

func (s *Stream) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	info, err := s.info(ctx)
	if err != nil { // the next tick looks again
		s.mute.Store(&err)
		return
	}
	_ = s.saw(info) // Append tells it
	s.offer(info.State.LastSeq)
}

// How long a stream may be mute before it counts as out of reach: as long as a cluster needs to
// choose another leader.
const muteFor = 5 * time.Second

// Reached implements [ledger.Reachable].
func (s *Stream) Reached() error {
	if unfit := *s.unfit.Load(); unfit != nil {
		return fmt.Errorf("stream %s: %w", s.cfg.Name, unfit)
	}
	_, heard := s.Heard()
	if mute := s.mute.Load(); mute != nil && time.Since(heard) > muteFor {
		return fmt.Errorf("stream %s has not answered since %s: %w", s.cfg.Name,
			heard.UTC().Format(time.RFC3339), *mute)
	}
	return nil
}

// Heard returns the last message of the stream, as far as it is known, and when that was asked
// last.
func (s *Stream) Heard() (last uint64, at time.Time) {
	return s.last.Load(), time.Unix(0, s.heard.Load())
}

// offer puts the last sequence before whoever listens to Changed, in place of an older one that was
// not taken yet.
func (s *Stream) offer(sequence uint64) {
	s.raise(sequence)
	replace(s.changed, sequence)
}

// raise notes that the stream has come so far.
func (s *Stream) raise(sequence uint64) {
	for last := s.last.Load(); last < sequence; last = s.last.Load() {
		if s.last.CompareAndSwap(last, sequence) {
			return
		}
	}
}

// replace sends to a channel of capacity 1, in place of what lies there.
func replace(c chan uint64, n uint64) {
	for {
		select {
		case c <- n:
			return
		default:
		}
		select {
		case old := <-c:
			n = max(n, old)
		default:
		}
	}
}

// Close stops following. It does not close the connection.
func (s *Stream) Close() {
	s.stop()
	s.done.Wait()
}

// Changed implements [ledger.Log].
func (s *Stream) Changed() <-chan uint64 { return s.changed }

// Last implements [ledger.Log].
func (s *Stream) Last(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	info, err := s.info(ctx, jetstream.WithDeletedDetails(true))
	// It was lost with all it held: the journals put that back.
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = s.findOrCreate(ctx); err == nil {
			info, err = s.info(ctx, jetstream.WithDeletedDetails(true))
		}
	}
	if err == nil {
		err = s.saw(info)
	}
	if errors.Is(err, context.DeadlineExceeded) { // this node may know of no leader, and another
		s.leave()
	}
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", s.cfg.Name, err)
	}
	st := info.State
	switch {
	case st.LastSeq == 0:
		return 0, nil
	case st.FirstSeq == 1 && st.Msgs == st.LastSeq:
		return st.LastSeq, nil
	case s.isWholeElsewhere(ctx, info):
		return st.LastSeq, nil
	case len(st.Deleted) > 0:
		return 0, s.lost("has lost message %d (%d in all)", st.Deleted[0], len(st.Deleted))
	}
	return 0, s.lost("has lost messages: it holds %d, from %d to %d", st.Msgs, st.FirstSeq,
		st.LastSeq)
}

// A loss is an error that is [ledger.ErrLost].
type loss struct{ error }

// Is implements what errors.Is asks for.
func (loss) Is(target error) bool { return target == ledger.ErrLost }

func (s *Stream) lost(format string, args ...any) error {
	return loss{fmt.Errorf("stream %s "+format, append([]any{s.cfg.Name}, args...)...)}
}

// Read implements [ledger.Log].
func (s *Stream) Read(ctx context.Context, from uint64, yield func(ledger.Message) error) error {
	last, err := s.Last(ctx)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(s.cfg.Timeout)
	for next := from; next <= last; {
		n, err := s.readBatch(ctx, next, int(min(batchSize, last-next+1)), yield)
		next += uint64(n)
		late := n == 0 && time.Now().After(deadline)
		if late {
			if err := s.hasLeader(ctx); err != nil {
				return fmt.Errorf("stream %s: message %d of %d cannot be read now: %w", s.cfg.Name,
					next, last, err)
			}
		}
		if (errors.Is(err, ledger.ErrLost) || err == nil && late) && s.replicated.Load() {
			n, err = s.readElsewhere(ctx, next, int(min(batchSize, last-next+1)), yield)
			next += uint64(n)
		}
		switch {
		case err != nil:
			return err
		case n > 0:
			deadline = time.Now().Add(s.cfg.Timeout)
		case late:
			return s.lost("has lost message %d of %d: it cannot be read", next, last)
		default: // a replica that has not got the message yet has answered, or the line broke
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Stream) readBatch(ctx context.Context, from uint64, most int,
	yield func(ledger.Message) error) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	line := s.line.Load()
	defer context.AfterFunc(line, cancel)()
	batch, err := jetstreamext.GetBatch(ctx, s.js, s.cfg.Name, most, jetstreamext.GetBatchSeq(from),
		jetstreamext.GetBatchMaxBytes(batchMax))
	if err != nil {
		return 0, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
	}
	for m, err := range batch {
		switch {
		case errors.Is(err, jetstreamext.ErrNoMessages), line.Err() != nil:
			return n, nil
		case err != nil:
			return n, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
		case m.Sequence != from+uint64(n):
			return n, s.lost("has lost message %d: message %d follows", from+uint64(n), m.Sequence)
		}
		n++
		if err := yield(ledger.Message{Sequence: m.Sequence, Subject: m.Subject,
			Data: m.Data}); err != nil {
			return n, err
		}
	}
	if line.Err() != nil {
		return n, nil
	}
	if err := ctx.Err(); err != nil && n == 0 { // no answer at all looks as one without messages
		return 0, fmt.Errorf("stream %s: reading from %d: %w", s.cfg.Name, from, err)
	}
	return n, nil
}
