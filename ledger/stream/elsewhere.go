package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Of three nodes that keep a stream one can hang, or be cut off from the others, by the time that
// it is asked. While the others choose a new leader, which takes them 4 to 9 seconds, nobody
// answers what was asked before: so it is asked again. That a node hangs its clients see by
// themselves (package reach). But one that only the other nodes cannot reach answers its clients,
// and goes on for 10 seconds to say that it leads the stream, and takes nothing in: so a connection
// to a leader that has not answered an append in time goes on to another node.

// What was asked of a node before the connection to it broke is answered no more. So it is not
// waited for: a line is the way to one node, and ends when it breaks.
type line struct {
	context.Context
	end context.CancelCauseFunc
}

var errBroken = errors.New("the connection to NATS was broken before the answer")

func (s *Stream) newLine() {
	ctx, end := context.WithCancelCause(context.Background())
	s.line.Store(&line{ctx, end})
}

// watchLine ends each line when it breaks, until the returned function is called.
func (s *Stream) watchLine() (stop func()) {
	s.newLine()
	status := s.nc.StatusChanged(nats.RECONNECTING)
	s.done.Go(func() {
		for range status {
			broken := s.line.Load()
			s.newLine()
			broken.end(errBroken)
		}
	})
	return func() { s.nc.RemoveStatusListener(status) } // which closes it
}

// appendMost is how long a replicated stream may take for an append. What has gone to a leader that
// hangs is not answered; and other servers wait, too, until it is known what became of it.
const appendMost = 3 * time.Second

// askEvery is how long an answer of the stream's leader is waited for before it is asked again.
const askEvery = 500 * time.Millisecond

// info asks how the stream is, again and again until ctx ends, and takes the first answer.
func (s *Stream) info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (
	*jetstream.StreamInfo, error) {
	type answer struct {
		info *jetstream.StreamInfo
		err  error
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	answers := make(chan answer)
	ask := func() {
		asked := time.Now()
		info, err := s.stream.Info(asking, opts...)
		if err == nil {
			s.hearTime(info, asked)
		}
		select {
		case answers <- answer{info, err}:
		case <-asking.Done():
		}
	}
	go ask()
	again := time.NewTicker(askEvery)
	defer again.Stop()
	err := error(nats.ErrTimeout)
	for {
		select {
		case a := <-answers:
			if a.err == nil {
				a.err = isLed(a.info)
			}
			if a.err == nil || !isNoLeader(a.err) {
				return a.info, a.err
			}
			err = a.err
		case <-again.C:
			go ask()
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// isNoLeader reports whether somebody else may answer soon.
func isNoLeader(err error) bool {
	const clusterNotAvailable, streamOffline jetstream.ErrorCode = 10008, 10118
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode == clusterNotAvailable || api.ErrorCode == streamOffline
	}
	return errors.Is(err, errLeaderless) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, context.DeadlineExceeded)
}

// leave goes on to another node, unless it has done so lately. All that is under way on the
// connection has to be asked again.
func (s *Stream) leave() {
	if len(s.nc.Servers()) < 2 {
		return
	}
	now, before := time.Now(), s.left.Load()
	if before != nil && now.Sub(*before) < 2*s.cfg.Timeout || !s.left.CompareAndSwap(before, &now) {
		return
	}
	_ = s.nc.ForceReconnect() // it fails when the connection is closed
}

// isAtLeader reports whether the connection is to the node that leads the stream, as far as that is
// known.
func (s *Stream) isAtLeader() bool {
	leader := s.leader.Load()
	return leader != nil && *leader == s.nc.ConnectedServerName()
}

// errLeaderless is said of a stream whose replicas have no leader. Each of them says then what it
// has itself, which may be less than what was acknowledged, and is not what the stream has.
var errLeaderless = errors.New("the stream has no leader")

func isLed(info *jetstream.StreamInfo) error {
	if info.Cluster != nil && info.Cluster.Name != "" && info.Cluster.Leader == "" {
		return errLeaderless
	}
	return nil
}

// hasLeader returns nil where the stream has a leader now. Until its replicas have one they do not
// show what they took last, which is not lost.
func (s *Stream) hasLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*askEvery)
	defer cancel()
	_, err := s.info(ctx)
	return err
}
