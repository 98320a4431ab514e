package web

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
)

// serveNATS adds one question to the micro service, with what it says about itself.
func (f *face) serveNATS(name string, about map[string]string, reply func(context.Context, request) (any, error)) {
	handle := func(req micro.Request) {
		f.working.Go(func() {
			r, err := requestOf(req.Data())
			if err != nil {
				fail(req, err)
				return
			}
			a, err := reply(context.Background(), r)
			if err != nil {
				fail(req, err)
				return
			}
			respond(req, a)
		})
	}
	err := f.svc.AddEndpoint(name, micro.HandlerFunc(handle), micro.WithEndpointSubject(SubjectPrefix+name),
		micro.WithEndpointMetadata(about))
	if f.err == nil {
		f.err = err
	}
}

// requestOf takes a request from the JSON object of its parameters: each is text or a number.
func requestOf(data []byte) (request, error) {
	r := request{map[string]string{}, map[string]string{}}
	if len(bytes.TrimSpace(data)) == 0 {
		return r, nil
	}
	var members map[string]json.RawMessage
	err := jsonv2.Unmarshal(data, &members)
	if err != nil || members == nil { // null
		return r, problem.New(problem.Usage, "the request must be a JSON object of the question's parameters, {} for none: %w", err)
	}
	for name, v := range members {
		var text string
		switch {
		case json.Unmarshal(v, &text) == nil && string(v) != "null":
			r.given[name] = text
		case strings.ContainsRune("-0123456789", rune(v[0])):
			r.given[name] = string(v)
		default:
			r.garbled[name] = "write text in quotes or a number, or leave it out"
		}
	}
	return r, nil
}

// maxMessage is the most bytes that a NATS server takes in one message, unless it was set otherwise.
const maxMessage = 1 << 20

// respond answers with JSON, in the same bytes as over HTTP.
func respond(req micro.Request, answer any) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		fail(req, err)
		return
	}
	if out.Len() > maxMessage || req.Respond(out.Bytes()) != nil { // which else fails only when nobody is there to be told
		fail(req, problem.New(problem.Usage, "the answer has %d bytes, too many for a message over NATS", out.Len()).
			WithHint("ask for less, with a filter or a smaller limit, or ask over HTTP"))
	}
}

// fail answers with a problem: its status as the error code, and the whole problem+json as the data. It does not use
// req.Error, which is for handlers that answer before they return: the micro service reads what that writes.
func fail(req micro.Request, err error) {
	p := problem.From(err)
	data, encoded := json.Marshal(p)
	if encoded != nil {
		data = nil
	}
	_ = req.Respond(data, micro.WithHeaders(micro.Headers{
		micro.ErrorHeader:     {p.Error()},
		micro.ErrorCodeHeader: {strconv.Itoa(p.Kind.Status)},
	}))
}
