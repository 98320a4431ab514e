package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/events"
	"muster/events/problem"
	"muster/ledger/intake"
	"muster/projections/web"
	"muster/projections/web/page"
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
//
// A problem is answered in English, but for who asks for the language of a page: the pages' scripts
// do, with what tell has of it.
func newAPI(mux *http.ServeMux, version string, base web.Base,
	tell func(lang string, p *problem.Problem) *problem.Problem) huma.API {
	config := huma.DefaultConfig("Muster", version)
	config.Info.Description = "A coalition's ledger of pledges. Statements are signed notes " +
		"(events/FORMAT.md); questions are asked with the same parameters here, over NATS and " +
		"on the command line."
	config.Info.License = &huma.License{Name: "Apache-2.0",
		URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	config.Servers = []*huma.Server{
		{URL: cmp.Or(string(base), "/"), Description: "The server that this document is from"}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer",
			Description: "The token of POST /api/v1/session"},
		"cookie": {Type: "apiKey", In: "cookie", Name: base.CookieName(),
			Description: "The same token, in a browser"},
	}
	// One may ask without, for what the server shows those who have not signed in.
	config.Security = []map[string][]string{{}, {"bearer": {}}, {"cookie": {}}}
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema members in answers
	config.RejectUnknownQueryParameters = true
	config.Transformers = append(config.Transformers,
		func(ctx huma.Context, _ string, answer any) (any, error) {
			lang := ctx.Header(page.LanguageHeader)
			if p, ok := answer.(*problem.Problem); ok && lang != "" {
				return tell(lang, p), nil
			}
			if all, ok := answer.(intake.Refusing); ok && lang != "" {
				all.TellProblems(func(p *problem.Problem) *problem.Problem { return tell(lang, p) })
			}
			return answer, nil
		})
	web.DescribeWords(config.Components.Schemas)
	return humago.New(mux, config)
}
