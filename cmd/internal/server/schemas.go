package server

import (
	"net/http"
	"strings"

	"muster/events"
	"muster/events/problem"
	"muster/events/schema"
	"muster/projections/web"
)

// SchemaOf is the JSON Schema of a kind of statement.
func SchemaOf(kind string) ([]byte, error) {
	if _, ok := events.NewStatement(events.Type(kind)); !ok {
		return nil, problem.New(problem.NotFound, "there is no kind of statement %q", kind).
			WithHint("list them with: muster schema")
	}
	return schema.Of(events.Type(kind))
}

// AsyncAPI describes the stream, what is told of its records, and the service, the questions among
// it, as of a version of the program.
func AsyncAPI(version string) ([]byte, error) {
	var questions []schema.Question
	for _, d := range web.Descriptions() {
		questions = append(questions, schema.Question(d))
	}
	return schema.AsyncAPI(version, web.NewsSchema(), questions)
}

// handleSchemas serves the same over HTTP: /schemas/pledge.offered.json, /schemas/all.json and
// /asyncapi.json.
func handleSchemas(mux *http.ServeMux, version string) {
	serve := func(w http.ResponseWriter, contentType string, text []byte, err error) {
		if err != nil {
			http.Error(w, problem.From(err).Error(), problem.From(err).Kind.Status)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(append(text, '\n'))
	}
	mux.HandleFunc("GET /asyncapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := AsyncAPI(version)
		serve(w, "application/json", text, err)
	})
	mux.HandleFunc("GET /schemas/{file}", func(w http.ResponseWriter, r *http.Request) {
		kind := strings.TrimSuffix(r.PathValue("file"), ".json")
		text, err := SchemaOf(kind)
		if kind == "all" {
			text, err = schema.All()
		}
		serve(w, "application/schema+json", text, err)
	})
}
