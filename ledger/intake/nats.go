package intake

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/sync/semaphore"

	"muster/events"
	"muster/events/problem"
	"muster/events/problem/wire"
)

// SubjectPrefix begins the subjects of the micro service: muster.submit, muster.check, and
// muster.submit-batch and muster.check-batch for several statements.
const SubjectPrefix = "muster."

// How many statements the micro service works on at a time, and how many of them may have come in
// batches: whoever sends one alone never waits for those who send many. More wait in the client's
// subscription.
const natsWorkers, natsInBatches = 256, 192

// RegisterNATS adds the endpoints that take and check statements to the micro service (NATS
// ADR-32). The returned function waits for the requests that are being worked on; call it after the
// service has stopped. Log hears of requests that panic; nil for the program's usual log.
func RegisterNATS(svc micro.Service, to Submitter, log *slog.Logger) (wait func(), err error) {
	n := &natsIntake{to: to, log: log, room: semaphore.NewWeighted(natsWorkers),
		batches: semaphore.NewWeighted(natsInBatches)}
	for _, e := range n.endpoints() {
		err = errors.Join(err, svc.AddEndpoint(e.name, n.handler(e),
			micro.WithEndpointSubject(SubjectPrefix+e.name), pending(),
			micro.WithEndpointMetadata(map[string]string{"description": e.description,
				"request_schema": e.request, "response_schema": schemaOf(e.response)})))
	}
	return n.working.Wait, err
}

// natsIntake takes statements over NATS.
type natsIntake struct {
	to      Submitter
	log     *slog.Logger
	room    *semaphore.Weighted // for so many statements at a time
	batches *semaphore.Weighted // of those in batches
	working sync.WaitGroup
}

// A natsEndpoint is one of the micro service. A request has one statement, or else a batch of them.
type natsEndpoint struct {
	name, description, request string
	response                   reflect.Type
	batch                      bool
	do                         func(context.Context, []byte) (any, error)
}

func (n *natsIntake) endpoints() []natsEndpoint {
	one := func(ctx context.Context, note []byte) (Receipt, error) {
		return submit(ctx, n.to, note)
	}
	ask := func(ctx context.Context, note []byte) (Checked, error) { return check(ctx, n.to, note) }
	batch := schemaOf(reflect.TypeFor[Batch]())
	return []natsEndpoint{
		{"submit", "Submit a signed statement; the request is the signed note", noteSchema,
			reflect.TypeFor[Receipt](), false, anyOf(one)},
		{"check", "Say whether a statement would be recorded now; the request is a signed draft",
			noteSchema, reflect.TypeFor[Checked](), false, anyOf(ask)},
		{"submit-batch", "Submit several signed statements, of which none rests on another",
			batch, reflect.TypeFor[Outcomes[Receipt]](), true, eachOverNATS(one)},
		{"check-batch", "Say of several statements whether each would be recorded now",
			batch, reflect.TypeFor[Outcomes[Checked]](), true, eachOverNATS(ask)},
	}
}

func anyOf[T any](do func(context.Context, []byte) (T, error)) func(context.Context, []byte) (any,
	error) {
	return func(ctx context.Context, data []byte) (any, error) { return do(ctx, data) }
}

// handler works on a request when there is room for its statements, and lets those behind it wait
// until then.
func (n *natsIntake) handler(e natsEndpoint) micro.Handler {
	return micro.HandlerFunc(func(req micro.Request) {
		release := n.enter(req, e.batch)
		n.working.Go(func() {
			defer release()
			defer rescue(req, n.log)
			a, err := e.do(contextOf(req), req.Data())
			respond(req, a, err)
		})
	})
}

// enter waits for room for the statements of a request, which is given back with release.
func (n *natsIntake) enter(req micro.Request, batch bool) (release func()) {
	ctx, statements := context.Background(), int64(1) // it ends in no error: there is as much room
	if !batch {
		_ = n.room.Acquire(ctx, statements)
		return func() { n.room.Release(statements) }
	}
	statements = int64(events.BatchSize(req.Data()))
	_ = n.batches.Acquire(ctx, statements)
	_ = n.room.Acquire(ctx, statements)
	return func() {
		n.room.Release(statements)
		n.batches.Release(statements)
	}
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
	if errors.Is(req.Respond(data), nats.ErrMaxPayload) {
		wire.NATS(req, problem.New(problem.TooLarge,
			"the answer has %d bytes, more than NATS takes", len(data)).
			WithHint("send the same statements in smaller batches: they count once"))
	} // else it fails only when the connection is gone, and the client with it
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

// SubmitBatch implements [Batcher].
func (c NATSClient) SubmitBatch(ctx context.Context, all []events.Signed) ([]Outcome[Receipt],
	error) {
	return requestBatch[Receipt](ctx, c, "submit-batch", all)
}

// CheckBatch implements [Batcher].
func (c NATSClient) CheckBatch(ctx context.Context, all []events.Signed) ([]Outcome[Checked],
	error) {
	return requestBatch[Checked](ctx, c, "check-batch", all)
}

func requestBatch[T any](ctx context.Context, c NATSClient, endpoint string,
	all []events.Signed) ([]Outcome[T], error) {
	data, err := batchOf(all)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	var answered Outcomes[T]
	err = Request(ctx, c.Conn, SubjectPrefix+endpoint, data, &answered)
	if errors.Is(err, errNoServer) { // a server may be there that is older
		err = problem.New(problem.NotFound, "no Muster server on this NATS server takes batches")
	}
	return answered.Outcomes, err
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

var errNoServer = problem.New(problem.Unavailable,
	"no Muster server answers on this NATS server").WithHint("start one with: muster serve")

func request(ctx context.Context, nc Requester, subject string, data []byte) (*nats.Msg, error) {
	m, err := nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: data})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, errNoServer
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
