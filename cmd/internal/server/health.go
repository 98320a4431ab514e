package server

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/projections"
)

// Health is the answer to whoever watches the server.
type Health struct {
	Status string        `json:"status" doc:"ok, or failing"`
	Origin events.Origin `json:"origin" doc:"The ledger's name"`
	Name   string        `json:"name" doc:"This server's name"`
	// Recorded and Projected are equal when readers see all that was written.
	Recorded  uint64           `json:"recorded" doc:"The last record in this server's journal"`
	Projected uint64           `json:"projected" doc:"The last record in the picture that questions are answered from"`
	Problem   *problem.Problem `json:"problem,omitempty" doc:"What is wrong"`
	Copies    Copies           `json:"copies" doc:"When journal and stream were last read and found whole"`
	// Witnesses says what is witnessed of what is recorded; the server works while they are away.
	Witnesses *Witnesses     `json:"witnesses,omitempty" doc:"Where the server has a policy: what witnesses have signed, as the server says; the checkpoint at /checkpoint/witnessed proves it"`
	Members   *MembersHealth `json:"members,omitempty" doc:"Where somebody should look at the keys that may sign"`
	// Certificate has problems of its own: the server works meanwhile.
	Certificate *CertificateHealth `json:"certificate,omitempty" doc:"Where the server speaks TLS: its certificate"`
	// Mirror says how it goes with following another server, which may be away: what is held is
	// answered from all the same.
	Mirror *Following `json:"mirror,omitempty" doc:"Where this is a mirror, which takes no statements: whom it follows, and how that goes"`
}

// MembersHealth is how many keys somebody should look at. Everybody may read who the members are.
type MembersHealth struct {
	Waiting int `json:"waiting,omitempty" doc:"Admissions and revocations that wait for a second word"`
	Unheard int `json:"unheard,omitempty" doc:"Further keys of a nation that none of its liaisons has seconded"`
}

// members returns nil where nothing is to be looked at.
func (f *front) members() *MembersHealth {
	var m MembersHealth
	err := f.Projector.View(func(p *projections.Picture) error {
		roster, err := p.Members(context.Background(), projections.Moment{})
		m.Waiting = len(roster.Waiting)
		for _, member := range roster.Members {
			if member.Unheard && member.Revoked == 0 {
				m.Unheard++
			}
		}
		return err
	})
	if err != nil || m == (MembersHealth{}) {
		return nil
	}
	return &m
}

// Probe is the answer to whoever decides whether to restart the server, or to send it requests.
type Probe struct {
	Status  string           `json:"status" doc:"ok, or failing"`
	Problem *problem.Problem `json:"problem,omitempty" doc:"What is wrong"`
}

// Healthy returns why the server cannot do its work now, or nil: what a submitter would meet.
func (s *Server) Healthy() error {
	if err := s.Ledger.Healthy(); err != nil {
		return err
	}
	if p := s.projected.Load(); p != nil {
		return p
	}
	return nil
}

// Ready returns why no requests should be sent to the server now, or nil: it takes statements, and
// what was recorded when it was asked can be read within readyWithin.
func (s *Server) Ready(ctx context.Context) error {
	if !s.ready.Load() {
		return problem.New(problem.Unavailable, "the server is starting").
			WithHint("ask again in a moment")
	}
	if s.stopping.Load() {
		return errStopping
	}
	if err := s.Healthy(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return s.Projector.WaitFor(ctx, s.Journal.Last())
}

// readyWithin is how far answers may lag behind the records, in time.
const readyWithin = time.Second

func (s *Server) health() (int, Health) {
	h := Health{Status: "ok", Origin: s.Ledger.Origin(), Name: s.cfg.Name,
		Recorded: s.Journal.Last(), Projected: s.Projector.Sequence(), Copies: s.copies(),
		Certificate: s.certificate.health(), Witnesses: s.witnessed(), Members: s.members()}
	if err := s.Healthy(); err != nil {
		h.Status, h.Problem = "failing", problem.From(err)
		return http.StatusServiceUnavailable, h
	}
	return http.StatusOK, h
}

func probe(err error) (int, Probe) {
	if err != nil {
		return http.StatusServiceUnavailable, Probe{"failing", problem.From(err)}
	}
	return http.StatusOK, Probe{Status: "ok"}
}

// The paths of what watches the server.
const (
	healthPath  = "/healthz"
	livePath    = "/livez"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
)

type probeOutput[A any] struct {
	Status int
	Body   A
}

func probed[A any](status int, body A) (*probeOutput[A], error) {
	return &probeOutput[A]{status, body}, nil
}

// registerHealth adds what watches a server, or a mirror.
func registerHealth(api huma.API, health func() (int, Health), ready func(context.Context) error) {
	op := func(id, path, summary string, failing reflect.Type) huma.Operation {
		o := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path,
			Summary: summary, Tags: []string{"server"},
			Errors: []int{http.StatusMisdirectedRequest, http.StatusUnprocessableEntity}}
		if failing != nil {
			o.Responses = map[string]*huma.Response{"503": {
				Description: "It does not: problem says why",
				Content: map[string]*huma.MediaType{"application/json": {
					Schema: api.OpenAPI().Components.Schemas.Schema(failing, true, "")}}}}
		}
		return o
	}
	huma.Register(api, op("health", healthPath,
		"Whether the server takes statements and answers questions", reflect.TypeFor[Health]()),
		func(context.Context, *struct{}) (*probeOutput[Health], error) {
			return probed(health())
		})
	huma.Register(api, op("ready", readyPath,
		"Whether to send requests to the server: it takes statements, and its answers have all "+
			"that was recorded", reflect.TypeFor[Probe]()),
		func(ctx context.Context, _ *struct{}) (*probeOutput[Probe], error) {
			return probed(probe(ready(ctx)))
		})
	huma.Register(api, op("live", livePath, "Whether the server answers at all; it does not help "+
		"to restart one that does", nil),
		func(context.Context, *struct{}) (*probeOutput[Probe], error) { return probed(probe(nil)) })
}
