package stream

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"muster/ledger"
)

// JetStream reports a lost race by any of three codes: 10071 on one node, 10164 where it is replicated, and 10070 when the
// message before has the right sequence but is another.
const (
	wrongLastMessage          jetstream.ErrorCode = 10070
	wrongLastSequence         jetstream.ErrorCode = 10071
	wrongLastSequenceConstant jetstream.ErrorCode = 10164
)

// Append implements [ledger.Log]. The sequence is checked by Nats-Expected-Last-Sequence. For a message behind one that is
// in flight, Nats-Expected-Last-Msg-Id says which that must be: a message's Nats-Msg-Id is the hash of its data. So the last message gets
// in only when all of the group have, and its answer is theirs: JetStream is asked for no other.
func (s *Stream) Append(group []ledger.Message, after ledger.Ack) ledger.Ack {
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
	a := &ack{stream: s, sequence: group[last].Sequence, id: msg.Header[jetstream.MsgIDHeader][0], limit: s.cfg.Timeout + time.Second}
	future, err := s.js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(0))
	if err != nil {
		a.settle(nil, err)
	}
	a.future = future
	return a
}

// message returns what is published of a message, which must follow the one with the id before; "" where it is known which that is.
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

	settled bool
	err     error
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
	case errors.As(err, &api) && (api.ErrorCode == wrongLastMessage || api.ErrorCode == wrongLastSequence || api.ErrorCode == wrongLastSequenceConstant):
		a.err = ledger.ErrLostRace
	case err != nil:
		a.err = fmt.Errorf("appending %d: %w", a.sequence, err)
	case p.Sequence != a.sequence || p.Duplicate:
		a.err = fmt.Errorf("appending %d: the stream answered that it is %d", a.sequence, p.Sequence)
	default:
		replace(a.stream.appended, a.sequence)
	}
}
