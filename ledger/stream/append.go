package stream

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"muster/ledger"
)

// JetStream reports a lost race by any of three codes: 10071; 10164 where it is replicated, by some
// versions; and 10070 when the message before has the right sequence but is another.
const (
	wrongLastMessage          jetstream.ErrorCode = 10070
	wrongLastSequence         jetstream.ErrorCode = 10071
	wrongLastSequenceConstant jetstream.ErrorCode = 10164
)

// noBatch are the codes by which JetStream refuses a batch because it is one: none is allowed
// there; it came in only in part, as when another server became the leader meanwhile; it is larger
// than an administrator allows; there are too many at once.
var noBatch = []jetstream.ErrorCode{10174, 10176, 10199, 10210}

// Append implements [ledger.Log]. The sequence is checked by Nats-Expected-Last-Sequence. For a
// message behind one that is in flight, Nats-Expected-Last-Msg-Id says which that must be: a
// message's Nats-Msg-Id is the hash of its data. So the last message gets in only when all of the
// group have, and its answer is theirs: JetStream is asked for no other. A replicated stream is
// asked otherwise: see appendReplicated.
func (s *Stream) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
	if unfit := *s.unfit.Load(); unfit != nil {
		return refusal{fmt.Errorf("stream %s: %w", s.cfg.Name, unfit)}
	}
	if _, refused := after.(refusal); refused {
		return refusal{ledger.ErrLostRace}
	}
	replicated := s.replicated.Load()
	// somebody has changed the number of replicas meanwhile
	if _, was := after.(*replicatedAck); after != nil && was != replicated {
		return refusal{ledger.ErrLostRace}
	}
	if replicated {
		return s.appendReplicated(group, after)
	}
	before := ""
	if a, ok := after.(*ack); ok {
		before = a.id
	}
	last := len(group) - 1
	for _, m := range group[:last] {
		msg := s.message(m, before)
		_ = s.nc.PublishMsg(msg) // where it fails, so does the last
		before = msg.Header[jetstream.MsgIDHeader][0]
	}
	msg := s.message(group[last], before)
	a := &ack{stream: s, sequence: group[last].Sequence, id: msg.Header[jetstream.MsgIDHeader][0],
		limit: s.cfg.Timeout + time.Second}
	future, err := s.js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(0))
	if err != nil {
		a.end(nil, err)
	}
	a.future = future
	return a
}

// A refusal is the answer to a group of which JetStream was not asked.
type refusal struct{ error }

// Wait implements [ledger.Ack].
func (r refusal) Wait() error { return r.error }

// message returns what is published of a message, which must follow the one with the id before; ""
// where it is known which that is.
func (s *Stream) message(m ledger.Message, before string) *nats.Msg {
	header := nats.Header{
		jetstream.ExpectedStreamHeader:  {s.cfg.Name},
		jetstream.ExpectedLastSeqHeader: {strconv.FormatUint(m.Sequence-1, 10)},
		jetstream.MsgIDHeader:           {messageID(m.Data)},
	}
	if before != "" {
		header[jetstream.ExpectedLastMsgIDHeader] = []string{before}
	}
	return &nats.Msg{Subject: m.Subject, Data: m.Data, Header: header}
}

// messageID tells messages apart: 16 bytes of the SHA-256 of the data, in base 64.
func messageID(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// ack waits for JetStream's answer to the last message of a group. It belongs to one goroutine.
type ack struct {
	stream   *Stream
	future   jetstream.PubAckFuture
	sequence uint64
	id       string
	limit    time.Duration

	ended bool
	err   error
}

// Wait implements [ledger.Ack].
func (a *ack) Wait() error {
	if a.ended {
		return a.err
	}
	limit := time.NewTimer(a.limit)
	defer limit.Stop()
	select {
	case p := <-a.future.Ok():
		a.end(p, nil)
	case err := <-a.future.Err():
		a.end(nil, err)
	case <-limit.C:
		a.end(nil, errors.New("no answer in time"))
	}
	return a.err
}

func (a *ack) end(p *jetstream.PubAck, err error) {
	a.ended, a.err = true, a.stream.outcome(a.sequence, p, err)
}

// outcome says what JetStream's answer to a message means, as [ledger.Ack] has it.
func (s *Stream) outcome(sequence uint64, p *jetstream.PubAck, err error) error {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) &&
		(api.ErrorCode == wrongLastMessage || api.ErrorCode == wrongLastSequence ||
			api.ErrorCode == wrongLastSequenceConstant):
		return ledger.ErrLostRace
	case err != nil:
		if errors.Is(err, context.DeadlineExceeded) && s.isAtLeader() {
			s.leave()
		}
		return fmt.Errorf("appending %d: %w", sequence, err)
	case p.Sequence != sequence || p.Duplicate:
		return fmt.Errorf("appending %d: the stream answered that it is %d", sequence, p.Sequence)
	}
	s.raise(sequence)
	replace(s.appended, sequence)
	return nil
}

