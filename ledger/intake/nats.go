package intake

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/sync/errgroup"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
)

// SubjectPrefix begins the subjects of the micro service: muster.submit, muster.check.
const SubjectPrefix = "muster."

// How many statements the micro service works on at a time; more wait in the client's subscription.
const natsWorkers = 256

// RegisterNATS adds the endpoints that take and check statements to the micro service (NATS
// ADR-32). The returned function waits for the requests that are being worked on; call it after the
// service has stopped. Log hears of requests that panic; nil for the program's usual log.
func RegisterNATS(svc micro.Service, to Submitter, log *slog.Logger) (wait func(), err error) {
	var working errgroup.Group
	working.SetLimit(natsWorkers)
	add := func(name, description string, response reflect.Type,
		do func(context.Context, []byte) (any, error)) error {
		handle := func(req micro.Request) {
			working.Go(func() error { // which waits while so many are under way
				defer rescue(req, log)
				a, err := do(contextOf(req), req.Data())
				respond(req, a, err)
				return nil
			})
		}
		return svc.AddEndpoint(name, micro.HandlerFunc(handle),
			micro.WithEndpointSubject(SubjectPrefix+name), pending(),
			micro.WithEndpointMetadata(map[string]string{"description": description,
				"request_schema": noteSchema, "response_schema": schemaOf(response)}))
	}
	err = errors.Join(
		add("submit", "Submit a signed statement; the request is the signed note",
			reflect.TypeFor[Receipt](), func(ctx context.Context, note []byte) (any, error) {
				return submit(ctx, to, note)
			}),
		add("check", "Say whether a statement would be recorded now; the request is a signed draft",
			reflect.TypeFor[Checked](), func(ctx context.Context, note []byte) (any, error) {
				return check(ctx, to, note)
			}))
	return func() { _ = working.Wait() }, err // each error was answered
}

// contextOf returns the context in which a request is answered: its own, where the server has given
// it one.
func contextOf(req micro.Request) context.Context {
	if r, ok := req.(interface{ Context() context.Context }); ok {
		return r.Context()
	}
	return context.Background()
}

// maxPending and maxPendingBytes bound what waits in the client for each endpoint. What is more is
// dropped: who asked hears nothing, and asks again.
const (
	maxPending      = 4096
	maxPendingBytes = 16 << 20
)

func pending() micro.EndpointOpt {
	return micro.WithEndpointPendingLimits(maxPending, maxPendingBytes)
}

// rescue answers for a request whose handling panics, which would end the process.
func rescue(req micro.Request, log *slog.Logger) {
	broken := recover()
	if broken == nil {
		return
	}
	if log == nil {
		log = slog.Default()
	}
	log.Error("a request has panicked", "request", req.Subject(), "panic", broken, "stack",
		string(debug.Stack()))
	wire.NATS(req, wire.Panicked)
}

// noteSchema describes a request that is no JSON.
const noteSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"string","contentMediaType":"text/plain",` +
	`"description":"A signed note (C2SP signed-note) as it is, in UTF-8 and not in JSON: ` +
	"`muster schema` lists the statements" + `"}`

// schemaOf returns the JSON Schema of an answer, made from its Go type.
func schemaOf(answer reflect.Type) string {
	r := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	root := r.Schema(answer, true, answer.Name())
	text, err := json.Marshal(
		map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": root.Ref,
			"$defs": r.Map()})
	if err != nil {
		return "{}"
	}
	return string(text)
}

// respond answers a request of the micro service with JSON, or with a problem. It may be called
// after the handler has returned.
func respond(req micro.Request, a any, err error) {
	if err != nil {
		wire.NATS(req, err)
		return
	}
	data, err := json.Marshal(a)
	if err != nil {
		wire.NATS(req, err)
		return
	}
	_ = req.Respond(data) // it fails only when the connection is gone, and the client with it
}

// A Requester sends a request over NATS and waits for its answer, as a *nats.Conn does.
type Requester interface {
	RequestMsgWithContext(ctx context.Context, m *nats.Msg) (*nats.Msg, error)
}

// A NATSClient submits to the micro service. It may be used concurrently.
type NATSClient struct{ Conn Requester }

// Submit implements [Submitter].
func (c NATSClient) Submit(ctx context.Context, s events.Signed) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	var r Receipt
	err := Request(ctx, c.Conn, SubjectPrefix+"submit", s.Note, &r)
	return r, err
}

// Check implements [Submitter].
func (c NATSClient) Check(ctx context.Context, s events.Signed) (checked Checked, err error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	err = Request(ctx, c.Conn, SubjectPrefix+"check", s.Note, &checked)
	return checked, err
}

// Request asks the micro service and decodes its answer.
func Request(ctx context.Context, nc Requester, subject string, data []byte, into any) error {
	m, err := request(ctx, nc, subject, data)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(m.Data, into); err != nil {
		return problem.New(problem.Unavailable, "the answer over NATS is none of Muster's").
			WithHint("is it the NATS of a Muster server?")
	}
	return nil
}

func request(ctx context.Context, nc Requester, subject string, data []byte) (*nats.Msg, error) {
	m, err := nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: data})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, problem.New(problem.Unavailable,
			"no Muster server answers on this NATS server").WithHint("start one with: muster serve")
	case errors.Is(err, nats.ErrMaxPayload):
		return nil, problem.New(problem.TooLarge, "the request has %d bytes, more than NATS takes",
			len(data))
	case problem.Of(err) != nil:
		return nil, err // of the requester's own
	case err != nil:
		return nil, problem.New(problem.Unavailable, "no answer over NATS: %w", err).
			WithHint("%s", askAgain)
	}
	return m, ProblemIn(m)
}

// ProblemIn returns the problem that an answer of the micro service tells, nil when it tells none.
func ProblemIn(m *nats.Msg) error {
	if code := m.Header.Get(micro.ErrorCodeHeader); code != "" {
		status, _ := strconv.Atoi(code) // 0 is a status that no kind has
		return problem.Decode(status, m.Data)
	}
	return nil
}
