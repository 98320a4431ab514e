package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"muster/cmd/internal/server"
	"muster/events"
	"muster/events/build"
	"muster/events/schema"
	"muster/projections/web"
)

func (a *app) schemaCmd() *cobra.Command {
	var all, async bool
	c := &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Statements described for machines: JSON Schema and AsyncAPI",
		Long: `Without anything, list the kinds of statements. With a kind, print its JSON Schema; with --all, one document with all of them; with
--asyncapi, the AsyncAPI document of the stream's subjects, what is told of records, and the
endpoints of the micro service. No server is needed.`,
		Example: `  muster schema pledge.offered
  muster schema --asyncapi >muster.asyncapi.json`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case all && async || (all || async) && len(args) > 0:
				return usage("it prints one thing: a kind's schema, --all or --asyncapi")
			case all:
				return a.printSchema(schema.All())
			case async:
				return a.printSchema(server.AsyncAPI(build.Version()))
			case len(args) == 1:
				return a.printSchema(server.SchemaOf(args[0]))
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
