package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/micro"

	"muster/events/problem"
)

// Root begins the path of every question over HTTP, and SubjectPrefix its subject over NATS.
const (
	Root          = "/api/v1"
	SubjectPrefix = "muster."
)

// A registrar is a face on which questions are asked: an HTTP API or a micro service.
type registrar struct {
	api huma.API
	svc micro.Service

	working *sync.WaitGroup
	err     error
}

// Register adds all questions to an HTTP API.
func (s *Service) Register(api huma.API) { s.questions(&registrar{api: api}) }

// RegisterNATS adds all questions to the micro service (NATS ADR-32), as muster.coverage and so on; a request is the JSON
// of the parameters, {} for none. The returned function waits for the requests being worked on.
func (s *Service) RegisterNATS(svc micro.Service) (wait func(), err error) {
	r := &registrar{svc: svc, working: &sync.WaitGroup{}}
	s.questions(r)
	return r.working.Wait, r.err
}

// questions is the table: what answers which question.
func (s *Service) questions(r *registrar) {
	ask(r, "ledger", "What the ledger is: its origin, its founder, its last record", s.Ledger)
	ask(r, "coverage", "How far the requirements are met, by whom, and what is not counted", s.Coverage)
	ask(r, "strength", "What is pledged or deployed, summed within a unit", s.Strength)
	ask(r, "pledges", "A list of pledges", s.Pledges)
	ask(r, "pledge", "One pledge and its life", s.Pledge)
	ask(r, "plan", "An operation's roles and requirement lines", s.Plan)
	ask(r, "members", "Who may sign, and who once could", s.Members)
	ask(r, "scopes", "What nations have declared that they are ready to give", s.Scopes)
	ask(r, "records", "The log itself, as stored", s.Records)
	ask(r, "rebuild", "Build all projections anew and compare them with those in use", s.Rebuild)
}

// paths is where each question is asked over HTTP, after Root.
var paths = map[string]string{
	"ledger": "/ledger", "coverage": "/coverage", "strength": "/strength", "pledges": "/pledges", "pledge": "/pledges/{id}",
	"plan": "/operations/{operation}", "members": "/members", "scopes": "/scopes", "records": "/records", "rebuild": "/rebuild",
}

type output[A any] struct{ Body A }

// ask registers one question on a face.
func ask[Q, A any](r *registrar, name, summary string, answer func(context.Context, *Q) (A, error)) {
	if r.api != nil {
		huma.Register(r.api, huma.Operation{
			OperationID: name, Method: http.MethodGet, Path: Root + paths[name], Summary: summary,
			Tags: []string{"questions"}, Errors: []int{400, 404, 422, 503},
		}, func(ctx context.Context, q *Q) (*output[A], error) {
			a, err := answer(ctx, q)
			if err != nil {
				return nil, problem.From(err)
			}
			return &output[A]{a}, nil
		})
		return
	}
	handle := func(req micro.Request) {
		r.working.Go(func() { respond(req, answer) })
	}
	err := r.svc.AddEndpoint(name, micro.HandlerFunc(handle), micro.WithEndpointSubject(SubjectPrefix+name),
		micro.WithEndpointMetadata(map[string]string{"description": summary}))
	if r.err == nil {
		r.err = err
	}
}

// respond answers one request of the micro service.
func respond[Q, A any](req micro.Request, answer func(context.Context, *Q) (A, error)) {
	q := new(Q)
	data := req.Data()
	if len(data) == 0 {
		data = []byte("{}")
	}
	if err := jsonv2.Unmarshal(data, q, jsonv2.RejectUnknownMembers(true)); err != nil {
		fail(req, problem.New(problem.Usage, "the request must be a JSON object of the question's parameters, {} for none: %w", err))
		return
	}
	a, err := answer(context.Background(), q)
	if err != nil {
		fail(req, problem.From(err))
		return
	}
	_ = req.RespondJSON(a) // it fails only when the connection is gone, and the client with it
}

func fail(req micro.Request, p *problem.Problem) {
	data, err := json.Marshal(p)
	if err != nil {
		data = nil
	}
	_ = req.Error(strconv.Itoa(p.Kind.Status), p.Error(), data)
}
