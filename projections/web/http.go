package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"muster/events/phrase"
	"muster/events/problem"
)

type httpAnswer[A any] struct{ Body A }

// serveHTTP adds one question to an HTTP API. The parameters are read here and not by huma, so that
// they are taken and refused in the same way, and all at once, on every face.
func serveHTTP[A any](api huma.API, op huma.Operation, reply replier) {
	op.SkipValidateParams = true
	huma.Register(api, op, func(ctx context.Context, in *httpRequest) (*httpAnswer[A], error) {
		if in.err != nil {
			return nil, in.err
		}
		a, err := reply(ctx, in.request)
		if err != nil {
			return nil, problem.From(err)
		}
		return &httpAnswer[A]{a.(A)}, nil
	})
}

// postedRequest takes a request from the body, as a message over NATS has it.
type postedRequest struct {
	RawBody []byte `contentType:"application/json"`
}

// servePosted adds a question whose parameters an address cannot hold: the body is the JSON object
// of them.
func servePosted[A any](api huma.API, op huma.Operation, reply replier) {
	takes := op.Parameters
	op.OperationID, op.Method, op.Parameters = op.OperationID+"-posted", http.MethodPost, nil
	op.Responses = nil
	op.Summary += " (posted)"
	op.Description = "The body is a JSON object of the parameters that the same address takes " +
		"with GET, each as text: what is longer than an address may be is asked so."
	op.SkipValidateBody, op.BodyReadTimeout = true, MaxBodyTime
	op.MaxBodyBytes = MaxBody + 1 // as many are refused
	op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge)
	huma.Register(api, op, func(ctx context.Context, in *postedRequest) (*httpAnswer[A], error) {
		r, err := requestOf(in.RawBody)
		if err != nil {
			return nil, problem.From(err)
		}
		a, err := reply(ctx, r)
		if err != nil {
			return nil, problem.From(err)
		}
		return &httpAnswer[A]{a.(A)}, nil
	})
	body := api.OpenAPI().Paths[op.Path].Post.RequestBody
	body.Content["application/json"].Schema = postedSchema(takes)
}

// postedSchema describes the object of a question's parameters, where huma sees bytes.
func postedSchema(takes []*huma.Param) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{},
		AdditionalProperties: false}
	for _, p := range takes {
		s.Properties[p.Name] = &huma.Schema{Type: huma.TypeString, Description: p.Description,
			Pattern: p.Schema.Pattern, Enum: p.Schema.Enum}
	}
	return s
}

// httpRequest takes a request from its address.
type httpRequest struct {
	request request
	err     error
}

var partOfPath = regexp.MustCompile(`\{(\w+)\}`)

// Resolve implements huma.Resolver.
func (r *httpRequest) Resolve(ctx huma.Context) []error {
	address := ctx.URL()
	values, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		r.err = garbledQuery(err)
		return nil
	}
	r.request = requestFrom(ctx.Operation().Path, values, ctx.Param).noneEmpty()
	return nil
}

func garbledQuery(err error) error {
	return problem.New(problem.Usage, "the query of the address cannot be read: %w", err).
		WithHint("write what is no letter or digit as percent signs and hexadecimal digits")
}

// requestFrom takes a request from the query of an address and the parts of its path.
func requestFrom(path string, values url.Values, part func(name string) string) request {
	r := newRequest()
	for name, all := range values {
		if len(all) > 1 {
			r.garbled[name] = phrase.Of("is given %d times: write it once", len(all))
			continue
		}
		r.given[name] = all[0]
	}
	for _, found := range partOfPath.FindAllStringSubmatch(path, -1) {
		if name := found[1]; values.Has(name) {
			r.garbled[name] = phrase.Of("is a part of the path: leave it out of the query")
		} else {
			r.given[name] = part(name)
		}
	}
	return r
}

var _ huma.Resolver = (*httpRequest)(nil)
