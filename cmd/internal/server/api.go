package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/events"
	"muster/events/problem"
	"muster/projections/web"
)

func init() {
	huma.DefaultArrayNullable = false // a list in an answer may be empty, and is never null
	// huma reports what it refuses by itself (a parameter that is no number, a body that is too
	// long) through this variable: it becomes a problem like any other.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return problemOf(status, msg, errs)
	}
}

func problemOf(status int, msg string, errs []error) *problem.Problem {
	var fields []problem.Field
	for _, err := range errs {
		var p *problem.Problem
		if errors.As(err, &p) {
			return p
		}
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			fields = append(fields, problem.Field{
				Location: d.Location, Message: d.Message, Value: fmt.Sprint(d.Value)})
		} else if err != nil {
			msg += ": " + err.Error()
		}
	}
	kind := problem.Internal
	switch status {
	case http.StatusBadRequest:
		kind = problem.Usage
		if msg == "request body is required" {
			msg = "a request body is required: send the signed note"
		}
	case http.StatusNotFound:
		kind = problem.NotFound
	case http.StatusRequestEntityTooLarge:
		kind, msg = problem.TooLarge, fmt.Sprintf("the body is too long: "+
			"a signed statement has at most %d bytes, and a question %d",
			events.MaxBytes, web.MaxBody)
	case http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		kind = problem.Invalid
	case http.StatusServiceUnavailable, http.StatusRequestTimeout:
		kind = problem.Unavailable
	}
	p := problem.New(kind, "%s", msg)
	if len(fields) == 1 {
		p.Detail = fields[0].String()
	}
	p.Fields = fields
	return p
}

// newAPI makes the HTTP API on mux. Its docs page comes from this binary, or not at all: huma's own
// loads from elsewhere.
func newAPI(mux *http.ServeMux, version string) huma.API {
	config := huma.DefaultConfig("Muster", version)
	config.Info.Description = "A coalition's ledger of pledges. Statements are signed notes " +
		"(events/FORMAT.md); questions are asked with the same parameters here, over NATS and " +
		"on the command line."
	config.Info.License = &huma.License{Name: "Apache-2.0",
		URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	config.Servers = []*huma.Server{
		{URL: "/", Description: "The server that this document is from"}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer",
			Description: "The token of POST /api/v1/session"},
		"cookie": {Type: "apiKey", In: "cookie", Name: web.CookieName,
			Description: "The same token, in a browser"},
	}
	// One may ask without, for what the server shows those who have not signed in.
	config.Security = []map[string][]string{{}, {"bearer": {}}, {"cookie": {}}}
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema members in answers
	config.RejectUnknownQueryParameters = true
	web.DescribeWords(config.Components.Schemas)
	return humago.New(mux, config)
}

// Health is the answer to whoever watches the server.
type Health struct {
	Status string        `json:"status" doc:"ok, or failing"`
	Origin events.Origin `json:"origin" doc:"The ledger's name"`
	Name   string        `json:"name" doc:"This server's name"`
	// Recorded and Projected are equal when readers see all that was written.
	Recorded  uint64           `json:"recorded" doc:"The last record in this server's journal"`
	Projected uint64           `json:"projected" doc:"The last record in the picture that questions are answered from"`
	Problem   *problem.Problem `json:"problem,omitempty" doc:"What is wrong"`
	// Certificate has problems of its own: the server works meanwhile.
	Certificate *CertificateHealth `json:"certificate,omitempty" doc:"Where the server speaks TLS: its certificate"`
}

type healthOutput struct {
	Status int
	Body   Health
}

func (s *Server) registerHealth(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "health", Method: http.MethodGet,
		Path:    "/healthz",
		Summary: "Whether the server takes statements and answers questions",
		Tags:    []string{"server"},
		Errors:  []int{http.StatusMisdirectedRequest, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{"503": {Description: "It does not: problem says why",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Health](),
					true, "")}}}}},
		func(context.Context, *struct{}) (*healthOutput, error) {
			h := Health{Status: "ok", Origin: s.Ledger.Origin(), Name: s.cfg.Name,
				Recorded: s.Journal.Last(), Projected: s.Projector.Sequence(),
				Certificate: s.certificate.health()}
			if err := s.Healthy(); err != nil {
				h.Status, h.Problem = "failing", problem.From(err)
				return &healthOutput{http.StatusServiceUnavailable, h}, nil
			}
			return &healthOutput{http.StatusOK, h}, nil
		})
}