// appendReplicated appends to a replicated stream: each group when the one before it is in, so that
// the sequence alone says which that is. It must not be asked with Nats-Expected-Last-Msg-Id: a
// replicated stream looks at the sequence before it proposes a message, but at the id when each
// replica applies it, and a replica that finds another id there stops, for good (NATS server 2.15);
// as one does that has caught up by a snapshot, in which there is no id. The same goes for one
// replica on a cluster, as long as it can be made three while messages are under way.
func (s *Stream) appendReplicated(group []ledger.Message, after ledger.Ack) ledger.Ack {
	a := &replicatedAck{done: make(chan struct{})}
	go func() {
		defer close(a.done)
		if after != nil && after.Wait() != nil {
			a.err = ledger.ErrLostRace
			return
		}
		a.err = s.appendGroup(group)
	}()
	return a
}

// appendGroup appends a group as an atomic batch (ADR-50), which gets in as a whole or not at all,
// and of which only the first message says where. Where JetStream does not take it as one, nothing
// of it is in, and its messages go one after the other.
func (s *Stream) appendGroup(group []ledger.Message) error {
	last := len(group) - 1
	if last > 0 && group[last].Sequence == group[0].Sequence+uint64(last) && s.atomic.Load() {
		if err := s.appendBatch(group); !isNoBatch(err) {
			return err
		}
	}
	for _, m := range group {
		if err := s.appendOne(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) appendBatch(group []ledger.Message) error {
	ctx, cancel := context.WithTimeout(s.line.Load(), min(s.cfg.Timeout, appendMost))
	defer cancel()
	messages := make([]*nats.Msg, len(group))
	for i, m := range group {
		messages[i] = &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}}
	}
	messages[0].Header.Set(jetstream.ExpectedStreamHeader, s.cfg.Name)
	messages[0].Header.Set(jetstream.ExpectedLastSeqHeader,
		strconv.FormatUint(group[0].Sequence-1, 10))
	last := group[len(group)-1].Sequence
	// No answers but the last.
	p, err := jetstreamext.PublishMsgBatch(ctx, s.js, messages, jetstreamext.BatchFlowControl{})
	if err != nil {
		return s.outcome(last, nil, whyNot(ctx, err))
	}
	return s.outcome(last, &jetstream.PubAck{Sequence: p.Sequence}, nil)
}

// isNoBatch reports whether JetStream has refused a batch because it was one. Then nothing of it is
// in.
func isNoBatch(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && slices.Contains(noBatch, api.ErrorCode)
}

func (s *Stream) appendOne(m ledger.Message) error {
	ctx, cancel := context.WithTimeout(s.line.Load(), min(s.cfg.Timeout, appendMost))
	defer cancel()
	p, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Data: m.Data},
		jetstream.WithRetryAttempts(0),
		jetstream.WithExpectStream(s.cfg.Name), jetstream.WithExpectLastSequence(m.Sequence-1))
	if err != nil {
		err = whyNot(ctx, err)
	}
	return s.outcome(m.Sequence, p, err)
}

// whyNot says why there was no answer, where that is so because ctx has ended.
func whyNot(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Cause(ctx)
	}
	return err
}

// replicatedAck waits for the end of appendReplicated. Its Wait may be called concurrently.
type replicatedAck struct {
	done chan struct{}
	err  error // to be read after done
}

// Wait implements [ledger.Ack].
func (a *replicatedAck) Wait() error { <-a.done; return a.err }
