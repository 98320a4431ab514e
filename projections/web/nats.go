package web

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/micro"

	"muster/events/phrase"
	"muster/events/problem"
	"muster/events/problem/wire"
	"muster/projections/access"
)

// overNATS answers one question's messages. Working counts those that are being worked on.
func (s *Service) overNATS(q *question, working *sync.WaitGroup) micro.HandlerFunc {
	name, reply := q.name, q.replies(s)
	return func(req micro.Request) {
		release, err := s.slots.messages.Acquire(context.Background(), inboxOf(req))
		if err != nil {
			wire.NATS(req, err)
			return
		}
		working.Go(func() {
			defer release()
			defer func() {
				if broken := recover(); broken != nil {
					s.Panicked(SubjectPrefix+name, broken)
					wire.NATS(req, wire.Panicked)
				}
			}()
			a, err := s.answerNATS(access.ContextOf(req), name, req.Data(), reply)
			// Which else fails only when nobody is there to be told.
			if err == nil && req.Respond(a) != nil {
				err = tooLongForMessage(len(a))
			}
			if err != nil {
				wire.NATS(req, err)
			}
		})
	}
}

// inboxOf tells apart those who ask, by the inbox that they name.
func inboxOf(req micro.Request) string { return Inbox(req.Reply()) }

// Inbox is the part of an inbox that all of one connection's have: _INBOX and the connection's own
// token, or _INBOX.guest and the guest's name. Nothing proves that who asks listens there, so that
// all who ask over NATS have one client's share together.
func Inbox(reply string) string {
	of := 2
	if strings.HasPrefix(reply, guestInbox) {
		of = 3
	}
	parts := strings.SplitN(reply, ".", of+1)
	return strings.Join(parts[:min(of, len(parts))], ".")
}

// overNATS is the one client that all are who ask over NATS.
const overNATS = "NATS"

// answerNATS answers one message, when there is a slot for it.
func (s *Service) answerNATS(
	ctx context.Context, name string, data []byte, reply replier,
) (answer []byte, err error) {
	if most := maxRequest(name); len(data) > most {
		s.Bites.Address.Add(1)
		return nil, problem.New(problem.Usage,
			"the request has %d bytes, and at most %d are taken", len(data), most).
			WithHint("leave out what the question does not need")
	}
	r, err := requestOf(data)
	if err != nil {
		return nil, err
	}
	does := s.workOfQuestion(name, r.given["wait"] != "")
	err = s.served(ctx, newAsker(overNATS), does, func(ctx context.Context) error {
		a, err := reply(ctx, r)
		if err == nil {
			answer, err = messageOf(a)
		}
		return err
	})
	return answer, err
}

// maxRequest is the most bytes of a question's parameters.
func maxRequest(question string) int {
	if question == "preview" {
		return MaxBody
	}
	return MaxAddress
}

// requestOf takes a request from the JSON object of its parameters: each is text or a number.
func requestOf(data []byte) (request, error) {
	r := newRequest()
	if len(bytes.TrimSpace(data)) == 0 {
		return r, nil
	}
	var members map[string]json.RawMessage
	err := jsonv2.Unmarshal(data, &members)
	if err != nil || members == nil { // null
		return r, problem.New(problem.Usage,
			"the request must be a JSON object of the question's parameters, {} for none")
	}
	for name, v := range members {
		var text string
		switch {
		case json.Unmarshal(v, &text) == nil && string(v) != "null":
			r.given[name] = text
		case strings.ContainsRune("-0123456789", rune(v[0])):
			r.given[name] = string(v)
		default:
			r.garbled[name] = phrase.Of("write text in quotes or a number, or leave it out")
		}
	}
	return r.noneEmpty(), nil
}

// maxMessage is the most bytes that a NATS server takes in one message, unless it was set
// otherwise.
const maxMessage = 1 << 20

// messageOf is an answer as JSON, in the same bytes as over HTTP.
func messageOf(a any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return nil, err
	}
	if out.Len() > maxMessage {
		return nil, tooLongForMessage(out.Len())
	}
	return out.Bytes(), nil
}

func tooLongForMessage(n int) error {
	return problem.New(problem.Usage,
		"the answer has %d bytes, too many for a message over NATS", n).
		WithHint("ask for less, with a filter or a smaller limit, or ask over HTTP")
}
