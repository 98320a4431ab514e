package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"muster/events"
	"muster/events/problem"
	"muster/events/schema"
	"muster/projections/web"
)

func (a *app) schemaCmd() *cobra.Command {
	var all, async bool
	c := &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Statements described for machines: JSON Schema and AsyncAPI",
		Long: `Without anything, list the kinds of statements. With a kind, print its JSON Schema; with --all, one document with all of them; with
--asyncapi, the AsyncAPI document of the stream's subjects and the endpoints of the micro service. No server is needed.`,
		Example: `  muster schema pledge.offered
  muster schema --asyncapi >muster.asyncapi.json`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case all && async || (all || async) && len(args) > 0:
				return usage("muster schema prints one thing: a kind's schema, --all or --asyncapi")
			case all:
				return a.printSchema(schema.All())
			case async:
				return a.printSchema(asyncAPI())
			case len(args) == 1:
				return a.printSchema(schemaOf(args[0]))
			}
			return a.listKinds()
		},
	}
	c.Flags().BoolVar(&all, "all", false, "one document with the schemas of all kinds")
	c.Flags().BoolVar(&async, "asyncapi", false, "the AsyncAPI document")
	return c
}

func (a *app) printSchema(text []byte, err error) error {
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "%s\n", text)
	}
	return err
}

func (a *app) listKinds() error {
	l := listing{Table: web.Table{Head: []string{"kind", "what it says"}}}
	kinds := []map[string]string{}
	for _, t := range events.Types() {
		kind := map[string]string{"type": string(t), "meaning": events.Meaning(t)}
		kinds = append(kinds, kind)
		l.Add(kind, string(t), events.Meaning(t))
	}
	l.answer = kinds
	return l.write(a.format, a.stdout)
}

func schemaOf(kind string) ([]byte, error) {
	if _, ok := events.NewStatement(events.Type(kind)); !ok {
		return nil, problem.New(problem.NotFound, "there is no kind of statement %q", kind).WithHint("list them with: muster schema")
	}
	return schema.Of(events.Type(kind))
}

// asyncAPI describes the stream and the service, the questions among it.
func asyncAPI() ([]byte, error) {
	var questions []schema.Question
	for _, d := range web.Descriptions() {
		questions = append(questions, schema.Question(d))
	}
	return schema.AsyncAPI(version(), questions)
}

// handleSchemas serves the same over HTTP: /schemas/pledge.offered.json, /schemas/all.json and /asyncapi.json.
func handleSchemas(mux *http.ServeMux) {
	serve := func(w http.ResponseWriter, contentType string, text []byte, err error) {
		if err != nil {
			http.Error(w, problem.From(err).Error(), problem.From(err).Kind.Status)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(append(text, '\n'))
	}
	mux.HandleFunc("GET /asyncapi.json", func(w http.ResponseWriter, _ *http.Request) {
		text, err := asyncAPI()
		serve(w, "application/json", text, err)
	})
	mux.HandleFunc("GET /schemas/{file}", func(w http.ResponseWriter, r *http.Request) {
		kind := strings.TrimSuffix(r.PathValue("file"), ".json")
		text, err := schemaOf(kind)
		if kind == "all" {
			text, err = schema.All()
		}
		serve(w, "application/schema+json", text, err)
	})
}
