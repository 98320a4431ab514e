package stream

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger"
)

// JetStream reports a lost race by either of two codes: by 10071 on one node, by 10164 where it is replicated.
const (
	wrongLastSequence         jetstream.ErrorCode = 10071
	wrongLastSequenceConstant jetstream.ErrorCode = 10164
)

// Append implements [ledger.Log].
func (s *Stream) Append(sequence uint64, subject string, data []byte) ledger.Ack {
	future, err := s.js.PublishMsgAsync(&nats.Msg{Subject: subject, Data: data},
		jetstream.WithExpectStream(s.cfg.Name), jetstream.WithExpectLastSequence(sequence-1), jetstream.WithRetryAttempts(0))
	if err != nil {
		return &ack{stream: s, settled: true, err: fmt.Errorf("stream %s: %w", s.cfg.Name, err)}
	}
	return &ack{stream: s, future: future, sequence: sequence, limit: s.cfg.Timeout + time.Second}
}

// ack waits for JetStream's answer to one append. It belongs to one goroutine.
type ack struct {
	stream   *Stream
	future   jetstream.PubAckFuture
	sequence uint64
	limit    time.Duration

	settled bool
	err     error
}

// Ready implements [ledger.Ack].
func (a *ack) Ready() bool {
	if a.settled {
		return true
	}
	select {
	case p := <-a.future.Ok():
		a.settle(p, nil)
	case err := <-a.future.Err():
		a.settle(nil, err)
	default:
	}
	return a.settled
}

// Wait implements [ledger.Ack].
func (a *ack) Wait() error {
	if a.settled {
		return a.err
	}
	limit := time.NewTimer(a.limit)
	defer limit.Stop()
	select {
	case p := <-a.future.Ok():
		a.settle(p, nil)
	case err := <-a.future.Err():
		a.settle(nil, err)
	case <-limit.C:
		a.settle(nil, errors.New("no answer in time"))
	}
	return a.err
}

func (a *ack) settle(p *jetstream.PubAck, err error) {
	a.settled = true
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode == wrongLastSequence || api.ErrorCode == wrongLastSequenceConstant):
		a.err = ledger.ErrLostRace
	case err != nil:
		a.err = fmt.Errorf("appending %d: %w", a.sequence, err)
	case p.Sequence != a.sequence:
		a.err = fmt.Errorf("appending %d: the stream answered with %d", a.sequence, p.Sequence)
	default:
		replace(a.stream.appended, a.sequence)
	}
}
